//! Other offices' systems: their tokens, scopes, addresses, secrets and keys.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::support::library::{fields, with};
use crate::support::{Client, Reply, Server};

/// A system that other offices have, with its account.
struct System {
    id: String,
    client_id: String,
}

fn in_days(days: i64) -> String {
    (chrono::Utc::now() + chrono::TimeDelta::days(days)).to_rfc3339()
}

impl System {
    async fn made(server: &Server, client_id: &str, more: Value) -> Self {
        let security = server.sign_in("secadmin").await;
        let said = json!({
            "display_name": "OA", "scopes": ["projects:read", "projects:write", "summary:read"],
            "expires_at": in_days(30),
        });
        let body = json!({ "client_id": client_id, "fields": with(said, &more) });
        let made = security.post("/v1/service-accounts", &body).send().await;
        Self {
            id: made.expect(201).str("/id"),
            client_id: client_id.to_owned(),
        }
    }

    /// With a right that one administrator has asked for and the other has granted.
    async fn may(self, server: &Server, role: &str, region: &str) -> Self {
        let (system, security) =
            futures::join!(server.sign_in("admin"), server.sign_in("secadmin"));
        let wanted = json!({ "role": role, "region": region });
        let path = format!("/v1/users/{}/grants", self.id);
        let asked = system.post(&path, &wanted).send().await.expect(201);
        let decide = format!("/v1/grants/{}/decide", asked.str("/id"));
        let granted = security.post(&decide, &json!({ "granted": true }));
        granted.send().await.expect(200);
        self
    }

    fn path(&self, below: &str) -> String {
        format!("/v1/service-accounts/{}{below}", self.id)
    }

    async fn secret(&self, server: &Server, overlap_hours: i64) -> String {
        let security = server.sign_in("secadmin").await;
        let body = json!({ "overlap_hours": overlap_hours });
        let made = security.post(&self.path("/secrets"), &body).send().await;
        made.expect(201).str("/client_secret")
    }

    async fn ask(&self, server: &Server, secret: &str, scope: &str) -> Reply {
        let basic = BASE64_STANDARD.encode(format!("{}:{secret}", self.client_id));
        let form = format!("grant_type=client_credentials{scope}");
        server
            .anonymous()
            .request(reqwest::Method::POST, "/oauth/token")
            .header("authorization", &format!("Basic {basic}"))
            .raw("application/x-www-form-urlencoded", &form)
            .send()
            .await
    }

    async fn client(&self, server: &Server, secret: &str) -> Client {
        let token = self.ask(server, secret, "").await.expect(200);
        server.anonymous().with_token(&token.str("/access_token"))
    }
}

#[tokio::test]
async fn a_system_gets_a_token_for_its_scopes_and_its_rights() {
    let server = Server::demo().await;
    let oa = System::made(&server, "oa", json!({})).await;
    let secret = oa.secret(&server, 0).await;
    // Without a right it sees itself and no more.
    let bare = oa.client(&server, &secret).await;
    bare.get("/v1/me").await.expect(200);
    let refused = bare.get("/v1/projects").await.expect(403);
    assert_eq!(refused.code(), "forbidden");

    let oa = oa.may(&server, "officer", "211104").await;
    let told = oa.ask(&server, &secret, "").await.expect(200);
    assert_eq!(
        told.str("/scope"),
        "projects:read projects:write summary:read"
    );
    assert_eq!(told.header("cache-control"), Some("no-store"));
    let client = oa.client(&server, &secret).await;
    let seen = client.all("/v1/projects").await;
    assert!(!seen.is_empty() && seen.iter().all(|p| p["region"] == "211104"));
    client.register(&fields("OA 推送", "211104")).await;
    let outside = client.post("/v1/projects", &fields("外区", "211103"));
    outside.send().await.expect(403);
    client.get("/v1/summary").await.expect(200);
    // What was done bears its name.
    let manager = server.sign_in("manager").await;
    let made = manager.named("OA 推送").await;
    let path = format!("/v1/projects/{}/history", made["id"].as_str().unwrap());
    let history = manager.get(&path).await.expect(200);
    assert_eq!(history.str("/items/0/actor"), "oa");
    // Not in its scopes, or for people only.
    for path in [path.as_str(), "/v1/me/sessions", "/v1/users"] {
        let refused = client.get(path).await.expect(403);
        assert_eq!(refused.code(), "scope_missing", "{path}");
    }
    let reader = oa.ask(&server, &secret, "&scope=projects%3Aread").await;
    let reader = reader.expect(200);
    assert_eq!(reader.str("/scope"), "projects:read");
    let reader = server.anonymous().with_token(&reader.str("/access_token"));
    reader.get("/v1/projects").await.expect(200);
    let body = fields("只读", "211104");
    let refused = reader.post("/v1/projects", &body).send().await.expect(403);
    assert_eq!(refused.code(), "scope_missing");
    reader.get("/v1/summary").await.expect(403);
    let wide = oa.ask(&server, &secret, "&scope=projects%3Aread+events%3Aread");
    assert_eq!(wide.await.expect(400).str("/error"), "invalid_scope");
}

#[tokio::test]
async fn a_wrong_system_and_a_wrong_secret_are_told_alike_and_counted() {
    let server = Server::demo().await;
    let oa = System::made(&server, "oa", json!({})).await;
    let secret = oa.secret(&server, 0).await;
    let nobody = System {
        id: String::new(),
        client_id: "nobody".to_owned(),
    };
    let wrong = oa.ask(&server, "not-the-secret", "").await.expect(401);
    let unknown = nobody.ask(&server, &secret, "").await.expect(401);
    assert_eq!(wrong.body, unknown.body);
    assert_eq!(wrong.str("/error"), "invalid_client");
    assert!(
        wrong
            .header("www-authenticate")
            .unwrap()
            .starts_with("Basic")
    );
    // A scope that it has not says nothing to who has not proved himself.
    let probing = oa.ask(&server, "not-the-secret", "&scope=events%3Aread");
    assert_eq!(probing.await.expect(401).body, wrong.body);
    for _ in 0..3 {
        oa.ask(&server, "not-the-secret", "").await.expect(401);
    }
    let locked = oa.ask(&server, &secret, "").await.expect(429);
    assert_eq!(locked.code(), "locked_out");
    for (form, status) in [
        ("grant_type=password&username=officer&password=x", 400),
        ("scope=projects%3Aread", 400),
        (
            "grant_type=client_credentials&grant_type=client_credentials",
            400,
        ),
        ("grant_type=client_credentials", 401),
    ] {
        let post = server
            .anonymous()
            .request(reqwest::Method::POST, "/oauth/token");
        let post = post.raw("application/x-www-form-urlencoded", form);
        post.send().await.expect(status);
    }
    // Neither does a system sign in as a person does.
    let person = json!({ "username": "oa", "password": secret });
    let person = server.anonymous().post("/auth/login", &person).send().await;
    assert_ne!(person.status, 200);
}

#[tokio::test]
async fn a_new_secret_overlaps_with_the_former_and_what_is_revoked_is_gone_at_once() {
    let server = Server::demo().await;
    let oa = System::made(&server, "oa", json!({})).await;
    let first = oa.secret(&server, 0).await;
    let second = oa.secret(&server, 24).await;
    oa.ask(&server, &first, "").await.expect(200);
    let client = oa.client(&server, &second).await;
    let third = oa.secret(&server, 0).await;
    for old in [&first, &second] {
        oa.ask(&server, old, "").await.expect(401);
    }
    oa.ask(&server, &third, "").await.expect(200);
    client.get("/v1/me").await.expect(200);
    let security = server.sign_in("secadmin").await;
    let shown = security.get(&oa.path("")).await.expect(200);
    assert_eq!(shown.at("/secrets").as_array().unwrap().len(), 1);
    assert!(!shown.text.contains(&third));
    let revoke = security.request(reqwest::Method::POST, &oa.path("/secrets/revoke"));
    revoke.send().await.expect(200);
    client.get("/v1/me").await.expect(401);
    oa.ask(&server, &third, "").await.expect(401);
    // Only a hash is kept.
    let db = server.database().await;
    let sql = "SELECT hash FROM service_secret";
    let statement =
        sea_orm::Statement::from_string(sea_orm::ConnectionTrait::get_database_backend(&db), sql);
    let rows = sea_orm::ConnectionTrait::query_all_raw(&db, statement)
        .await
        .unwrap();
    assert_eq!(rows.len(), 3);
    for row in rows {
        let hash: String = row.try_get_by_index(0).unwrap();
        assert!(![&first, &second, &third].contains(&&hash));
    }
}

#[tokio::test]
async fn a_system_comes_from_its_addresses_before_its_end_and_while_it_is_not_disabled() {
    let server = Server::demo().await;
    let security = server.sign_in("secadmin").await;
    let elsewhere = System::made(
        &server,
        "elsewhere",
        json!({ "addresses": ["10.1.0.0/16"] }),
    )
    .await;
    let secret = elsewhere.secret(&server, 0).await;
    elsewhere.ask(&server, &secret, "").await.expect(401);

    let here = json!({ "addresses": ["127.0.0.0/8", "::1"] });
    let oa = System::made(&server, "oa", here).await;
    let secret = oa.secret(&server, 0).await;
    let said =
        json!({ "display_name": "OA", "scopes": ["projects:read"], "expires_at": in_days(30) });
    for change in [
        json!({ "disabled": true }),
        json!({ "addresses": ["10.1.0.0/16"] }),
    ] {
        let client = oa.client(&server, &secret).await;
        client.get("/v1/me").await.expect(200);
        let etag = security.get(&oa.path("")).await.expect(200).etag();
        let body = with(said.clone(), &change);
        let put = security.put(&oa.path(""), &body).if_match(&etag);
        let etag = put.send().await.expect(200).etag();
        client.get("/v1/me").await.expect(401);
        oa.ask(&server, &secret, "").await.expect(401);
        let back = security.put(&oa.path(""), &said).if_match(&etag);
        back.send().await.expect(200);
    }
    let client = oa.client(&server, &secret).await;
    let db = server.database().await;
    let past = "UPDATE service_account SET expires_at = '2025-01-01T00:00:00+00:00'";
    sea_orm::ConnectionTrait::execute_unprepared(&db, past)
        .await
        .unwrap();
    client.get("/v1/me").await.expect(401);
    oa.ask(&server, &secret, "").await.expect(401);
}

/// A key pair of a system, and its public part as a JSON Web Key.
fn key(kid: &str) -> (Vec<u8>, Value) {
    let pair = Ed25519KeyPair::generate().unwrap();
    let x = BASE64_URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x });
    (pair.to_pkcs8v1().unwrap().as_ref().to_vec(), jwk)
}

async fn show(server: &Server, assertion: &str) -> Reply {
    let form = format!(
        "grant_type=client_credentials&client_assertion={assertion}&client_assertion_type=\
         urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    );
    let post = server
        .anonymous()
        .request(reqwest::Method::POST, "/oauth/token");
    let post = post.raw("application/x-www-form-urlencoded", &form);
    post.send().await
}

#[tokio::test]
async fn a_system_proves_itself_by_a_key_of_its_own_with_an_assertion_that_is_good_once() {
    let server = Server::demo().await;
    let security = server.sign_in("secadmin").await;
    let oa = System::made(&server, "oa", json!({})).await;
    let (private, public) = key("2026");
    let (other, _) = key("2026");
    let set = json!({ "keys": [public] });
    let put = security.put(&oa.path("/keys"), &set).if_match("\"1\"");
    put.send().await.expect(200);
    let now = chrono::Utc::now().timestamp();
    let signed = |key: &[u8], changes: Value| {
        let claims = json!({
            "iss": "oa", "sub": "oa", "aud": "taizhang", "iat": now, "exp": now + 60,
            "jti": uuid::Uuid::now_v7(),
        });
        let mut claims = with(claims, &changes);
        let kid = claims.as_object_mut().unwrap().remove("kid");
        claims
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(kid.map_or("2026".to_owned(), |kid| kid.as_str().unwrap().to_owned()));
        encode(&header, &claims, &EncodingKey::from_ed_der(key)).unwrap()
    };
    let good = signed(&private, json!({}));
    let token = show(&server, &good).await.expect(200);
    let client = server.anonymous().with_token(&token.str("/access_token"));
    assert_eq!(
        client.get("/v1/me").await.expect(200).str("/username"),
        "oa"
    );
    let unlock = format!("/v1/users/{}/unlock", oa.id);
    for (what, assertion) in [
        ("shown again", good.clone()),
        ("other key", signed(&other, json!({}))),
        (
            "for somebody else",
            signed(&private, json!({ "aud": "elsewhere" })),
        ),
        ("no audience", signed(&private, json!({ "aud": null }))),
        (
            "of somebody else",
            signed(&private, json!({ "iss": "officer" })),
        ),
        ("over", signed(&private, json!({ "exp": now - 120 }))),
        ("too long", signed(&private, json!({ "exp": now + 3600 }))),
        ("no end", signed(&private, json!({ "exp": null }))),
        ("not yet", signed(&private, json!({ "nbf": now + 600 }))),
        ("no id", signed(&private, json!({ "jti": null }))),
        ("unknown kid", signed(&private, json!({ "kid": "../keys" }))),
        ("cut", good[..good.len() - 2].to_owned()),
    ] {
        let refused = show(&server, &assertion).await;
        let is_refused = refused.status == 401 || refused.status == 400;
        assert!(is_refused, "{what}: {} {}", refused.status, refused.text);
        // So that the count of failures does not answer in place of the check.
        let db = server.database().await;
        sea_orm::ConnectionTrait::execute_unprepared(&db, "DELETE FROM failed_attempts")
            .await
            .unwrap();
    }
    security
        .request(reqwest::Method::POST, &unlock)
        .send()
        .await
        .expect(404);
    show(&server, &signed(&private, json!({})))
        .await
        .expect(200);
    // A private key is not taken in, nor one that is too weak.
    let rsa = "AQAB".repeat(40);
    for (bad, code) in [
        (with(key("x").1, &json!({ "d": "secret" })), "private_key"),
        (
            json!({ "kty": "oct", "kid": "x", "k": "c2VjcmV0" }),
            "private_key",
        ),
        (
            json!({ "kty": "RSA", "kid": "x", "n": rsa, "e": "AQAB" }),
            "unsuitable_key",
        ),
        (
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "" }),
            "unsuitable_key",
        ),
    ] {
        let put = security.put(&oa.path("/keys"), &json!({ "keys": [bad] }));
        let refused = put.if_match("\"2\"").send().await.expect(422);
        assert_eq!(refused.error_codes(), [code]);
        assert_eq!(refused.pointers(), ["/keys/0"]);
    }
}

#[tokio::test]
async fn no_system_is_an_administrator_and_no_one_administrator_makes_one_alone() {
    let server = Server::demo().await;
    let (system, security) = futures::join!(server.sign_in("admin"), server.sign_in("secadmin"));
    let oa = System::made(&server, "oa", json!({})).await;
    let path = format!("/v1/users/{}/grants", oa.id);
    let wanted = json!({ "role": "system_admin" });
    let refused = system.post(&path, &wanted).send().await.expect(409);
    assert_eq!(refused.code(), "people_only");
    let wanted = json!({ "role": "officer", "region": "211100" });
    security.post(&path, &wanted).send().await.expect(403);
    let secrets = oa.path("/secrets");
    system.post(&secrets, &json!({})).send().await.expect(403);
    let body = json!({ "client_id": "Bad Name", "fields": {
        "display_name": "", "scopes": ["projects:erase"], "addresses": ["10.0.0.0/33"],
        "expires_at": "2020-01-01T00:00:00Z",
    }});
    let refused = security.post("/v1/service-accounts", &body).send().await;
    let expected = [
        "/client_id",
        "/fields/display_name",
        "/fields/scopes/0",
        "/fields/addresses/0",
        "/fields/expires_at",
    ];
    assert_eq!(refused.expect(422).pointers(), expected);
    let listed = security
        .get("/v1/service-accounts?limit=1")
        .await
        .expect(200);
    assert_eq!(listed.str("/items/0/client_id"), "oa");
}
