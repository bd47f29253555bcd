//! The library as a test fills it, and as it reads all of it.

use serde_json::{Value, json};
use taizhang::auth::Role;
use taizhang::auth::password;
use taizhang::store::account::grant::{self, Origin, Wanted};
use taizhang::store::account::user::{self, New};
use taizhang::store::{Author, Db};

use super::{Client, Reply, Server};

/// The id of no project, no account and no sign-in.
pub(crate) const NOBODY: &str = "0193a5f0-0000-7000-8000-000000000001";

/// What a registration needs, and nothing else.
pub(crate) fn fields(name: &str, region: &str) -> Value {
    json!({ "name": name, "region": region, "unit": "panjin-drc", "sector": "交通" })
}

/// One object with the members of both; those of `more` win.
pub(crate) fn with(mut base: Value, more: &Value) -> Value {
    let members = more.as_object().unwrap().clone();
    base.as_object_mut().unwrap().extend(members);
    base
}

/// A date so many days from today, as Panjin has it.
pub(crate) fn day(offset: i64) -> String {
    let now = chrono::Utc::now() + chrono::TimeDelta::hours(8) + chrono::TimeDelta::days(offset);
    now.format("%Y-%m-%d").to_string()
}

/// The id of an answer's project.
pub(crate) fn id(reply: &Reply) -> String {
    reply.str("/id")
}

impl Client {
    /// Registers a project.
    pub(crate) async fn register(&self, body: &Value) -> Reply {
        let reply = self.post("/v1/projects", body).send().await;
        assert_eq!(reply.status, 201, "{body}: {}", reply.text);
        reply
    }

    /// Amends a project from where it stands now.
    pub(crate) async fn amend(&self, id: &str, body: &Value) -> Reply {
        let path = format!("/v1/projects/{id}");
        let tag = self.get(&path).await.expect(200).etag();
        self.patch(&path, body).if_match(&tag).send().await
    }

    /// Moves a project from where it stands now.
    pub(crate) async fn step(&self, id: &str, body: &Value) -> Reply {
        let tag = self
            .get(&format!("/v1/projects/{id}"))
            .await
            .expect(200)
            .etag();
        self.post(&format!("/v1/projects/{id}/transitions"), body)
            .if_match(&tag)
            .send()
            .await
    }

    /// Puts a project on a list, or takes it off.
    pub(crate) async fn on_list(&self, list: &str, id: &str, member: bool) -> Reply {
        let tag = self
            .get(&format!("/v1/lists/{list}"))
            .await
            .expect(200)
            .etag();
        let path = format!("/v1/lists/{list}/projects/{id}");
        let request = if member {
            self.request(reqwest::Method::PUT, &path)
        } else {
            self.delete(&path)
        };
        request.if_match(&tag).send().await
    }

    /// Every item of a list, page after page.
    pub(crate) async fn all(&self, path: &str) -> Vec<Value> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let first = format!("{path}{mark}limit=200");
        let mut next = first.clone();
        let mut items = Vec::new();
        loop {
            let page = self.get(&next).await.expect(200);
            items.extend(page.at("/items").as_array().unwrap().iter().cloned());
            match page.at("/next_cursor").as_str() {
                None => return items,
                Some(cursor) => next = format!("{first}&cursor={cursor}"),
            }
        }
    }

    /// The one project of this name.
    pub(crate) async fn named(&self, name: &str) -> Value {
        let found = self.all(&format!("/v1/projects?q={name}")).await;
        let mut exact = found.into_iter().filter(|project| project["name"] == name);
        let project = exact.next().unwrap_or_else(|| panic!("no {name}"));
        assert!(exact.next().is_none(), "{name} stands there twice");
        project
    }
}

/// Works on the server's database as the command line would, from a thread of its own.
pub(crate) async fn in_store<T, F>(server: &Server, work: F) -> T
where
    T: Send + 'static,
    F: AsyncFnOnce(Db) -> T + Send + 'static,
{
    let config = server.config.clone();
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let done = actix_web::rt::System::new().block_on(async move {
            let db = Db::connect(&config).await.unwrap();
            work(db).await
        });
        let _nobody_waits = tell.send(done);
    });
    told.await.unwrap()
}

/// Whoever writes from the command line.
pub(crate) fn author() -> Author {
    Author {
        account: None,
        name: "test".to_owned(),
        request_id: None,
        source: None,
    }
}

/// Makes an account, as the command line does.
pub(crate) async fn add_account(server: &Server, username: &str, role: Role, region: Option<&str>) {
    add_account_with(
        server,
        username,
        vec![Wanted::everywhere(role).within(region)],
    )
    .await;
}

/// Makes an account with these rights, as the command line does.
pub(crate) async fn add_account_with(server: &Server, username: &str, rights: Vec<Wanted>) {
    let username = username.to_owned();
    in_store(server, async move |db| {
        let hash = password::hash(super::PASSWORD.to_owned()).await.unwrap();
        let new = New {
            display_name: username.clone(),
            username,
            password_hash: hash,
            is_one_time: false,
        };
        db.write(author(), async move |tx| {
            let id = user::add(tx, &new).await?;
            for right in &rights {
                grant::add(tx, id, right, Origin::Terminal).await?;
            }
            Ok(())
        })
        .await
        .unwrap();
    })
    .await;
}

/// An amount of the API in 分.
pub(crate) fn fen(amount: &str) -> i128 {
    let (yuan, cents) = amount.split_once('.').unwrap();
    assert_eq!(cents.len(), 2, "{amount}");
    yuan.parse::<i128>().unwrap() * 100 + cents.parse::<i128>().unwrap()
}
