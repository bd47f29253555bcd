//! The catalogue of Panjin: what it counts, and taking data sets in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use taizhang::auth::Role;
use taizhang::catalogue::Catalogue;
use taizhang::store::catalogue::{self, Loaded};

use crate::support::library::{add_account, author, in_store};
use crate::support::{Client, Server};

const README: &str = include_str!("../../data/panjin/README.md");
const PROJECTS: &str = include_str!("../../data/panjin/projects.csv");
const LISTS: &str = include_str!("../../data/panjin/lists.csv");

/// A line of the file, as far as counting reads it.
struct Line {
    name: String,
    parent: Option<String>,
    counting: String,
    lists: Vec<String>,
    stage: String,
    has_floor: bool,
    quote: String,
    source: String,
    inferred: bool,
}

fn lines() -> BTreeMap<String, Line> {
    let mut reader = csv::Reader::from_reader(PROJECTS.as_bytes());
    let rows = reader.deserialize::<BTreeMap<String, String>>();
    rows.map(|row| {
        let row = row.unwrap();
        let line = Line {
            name: row["name"].clone(),
            parent: Some(row["parent_ref"].clone()).filter(|parent| !parent.is_empty()),
            counting: row["family_counting"].clone(),
            lists: row["lists"]
                .split('|')
                .filter(|code| !code.is_empty())
                .map(str::to_owned)
                .collect(),
            stage: row["stage"].clone(),
            has_floor: !row["investment_floor"].is_empty(),
            quote: row["basis_quote"].clone(),
            source: row["basis_source"].clone(),
            inferred: row["basis_inferred"] == "true",
        };
        (row["ref"].clone(), line)
    })
    .collect()
}

fn parts_of<'a>(lines: &'a BTreeMap<String, Line>, whole: &str) -> Vec<&'a str> {
    let whole = Some(whole.to_owned());
    lines
        .iter()
        .filter(|(_, line)| line.parent == whole)
        .map(|(key, _)| key.as_str())
        .collect()
}

/// The rules of counting once more, read from their description and from nothing else.
fn counted<'a>(
    lines: &'a BTreeMap<String, Line>,
    list: Option<&str>,
    by_part: bool,
) -> BTreeSet<&'a str> {
    // Who is looked at: all, or the members of the list with the parts of the covers among them.
    let mut base: BTreeSet<&str> = lines
        .iter()
        .filter(|(_, line)| list.is_none_or(|list| line.lists.iter().any(|on| on == list)))
        .map(|(key, _)| key.as_str())
        .collect();
    loop {
        let brought: Vec<&str> = base
            .iter()
            .filter(|key| lines[**key].counting == "parts")
            .flat_map(|key| parts_of(lines, key))
            .filter(|part| !base.contains(part))
            .collect();
        if brought.is_empty() {
            break;
        }
        base.extend(brought);
    }
    let mut found = BTreeSet::new();
    for key in &base {
        let line = &lines[*key];
        let mut above = line.parent.as_deref();
        let mut inside = false;
        while let Some(parent) = above {
            inside |= lines[parent].counting == "whole" && base.contains(parent);
            above = lines[parent].parent.as_deref();
        }
        if line.counting != "parts" && !inside {
            found.insert(*key);
        }
    }
    if !by_part {
        return found;
    }
    found
        .into_iter()
        .flat_map(|key| {
            if lines[key].counting == "whole" {
                replaced(lines, key)
            } else {
                vec![key]
            }
        })
        .collect()
}

/// A whole with parts, or a cover, is replaced by its parts; a separate one stands beside its own.
fn replaced<'a>(lines: &'a BTreeMap<String, Line>, key: &'a str) -> Vec<&'a str> {
    let parts = parts_of(lines, key);
    let mut found: Vec<&str> = parts
        .iter()
        .flat_map(|part| replaced(lines, part))
        .collect();
    let stays = match lines[key].counting.as_str() {
        "whole" => parts.is_empty(),
        "parts" => false,
        "separate" => true,
        other => panic!("{other}"),
    };
    if stays {
        found.push(key);
    }
    found
}

/// Count, the four stages, lower bounds.
type Row = [u64; 6];

fn row_of_lines(lines: &BTreeMap<String, Line>, counted: &BTreeSet<&str>) -> Row {
    let count = |test: &dyn Fn(&Line) -> bool| {
        u64::try_from(counted.iter().filter(|key| test(&lines[**key])).count()).unwrap()
    };
    [
        count(&|_| true),
        count(&|line| line.stage == "planning"),
        count(&|line| line.stage == "attraction"),
        count(&|line| line.stage == "construction"),
        count(&|line| line.stage == "completion"),
        count(&|line| line.has_floor),
    ]
}

/// The table at the end of the data set's description: by base and level.
fn published() -> BTreeMap<(String, String), Row> {
    let (_, table) = README.split_once("| base | level |").unwrap();
    table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let numbers: Vec<u64> = cells[2..]
                .iter()
                .map(|cell| cell.parse().unwrap())
                .collect();
            let key = (cells[0].to_owned(), cells[1].to_owned());
            (key, numbers.try_into().unwrap())
        })
        .collect()
}

async fn row_of_summary(client: &Client, list: Option<&str>, level: &str) -> Row {
    let list = list.map(|code| format!("&list={code}")).unwrap_or_default();
    let path = format!("/v1/summary?group_by=stage&level={level}{list}");
    let summary = client.get(&path).await.expect(200);
    let of_stage = |stage: &str| {
        let cells = summary.at("/cells").as_array().unwrap();
        let cell = cells.iter().find(|cell| cell["stage"] == stage);
        cell.map_or(0, |cell| cell["count"].as_u64().unwrap())
    };
    [
        summary.at("/total/count").as_u64().unwrap(),
        of_stage("planning"),
        of_stage("attraction"),
        of_stage("construction"),
        of_stage("completion"),
        summary.at("/total/floor/count").as_u64().unwrap(),
    ]
}

#[tokio::test]
async fn the_three_lists_are_there_with_their_names() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let lists = leader.all("/v1/lists").await;
    let told: BTreeMap<&str, &str> = lists
        .iter()
        .map(|list| {
            (
                list["code"].as_str().unwrap(),
                list["name"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = BTreeMap::from([
        ("gas-storage", "储气库群"),
        ("huajin-aramco", "华锦阿美"),
        ("panjin-port", "盘锦港"),
    ]);
    assert_eq!(told, expected);
}

#[tokio::test]
async fn the_berths_stand_on_two_lists_and_count_once() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let berths = leader.named("华锦阿美项目8个配套泊位").await;
    let lists = serde_json::json!(["huajin-aramco", "panjin-port"]);
    assert_eq!(berths["lists"], lists);
    for base in [
        "portfolio",
        "list:huajin-aramco",
        "list:panjin-port",
        "list:huajin-aramco,panjin-port",
    ] {
        let counted = leader.all(&format!("/v1/projects?counting={base}")).await;
        let times = counted.iter().filter(|p| p["id"] == berths["id"]).count();
        assert_eq!(times, 1, "{base}");
    }
    let both = "/v1/summary?list=huajin-aramco&list=panjin-port";
    let union = leader.get(both).await.expect(200);
    let huajin = row_of_summary(&leader, Some("huajin-aramco"), "project").await;
    let port = row_of_summary(&leader, Some("panjin-port"), "project").await;
    let together = union.at("/total/count").as_u64().unwrap();
    assert_eq!(together, huajin[0] + port[0] - 1);
}

#[tokio::test]
async fn the_port_is_a_cover_whose_parts_count() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let port = leader.named("盘锦港").await;
    assert_eq!(port["family_counting"], "parts");
    let counted = leader.all("/v1/projects?counting=list:panjin-port").await;
    assert!(counted.iter().all(|project| project["id"] != port["id"]));
    let parts = format!("/v1/projects?parent={}", port["id"].as_str().unwrap());
    for part in leader.all(&parts).await {
        assert!(counted.contains(&part), "{part}");
    }
    let path = format!("/v1/projects/{}/transitions", port["id"].as_str().unwrap());
    let manager = server.sign_in("manager").await;
    let tag = format!("\"{}\"", port["version"]);
    let body = serde_json::json!({ "to": "suspended", "occurred_on": "2025-01-01", "note": "x" });
    let refused = manager.post(&path, &body).if_match(&tag).send().await;
    assert_eq!(refused.expect(422).code(), "cover_has_no_stage");
}

#[tokio::test]
async fn every_summary_equals_the_published_table_and_a_count_of_the_file() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let lines = lines();
    let names: BTreeMap<String, String> = csv::Reader::from_reader(LISTS.as_bytes())
        .deserialize::<BTreeMap<String, String>>()
        .map(|row| {
            let row = row.unwrap();
            (row["name"].clone(), row["code"].clone())
        })
        .collect();
    let published = published();
    assert_eq!(published.len(), 8);
    for ((base, level), expected) in published {
        let list = (base != "portfolio").then(|| names[&base].as_str());
        let by_file = row_of_lines(&lines, &counted(&lines, list, level == "part"));
        assert_eq!(by_file, expected, "the file, {base} {level}");
        let by_api = row_of_summary(&leader, list, &level).await;
        assert_eq!(by_api, expected, "the service, {base} {level}");
    }
}

#[tokio::test]
async fn every_stage_is_served_with_the_words_it_was_read_from() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let told: BTreeMap<String, Value> = leader
        .all("/v1/projects")
        .await
        .into_iter()
        .map(|project| (project["name"].as_str().unwrap().to_owned(), project))
        .collect();
    let lines = lines();
    assert_eq!(told.len(), lines.len());
    for line in lines.values() {
        let project = &told[&line.name];
        assert_eq!(project["stage_basis"], "opening_balance", "{}", line.name);
        let basis = &project["basis"];
        assert_eq!(basis["quote"], line.quote.as_str(), "{}", line.name);
        assert_eq!(basis["source"], line.source.as_str(), "{}", line.name);
        assert_eq!(basis["inferred"], line.inferred, "{}", line.name);
        assert!(project["unit"].is_string(), "{}", line.name);
        if line.has_floor {
            assert!(project["total_investment"]["floor"].is_string());
            assert!(project["total_investment"].get("exact").is_none());
        } else {
            assert_eq!(project["total_investment"], Value::Null, "{}", line.name);
            assert_eq!(project["tier"], "undetermined");
        }
        if line.counting != "parts" {
            assert_eq!(project["stage"], line.stage.as_str(), "{}", line.name);
        }
    }
    let summary = leader.get("/v1/summary").await.expect(200);
    assert_eq!(summary.str("/total/exact/sum"), "0.00");
    assert_eq!(summary.at("/total/exact/count"), 0);
    assert_eq!(summary.at("/total/undetermined"), 324 - 11);
}

#[tokio::test]
async fn every_unit_answers_for_the_projects_of_the_file() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let mut reader = csv::Reader::from_reader(PROJECTS.as_bytes());
    let mut expected: BTreeMap<String, usize> = BTreeMap::new();
    for row in reader.deserialize::<BTreeMap<String, String>>() {
        *expected.entry(row.unwrap()["unit"].clone()).or_default() += 1;
    }
    let units = leader.all("/v1/units").await;
    assert_eq!(units.len(), expected.len());
    for unit in units {
        let code = unit["code"].as_str().unwrap();
        let found = leader.all(&format!("/v1/projects?unit={code}")).await;
        assert_eq!(found.len(), expected[code], "{code}");
    }
}

/// Loads a data set as `taizhang load` does; the refusal is the text that the terminal shows.
async fn load(server: &Server, data: Catalogue) -> Result<Loaded, String> {
    in_store(server, async move |db| {
        db.write(author(), async move |tx| catalogue::load(tx, &data).await)
            .await
            .map_err(|problem| problem.for_terminal())
    })
    .await
}

/// Everything that loading could change.
async fn state(client: &Client) -> Vec<Vec<Value>> {
    let mut state = Vec::new();
    for path in [
        "/v1/projects?sort=name",
        "/v1/regions",
        "/v1/units",
        "/v1/programmes",
        "/v1/sectors",
        "/v1/chains",
        "/v1/lists",
    ] {
        state.push(client.all(path).await);
    }
    state
}

#[tokio::test]
async fn loading_twice_changes_nothing() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let before = state(&leader).await;
    let again = load(&server, Catalogue::panjin().unwrap()).await.unwrap();
    let nothing = Loaded {
        reference: 0,
        projects: 0,
        present: 341,
    };
    assert_eq!(again, nothing);
    assert_eq!(state(&leader).await, before);
}

#[tokio::test]
async fn what_was_amended_since_is_not_loaded_over() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let berths = officer.named("华锦阿美项目8个配套泊位").await;
    let id = berths["id"].as_str().unwrap();
    let name = serde_json::json!({ "steward": "张三" });
    officer.amend(id, &name).await.expect(200);
    load(&server, Catalogue::panjin().unwrap()).await.unwrap();
    let after = officer.named("华锦阿美项目8个配套泊位").await;
    assert_eq!(after["steward"], "张三");
}

/// A small city of its own, in files.
fn write_city(directory: &Path, projects: &str) {
    let files = [
        (
            "regions.csv",
            "code,name,kind,parent,valid_from,valid_to,aliases,opening_closed_on\n\
             210700,锦州市,city,,,,锦州,\n210702,古塔区,district,210700,,,,\n",
        ),
        (
            "units.csv",
            "code,name,region,uscc,aliases\njinzhou-drc,锦州市发展和改革委员会,210700,,\n",
        ),
        (
            "lists.csv",
            "code,name,description\njinzhou-key,锦州重点,锦州市重点项目\n",
        ),
        ("projects.csv", projects),
    ];
    for (name, text) in files {
        std::fs::write(directory.join(name), text).unwrap();
    }
}

const CITY: &str = "ref,name,lists,region,unit,stage,basis_quote,basis_source,basis_as_of,basis_inferred,investment_exact,started_on\n\
     jz-1,锦州机场路,jinzhou-key,210700,jinzhou-drc,construction,已开工,锦州市政府工作报告:3,2025,false,120000000.00,2024-05-06\n\
     jz-2,古塔公园,,210702,jinzhou-drc,planning,谋划,锦州市政府工作报告:9,2025,true,,\n";

#[tokio::test]
async fn a_second_city_lives_beside_panjin_and_its_officer_sees_only_it() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let before = state(&leader).await;
    let directory = tempfile::TempDir::new().unwrap();
    write_city(directory.path(), CITY);
    let data = Catalogue::read(directory.path()).unwrap();
    let loaded = load(&server, data.clone()).await.unwrap();
    assert_eq!((loaded.projects, loaded.present), (2, 0));
    assert_eq!(
        load(&server, data).await.unwrap(),
        Loaded {
            reference: 0,
            projects: 0,
            present: 2
        }
    );

    assert_eq!(state(&leader).await[0], before[0]);
    let panjin = leader.get("/v1/summary").await.expect(200);
    assert_eq!(panjin.at("/total/count"), 324);
    assert_eq!(panjin.str("/covers"), "visible");

    add_account(&server, "officer.jinzhou", Role::Officer, Some("210700")).await;
    let officer = server.sign_in("officer.jinzhou").await;
    let mut names: Vec<String> = officer
        .all("/v1/projects")
        .await
        .iter()
        .map(|project| project["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["古塔公园", "锦州机场路"]);
    let summary = officer.get("/v1/summary?group_by=list").await.expect(200);
    assert_eq!(summary.at("/total/count"), 2);
    assert_eq!(summary.at("/cells").as_array().unwrap().len(), 1);
    assert_eq!(summary.str("/cells/0/list"), "jinzhou-key");
    assert_eq!(summary.str("/cells/0/exact/sum"), "120000000.00");
    let port = before[0].iter().find(|p| p["name"] == "盘锦港").unwrap();
    let path = format!("/v1/projects/{}", port["id"].as_str().unwrap());
    officer.get(&path).await.expect(404);
}

#[tokio::test]
async fn a_broken_file_tells_where_and_what_and_changes_nothing() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let before = state(&leader).await;
    let header = CITY.lines().next().unwrap();
    let good = CITY.lines().nth(1).unwrap();
    // A quoted line break: the lines of the file and the rows of the table are not the same.
    let long = "jz-0,锦州铁路,,210700,jinzhou-drc,planning,\"两\n行\",甲,2025,false,,";
    let cases = [
        (
            format!(
                "{header}\n{good}\njz-2,古塔公园,,219999,jinzhou-drc,planning,a,b,2025,true,,\n"
            ),
            ["projects.csv", "\"line\":3", "219999"],
        ),
        (
            format!(
                "{header}\n{good}\njz-2,古塔公园,,210702,jinzhou-drc,dreaming,a,b,2025,true,,\n"
            ),
            ["projects.csv", "\"line\":3", "dreaming"],
        ),
        (
            format!(
                "{header}\n{good}\njz-2,古塔公园,,210702,jinzhou-drc,planning,a,b,2025,true,-3,\n"
            ),
            ["projects.csv", "\"line\":3", "amount_negative"],
        ),
        (
            format!(
                "{header}\n{good}\njz-2,古塔公园,no-such,210702,jinzhou-drc,planning,a,b,2025,true,,\n"
            ),
            ["projects.csv", "\"line\":3", "no-such"],
        ),
        (
            format!("{header}\n{good}\n{}\n", good.replace("jz-1,", ",")),
            ["projects.csv", "\"line\":3", "ref_not_unique"],
        ),
        (
            format!(
                "{header}\n{good}\n{long}\njz-2,古塔公园,,210702,jinzhou-drc,dreaming,a,b,2025,true,,\n"
            ),
            ["projects.csv", "\"line\":5", "dreaming"],
        ),
        (
            format!("{header}\n{good}\njz-2,古塔公园,,210702\n"),
            ["projects.csv", "line: 3", "4 fields"],
        ),
        (
            format!("{header},colour\n{good},red\n"),
            ["projects.csv", "line", "colour"],
        ),
    ];
    for (projects, expected) in cases {
        let directory = tempfile::TempDir::new().unwrap();
        write_city(directory.path(), &projects);
        let told = match Catalogue::read(directory.path()) {
            Err(error) => error.to_string(),
            Ok(data) => load(&server, data).await.unwrap_err(),
        };
        for part in expected {
            assert!(told.contains(part), "{part} is not in: {told}");
        }
        assert_eq!(state(&leader).await, before, "{told}");
    }
}

#[tokio::test]
async fn after_the_closing_day_no_more_existing_projects_are_taken_over() {
    let server = Server::demo().await;
    let admin = server.sign_in("admin").await;
    let city = admin.get("/v1/regions/211100").await.expect(200);
    let mut fields = city.body.clone();
    let members = fields.as_object_mut().unwrap();
    members.remove("code");
    members.remove("version");
    members.insert("opening_closed_on".to_owned(), "2025-06-30".into());
    admin
        .put("/v1/regions/211100", &fields)
        .if_match(&city.etag())
        .send()
        .await
        .expect(200);
    let leader = server.sign_in("leader").await;
    let before = leader.all("/v1/projects?sort=name").await;
    // A district lies within the city that has closed.
    let directory = tempfile::TempDir::new().unwrap();
    let projects = "ref,name,region,unit,stage\nlate-1,迟到项目,211104,dawa-drb,planning\n";
    std::fs::write(directory.path().join("projects.csv"), projects).unwrap();
    let data = Catalogue::read(directory.path()).unwrap();
    let told = load(&server, data).await.unwrap_err();
    assert!(told.contains("盘锦市"), "{told}");
    assert!(told.contains("takes no more existing projects"), "{told}");
    assert_eq!(leader.all("/v1/projects?sort=name").await, before);
    // Another city is not concerned.
    write_city(directory.path(), CITY);
    let data = Catalogue::read(directory.path()).unwrap();
    assert_eq!(load(&server, data).await.unwrap().projects, 2);
}
