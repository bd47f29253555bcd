//! Too many failures lock an account for a source, an account, or a source, for a quarter of an hour; and nobody else.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use chrono::{TimeDelta, Utc};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use taizhang::auth::Role;
use taizhang::auth::keys::hash_of_secret;
use taizhang::edge::source::network_of;

use crate::support::library::add_account;
use crate::support::{Client, PASSWORD, Reply, Server};

const WRONG: &str = "not-the-password";
const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Another address of this machine.
const fn elsewhere(net: u8, host: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, net, host))
}

async fn try_with(client: &Client, username: &str, password: &str) -> Reply {
    let credentials = json!({ "username": username, "password": password });
    client.post("/auth/login", &credentials).in_turn().await
}

async fn fail(client: &Client, username: &str, times: usize) {
    for _ in 0..times {
        let reply = try_with(client, username, WRONG).await.expect(401);
        assert_eq!(reply.code(), "wrong_credentials");
    }
}

/// 429, and when to come back.
#[track_caller]
fn is_locked(reply: &Reply) {
    assert_eq!(reply.status, 429, "{}", reply.text);
    assert_eq!(reply.code(), "locked_out");
    let seconds: i64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=15 * 60 + 1).contains(&seconds), "{seconds}");
}

/// As if the lock had been set so much earlier; answers whether there was a lock.
async fn set_back(server: &Server, username: &str, source: IpAddr) -> bool {
    let subject = format!(
        "account {} from {}",
        hash_of_secret(username),
        network_of(source)
    );
    let past = Utc::now() - TimeDelta::seconds(1);
    let lock = ("locked_until", past);
    server
        .set("failed_attempts", lock, ("subject", subject))
        .await
        == 1
}

#[tokio::test]
async fn five_failures_lock_an_account_for_one_source_for_fifteen_minutes() {
    let server = Server::demo().await;
    let here = server.anonymous();
    let there = here.at_address(elsewhere(0, 2));
    fail(&here, "officer", 5).await;
    let locked = try_with(&here, "officer", PASSWORD).await;
    is_locked(&locked);
    let seconds: i64 = locked.header("retry-after").unwrap().parse().unwrap();
    assert!(seconds > 14 * 60, "{seconds}");
    is_locked(&try_with(&here, "officer", WRONG).await);
    // Nobody else is locked, here or elsewhere.
    try_with(&there, "officer", PASSWORD).await.expect(200);
    try_with(&here, "leader", PASSWORD).await.expect(200);
    is_locked(&try_with(&here, "officer", PASSWORD).await);
    // After its time, and with a count that begins anew.
    assert!(set_back(&server, "officer", HOME).await);
    fail(&here, "officer", 4).await;
    try_with(&here, "officer", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_success_begins_the_count_anew() {
    let server = Server::demo().await;
    let here = server.anonymous();
    for _ in 0..3 {
        fail(&here, "officer", 4).await;
        try_with(&here, "officer", PASSWORD).await.expect(200);
    }
    fail(&here, "officer", 5).await;
    is_locked(&try_with(&here, "officer", PASSWORD).await);
}

/// What an answer says, but for what names the request and the seconds that are left.
fn told(reply: &Reply) -> (u16, Value) {
    let mut body = reply.body.clone();
    let members = body.as_object_mut().unwrap();
    members.remove("request_id");
    (reply.status, body)
}

#[tokio::test]
async fn names_that_are_not_known_lock_and_are_answered_alike() {
    let server = Server::demo().await;
    let here = server.anonymous();
    for _ in 0..7 {
        let known = try_with(&here, "officer", WRONG).await;
        let unknown = try_with(&here, "nobody-at-all", WRONG).await;
        assert_eq!(told(&known), told(&unknown));
        let headers = |reply: &Reply| {
            let names = reply.headers.keys().map(ToString::to_string);
            names.collect::<BTreeSet<String>>()
        };
        assert_eq!(headers(&known), headers(&unknown));
    }
    is_locked(&try_with(&here, "nobody-at-all", WRONG).await);
}

#[tokio::test]
async fn signing_in_changing_the_password_and_the_second_factor_share_one_count() {
    let server = Server::demo().await;
    let here = server.anonymous();
    let officer = server.sign_in("officer").await;
    let begun = officer.post("/v1/me/second-factor", &json!({ "password": PASSWORD }));
    begun.in_turn().await.expect(200);
    let change = json!({ "current_password": WRONG, "new_password": "辽河口的芦苇在十月变红了吗" });
    let requests = [
        ("/v1/me/password", change),
        ("/v1/me/second-factor", json!({ "password": WRONG })),
        ("/v1/me/second-factor/confirm", json!({ "code": "no code" })),
    ];
    fail(&here, "officer", 2).await;
    for (path, body) in &requests {
        let reply = officer.post(path, body).in_turn().await.expect(422);
        assert_eq!(reply.code(), "wrong_proof", "{path}");
    }
    is_locked(&try_with(&here, "officer", PASSWORD).await);
    for (path, body) in &requests {
        is_locked(&officer.post(path, body).in_turn().await);
    }
    // He is signed in, and works on.
    officer.get("/v1/projects").await.expect(200);
    // Each of them counts alone, too.
    assert!(set_back(&server, "officer", HOME).await);
    let (path, body) = &requests[0];
    for _ in 0..5 {
        officer.post(path, body).in_turn().await.expect(422);
    }
    is_locked(&officer.post(path, body).in_turn().await);
}

#[tokio::test]
async fn the_security_administrator_unlocks_and_nobody_else() {
    let server = Server::demo().await;
    let here = server.anonymous();
    let (admin, security) = futures::join!(server.sign_in("admin"), server.sign_in("secadmin"));
    let found = admin.get("/v1/users?q=officer.dawa").await.expect(200);
    let path = format!("/v1/users/{}/unlock", found.str("/items/0/id"));
    fail(&here, "officer.dawa", 5).await;
    let there = here.at_address(elsewhere(0, 2));
    fail(&there, "officer.dawa", 5).await;
    admin.request(Method::POST, &path).send().await.expect(403);
    is_locked(&try_with(&here, "officer.dawa", PASSWORD).await);
    security
        .request(Method::POST, &path)
        .send()
        .await
        .expect(204);
    try_with(&here, "officer.dawa", PASSWORD).await.expect(200);
    try_with(&there, "officer.dawa", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn of_many_at_once_no_more_are_looked_at_than_one_after_another() {
    let server = Server::demo().await;
    let here = server.anonymous();
    let many = (0..32).map(|_| try_with(&here, "officer", WRONG));
    let replies = join_all(many).await;
    let wrong = replies.iter().filter(|reply| reply.status == 401).count();
    assert_eq!(wrong, 5);
    for reply in replies.iter().filter(|reply| reply.status != 401) {
        is_locked(reply);
    }
}

/// How often each of these tries was answered 401; every other one has to be locked out.
async fn attack(tries: &[(Client, String)]) -> BTreeMap<String, usize> {
    // Whoever signs in meanwhile waits his turn behind as many passwords.
    const AT_ONCE: usize = 8;
    let mut wrong = BTreeMap::new();
    for some in tries.chunks(AT_ONCE) {
        let replies = join_all(
            some.iter()
                .map(|(client, name)| try_with(client, name, WRONG)),
        );
        for (reply, (_, name)) in replies.await.into_iter().zip(some) {
            match reply.status {
                401 => *wrong.entry(name.clone()).or_default() += 1,
                _ => is_locked(&reply),
            }
        }
    }
    wrong
}

#[tokio::test]
async fn ten_thousand_guesses_at_one_account_from_many_sources_get_a_hundred_answers() {
    const GUESSES: usize = 10_000;
    const SOURCES: u8 = 40;
    let server = Server::demo().await;
    let here = server.anonymous();
    let sources: Vec<Client> = (1..=SOURCES)
        .map(|n| here.at_address(elsewhere(1, n)))
        .collect();
    let tries: Vec<(Client, String)> = sources
        .iter()
        .cycle()
        .take(GUESSES)
        .map(|client| (client.clone(), "officer".to_owned()))
        .collect();
    // Five for each source, until the account is locked for all.
    assert_eq!(
        attack(&tries).await,
        BTreeMap::from([("officer".to_owned(), 100)])
    );
    is_locked(&try_with(&here, "officer", PASSWORD).await);
    is_locked(&try_with(&sources[0], "officer", PASSWORD).await);
    try_with(&here, "leader", PASSWORD).await.expect(200);
    let first = try_with(&sources[0], "leader", PASSWORD).await;
    first.expect(200);
}

#[tokio::test]
async fn ten_thousand_guesses_from_one_source_at_many_accounts_get_three_hundred_answers() {
    const GUESSES: usize = 10_000;
    const NAMES: usize = 1_000;
    let server = Server::demo().await;
    let here = server.anonymous();
    let there = here.at_address(elsewhere(2, 2));
    add_account(&server, "name-7", Role::Leader, None).await;
    let tries: Vec<(Client, String)> = (0..GUESSES)
        .map(|n| (there.clone(), format!("name-{}", n / 10 % NAMES)))
        .collect();
    let wrong = attack(&tries).await;
    assert!(wrong.values().all(|count| *count <= 5), "{wrong:?}");
    assert_eq!(wrong.values().sum::<usize>(), 300);
    // Nobody signs in from there any more; whoever is elsewhere does.
    is_locked(&try_with(&there, "officer", PASSWORD).await);
    is_locked(&try_with(&there, "nobody-at-all", WRONG).await);
    try_with(&here, "officer", PASSWORD).await.expect(200);
    try_with(&here, "name-7", PASSWORD).await.expect(200);
}
