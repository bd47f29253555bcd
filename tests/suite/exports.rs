//! Projects as a file: what the list shows, wholly, exactly, and as texts that nobody runs.

use std::io::Cursor;

use calamine::{Data, DataType, Range, Reader, Xlsx};
use reqwest::Method;
use serde_json::{Value, json};
use taizhang::auth::Role;

use crate::support::library::{add_account, fen, fields, with};
use crate::support::{Client, Reply, Server};

const DAWA: &str = "211104";
const EXPORT: &str = "/v1/exports/projects";

/// The rows of a workbook, its headings first, and what is said of it.
fn workbook(reply: &Reply) -> (Range<Data>, String) {
    let mut book = Xlsx::new(Cursor::new(reply.bytes.clone())).unwrap();
    assert_eq!(book.sheet_names(), ["项目", "说明"]);
    for sheet in ["项目", "说明"] {
        assert!(book.worksheet_formula(sheet).unwrap().is_empty(), "{sheet}");
    }
    let about = book.worksheet_range("说明").unwrap();
    let said: Vec<String> = about.rows().map(|row| row[0].to_string()).collect();
    (book.worksheet_range("项目").unwrap(), said.join("\n"))
}

/// The cells below a heading.
fn column(rows: &Range<Data>, heading: &str) -> Vec<Data> {
    let mut lines = rows.rows();
    let mut headings = lines.next().unwrap().iter();
    let place = headings.position(|cell| cell.get_string() == Some(heading));
    let place = place.unwrap_or_else(|| panic!("no column {heading}"));
    lines.map(|row| row[place].clone()).collect()
}

async fn workbook_of(client: &Client, query: &str) -> (Range<Data>, String) {
    let path = format!("{EXPORT}.xlsx{query}");
    workbook(&client.get(&path).await.expect(200))
}

fn texts(column: &[Data]) -> Vec<String> {
    column.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_file_has_what_the_list_has_in_its_order() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    for query in [
        "",
        "?sort=name&stage=construction",
        "?counting=portfolio&sort=-total_investment",
    ] {
        let listed = manager.all(&format!("/v1/projects{query}")).await;
        assert!(listed.len() > 3, "{query}");
        let json = manager
            .get(&format!("{EXPORT}.json{query}"))
            .await
            .expect(200);
        assert_eq!(json.at("/items").as_array().unwrap(), &listed, "{query}");
        let names: Vec<&str> = listed.iter().map(|p| p["name"].as_str().unwrap()).collect();
        let (rows, said) = workbook_of(&manager, query).await;
        assert_eq!(texts(&column(&rows, "项目名称")), names, "{query}");
        assert!(said.contains(&format!("项目数：{}", names.len())), "{said}");
        let csv = manager
            .get(&format!("{EXPORT}.csv{query}"))
            .await
            .expect(200);
        let text = String::from_utf8(csv.bytes.clone()).unwrap();
        let mut lines = csv::Reader::from_reader(text.trim_start_matches('\u{FEFF}').as_bytes());
        let lines = lines.records().map_while(Result::ok);
        let in_file: Vec<String> = lines.map(|line| line[1].to_owned()).collect();
        assert_eq!(in_file, names, "{query}");
    }
    // Without an ending it is JSON, and kept under a name; with one it is what the ending says.
    let bare = manager.get(EXPORT).await.expect(200);
    let kept = bare.header("content-disposition").unwrap();
    assert!(kept.contains("projects.json"), "{kept}");
    let named = manager.request(Method::GET, &format!("{EXPORT}.json"));
    let named = named.header("accept", "text/csv").send().await.expect(200);
    assert_eq!(named.header("content-type").unwrap(), "application/json");
    let wanted = manager.request(Method::GET, EXPORT);
    let wanted = wanted.header("accept", "text/csv").send().await.expect(200);
    let kind = wanted.header("content-type").unwrap();
    assert!(kind.starts_with("text/csv"), "{kind}");
}

#[tokio::test]
async fn amounts_and_days_are_numbers_and_days_to_the_last_digit() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let told = json!({ "total_investment": { "exact": "1234567.89" }, "planned_start_on": "2027-03-01",
        "note": "第一行\n第二行" });
    manager
        .register(&with(fields("精确到分", DAWA), &told))
        .await;
    let bounded = json!({ "total_investment": { "floor": "10000000000.00" } });
    manager
        .register(&with(fields("只知下限", DAWA), &bounded))
        .await;

    let (rows, said) = workbook_of(&manager, "?q=精确到分").await;
    assert_eq!(column(&rows, "总投资（万元）"), [Data::Float(123.456_789)]);
    assert_eq!(column(&rows, "总投资下限（万元）"), [Data::Empty]);
    assert_eq!(
        column(&rows, "备注"),
        [Data::String("第一行\n第二行".to_owned())]
    );
    let Data::DateTime(day) = &column(&rows, "计划开工日期")[0] else {
        panic!("no day");
    };
    // Days since the end of 1899.
    assert_eq!(Some(day.as_f64()), Some(46_447.0));
    assert!(said.contains("金额单位：万元，未经舍入"), "{said}");

    let (rows, _) = workbook_of(&manager, "?q=只知下限&money_unit=yi").await;
    assert_eq!(column(&rows, "总投资（亿元）"), [Data::Empty]);
    assert_eq!(column(&rows, "总投资下限（亿元）"), [Data::Float(100.0)]);

    // All amounts together are those of the library.
    let listed = manager.all("/v1/projects?counting=portfolio").await;
    let exact = |project: &Value| project["total_investment"]["exact"].as_str().map(fen);
    let sum: i128 = listed.iter().filter_map(exact).sum();
    let (rows, _) = workbook_of(&manager, "?counting=portfolio&money_unit=yuan").await;
    let summed: i128 = column(&rows, "总投资（元）")
        .iter()
        .filter(|cell| !cell.is_empty())
        .map(|cell| fen(&format!("{:.2}", cell.as_f64().unwrap())))
        .sum();
    assert_eq!(summed, sum);
}

#[tokio::test]
async fn names_that_look_like_formulas_are_names() {
    const TRICKS: [&str; 12] = [
        "=1+1",
        "=HYPERLINK(\"http://evil.example\",\"x\")",
        "+cmd|' /C calc'!A0",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(A1:A9)",
        "＝1+1",
        "＋1",
        "＠x",
        "{=1+1}",
        "'=1+1",
        "_x0041_ _xD83D_",
        "<f>1+1</f>&amp;]]>",
    ];
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let hostile: Vec<String> = (0..84)
        .map(|n| format!("{}{n}", TRICKS[n % TRICKS.len()]))
        .collect();
    let items: Vec<Value> = hostile
        .iter()
        .enumerate()
        .map(|(n, text)| {
            let told = json!({ "note": text, "steward": text });
            json!({ "external_ref": { "system": "evil", "key": n.to_string() }, "fields": with(fields(text, DAWA), &told) })
        })
        .collect();
    let put = manager.post("/v1/batches/projects", &json!({ "items": items }));
    put.send().await.expect(200);

    let (rows, _) = workbook_of(&manager, "?region=211104&sort=created_at").await;
    for heading in ["项目名称", "备注", "项目管家"] {
        let cells = column(&rows, heading);
        let found: Vec<&Data> = cells.iter().rev().take(hostile.len()).rev().collect();
        assert_eq!(found.len(), hostile.len(), "{heading}");
        for (cell, text) in found.iter().zip(&hostile) {
            assert_eq!(*cell, &Data::String(text.clone()), "{heading}");
        }
    }
    let csv = manager
        .get(&format!("{EXPORT}.csv?region=211104"))
        .await
        .expect(200);
    let text = String::from_utf8(csv.bytes.clone()).unwrap();
    let mut lines = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.trim_start_matches('\u{FEFF}').as_bytes());
    for field in lines
        .records()
        .flat_map(|line| line.unwrap().iter().map(str::to_owned).collect::<Vec<_>>())
    {
        assert!(
            !field.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']),
            "{field}"
        );
    }
}

#[tokio::test]
async fn a_file_has_what_its_reader_may_see_and_what_was_known_then() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    add_account(&server, "dawa", Role::Officer, Some(DAWA)).await;
    let officer = server.sign_in("dawa").await;
    let listed = officer.all("/v1/projects").await;
    assert!(listed.iter().all(|project| project["region"] == DAWA));
    assert!(listed.len() < manager.all("/v1/projects").await.len());
    let seen = officer.get(EXPORT).await.expect(200);
    assert_eq!(seen.at("/items").as_array().unwrap(), &listed);
    let (rows, said) = workbook_of(&officer, "").await;
    assert_eq!(column(&rows, "项目名称").len(), listed.len());
    assert!(
        said.contains("仅您可见的项目") && said.contains("dawa"),
        "{said}"
    );

    let before = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let made = manager.register(&fields("后来登记", DAWA)).await;
    let between = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let renamed = json!({ "name": "改了名字" });
    manager.amend(&made.str("/id"), &renamed).await.expect(200);
    for (then, names) in [(before, vec![]), (between, vec!["后来登记"])] {
        let (rows, said) = workbook_of(&manager, &format!("?as_of={then}&q=后来登记")).await;
        assert_eq!(texts(&column(&rows, "项目名称")), names);
        assert!(said.contains("截至："), "{said}");
    }
    let now = manager
        .get(&format!("{EXPORT}?q=改了名字"))
        .await
        .expect(200);
    assert_eq!(now.at("/items/0/id"), made.at("/id"));
}

#[tokio::test]
async fn that_a_file_was_taken_out_is_recorded() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let auditor = server.sign_in("auditor").await;
    let taken = officer
        .get(&format!("{EXPORT}.csv?stage=construction&sort=name"))
        .await
        .expect(200);
    assert!(taken.bytes.len() > 1000);
    let listed = officer.all("/v1/projects?stage=construction").await;
    let exported = auditor.get("/v1/audit?kind=exported").await.expect(200);
    let entry = exported.at("/items/0");
    assert_eq!(entry["subject"], "projects");
    assert_eq!(entry["actor"], "officer");
    assert_eq!(
        entry["after"],
        json!({ "form": "csv", "projects": listed.len(),
            "asked": { "stage": ["construction"], "sort": ["name"] } })
    );
    for (query, code) in [
        ("limit=5", "unknown_parameter"),
        ("cursor=x", "unknown_parameter"),
        ("money_unit=dollar", "unknown_code"),
        ("level=part", "needs_counting"),
    ] {
        let refused = officer.get(&format!("{EXPORT}.xlsx?{query}")).await;
        assert_eq!(refused.error_codes(), [code], "{query}");
    }
    // What was refused is no export.
    let again = auditor.get("/v1/audit?kind=exported").await.expect(200);
    assert_eq!(again.at("/items").as_array().unwrap().len(), 1);
}
