//! Files of other offices: what a preview tells, what a commit does, and taking it back.

use std::io::Cursor;

use calamine::{Reader as _, Xlsx};
use futures::future::join_all;
use serde_json::{Value, json};
use taizhang::auth::Role;
use taizhang::store::rollup;

use crate::support::library::{add_account, in_store};
use crate::support::{Client, Reply, Server};

const IMPORTS: &str = "/v1/imports";

const FILE: &str = "\
大洼区2025年重点项目表,,,,,,,
,,,,,,单位：万元,
序号,项目名称,建设地点,责任单位,所属行业,总投资,计划开工时间,备注
一、港口项目,,,,,,,
1,荣兴港区某泊位一期,大洼区,盘锦市发展改革委,港口,\"12,600\",2026年3月1日,无
2,荣兴港区某泊位二期,大洼区荣兴街道,盘锦市发展改革委,港口,约3亿元,2026年5月,
,小计,,,,42600,,
二、其他,,,,,,,
3,某污水处理厂,盘山县,盘锦市发展改革委,生态环境,50亿元以上,,\"第一行
第二行\"
,合计,,,,42600,,
";

impl Client {
    /// Brings a file in.
    pub(crate) async fn import(&self, file: (&str, &[u8]), fields: &[(&str, &str)]) -> Reply {
        let request = self.request(reqwest::Method::POST, IMPORTS);
        request.form(file, fields).send().await
    }

    /// Brings projects in, and waits for what comes of them.
    pub(crate) async fn projects(&self, text: &str, more: &[(&str, &str)]) -> Reply {
        let fields = [&[("kind", "projects"), ("wait", "30")], more].concat();
        let reply = self
            .import(("projects.csv", text.as_bytes()), &fields)
            .await;
        reply.expect(201)
    }

    async fn names(&self, query: &str) -> Vec<String> {
        let all = self.all(&format!("/v1/projects?{query}")).await;
        let name = |project: Value| project["name"].as_str().unwrap().to_owned();
        all.into_iter().map(name).collect()
    }
}

/// The counts of an import: new, changed, as they were, left, refused.
pub(crate) fn counts(reply: &Reply) -> [u64; 5] {
    let count = |name: &str| reply.at(&format!("/{name}")).as_u64().unwrap();
    [
        count("created"),
        count("changed"),
        count("unchanged"),
        count("duplicate_rows"),
        count("refused_rows"),
    ]
}

/// What is said of rows: row, column and code of each.
fn said(reply: &Reply, list: &str) -> Vec<String> {
    let all = reply.at(&format!("/{list}")).as_array().unwrap();
    let mut said: Vec<String> = all
        .iter()
        .map(|one| {
            let column = one["column"].as_str().unwrap_or("-");
            format!("{}{column} {}", one["row"], one["code"].as_str().unwrap())
        })
        .collect();
    said.sort();
    said
}

async fn sums_are_right(server: &Server) {
    let proof = in_store(server, async |db| rollup::verify(&db).await.unwrap()).await;
    assert_eq!(proof.count, 0, "{:?}", proof.differences);
}

/// Everything that the library shows of now.
async fn shown(client: &Client) -> Value {
    let projects = client.all("/v1/projects?sort=name").await;
    let summary = client.get("/v1/summary?group_by=tier,stage,region").await;
    json!({ "projects": projects, "cells": summary.at("/cells"), "total": summary.at("/total") })
}

#[tokio::test]
async fn a_preview_tells_what_would_come_of_each_row_and_changes_nothing() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let before = shown(&manager).await;
    let preview = manager.projects(FILE, &[]).await;
    assert_eq!(preview.str("/state"), "done");
    assert_eq!(preview.str("/mode"), "preview");
    assert_eq!(counts(&preview), [3, 0, 0, 0, 0]);
    assert_eq!(preview.str("/total"), "426000000.00");
    let sheet = preview.at("/sheets/0");
    assert_eq!(sheet["unit"], "wan_yuan");
    assert_eq!(sheet["header_rows"], json!([3]));
    assert_eq!(sheet["rows"], 3);
    assert_eq!(sheet["mapping"][5]["field"], "total_investment");
    // What is guessed, rough or not known to the day is told, with its place.
    assert_eq!(
        said(&preview, "remarks"),
        [
            "6C region_of_address",
            "6F approximate",
            "6G date_not_to_the_day"
        ]
    );
    let totals = preview.at("/control_totals").as_array().unwrap();
    let subtotal = &totals[0];
    assert_eq!(subtotal["stated"], "426000000.00");
    assert_eq!(subtotal["agrees"], true);
    assert_eq!(totals.last().unwrap()["agrees"], false);
    assert_eq!(shown(&manager).await, before);

    let commit = manager.projects(FILE, &[("mode", "commit")]).await;
    assert_eq!(counts(&commit), [3, 0, 0, 0, 0]);
    let berth = manager.named("荣兴港区某泊位二期").await;
    assert_eq!(berth["region"], "211104");
    assert_eq!(berth["unit"], "panjin-drc");
    assert_eq!(berth["stage"], "planning");
    assert_eq!(berth["total_investment"]["exact"], "300000000.00");
    assert_eq!(berth["investment_note"], "约3亿元");
    assert_eq!(berth["planned_start_on"], Value::Null);
    let plant = manager.named("某污水处理厂").await;
    assert_eq!(plant["total_investment"]["floor"], "5000000000.00");
    assert_eq!(plant["note"], "第一行\n第二行");
    let first = manager.named("荣兴港区某泊位一期").await;
    assert_eq!(first["planned_start_on"], "2026-03-01");
    sums_are_right(&server).await;
}

#[tokio::test]
async fn what_of_a_file_is_not_taken_in_is_told() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let file = "序号,项目名称,地区,责任单位,行业,形象进度,开工日期,阶段,专班\n\
        1,某码头改造,大洼区,panjin-drc,港口,完成桩基,2026年3月1日,开工,第一专班\n";
    let preview = manager.projects(file, &[]).await;
    assert_eq!(counts(&preview), [1, 0, 0, 0, 0]);
    let columns = preview.at("/sheets/0/mapping").as_array().unwrap();
    let left: Vec<&str> = columns
        .iter()
        .filter(|column| column["is_taken"] == false)
        .map(|column| column["heading"].as_str().unwrap())
        .collect();
    assert_eq!(left, ["序号", "形象进度", "开工日期", "阶段", "专班"]);
    assert_eq!(
        said(&preview, "remarks"),
        ["2G day_not_taken", "2H stage_not_taken"]
    );
    // Who takes projects over takes where they stand.
    let over = manager.projects(file, &[("opening_balance", "true")]).await;
    let columns = over.at("/sheets/0/mapping");
    assert_eq!(columns[6]["is_taken"], true);
    assert_eq!(columns[7]["is_taken"], true);
    assert_eq!(over.at("/remarks"), &json!([]));
}

#[tokio::test]
async fn a_file_publishes_nothing_for_who_may_not() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let file = "项目名称,地区,责任单位,行业,公开\n某码头改造,大洼区,panjin-drc,港口,是\n";
    for mode in ["preview", "commit"] {
        let told = officer
            .projects(file, &[("mode", mode), ("atomic", "false")])
            .await;
        assert_eq!(counts(&told), [0, 0, 0, 0, 1], "{mode}: {}", told.text);
        assert_eq!(said(&told, "refused"), ["2E needs_manager"]);
    }
    let manager = server.sign_in("manager").await;
    let told = manager.projects(file, &[("mode", "commit")]).await;
    assert_eq!(counts(&told), [1, 0, 0, 0, 0]);
    assert_eq!(manager.named("某码头改造").await["published"], true);
}

#[tokio::test]
async fn a_file_that_is_sent_again_changes_nothing_and_says_so() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let first = manager.projects(FILE, &[("mode", "commit")]).await;
    assert_eq!(first.at("/same_file_as"), &Value::Null);
    let before = shown(&manager).await;
    let again = manager.projects(FILE, &[("mode", "commit")]).await;
    assert_eq!(counts(&again), [0, 0, 3, 0, 0]);
    assert_eq!(again.at("/same_file_as"), first.at("/id"));
    assert_eq!(shown(&manager).await, before);

    // The same request, sent again, is the same import.
    let send = || {
        let fields = [("kind", "projects"), ("mode", "commit"), ("wait", "30")];
        let request = manager.request(reqwest::Method::POST, IMPORTS);
        let request = request.form(("projects.csv", FILE.as_bytes()), &fields);
        request.header("idempotency-key", "file-1").send()
    };
    let (one, other) = (send().await.expect(201), send().await.expect(201));
    assert_eq!(one.at("/id"), other.at("/id"));
}

#[tokio::test]
async fn what_can_not_be_taken_in_is_told_by_cell_and_handed_back_to_be_put_right() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let text = "项目名称,地区,责任单位,行业,总投资（万元）,项目代码\n\
        好项目一,大洼区,panjin-drc,港口,100,\n\
        坏项目二,不存在的地方,panjin-drc,港口,100,\n\
        坏项目三,大洼区,某某局,港口,一百,\n\
        坏项目四,大洼区,panjin-drc,,100,123\n";
    let before = shown(&manager).await;
    let whole = manager.projects(text, &[("mode", "commit")]).await;
    assert_eq!(whole.str("/state"), "refused");
    assert_eq!(counts(&whole), [1, 0, 0, 0, 3]);
    assert_eq!(
        said(&whole, "refused"),
        [
            "3B unknown_region",
            "4C unknown_unit",
            "4E chinese_digits",
            "5D required",
            "5F invalid_project_code"
        ]
        .map(str::to_owned)
        .into_iter()
        .filter(|one| said(&whole, "refused").contains(one))
        .collect::<Vec<_>>()
    );
    assert_eq!(shown(&manager).await, before);

    let most = manager
        .projects(text, &[("mode", "commit"), ("atomic", "false")])
        .await;
    assert_eq!(most.str("/state"), "done");
    assert_eq!(counts(&most), [1, 0, 0, 0, 3]);
    assert_eq!(manager.names("q=好项目").await, ["好项目一"]);
    let id = most.str("/id");
    let file = manager
        .get(&format!("{IMPORTS}/{id}/errors.xlsx"))
        .await
        .expect(200);
    let mut book = Xlsx::new(Cursor::new(file.bytes.clone())).unwrap();
    let sheet = book.worksheet_range_at(0).unwrap().unwrap();
    let rows: Vec<Vec<String>> = sheet
        .rows()
        .map(|row| row.iter().map(ToString::to_string).collect())
        .collect();
    assert_eq!(rows.len(), 4, "{rows:?}");
    // The reason stands right beside its cell.
    let region = rows[0].iter().position(|cell| cell == "地区").unwrap();
    assert_eq!(rows[1][region], "不存在的地方");
    assert!(rows[1][region + 1].contains("没有地区"), "{rows:?}");
    // Sent back as it is, the same is said of it, and its own columns are not read.
    let fields = [("kind", "projects"), ("wait", "30")];
    let back = manager.import(("errors.xlsx", &file.bytes), &fields).await;
    assert_eq!(counts(&back.expect(201)), [0, 0, 0, 0, 3]);
}

#[tokio::test]
async fn an_import_is_taken_back_as_a_whole_while_nothing_is_built_upon_it() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let code = "2101-211104-04-01-900001";
    let known = json!({ "name": "先有的项目", "region": "211104", "unit": "panjin-drc", "sector": "港口", "code": code,
        "total_investment": {"exact": "1000000.00"} });
    manager.register(&known).await.expect(201);
    let before = shown(&manager).await;
    let text = format!(
        "项目名称,地区,责任单位,行业,总投资（万元）,项目代码,备注\n\
         先有的项目,大洼区,panjin-drc,港口,25000,{code},改了金额\n\
         新来的项目,大洼区,panjin-drc,港口,32000,,\n\
         其中：新来的一期,大洼区,panjin-drc,港口,12000,,\n"
    );
    let commit = manager.projects(&text, &[("mode", "commit")]).await;
    assert_eq!(counts(&commit), [2, 1, 0, 0, 0]);
    let change = commit.at("/changes/0");
    assert_eq!(change["before"]["total_investment"]["exact"], "1000000.00");
    assert_eq!(change["after"]["total_investment"]["exact"], "250000000.00");
    sums_are_right(&server).await;
    let between = manager.named("新来的项目").await["updated_at"].clone();
    let whole = manager.named("新来的项目").await;
    let part = manager.named("新来的一期").await;
    assert_eq!(part["parent_id"], whole["id"]);
    let changed = shown(&manager).await;
    assert_ne!(changed, before);

    let id = commit.str("/id");
    let undo = format!("{IMPORTS}/{id}/undo");
    let undone = manager.post(&undo, &json!({})).send().await.expect(200);
    assert_eq!(undone.str("/state"), "undone");
    let after = shown(&manager).await;
    assert_eq!(after["cells"], before["cells"]);
    assert_eq!(after["total"], before["total"]);
    let facts = |shown: &Value| -> Vec<Value> {
        let projects = shown["projects"].as_array().unwrap();
        let known = projects.iter().cloned().map(|mut project| {
            for member in ["version", "updated_at"] {
                project.as_object_mut().unwrap().remove(member);
            }
            project
        });
        known.collect()
    };
    assert_eq!(facts(&after), facts(&before));
    sums_are_right(&server).await;

    // Versions and histories tell it: the amount went and came back, and between there was a project more.
    let known = manager.named("先有的项目").await;
    assert_eq!(known["version"], 3);
    let history = manager
        .get(&format!(
            "/v1/projects/{}/history",
            known["id"].as_str().unwrap()
        ))
        .await;
    let kinds: Vec<&str> = history
        .at("/items")
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "amended").count(), 2);
    let then = manager
        .all(&format!(
            "/v1/projects?q=新来的项目&as_of={}",
            between.as_str().unwrap()
        ))
        .await;
    assert_eq!(then.len(), 1);
    let gone = manager
        .get(&format!("/v1/projects/{}", whole["id"].as_str().unwrap()))
        .await;
    gone.expect(404);
    assert_eq!(
        manager
            .post(&undo, &json!({}))
            .send()
            .await
            .expect(409)
            .code(),
        "import_not_committed"
    );
    // And it may come again, under the same code.
    let again = manager.projects(&text, &[("mode", "commit")]).await;
    assert_eq!(counts(&again), [2, 1, 0, 0, 0]);

    // What somebody has worked on since is not taken from under him.
    let project = manager.named("新来的项目").await;
    let project = project["id"].as_str().unwrap();
    manager
        .amend(project, &json!({ "note": "有人改过" }))
        .await
        .expect(200);
    let undo = format!("{IMPORTS}/{}/undo", again.str("/id"));
    let refused = manager.post(&undo, &json!({})).send().await.expect(409);
    assert_eq!(refused.code(), "built_upon");
    assert!(refused.text.contains("新来的项目"), "{}", refused.text);
    sums_are_right(&server).await;
}

#[tokio::test]
async fn what_a_later_import_did_and_was_taken_back_is_nothing_built_upon_one() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let text = "项目名称,地区,责任单位,行业,总投资（万元）,项目代码\n又一个项目,大洼区,panjin-drc,港口,100,2501-211104-04-01-900002\n";
    let first = manager.projects(text, &[("mode", "commit")]).await;
    let later = text.replace(",100,", ",200,");
    let later = manager.projects(&later, &[("mode", "commit")]).await;
    assert_eq!(counts(&later), [0, 1, 0, 0, 0]);
    let undo = |import: &Reply| format!("{IMPORTS}/{}/undo", import.str("/id"));
    let refused = manager.post(&undo(&first), &json!({})).send().await;
    assert_eq!(refused.expect(409).code(), "built_upon");
    for import in [&later, &first] {
        manager
            .post(&undo(import), &json!({}))
            .send()
            .await
            .expect(200);
    }
    assert!(manager.names("q=又一个项目").await.is_empty());
    sums_are_right(&server).await;
}

#[tokio::test]
async fn two_files_at_once_register_a_project_once() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let text = |own: &str| {
        format!(
            "项目名称,地区,责任单位,行业,总投资（万元）\n两边都有的项目,大洼区,panjin-drc,港口,100\n{own},大洼区,panjin-drc,港口,100\n"
        )
    };
    let files: Vec<String> = ["甲的项目", "乙的项目", "丙的项目"].map(text).to_vec();
    let partly = [("mode", "commit"), ("atomic", "false")];
    let replies = join_all(files.iter().map(|file| manager.projects(file, &partly))).await;
    let created: u64 = replies.iter().map(|reply| counts(reply)[0]).sum();
    assert_eq!(created, 4);
    assert_eq!(manager.names("q=两边都有的项目").await.len(), 1);
    assert_eq!(manager.names("q=的项目&region=211104").await.len(), 4);
    sums_are_right(&server).await;
}

#[tokio::test]
async fn what_is_like_another_project_is_shown_and_never_merged_silently() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let head = "项目名称,地区,责任单位,行业,总投资（万元）\n";
    let first = format!("{head}某港区（一期）工程,大洼区,panjin-drc,港口,100\n");
    manager.projects(&first, &[("mode", "commit")]).await;
    // The same name and region, and something else said of it.
    let other = format!("{head}某港区（一期）工程,大洼区,panjin-drc,港口,200\n");
    let asked = manager.projects(&other, &[]).await;
    assert_eq!(counts(&asked), [0, 0, 0, 1, 0]);
    let double = asked.at("/duplicates/0");
    assert_eq!(double["likeness"], "same_name");
    assert_eq!(double["held"], true);
    assert_eq!(double["of"][0]["name"], "某港区（一期）工程");
    let amend = manager.projects(&other, &[("same_name", "amend")]).await;
    assert_eq!(counts(&amend), [0, 1, 0, 0, 0]);
    let create = manager.projects(&other, &[("same_name", "create")]).await;
    assert_eq!(counts(&create), [1, 0, 0, 0, 0]);
    // Nearly the same name: taken in, and shown.
    let near = format!("{head}某港区 (一期),大洼区,panjin-drc,港口,200\n");
    let near = manager.projects(&near, &[]).await;
    assert_eq!(counts(&near), [1, 0, 0, 0, 0]);
    assert_eq!(near.at("/duplicates/0/likeness"), "similar_name");
    assert_eq!(near.at("/duplicates/0/held"), false);
    // Twice in one file.
    let twice = format!(
        "{head}另一个项目,大洼区,panjin-drc,港口,200\n另一个项目,大洼区,panjin-drc,港口,200\n"
    );
    let twice = manager.projects(&twice, &[]).await;
    assert_eq!(counts(&twice), [1, 0, 0, 1, 0]);
    assert_eq!(twice.at("/duplicates/0/of/0/row"), 2);
}

#[tokio::test]
async fn nobody_brings_in_what_he_may_not_enter_or_sees_what_others_brought() {
    let server = Server::demo().await;
    add_account(&server, "dawa", Role::Officer, Some("211104")).await;
    let dawa = server.sign_in("dawa").await;
    let text = "项目名称,地区,责任单位,行业,总投资（万元）\n\
        自己的项目,大洼区,panjin-drc,港口,100\n别人的项目,盘山县,panjin-drc,港口,100\n";
    let partly = [("mode", "commit"), ("atomic", "false")];
    let reply = dawa.projects(text, &partly).await;
    assert_eq!(counts(&reply), [1, 0, 0, 0, 1]);
    assert_eq!(said(&reply, "refused"), ["3B forbidden"]);
    let manager = server.sign_in("manager").await;
    let id = reply.str("/id");
    for path in ["", "/rows", "/errors.xlsx"] {
        let path = format!("{IMPORTS}/{id}{path}");
        assert_eq!(manager.get(&path).await.status, 404, "{path}");
        dawa.get(&path).await.expect(200);
    }
    let undo = format!("{IMPORTS}/{id}/undo");
    manager.post(&undo, &json!({})).send().await.expect(404);
    assert_eq!(dawa.get(IMPORTS).await.at("/items/0/id"), &json!(id));
    assert!(
        manager
            .get(IMPORTS)
            .await
            .at("/items")
            .as_array()
            .unwrap()
            .is_empty()
    );
    // An officer takes nothing over at a stage.
    let opening = "项目名称,地区,责任单位,行业,总投资（万元）,阶段\n在建的项目,大洼区,panjin-drc,港口,100,在建\n";
    let reply = dawa.projects(opening, &[("opening_balance", "true")]).await;
    assert_eq!(said(&reply, "refused"), ["2B needs_manager"]);
    let reply = manager
        .projects(opening, &[("opening_balance", "true"), ("mode", "commit")])
        .await;
    assert_eq!(counts(&reply), [1, 0, 0, 0, 0]);
    let project = manager.named("在建的项目").await;
    assert_eq!(project["stage"], "construction");
    assert_eq!(project["stage_basis"], "opening_balance");
    sums_are_right(&server).await;
}

#[tokio::test]
async fn plans_months_permits_and_targets_come_in_and_are_taken_back() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let text =
        "项目名称,地区,责任单位,行业,总投资（万元）\n某泊位工程,大洼区,panjin-drc,港口,100\n";
    manager.projects(text, &[("mode", "commit")]).await;
    let project = manager.named("某泊位工程").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let before = manager
        .get(&format!("/v1/projects/{project}/plan-years"))
        .await
        .body;
    let files = [
        (
            "annual_plans",
            "单位：万元\n项目名称,2025年计划投资,2026年计划投资\n某泊位工程,40,60\n",
            2,
        ),
        (
            "monthly_figures",
            "2025年3月调度表\n项目名称,本月完成投资（万元）,资金到位（万元）\n某泊位工程,12,20\n",
            1,
        ),
        (
            "approvals",
            "项目名称,手续名称,文号,批复时间,审批部门\n某泊位工程,环评批复,盘环审〔2025〕1号,2025年2月3日,盘锦市生态环境局\n",
            1,
        ),
        (
            "targets",
            "计划,指标名称,地区,指标类别,年度,目标值,计量单位\n2026年计划,新开工项目,盘锦市,新开工,2026,40,个\n",
            1,
        ),
    ];
    let mut imports = Vec::new();
    for (kind, text, created) in files {
        let fields = [("kind", kind), ("mode", "commit"), ("wait", "30")];
        let reply = manager
            .import(("a.csv", text.as_bytes()), &fields)
            .await
            .expect(201);
        assert_eq!(
            counts(&reply),
            [created, 0, 0, 0, 0],
            "{kind} {}",
            reply.text
        );
        let again = manager
            .import(("a.csv", text.as_bytes()), &fields)
            .await
            .expect(201);
        assert_eq!(
            counts(&again),
            [0, 0, created, 0, 0],
            "{kind} {}",
            again.text
        );
        imports.push(reply.str("/id"));
    }
    let plans = manager
        .get(&format!("/v1/projects/{project}/plan-years"))
        .await;
    assert_eq!(plans.at("/items/1/planned_investment"), "600000.00");
    let month = manager
        .get(&format!("/v1/projects/{project}/investment/2025/3"))
        .await;
    assert_eq!(month.at("/completed"), "120000.00");
    assert_eq!(month.at("/funds_received"), "200000.00");
    let permit = format!("/v1/projects/{project}/approvals/environmental_assessment");
    assert_eq!(manager.get(&permit).await.at("/status"), "obtained");
    sums_are_right(&server).await;
    for id in imports.iter().rev() {
        let undo = format!("{IMPORTS}/{id}/undo");
        manager.post(&undo, &json!({})).send().await.expect(200);
    }
    assert_eq!(
        manager
            .get(&format!("/v1/projects/{project}/plan-years"))
            .await
            .body,
        before
    );
    manager.get(&permit).await.expect(404);
    manager
        .get(&format!("/v1/projects/{project}/investment/2025/3"))
        .await
        .expect(404);
    sums_are_right(&server).await;
}

#[tokio::test]
async fn a_mapping_is_corrected_once_and_remembered_for_its_sender() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let text = "项目名称,地区,责任单位,行业,盘子（万元）\n某个项目,大洼区,panjin-drc,港口,100\n";
    let plain = manager.projects(text, &[]).await;
    assert_eq!(plain.at("/sheets/0/mapping/4/field"), &Value::Null);
    assert_eq!(plain.at("/sheets/0/mapping/4/samples/0"), "100");
    let mapping = r#"[{"columns": {"E": "total_investment"}}]"#;
    let told = [("mapping", mapping), ("sender", "大洼区发改局")];
    let corrected = manager.projects(text, &told).await;
    assert_eq!(corrected.str("/total"), "1000000.00");
    assert_eq!(corrected.at("/sheets/0/mapping/4/because"), "given");
    let next = manager.projects(text, &[("sender", "大洼区发改局")]).await;
    assert_eq!(next.at("/sheets/0/mapping/4/because"), "remembered");
    assert_eq!(next.str("/total"), "1000000.00");
    let other = manager.projects(text, &[("sender", "盘山县发改局")]).await;
    assert_eq!(other.at("/sheets/0/mapping/4/field"), &Value::Null);

    // Who changed how later files are understood is recorded, once.
    manager.projects(text, &told).await;
    let auditor = server.sign_in("auditor").await;
    let recorded = auditor.get("/v1/audit?kind=mapping_remembered").await;
    let recorded = recorded.expect(200);
    let recorded = recorded.at("/items").as_array().unwrap();
    assert_eq!(recorded.len(), 1);
    let entry = &recorded[0];
    assert_eq!(entry["actor"], "manager");
    assert_eq!(entry["subject"], format!("import/{}", corrected.str("/id")));
    assert_eq!(entry["after"]["sender"], "大洼区发改局");
    assert_eq!(
        entry["after"]["columns"],
        json!({ "盘子（万元）": "total_investment" })
    );
}

#[tokio::test]
async fn a_form_that_can_not_be_understood_says_which_field() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let file = ("a.csv", "项目名称\n某\n".as_bytes());
    for (fields, pointer) in [
        (&[("mode", "preview")][..], "/kind"),
        (&[("kind", "dreams")], "/kind"),
        (&[("kind", "projects"), ("mode", "now")], "/mode"),
        (&[("kind", "projects"), ("atomic", "perhaps")], "/atomic"),
        (&[("kind", "projects"), ("unit", "dollar")], "/unit"),
        (&[("kind", "projects"), ("mapping", "[{]")], "/mapping"),
        (&[("kind", "projects"), ("wait", "31")], "/wait"),
        (&[("kind", "projects"), ("secret", "1")], "/secret"),
    ] {
        let reply = manager.import(file, fields).await.expect(422);
        assert_eq!(reply.pointers(), [pointer], "{}", reply.text);
    }
    let plain = manager
        .post(IMPORTS, &json!({ "kind": "projects" }))
        .send()
        .await;
    plain.expect(415);
    let filters = manager
        .get(&format!(
            "{IMPORTS}/{}/rows?outcome=lost",
            uuid::Uuid::nil()
        ))
        .await;
    filters.expect(400);
}

/// A workbook of these parts, as they are.
fn packed(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(*name, options).unwrap();
        std::io::Write::write_all(&mut zip, bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const TYPES: &[u8] = br#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#;
const RELS: &[u8] = br#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK: &[u8] = br#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const BOOK_RELS: &[u8] = br#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#;

fn book(sheet: &str, strings: &str) -> Vec<u8> {
    let sheet = format!(r#"<?xml version="1.0"?>{sheet}"#);
    let strings = format!(r#"<?xml version="1.0"?>{strings}"#);
    packed(&[
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", RELS),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", BOOK_RELS),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ("xl/sharedStrings.xml", strings.as_bytes()),
    ])
}

#[tokio::test]
async fn files_that_would_end_a_parser_end_nothing() {
    const SHEET: &str = r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData></worksheet>"#;
    const STRINGS: &str = r#"<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="1" uniqueCount="1"><si><t>a</t></si></sst>"#;
    let many = STRINGS.replace("uniqueCount=\"1\"", "uniqueCount=\"40000000000\"");
    let far = SHEET.replace(
        "</row>",
        "</row><row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>",
    );
    let doctype = format!("<!DOCTYPE a [<!ENTITY b \"c\">]>{SHEET}");
    let bomb = packed(&[("xl/worksheets/sheet1.xml", &vec![b' '; 64 * 1024 * 1024])]);
    let whole = book(SHEET, STRINGS);
    let mut ole = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    ole.resize(2048, 0);
    let files: [(&str, Vec<u8>); 8] = [
        ("strings", book(SHEET, &many)),
        ("cells", book(&far, STRINGS)),
        ("doctype", book(&doctype, STRINGS)),
        ("bomb", bomb),
        ("truncated", whole[..whole.len() / 2].to_vec()),
        ("ole", ole),
        ("picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec()),
        ("empty", Vec::new()),
    ];
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let fields = [("kind", "projects"), ("wait", "30")];
    for (name, bytes) in &files {
        let reply = manager.import(("a.xlsx", bytes), &fields).await.expect(201);
        assert_eq!(reply.str("/state"), "refused", "{name}");
        assert_eq!(reply.str("/problem/code"), "file_refused", "{name}");
        assert!(
            reply.str("/problem/detail").len() > 10,
            "{name} {}",
            reply.text
        );
    }
    // The file that they are made of is fine, but has no table; and the service goes on.
    let fine = manager
        .import(("a.xlsx", &whole), &fields)
        .await
        .expect(201);
    assert_eq!(fine.str("/state"), "done");
    assert_eq!(fine.at("/sheets/0/state"), "no_table");
    let large = vec![b'a'; 21 * 1024 * 1024];
    manager.import(("a.csv", &large), &fields).await.expect(413);
}
