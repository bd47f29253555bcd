//! Sums that are kept: right at every moment, told again only when they changed, and proved.

use futures::future::join_all;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use taizhang::store::rollup;

use crate::support::library::{fields, in_store, with};
use crate::support::projects::{Office, step};
use crate::support::{Client, Reply, Server};

/// How many write at once, and how many projects each moves.
const WRITERS: usize = 16;
const MOVES: usize = 6;
/// How many read meanwhile.
const READERS: usize = 4;

async fn by_stage(client: &Client) -> Value {
    client
        .get("/v1/summary?group_by=stage")
        .await
        .expect(200)
        .body
}

fn of_stage(summary: &Value, stage: &str) -> u64 {
    let cells = summary["cells"].as_array().unwrap();
    let cell = cells.iter().find(|cell| cell["stage"] == stage);
    cell.map_or(0, |cell| cell["count"].as_u64().unwrap())
}

#[tokio::test]
async fn every_summary_that_is_read_while_many_write_is_a_state_that_was() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let mut projects = Vec::new();
    for _ in 0..WRITERS * MOVES {
        let project = office.register(&json!({})).await;
        let etag = project.etag().await;
        projects.push((project, etag));
    }
    let before = by_stage(&office.manager).await;
    let all = before["total"]["count"].as_u64().unwrap();
    let start = of_stage(&before, "attraction");
    let finished = std::cell::Cell::new(0);
    let body = step("attraction");
    let write = |projects: &'static [(crate::support::projects::Project, String)]| {
        let (finished, office, body) = (&finished, &office, &body);
        async move {
            for (project, etag) in projects {
                let path = project.path("/transitions");
                let moved = office
                    .officer
                    .post(&path, body)
                    .if_match(etag)
                    .in_turn()
                    .await;
                moved.expect(201);
                finished.set(finished.get() + 1);
                // Who reads after a write sees it, and what others have done before.
                let done = finished.get();
                let told = of_stage(&by_stage(&office.manager).await, "attraction");
                assert!(told >= start + done, "{told} after {done}");
            }
        }
    };
    let read = || {
        let (finished, office) = (&finished, &office);
        async move {
            let most = u64::try_from(WRITERS * MOVES).unwrap();
            let mut last = start;
            while finished.get() < most {
                let summary = by_stage(&office.manager).await;
                let cells = summary["cells"].as_array().unwrap();
                let sum: u64 = cells
                    .iter()
                    .map(|cell| cell["count"].as_u64().unwrap())
                    .sum();
                assert_eq!((sum, &summary["total"]["count"]), (all, &json!(all)));
                let attraction = of_stage(&summary, "attraction");
                assert!(last <= attraction, "{last}, then {attraction}");
                last = attraction;
            }
        }
    };
    let projects: &'static Vec<_> = Box::leak(Box::new(projects));
    let writers = join_all(projects.chunks(MOVES).map(write));
    let readers = join_all((0..READERS).map(|_| read()));
    futures::future::join(writers, readers).await;
    let after = by_stage(&office.manager).await;
    let moved = u64::try_from(WRITERS * MOVES).unwrap();
    assert_eq!(of_stage(&after, "attraction"), start + moved);
    let proof = in_store(&server, async |db| rollup::verify(&db).await.unwrap()).await;
    assert_eq!(proof.differences, []);
}

#[tokio::test]
async fn a_cell_that_was_changed_by_hand_is_found_and_made_right() {
    let server = Server::demo().await;
    let db = server.database().await;
    in_store(&server, async |db| rollup::fold(&db).await.unwrap()).await;
    let changed = db
        .execute_unprepared(
            "UPDATE rollup_cell SET n = n + 1 WHERE region = '211104' AND line = 'stock' AND stage = 'planning' \
             AND tier = 'undetermined' AND by_project AND by_part",
        )
        .await
        .unwrap();
    assert_eq!(changed.rows_affected(), 1);
    let leader = server.sign_in("leader").await;
    let told = async || {
        let all = leader.get("/v1/summary?region=211104").await.expect(200);
        all.at("/total/count").as_u64().unwrap()
    };
    let wrong = told().await;
    let proof = in_store(&server, async |db| rollup::verify(&db).await.unwrap()).await;
    assert_eq!(proof.count, 1);
    // Whoever watches the service is told.
    let nobody = server.anonymous();
    let ready = nobody.get("/readyz").await.expect(200);
    assert_eq!(ready.at("/sums/state"), "differ");
    assert_eq!(ready.at("/sums/differences"), 1);
    let metrics = nobody.get("/metrics").await.expect(200);
    assert!(
        metrics.text.contains("\ntaizhang_sums_differences 1\n"),
        "{}",
        metrics.text
    );
    let found = &proof.differences[0];
    assert!(
        found.cell.contains("region=211104") && found.cell.contains("stage=planning"),
        "{found:?}"
    );
    assert_eq!(found.kept[0], found.counted[0] + 1);
    in_store(&server, async |db| rollup::rebuild(&db).await.unwrap()).await;
    let proof = in_store(&server, async |db| rollup::verify(&db).await.unwrap()).await;
    assert_eq!((proof.count, proof.differences), (0, vec![]));
    // The wrong number that was answered is not given again.
    assert_eq!(told().await, wrong - 1);
    assert_eq!(
        nobody.get("/readyz").await.expect(200).at("/sums/state"),
        "agree"
    );
}

#[tokio::test]
async fn a_sum_of_a_day_that_is_over_is_kept_told_and_proved() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let by_stage = "/v1/summary?group_by=stage";
    let now = manager.get(by_stage).await.str("/as_of").clone();
    let path = format!("{by_stage}&as_of={now}");
    let told = manager.get(&path).await.expect(200);
    let until = now.parse().unwrap();
    in_store(&server, async move |db| {
        rollup::keep(&db, until).await.unwrap();
        // Today is not over: there is nothing else to keep.
        assert!(!rollup::keep_next_day(&db).await.unwrap());
    })
    .await;
    let office = Office::of(&server).await;
    for _ in 0..3 {
        office.register(&json!({})).await;
    }
    let again = manager.get(&path).await.expect(200);
    assert_eq!(again.at("/cells"), told.at("/cells"));
    let db = server.database().await;
    let changed = "UPDATE rollup_past SET n = n + 2 WHERE line = 'stock' AND stage = 'planning' \
                   AND tier = 'undetermined' AND condition = 'active' AND by_project AND by_part";
    let changed = db.execute_unprepared(changed).await.unwrap();
    assert_eq!(changed.rows_affected(), 1);
    let proof = in_store(&server, async |db| rollup::verify(&db).await.unwrap()).await;
    let found = &proof.differences[..];
    assert_eq!((proof.count, found.len()), (1, 1), "{found:?}");
    assert!(
        found[0].cell.starts_with("until=2") && found[0].kept[0] == found[0].counted[0] + 2,
        "{found:?}"
    );
    in_store(&server, async |db| rollup::rebuild(&db).await.unwrap()).await;
    let proof = in_store(&server, async |db| rollup::verify(&db).await.unwrap()).await;
    assert_eq!(proof.differences, []);
    let again = manager.get(&path).await.expect(200);
    assert_eq!(again.at("/cells"), told.at("/cells"));
}

#[tokio::test]
async fn an_answer_that_is_known_is_told_again_only_when_something_changed() {
    let server = Server::demo().await;
    let (manager, leader) = (
        server.sign_in("manager").await,
        server.sign_in("leader").await,
    );
    for path in [
        "/v1/summary?group_by=tier",
        "/v1/summary?list=gas-storage",
        "/v1/accounts/2024",
    ] {
        let ask = |client: &Client, known: &str| {
            client
                .request(reqwest::Method::GET, path)
                .header("if-none-match", known)
        };
        let first = leader
            .get(path)
            .await
            .expect(200)
            .header("etag")
            .unwrap()
            .to_owned();
        let same = ask(&leader, &first).send().await.expect(304);
        assert_eq!(same.text, "");
        assert_eq!(same.header("etag"), Some(first.as_str()));
        let weak = format!("\"other\", {first}");
        ask(&leader, &weak).send().await.expect(304);
        // Who does not know it is told the same.
        let again = leader.get(path).await.expect(200);
        assert_eq!(again.header("etag"), Some(first.as_str()));
        let told = |reply: &Reply| {
            let total = reply.at("/total").clone();
            (total, reply.at("/covers").clone())
        };
        // Another question, or another's: not the same answer.
        ask(&leader, "W/\"1-0\"").send().await.expect(200);
        let officer = server.sign_in("officer.dawa").await;
        let part = ask(&officer, &first).send().await.expect(200);
        assert_ne!(told(&part), told(&again), "{path}");
        assert_eq!(
            told(&leader.get(path).await.expect(200)),
            told(&again),
            "{path}"
        );
        let body = with(fields("改变", "211104"), &json!({}));
        let id = manager.register(&body).await.str("/id");
        let second = ask(&leader, &first).send().await.expect(200);
        let second = second.header("etag").unwrap().to_owned();
        assert_ne!(first, second);
        // What no sum tells apart is a change all the same: it may stand in a list's.
        manager.on_list("gas-storage", &id, true).await.expect(204);
        ask(&leader, &second).send().await.expect(200);
    }
}
