//! Industrial chains (产业链): which project belongs to which, now and as it was known, and what they add up to.

use serde_json::{Value, json};
use taizhang::catalogue::Catalogue;

use crate::support::library::{fields, id, with};
use crate::support::{Client, Server};
use crate::year_accounts::load;

/// An instant after all that is done, and before all that will be.
fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// A project of a chain.
async fn of_chain(client: &Client, name: &str, chain: &Value) -> String {
    let body = with(fields(name, "211100"), &json!({ "chain": chain }));
    let made = client.register(&body).await;
    assert_eq!(made.at("/chain"), chain);
    id(&made)
}

async fn names(client: &Client, path: &str) -> Vec<String> {
    let found = client.all(path).await.into_iter();
    let mut names: Vec<String> = found
        .map(|project| project["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn the_chains_that_the_citys_plan_names_come_with_the_catalogue() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let chains = leader.all("/v1/chains").await;
    assert_eq!(chains.len(), 9);
    let ethylene = leader.get("/v1/chains/ethylene").await.expect(200);
    assert_eq!(ethylene.str("/name"), "乙烯产业链");
    assert!(chains.contains(&ethylene.body));
}

#[tokio::test]
async fn a_project_is_put_on_a_chain_and_taken_off_and_its_history_tells_so() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let project = of_chain(&officer, "甲醇制烯烃", &Value::Null).await;
    let put = json!({ "chain": "ethylene" });
    let put = officer.amend(&project, &put).await.expect(200);
    assert_eq!(put.str("/chain"), "ethylene");
    let was_on = now();
    let moved = json!({ "chain": "propylene" });
    officer.amend(&project, &moved).await.expect(200);
    let off = json!({ "chain": null });
    let off = officer.amend(&project, &off).await.expect(200);
    assert_eq!(off.at("/chain"), &Value::Null);

    let history = format!("/v1/projects/{project}/history");
    let history = officer.all(&history).await;
    let told: Vec<(&Value, &Value)> = history
        .iter()
        .filter(|entry| entry["kind"] == "amended")
        .map(|entry| (&entry["before"]["chain"], &entry["after"]["chain"]))
        .collect();
    let steps = [
        (&json!(null), &json!("ethylene")),
        (&json!("ethylene"), &json!("propylene")),
        (&json!("propylene"), &json!(null)),
    ];
    for step in steps {
        assert!(told.contains(&step), "{history:?}");
    }

    // What was known then is not what is known now.
    let then = format!("/v1/projects?chain=ethylene&as_of={was_on}");
    assert_eq!(names(&officer, &then).await, ["甲醇制烯烃"]);
    let now = "/v1/projects?chain=ethylene";
    assert_eq!(names(&officer, now).await, [""; 0]);
    let then = format!("/v1/summary?group_by=chain&q=甲醇制烯烃&as_of={was_on}");
    let then = officer.get(&then).await.expect(200);
    assert_eq!(then.str("/cells/0/chain"), "ethylene");
}

#[tokio::test]
async fn another_office_puts_its_project_on_a_chain_by_its_code() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let path = "/v1/projects/by-code/2101-211100-04-01-000061";
    let body = with(
        fields("芳烃联合装置", "211100"),
        &json!({ "chain": "aromatics" }),
    );
    let made = officer.put(path, &body).if_none().send().await.expect(201);
    assert_eq!(made.str("/chain"), "aromatics");
    let body = with(body, &json!({ "chain": "c4" }));
    let put = officer.put(path, &body).if_match(&made.etag());
    assert_eq!(put.send().await.expect(200).str("/chain"), "c4");
    let read = officer.get(path).await.expect(200);
    assert_eq!(read.str("/chain"), "c4");
}

#[tokio::test]
async fn projects_summaries_accounts_and_differences_are_asked_for_by_chain() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let from = now();
    for (name, chain) in [
        ("链试甲一", json!("hydrogen")),
        ("链试甲二", json!("hydrogen")),
        ("链试乙", json!("soybean")),
        ("链试无", Value::Null),
    ] {
        of_chain(&manager, name, &chain).await;
    }
    let asked = [
        ("chain=hydrogen", vec!["链试甲一", "链试甲二"]),
        (
            "chain=hydrogen&chain=soybean",
            vec!["链试乙", "链试甲一", "链试甲二"],
        ),
        ("chain=soybean&chain=null", vec!["链试乙", "链试无"]),
        ("chain=rice", vec![]),
    ];
    let year = &crate::support::library::day(0)[..4];
    for (filter, expected) in asked {
        let listed = names(&manager, &format!("/v1/projects?{filter}&q=链试")).await;
        assert_eq!(listed, expected, "{filter}");
        let summary = format!("/v1/summary?{filter}&q=链试");
        let summary = manager.get(&summary).await.expect(200);
        assert_eq!(summary.at("/total/count"), expected.len(), "{filter}");
        let accounts = format!("/v1/accounts/{year}?{filter}&q=链试");
        let accounts = manager.get(&accounts).await.expect(200);
        let planned = accounts.at("/total/lines/planned/count");
        assert_eq!(planned, expected.len(), "{filter}");
        let diff = format!("/v1/summary/diff?from={from}&{filter}&q=链试");
        let diff = manager.get(&diff).await.expect(200);
        assert_eq!(diff.at("/difference/count"), expected.len(), "{filter}");
    }

    // By chain, each cell of the accounts leads to its projects.
    let accounts = format!("/v1/accounts/{year}?q=链试&group_by=chain");
    let accounts = manager.get(&accounts).await.expect(200);
    let cells = accounts.at("/cells").as_array().unwrap();
    let told: Vec<(&Value, &Value)> = cells
        .iter()
        .map(|cell| (&cell["chain"], &cell["lines"]["planned"]["count"]))
        .collect();
    let expected = [
        (&json!("hydrogen"), &json!(2)),
        (&json!("soybean"), &json!(1)),
        (&json!(null), &json!(1)),
    ];
    assert_eq!(told, expected);
    for cell in cells {
        let planned = &cell["lines"]["planned"];
        let behind = manager.all(planned["projects"].as_str().unwrap()).await;
        assert_eq!(planned["count"], behind.len());
        assert!(
            behind
                .iter()
                .all(|project| project["chain"] == cell["chain"])
        );
    }
}

#[tokio::test]
async fn a_chain_that_is_or_was_used_is_not_removed() {
    let server = Server::demo().await;
    let admin = server.sign_in("admin").await;
    let officer = server.sign_in("officer").await;
    let project = of_chain(&officer, "稻米油", &json!("rice")).await;
    let rice = admin.get("/v1/chains/rice").await.expect(200);
    let remove = || admin.delete("/v1/chains/rice").if_match(&rice.etag());
    let kept = remove().send().await.expect(409);
    assert_eq!(kept.code(), "still_in_use");
    let was_on = now();
    let off = json!({ "chain": null });
    officer.amend(&project, &off).await.expect(200);
    // As it was known, it was on it all the same, and that has to be found again.
    let kept = remove().send().await.expect(409);
    assert_eq!(kept.code(), "still_in_use");
    let then = format!("/v1/summary?group_by=chain&q=稻米油&as_of={was_on}");
    let then = officer.get(&then).await.expect(200);
    assert_eq!(then.str("/cells/0/chain"), "rice");
    let projects = officer
        .get(&then.str("/cells/0/projects"))
        .await
        .expect(200);
    assert_eq!(projects.str("/items/0/name"), "稻米油");
    let unused = json!({ "name": "未用过的链", "aliases": [] });
    let made = admin
        .put("/v1/chains/unused", &unused)
        .if_none()
        .send()
        .await;
    let remove = admin
        .delete("/v1/chains/unused")
        .if_match(&made.expect(201).etag());
    remove.send().await.expect(204);
}

#[tokio::test]
async fn a_data_set_tells_chains_and_what_belongs_to_them() {
    let server = Server::demo().await;
    let directory = tempfile::TempDir::new().unwrap();
    for (name, text) in [
        (
            "chains.csv",
            "code,name,aliases\nwind,风电产业链,风电|风力发电\n",
        ),
        (
            "projects.csv",
            "ref,name,region,unit,chain,stage,basis_inferred\n\
             wind-1,塔筒制造,211100,panjin-drc,wind,planning,false\n\
             wind-2,别的制造,211100,panjin-drc,,planning,false\n",
        ),
    ] {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    load(&server, Catalogue::read(directory.path()).unwrap()).await;
    let leader = server.sign_in("leader").await;
    let wind = leader.get("/v1/chains/wind").await.expect(200);
    assert_eq!(wind.at("/aliases"), &json!(["风电", "风力发电"]));
    assert_eq!(
        names(&leader, "/v1/projects?chain=wind").await,
        ["塔筒制造"]
    );
}
