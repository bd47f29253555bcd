//! The second factor: begun, confirmed, asked for, lost and removed.

use std::collections::BTreeSet;

use chrono::Utc;
use futures::future::join_all;
use reqwest::Method;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use taizhang::auth::Role;
use taizhang::store::account::grant::Wanted;
use totp_rs::Totp;
use uuid::Uuid;

use crate::accounts::{Administrators, own};
use crate::support::library::add_account_with;
use crate::support::problems::in_both_languages;
use crate::support::{Client, PASSWORD, Reply, Server};

/// What a telephone shows now.
fn code_of(totp: &Totp) -> String {
    let now = u64::try_from(Utc::now().timestamp()).unwrap();
    totp.generate(now).to_string()
}

/// A second factor as its owner's telephone has it.
struct Telephone {
    totp: Totp,
    recovery: Vec<String>,
}

impl Telephone {
    /// Takes up a second factor and confirms it.
    async fn enrol(server: &Server, client: &Client, password: &str) -> Self {
        let begun = client.post("/v1/me/second-factor", &json!({ "password": password }));
        let begun = begun.send().await.expect(200);
        let totp = Totp::from_url(begun.str("/address")).unwrap();
        let mut telephone = Self {
            totp,
            recovery: Vec::new(),
        };
        let confirmed = telephone
            .show(server, client, async |code| {
                let body = json!({ "code": code });
                client
                    .post("/v1/me/second-factor/confirm", &body)
                    .send()
                    .await
            })
            .await
            .expect(200);
        let codes = confirmed.at("/recovery_codes").as_array().unwrap();
        telephone.recovery = codes
            .iter()
            .map(|code| code.as_str().unwrap().to_owned())
            .collect();
        telephone
    }

    /// Shows a code that has not been shown before; once more if its half minute ended on the way.
    async fn show(
        &self,
        server: &Server,
        client: &Client,
        send: impl AsyncFn(String) -> Reply,
    ) -> Reply {
        self.wait(server, client).await;
        let step = || Utc::now().timestamp() / 30;
        let before = step();
        let reply = send(code_of(&self.totp)).await;
        if before == step() || reply.status < 300 {
            return reply;
        }
        self.wait(server, client).await;
        send(code_of(&self.totp)).await
    }

    /// As if the last code and the failures were long ago.
    async fn wait(&self, server: &Server, client: &Client) {
        let account: Uuid = own(client).await.parse().unwrap();
        server
            .set(
                "second_factor",
                ("last_step", 0_i64),
                ("account_id", account),
            )
            .await;
        let db = server.database().await;
        let forgiven = db.execute_unprepared("DELETE FROM failed_attempts").await;
        forgiven.unwrap();
        db.close().await.unwrap();
    }

    async fn sign_in(&self, server: &Server, client: &Client, username: &str) -> Reply {
        self.show(server, client, async |code| {
            sign_in(server, username, &json!({ "code": code })).await
        })
        .await
    }
}

async fn sign_in(server: &Server, username: &str, more: &Value) -> Reply {
    let credentials = json!({ "username": username, "password": PASSWORD });
    let credentials = crate::support::library::with(credentials, more);
    server
        .anonymous()
        .post("/auth/login", &credentials)
        .in_turn()
        .await
}

#[tokio::test]
async fn a_second_factor_is_begun_confirmed_and_asked_for() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let wrong = officer.post("/v1/me/second-factor", &json!({ "password": "x" }));
    assert_eq!(wrong.send().await.expect(422).code(), "wrong_proof");
    let ask = || officer.post("/v1/me/second-factor", &json!({ "password": PASSWORD }));
    let begun = ask().send().await.expect(200);
    let address = begun.str("/address");
    assert!(address.starts_with("otpauth://totp/"), "{address}");
    assert!(
        address.contains(&format!("secret={}", begun.str("/secret"))),
        "{address}"
    );
    assert!(
        address.contains("officer") && address.contains("issuer=taizhang"),
        "{address}"
    );
    let picture = begun.str("/picture");
    assert!(
        picture.contains("<svg") && picture.trim_end().ends_with("</svg>"),
        "{picture}"
    );
    // Begun is not set: nobody is asked for it yet, and it can be begun anew.
    assert_eq!(officer.get("/v1/me").await.at("/has_second_factor"), false);
    sign_in(&server, "officer", &json!({})).await.expect(200);
    let anew = ask().send().await.expect(200);
    assert_ne!(anew.str("/secret"), begun.str("/secret"));
    let former = code_of(&Totp::from_url(&address).unwrap());
    for code in ["000", "", &former] {
        let confirm = officer.post("/v1/me/second-factor/confirm", &json!({ "code": code }));
        let refused = confirm.send().await;
        assert_eq!(refused.status, 422, "{code}: {}", refused.text);
    }

    let telephone = Telephone::enrol(&server, &officer, PASSWORD).await;
    let distinct: BTreeSet<&String> = telephone.recovery.iter().collect();
    assert_eq!(distinct.len(), 10);
    assert_eq!(officer.get("/v1/me").await.at("/has_second_factor"), true);
    assert_eq!(ask().send().await.expect(409).code(), "second_factor_set");

    // Asked for, without a failure being counted.
    for _ in 0..7 {
        let asked = sign_in(&server, "officer", &json!({})).await.expect(401);
        assert_eq!(asked.code(), "second_factor_code_required");
    }
    let asked = sign_in(&server, "officer", &json!({ "code": "000" }))
        .await
        .expect(401);
    assert_eq!(asked.code(), "wrong_credentials");
    telephone
        .sign_in(&server, &officer, "officer")
        .await
        .expect(200);
}

#[tokio::test]
async fn a_code_is_good_once_and_so_is_a_recovery_code() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let telephone = Telephone::enrol(&server, &officer, PASSWORD).await;
    let shown = std::sync::Mutex::new(String::new());
    let first = telephone.show(&server, &officer, async |code| {
        shown.lock().unwrap().clone_from(&code);
        sign_in(&server, "officer", &json!({ "code": code })).await
    });
    first.await.expect(200);
    let code = shown.into_inner().unwrap();
    let again = sign_in(&server, "officer", &json!({ "code": code }))
        .await
        .expect(401);
    assert_eq!(again.code(), "wrong_credentials");
    // A wrong password does not use it up, nor does it tell that the code was right.
    let credentials = json!({ "username": "officer", "password": "not-the-password" });
    for more in [
        json!({}),
        json!({ "code": code_of(&telephone.totp) }),
        json!({ "recovery_code": telephone.recovery[0] }),
    ] {
        let wrong = crate::support::library::with(credentials.clone(), &more);
        let wrong = server
            .anonymous()
            .post("/auth/login", &wrong)
            .in_turn()
            .await;
        assert_eq!(wrong.expect(401).code(), "wrong_credentials");
    }
    let recovery = |n: usize| json!({ "recovery_code": telephone.recovery[n] });
    sign_in(&server, "officer", &recovery(0)).await.expect(200);
    sign_in(&server, "officer", &recovery(0)).await.expect(401);
    sign_in(&server, "officer", &recovery(1)).await.expect(200);

    // Of many who show one code at once, one is let in.
    let many = telephone.show(&server, &officer, async |code| {
        let body = json!({ "code": code });
        let replies = join_all((0..16).map(|_| sign_in(&server, "officer", &body))).await;
        let in_all = replies.iter().filter(|reply| reply.status == 200).count();
        assert!(in_all <= 1, "{in_all}");
        replies
            .into_iter()
            .min_by_key(|reply| reply.status)
            .unwrap()
    });
    many.await.expect(200);
}

#[tokio::test]
async fn a_second_factor_is_removed_by_its_owner_or_by_the_security_administrator() {
    let server = Server::demo().await;
    let office = Administrators::of(&server).await;
    let officer = server.sign_in("officer").await;
    let none = officer.post("/v1/me/second-factor/remove", &json!({ "code": "000000" }));
    assert_eq!(none.send().await.expect(409).code(), "second_factor_unset");
    let telephone = Telephone::enrol(&server, &officer, PASSWORD).await;
    let remove = async |code: String| {
        let body = json!({ "code": code });
        officer
            .post("/v1/me/second-factor/remove", &body)
            .send()
            .await
    };
    assert_eq!(
        remove("000".to_owned()).await.expect(422).code(),
        "wrong_proof"
    );
    telephone.show(&server, &officer, remove).await.expect(204);
    sign_in(&server, "officer", &json!({})).await.expect(200);
    let telephone = Telephone::enrol(&server, &officer, PASSWORD).await;
    remove(telephone.recovery[0].clone()).await.expect(204);
    sign_in(&server, "officer", &json!({})).await.expect(200);

    let telephone = Telephone::enrol(&server, &officer, PASSWORD).await;
    let path = format!("/v1/users/{}", own(&officer).await);
    assert_eq!(office.audit.get(&path).await.at("/has_second_factor"), true);
    let path = format!("{path}/second-factor/remove");
    office
        .system
        .request(Method::POST, &path)
        .send()
        .await
        .expect(403);
    office
        .security
        .request(Method::POST, &path)
        .send()
        .await
        .expect(204);
    sign_in(&server, "officer", &json!({})).await.expect(200);
    let gone = officer.post(
        "/v1/me/second-factor/remove",
        &json!({ "code": telephone.recovery[1] }),
    );
    gone.send().await.expect(409);
    let own = format!(
        "/v1/users/{}/second-factor/remove",
        own(&office.security).await
    );
    let own = office
        .security
        .request(Method::POST, &own)
        .send()
        .await
        .expect(403);
    assert_eq!(own.code(), "own_account");
}

#[tokio::test]
async fn where_a_role_demands_a_second_factor_nothing_is_done_without_one() {
    let server = Server::configured(|config| {
        config.second_factor_roles = [Role::SystemAdmin, Role::SecurityAdmin].into();
    })
    .await;
    let admin = server.sign_in("admin").await;
    let security = server.sign_in("secadmin").await;
    for client in [&admin, &security] {
        assert_eq!(client.get("/v1/me").await.str("/must"), "second_factor");
        let refused =
            in_both_languages(|| client.request(Method::GET, "/v1/users"), 403, "users").await;
        assert_eq!(refused.code(), "second_factor_required");
    }
    server
        .sign_in("auditor")
        .await
        .get("/v1/users")
        .await
        .expect(200);
    Telephone::enrol(&server, &admin, PASSWORD).await;
    admin.get("/v1/users").await.expect(200);
    assert!(admin.get("/v1/me").await.at("/must").is_null());
    Telephone::enrol(&server, &security, PASSWORD).await;
    let path = format!("/v1/users/{}/second-factor/remove", own(&admin).await);
    security
        .request(Method::POST, &path)
        .send()
        .await
        .expect(204);
    let refused = admin.get("/v1/users").await.expect(403);
    assert_eq!(refused.code(), "second_factor_required");
    // Who is given such a role needs one from then on.
    add_account_with(
        &server,
        "zhang.wei",
        vec![Wanted::everywhere(Role::SystemAdmin)],
    )
    .await;
    let zhang = server.sign_in("zhang.wei").await;
    assert_eq!(
        zhang.get("/v1/users").await.expect(403).code(),
        "second_factor_required"
    );
}
