//! Signing in at the office's own identity provider: a real one, which runs beside the test.

use std::collections::BTreeMap;

use reqwest::{Method, Url};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use taizhang::auth::Role;

use crate::support::library::{add_account, fields};
use crate::support::provider::{Browser, Provider};
use crate::support::{Client, PASSWORD, Reply, Server};

/// A provider, and a service at which people sign in there.
async fn both() -> (Provider, Server) {
    let provider = Provider::start().await;
    let server =
        Server::configured(|config| config.identity_provider = Some(provider.settings())).await;
    (provider, server)
}

impl Server {
    /// The client of somebody who signs in at the provider with a browser of his own.
    async fn signed_in_at_provider(&self, subject: &str) -> Client {
        let pair = Browser::new(self).sign_in(subject).await.expect(200);
        self.anonymous().with_token(&pair.str("/access_token"))
    }

    async fn sql(&self, sql: &str) {
        let db = self.database().await;
        db.execute_unprepared(sql).await.unwrap();
    }

    /// The first column of the rows of a query.
    async fn column(&self, sql: &str) -> Vec<String> {
        let db = self.database().await;
        let query = Statement::from_string(db.get_database_backend(), sql);
        let rows = db.query_all_raw(query).await.unwrap();
        let values = rows.iter().map(|row| row.try_get_by_index(0).unwrap());
        values.collect()
    }
}

/// A flow that has come back from the provider and not yet arrived: what the browser would send now.
struct Returning {
    cookie: String,
    back: String,
}

impl Returning {
    async fn of(server: &Server, subject: &str) -> Self {
        let browser = Browser::new(server);
        let sent = browser.get("/auth/provider").await.expect(303);
        let back = browser
            .at_provider(sent.header("location").unwrap(), subject)
            .await;
        let cookie = sent.header("set-cookie").unwrap();
        Self {
            cookie: cookie.split(';').next().unwrap().to_owned(),
            back,
        }
    }

    fn parameter(&self, name: &str) -> String {
        let url = Url::parse("http://127.0.0.1")
            .unwrap()
            .join(&self.back)
            .unwrap();
        let mut pairs = url.query_pairs();
        let found = pairs.find(|(key, _)| key == name);
        found.unwrap().1.into_owned()
    }

    async fn arrive(&self, server: &Server) -> Reply {
        self.arrive_with(server, &self.back, &self.cookie).await
    }

    async fn arrive_with(&self, server: &Server, back: &str, cookie: &str) -> Reply {
        let request = server.anonymous().request(Method::GET, back);
        request.header("cookie", cookie).send().await
    }
}

/// What somebody may do: role and region.
async fn rights(client: &Client) -> Vec<(String, Value)> {
    let me = client.get("/v1/me").await.expect(200);
    let grants = me.at("/grants").as_array().unwrap().clone();
    let mut rights: Vec<(String, Value)> = grants
        .iter()
        .map(|grant| {
            let role = grant["role"].as_str().unwrap().to_owned();
            (role, grant["region"].clone())
        })
        .collect();
    rights.sort_by_key(|(role, region)| format!("{role} {region}"));
    rights
}

fn right(role: &str, region: &str) -> (String, Value) {
    (role.to_owned(), json!(region))
}

async fn id_of(server: &Server, username: &str) -> String {
    let admin = server.sign_in("admin").await;
    let found = admin.get(&format!("/v1/users?q={username}")).await;
    let found = found.expect(200);
    let mut items = found.at("/items").as_array().unwrap().iter();
    let one = items.find(|item| item["username"] == username).unwrap();
    one["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_signs_in_at_the_provider_and_works_with_the_role_that_it_maps_to() {
    let (provider, server) = both().await;
    provider
        .account("subject-1", "Zhang.Wei", &["officers", "canteen"])
        .await;
    let browser = Browser::new(&server);

    let sent = browser.get("/auth/provider").await.expect(303);
    let address = Url::parse(sent.header("location").unwrap()).unwrap();
    assert!(address.as_str().starts_with(&provider.issuer));
    let asked: BTreeMap<String, String> = address.query_pairs().into_owned().collect();
    assert_eq!(asked["response_type"], "code");
    assert_eq!(asked["client_id"], "taizhang");
    assert_eq!(asked["scope"], "openid profile");
    assert_eq!(asked["code_challenge_method"], "S256");
    for random in ["state", "nonce", "code_challenge"] {
        assert_eq!(asked[random].len(), 43, "{random}");
    }
    let cookie = sent.header("set-cookie").unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"] {
        assert!(cookie.contains(part), "{cookie}");
    }

    let back = browser.at_provider(address.as_str(), "subject-1").await;
    let pair = browser.get(&back).await.expect(200);
    assert_eq!(pair.header("cache-control"), Some("no-store"));
    assert!(pair.header("set-cookie").unwrap().contains("Max-Age=0"));
    let officer = server.anonymous().with_token(&pair.str("/access_token"));
    let me = officer.get("/v1/me").await.expect(200);
    assert_eq!(me.str("/username"), "zhang.wei");
    assert_eq!(me.str("/display_name"), "同志 Zhang.Wei");
    assert_eq!(rights(&officer).await, [right("officer", "211100")]);
    assert_eq!(me.at("/must"), &Value::Null);
    officer.get("/v1/projects").await.expect(200);
    officer.register(&fields("统一认证录入", "211104")).await;

    let sessions = officer.get("/v1/me/sessions").await.expect(200);
    assert_eq!(sessions.str("/items/0/method"), "identity_provider");
    let next = json!({ "refresh_token": pair.str("/refresh_token") });
    let next = server.anonymous().post("/auth/refresh", &next).send().await;
    next.expect(200);
    let methods = server.anonymous().get("/auth/methods").await.expect(200);
    let expected = json!({
        "password": true,
        "identity_provider": { "issuer": provider.issuer, "sign_in": "/auth/provider" },
    });
    assert_eq!(methods.body, expected);
}

#[tokio::test]
async fn rights_follow_the_provider_at_each_sign_in_and_those_given_here_stay() {
    let (provider, server) = both().await;
    provider.account("s", "li", &["officers", "managers"]).await;
    let li = server.signed_in_at_provider("s").await;
    let both = [right("manager", "211100"), right("officer", "211100")];
    assert_eq!(rights(&li).await, both);
    let li_again = server.signed_in_at_provider("s").await;
    assert_eq!(rights(&li_again).await, both);
    assert_eq!(
        server.column("SELECT subject FROM external_identity").await,
        ["s"]
    );

    // Asked for and decided here.
    let admin = server.sign_in("admin").await;
    let secadmin = server.sign_in("secadmin").await;
    let path = format!("/v1/users/{}/grants", id_of(&server, "li").await);
    let wanted = json!({ "role": "officer", "region": "211103" });
    let asked = admin.post(&path, &wanted).send().await.expect(201);
    let decide = format!("/v1/grants/{}/decide", asked.str("/id"));
    let granted = json!({ "granted": true });
    secadmin.post(&decide, &granted).send().await.expect(200);

    provider.account("s", "li", &["officers-dawa"]).await;
    let later = server.signed_in_at_provider("s").await;
    let left = [right("officer", "211103"), right("officer", "211104")];
    assert_eq!(rights(&later).await, left);
    // Also for those who had signed in before.
    assert_eq!(rights(&li).await, left);
    let grants = admin.get(&path).await.expect(200);
    let of = |origin: &str, state: &str| {
        let items = grants.at("/items").as_array().unwrap().iter();
        items
            .filter(|grant| grant["origin"] == origin && grant["state"] == state)
            .count()
    };
    assert_eq!(of("identity_provider", "ended"), 2);
    assert_eq!(of("identity_provider", "granted"), 1);
    assert_eq!(of("request", "granted"), 1);
}

#[tokio::test]
async fn who_has_no_role_has_an_account_and_may_do_nothing() {
    let (provider, server) = both().await;
    provider.account("s", "wang", &[]).await;
    let wang = server.signed_in_at_provider("s").await;
    assert_eq!(rights(&wang).await, []);
    for path in ["/v1/projects", "/v1/regions", "/v1/users"] {
        wang.get(path).await.expect(403);
    }
}

#[tokio::test]
async fn nobody_is_taken_for_another_by_his_name() {
    let (provider, server) = both().await;
    provider.account("s1", "admin", &["officers"]).await;
    provider.account("s2", "admin", &[]).await;
    provider.account("s3", "张伟", &[]).await;
    for (subject, expected) in [("s1", "admin-2"), ("s2", "admin-3"), ("s3", "user")] {
        let client = server.signed_in_at_provider(subject).await;
        let me = client.get("/v1/me").await.expect(200);
        assert_eq!(me.str("/username"), expected);
    }
    // Nor does a new name make another person of the same subject.
    provider.account("s1", "manager", &["officers"]).await;
    let same = server.signed_in_at_provider("s1").await;
    let me = same.get("/v1/me").await.expect(200);
    assert_eq!(me.str("/username"), "admin-2");
}

#[tokio::test]
async fn an_answer_is_taken_once_and_from_the_browser_that_asked() {
    let (provider, server) = both().await;
    provider.account("s", "zhao", &["officers"]).await;
    let refused = |reply: Reply| {
        let reply = reply.expect(400);
        assert_eq!(reply.code(), "sign_in_not_begun");
        assert!(reply.header("set-cookie").is_none());
    };
    let mine = Returning::of(&server, "s").await;
    let other = Returning::of(&server, "s").await;

    // Without a beginning, in another browser, with a state that was made up.
    let bare = server.anonymous().get(&mine.back).await;
    refused(bare);
    refused(mine.arrive_with(&server, &mine.back, &other.cookie).await);
    let code = mine.parameter("code");
    let made_up = format!(
        "/auth/provider/callback?code={code}&state={}",
        "A".repeat(43)
    );
    refused(mine.arrive_with(&server, &made_up, &mine.cookie).await);
    let none = format!("/auth/provider/callback?code={code}");
    refused(mine.arrive_with(&server, &none, &mine.cookie).await);

    // None of that has spoiled it; and it is good once.
    mine.arrive(&server).await.expect(200);
    refused(mine.arrive(&server).await);

    // Too late.
    server
        .sql("UPDATE sign_in_flow SET expires_at = (SELECT MIN(created_at) FROM account)")
        .await;
    refused(other.arrive(&server).await);
}

#[tokio::test]
async fn of_many_who_show_the_same_answer_one_signs_in() {
    let (provider, server) = both().await;
    provider.account("s", "zhao", &[]).await;
    let returning = Returning::of(&server, "s").await;
    let shown = (0..8).map(|_| returning.arrive(&server));
    let replies = futures::future::join_all(shown).await;
    let signed_in = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(signed_in, 1);
    assert!(replies.iter().all(|r| [200, 400].contains(&r.status)));
}

/// Gives each of two flows what the other has.
async fn swap(server: &Server, column: &str) {
    let hashes = server
        .column("SELECT state_hash FROM sign_in_flow ORDER BY 1")
        .await;
    let mut values = Vec::new();
    for hash in &hashes {
        let sql = format!("SELECT {column} FROM sign_in_flow WHERE state_hash = '{hash}'");
        values.extend(server.column(&sql).await);
    }
    assert_eq!(values.len(), 2);
    for (hash, value) in hashes.iter().zip(values.iter().rev()) {
        server
            .sql(&format!(
                "UPDATE sign_in_flow SET {column} = '{value}' WHERE state_hash = '{hash}'"
            ))
            .await;
    }
}

#[tokio::test]
async fn codes_nonces_and_verifiers_of_different_flows_do_not_fit_together() {
    let (provider, server) = both().await;
    provider.account("s", "zhao", &["officers"]).await;

    // The code of one flow with the state of another: the provider holds it to the other's verifier.
    let (one, other) = (
        Returning::of(&server, "s").await,
        Returning::of(&server, "s").await,
    );
    let mixed = other
        .back
        .replace(&other.parameter("code"), &one.parameter("code"));
    assert_ne!(mixed, other.back);
    let reply = other
        .arrive_with(&server, &mixed, &other.cookie)
        .await
        .expect(401);
    assert_eq!(reply.code(), "provider_refused");
    assert!(reply.text.contains("invalid_grant"));
    // And it is used up by that.
    assert_eq!(
        other.arrive(&server).await.expect(400).code(),
        "sign_in_not_begun"
    );

    server.sql("DELETE FROM sign_in_flow").await;
    let flows = [
        Returning::of(&server, "s").await,
        Returning::of(&server, "s").await,
    ];
    swap(&server, "verifier").await;
    for flow in flows {
        let reply = flow.arrive(&server).await.expect(401);
        assert_eq!(reply.code(), "provider_refused");
    }

    // The provider knows nothing of our checks: it is the id token that is refused.
    let flows = [
        Returning::of(&server, "s").await,
        Returning::of(&server, "s").await,
    ];
    swap(&server, "nonce").await;
    for flow in flows {
        let reply = flow.arrive(&server).await.expect(401);
        assert_eq!(reply.code(), "identity_not_proved");
    }

    // Whose flows are left alone comes in.
    let flows = [
        Returning::of(&server, "s").await,
        Returning::of(&server, "s").await,
    ];
    for flow in flows {
        flow.arrive(&server).await.expect(200);
    }
    let because = server
        .column("SELECT CAST(after AS TEXT) FROM event WHERE kind = 'attempt_failed' ORDER BY id")
        .await;
    assert_eq!(because.len(), 5, "{because:?}");
    assert!(
        because
            .iter()
            .all(|b| b.contains("identity_provider") && !b.contains("zhao"))
    );
}

#[tokio::test]
async fn what_the_provider_refuses_is_refused_here() {
    let (provider, server) = both().await;
    provider.account("s", "zhao", &[]).await;
    let browser = Browser::new(&server);
    let address = browser.begin().await;
    let back = browser.cancel_at_provider(&address).await;
    assert!(back.contains("error=access_denied"));
    let reply = browser.get(&back).await.expect(401);
    assert_eq!(reply.code(), "provider_refused");
    assert!(reply.str("/detail").contains("access_denied"));

    // Only a code is told again, and nothing without a flow.
    let flow = Returning::of(&server, "s").await;
    let state = flow.parameter("state");
    let text = format!("/auth/provider/callback?state={state}&error=%3Cb%3Ecall%20me");
    let reply = flow
        .arrive_with(&server, &text, &flow.cookie)
        .await
        .expect(401);
    assert!(!reply.text.contains("call me"), "{}", reply.text);
    let reply = flow
        .arrive_with(&server, &text, &flow.cookie)
        .await
        .expect(400);
    assert_eq!(reply.code(), "sign_in_not_begun");

    // An answer of another provider.
    let flow = Returning::of(&server, "s").await;
    let url = Url::parse_with_params("http://a", [("iss", &provider.issuer)]).unwrap();
    let (ours, theirs) = (url.query().unwrap(), "iss=http%3A%2F%2F127.0.0.1%3A2");
    let elsewhere = flow.back.replace(ours, theirs);
    assert_ne!(elsewhere, flow.back);
    let reply = flow
        .arrive_with(&server, &elsewhere, &flow.cookie)
        .await
        .expect(401);
    assert_eq!(reply.code(), "identity_not_proved");

    // Neither a code nor an error; a query that can't be read.
    let flow = Returning::of(&server, "s").await;
    let neither = format!("/auth/provider/callback?state={}", flow.parameter("state"));
    let reply = flow
        .arrive_with(&server, &neither, &flow.cookie)
        .await
        .expect(401);
    assert_eq!(reply.code(), "identity_not_proved");
    let twice = "/auth/provider/callback?state=a&state=b";
    let reply = server.anonymous().get(twice).await.expect(400);
    assert_eq!(reply.code(), "invalid_parameter");
}

#[tokio::test]
async fn a_provider_that_is_down_keeps_nobody_else_from_working() {
    let (provider, server) = both().await;
    provider.account("s", "zhao", &[]).await;
    let returning = Returning::of(&server, "s").await;
    let cold =
        Server::configured(|config| config.identity_provider = Some(provider.settings())).await;
    drop(provider);
    for reply in [
        returning.arrive(&server).await,
        cold.anonymous().get("/auth/provider").await,
    ] {
        let reply = reply.expect(503);
        assert_eq!(reply.code(), "provider_unavailable");
        assert!(reply.header("retry-after").is_some());
    }
    for server in [&server, &cold] {
        server.anonymous().get("/readyz").await.expect(200);
        let officer = server.sign_in("officer").await;
        officer.get("/v1/projects").await.expect(200);
    }
}

#[tokio::test]
async fn a_key_that_the_provider_has_changed_is_asked_for() {
    let (provider, server) = both().await;
    provider.account("s", "zhao", &[]).await;
    server.signed_in_at_provider("s").await;
    provider.change_key().await;
    server.signed_in_at_provider("s").await;
}

#[tokio::test]
async fn metadata_of_another_issuer_is_not_taken() {
    let provider = Provider::start().await;
    let server = Server::configured(|config| {
        let mut settings = provider.settings();
        settings.issuer = settings.issuer.replace("127.0.0.1", "localhost");
        config.identity_provider = Some(settings);
    })
    .await;
    let reply = server.anonymous().get("/auth/provider").await.expect(503);
    assert_eq!(reply.code(), "provider_unavailable");
}

#[tokio::test]
async fn over_https_the_cookie_is_kept_to_this_host() {
    let provider = Provider::start().await;
    let server = Server::configured(|config| {
        let mut settings = provider.settings();
        settings.redirect_url = "https://taizhang.example.gov.cn/auth/provider/callback".to_owned();
        config.identity_provider = Some(settings);
    })
    .await;
    let sent = Browser::new(&server)
        .get("/auth/provider")
        .await
        .expect(303);
    let cookie = sent.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-taizhang-sign-in="), "{cookie}");
    for part in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/;"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
}

#[tokio::test]
async fn a_wrong_secret_signs_nobody_in() {
    let provider = Provider::start().await;
    provider.account("s", "zhao", &["officers"]).await;
    let server = Server::configured(|config| {
        let mut settings = provider.settings();
        settings.client_secret = Some(taizhang::config::Secret::new("guessed".to_owned()));
        config.identity_provider = Some(settings);
    })
    .await;
    let reply = Browser::new(&server).sign_in("s").await.expect(401);
    assert_eq!(reply.code(), "provider_refused");
    assert!(reply.text.contains("invalid_client"));
}

#[tokio::test]
async fn a_disabled_account_is_refused() {
    let (provider, server) = both().await;
    provider.account("s", "zhao", &["officers"]).await;
    let zhao = server.signed_in_at_provider("s").await;
    let admin = server.sign_in("admin").await;
    let id = id_of(&server, "zhao").await;
    let path = format!("/v1/users/{id}");
    let tag = admin.get(&path).await.expect(200).etag();
    let off = admin
        .patch(&path, &json!({ "disabled": true }))
        .if_match(&tag);
    off.send().await.expect(200);
    zhao.get("/v1/me").await.expect(401);
    let reply = Browser::new(&server).sign_in("s").await.expect(403);
    assert_eq!(reply.code(), "account_disabled");
    let told = format!(
        "SELECT CAST(after AS TEXT) FROM event WHERE kind = 'attempt_failed' AND subject = 'account/{id}'"
    );
    let told = server.column(&told).await;
    assert!(
        told.len() == 1 && told[0].contains("account_disabled"),
        "{told:?}"
    );
}

#[tokio::test]
async fn passwords_can_be_turned_off_for_everybody() {
    let provider = Provider::start().await;
    let server = Server::configured(|config| {
        config.identity_provider = Some(provider.settings());
        config.local_sign_in = false;
    })
    .await;
    let nobody = server.anonymous();
    for username in ["officer", "admin", "nobody-at-all"] {
        let credentials = json!({ "username": username, "password": PASSWORD });
        let reply = nobody.post("/auth/login", &credentials).send().await;
        assert_eq!(reply.expect(403).code(), "local_sign_in_off");
    }
    let methods = nobody.get("/auth/methods").await.expect(200);
    assert_eq!(methods.at("/password"), false);
    provider.account("s", "zhao", &["officers"]).await;
    let zhao = server.signed_in_at_provider("s").await;
    zhao.get("/v1/projects").await.expect(200);
}

#[tokio::test]
async fn without_a_provider_there_is_none_to_sign_in_at() {
    let server = Server::demo().await;
    let nobody = server.anonymous();
    nobody.get("/auth/provider").await.expect(404);
    nobody
        .get("/auth/provider/callback?state=a&code=b")
        .await
        .expect(404);
    let methods = nobody.get("/auth/methods").await.expect(200);
    let expected = json!({ "password": true, "identity_provider": null });
    assert_eq!(methods.body, expected);
}

#[tokio::test]
async fn nobody_becomes_two_of_the_three_administrators_by_the_provider() {
    let (provider, server) = both().await;
    provider
        .account("s", "qian", &["sysadmins", "auditors"])
        .await;
    let reply = Browser::new(&server).sign_in("s").await.expect(409);
    assert_eq!(reply.code(), "administrators_exclude_each_other");
    assert!(
        server
            .column("SELECT subject FROM external_identity")
            .await
            .is_empty()
    );

    // Nor beside what he is here.
    let admin = server.sign_in("admin").await;
    let link = json!({ "issuer": provider.issuer, "subject": "s" });
    add_account(&server, "zhao", Role::SystemAdmin, None).await;
    let zhao = id_of(&server, "zhao").await;
    let path = format!("/v1/users/{zhao}/identity");
    admin.post(&path, &link).send().await.expect(201);
    provider.account("s", "qian", &["auditors"]).await;
    let reply = Browser::new(&server).sign_in("s").await.expect(409);
    assert_eq!(reply.code(), "administrators_exclude_each_other");
    provider.account("s", "qian", &["officers"]).await;
    let qian = server.signed_in_at_provider("s").await;
    let me = qian.get("/v1/me").await.expect(200);
    assert_eq!(me.str("/username"), "zhao");

    // Nor does he come in the place of one who watches over him.
    let secadmin = id_of(&server, "secadmin").await;
    let path = format!("/v1/users/{secadmin}/identity");
    let link = json!({ "issuer": provider.issuer, "subject": "u" });
    let refused = admin.post(&path, &link).send().await.expect(403);
    assert_eq!(refused.code(), "guarded_account");

    // From one to another he goes in one step.
    provider.account("t", "sun", &["sysadmins"]).await;
    let sun = server.signed_in_at_provider("t").await;
    sun.get("/v1/users").await.expect(200);
    provider.account("t", "sun", &["auditors"]).await;
    let sun = server.signed_in_at_provider("t").await;
    let roles = rights(&sun).await;
    assert_eq!(roles, [("audit_admin".to_owned(), Value::Null)]);
}

#[tokio::test]
async fn a_role_that_demands_two_factors_is_not_had_on_one() {
    let provider = Provider::start().await;
    let server = Server::configured(|config| {
        config.identity_provider = Some(provider.settings());
        config.second_factor_roles = [Role::Manager].into();
    })
    .await;
    for (amr, groups, status) in [
        (json!(["pwd"]), "officers", 200),
        (json!(["pwd"]), "managers", 403),
        (Value::Null, "managers", 403),
        (json!(["pwd", "mfa"]), "managers", 200),
    ] {
        let claims = json!({ "preferred_username": "zhou", "groups": [groups], "amr": amr });
        provider.claims("s", &claims).await;
        let reply = Browser::new(&server).sign_in("s").await;
        assert_eq!(reply.status, status, "{claims}: {}", reply.text);
        if status == 403 {
            assert_eq!(reply.code(), "second_factor_required");
        }
    }
}

#[tokio::test]
async fn an_account_is_linked_by_the_system_administrator_and_by_nobody_else() {
    let (provider, server) = both().await;
    let admin = server.sign_in("admin").await;
    let leader_id = id_of(&server, "leader").await;
    let path = format!("/v1/users/{leader_id}/identity");
    let remove = format!("{path}/remove");
    let link = json!({ "issuer": provider.issuer, "subject": "s" });
    for other in ["officer", "manager", "secadmin", "auditor"] {
        let client = server.sign_in(other).await;
        client.post(&path, &link).send().await.expect(403);
        client
            .request(Method::POST, &remove)
            .send()
            .await
            .expect(403);
    }
    let own = format!("/v1/users/{}/identity", id_of(&server, "admin").await);
    let reply = admin.post(&own, &link).send().await.expect(403);
    assert_eq!(reply.code(), "own_account");

    // Who has signed in before has an account of his own.
    provider.account("s", "leader", &["officers"]).await;
    let early = server.signed_in_at_provider("s").await;
    let early_me = early.get("/v1/me").await.expect(200);
    assert_eq!(early_me.str("/username"), "leader-2");
    admin.get(&path).await.expect(404);
    let reply = admin.post(&path, &link).send().await.expect(409);
    assert_eq!(reply.code(), "already_exists");
    let early_path = format!("/v1/users/{}/identity", early_me.str("/id"));
    let remove_early = format!("{early_path}/remove");
    admin
        .request(Method::POST, &remove_early)
        .send()
        .await
        .expect(204);
    admin
        .request(Method::POST, &remove_early)
        .send()
        .await
        .expect(404);
    early.get("/v1/me").await.expect(401);

    let linked = admin.post(&path, &link).send().await.expect(201);
    assert_eq!(linked.str("/subject"), "s");
    assert_eq!(admin.get(&path).await.expect(200).body, linked.body);
    let leader = server.signed_in_at_provider("s").await;
    let me = leader.get("/v1/me").await.expect(200);
    assert_eq!(me.str("/id"), leader_id);
    let expected = [right("leader", "211100"), right("officer", "211100")];
    assert_eq!(rights(&leader).await, expected);

    // What came by the link goes with it; what was given here stays.
    admin
        .request(Method::POST, &remove)
        .send()
        .await
        .expect(204);
    leader.get("/v1/me").await.expect(401);
    let leader = server.sign_in("leader").await;
    assert_eq!(rights(&leader).await, [right("leader", "211100")]);

    let events = server
        .column(&format!(
            "SELECT kind FROM event WHERE subject = 'account/{leader_id}' AND kind LIKE 'identity%' ORDER BY id"
        ))
        .await;
    assert_eq!(events, ["identity_linked", "identity_unlinked"]);
    for wrong in [
        json!({ "issuer": "", "subject": "s" }),
        json!({ "issuer": "a", "subject": "" }),
        json!({ "issuer": "a", "subject": "s".repeat(256) }),
    ] {
        admin.post(&path, &wrong).send().await.expect(422);
    }
}
