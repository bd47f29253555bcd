//! Several processes of the service share the work: nothing is sent twice without need, and nothing is lost with one.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use serde_json::json;

use super::{World, rename};
use crate::support::projects::Project;
use crate::support::receiver::{Manner, Taken};

const PROJECTS: usize = 12;
const CHANGES: usize = 6;

async fn projects(world: &World) -> Vec<Project> {
    let nothing = json!({});
    join_all((0..PROJECTS).map(|_| world.office.register(&nothing))).await
}

async fn change(projects: &[Project]) {
    join_all(projects.iter().map(async |project| {
        for change in 0..CHANGES {
            let name = format!("第{change}次");
            rename(project, &[&name]).await;
        }
    }))
    .await;
}

/// Of each project, the names that it was told to have, each for the first time.
fn told(taken: &[Taken]) -> BTreeMap<String, Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in taken.iter().filter(|one| seen.insert(one.id().to_owned())) {
        let project = one.event["data"]["project"].as_str().unwrap().to_owned();
        told.entry(project).or_default().push(one.name().to_owned());
    }
    told
}

fn in_order() -> Vec<String> {
    (0..CHANGES).map(|change| format!("第{change}次")).collect()
}

#[tokio::test]
async fn two_services_share_the_work_and_send_nothing_twice() {
    let mut world = World::new().await;
    let _other = world.server.beside(world.server.config.clone()).await;
    let projects = projects(&world).await;
    let hooks = [world.hook(&json!({})).await, world.hook(&json!({})).await];
    change(&projects).await;
    for hook in &hooks {
        let log = hook.log_with(PROJECTS * CHANGES, "delivered").await;
        assert!(
            log.iter()
                .all(|told| told["attempts"].as_array().unwrap().len() == 1)
        );
    }
    let taken = world.receiver.rest();
    assert_eq!(taken.len(), 2 * PROJECTS * CHANGES);
    for hook in &hooks {
        let own = taken
            .iter()
            .filter(|one| super::Hook::signed(&hook.secret, one));
        let own: Vec<Taken> = own.cloned().collect();
        assert_eq!(own.len(), PROJECTS * CHANGES);
        let told = told(&own);
        assert_eq!(told.len(), PROJECTS);
        assert!(told.values().all(|names| *names == in_order()), "{told:?}");
    }
}

#[tokio::test]
async fn what_one_service_leaves_lying_another_delivers() {
    let mut world = World::new().await;
    let other = world.server.beside(world.server.config.clone()).await;
    let projects = projects(&world).await;
    let hook = world.hook(&json!({})).await;
    // Some are on their way, unanswered, when one of the services is gone without a word.
    let mut silent = 10;
    world.receiver.decides(move |_| {
        silent -= usize::from(silent > 0);
        if silent > 0 {
            Manner::Silent
        } else {
            Manner::Answer(200)
        }
    });
    let changing = change(&projects);
    let ending = async {
        world.receiver.some(5).await;
        tokio::task::spawn_blocking(move || drop(other))
            .await
            .unwrap();
    };
    let ((), ()) = futures::join!(changing, ending);
    hook.log_when(|log| log.len() == PROJECTS * CHANGES).await;
    // What the one that is there could not deliver in time, it tries again later.
    loop {
        hook.hurry(&world.server).await;
        let log = hook.log().await;
        if log.iter().all(|told| told["status"] == "delivered") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let taken = world.receiver.rest();
    let told = told(&taken);
    assert!(told.values().all(|names| names.is_sorted()), "{told:?}");
    assert_eq!(told.len(), PROJECTS);
}
