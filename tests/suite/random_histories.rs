//! Random calls, kind or not: what the table forbids never stands, and every roll-up is right.
//!
//! A history is made from its number alone; a failure names it. `PROPTEST_CASES` sets how many there are,
//! `HISTORY` picks one.

use std::collections::{BTreeMap, BTreeSet};

use domain::family::{Base, Families, FamilyCounting, Level, Member, counted_set};
use domain::id::ProjectId;
use domain::money::Money;
use domain::stage::{Condition, Move, Stage, exits};
use domain::tier::Investment;
use serde_json::{Value, json};
use taizhang::store::rollup;

use crate::support::chance::Chance;
use crate::support::library::{day, fen, fields, in_store, with};
use crate::support::{Client, Reply, Server};

/// How many histories, unless told otherwise.
const HISTORIES: u64 = 12;
/// How many calls each has.
const CALLS: usize = 40;

const LISTS: [&str; 3] = ["gas-storage", "huajin-aramco", "panjin-port"];
const REGIONS: [&str; 4] = ["211100", "211103", "211104", "211100-ldw"];
const AMOUNTS: [&str; 7] = [
    "4999999.99",
    "5000000.00",
    "99999999.99",
    "100000000.00",
    "1000000000.01",
    "5000000000.00",
    "10000000000.00",
];
const COUNTING: [&str; 4] = ["whole", "whole", "parts", "separate"];
const ITEMS: [&str; 9] = [
    "project_approval",
    "land_use",
    "planning_permit",
    "environmental_assessment",
    "energy_review",
    "construction_permit",
    "sea_use",
    "port_shoreline",
    "safety_review",
];

/// A library under random calls.
struct History {
    client: Client,
    chance: Chance,
    /// The projects that the calls are about.
    projects: Vec<String>,
    made: usize,
    /// Calls that were done, by what they were: a history that is all refusals proves nothing.
    done: BTreeMap<&'static str, usize>,
}

impl History {
    async fn begin(server: &Server, number: u64) -> Self {
        let client = server.sign_in("manager").await;
        let mut chance = Chance(number);
        let all = client.all("/v1/projects?sort=name").await;
        // Some of the catalogue, families above all: they stand in every stage.
        let families: Vec<&Value> = all
            .iter()
            .filter(|p| p["parent_id"].is_string() || p["family_counting"] != "whole")
            .collect();
        let built: Vec<&Value> = all
            .iter()
            .filter(|p| p["stage"] == "construction" || p["stage"] == "attraction")
            .collect();
        let mut projects = Vec::new();
        for _ in 0..4 {
            for some in [&families, &built] {
                projects.push(chance.of(some)["id"].as_str().unwrap().to_owned());
            }
        }
        Self {
            client,
            chance,
            projects,
            made: 0,
            done: BTreeMap::new(),
        }
    }

    fn any(&mut self) -> String {
        // Half of the time one of the latest: families grow and moves follow each other.
        let from = if self.chance.one_in(2) {
            self.projects.len().saturating_sub(5)
        } else {
            0
        };
        self.chance.of(&self.projects[from..]).clone()
    }

    fn investment(&mut self) -> Value {
        let amount = *self.chance.of(&AMOUNTS);
        match self.chance.next() % 4 {
            0 => Value::Null,
            1 => json!({ "floor": amount }),
            _ => json!({ "exact": amount }),
        }
    }

    fn counting(&mut self) -> &'static str {
        let way: &&str = self.chance.of(&COUNTING);
        way
    }

    async fn call(&mut self) {
        let (what, reply) = match self.chance.next() % 12 {
            0..=2 => ("made", self.make().await),
            3..=4 => ("amended", self.amend().await),
            5 => ("listed", self.list().await),
            6 => ("prepared", self.prepare().await),
            _ => ("moved", self.step().await),
        };
        let expected = [200, 201, 204, 403, 409, 412, 422];
        assert!(expected.contains(&reply.status), "{what}: {}", reply.text);
        if reply.status < 300 {
            *self.done.entry(what).or_default() += 1;
        }
    }

    async fn make(&mut self) -> Reply {
        self.made += 1;
        let region = *self.chance.of(&REGIONS);
        let mut body = with(
            fields(&format!("历史 {}", self.made), region),
            &json!({
                "family_counting": self.counting(), "owner": { "name": "某公司" },
                "signed_on": day(-900), "signed_document": { "issued_on": day(-900), "document_number": "1" },
            }),
        );
        if body["family_counting"] != "parts" || self.chance.one_in(4) {
            body["total_investment"] = self.investment();
        }
        if self.chance.one_in(2) {
            body["parent_id"] = self.any().into();
        }
        let reply = self.client.post("/v1/projects", &body).send().await;
        if reply.status == 201 {
            self.projects.push(reply.str("/id"));
        }
        reply
    }

    async fn amend(&mut self) -> Reply {
        let id = self.any();
        let body = match self.chance.next() % 5 {
            0 => json!({ "total_investment": self.investment() }),
            1 => json!({ "family_counting": self.counting() }),
            2 => json!({ "parent_id": self.any() }),
            3 => json!({ "parent_id": null }),
            _ => json!({ "region": *self.chance.of(&REGIONS), "programme": "services" }),
        };
        self.client.amend(&id, &body).await
    }

    async fn list(&mut self) -> Reply {
        let (list, id) = (*self.chance.of(&LISTS), self.any());
        let member = !self.chance.one_in(3);
        self.client.on_list(list, &id, member).await
    }

    /// Brings what the gate to 开工 needs.
    async fn prepare(&mut self) -> Reply {
        let id = self.any();
        let root = format!("/v1/projects/{id}");
        for item in ITEMS {
            let waived = json!({ "status": "waived", "reason": "不涉及" });
            let path = format!("{root}/approvals/{item}");
            let put = self.client.put(&path, &waived).if_none().send().await;
            assert!([201, 412, 422].contains(&put.status), "{}", put.text);
        }
        for year in 2023..=2026 {
            let path = format!("{root}/plan-years/{year}");
            let put = self.client.put(&path, &json!({})).if_none().send().await;
            assert!([201, 412, 422].contains(&put.status), "{}", put.text);
        }
        let code = format!("2101-211100-04-01-{:06}", self.chance.next() % 1_000_000);
        let body =
            json!({ "code": code, "kind": "enterprise_filed", "owner": { "name": "某公司" } });
        self.client.amend(&id, &body).await
    }

    async fn step(&mut self) -> Reply {
        let id = self.any();
        let path = format!("/v1/projects/{id}");
        let before = self.client.get(&path).await.expect(200);
        let stage = Stage::from_code(&before.str("/stage")).unwrap();
        let condition = Condition::from_code(&before.str("/condition")).unwrap();
        // Mostly what the table allows, else anything.
        let allowed = exits(stage, condition);
        let to = if self.chance.one_in(3) || allowed.is_empty() {
            *self.chance.of(Move::ALL)
        } else {
            *self.chance.of(allowed)
        };
        let mut body = json!({ "to": to.code(), "note": "试验" });
        if to != Move::Corrected {
            let ago = i64::try_from(self.chance.next() % 3).unwrap();
            body["occurred_on"] = day(-ago).into();
        }
        let evidence = json!({ "issued_on": day(-5), "document_number": "1" });
        if to == Move::Construction {
            body["start_evidence"] = evidence;
        } else if to == Move::Completion {
            body["acceptance"] = evidence;
        }
        let tag = before.etag();
        let path = format!("{path}/transitions");
        let request = self.client.post(&path, &body).if_match(&tag);
        let reply = request.send().await;
        let is_cover = before.str("/family_counting") == "parts";
        if to != Move::Corrected && (!allowed.contains(&to) || is_cover) {
            assert_eq!(reply.status, 422, "{body} from {stage} {condition}");
        }
        if reply.status == 201 {
            assert!(!is_cover);
            let after = reply.str("/stage");
            let stands = match to.step_to() {
                Some(target) => after == target.code(),
                None if to == Move::Planning => after == "planning",
                None if to == Move::Corrected => true,
                None => after == stage.code(),
            };
            assert!(stands, "{body}: {stage} to {after}");
        }
        reply
    }
}

fn investment_of(project: &Value) -> Investment {
    let money = |text: &Value| {
        let text = text.as_str().unwrap();
        Money::from_fen(i64::try_from(fen(text)).unwrap()).unwrap()
    };
    let told = &project["total_investment"];
    if told["exact"].is_string() {
        Investment::Exact(money(&told["exact"]))
    } else if told["floor"].is_string() {
        Investment::Floor(money(&told["floor"]))
    } else {
        Investment::Unknown
    }
}

fn id_of(value: &Value) -> ProjectId {
    ProjectId(value.as_str().unwrap().parse().unwrap())
}

fn member(project: &Value) -> Member {
    Member {
        id: id_of(&project["id"]),
        parent: project["parent_id"]
            .is_string()
            .then(|| id_of(&project["parent_id"])),
        counting: FamilyCounting::from_code(project["family_counting"].as_str().unwrap()).unwrap(),
        stage: Stage::from_code(project["stage"].as_str().unwrap()).unwrap(),
        condition: Condition::from_code(project["condition"].as_str().unwrap()).unwrap(),
        investment: investment_of(project),
    }
}

/// No state that the rules forbid, in any project or family.
fn check_states(all: &[Value], families: &Families) {
    let placements = families.placements();
    for project in all {
        let one = member(project);
        if one.stage == Stage::Completion {
            assert_eq!(one.condition, Condition::Active, "{project}");
        }
        assert_eq!(project["tier"], one.investment.tier().code(), "{project}");
        let shown = placements[&one.id].shown;
        assert_eq!(shown, (one.stage, one.condition), "{project}");
        let by_gate = project["stage_basis"] == "gate" && one.counting != FamilyCounting::Parts;
        // Who was taken over at 开工 reaches 竣工 without having passed the gate between.
        if by_gate && one.stage == Stage::Construction {
            assert!(one.investment.exact().is_some(), "{project}");
            assert!(project["code"].is_string(), "{project}");
            assert!(project["started_on"].is_string(), "{project}");
        }
        if by_gate && one.stage == Stage::Completion {
            assert!(project["completed_on"].is_string(), "{project}");
        }
        if one.stage < Stage::Construction && one.counting != FamilyCounting::Parts {
            assert_eq!(project["started_on"], Value::Null, "{project}");
            assert_eq!(project["commissioned_on"], Value::Null, "{project}");
        }
    }
}

/// Count, exact count and sum, floor count and sum, undetermined.
type Numbers = (u64, u64, i128, u64, i128, u64);

fn add(numbers: &mut Numbers, investment: Investment) {
    numbers.0 += 1;
    match investment {
        Investment::Exact(money) => {
            numbers.1 += 1;
            numbers.2 += i128::from(money.fen());
        }
        Investment::Floor(money) => {
            numbers.3 += 1;
            numbers.4 += i128::from(money.fen());
        }
        Investment::Unknown => numbers.5 += 1,
    }
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
    )
}

/// Every base and level against a count of the projects that the service itself tells.
async fn check_summaries(client: &Client, all: &[Value], families: &Families) {
    let by_id: BTreeMap<ProjectId, Member> =
        all.iter().map(|p| (member(p).id, member(p))).collect();
    let mut bases: Vec<Vec<&str>> = LISTS.iter().map(|list| vec![*list]).collect();
    bases.extend([vec![], vec![LISTS[0], LISTS[2]], LISTS.to_vec()]);
    for lists in bases {
        let members: BTreeSet<ProjectId> = all
            .iter()
            .filter(|project| {
                let on = project["lists"].as_array().unwrap();
                on.iter().any(|on| lists.contains(&on.as_str().unwrap()))
            })
            .map(|project| id_of(&project["id"]))
            .collect();
        let base = if lists.is_empty() {
            Base::Portfolio
        } else {
            Base::List(&members)
        };
        for level in [Level::Project, Level::Part] {
            let mut expected: BTreeMap<(String, String), Numbers> = BTreeMap::new();
            let mut total = Numbers::default();
            for id in counted_set(families, base, level) {
                let one = &by_id[&id];
                if one.condition == Condition::Withdrawn {
                    continue;
                }
                let key = (
                    one.investment.tier().code().to_owned(),
                    one.stage.code().to_owned(),
                );
                add(expected.entry(key).or_default(), one.investment);
                add(&mut total, one.investment);
            }
            let named = lists
                .iter()
                .fold(String::new(), |all, list| all + "&list=" + list);
            let path = format!(
                "/v1/summary?group_by=tier,stage&level={}{named}",
                level.code()
            );
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
            assert_eq!(cells, expected, "{path}");
            assert_eq!(told(summary.at("/total")), total, "{path}");
            if level == Level::Part && lists.is_empty() {
                check_remainders(families, &by_id, summary.at("/not_broken_down"));
            }
        }
    }
}

/// The money of wholes that their parts don't carry.
fn check_remainders(
    families: &Families,
    by_id: &BTreeMap<ProjectId, Member>,
    not_broken_down: &Value,
) {
    let mut expected = (0, 0);
    for (id, placement) in families.placements() {
        let Some(remainder) = placement.remainder else {
            continue;
        };
        if by_id[&id].condition != Condition::Withdrawn {
            expected.0 += remainder.exact.map_or(0, |money| i128::from(money.fen()));
            expected.1 += remainder.floor.map_or(0, |money| i128::from(money.fen()));
        }
    }
    let (_, _, exact, _, floor, _) = told(not_broken_down);
    assert_eq!((exact, floor), expected);
}

async fn check(server: &Server, client: &Client) {
    let all = client.all("/v1/projects?sort=created_at").await;
    let families = Families::new(all.iter().map(member)).unwrap();
    check_states(&all, &families);
    check_summaries(client, &all, &families).await;
    // The sums that are kept are what a count of everything gives.
    let proof = in_store(server, async |db| rollup::verify(&db).await.unwrap()).await;
    assert_eq!(proof.differences, []);
}

async fn run(number: u64) -> BTreeMap<&'static str, usize> {
    let server = Server::demo().await;
    let mut history = History::begin(&server, number).await;
    let mut remembered = Vec::new();
    for call in 0..CALLS {
        history.call().await;
        if call % 15 == 7 {
            check(&server, &history.client).await;
            // What is known now is to be told the same at the end.
            let now = history.client.get("/v1/summary").await.str("/as_of");
            let path = format!("/v1/summary?group_by=tier,stage&level=part&as_of={now}");
            let summary = history.client.get(&path).await.expect(200);
            remembered.push((path, summary.body));
        }
    }
    check(&server, &history.client).await;
    for (path, then) in remembered {
        let still = history.client.get(&path).await.expect(200);
        assert_eq!(still.body, then);
    }
    history.done
}

/// Names the history if it fails.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!(
                    "history {}: set HISTORY={} to run it alone\n",
                    self.0, self.0
                ),
            )
            .unwrap();
        }
    }
}

#[tokio::test]
async fn no_history_leads_to_a_forbidden_state_or_a_wrong_number() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    let numbers: Vec<u64> = match number("HISTORY") {
        Some(one) => vec![one],
        None => (0..number("PROPTEST_CASES").unwrap_or(HISTORIES)).collect(),
    };
    let mut done: BTreeMap<&str, usize> = BTreeMap::new();
    let many = numbers.len();
    for number in numbers {
        let named = Named(number);
        for (what, times) in run(number).await {
            *done.entry(what).or_default() += times;
        }
        drop(named);
    }
    // The calls were no mere refusals.
    for what in ["made", "amended", "listed", "prepared", "moved"] {
        let times = done.get(what).copied().unwrap_or_default();
        assert!(many < 6 || times >= many, "{what}: {done:?}");
    }
}
