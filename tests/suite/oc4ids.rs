//! Open data: what a manager lets everybody know, and nothing else of it.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use taizhang::auth::Role;
use taizhang::config::OpenData;

use crate::support::library::{add_account, fields, with};
use crate::support::projects::Office;
use crate::support::{Client, Server};

const PACKAGE: &str = "/v1/exports/oc4ids.json";
const USCC: &str = "91110000600037341L";
/// What may not be found in a package.
const SECRET: &str = "不公开";

async fn projects(client: &Client, query: &str) -> Vec<Value> {
    let package = client.get(&format!("{PACKAGE}{query}")).await.expect(200);
    package.at("/projects").as_array().unwrap().clone()
}

/// The project of a package that has this title.
fn titled<'a>(projects: &'a [Value], title: &str) -> &'a Value {
    let found = projects.iter().find(|project| project["title"] == title);
    found.unwrap_or_else(|| panic!("no {title}"))
}

#[tokio::test]
async fn a_manager_alone_decides_what_may_be_told() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({})).await;
    let publish = json!({ "published": true });
    let path = project.path("");
    let asked = office.officer.patch(&path, &publish);
    let refused = asked.if_match(&project.etag().await).send().await;
    assert_eq!(
        (refused.status, refused.code()),
        (403, "needs_manager".to_owned())
    );
    let new = with(fields("当场公开", "211104"), &publish);
    let refused = office.officer.post("/v1/projects", &new).send().await;
    assert_eq!(
        (refused.status, refused.code()),
        (403, "needs_manager".to_owned())
    );
    // Nor by another office's key, which an officer may use.
    let by_key =
        json!({ "items": [{ "external_ref": { "system": "oa", "key": "1" }, "fields": new }] });
    let batch = office
        .officer
        .post("/v1/batches/projects", &by_key)
        .send()
        .await;
    assert_eq!(
        (batch.status, batch.error_codes()),
        (403, vec!["needs_manager".to_owned()])
    );

    let told = office
        .manager
        .amend(&project.id, &publish)
        .await
        .expect(200);
    assert_eq!(told.at("/published"), true);
    let history = project.history().await;
    assert_eq!(history.first().unwrap()["after"], publish);
    // What else is said of it an officer may go on amending; its publication he can't take back.
    let renamed = office
        .officer
        .amend(&project.id, &json!({ "name": "改名" }))
        .await;
    assert_eq!(renamed.expect(200).at("/published"), true);
    for back in [json!({ "published": false }), json!({ "published": null })] {
        let refused = office.officer.amend(&project.id, &back).await;
        assert_eq!(
            (refused.status, refused.code()),
            (403, "needs_manager".to_owned())
        );
    }
    let listed = office.manager.all("/v1/projects?published=true").await;
    let names: Vec<&Value> = listed.iter().map(|project| &project["name"]).collect();
    assert_eq!(names, ["改名"]);
    let others = office.manager.all("/v1/projects?published=false").await;
    assert!(others.len() > 100 && others.iter().all(|other| other["published"] == false));
    assert_eq!(projects(&office.officer, "").await.len(), 1);

    let back = json!({ "published": null });
    let taken_back = office.manager.amend(&project.id, &back).await.expect(200);
    assert_eq!(taken_back.at("/published"), false);
    let nothing = office.officer.get(PACKAGE).await;
    assert_eq!(
        (nothing.status, nothing.code()),
        (422, "nothing_published".to_owned())
    );
}

#[tokio::test]
async fn what_was_written_for_the_office_is_in_no_package() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let secret = |what: &str| format!("{SECRET}{what}");
    let proof = |what: &str| {
        json!({ "document_number": secret(what), "issued_on": "2024-11-05", "authority": secret(what),
            "attachment": format!("https://example.gov.cn/{}", secret(what)), "description": secret(what) })
    };
    let whole = office.register(&json!({ "name": secret("的整体") })).await;
    let told = json!({
        "published": true, "name": "公开的项目", "capacity": "年产5万吨", "parent_id": whole.id,
        "aliases": [secret("别名")], "steward": secret("管家"), "note": secret("备注"),
        "investment_note": secret("金额说明"), "owner": { "name": secret("个人") },
        "total_investment": { "floor": "98765432100.00" },
        "signed_on": "2024-11-05", "signed_document": proof("签约"), "landed_on": "2024-11-06",
        "landed_document": proof("落地"), "funds_approved_on": "2024-11-07", "funds_approved_document": proof("资金"),
    });
    let project = office
        .manager
        .register(&crate::support::projects::fields(&told))
        .await;
    let id = project.str("/id");
    // All that is known of it, and how much of that is not for everybody.
    let known = office
        .officer
        .get(&format!("/v1/projects/{id}"))
        .await
        .expect(200);
    assert_eq!(
        known.text.matches(SECRET).count(),
        5 + 12 + 1,
        "{}",
        known.text
    );
    let permit = json!({ "status": "obtained", "document_number": secret("手续"), "issued_on": "2025-02-20",
        "authority": secret("审批"), "attachment": format!("https://example.gov.cn/{}", secret("附件")) });
    let path = format!("/v1/projects/{id}/approvals/land_use");
    office
        .officer
        .put(&path, &permit)
        .if_none()
        .send()
        .await
        .expect(201);

    let package = office.officer.get(PACKAGE).await.expect(200);
    assert!(!package.text.contains(SECRET), "{}", package.text);
    assert!(
        !package.text.contains("9876543"),
        "a bound is no budget: {}",
        package.text
    );
    let told = titled(package.at("/projects").as_array().unwrap(), "公开的项目");
    // Not a member more than is meant to be told.
    let members: BTreeSet<&str> = told
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let meant = [
        "id",
        "updated",
        "language",
        "title",
        "description",
        "status",
        "additionalClassifications",
        "locations",
        "publicAuthority",
        "parties",
    ];
    assert_eq!(members, meant.into());
    assert_eq!(told["description"], "年产5万吨");
    // Its whole is told of when it may be itself.
    office
        .manager
        .amend(
            &whole.id,
            &json!({ "published": true, "name": "公开的整体" }),
        )
        .await
        .expect(200);
    let both = projects(&office.officer, "").await;
    let part = titled(&both, "公开的项目");
    assert_eq!(
        part["relatedProjects"][0]["identifier"],
        titled(&both, "公开的整体")["id"]
    );
}

#[tokio::test]
async fn a_person_is_no_party() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    // Somebody who trades under his own name has a code too, and one without a code may be anybody.
    let owners = [
        ("张三", json!(null)),
        ("李四商店", json!(trader())),
        ("中国石油化工股份有限公司", json!(USCC)),
    ];
    let mut names = Vec::new();
    for (name, uscc) in owners {
        let told = json!({ "published": true, "owner": { "name": name, "uscc": uscc } });
        manager
            .register(&with(fields(&format!("{name}的项目"), "211104"), &told))
            .await;
    }
    for project in projects(&manager, "?sort=created_at").await {
        let parties = project["parties"].as_array().unwrap();
        names.push(
            parties
                .iter()
                .map(|party| party["name"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>(),
        );
    }
    let office = "盘锦市发展和改革委员会";
    assert_eq!(
        names,
        [
            vec![office],
            vec![office],
            vec![office, "中国石油化工股份有限公司"]
        ]
    );
}

/// The 统一社会信用代码 of a trader under his own name, with the right check character.
fn trader() -> String {
    let is_right = |code: &String| domain::code::Uscc::parse(code).is_ok();
    let codes = "0123456789ABCDEFGHJKLMNPQRTUWXY".chars();
    let mut codes = codes.map(|check| format!("92110000600037341{check}"));
    codes.find(is_right).unwrap()
}

/// A library of which everything that can be told is told.
async fn published(server: &Server) -> Office {
    let office = Office::of(server).await;
    let exact = json!({ "exact": "123456789012.34" });
    let cover = json!({ "name": "打捆", "family_counting": "parts", "total_investment": null, "signed_on": null,
        "signed_document": null, "published": true });
    let cover = office
        .manager
        .register(&crate::support::projects::fields(&cover))
        .await
        .str("/id");
    let owner = json!({ "name": "中国石油化工股份有限公司", "uscc": USCC });
    for stage in ["planning", "attraction", "construction", "completion"] {
        let named = json!({ "name": stage, "owner": owner, "total_investment": exact, "parent_id": cover,
            "capacity": "双向六车道", "planned_start_on": "2025-03-01", "planned_completion_on": "2028-10-31",
            "region": "211100-ldw", "unit": "liaodongwan-mc", "sector": "交通", "programme": "infrastructure" });
        let project = office.at_stage(stage, &named).await;
        office
            .manager
            .amend(&project.id, &json!({ "published": true }))
            .await
            .expect(200);
    }
    let open = json!({ "published": true });
    let running = office
        .at_stage("completion", &json!({ "name": "running" }))
        .await;
    running
        .amend(&json!({ "commissioned_on": "2025-11-01" }))
        .await;
    office.manager.amend(&running.id, &open).await.expect(200);
    for condition in ["suspended", "withdrawn"] {
        let project = office.register(&json!({ "name": condition })).await;
        project.manage(condition, "2025-06-01").await;
        office.manager.amend(&project.id, &open).await.expect(200);
    }
    let bare = with(fields("bare", "211102"), &open);
    office.manager.register(&bare).await;
    office
}

/// Whether the standard's own library finds nothing wrong; none if this machine has no schema of it.
fn is_of_the_standard(package: &[u8]) -> Option<bool> {
    std::env::var_os("OC4IDS_SCHEMA_DIR")?;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("package.json");
    std::fs::write(&file, package).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/check-oc4ids");
    Some(Command::new(script).arg(file).status().unwrap().success())
}

#[tokio::test]
async fn a_package_is_one_of_the_standard() {
    let server = Server::configured(|config| {
        config.open_data = OpenData {
            prefix: "oc4ids-abc123".to_owned(),
            publisher: "盘锦市发展和改革委员会".to_owned(),
            publisher_uscc: Some(USCC.to_owned()),
            publisher_uri: Some("https://fgw.panjin.example.gov.cn/".to_owned()),
            uri: Some("https://data.panjin.example.gov.cn/oc4ids.json".to_owned()),
            license: Some("https://creativecommons.org/licenses/by/4.0/".to_owned()),
            publication_policy: Some("https://data.panjin.example.gov.cn/policy".to_owned()),
            sectors: [("交通".to_owned(), "transport.road".to_owned())].into(),
        };
    })
    .await;
    let office = published(&server).await;
    let package = office.officer.get(PACKAGE).await.expect(200);
    assert_eq!(package.header("content-type").unwrap(), "application/json");
    let kept = package.header("content-disposition").unwrap();
    assert!(kept.contains("oc4ids.json"), "{kept}");
    let told = package.at("/projects").as_array().unwrap();
    for (title, status) in [
        ("planning", "identification"),
        ("attraction", "preparation"),
        ("construction", "implementation"),
        ("completion", "completion"),
        ("running", "maintenance"),
        ("suspended", "identification"),
        ("withdrawn", "cancelled"),
        ("bare", "identification"),
    ] {
        assert_eq!(titled(told, title)["status"], status, "{title}");
    }
    let done = titled(told, "completion");
    assert!(
        package
            .text
            .contains(r#""amount":{"amount":123456789012.34,"currency":"CNY"}"#)
    );
    let id = office.officer.named("completion").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(done["id"], format!("oc4ids-abc123-{id}"));
    assert_eq!(
        done["period"],
        json!({ "startDate": "2025-03-01T00:00:00+08:00", "endDate": "2028-10-31T23:59:59+08:00" })
    );
    assert_eq!(
        done["completion"],
        json!({ "endDate": "2025-10-30T23:59:59+08:00" })
    );
    assert_eq!(done["sector"], json!(["transport", "transport.road"]));
    assert_eq!(
        done["locations"][0]["gazetteer"]["identifiers"],
        json!(["211100"])
    );
    assert_eq!(done["parties"][1]["identifier"]["id"], USCC);
    assert_eq!(
        done["relatedProjects"][0]["identifier"],
        titled(told, "打捆")["id"]
    );
    match is_of_the_standard(&package.bytes) {
        Some(is_right) => assert!(is_right, "{}", package.text),
        // Past what the test runner keeps to itself.
        None => writeln!(
            std::io::stderr(),
            "SKIPPED, for OC4IDS_SCHEMA_DIR is not set: the package against the standard"
        )
        .unwrap(),
    }
}

#[tokio::test]
async fn a_package_has_what_its_reader_may_see_and_is_recorded() {
    let server = Server::demo().await;
    let office = published(&server).await;
    add_account(&server, "shuangtaizi", Role::Officer, Some("211102")).await;
    let officer = server.sign_in("shuangtaizi").await;
    let seen = projects(&officer, "").await;
    assert_eq!(seen.len(), 1);
    let seen = projects(&office.officer, "?stage=completion&sort=name").await;
    let titles: Vec<&Value> = seen.iter().map(|project| &project["title"]).collect();
    assert_eq!(titles, ["completion", "running"]);
    let refused = office
        .officer
        .get(&format!("{PACKAGE}?published=false"))
        .await;
    assert_eq!(refused.error_codes(), ["contradictory_filters"]);
    let auditor = server.sign_in("auditor").await;
    let recorded = auditor.get("/v1/audit?kind=exported").await.expect(200);
    assert_eq!(recorded.at("/items/0/subject"), "oc4ids");
    let asked = json!({ "form": "json", "projects": 2, "asked": { "stage": ["completion"], "sort": ["name"] } });
    assert_eq!(recorded.at("/items/0/after"), &asked);
}
