//! Every operation × every role × inside and outside a region × own and other unit: who may, may, and nobody learns
//! anything of a project that is out of his scope, however he asks.

mod cases;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use taizhang::auth::access::{Door, OPERATIONS, Operation};
use taizhang::auth::{Role, Scope};

use cases::case;
use world::{DAWA, OTHER, OWN, Person, READERS, Target, World, XINGLONGTAI};

use crate::support::contract::CONTRACT;
use crate::support::library::{NOBODY, day, fen, id, with};
use crate::support::{Client, PASSWORD, Reply};

/// An answer but for what names the request.
fn told(reply: &Reply) -> (u16, Value) {
    let mut body = reply.body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("instance");
        members.remove("request_id");
    }
    (reply.status, body)
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
        || operation.path.starts_with("/v1/external-refs/")
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
    let mut world = World::new().await;
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
    let mut signed_in = Instant::now();
    for operation in OPERATIONS {
        // A token is good for ten minutes, and where the machine has other work all of this takes longer.
        if signed_in.elapsed() > Duration::from_mins(4) {
            world.sign_in().await;
            for person in &mut people {
                person.sign_in(&world).await;
            }
            signed_in = Instant::now();
        }
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
