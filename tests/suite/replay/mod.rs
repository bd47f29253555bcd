//! Random histories, replayed from their events: every number that the service tells, of now and of any instant before,
//! is what counting one by one gives.
//!
//! A history is made from its number alone; a failure names it. `REPLAYED_HISTORIES` sets how many there are,
//! `FIRST_HISTORY` from which number on, and then it is told how far they are; `HISTORY` picks one.

mod told;

use std::collections::{BTreeMap, BTreeSet};

use domain::family::Level;
use domain::region::RegionKind;
use domain::stage::{Condition, Move, Stage, exits};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde_json::{Value, json};
use taizhang::catalogue::{Catalogue, ProjectRow};
use taizhang::store::reference::region::Region;
use taizhang::store::{catalogue, rollup};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::support::chance::Chance;
use crate::support::library::{author, day, fen, fields, in_store, with};
use crate::support::{Client, Reply, Server};
use told::{Asked, Became, Library, Numbers, Told};

/// How many histories, unless told otherwise.
const HISTORIES: u64 = 200;
/// How many of them share a library.
const HISTORIES_OF_A_LIBRARY: usize = 20;
/// How many libraries there are at a time.
const LIBRARIES: usize = 2;
/// How many calls a history has.
const CALLS: usize = 22;
/// How many instants of each are asked about.
const INSTANTS: usize = 3;
/// How far back the first day of a history lies, in days.
const LONG_AGO: u64 = 2400;
/// Within how many months what was signed has to land.
const LANDING_MONTHS: u32 = 6;

const LISTS: [&str; 2] = ["gas-storage", "panjin-port"];
const AMOUNTS: [&str; 5] = [
    "5000000.00",
    "99999999.99",
    "100000000.00",
    "1000000000.01",
    "10000000000.00",
];
const COUNTING: [&str; 5] = ["whole", "whole", "whole", "parts", "separate"];
const YEARS: [i32; 5] = [2021, 2023, 2024, 2025, 2026];

/// One history in a library of many: a county of its own, with zones.
struct History<'a> {
    client: &'a Client,
    admin: &'a Client,
    chance: Chance,
    number: u64,
    projects: Vec<Uuid>,
    /// The latest day of each, in days before today.
    ago: BTreeMap<Uuid, u64>,
    made: u64,
    done: BTreeMap<&'static str, usize>,
}

impl History<'_> {
    fn region(&self, part: u64) -> String {
        format!("{:06}", 300_000 + self.number % 60_000 * 10 + part)
    }

    fn any_region(&mut self) -> String {
        let part = self.chance.next() % 4;
        self.region(part)
    }

    fn any(&mut self) -> Uuid {
        *self.chance.of(&self.projects)
    }

    fn days(&mut self, most: u64) -> u64 {
        self.chance.next() % (most + 1)
    }

    /// A day between the project's latest and today.
    fn next_day(&mut self, id: Uuid) -> (u64, String) {
        let latest = self.ago.get(&id).copied().unwrap_or(LONG_AGO);
        let ago = latest - self.days(latest.min(500));
        (ago, before_today(ago))
    }

    /// Existing projects, as they are found at every stage, with and without their dates.
    async fn take_over(&mut self, server: &Server) {
        let mut data = Catalogue::default();
        for part in 0..4 {
            let region = Region {
                name: format!("第 {} 地区", self.region(part)),
                kind: if part == 0 {
                    RegionKind::County
                } else {
                    RegionKind::Zone
                }
                .code()
                .to_owned(),
                parent: Some(if part == 0 {
                    "211100".to_owned()
                } else {
                    self.region(0)
                }),
                valid_from: None,
                valid_to: None,
                aliases: Vec::new(),
                opening_closed_on: None,
            };
            data.regions.push((self.region(part), region));
        }
        let mut refs = Vec::new();
        for (line, stage) in ["planning", "construction", "construction", "completion"]
            .iter()
            .enumerate()
        {
            let external_ref = format!("history-{}-{line}", self.number);
            let (started, completed) = (900 + self.days(900), self.days(900));
            let is_told = |chance: &mut Chance, ago: u64| {
                if chance.one_in(2) {
                    before_today(ago)
                } else {
                    String::new()
                }
            };
            let is_started = matches!(*stage, "construction" | "completion");
            let row = ProjectRow {
                external_ref: external_ref.clone(),
                name: format!("期初 {line}"),
                region: self.any_region(),
                unit: "panjin-drc".to_owned(),
                sector: "交通".to_owned(),
                family_counting: "whole".to_owned(),
                stage: (*stage).to_owned(),
                started_on: if is_started {
                    is_told(&mut self.chance, started)
                } else {
                    String::new()
                },
                completed_on: if *stage == "completion" {
                    is_told(&mut self.chance, completed)
                } else {
                    String::new()
                },
                investment_exact: (*self.chance.of(&AMOUNTS)).to_owned(),
                basis_inferred: "false".to_owned(),
                ..ProjectRow::default()
            };
            refs.push(external_ref);
            data.projects.push((u64::try_from(line).unwrap() + 2, row));
        }
        in_store(server, async move |db| {
            let load = async move |tx: &_| catalogue::load(tx, &data).await;
            db.write(author(), load).await.unwrap();
        })
        .await;
        let mine = format!("/v1/projects?region={}", self.region(0));
        for project in self.client.all(&mine).await {
            let id: Uuid = project["id"].as_str().unwrap().parse().unwrap();
            self.projects.push(id);
            self.ago.insert(id, 900);
        }
        assert_eq!(self.projects.len(), refs.len());
    }

    async fn call(&mut self) {
        let (what, reply) = match self.chance.next() % 14 {
            0..=2 => ("made", self.make().await),
            3..=5 => ("amended", self.amend().await),
            6 => ("listed", self.list().await),
            7 => ("planned", self.plan().await),
            9 => ("invested", self.invest().await),
            8 if self.chance.one_in(3) => ("regions changed", self.rearrange().await),
            _ => ("moved", self.step().await),
        };
        let expected = [200, 201, 204, 403, 409, 412, 422];
        assert!(expected.contains(&reply.status), "{what}: {}", reply.text);
        if reply.status < 300 {
            *self.done.entry(what).or_default() += 1;
        }
    }

    fn investment(&mut self) -> Value {
        let amount = *self.chance.of(&AMOUNTS);
        match self.chance.next() % 5 {
            0 => Value::Null,
            1 => json!({ "floor": amount }),
            _ => json!({ "exact": amount }),
        }
    }

    async fn make(&mut self) -> Reply {
        self.made += 1;
        let signed = LONG_AGO + self.days(300);
        let region = self.any_region();
        let code = format!(
            "2101-211100-04-{:02}-{:06}",
            self.made % 100,
            self.number % 1_000_000
        );
        let counting: &str = COUNTING[usize::try_from(self.chance.next() % 5).unwrap()];
        let mut body = with(
            fields(&format!("历史 {} 之 {}", self.number, self.made), &region),
            &json!({
                "family_counting": counting, "owner": { "name": "某公司" }, "kind": "enterprise_filed",
                "code": code, "signed_on": before_today(signed),
                "signed_document": { "issued_on": before_today(signed), "document_number": "1" },
            }),
        );
        if counting != "parts" {
            body["total_investment"] = self.investment();
        }
        if self.chance.one_in(3) {
            body["parent_id"] = json!(self.any());
        }
        if self.chance.one_in(2) {
            body["planned_on"] = before_today(LONG_AGO).into();
        }
        let reply = self.client.post("/v1/projects", &body).send().await;
        if reply.status == 201 {
            self.projects.push(reply.str("/id").parse().unwrap());
        }
        reply
    }

    async fn amend(&mut self) -> Reply {
        let id = self.any();
        let ago = self.days(LONG_AGO);
        let body = match self.chance.next() % 8 {
            0 => json!({ "total_investment": self.investment() }),
            1 => {
                json!({ "family_counting": COUNTING[usize::try_from(self.chance.next() % 5).unwrap()] })
            }
            2 => json!({ "parent_id": self.any() }),
            3 => json!({ "parent_id": null }),
            4 => json!({ "landed_on": before_today(ago) }),
            5 => json!({ "planned_start_on": before_today(ago) }),
            6 => json!({ "commissioned_on": before_today(ago / 4) }),
            _ => json!({ "region": self.any_region() }),
        };
        self.client.amend(&id.to_string(), &body).await
    }

    async fn list(&mut self) -> Reply {
        let (list, id) = (*self.chance.of(&LISTS), self.any().to_string());
        let member = !self.chance.one_in(3);
        self.client.on_list(list, &id, member).await
    }

    async fn plan(&mut self) -> Reply {
        let (id, year) = (self.any(), *self.chance.of(&YEARS));
        let path = format!("/v1/projects/{id}/plan-years/{year}");
        let body = json!({ "planned_investment": *self.chance.of(&AMOUNTS) });
        let put = self.client.put(&path, &body).if_none().send().await;
        if put.status != 412 {
            return put;
        }
        let tag = self.client.get(&path).await.expect(200).etag();
        if self.chance.one_in(2) {
            return self.client.delete(&path).if_match(&tag).send().await;
        }
        self.client.put(&path, &body).if_match(&tag).send().await
    }

    async fn invest(&mut self) -> Reply {
        let (id, year) = (self.any(), *self.chance.of(&YEARS));
        let path = format!("/v1/projects/{id}/investment/{year}/{}", 1 + self.days(2));
        let amount = *self.chance.of(&AMOUNTS);
        let body = if self.chance.one_in(3) {
            json!({ "funds_received": amount })
        } else {
            json!({ "completed": amount, "funds_received": "0.00" })
        };
        let put = self.client.put(&path, &body).if_none().send().await;
        if put.status != 412 {
            return put;
        }
        let tag = self.client.get(&path).await.expect(200).etag();
        if self.chance.one_in(2) {
            return self.client.delete(&path).if_match(&tag).send().await;
        }
        self.client.put(&path, &body).if_match(&tag).send().await
    }

    /// One district now lies within another, or within the city again.
    async fn rearrange(&mut self) -> Reply {
        let path = format!("/v1/regions/{}", self.region(3));
        let stood = self.admin.get(&path).await.expect(200);
        let within = u64::from(stood.str("/parent") == self.region(0));
        let mut body = stood.body.clone();
        body["parent"] = self.region(within).into();
        for name in ["code", "version"] {
            body.as_object_mut().unwrap().remove(name);
        }
        self.admin
            .put(&path, &body)
            .if_match(&stood.etag())
            .send()
            .await
    }

    async fn step(&mut self) -> Reply {
        let id = self.any();
        let path = format!("/v1/projects/{id}");
        let stood = self.client.get(&path).await.expect(200);
        let stage = Stage::from_code(&stood.str("/stage")).unwrap();
        let condition = Condition::from_code(&stood.str("/condition")).unwrap();
        let allowed = exits(stage, condition);
        let to = if self.chance.one_in(6) || allowed.is_empty() {
            Move::Corrected
        } else if self.chance.one_in(2) {
            allowed[0]
        } else {
            *self.chance.of(allowed)
        };
        let mut body = json!({ "to": to.code(), "note": "试验" });
        let (ago, on) = self.next_day(id);
        if to != Move::Corrected {
            body["occurred_on"] = on.clone().into();
        }
        let evidence = json!({ "issued_on": on, "document_number": "1" });
        if to == Move::Construction {
            let year = &on[..4];
            let plan = format!("{path}/plan-years/{year}");
            let planned = self.client.put(&plan, &json!({})).if_none().send().await;
            assert!(
                [201, 412, 422].contains(&planned.status),
                "{}",
                planned.text
            );
            body["start_evidence"] = evidence;
        } else if to == Move::Completion {
            body["acceptance"] = evidence;
        }
        let reply = self.client.step(&id.to_string(), &body).await;
        if reply.status == 201 && to != Move::Corrected {
            self.ago.insert(id, ago);
        }
        reply
    }
}

fn before_today(ago: u64) -> String {
    day(-i64::try_from(ago).unwrap())
}

fn told(measures: &Value) -> Numbers {
    let count = |pointer: &str| measures.pointer(pointer).unwrap().as_u64().unwrap();
    let sum = |pointer: &str| fen(measures.pointer(pointer).unwrap().as_str().unwrap());
    (
        count("/count"),
        count("/exact/count"),
        sum("/exact/sum"),
        count("/floor/count"),
        sum("/floor/sum"),
        count("/undetermined"),
        [
            "annual_plan",
            "completed_in_year",
            "completed_total",
            "funds_received",
        ]
        .map(|name| measures[name].as_str().map_or(0, fen)),
    )
}

/// Holds what the service tells against the library as it was.
async fn compare(client: &Client, library: &Library, asked: &Asked, how: &str) {
    let Asked {
        list,
        level,
        region,
        year,
    } = asked;
    let list = list.map_or(String::new(), |list| format!("&list={list}"));
    let which = format!("level={}&region={region}{list}{how}", level.code());
    let path = format!("/v1/summary?group_by=tier,stage&year={year}&{which}");
    let summary = client.get(&path).await.expect(200);
    let cells: BTreeMap<(String, String), Numbers> = summary
        .at("/cells")
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| {
            let key = |name: &str| cell[name].as_str().unwrap().to_owned();
            ((key("tier"), key("stage")), told(cell))
        })
        .collect();
    assert_eq!(cells, library.summary(asked), "{path}");

    let path = format!("/v1/accounts/{year}?group_by=region&{which}");
    let accounts = client.get(&path).await.expect(200);
    let mut lines: BTreeMap<(String, String), Numbers> = BTreeMap::new();
    for cell in accounts.at("/cells").as_array().unwrap() {
        let region = cell["region"].as_str().unwrap();
        for (code, line) in cell["lines"].as_object().unwrap() {
            let nested = line.as_object().unwrap();
            if code == "date_unknown" {
                for (name, code) in [
                    ("started", "start_unknown"),
                    ("completed", "completion_unknown"),
                ] {
                    lines.insert((region.to_owned(), code.to_owned()), told(&nested[name]));
                }
            } else if code != "under_construction" {
                lines.insert((region.to_owned(), code.to_owned()), told(line));
            }
        }
    }
    lines.retain(|_, numbers| numbers.0 > 0);
    assert_eq!(lines, library.accounts(asked), "{path}");
    let reached = |place: usize| {
        let rate = format!("/total/rates/{place}/numerator");
        accounts.at(&rate).as_u64().unwrap()
    };
    assert_eq!(
        [reached(0), reached(1)],
        library.rates(asked, LANDING_MONTHS),
        "{path}"
    );
}

/// Holds what became of the library between two instants against both, replayed.
async fn compare_between(
    client: &Client,
    (earlier, later): (&Library, &Library),
    asked: &Asked,
    span: &str,
) {
    let Asked {
        list,
        level,
        region,
        year: _,
    } = asked;
    let list = list.map_or(String::new(), |list| format!("&list={list}"));
    let level = level.code();
    let path = format!("/v1/summary/diff?{span}&level={level}&region={region}{list}");
    let diff = client.get(&path).await.expect(200);
    let cell = |value: &Value| {
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        text("tier").zip(text("stage"))
    };
    let side = |value: &Value| {
        if value.is_null() {
            Numbers::default()
        } else {
            told(value)
        }
    };
    let mut groups: BTreeMap<Became, (Numbers, Numbers)> = BTreeMap::new();
    for change in diff.at("/changes").as_array().unwrap() {
        let text = |name: &str| change[name].as_str().map(str::to_owned);
        let (from, to) = (cell(&change["from"]), cell(&change["to"]));
        let key = (text("change").unwrap(), text("reason"), from, to);
        let numbers = (side(&change["before"]), side(&change["after"]));
        assert!(groups.insert(key, numbers).is_none(), "twice: {change}");
    }
    assert_eq!(groups, earlier.became(later, asked), "{path}");
    for (pointer, library) in [("/before", earlier), ("/after", later)] {
        let cells = library.summary(asked);
        let (total, count) = (told(diff.at(pointer)), cells.values().map(|cell| cell.0));
        assert_eq!(total.0, count.sum::<u64>(), "{path}");
        assert_eq!(total.2, cells.values().map(|cell| cell.2).sum::<i128>());
        assert_eq!(total.4, cells.values().map(|cell| cell.4).sum::<i128>());
        assert_eq!(total.5, cells.values().map(|cell| cell.5).sum::<u64>());
    }
}

/// Holds the sums of the past that are kept, of all regions together, against the same counted from the versions: of all
/// projects that have changed since long ago.
async fn compare_kept(client: &Client, asked: &Asked, then: &str) {
    let Asked { level, year, .. } = asked;
    let numbers = |reply: &Reply| {
        let mut told = reply.at("/cells").clone();
        for cell in told.as_array_mut().unwrap() {
            cell.as_object_mut().unwrap().remove("projects");
            for line in cell["lines"].as_object_mut().into_iter().flatten() {
                let line = line.1.as_object_mut().unwrap();
                line.remove("projects");
                for inner in line.values_mut().filter_map(Value::as_object_mut) {
                    inner.remove("projects");
                }
            }
        }
        told
    };
    for path in [
        format!("/v1/summary?group_by=tier,stage&year={year}"),
        format!("/v1/accounts/{year}?group_by=tier"),
    ] {
        let path = format!("{path}&level={}&as_of={then}", level.code());
        let kept = client.get(&path).await.expect(200);
        let counted = format!("{path}&updated_since=2000-01-01T00:00:00Z");
        let counted = client.get(&counted).await.expect(200);
        assert_eq!(numbers(&kept), numbers(&counted), "{path}");
    }
}

async fn check(history: &mut History<'_>, server: &Server, db: &DatabaseConnection) {
    let projects: BTreeSet<Uuid> = history.projects.iter().copied().collect();
    let events = Told::read(db, &projects).await;
    let instants = events.instants();
    let now = events.at(chrono::Utc::now());
    for how in ["", "&unit=panjin-drc"] {
        let asked = asked(history);
        compare(history.client, &now, &asked, how).await;
    }
    for _ in 0..INSTANTS {
        let instant = *history.chance.of(&instants);
        let asked = asked(history);
        let then = instant.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        let library = events.at(instant);
        compare(history.client, &library, &asked, &format!("&as_of={then}")).await;
    }
    let instant = *history.chance.of(&instants);
    let question = asked(history);
    let then = instant.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    compare_kept(history.client, &question, &then).await;
    // From here on that time is over.
    in_store(server, async move |db| {
        rollup::keep(&db, instant).await.unwrap();
    })
    .await;
    for _ in 0..INSTANTS {
        let mut ends = [(); 2].map(|()| *history.chance.of(&instants));
        ends.sort_unstable();
        let asked = asked(history);
        let [from, to] = ends.map(|end| end.to_rfc3339_opts(chrono::SecondsFormat::Micros, true));
        let [earlier, later] = ends.map(|end| events.at(end));
        if from != to {
            let span = format!("from={from}&to={to}");
            compare_between(history.client, (&earlier, &later), &asked, &span).await;
        }
        let span = format!("from={from}");
        compare_between(history.client, (&earlier, &now), &asked, &span).await;
    }
}

fn asked(history: &mut History<'_>) -> Asked {
    let list = history.chance.one_in(3).then(|| *history.chance.of(&LISTS));
    let level = *history
        .chance
        .of(&[Level::Project, Level::Project, Level::Part]);
    let part = *history.chance.of(&[0, 0, 1, 3]);
    Asked {
        list,
        level,
        region: history.region(part),
        year: *history.chance.of(&YEARS),
    }
}

/// What the sums that are kept and the spans of the accounts come from is made anew, and comes out the same.
async fn check_anew(server: &Server, db: &DatabaseConnection) {
    let proof = in_store(server, async |db| rollup::verify(&db).await.unwrap()).await;
    assert_eq!(proof.differences, []);
    let before = spans_of(db).await;
    db.execute_unprepared("UPDATE rollup_state SET is_complete = FALSE")
        .await
        .unwrap();
    in_store(server, async |db| {
        assert!(rollup::complete(&db).await.unwrap());
    })
    .await;
    assert_eq!(spans_of(db).await, before);
    let proof = in_store(server, async |db| rollup::verify(&db).await.unwrap()).await;
    assert_eq!(proof.differences, []);
}

/// Every span that was ever known.
async fn spans_of(db: &DatabaseConnection) -> BTreeSet<String> {
    let columns = [
        "line",
        "from_year",
        "to_year",
        "previous_year",
        "landed_after",
        "happened_on",
        "recorded_at",
        "superseded_at",
    ];
    let texts = columns.map(|column| format!("COALESCE(CAST({column} AS TEXT), '-')"));
    let project = if db.get_database_backend() == sea_orm::DbBackend::Postgres {
        "CAST(project_id AS TEXT)"
    } else {
        "hex(project_id)"
    };
    let sql = format!(
        "SELECT {project} || ' ' || {} AS span FROM accounting_span",
        texts.join(" || ' ' || ")
    );
    let asked = sea_orm::Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(asked).await.unwrap();
    rows.iter()
        .map(|row| row.try_get::<String>("", "span").unwrap())
        .collect()
}

/// Names the history if it fails.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let told = format_args!("history {0}: set HISTORY={0} to run it alone\n", self.0);
            std::io::Write::write_fmt(&mut std::io::stderr(), told).unwrap();
        }
    }
}

#[tokio::test]
async fn every_number_of_any_time_is_what_the_events_add_up_to() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    let numbers: Vec<u64> = if let Some(one) = number("HISTORY") {
        vec![one]
    } else {
        let first = number("FIRST_HISTORY").unwrap_or_default();
        (first..first + number("REPLAYED_HISTORIES").unwrap_or(HISTORIES)).collect()
    };
    let is_long = number("REPLAYED_HISTORIES").is_some();
    let mut libraries_done = 0;
    let mut done: BTreeMap<&str, usize> = BTreeMap::new();
    let mut libraries = numbers.chunks(HISTORIES_OF_A_LIBRARY);
    let mut running = JoinSet::new();
    loop {
        while running.len() < LIBRARIES
            && let Some(some) = libraries.next()
        {
            running.spawn(histories(some.to_vec()));
        }
        let Some(ended) = running.join_next().await else {
            break;
        };
        for (what, times) in ended.unwrap() {
            *done.entry(what).or_default() += times;
        }
        libraries_done += HISTORIES_OF_A_LIBRARY;
        if is_long {
            let (so_many, all) = (libraries_done.min(numbers.len()), numbers.len());
            let told = format_args!("{so_many} of {all} histories\n");
            std::io::Write::write_fmt(&mut std::io::stderr(), told).unwrap();
        }
    }
    // The calls were no mere refusals.
    for what in [
        "made",
        "amended",
        "listed",
        "planned",
        "invested",
        "regions changed",
        "moved",
    ] {
        let times = done.get(what).copied().unwrap_or_default();
        assert!(
            numbers.len() < 100 || times >= numbers.len() / 4,
            "{what}: {done:?}"
        );
    }
}

/// Runs some histories in one library; answers which calls were done.
async fn histories(numbers: Vec<u64>) -> BTreeMap<&'static str, usize> {
    let server = Server::demo().await;
    let (client, admin) = (
        server.sign_in("manager").await,
        server.sign_in("admin").await,
    );
    // What approvals a start needs is not what this is about.
    let rules = admin.get("/v1/stage-rules").await.expect(200).etag();
    let few = json!({ "rules": [{ "applies_to": "port", "items": ["sea_use"] }] });
    let set = admin
        .put("/v1/stage-rules/approvals", &few)
        .if_match(&rules)
        .send()
        .await;
    set.expect(200);
    let db = server.database().await;
    let mut done: BTreeMap<&str, usize> = BTreeMap::new();
    for number in numbers {
        let named = Named(number);
        let mut history = History {
            client: &client,
            admin: &admin,
            chance: Chance(number),
            number,
            projects: Vec::new(),
            ago: BTreeMap::new(),
            made: 0,
            done: BTreeMap::new(),
        };
        history.take_over(&server).await;
        for _ in 0..CALLS {
            history.call().await;
        }
        check(&mut history, &server, &db).await;
        for (what, times) in history.done {
            *done.entry(what).or_default() += times;
        }
        drop(named);
    }
    check_anew(&server, &db).await;
    done
}
