//! Signing in and out; and that a token can't be made up.

use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Method;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use taizhang::auth::token::{Tokens, Use};

use crate::support::Server;
use crate::support::library::{NOBODY, with};

#[tokio::test]
async fn a_person_signs_in_and_is_told_what_may_be_done() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer.dawa").await;
    let me = officer.get("/v1/me").await.expect(200);
    assert_eq!(me.str("/username"), "officer.dawa");
    assert_eq!(
        me.at("/grants"),
        &json!([{ "role": "officer", "region": "211104", "unit": null, "valid_until": null }])
    );
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_are_told_alike() {
    let server = Server::demo().await;
    let nobody = server.anonymous();
    let mut told = Vec::new();
    for username in ["officer", "nobody-at-all"] {
        let credentials = json!({ "username": username, "password": "not-the-password" });
        let reply = nobody
            .post("/auth/login", &credentials)
            .send()
            .await
            .expect(401);
        told.push((
            reply.code(),
            reply.str("/title"),
            reply.body.get("detail").cloned(),
        ));
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn signing_out_ends_access_and_renewal() {
    let server = Server::demo().await;
    let nobody = server.anonymous();
    let first = nobody.pair("officer").await;
    let used = json!({ "refresh_token": first.str("/refresh_token") });
    let second = nobody.post("/auth/refresh", &used).send().await.expect(200);
    let officer = nobody.with_token(&second.str("/access_token"));
    officer.get("/v1/me").await.expect(200);
    officer
        .request(Method::POST, "/auth/logout")
        .send()
        .await
        .expect(204);
    officer.get("/v1/me").await.expect(401);
    let next = json!({ "refresh_token": second.str("/refresh_token") });
    nobody.post("/auth/refresh", &next).send().await.expect(401);
}

#[tokio::test]
async fn a_one_time_password_that_was_not_changed_in_three_days_opens_nothing() {
    let server = Server::demo().await;
    let admin = server.sign_in("admin").await;
    let body = json!({ "username": "li.na", "display_name": "李娜" });
    let made = admin.post("/v1/users", &body).send().await.expect(201);
    let password = made.str("/one_time_password");
    let credentials = json!({ "username": "li.na", "password": password });
    let nobody = server.anonymous();
    let login = async || nobody.post("/auth/login", &credentials).send().await;
    login().await.expect(200);
    let db = server.database().await;
    let then = chrono::Utc::now() - chrono::TimeDelta::hours(73);
    let then = then.format("%Y-%m-%dT%H:%M:%S+00:00");
    let age = format!("UPDATE account_password SET set_at = '{then}' WHERE is_one_time");
    db.execute_unprepared(&age).await.unwrap();
    assert_eq!(login().await.expect(401).code(), "wrong_credentials");
    // Another one can be given.
    let path = format!("/v1/users/{}/password", made.str("/user/id"));
    let again = admin.request(Method::POST, &path).send().await.expect(200);
    let credentials = json!({ "username": "li.na", "password": again.str("/one_time_password") });
    nobody
        .post("/auth/login", &credentials)
        .send()
        .await
        .expect(200);
}

#[tokio::test]
async fn a_refresh_token_opens_nothing() {
    let server = Server::demo().await;
    let nobody = server.anonymous();
    let pair = nobody.pair("officer").await;
    let wrong = nobody.with_token(&pair.str("/refresh_token"));
    wrong.get("/v1/me").await.expect(401);
}

/// A token's parts, unsigned.
fn parts(token: &str) -> (Value, Value) {
    let mut pieces = token.split('.').map(|piece| {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(piece).unwrap();
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    });
    (pieces.next().unwrap(), pieces.next().unwrap())
}

/// The file of the one key that signs tokens.
fn token_key(directory: &Path) -> PathBuf {
    let files = std::fs::read_dir(directory).unwrap();
    let mut paths = files.map(|file| file.unwrap().path());
    let is_token = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with("token-")
    };
    paths.find(is_token).unwrap()
}

fn written(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
async fn a_token_that_was_not_given_is_not_taken() {
    let server = Server::demo().await;
    let nobody = server.anonymous();
    let pair = nobody.pair("officer").await;
    let good = pair.str("/access_token");
    let (header, claims) = parts(&good);
    assert_eq!(header["alg"], "EdDSA");
    assert_eq!(header["typ"], "at+jwt");
    let keys = server.config.keys();
    let key = std::fs::read(token_key(&keys)).unwrap();
    let public = Ed25519KeyPair::from_pkcs8(&key).unwrap();
    let public = public.public_key().as_ref().to_vec();
    let elsewhere = tempfile::TempDir::new().unwrap();
    let now = chrono::Utc::now();
    let others = Tokens::open(elsewhere.path(), "taizhang", now).unwrap();
    let other_key = std::fs::read(token_key(elsewhere.path())).unwrap();

    let signed = |key: &[u8], header_changes: Value, claim_changes: Value| {
        let header = with(header.clone(), &header_changes);
        let header: Header = serde_json::from_value(header).unwrap();
        let mut claims = with(claims.clone(), &claim_changes);
        claims
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        let key = if header.alg == Algorithm::HS256 {
            EncodingKey::from_secret(key)
        } else {
            EncodingKey::from_ed_der(key)
        };
        encode(&header, &claims, &key).unwrap()
    };
    let none = || json!({});
    // The forger's tools make a good token if nothing is changed.
    let control = signed(&key, none(), none());
    nobody.with_token(&control).get("/v1/me").await.expect(200);

    let ours = Tokens::open(&keys, "taizhang", now).unwrap();
    let aimed = Tokens::open(&keys, "elsewhere", now).unwrap();
    let of = |name: &str| {
        claims[name]
            .as_str()
            .unwrap()
            .parse::<uuid::Uuid>()
            .unwrap()
    };
    let who = (of("sub"), of("sid"), of("jti"));
    let minutes = chrono::TimeDelta::minutes;
    let pieces: Vec<&str> = good.split('.').collect();
    let unsigned = |alg: &str| {
        let header = with(header.clone(), &json!({ "alg": alg }));
        format!("{}.{}.", written(&header), pieces[1])
    };
    let promoted = written(&with(claims.clone(), &json!({ "sub": NOBODY })));
    let seconds = now.timestamp();
    let forged = [
        ("empty", String::new()),
        ("no token", "x".to_owned()),
        ("three dots", "...".to_owned()),
        ("alg none", unsigned("none")),
        ("alg None", unsigned("None")),
        ("no signature", unsigned("EdDSA")),
        (
            "alg none, signed",
            format!("{}{}", unsigned("none"), pieces[2]),
        ),
        ("cut", good[..good.len() - 1].to_owned()),
        ("cut in half", good[..good.len() / 2].to_owned()),
        ("longer", format!("{good}A")),
        ("four parts", format!("{good}.{}", pieces[2])),
        (
            "other claims",
            format!("{}.{promoted}.{}", pieces[0], pieces[2]),
        ),
        (
            "huge",
            format!("{}.{}.{}", pieces[0], "A".repeat(5000), pieces[2]),
        ),
        (
            "8 KB, rightly signed",
            signed(&key, none(), json!({ "padding": "A".repeat(6000) })),
        ),
        (
            "begins in five minutes",
            signed(&key, none(), json!({ "nbf": seconds + 300 })),
        ),
        (
            "HS256 by the public key",
            signed(&public, json!({ "alg": "HS256" }), none()),
        ),
        (
            "HS256 by a word",
            signed(b"secret", json!({ "alg": "HS256" }), none()),
        ),
        (
            "other key",
            others
                .sign(Use::Access, who, now, now + minutes(5))
                .unwrap(),
        ),
        (
            "other key, our name of it",
            signed(&other_key, none(), none()),
        ),
        (
            "other name of the key",
            signed(&key, json!({ "kid": "x" }), none()),
        ),
        (
            "a path as the name of the key",
            signed(&key, json!({ "kid": "../../etc/passwd" }), none()),
        ),
        (
            "the key's own file as its name",
            signed(
                &key,
                json!({ "kid": token_key(&keys).display().to_string() }),
                none(),
            ),
        ),
        (
            "no name of the key",
            signed(&key, json!({ "kid": null }), none()),
        ),
        ("typ JWT", signed(&key, json!({ "typ": "JWT" }), none())),
        (
            "typ of a refresh token",
            signed(&key, json!({ "typ": "rt+jwt" }), none()),
        ),
        (
            "expired",
            ours.sign(Use::Access, who, now - minutes(20), now - minutes(2))
                .unwrap(),
        ),
        (
            "not yet",
            ours.sign(Use::Access, who, now + minutes(5), now + minutes(9))
                .unwrap(),
        ),
        (
            "a refresh token",
            ours.sign(Use::Refresh, who, now, now + minutes(5)).unwrap(),
        ),
        (
            "other issuer and audience",
            aimed.sign(Use::Access, who, now, now + minutes(5)).unwrap(),
        ),
        (
            "other audience",
            signed(&key, none(), json!({ "aud": "elsewhere" })),
        ),
        (
            "other issuer",
            signed(&key, none(), json!({ "iss": "elsewhere" })),
        ),
        ("no audience", signed(&key, none(), json!({ "aud": null }))),
        ("no issuer", signed(&key, none(), json!({ "iss": null }))),
        ("no end", signed(&key, none(), json!({ "exp": null }))),
        ("no beginning", signed(&key, none(), json!({ "nbf": null }))),
        ("nobody", signed(&key, none(), json!({ "sub": null }))),
        (
            "end as a text",
            signed(&key, none(), json!({ "exp": (seconds + 300).to_string() })),
        ),
        (
            "somebody else's sign-in",
            signed(&key, none(), json!({ "sub": NOBODY })),
        ),
        (
            "no such sign-in",
            signed(&key, none(), json!({ "sid": NOBODY })),
        ),
    ];
    for (what, token) in forged {
        for path in ["/v1/me", "/v1/projects", "/v1/units"] {
            let reply = nobody.with_token(&token).get(path).await;
            assert_eq!(reply.status, 401, "{what}: {}", reply.text);
            assert_eq!(reply.code(), "unauthenticated", "{what}");
            assert_eq!(reply.header("www-authenticate"), Some("Bearer"), "{what}");
        }
    }
    for value in ["", "Bearer", "Bearer ", "Basic b2ZmaWNlcjp4", &good] {
        let bare = nobody.request(Method::GET, "/v1/me");
        let reply = bare.header("authorization", value).send().await;
        assert_eq!(reply.status, 401, "{value}");
    }
    let lower = format!("bearer {good}");
    let lower = nobody
        .request(Method::GET, "/v1/me")
        .header("authorization", &lower);
    lower.send().await.expect(200);
}
