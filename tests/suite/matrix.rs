//! Every operation × every role × inside and outside a region × own and other unit: who may, may, and nobody learns
//! anything of a project that is out of his scope, however he asks.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::{Value, json};
use taizhang::auth::access::{Door, OPERATIONS, Operation};
use taizhang::auth::{Role, Scope};
use taizhang::store::account::grant::Wanted;

use crate::support::contract::CONTRACT;
use crate::support::library::{NOBODY, add_account_with, day, fen, id, with};
use crate::support::{Client, PASSWORD, Reply, Request, Server};

const DAWA: &str = "211104";
const XINGLONGTAI: &str = "211103";
const OWN: &str = "dawa-drb";
const OTHER: &str = "xinglongtai-drb";
const LIST: &str = "gas-storage";
/// A code that no project has.
const NO_CODE: &str = "2101-211103-04-01-999999";

/// A project that is tried, or the one that is not there.
#[derive(Clone, Debug)]
struct Target {
    name: String,
    id: String,
    code: String,
    region: &'static str,
    unit: &'static str,
    parent: Option<&'static str>,
    /// What only who may read it may know.
    secrets: Vec<String>,
}

impl Target {
    fn absent() -> Self {
        Self {
            name: "没有的项目".to_owned(),
            id: NOBODY.to_owned(),
            code: NO_CODE.to_owned(),
            region: DAWA,
            unit: OWN,
            parent: None,
            secrets: Vec::new(),
        }
    }
}

/// The projects: name, region, unit, parent. Two families reach across the border.
const PROJECTS: [(&str, &str, &str, Option<&str>); 9] = [
    ("界内本单位项目", DAWA, OWN, None),
    ("界内他单位项目", DAWA, OTHER, None),
    ("界外本单位项目", XINGLONGTAI, OWN, None),
    ("界外他单位项目", XINGLONGTAI, OTHER, None),
    ("跨界整体甲", XINGLONGTAI, OTHER, None),
    ("跨界子项乙", DAWA, OWN, Some("跨界整体甲")),
    ("跨界孙项丙", XINGLONGTAI, OTHER, Some("跨界子项乙")),
    ("跨界整体丁", DAWA, OWN, None),
    ("跨界子项戊", XINGLONGTAI, OTHER, Some("跨界整体丁")),
];

/// Who may read what is in his regions.
const READERS: [Role; 3] = [Role::Officer, Role::Manager, Role::Leader];

/// A right: the role, the region and the unit.
type Right = (Role, Option<&'static str>, Option<&'static str>);

/// Whether a right holds for projects of a region and a unit; told apart from the service's own way to find out.
fn holds((_, within, of): Right, region: &str, unit: Option<&str>) -> bool {
    let is_within = match within {
        None | Some("211100") => true,
        Some(within) => within == region,
    };
    is_within && of.is_none_or(|of| unit == Some(of))
}

/// Somebody who tries.
struct Person {
    name: String,
    password: String,
    client: Client,
    rights: Vec<Right>,
    /// Whether he has to set a password first.
    is_restricted: bool,
    /// What another office's system is limited to.
    scopes: Option<Scope>,
}

impl Person {
    /// Signs in anew.
    async fn sign_in(&mut self, world: &World) {
        let nobody = world.server.anonymous();
        self.client = if self.scopes.is_some() {
            let token = asking_for_token(&nobody, &self.name, &self.password);
            nobody.with_token(&token.send().await.expect(200).str("/access_token"))
        } else {
            nobody.sign_in(&self.name, &self.password).await
        };
    }

    fn has(&self, roles: &[Role]) -> bool {
        self.rights.iter().any(|(role, ..)| roles.contains(role))
    }

    fn has_for(&self, roles: &[Role], region: &str, unit: Option<&str>) -> bool {
        self.rights
            .iter()
            .any(|right| roles.contains(&right.0) && holds(*right, region, unit))
    }

    fn reads(&self, target: &Target) -> bool {
        self.has_for(&READERS, target.region, Some(target.unit))
    }
}

/// A server with projects on both sides of a border.
struct World {
    server: Server,
    /// He sees and changes all of them.
    manager: Client,
    admin: Client,
    security: Client,
    targets: Vec<Target>,
    /// Somebody whom administrators work on.
    other: String,
    /// A system that they work on.
    system: String,
    db: DatabaseConnection,
}

impl World {
    async fn new() -> Self {
        let server = Server::demo().await;
        let manager = server.sign_in("manager").await;
        let mut targets: Vec<Target> = Vec::new();
        for (number, (name, region, unit, parent)) in (1..).zip(PROJECTS) {
            let parent_id = parent.map(|parent| {
                let found = targets.iter().find(|target| target.name == parent);
                found.unwrap().id.clone()
            });
            let target = register(&manager, number, (name, region, unit), parent_id).await;
            targets.push(Target { parent, ..target });
        }
        for region in [DAWA, XINGLONGTAI] {
            let path = format!("/v1/targets/of-{region}");
            let set = manager.put(&path, &aim(region)).if_none().send().await;
            set.expect(201);
        }
        let nobodys = Wanted::everywhere(Role::Leader);
        add_account_with(&server, "zhang.wei", vec![nobodys]).await;
        let admin = server.sign_in("admin").await;
        let found = admin.get("/v1/users?q=zhang.wei").await.expect(200);
        let security = server.sign_in("secadmin").await;
        Self {
            other: found.str("/items/0/id"),
            system: make_system(&security, "oa", &Scope::ALL).await,
            security,
            db: server.database().await,
            server,
            manager,
            admin,
            targets,
        }
    }

    /// Somebody with these rights, made at the terminal.
    async fn person(&self, name: &str, rights: &[Right]) -> Person {
        let wanted = rights.iter().map(|(role, region, unit)| {
            let mut wanted = Wanted::everywhere(*role).within(*region);
            wanted.unit = unit.map(str::to_owned);
            wanted
        });
        add_account_with(&self.server, name, wanted.collect()).await;
        self.known(name, rights).await
    }

    /// Somebody who is there already.
    async fn known(&self, name: &str, rights: &[Right]) -> Person {
        Person {
            name: name.to_owned(),
            password: PASSWORD.to_owned(),
            client: self.server.sign_in(name).await,
            rights: rights.to_vec(),
            is_restricted: false,
            scopes: None,
        }
    }

    /// Everybody who reads projects: each role everywhere, in a region, for a unit in a region, for a unit.
    async fn readers(&self) -> Vec<Person> {
        let mut people = Vec::new();
        for role in [Role::Officer, Role::Manager, Role::Leader] {
            for (extent, region, unit) in [
                ("everywhere", None, None),
                ("region", Some(DAWA), None),
                ("region-unit", Some(DAWA), Some(OWN)),
                ("unit", None, Some(OWN)),
            ] {
                let name = format!("{}.{extent}", role.code());
                people.push(self.person(&name, &[(role, region, unit)]).await);
            }
        }
        let reads_all_enters_some = [
            (Role::Leader, Some("211100"), None),
            (Role::Officer, Some(DAWA), None),
        ];
        people.push(self.person("mixed.one", &reads_all_enters_some).await);
        let manages_one_of_two = [
            (Role::Officer, Some(DAWA), None),
            (Role::Manager, None, Some(OWN)),
        ];
        people.push(self.person("mixed.two", &manages_one_of_two).await);
        people
    }

    /// One for each way in which a scope can be limited, whatever the role.
    async fn askers(&self) -> Vec<Person> {
        const ASKERS: [&str; 6] = [
            "officer.everywhere",
            "manager.region",
            "leader.region-unit",
            "officer.unit",
            "mixed.one",
            "mixed.two",
        ];
        let mut people = self.readers().await;
        people.retain(|person| ASKERS.contains(&person.name.as_str()));
        assert_eq!(people.len(), ASKERS.len());
        people
    }

    /// Everybody: readers, the three administrators, and those whose rights don't hold.
    async fn everybody(&self) -> Vec<Person> {
        let mut people = self.readers().await;
        for role in [Role::SystemAdmin, Role::SecurityAdmin, Role::AuditAdmin] {
            people.push(self.person(role.code(), &[(role, None, None)]).await);
        }
        people.push(self.person("no.grant", &[]).await);
        for (name, column, offset) in [
            ("expired", "valid_until", -1),
            ("to.begin", "valid_from", 1),
        ] {
            self.person(name, &[(Role::Manager, None, None)]).await;
            let found = self.admin.get(&format!("/v1/users?q={name}")).await;
            let account: uuid::Uuid = found.str("/items/0/id").parse().unwrap();
            let day: chrono::NaiveDate = day(offset).parse().unwrap();
            let row = ("account_id", account);
            let changed = self.server.set("account_grant", (column, day), row).await;
            assert_eq!(changed, 1);
            people.push(self.known(name, &[]).await);
        }
        people.push(self.with_one_time_password().await);
        for scope in Scope::ALL {
            people.push(self.system(scope).await);
        }
        people
    }

    /// Another office's system with a manager's rights and one scope.
    async fn system(&self, scope: Scope) -> Person {
        let name = scope.code().replace(':', ".");
        let account = make_system(&self.security, &name, &[scope]).await;
        let wanted = json!({ "role": "manager" });
        let path = format!("/v1/users/{account}/grants");
        let asked = self.admin.post(&path, &wanted).send().await.expect(201);
        let decide = format!("/v1/grants/{}/decide", asked.str("/id"));
        let granted = self.security.post(&decide, &json!({ "granted": true }));
        granted.send().await.expect(200);
        let mut person = Person {
            name,
            password: secret_of(self, &account).await,
            client: self.server.anonymous(),
            rights: vec![(Role::Manager, None, None)],
            is_restricted: false,
            scopes: Some(scope),
        };
        person.sign_in(self).await;
        person
    }

    /// A manager who has not yet changed the password that he was given.
    async fn with_one_time_password(&self) -> Person {
        let name = "one.time";
        let mut person = self.person(name, &[(Role::Manager, None, None)]).await;
        let found = self.admin.get(&format!("/v1/users?q={name}")).await;
        let path = format!("/v1/users/{}/password", found.str("/items/0/id"));
        let reset = self.admin.request(Method::POST, &path).send().await;
        person.password = reset.expect(200).str("/one_time_password");
        let nobody = self.server.anonymous();
        person.client = nobody.sign_in(name, &person.password).await;
        person.is_restricted = true;
        person
    }

    /// How much there is of everything, and how often it has been changed.
    async fn trace(&self) -> String {
        let mut counted: Vec<String> = [
            "project",
            "account",
            "region",
            "unit",
            "programme",
            "sector",
            "chain",
            "project_list",
        ]
        .iter()
        .map(|table| format!("(SELECT COUNT(*) + 1000 * SUM(version) FROM {table})"))
        .collect();
        counted.extend(
            [
                "project_version",
                "transition",
                "approval",
                "plan_year",
                "investment_month",
                "target",
                "target WHERE superseded_at IS NOT NULL",
                "scoreboard_scheme",
                "scoreboard_closing",
                "scoreboard_closing WHERE superseded_at IS NOT NULL",
                "list_member",
                "approval_rule",
                "second_factor",
                "session WHERE ended_at IS NOT NULL",
                "account_password WHERE is_one_time",
                "account_grant",
                "account_grant WHERE state = 'requested'",
                "account_grant WHERE state = 'granted'",
                "service_secret",
                "service_secret WHERE revoked_at IS NOT NULL",
                "service_key",
                "external_identity",
            ]
            .iter()
            .map(|rows| format!("(SELECT COUNT(*) FROM {rows})")),
        );
        let concatenated = counted
            .iter()
            .map(|count| format!("CAST(COALESCE({count}, 0) AS TEXT)"))
            .collect::<Vec<_>>()
            .join(" || ' ' || ");
        let sql = format!("SELECT {concatenated} AS trace");
        let statement = Statement::from_string(self.db.get_database_backend(), sql);
        let row = self.db.query_one_raw(statement).await.unwrap().unwrap();
        row.try_get("", "trace").unwrap()
    }

    /// What must not stand in an answer to somebody.
    fn needles(&self, person: &Person) -> Vec<&str> {
        let (seen, hidden): (Vec<&Target>, Vec<&Target>) =
            self.targets.iter().partition(|target| person.reads(target));
        let mut told = BTreeSet::new();
        for target in seen {
            let mut above = target.parent;
            while let Some(name) = above {
                let parent = self.targets.iter().find(|target| target.name == name);
                told.insert(name);
                above = parent.unwrap().parent;
            }
        }
        let mut needles: Vec<&str> = Vec::new();
        for target in hidden {
            needles.extend(target.secrets.iter().map(String::as_str));
            // Of the ancestors of what one sees, id, name, code and stage are told.
            if !told.contains(target.name.as_str()) {
                needles.extend([target.name.as_str(), &target.id, &target.code]);
            }
        }
        needles
    }

    /// Sends a request, and holds its answer to telling nothing that its maker may not know and did not say.
    async fn send(&self, person: &Person, request: Request, what: &str) -> Reply {
        // The audit is for who is to know all that was done.
        let is_audit = what.contains("/v1/audit") && person.has(&[Role::AuditAdmin]);
        let needles = if is_audit {
            Vec::new()
        } else {
            self.needles(person)
        };
        let unsaid: Vec<&&str> = needles.iter().filter(|n| !request.says(n)).collect();
        let reply = request.in_turn().await;
        for needle in unsaid {
            assert!(
                !reply.text.contains(*needle),
                "{what} tells {} of {needle}: {}",
                person.name,
                reply.text
            );
        }
        reply
    }
}

/// Registers a project whose every text and amount is its own, with a permit, two plans and a place on a list.
async fn register(
    manager: &Client,
    number: usize,
    (name, region, unit): (&str, &'static str, &'static str),
    parent: Option<String>,
) -> Target {
    let code = format!("2101-{region}-04-01-{number:06}");
    let amount = format!("{}0000000.{:02}", 9000 - 7 * number, number);
    let secret = |what: &str| format!("{what}密{number}号");
    let (alias, owner, note, capacity) = (
        secret("别名"),
        secret("业主"),
        secret("备注"),
        secret("规模"),
    );
    let body = json!({
        "name": name, "region": region, "unit": unit, "code": code, "parent_id": parent,
        "sector": "交通", "programme": "petrochemical", "chain": "ethylene", "aliases": [alias],
        "owner": { "name": owner }, "note": note, "capacity": capacity,
        "total_investment": { "exact": amount },
    });
    let made = manager.register(&body).await;
    let root = format!("/v1/projects/{}", id(&made));
    let permit = json!({
        "status": "obtained", "document_number": secret("文号"), "issued_on": "2025-02-20",
        "authority": secret("机关"),
    });
    let permit = manager.put(&format!("{root}/approvals/construction_permit"), &permit);
    permit.if_none().send().await.expect(201);
    let planned = format!("{}00000.{:02}", 800 - 3 * number, number);
    for year in [2025, 2026] {
        let plan = json!({ "planned_investment": planned });
        let plan = manager.put(&format!("{root}/plan-years/{year}"), &plan);
        plan.if_none().send().await.expect(201);
    }
    let completed = format!("{}0000.{:02}", 700 - 3 * number, number);
    for month in ["2025/3", "2025/4"] {
        let figures = json!({ "completed": completed });
        let figures = manager.put(&format!("{root}/investment/{month}"), &figures);
        figures.if_none().send().await.expect(201);
    }
    manager.on_list(LIST, &id(&made), true).await.expect(204);
    let (document, authority) = (secret("文号"), secret("机关"));
    Target {
        name: name.to_owned(),
        id: id(&made),
        code,
        region,
        unit,
        parent: None,
        secrets: vec![
            alias, owner, note, capacity, amount, document, authority, planned, completed,
        ],
    }
}

/// The body of a target of a region.
fn aim(region: &str) -> Value {
    json!({
        "plan": "2026", "region": region, "metric": "new", "name": "新建", "from_year": 2026, "to_year": 2026,
        "value": "40", "unit": "project", "kind": "target",
    })
}

/// An answer but for what names the request.
fn told(reply: &Reply) -> (u16, Value) {
    let mut body = reply.body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("instance");
        members.remove("request_id");
    }
    (reply.status, body)
}

fn fresh(what: &str) -> String {
    // The end of an id is drawn at random.
    format!(
        "{what}{}",
        &taizhang::clock::new_id().simple().to_string()[20..]
    )
}

/// The body of an entry of reference data.
fn entry(kind: &str) -> Value {
    match kind {
        "regions" => json!({ "name": "新区", "kind": "zone", "parent": "211100" }),
        "units" => json!({ "name": "新单位", "region": "211100" }),
        "sectors" => json!({ "name": "新行业", "approval_profile": "general" }),
        _ => json!({ "name": "新条目" }),
    }
}

fn entry_code(kind: &str) -> String {
    match kind {
        "regions" => fresh("211100-"),
        _ => fresh("new-"),
    }
}

/// A valid request for an operation on a project (or on what it is about), or none if there is no case for it.
#[expect(clippy::too_many_lines, reason = "a table of cases")]
async fn case(
    world: &World,
    operation: &Operation,
    by: &Person,
    target: &Target,
) -> Option<Request> {
    let client = &by.client;
    let method = Method::from_bytes(operation.method.as_bytes()).unwrap();
    let bare = |path: &str| client.request(method.clone(), path);
    let tag = async |path: &str| {
        let reply = world.manager.get(path).await;
        let absent = || "\"1\"".to_owned();
        reply.header("etag").map_or_else(absent, str::to_owned)
    };
    let project = format!("/v1/projects/{}", target.id);
    let path = operation.path.replace("/v1/projects/{id}", &project);
    let user = operation.path.replace("{id}", &world.other);
    let system = operation.path.replace("{id}", &world.system);
    let reference = [
        "regions",
        "units",
        "programmes",
        "sectors",
        "chains",
        "lists",
    ];
    let kind = operation.path.trim_start_matches("/v1/").split('/').next();
    let kind = kind
        .filter(|kind| reference.contains(kind))
        .unwrap_or_default();
    Some(match (operation.method, operation.path) {
        ("POST", "/auth/login") => client.post(
            &path,
            &json!({ "username": by.name, "password": by.password }),
        ),
        ("POST", "/auth/refresh") => {
            let credentials = json!({ "username": by.name, "password": by.password });
            let pair = client
                .post("/auth/login", &credentials)
                .in_turn()
                .await
                .expect(200);
            client.post(
                &path,
                &json!({ "refresh_token": pair.str("/refresh_token") }),
            )
        }
        (
            "GET",
            "/.well-known/jwks.json"
            | "/healthz"
            | "/readyz"
            | "/metrics"
            | "/v1/me"
            | "/v1/me/sessions"
            | "/v1/projects"
            | "/v1/summary"
            | "/v1/targets/attainment"
            | "/v1/targets"
            | "/v1/scoreboard/scheme"
            | "/v1/scoreboard/periods"
            | "/v1/regions"
            | "/v1/units"
            | "/v1/programmes"
            | "/v1/sectors"
            | "/v1/chains"
            | "/v1/lists"
            | "/v1/stage-rules"
            | "/v1/users"
            | "/v1/grants"
            | "/auth/methods"
            | "/auth/provider"
            | "/auth/provider/callback"
            | "/v1/audit"
            | "/v1/audit/verify"
            | "/v1/audit/export"
            | "/v1/service-accounts"
            | "/v1/projects/{id}"
            | "/v1/projects/{id}/approvals"
            | "/v1/projects/{id}/history"
            | "/v1/projects/{id}/plan-years"
            | "/v1/projects/{id}/transitions",
        )
        | ("POST", "/auth/logout" | "/v1/me/sessions/end") => bare(&path),

        ("POST", "/v1/me/password") => client.post(
            &path,
            &json!({ "current_password": by.password, "new_password": "too short" }),
        ),
        ("POST", "/v1/me/sessions/{id}/end") => {
            let sessions = client.get("/v1/me/sessions").await;
            let session = sessions.body.pointer("/items/0/id").and_then(Value::as_str);
            bare(&path.replace("{id}", session.unwrap_or(NOBODY)))
        }
        ("POST", "/v1/me/second-factor") => client.post(&path, &json!({ "password": by.password })),
        ("POST", "/v1/me/second-factor/confirm" | "/v1/me/second-factor/remove") => {
            client.post(&path, &json!({ "code": "no code" }))
        }

        ("POST", "/v1/projects") => {
            let (region, unit) = (target.region, target.unit);
            let body =
                json!({ "name": "新登记", "region": region, "unit": unit, "sector": "交通" });
            client.post(&path, &body)
        }
        ("GET", "/v1/projects/by-code/{code}") => bare(&path.replace("{code}", &target.code)),
        ("PUT", "/v1/projects/by-code/{code}") => {
            let path = path.replace("{code}", &target.code);
            let body = json!({ "commissioned_on": "2025-10-01" });
            client.put(&path, &body).if_match(&tag(&project).await)
        }
        ("PATCH", "/v1/projects/{id}") => {
            let body = json!({ "commissioned_on": "2025-10-01" });
            client.patch(&path, &body).if_match(&tag(&project).await)
        }
        ("GET", "/v1/projects/{id}/approvals/{item}") => {
            bare(&path.replace("{item}", "construction_permit"))
        }
        ("PUT", "/v1/projects/{id}/approvals/{item}") => {
            let path = path.replace("{item}", "construction_permit");
            let body = json!({ "status": "pending" });
            client.put(&path, &body).if_match(&tag(&path).await)
        }
        ("GET", "/v1/summary/diff" | "/v1/summary/diff/projects") => {
            let from = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
            bare(&format!("{path}?from={from}"))
        }
        (
            "GET",
            "/v1/projects/{id}/plan-years/{year}"
            | "/v1/projects/{id}/investment/{year}"
            | "/v1/accounts/{year}",
        ) => bare(&path.replace("{year}", "2025")),
        ("PUT", "/v1/projects/{id}/plan-years/{year}") => {
            let path = path.replace("{year}", "2025");
            let tag = tag(&path).await;
            client
                .put(&path, &json!({ "planned_investment": "1.00" }))
                .if_match(&tag)
        }
        ("DELETE", "/v1/projects/{id}/plan-years/{year}") => {
            let path = path.replace("{year}", "2026");
            // Whoever may has taken it out.
            let _again = world.manager.put(&path, &json!({})).if_none().send().await;
            bare(&path).if_match(&tag(&path).await)
        }
        ("GET", "/v1/projects/{id}/investment/{year}/{month}") => {
            bare(&path.replace("{year}/{month}", "2025/3"))
        }
        ("PUT", "/v1/projects/{id}/investment/{year}/{month}") => {
            let path = path.replace("{year}/{month}", "2025/3");
            let tag = tag(&path).await;
            client
                .put(&path, &json!({ "completed": "1.00" }))
                .if_match(&tag)
        }
        ("DELETE", "/v1/projects/{id}/investment/{year}/{month}") => {
            let path = path.replace("{year}/{month}", "2025/4");
            // Whoever may has taken them back.
            let told = json!({ "completed": "1.00" });
            let _again = world.manager.put(&path, &told).if_none().send().await;
            bare(&path).if_match(&tag(&path).await)
        }
        ("POST", "/v1/projects/{id}/transitions") => {
            let body = json!({ "to": "attraction", "occurred_on": day(0) });
            client.post(&path, &body).if_match(&tag(&project).await)
        }
        ("PUT" | "DELETE", "/v1/lists/{code}/projects/{id}") => {
            let list = format!("/v1/lists/{LIST}");
            bare(&format!("{list}/projects/{}", target.id)).if_match(&tag(&list).await)
        }

        ("GET", "/v1/scoreboard") => bare(&format!("{path}?period=2025-03")),
        ("PUT", "/v1/scoreboard/scheme") => {
            let other = world.manager.get(&path).await.expect(200);
            let mut scheme = other.at("/scheme").clone();
            let months = scheme["landing_months"].as_i64().unwrap();
            scheme["landing_months"] = (months % 100 + 1).into();
            client.put(&path, &scheme).if_match(&other.etag())
        }
        ("GET" | "DELETE", "/v1/scoreboard/periods/{period}") => {
            let path = path.replace("{period}", "2025-02");
            // Whoever may has reopened it.
            let again = world.manager.request(Method::PUT, &path).if_none();
            let _again = again.send().await;
            match operation.method {
                "GET" => bare(&path),
                _ => bare(&format!("{path}?reason=x")).if_match(&tag(&path).await),
            }
        }
        ("PUT", "/v1/scoreboard/periods/{period}") => {
            let path = path.replace("{period}", "2025-03");
            if let Some(tag) = world.manager.get(&path).await.header("etag") {
                let reopened = world.manager.delete(&format!("{path}?reason=x"));
                reopened.if_match(tag).send().await.expect(204);
            }
            bare(&path).if_none()
        }

        ("GET", "/v1/targets/cascade") => bare(&format!("{path}?plan=2026")),
        ("GET" | "PUT" | "DELETE", "/v1/targets/{code}") => {
            let is_there = target.id != NOBODY;
            let of = if is_there { target.region } else { "nowhere" };
            let path = path.replace("{code}", &format!("of-{of}"));
            let body = aim(target.region);
            if is_there {
                // Whoever may has removed it.
                let _again = world.manager.put(&path, &body).if_none().send().await;
            }
            match operation.method {
                "GET" => bare(&path),
                "PUT" => client.put(&path, &body).if_match(&tag(&path).await),
                _ => bare(&path).if_match(&tag(&path).await),
            }
        }

        (
            "GET",
            "/v1/regions/{code}"
            | "/v1/units/{code}"
            | "/v1/programmes/{code}"
            | "/v1/sectors/{code}"
            | "/v1/chains/{code}"
            | "/v1/lists/{code}",
        ) => {
            let listed = world.admin.get(&format!("/v1/{kind}")).await.expect(200);
            bare(&path.replace("{code}", &listed.str("/items/0/code")))
        }
        (
            "PUT",
            "/v1/regions/{code}"
            | "/v1/units/{code}"
            | "/v1/programmes/{code}"
            | "/v1/sectors/{code}"
            | "/v1/chains/{code}"
            | "/v1/lists/{code}",
        ) => {
            let path = path.replace("{code}", &entry_code(kind));
            client.put(&path, &entry(kind)).if_none()
        }
        (
            "DELETE",
            "/v1/regions/{code}"
            | "/v1/units/{code}"
            | "/v1/programmes/{code}"
            | "/v1/sectors/{code}"
            | "/v1/chains/{code}"
            | "/v1/lists/{code}",
        ) => {
            let path = path.replace("{code}", &entry_code(kind));
            let made = world.admin.put(&path, &entry(kind)).if_none().send().await;
            bare(&path).if_match(&made.expect(201).etag())
        }
        ("PUT", "/v1/stage-rules/approvals") => {
            let rules = json!({ "rules": [{ "applies_to": "port", "items": ["sea_use"] }] });
            client
                .put(&path, &rules)
                .if_match(&tag("/v1/stage-rules").await)
        }

        ("POST", "/v1/users") => {
            let body = json!({ "username": fresh("u"), "display_name": "新人" });
            client.post(&path, &body)
        }
        ("GET", "/v1/users/{id}" | "/v1/users/{id}/sessions" | "/v1/users/{id}/grants")
        | (
            "POST",
            "/v1/users/{id}/password"
            | "/v1/users/{id}/unlock"
            | "/v1/users/{id}/second-factor/remove"
            | "/v1/users/{id}/sessions/end",
        ) => bare(&user),
        ("PATCH", "/v1/users/{id}") => {
            let tag = world.admin.get(&user).await.expect(200).etag();
            client
                .patch(&user, &json!({ "display_name": fresh("张") }))
                .if_match(&tag)
        }
        ("POST", "/v1/users/{id}/grants") => {
            let body = json!({ "role": "officer", "region": "211122", "unit": OTHER });
            client.post(&user, &body)
        }
        ("GET", "/v1/users/{id}/identity") | ("POST", "/v1/users/{id}/identity/remove") => {
            be_linked(world, true).await;
            bare(&user)
        }
        ("POST", "/v1/users/{id}/identity") => {
            be_linked(world, false).await;
            client.post(&user, &identity())
        }
        ("POST", "/v1/grants/{id}/decide") => {
            let body = json!({ "granted": false, "note": "不同意" });
            client.post(&path.replace("{id}", &requested(world).await), &body)
        }
        ("POST", "/v1/grants/{id}/end") => bare(&path.replace("{id}", &requested(world).await)),

        ("POST", "/oauth/token") => {
            let secret = secret_of(world, &world.system).await;
            asking_for_token(client, "oa", &secret)
        }
        ("POST", "/v1/service-accounts") => {
            let body = json!({ "client_id": fresh("s"), "fields": system_fields(&Scope::ALL) });
            client.post(&path, &body)
        }
        ("GET", "/v1/service-accounts/{id}")
        | ("POST", "/v1/service-accounts/{id}/secrets/revoke") => bare(&system),
        ("PUT", "/v1/service-accounts/{id}") => {
            let tag = world.admin.get(&system).await.expect(200).etag();
            client.put(&system, &system_fields(&[])).if_match(&tag)
        }
        ("POST", "/v1/service-accounts/{id}/secrets") => {
            client.post(&system, &json!({ "overlap_hours": 1 }))
        }
        ("PUT", "/v1/service-accounts/{id}/keys") => {
            let system = format!("/v1/service-accounts/{}", world.system);
            let tag = world.admin.get(&system).await.expect(200).etag();
            client
                .put(&format!("{system}/keys"), &json!({ "keys": [] }))
                .if_match(&tag)
        }
        _ => return None,
    })
}

/// A request for a token as a system.
fn asking_for_token(client: &Client, name: &str, secret: &str) -> Request {
    let basic = BASE64_STANDARD.encode(format!("{name}:{secret}"));
    client
        .request(Method::POST, "/oauth/token")
        .header("authorization", &format!("Basic {basic}"))
        .raw(
            "application/x-www-form-urlencoded",
            "grant_type=client_credentials",
        )
}

fn system_fields(scopes: &[Scope]) -> Value {
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.code()).collect();
    let end = chrono::Utc::now() + chrono::TimeDelta::days(30);
    json!({ "display_name": "OA", "scopes": scopes, "expires_at": end.to_rfc3339() })
}

async fn make_system(security: &Client, name: &str, scopes: &[Scope]) -> String {
    let body = json!({ "client_id": name, "fields": system_fields(scopes) });
    let made = security.post("/v1/service-accounts", &body).send().await;
    made.expect(201).str("/id")
}

/// A new secret of a system.
async fn secret_of(world: &World, system: &str) -> String {
    let path = format!("/v1/service-accounts/{system}/secrets");
    let made = world.security.post(&path, &json!({ "overlap_hours": 0 }));
    made.send().await.expect(201).str("/client_secret")
}

/// Somebody at the identity provider.
fn identity() -> Value {
    json!({ "issuer": "https://id.example.gov.cn", "subject": "a-subject" })
}

/// Sees to it that the other account is linked to him, or is not.
async fn be_linked(world: &World, linked: bool) {
    let path = format!("/v1/users/{}/identity", world.other);
    let is_linked = world.admin.get(&path).await.status == 200;
    if linked && !is_linked {
        let link = world.admin.post(&path, &identity());
        link.send().await.expect(201);
    } else if is_linked && !linked {
        let remove = world.admin.request(Method::POST, &format!("{path}/remove"));
        remove.send().await.expect(204);
    }
}

/// A right that waits for a decision.
async fn requested(world: &World) -> String {
    let path = format!("/v1/users/{}/grants", world.other);
    let waiting = world.admin.get(&format!("{path}?state=requested")).await;
    if let Some(id) = waiting.body.pointer("/items/0/id").and_then(Value::as_str) {
        return id.to_owned();
    }
    let wanted = json!({ "role": "officer", "region": "211102", "unit": OWN });
    let asked = world.admin.post(&path, &wanted).send().await;
    asked.expect(201).str("/id")
}

/// What somebody has to be answered.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    /// Anything but that he may not, or that it is not there.
    LetIn,
    /// 403 with this code, and nothing is changed.
    Refused(&'static str),
    /// 403, whichever: he sees it and may not change it.
    NotHere,
    /// What he is answered of a project that is not there.
    Absent,
}

/// Whether an operation is about a project that is there, or about where one would be.
fn is_about_a_project(operation: &Operation) -> bool {
    operation.path.starts_with("/v1/projects/")
        || operation.path == "/v1/lists/{code}/projects/{id}"
}

/// Whether an operation is about a target, which has a region and no unit.
fn is_about_an_aim(operation: &Operation) -> bool {
    operation.path == "/v1/targets/{code}"
}

/// Whether an operation is about the whole library: the ranking of its parts, and what that goes by.
fn is_about_all(operation: &Operation) -> bool {
    let is_scoreboard = operation.path.starts_with("/v1/scoreboard");
    is_scoreboard && (operation.method != "GET" || operation.path == "/v1/scoreboard")
}

fn depends_on_the_place(operation: &Operation) -> bool {
    is_about_a_project(operation)
        || is_about_an_aim(operation)
        || (operation.method, operation.path) == ("POST", "/v1/projects")
}

fn expected(operation: &Operation, person: &Person, target: &Target) -> Expected {
    let is_in_scope = |scope: Scope| operation.scopes.contains(&scope);
    if person.scopes.is_some_and(|scope| !is_in_scope(scope)) {
        return Expected::Refused("scope_missing");
    }
    let Door::Roles(roles) = operation.door else {
        return Expected::LetIn;
    };
    if person.is_restricted {
        return Expected::Refused("password_change_required");
    }
    if !person.has(roles) {
        return Expected::Refused("forbidden");
    }
    let unit = (!is_about_an_aim(operation)).then_some(target.unit);
    let must_be_there = is_about_a_project(operation) || is_about_an_aim(operation);
    if must_be_there && !person.has_for(&READERS, target.region, unit) {
        return Expected::Absent;
    }
    if is_about_all(operation) && !person.has_for(roles, "211100", None) {
        return Expected::NotHere;
    }
    if depends_on_the_place(operation) && !person.has_for(roles, target.region, unit) {
        return Expected::NotHere;
    }
    Expected::LetIn
}

/// Tries one cell of the matrix.
async fn try_cell(world: &World, operation: &Operation, person: &Person, target: &Target) {
    let name = format!(
        "{} {} by {} on {}",
        operation.method, operation.path, person.name, target.name
    );
    let Some(request) = case(world, operation, person, target).await else {
        panic!("no case for {} {}", operation.method, operation.path);
    };
    let expected = expected(operation, person, target);
    let before = match expected {
        Expected::LetIn => String::new(),
        Expected::Refused(_) | Expected::NotHere | Expected::Absent => world.trace().await,
    };
    let reply = world.send(person, request, &name).await;
    match expected {
        Expected::LetIn => {
            // There is no identity provider here; where there is one, `provider.rs` signs in at it.
            let is_elsewhere = operation.path.starts_with("/auth/provider");
            let is_let_in = ![401, 403, 404].contains(&reply.status) && reply.status < 500;
            let is_let_in = is_let_in || (is_elsewhere && reply.status == 404);
            assert!(is_let_in, "{name}: {} {}", reply.status, reply.text);
            return;
        }
        Expected::Refused(code) => {
            assert_eq!(reply.status, 403, "{name}: {}", reply.text);
            assert_eq!(reply.code(), code, "{name}");
        }
        Expected::NotHere => assert_eq!(reply.status, 403, "{name}: {}", reply.text),
        Expected::Absent => {
            // Nothing answers to the version of what is not there either.
            assert!([404, 412].contains(&reply.status), "{name}: {}", reply.text);
            let absent = case(world, operation, person, &Target::absent()).await;
            let absent = absent.unwrap().send().await;
            assert_eq!(told(&reply), told(&absent), "{name}");
        }
    }
    assert_eq!(
        world.trace().await,
        before,
        "{name}: a refusal changes nothing"
    );
}

/// The operations that the contract names.
fn of_the_contract() -> BTreeSet<(String, String)> {
    let paths = CONTRACT["paths"].as_object().unwrap();
    let named = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        let methods = methods.map(|method| method.to_ascii_uppercase());
        let methods =
            methods.filter(|m| ["GET", "PUT", "POST", "PATCH", "DELETE"].contains(&m.as_str()));
        methods.map(|method| (method, path.clone()))
    });
    named.collect()
}

#[tokio::test]
async fn every_operation_lets_in_who_may_and_nobody_else() {
    let world = World::new().await;
    let mut tried = BTreeMap::new();
    let mut cells = 0;
    let nobody = Person {
        name: "leader".to_owned(),
        password: PASSWORD.to_owned(),
        client: world.server.anonymous(),
        rights: Vec::new(),
        is_restricted: false,
        scopes: None,
    };
    let mut people = world.everybody().await;
    for operation in OPERATIONS {
        let name = (operation.method.to_owned(), operation.path.to_owned());
        let before = cells;
        if operation.door != Door::Open {
            let (anonymous, named) = (&nobody, format!("{name:?}"));
            let request = case(&world, operation, anonymous, &world.targets[0]).await;
            let request = request.unwrap_or_else(|| panic!("no case for {named}"));
            let trace = world.trace().await;
            let reply = world.send(anonymous, request, &named).await;
            assert_eq!(reply.status, 401, "{named}: {}", reply.text);
            assert_eq!(world.trace().await, trace, "{named}");
            cells += 1;
        }
        let places = if depends_on_the_place(operation) {
            world.targets.len()
        } else {
            1
        };
        // A system has no password to sign in with.
        let may_try =
            |person: &&mut Person| operation.door != Door::Open || person.scopes.is_none();
        for person in people.iter_mut().filter(may_try) {
            let is_own = operation.door == Door::Oneself && person.scopes.is_none();
            for target in &world.targets[..places] {
                try_cell(&world, operation, person, target).await;
                cells += 1;
                if is_own {
                    // Some of them end sign-ins.
                    person.sign_in(&world).await;
                }
            }
        }
        tried.insert(name, cells - before);
    }
    let tried_operations: BTreeSet<(String, String)> = tried.keys().cloned().collect();
    assert_eq!(tried_operations, of_the_contract());
    let least = people.iter().filter(|p| p.scopes.is_none()).count();
    assert!(tried.values().all(|cells| *cells >= least), "{tried:?}");
    eprintln!(
        "{} operations, {} people, {cells} cells",
        tried.len(),
        people.len()
    );
}

/// What an answer lists.
fn ids(items: &[Value]) -> Vec<String> {
    let ids = items.iter().map(|item| item["id"].as_str().unwrap());
    ids.map(str::to_owned).collect()
}

/// Every filter with every value that a project of the world would be found by, alone and with each order.
fn questions(world: &World) -> Vec<String> {
    let mut asked: BTreeSet<String> = [
        "with_total=true",
        "programme=petrochemical",
        "programme=null",
        "chain=ethylene",
        "chain=null",
        "sector=%E4%BA%A4%E9%80%9A",
        "list=gas-storage",
        "list=null",
        "parent=null",
        "unit=null",
        "stage=planning",
        "condition=active",
        "tier=from_10b",
        "started_year=null",
        "completed_year=null",
        "updated_since=2020-01-01T00:00:00Z",
        "region=211100",
        "region=211103&region=211104",
        "counting=portfolio",
        "counting=portfolio&level=part",
        "counting=list:gas-storage",
        "counting=list:gas-storage&level=part",
    ]
    .map(str::to_owned)
    .into();
    asked.insert(format!("as_of={}", day(0)));
    for target in &world.targets {
        let Target {
            id, region, unit, ..
        } = target;
        asked.extend([
            format!("parent={id}"),
            format!("region={region}"),
            format!("region_exact={region}"),
            format!("unit={unit}"),
            format!("region={region}&unit={unit}"),
            format!("q={}", target.name),
            format!("q={}", target.code),
        ]);
        for secret in &target.secrets {
            asked.insert(format!("q={secret}"));
            if secret.ends_with(|c: char| c.is_ascii_digit()) && secret.contains('.') {
                asked.insert(format!("min_investment={secret}&max_investment={secret}"));
            }
        }
    }
    asked.into_iter().collect()
}

const SORTS: [&str; 8] = [
    "updated_at",
    "-updated_at",
    "created_at",
    "-created_at",
    "name",
    "-name",
    "total_investment",
    "-total_investment",
];

/// Where a project stands, for who may read it.
fn may_read(person: &Person, project: &Value) -> bool {
    let region = project["region"].as_str().unwrap();
    person.has_for(&READERS, region, project["unit"].as_str())
}

#[tokio::test]
async fn whatever_is_asked_the_answer_is_what_all_would_see_less_what_is_out_of_scope() {
    let world = World::new().await;
    let people = world.askers().await;
    let mut asked = questions(&world);
    for sort in SORTS {
        asked.push(format!("sort={sort}"));
    }
    let mut answers = 0;
    for question in &asked {
        let path = format!("/v1/projects?limit=200&{question}");
        let all = world.manager.all(&format!("/v1/projects?{question}")).await;
        for person in &people {
            let what = format!("{question} by {}", person.name);
            let visible: Vec<Value> = all
                .iter()
                .filter(|p| may_read(person, p))
                .cloned()
                .collect();
            let request = person.client.request(Method::GET, &path);
            let first = world.send(person, request, &what).await.expect(200);
            if let Some(total) = first.body.get("total").and_then(Value::as_u64) {
                assert_eq!(total, u64::try_from(visible.len()).unwrap(), "{what}");
            }
            let mine = if first.at("/next_cursor").is_null() {
                first.at("/items").as_array().unwrap().clone()
            } else {
                person.client.all(&format!("/v1/projects?{question}")).await
            };
            assert_eq!(ids(&mine), ids(&visible), "{what}");
            answers += 1;
        }
    }
    assert_eq!(answers, asked.len() * people.len());
}

#[tokio::test]
async fn a_cursor_of_who_sees_all_leads_to_nothing_out_of_scope() {
    let world = World::new().await;
    let people = world.askers().await;
    for sort in SORTS {
        let page = format!("/v1/projects?sort={sort}&limit=40");
        let mut next = page.clone();
        loop {
            let theirs = world.manager.get(&next).await.expect(200);
            let Some(cursor) = theirs.at("/next_cursor").as_str() else {
                break;
            };
            next = format!("{page}&cursor={cursor}");
            for person in &people {
                let what = format!("{next} by {}", person.name);
                let request = person.client.request(Method::GET, &next);
                let mine = world.send(person, request, &what).await.expect(200);
                for project in mine.at("/items").as_array().unwrap() {
                    assert!(may_read(person, project), "{what}: {project}");
                }
            }
        }
    }
    // Nor does a cursor of one project's history open another's.
    let reader = world
        .person("history", &[(Role::Leader, Some(DAWA), Some(OWN))])
        .await;
    for target in &world.targets {
        let history = format!("/v1/projects/{}/history?limit=1", target.id);
        let theirs = world.manager.get(&history).await.expect(200);
        let cursor = theirs.str("/next_cursor");
        for other in &world.targets {
            let path = format!("/v1/projects/{}/history?cursor={cursor}", other.id);
            let request = reader.client.request(Method::GET, &path);
            let reply = world.send(&reader, request, &path).await;
            let expected = match (reader.reads(other), other.id == target.id) {
                (false, _) => 404,
                (true, true) => 200,
                (true, false) => 422,
            };
            assert_eq!(reply.status, expected, "{path}: {}", reply.text);
        }
    }
}

/// What a summary says of some projects, and what they are.
async fn follow(person: &Person, told: &Value, what: &str) {
    let link = told["projects"].as_str().unwrap();
    let listed = person.client.all(link).await;
    assert_eq!(told_count(told), listed.len(), "{what}: {link}");
    if link.contains("level=part") {
        return;
    }
    let exact = |project: &Value| project["total_investment"]["exact"].as_str().map(fen);
    let sum: i128 = listed.iter().filter_map(exact).sum();
    let total = told.get("total").unwrap_or(told);
    assert_eq!(
        fen(total["exact"]["sum"].as_str().unwrap()),
        sum,
        "{what}: {link}"
    );
}

fn told_count(told: &Value) -> usize {
    let total = told.get("total").unwrap_or(told);
    usize::try_from(total["count"].as_u64().unwrap()).unwrap()
}

#[tokio::test]
async fn a_summary_counts_what_its_reader_may_list_and_nothing_else() {
    let world = World::new().await;
    let people = world.askers().await;
    let filters = questions(&world).into_iter().filter(|q| {
        let is_of_the_list = ["counting", "with_total", "as_of"]
            .iter()
            .any(|n| q.starts_with(n));
        !is_of_the_list
    });
    let mut asked: Vec<String> = filters.collect();
    asked.extend(["level=part".to_owned(), format!("as_of={}", day(0))]);
    for question in &asked {
        let path = format!("/v1/summary?{question}");
        for person in &people {
            let what = format!("{question} by {}", person.name);
            let request = person.client.request(Method::GET, &path);
            let summary = world.send(person, request, &what).await.expect(200);
            follow(person, &summary.body, &what).await;
        }
    }
    for grouping in [
        "region",
        "unit",
        "list",
        "tier,stage",
        "region,unit",
        "programme,sector",
        "chain",
        "started_year,completed_year",
    ] {
        let path = format!("/v1/summary?group_by={grouping}");
        for person in &people {
            let what = format!("{grouping} by {}", person.name);
            let request = person.client.request(Method::GET, &path);
            let summary = world.send(person, request, &what).await.expect(200);
            let cells = summary.at("/cells").as_array().unwrap();
            let counted: usize = cells.iter().map(told_count).sum();
            if summary.at("/additive") == true {
                assert_eq!(counted, told_count(&summary.body), "{what}");
            }
            for cell in cells {
                assert_ne!(told_count(cell), 0, "{what}: {cell}");
                follow(person, cell, &what).await;
            }
        }
    }
}

#[tokio::test]
async fn an_id_in_a_body_tells_no_more_than_one_that_is_not_there() {
    let world = World::new().await;
    let rights = [(Role::Manager, Some(DAWA), Some(OWN))];
    let person = world.person("asks", &rights).await;
    let (seen, hidden): (Vec<&Target>, Vec<&Target>) = world
        .targets
        .iter()
        .partition(|target| person.reads(target));
    let mine = seen[0];
    let root = format!("/v1/projects/{}", mine.id);
    let by_code = format!("/v1/projects/by-code/{}", mine.code);
    let free = "/v1/projects/by-code/2101-211104-04-01-888888";
    let whole = json!({ "name": "试探", "region": DAWA, "unit": OWN, "sector": "交通" });
    let tag = person.client.get(&root).await.expect(200).etag();
    let trace = world.trace().await;
    for target in hidden {
        let requests = |parent: &str| {
            let joining = json!({ "parent_id": parent });
            let made = with(whole.clone(), &joining);
            let client = &person.client;
            [
                client.post("/v1/projects", &made),
                client.put(free, &made).if_none(),
                client.patch(&root, &joining).if_match(&tag),
                client.put(&by_code, &joining).if_match(&tag),
            ]
        };
        for (theirs, nobodys) in requests(&target.id).into_iter().zip(requests(NOBODY)) {
            let what = format!("{} as a parent", target.name);
            let reply = world.send(&person, theirs, &what).await;
            assert_eq!(reply.status, 422, "{what}: {}", reply.text);
            assert_eq!(told(&reply), told(&nobodys.send().await), "{what}");
        }
        // A code is the nation's: that it is taken has to be told, and no more is.
        let taken = json!({ "code": target.code });
        for request in [
            person
                .client
                .post("/v1/projects", &with(whole.clone(), &taken)),
            person.client.patch(&root, &taken).if_match(&tag),
        ] {
            let what = format!("the code of {}", target.name);
            let reply = world.send(&person, request, &what).await;
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (409, "code_taken"),
                "{what}"
            );
        }
    }
    assert_eq!(world.trace().await, trace);
}

#[tokio::test]
async fn the_key_of_somebody_else_s_request_brings_no_answer_of_his() {
    let world = World::new().await;
    let officer = world
        .person("asks", &[(Role::Officer, Some(DAWA), None)])
        .await;
    let body =
        json!({ "name": "界外重复", "region": XINGLONGTAI, "unit": OTHER, "sector": "交通" });
    let request = |client: &Client| {
        let request = client.post("/v1/projects", &body);
        request.header("idempotency-key", "the-same")
    };
    let theirs = request(&world.manager).send().await.expect(201);
    let mine = request(&officer.client).send().await.expect(403);
    assert!(!mine.text.contains(&id(&theirs)));
}
