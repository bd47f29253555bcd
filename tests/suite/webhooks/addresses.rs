//! Addresses that nobody may send the service to: in every spelling, by name or by number, refused wherever they come up.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use taizhang::auth::keys::Vault;

use super::{Hook, local};
use crate::support::Server;
use crate::support::library::day;
use crate::support::projects::Office;
use crate::support::receiver::Receiver;

const CORPUS: &str = include_str!("addresses.txt");
/// A name that leads to a public address.
const GOOD: &str = "good.example.test";

/// A name server, which may change its mind.
#[derive(Clone, Default)]
struct Names(Arc<Mutex<HashMap<String, Vec<IpAddr>>>>);

impl Names {
    fn say(&self, name: &str, addresses: &[IpAddr]) {
        let mut names = self.0.lock().unwrap();
        names.insert(name.to_owned(), addresses.to_vec());
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.0.lock().unwrap().get(name.as_str()).cloned();
        Box::pin(async move {
            let found = found.ok_or("no such name")?;
            let found = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok::<Addrs, _>(Box::new(found))
        })
    }
}

/// The hosts of the corpus, of which the name server knows what it has to.
fn corpus(names: &Names) -> Vec<String> {
    let mut hosts = Vec::new();
    for line in CORPUS.lines().filter(|line| !line.starts_with('#')) {
        let (host, addresses) = line.split_once(" =").unwrap_or((line, ""));
        let addresses = addresses.split(',').map(str::trim);
        let addresses: Vec<IpAddr> = addresses
            .filter(|text| !text.is_empty())
            .map(|text| text.parse().unwrap())
            .collect();
        if line.contains(" =") {
            // As it is looked up: in small letters of the usual width.
            let url = reqwest::Url::parse(&format!("https://{host}/")).unwrap();
            names.say(url.host_str().unwrap(), &addresses);
        }
        hosts.push(host.to_owned());
    }
    // This machine's own names are refused also by who says that they are somebody's else.
    names.say("localhost", &["1.1.1.1".parse().unwrap()]);
    assert!(hosts.len() >= 200, "{}", hosts.len());
    hosts
}

fn public(names: &Names) {
    names.say(
        GOOD,
        &[
            "1.1.1.1".parse().unwrap(),
            "2606:4700::1111".parse().unwrap(),
        ],
    );
}

const REFUSED: [&str; 3] = ["address_refused", "invalid_url", "name_unresolved"];

#[tokio::test]
async fn no_spelling_of_an_address_that_is_not_public_is_taken() {
    let names = Names::default();
    let hosts = corpus(&names);
    public(&names);
    let server = Server::looking_up(names, |_| {}).await;
    let manager = server.sign_in("manager").await;
    let good = json!({ "url": format!("https://{GOOD}/hook") });
    let hook = Hook::made(&manager, &good).await;
    hook.amend(&json!({ "state": "disabled" }))
        .await
        .expect(200);
    let tag = hook.read().await.etag();
    let id: uuid::Uuid = hook.id.parse().unwrap();
    for host in &hosts {
        let url = format!("https://{host}/hook");
        let bodies = json!({ "url": url });
        let made = manager.post("/v1/webhooks", &bodies).send().await;
        let changed = manager.patch(&hook.path(""), &bodies).if_match(&tag);
        // However it may have got there, it is not sent to.
        server
            .set("webhook", ("url", url.as_str()), ("id", id))
            .await;
        let tried = manager.request(reqwest::Method::POST, &hook.path("/tests"));
        for refused in [made, changed.send().await, tried.send().await] {
            assert_eq!(refused.status, 422, "{host}: {}", refused.text);
            let codes = refused.error_codes();
            assert!(REFUSED.contains(&codes[0].as_str()), "{host}: {codes:?}");
            assert_eq!(refused.pointers(), ["/url"], "{host}");
        }
    }
    assert_eq!(manager.all("/v1/webhooks").await.len(), 1);
}

#[tokio::test]
async fn nothing_is_sent_to_an_address_that_is_not_public_however_it_got_there() {
    let names = Names::default();
    let hosts = corpus(&names);
    public(&names);
    let server = Server::looking_up(names, |_| {}).await;
    let office = Office::of(&server).await;
    let types = json!(["taizhang.project.registered"]);
    let good = json!({ "url": format!("https://{GOOD}/hook"), "types": types });
    let hook = Hook::made(&office.manager, &good).await;
    hook.amend(&json!({ "state": "disabled" }))
        .await
        .expect(200);
    let db = server.database().await;
    let backend = db.get_database_backend();
    let vault = Vault::open(&server.config.keys().join("vault.key")).unwrap();
    for host in &hosts {
        let id = taizhang::clock::new_id();
        let values: [sea_orm::Value; 4] = [
            id.into(),
            format!("https://{host}/hook").into(),
            hook.id.parse::<uuid::Uuid>().unwrap().into(),
            vault.seal(id.as_bytes(), &[7; 32]).unwrap().into(),
        ];
        let copy = "INSERT INTO webhook SELECT $1, account_id, $2, description, types, regions, project_id, 'active', \
            NULL, state_since, $4, former_secret, former_until, place, delivered_at, created_at, updated_at, version \
            FROM webhook WHERE id = $3";
        db.execute_raw(Statement::from_sql_and_values(backend, copy, values))
            .await
            .unwrap();
    }
    office
        .register(&json!({ "planned_start_on": day(30) }))
        .await;
    let asked = "SELECT w.url, a.error, a.response_status FROM webhook w \
        JOIN webhook_delivery d ON d.webhook_id = w.id JOIN webhook_attempt a ON a.delivery_id = d.id";
    let (mut until, mut before) = (tokio::time::Instant::now() + super::PATIENCE, 0);
    loop {
        let asked = Statement::from_string(backend, asked);
        let tried = db.query_all_raw(asked).await.unwrap();
        let mut urls = std::collections::BTreeSet::new();
        for row in &tried {
            let (url, error): (String, String) = (
                row.try_get_by_index(0).unwrap(),
                row.try_get_by_index(1).unwrap(),
            );
            let status: Option<i32> = row.try_get_by_index(2).unwrap();
            assert!(
                ["address_refused", "unresolved"].contains(&error.as_str()),
                "{url}: {error}"
            );
            assert_eq!(status, None, "{url}");
            urls.insert(url);
        }
        if urls.len() == hosts.len() {
            return;
        }
        if urls.len() > before {
            (until, before) = (tokio::time::Instant::now() + super::PATIENCE, urls.len());
        }
        assert!(
            tokio::time::Instant::now() < until,
            "{} of {}",
            urls.len(),
            hosts.len()
        );
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_name_that_is_sent_elsewhere_later_is_not_followed() {
    let names = Names::default();
    names.say("oa.example.test", &["127.0.0.1".parse().unwrap()]);
    let rebound = names.clone();
    let server = Server::looking_up(names, |config| {
        local(config);
        config.webhook_allowed_networks = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await;
    let office = Office::of(&server).await;
    let mut right = Receiver::at("127.0.0.1:0").await;
    let mut wrong = Receiver::at(&format!("127.0.0.2:{}", right.at.port())).await;
    let url = format!("http://oa.example.test:{}/hook", right.at.port());
    let body = json!({ "url": url, "types": ["taizhang.project.registered"] });
    let hook = Hook::made(&office.manager, &body).await;
    office.register(&json!({})).await;
    right.next().await;
    hook.log_with(1, "delivered").await;
    // One of two is enough: either could be taken.
    for addresses in [vec!["127.0.0.2"], vec!["127.0.0.1", "127.0.0.2"]] {
        let addresses = addresses.iter().map(|text| text.parse().unwrap());
        rebound.say("oa.example.test", &addresses.collect::<Vec<_>>());
        let tried = hook
            .client
            .request(reqwest::Method::POST, &hook.path("/tests"));
        let tried = tried.send().await.expect(422);
        assert_eq!(tried.error_codes(), ["address_refused"]);
        office.register(&json!({})).await;
        let is_refused =
            |log: &[Value]| log.len() > 1 && super::errors(log)[log.len() - 1].is_some();
        let log = hook.log_when(is_refused).await;
        assert_eq!(super::errors(&log)[log.len() - 1], Some("address_refused"));
    }
    assert!(wrong.rest().is_empty() && right.rest().is_empty());
    // Back where it was, what waited is told.
    rebound.say("oa.example.test", &["127.0.0.1".parse().unwrap()]);
    hook.hurry(&server).await;
    right.next().await;
}

#[tokio::test]
async fn only_listed_networks_are_sent_to_in_the_clear_and_none_beside_them() {
    let server = Server::configured(|config| {
        config.webhook_allowed_networks = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await;
    let manager = server.sign_in("manager").await;
    for (url, code) in [
        ("http://1.1.1.1/hook", "url_not_encrypted"),
        ("http://127.0.0.2:8080/hook", "address_refused"),
        ("https://[::ffff:127.0.0.1]/hook", "address_refused"),
        ("http://127.0.0.1:25/hook", "url_port"),
        ("http://a:b@127.0.0.1/hook", "url_extras"),
        ("ftp://127.0.0.1/hook", "url_scheme"),
        ("127.0.0.1/hook", "invalid_url"),
    ] {
        let body = json!({ "url": url });
        let refused = manager.post("/v1/webhooks", &body).send().await.expect(422);
        assert_eq!(refused.error_codes(), [code], "{url}");
    }
    let body = json!({ "url": "http://127.1:8080/hook" });
    let made = manager.post("/v1/webhooks", &body).send().await.expect(201);
    assert_eq!(made.str("/webhook/url"), "http://127.0.0.1:8080/hook");
}
