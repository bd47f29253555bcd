//! The projects on both sides of a border, and the people who try.

use std::collections::BTreeSet;

use reqwest::Method;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::{Value, json};
use taizhang::auth::{Role, Scope};
use taizhang::store::account::grant::Wanted;

use super::cases::{asking_for_token, make_system, secret_of};
use crate::support::library::{NOBODY, add_account_with, day, id};
use crate::support::{Client, PASSWORD, Reply, Request, Server};

pub(super) const DAWA: &str = "211104";
pub(super) const XINGLONGTAI: &str = "211103";
pub(super) const OWN: &str = "dawa-drb";
pub(super) const OTHER: &str = "xinglongtai-drb";
pub(super) const LIST: &str = "gas-storage";
/// A code that no project has.
const NO_CODE: &str = "2101-211103-04-01-999999";

/// A project that is tried, or the one that is not there.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) code: String,
    pub(super) region: &'static str,
    pub(super) unit: &'static str,
    pub(super) parent: Option<&'static str>,
    /// What only who may read it may know.
    pub(super) secrets: Vec<String>,
}

impl Target {
    pub(super) fn absent() -> Self {
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
pub(super) const READERS: [Role; 3] = [Role::Officer, Role::Manager, Role::Leader];

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
pub(super) struct Person {
    pub(super) name: String,
    pub(super) password: String,
    pub(super) client: Client,
    pub(super) rights: Vec<Right>,
    /// Whether he has to set a password first.
    pub(super) is_restricted: bool,
    /// What another office's system is limited to.
    pub(super) scopes: Option<Scope>,
}

impl Person {
    /// Signs in anew.
    pub(super) async fn sign_in(&mut self, world: &World) {
        let nobody = world.server.anonymous();
        self.client = if self.scopes.is_some() {
            let token = asking_for_token(&nobody, &self.name, &self.password);
            nobody.with_token(&token.send().await.expect(200).str("/access_token"))
        } else {
            nobody.sign_in(&self.name, &self.password).await
        };
    }

    pub(super) fn has(&self, roles: &[Role]) -> bool {
        self.rights.iter().any(|(role, ..)| roles.contains(role))
    }

    pub(super) fn has_for(&self, roles: &[Role], region: &str, unit: Option<&str>) -> bool {
        self.rights
            .iter()
            .any(|right| roles.contains(&right.0) && holds(*right, region, unit))
    }

    pub(super) fn reads(&self, target: &Target) -> bool {
        self.has_for(&READERS, target.region, Some(target.unit))
    }
}

/// A server with projects on both sides of a border.
pub(super) struct World {
    pub(super) server: Server,
    /// He sees and changes all of them.
    pub(super) manager: Client,
    pub(super) admin: Client,
    pub(super) security: Client,
    pub(super) targets: Vec<Target>,
    /// Somebody whom administrators work on.
    pub(super) other: String,
    /// A system that they work on.
    pub(super) system: String,
    db: DatabaseConnection,
}

impl World {
    pub(super) async fn new() -> Self {
        let server = Server::configured(|config| {
            config.webhook_allowed_networks = vec!["127.0.0.0/8".parse().unwrap()];
        })
        .await;
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

    /// Signs those anew who work on the others.
    pub(super) async fn sign_in(&mut self) {
        self.manager = self.server.sign_in("manager").await;
        self.admin = self.server.sign_in("admin").await;
        self.security = self.server.sign_in("secadmin").await;
    }

    /// Somebody with these rights, made at the terminal.
    pub(super) async fn person(&self, name: &str, rights: &[Right]) -> Person {
        let wanted = rights.iter().map(|(role, region, unit)| {
            let mut wanted = Wanted::everywhere(*role).within(*region);
            wanted.unit = unit.map(str::to_owned);
            wanted
        });
        add_account_with(&self.server, name, wanted.collect()).await;
        self.known(name, rights).await
    }

    /// Somebody who is there already.
    pub(super) async fn known(&self, name: &str, rights: &[Right]) -> Person {
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
    pub(super) async fn askers(&self) -> Vec<Person> {
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
    pub(super) async fn everybody(&self) -> Vec<Person> {
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
    pub(super) async fn system(&self, scope: Scope) -> Person {
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
    pub(super) async fn trace(&self) -> String {
        let mut counted: Vec<String> = [
            "project",
            "account",
            "region",
            "unit",
            "programme",
            "sector",
            "chain",
            "project_list",
            "webhook",
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
    pub(super) async fn send(&self, person: &Person, request: Request, what: &str) -> Reply {
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
pub(super) fn aim(region: &str) -> Value {
    json!({
        "plan": "2026", "region": region, "metric": "new", "name": "新建", "from_year": 2026, "to_year": 2026,
        "value": "40", "unit": "project", "kind": "target",
    })
}
