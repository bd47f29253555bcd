//! A workbook that is taken out, edited and sent back: what was edited is changed, and nothing else.

use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};
use reqwest::Method;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use serde_json::{Value, json};
use taizhang::store::rollup;

use crate::imports::counts;
use crate::support::library::in_store;
use crate::support::{Client, Reply, Server};

const COMMIT: [(&str, &str); 4] = [
    ("kind", "projects"),
    ("mode", "commit"),
    ("atomic", "false"),
    ("wait", "30"),
];

/// The cells of a workbook, as a spreadsheet keeps them.
struct Book(Vec<Vec<Data>>);

impl Book {
    async fn taken_out(client: &Client, query: &str) -> Self {
        let path = format!("/v1/exports/projects.xlsx{query}");
        Self::read(client.get(&path).await, "项目")
    }

    async fn taken_out_in_english(client: &Client) -> Self {
        let file = client.request(Method::GET, "/v1/exports/projects.xlsx");
        Self::read(file.english().send().await, "Projects")
    }

    fn read(file: Reply, sheet: &str) -> Self {
        let mut book = Xlsx::new(Cursor::new(file.expect(200).bytes)).unwrap();
        let range = book.worksheet_range(sheet).unwrap();
        Self(range.rows().map(<[Data]>::to_vec).collect())
    }

    fn place(&self, name: &str, heading: &str) -> (usize, usize) {
        let at = |wanted: &str| {
            let found = self.0[0]
                .iter()
                .position(|cell| cell.to_string().starts_with(wanted));
            found.unwrap_or_else(|| panic!("no column {wanted}"))
        };
        let names = at(if self.0[0].contains(&text("Name")) {
            "Name"
        } else {
            "项目名称"
        });
        let column = at(heading);
        let row = self.0.iter().position(|row| row[names] == *name);
        (row.unwrap_or_else(|| panic!("no row {name}")), column)
    }

    fn set(&mut self, name: &str, heading: &str, value: Data) {
        let (row, column) = self.place(name, heading);
        self.0[row][column] = value;
    }

    /// As a spreadsheet saves it.
    fn saved(&self) -> Vec<u8> {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        let day = Format::new().set_num_format("yyyy-mm-dd");
        for (line, row) in (0..).zip(&self.0) {
            for (column, cell) in (0..).zip(row) {
                match cell {
                    Data::Empty => {}
                    Data::DateTime(at) => {
                        let at = ExcelDateTime::from_serial_datetime(at.as_f64()).unwrap();
                        sheet
                            .write_datetime_with_format(line, column, &at, &day)
                            .unwrap();
                    }
                    Data::Float(number) => {
                        sheet.write_number(line, column, *number).unwrap();
                    }
                    other @ (Data::Int(_)
                    | Data::String(_)
                    | Data::Bool(_)
                    | Data::DateTimeIso(_)
                    | Data::DurationIso(_)
                    | Data::Error(_)) => {
                        sheet.write_string(line, column, other.to_string()).unwrap();
                    }
                }
            }
        }
        book.save_to_buffer().unwrap()
    }

    async fn sent_back(&self, client: &Client) -> Reply {
        let reply = client
            .import(("projects.xlsx", &self.saved()), &COMMIT)
            .await;
        reply.expect(201)
    }
}

fn text(text: &str) -> Data {
    Data::String(text.to_owned())
}

async fn by_name(client: &Client) -> Vec<Value> {
    client.all("/v1/projects?sort=name").await
}

#[tokio::test]
async fn what_was_edited_is_changed_and_nothing_else() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let hostile = "=HYPERLINK(\"http://a\",\"b\")";
    let project = json!({ "name": "往返的项目", "region": "211104", "unit": "panjin-drc", "sector": "港口",
        "aliases": ["别名一", "别名二"], "total_investment": {"exact": "123456789.01"}, "note": hostile,
        "capacity": "第一行\n  第二行", "planned_start_on": "2026-03-01", "steward": "张三",
        "owner": {"name": "某公司", "uscc": "91110000600037341L"} });
    manager.register(&project).await.expect(201);
    let mut book = Book::taken_out(&manager, "").await;
    let count = u64::try_from(book.0.len()).unwrap() - 1;
    let before = by_name(&manager).await;
    let untouched = book.sent_back(&manager).await;
    assert_eq!(
        counts(&untouched),
        [0, 0, count, 0, 0],
        "{}",
        untouched.text
    );
    assert_eq!(by_name(&manager).await, before);

    let one = "往返的项目";
    book.set(one, "总投资（", Data::Float(20_000.5));
    book.set(one, "别名", text("别名一、别名三"));
    book.set(one, "项目管家", Data::Empty);
    book.set(one, "地区", text("盘山县"));
    book.set(one, "计划开工日期", text("2026年4月2日"));
    book.set(one, "业主", text("另一公司"));
    // Not a part: of one, the whole has another version too.
    let other = before.iter().find(|project| project["parent_id"].is_null());
    let other = other.unwrap()["name"].as_str().unwrap();
    book.set(other, "备注", text("=1+1"));
    let reply = book.sent_back(&manager).await;
    assert_eq!(counts(&reply), [0, 2, count - 2, 0, 0], "{}", reply.text);
    let again = book.sent_back(&manager).await;
    assert_eq!(counts(&again), [0, 0, count, 0, 0], "{}", again.text);
    let after = manager.named(one).await;
    assert_eq!(after["total_investment"]["exact"], "200005000.00");
    assert_eq!(after["aliases"], json!(["别名一", "别名三"]));
    assert_eq!(after["steward"], Value::Null);
    assert_eq!(after["region"], "211122");
    assert_eq!(after["planned_start_on"], "2026-04-02");
    assert_eq!(after["owner"]["name"], "另一公司");
    assert_eq!(after["note"], hostile);
    assert_eq!(after["capacity"], "第一行\n  第二行");
    assert_eq!(after["version"], 2);
    assert_eq!(manager.named(other).await["note"], "=1+1");
    let now = by_name(&manager).await;
    let same = before
        .iter()
        .filter(|project| now.contains(project))
        .count();
    assert_eq!(same, before.len() - 2);
    let proof = in_store(&server, async |db| rollup::verify(&db).await.unwrap()).await;
    assert_eq!(proof.count, 0, "{:?}", proof.differences);
}

#[tokio::test]
async fn what_somebody_changed_meanwhile_is_refused_with_what_stands_there_now() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let mut book = Book::taken_out(&manager, "").await;
    let all = by_name(&manager).await;
    let name = |place: usize| all[place]["name"].as_str().unwrap();
    let id = |place: usize| all[place]["id"].as_str().unwrap();
    for place in [0, 1] {
        let note = json!({ "note": format!("别人写的{place}") });
        manager.amend(id(place), &note).await.expect(200);
    }
    // One of them was edited in the workbook, the other one was not; and one that nobody touched.
    book.set(name(0), "备注", text("自己写的"));
    book.set(name(2), "备注", text("自己写的"));
    let reply = book.sent_back(&manager).await;
    let count = u64::try_from(book.0.len()).unwrap() - 1;
    assert_eq!(counts(&reply), [0, 1, count - 2, 0, 1], "{}", reply.text);
    let refused = reply.at("/refused/0");
    assert_eq!(refused["code"], "stale_version");
    assert_eq!(refused["field"], "note");
    assert_eq!(refused["text"], "自己写的");
    assert!(refused["detail"].as_str().unwrap().contains("别人写的0"));
    let row = refused["row"].as_u64().unwrap();
    assert_eq!(
        row,
        u64::try_from(book.place(name(0), "备注").0).unwrap() + 1
    );
    assert_eq!(manager.named(name(0)).await["note"], "别人写的0");
    assert_eq!(manager.named(name(1)).await["note"], "别人写的1");
    assert_eq!(manager.named(name(2)).await["note"], "自己写的");
}

#[tokio::test]
async fn a_file_of_text_that_was_taken_out_changes_nothing() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let file = manager.get("/v1/exports/projects.csv").await.expect(200);
    let before = by_name(&manager).await;
    let reply = manager
        .import(("projects.csv", &file.bytes), &COMMIT)
        .await
        .expect(201);
    let count = u64::try_from(before.len()).unwrap();
    assert_eq!(counts(&reply), [0, 0, count, 0, 0], "{}", reply.text);
    assert_eq!(by_name(&manager).await, before);
}

#[tokio::test]
async fn a_workbook_in_english_comes_back_as_well() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let project = json!({ "name": "往返的项目", "region": "211104", "unit": "panjin-drc", "sector": "港口",
        "kind": "enterprise_filed", "total_investment": {"exact": "123456789.01"}, "steward": "张三" });
    manager.register(&project).await.expect(201);
    let mut book = Book::taken_out_in_english(&manager).await;
    let count = u64::try_from(book.0.len()).unwrap() - 1;
    let before = by_name(&manager).await;
    let untouched = book.sent_back(&manager).await;
    assert_eq!(
        counts(&untouched),
        [0, 0, count, 0, 0],
        "{}",
        untouched.text
    );
    assert_eq!(untouched.at("/remarks"), &json!([]));
    assert_eq!(by_name(&manager).await, before);

    let one = "往返的项目";
    book.set(one, "Total investment (", Data::Float(20_000.5));
    book.set(one, "Aliases", text("别名一"));
    book.set(one, "Steward", Data::Empty);
    book.set(one, "Planned start on", text("2026-04-02"));
    book.set(one, "Owner", text("某公司"));
    book.set(one, "Kind", text("government_approved"));
    book.set(one, "Published", text("yes"));
    let reply = book.sent_back(&manager).await;
    assert_eq!(counts(&reply), [0, 1, count - 1, 0, 0], "{}", reply.text);
    let after = manager.named(one).await;
    assert_eq!(after["total_investment"]["exact"], "200005000.00");
    assert_eq!(after["aliases"], json!(["别名一"]));
    assert_eq!(after["steward"], Value::Null);
    assert_eq!(after["planned_start_on"], "2026-04-02");
    assert_eq!(after["owner"]["name"], "某公司");
    assert_eq!(after["kind"], "government_approved");
    assert_eq!(after["published"], true);
}

#[tokio::test]
async fn nobody_is_left_to_think_that_an_edit_was_taken() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let one = "往返的项目";
    let project = json!({ "name": one, "region": "211104", "unit": "panjin-drc", "sector": "港口",
        "total_investment": {"exact": "123456789.01"}, "signed_on": "2026-01-05",
        "signed_document": { "document_number": "合同1号", "issued_on": "2026-01-05" } });
    let id = manager.register(&project).await.expect(201).str("/id");
    let book = || Book::taken_out(&manager, "?q=往返的项目");
    let edits = [
        ("计数方式", text("按子项计数")),
        ("清单", text("省重点项目")),
        ("状态", text("暂停")),
        ("进入阶段日期", text("2020-01-01")),
        ("开工日期", text("2026年3月1日")),
        ("竣工日期", text("2026-05-01")),
        ("投资分档", text("100亿元以上")),
        ("外币金额", text("100")),
        ("币种", text("USD")),
        ("汇率", text("7.1")),
        ("汇率日期", text("2026-01-01")),
        ("签约文件", Data::Empty),
        ("落地文件", text("批复2号")),
        ("立项资金文件", text("批复3号")),
        ("阶段依据", text("改过的依据")),
        ("依据出处", text("改过的出处")),
    ];
    for (heading, value) in edits {
        let mut book = book().await;
        book.set(one, heading, value);
        let reply = book.sent_back(&manager).await;
        assert_eq!(counts(&reply), [0, 0, 1, 0, 0], "{heading}: {}", reply.text);
        let (row, column) = book.place(one, heading);
        let said = reply.at("/remarks/0");
        assert_eq!(said["code"], "cell_not_taken", "{heading}");
        assert_eq!(said["row"], row + 1, "{heading}");
        assert_eq!(said["column"], letters(column), "{heading}");
    }
    assert_eq!(manager.named(one).await["version"], 1);

    // Two amounts say two things.
    let mut both = book().await;
    both.set(one, "总投资下限", Data::Float(10_000.0));
    let reply = both.sent_back(&manager).await;
    assert_eq!(counts(&reply), [0, 0, 0, 0, 1], "{}", reply.text);
    assert_eq!(reply.at("/refused/0/code"), "amount_and_floor");
    // What is known by now takes the place of what it was at least.
    let floor = json!({ "total_investment": { "floor": "100000000.00" } });
    manager.amend(&id, &floor).await.expect(200);
    let mut known = book().await;
    known.set(one, "总投资（", Data::Float(12_000.0));
    let reply = known.sent_back(&manager).await;
    assert_eq!(counts(&reply), [0, 1, 0, 0, 0], "{}", reply.text);
    let now = manager.named(one).await;
    assert_eq!(now["total_investment"]["exact"], "120000000.00");
}

/// The letters of a column, from 0.
fn letters(column: usize) -> String {
    let letter = |place: usize| char::from(b'A' + u8::try_from(place).unwrap());
    match column.checked_sub(26) {
        None => letter(column).to_string(),
        Some(more) => format!("{}{}", letter(more / 26), letter(more % 26)),
    }
}
