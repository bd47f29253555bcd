//! Webhooks: what is said of them, what they are told, and where they may lead.

mod addresses;
mod keeping;
mod told;
mod trouble;
mod two_services;

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use taizhang::config::Config;

use crate::support::library::with;
use crate::support::projects::{Office, Project};
use crate::support::receiver::{PATIENCE, Receiver, Taken};
use crate::support::{Client, Reply, Server};

/// How long a receiver has to answer, in seconds.
const TIMEOUT: u64 = 2;

/// Receivers are on this machine, and have little time.
fn local(config: &mut Config) {
    config.webhook_allowed_networks = vec!["127.0.0.0/8".parse().unwrap()];
    config.webhook_timeout = TIMEOUT;
}

/// A service with an office and a receiver.
struct World {
    server: Server,
    office: Office,
    receiver: Receiver,
}

impl World {
    async fn new() -> Self {
        let server = Server::configured(local).await;
        let office = Office::of(&server).await;
        let receiver = Receiver::new().await;
        Self {
            server,
            office,
            receiver,
        }
    }

    /// A webhook of the manager's to the receiver, told of projects that are renamed unless told otherwise.
    async fn hook(&self, more: &Value) -> Hook {
        let body = json!({ "url": self.receiver.url(), "types": ["taizhang.project.amended"] });
        Hook::made(&self.office.manager, &with(body, more)).await
    }
}

/// A webhook, and who keeps it.
struct Hook {
    client: Client,
    id: String,
    secret: String,
}

impl Hook {
    async fn made(client: &Client, body: &Value) -> Self {
        let made = client.post("/v1/webhooks", body).send().await.expect(201);
        Self {
            client: client.clone(),
            id: made.str("/webhook/id"),
            secret: made.str("/secret"),
        }
    }

    fn path(&self, below: &str) -> String {
        format!("/v1/webhooks/{}{below}", self.id)
    }

    async fn read(&self) -> Reply {
        self.client.get(&self.path("")).await.expect(200)
    }

    async fn amend(&self, patch: &Value) -> Reply {
        let tag = self.read().await.etag();
        let request = self.client.patch(&self.path(""), patch);
        request.if_match(&tag).send().await
    }

    /// Its deliveries, oldest first.
    async fn log(&self) -> Vec<Value> {
        let mut log = self.client.all(&self.path("/deliveries")).await;
        log.reverse();
        log
    }

    /// Its deliveries, when they are as they are wanted.
    async fn log_when(&self, is_so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let log = self.log().await;
            if is_so(&log) {
                return log;
            }
            assert!(tokio::time::Instant::now() < until, "{log:#?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Its deliveries, when so many of them stand so.
    async fn log_with(&self, count: usize, status: &str) -> Vec<Value> {
        let so = |log: &[Value]| log.iter().filter(|told| told["status"] == status).count();
        self.log_when(|log| so(log) == count).await
    }

    /// Makes due now what waits to be tried again; not what is being sent, or was left lying by whoever sent it.
    async fn hurry(&self, server: &Server) {
        let db = server.database().await;
        let backend = db.get_database_backend();
        let sql = "UPDATE webhook_delivery SET next_at = $1 \
            WHERE webhook_id = $2 AND next_at IS NOT NULL AND lease IS NULL";
        let now = chrono::Utc::now() - chrono::TimeDelta::seconds(1);
        let id: uuid::Uuid = self.id.parse().unwrap();
        let hurried = Statement::from_sql_and_values(backend, sql, [now.into(), id.into()]);
        db.execute_raw(hurried).await.unwrap();
        db.close().await.unwrap();
    }

    /// Whether something is signed by this secret, as Standard Webhooks has it.
    fn signed(secret: &str, taken: &Taken) -> bool {
        let key = secret.strip_prefix("whsec_").unwrap();
        let key = BASE64_STANDARD.decode(key).unwrap();
        assert!(key.len() >= 24);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let timestamp = &taken.headers["webhook-timestamp"];
        let mut content = format!("{}.{timestamp}.", taken.id()).into_bytes();
        content.extend_from_slice(&taken.bytes);
        let mut signatures = taken.headers["webhook-signature"].split(' ');
        signatures.any(|signature| {
            let tag = signature.strip_prefix("v1,").unwrap();
            hmac::verify(&key, &content, &BASE64_STANDARD.decode(tag).unwrap()).is_ok()
        })
    }
}

/// What the last attempts of deliveries came to.
fn errors(log: &[Value]) -> Vec<Option<&str>> {
    let last = |told: &'_ Value| told["attempts"].as_array().unwrap().len().checked_sub(1);
    log.iter()
        .map(|told| last(told).and_then(|at| told["attempts"][at]["error"].as_str()))
        .collect()
}

/// Renames a project to each of some names in turn.
async fn rename(project: &Project, names: &[&str]) {
    for name in names {
        project.amend(&json!({ "name": name })).await.expect(200);
    }
}
