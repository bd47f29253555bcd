//! Sign-ins: renewed once, ended by whoever may, over when their time is; and the keys that sign their tokens.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use jsonwebtoken::dangerous::insecure_decode;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use reqwest::Method;
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use serde_json::{Value, json};
use taizhang::auth::Role;
use taizhang::auth::keys::{KeyError, Keys, rotate};
use taizhang::auth::token::{Tokens, Use};
use taizhang::cli::serve::prepare;
use uuid::Uuid;

use crate::support::library::{NOBODY, add_account};
use crate::support::{Client, PASSWORD, Reply, Server, reader};

const OTHER_PASSWORD: &str = "辽河口的芦苇在十月变红了吗";

fn shown(pair: &Reply) -> Value {
    json!({ "refresh_token": pair.str("/refresh_token") })
}

async fn renewed(server: &Server, pair: &Reply) -> Reply {
    let request = server.anonymous().post("/auth/refresh", &shown(pair));
    request.send().await
}

/// The one who holds the access token of a pair.
fn holder(server: &Server, pair: &Reply) -> Client {
    server.anonymous().with_token(&pair.str("/access_token"))
}

/// What a token says, whoever has signed it.
fn claims(token: &str) -> Value {
    insecure_decode::<Value>(token).unwrap().claims
}

/// The sign-in of a pair.
fn session(pair: &Reply) -> Uuid {
    let claims = claims(&pair.str("/access_token"));
    claims["sid"].as_str().unwrap().parse().unwrap()
}

async fn account(server: &Server, username: &str) -> Uuid {
    let admin = server.sign_in("admin").await;
    let found = admin
        .get(&format!("/v1/users?q={username}"))
        .await
        .expect(200);
    let items = found.at("/items").as_array().unwrap();
    let one = items.iter().find(|user| user["username"] == username);
    one.unwrap()["id"].as_str().unwrap().parse().unwrap()
}

/// How many sign-ins of an account have not ended.
async fn live(db: &sea_orm::DatabaseConnection, account: Uuid) -> i64 {
    let count = Query::select()
        .expr(Expr::cust("COUNT(*)"))
        .from("session")
        .and_where(Expr::col("account_id").eq(account))
        .and_where(Expr::col("ended_at").is_null())
        .to_owned();
    let row = db.query_one(&count).await.unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

/// Asks until it is so; fails if it does not become so.
async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !is_so().await {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn of_a_hundred_who_show_one_refresh_token_one_is_first_and_the_sign_in_ends() {
    const ROUNDS: usize = 100;
    const MANY: usize = 100;
    let server = Server::demo().await;
    let nobody = server.anonymous();
    add_account(&server, "racer", Role::Leader, None).await;
    let racer = account(&server, "racer").await;
    let db = server.database().await;
    for round in 0..ROUNDS {
        let pair = nobody.pair("racer").await;
        assert_eq!(live(&db, racer).await, 1, "round {round}");
        let token = shown(&pair);
        let all = (0..MANY).map(|_| nobody.post("/auth/refresh", &token).send());
        let replies = join_all(all).await;
        let (won, lost): (Vec<&Reply>, Vec<&Reply>) =
            replies.iter().partition(|reply| reply.status == 200);
        assert_eq!((won.len(), lost.len()), (1, MANY - 1), "round {round}");
        for reply in lost {
            assert_eq!(reply.status, 401, "round {round}: {}", reply.text);
            assert_eq!(reply.code(), "invalid_refresh_token", "round {round}");
        }
        assert_eq!(live(&db, racer).await, 0, "round {round}");
        holder(&server, &pair).get("/v1/me").await.expect(401);
        holder(&server, won[0]).get("/v1/me").await.expect(401);
        renewed(&server, won[0]).await.expect(401);
    }
}

#[tokio::test]
async fn a_refresh_token_that_comes_again_ends_what_came_of_it() {
    let server = Server::demo().await;
    let first = server.anonymous().pair("officer").await;
    let apart = server.anonymous().pair("officer").await;
    let second = renewed(&server, &first).await.expect(200);
    let third = renewed(&server, &second).await.expect(200);
    holder(&server, &third).get("/v1/me").await.expect(200);
    let again = renewed(&server, &first).await.expect(401);
    assert!(again.str("/detail").contains("已被用过"), "{}", again.text);
    for pair in [&first, &second, &third] {
        holder(&server, pair).get("/v1/me").await.expect(401);
    }
    renewed(&server, &third).await.expect(401);
    // What was begun apart goes on.
    holder(&server, &apart).get("/v1/me").await.expect(200);
}

#[tokio::test]
async fn an_idle_sign_in_is_over_after_thirty_minutes_and_any_after_twelve_hours() {
    let server = Server::demo().await;
    let pair = server.anonymous().pair("officer").await;
    let officer = holder(&server, &pair);
    let listed = officer.get("/v1/me/sessions").await.expect(200);
    let time =
        |name: &str| -> DateTime<Utc> { listed.str(&format!("/items/0/{name}")).parse().unwrap() };
    let begun = time("created_at");
    assert_eq!(time("idle_until") - begun, TimeDelta::minutes(30));
    assert_eq!(time("absolute_until") - begun, TimeDelta::hours(12));
    let refresh = claims(&pair.str("/refresh_token"));
    assert_eq!(refresh["exp"].as_i64().unwrap() - begun.timestamp(), 1800);
    let access = claims(&pair.str("/access_token"));
    assert_eq!(
        access["exp"].as_i64().unwrap() - access["nbf"].as_i64().unwrap(),
        600
    );

    // Idle for too long, by the database's own note: the token itself says that it is still good.
    let past = Utc::now() - TimeDelta::seconds(1);
    let row = ("id", session(&pair));
    assert_eq!(server.set("session", ("idle_until", past), row).await, 1);
    renewed(&server, &pair).await.expect(401);

    // Used all the time, it still ends after twelve hours; tokens are never given for longer.
    let pair = server.anonymous().pair("officer").await;
    let row = ("id", session(&pair));
    let soon = Utc::now() + TimeDelta::minutes(5);
    server.set("session", ("absolute_until", soon), row).await;
    let pair = renewed(&server, &pair).await.expect(200);
    let refresh = claims(&pair.str("/refresh_token"));
    assert_eq!(refresh["exp"].as_i64().unwrap(), soon.timestamp());
    holder(&server, &pair).get("/v1/me").await.expect(200);
    server.set("session", ("absolute_until", past), row).await;
    holder(&server, &pair).get("/v1/me").await.expect(401);
    renewed(&server, &pair).await.expect(401);
    let listed = server.sign_in("officer").await.get("/v1/me/sessions").await;
    assert_eq!(listed.expect(200).at("/items").as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_person_lists_and_ends_his_own_sign_ins_and_nobody_else_s() {
    let server = Server::demo().await;
    let nobody = server.anonymous();
    let (desk, phone) = (nobody.pair("officer").await, nobody.pair("officer").await);
    let (at_desk, at_phone) = (holder(&server, &desk), holder(&server, &phone));
    let theirs = nobody.pair("leader").await;
    let listed = at_desk.get("/v1/me/sessions").await.expect(200);
    let items = listed.at("/items").as_array().unwrap();
    let told = items.iter().map(|item| {
        assert_eq!(
            (&item["method"], &item["source"]),
            (&json!("password"), &json!("127.0.0.1"))
        );
        let id = item["id"].as_str().unwrap().parse::<Uuid>().unwrap();
        (id, item["is_this"].as_bool().unwrap())
    });
    let told: Vec<_> = told.collect();
    assert_eq!(told, [(session(&phone), false), (session(&desk), true)]);

    let end = |client: &Client, id: String| {
        client
            .request(Method::POST, &format!("/v1/me/sessions/{id}/end"))
            .send()
    };
    // Somebody else's is as absent as none.
    let other = end(&at_desk, session(&theirs).to_string())
        .await
        .expect(404);
    let none = end(&at_desk, NOBODY.to_owned()).await.expect(404);
    assert_eq!(
        (other.code(), other.str("/title")),
        (none.code(), none.str("/title"))
    );
    holder(&server, &theirs).get("/v1/me").await.expect(200);

    end(&at_desk, session(&phone).to_string()).await.expect(204);
    at_phone.get("/v1/me").await.expect(401);
    renewed(&server, &phone).await.expect(401);
    at_desk.get("/v1/me").await.expect(200);

    let phone = nobody.pair("officer").await;
    let everywhere = at_desk.request(Method::POST, "/v1/me/sessions/end");
    everywhere.send().await.expect(204);
    for pair in [&desk, &phone] {
        holder(&server, pair).get("/v1/me").await.expect(401);
        renewed(&server, pair).await.expect(401);
    }
    holder(&server, &theirs).get("/v1/me").await.expect(200);
    server.sign_in("officer").await;
}

#[tokio::test]
async fn the_security_administrator_ends_somebody_s_sign_ins() {
    let server = Server::demo().await;
    let pair = server.anonymous().pair("officer").await;
    let officer = account(&server, "officer").await;
    let security = server.sign_in("secadmin").await;
    let path = format!("/v1/users/{officer}/sessions");
    let listed = security.get(&path).await.expect(200);
    assert_eq!(listed.str("/items/0/id"), session(&pair).to_string());
    let end = security.request(Method::POST, &format!("{path}/end"));
    end.send().await.expect(204);
    holder(&server, &pair).get("/v1/me").await.expect(401);
    renewed(&server, &pair).await.expect(401);
    assert_eq!(
        security.get(&path).await.expect(200).at("/items"),
        &json!([])
    );
}

#[tokio::test]
async fn who_is_disabled_is_out_at_the_next_request_and_stays_out_with_his_old_tokens() {
    let server = Server::demo().await;
    let pair = server.anonymous().pair("officer").await;
    let officer = holder(&server, &pair);
    officer.get("/v1/projects").await.expect(200);
    let path = format!("/v1/users/{}", account(&server, "officer").await);
    let admin = server.sign_in("admin").await;
    let disable = async |disabled: bool| {
        let tag = admin.get(&path).await.expect(200).etag();
        let change = admin.patch(&path, &json!({ "disabled": disabled }));
        change.if_match(&tag).send().await.expect(200)
    };
    assert!(disable(true).await.at("/disabled_at").is_string());
    officer.get("/v1/projects").await.expect(401);
    officer.get("/v1/me").await.expect(401);
    renewed(&server, &pair).await.expect(401);
    let credentials = json!({ "username": "officer", "password": PASSWORD });
    let refused = server
        .anonymous()
        .post("/auth/login", &credentials)
        .in_turn()
        .await;
    assert_eq!(refused.expect(401).code(), "wrong_credentials");
    assert!(disable(false).await.at("/disabled_at").is_null());
    officer.get("/v1/me").await.expect(401);
    renewed(&server, &pair).await.expect(401);
    server.sign_in("officer").await;
}

#[tokio::test]
async fn a_new_password_ends_every_other_sign_in_and_keeps_this_one() {
    let server = Server::demo().await;
    let nobody = server.anonymous();
    let (this, other) = (nobody.pair("officer").await, nobody.pair("officer").await);
    let change = json!({ "current_password": PASSWORD, "new_password": OTHER_PASSWORD });
    let mine = holder(&server, &this);
    mine.post("/v1/me/password", &change)
        .send()
        .await
        .expect(204);
    mine.get("/v1/me").await.expect(200);
    holder(&server, &other).get("/v1/me").await.expect(401);
    renewed(&server, &other).await.expect(401);
    renewed(&server, &this).await.expect(200);
    let old = json!({ "username": "officer", "password": PASSWORD });
    nobody.post("/auth/login", &old).in_turn().await.expect(401);
    nobody.sign_in("officer", OTHER_PASSWORD).await;
}

#[tokio::test]
async fn a_right_that_is_ended_is_gone_at_the_next_request() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    officer.get("/v1/projects").await.expect(200);
    let security = server.sign_in("secadmin").await;
    let grants = format!("/v1/users/{}/grants", account(&server, "officer").await);
    let right = security.get(&grants).await.expect(200).str("/items/0/id");
    let end = format!("/v1/grants/{right}/end");
    let ended = security
        .request(Method::POST, &end)
        .send()
        .await
        .expect(200);
    assert_eq!(ended.str("/state"), "ended");
    assert_eq!(
        officer.get("/v1/projects").await.expect(403).code(),
        "forbidden"
    );
    assert_eq!(
        officer.get("/v1/me").await.expect(200).at("/grants"),
        &json!([])
    );
    let again = security.request(Method::POST, &end).send().await;
    assert_eq!(again.expect(409).code(), "decided_already");
}

fn kid(token: &str) -> String {
    decode_header(token).unwrap().kid.unwrap()
}

/// The published keys, as anybody would use them.
async fn published(server: &Server) -> JwkSet {
    let keys = server.anonymous().get("/.well-known/jwks.json").await;
    serde_json::from_value(keys.expect(200).body).unwrap()
}

/// Whether a token verifies by the published keys alone.
fn verifies(token: &str, keys: &JwkSet) -> bool {
    let Some(key) = keys.find(&kid(token)) else {
        return false;
    };
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&["taizhang"]);
    validation.set_issuer(&["taizhang"]);
    let key = DecodingKey::from_jwk(key).unwrap();
    decode::<Value>(token, &key, &validation).is_ok()
}

#[tokio::test]
async fn keys_change_without_anybody_having_to_sign_in_again() {
    let server = Server::demo().await;
    let directory = server.config.keys();
    let nobody = server.anonymous();
    let before = nobody.pair("officer").await;
    let token = before.str("/access_token");
    let officer = holder(&server, &before);
    assert!(verifies(&token, &published(&server).await));
    // Another instance has the new key first: its tokens are taken here too.
    let takes = async |kid: &str| {
        let elsewhere = Tokens::open(&directory, "taizhang", Utc::now()).unwrap();
        let claims = claims(&token);
        let of = |name: &str| claims[name].as_str().unwrap().parse::<Uuid>().unwrap();
        let who = (of("sub"), of("sid"), of("jti"));
        let until = Utc::now() + TimeDelta::minutes(5);
        let signed = elsewhere.sign(Use::Access, who, Utc::now(), until).unwrap();
        assert_eq!(self::kid(&signed), kid);
        let theirs = nobody.with_token(&signed);
        eventually("the new key is taken up", async || {
            theirs.get("/v1/me").await.status == 200
        })
        .await;
    };

    let second = rotate(&directory, Utc::now(), false).unwrap();
    assert_ne!(second, kid(&token));
    takes(&second).await;
    officer.get("/v1/me").await.expect(200);
    let keys = published(&server).await;
    let named: Vec<&str> = keys
        .keys
        .iter()
        .filter_map(|key| key.common.key_id.as_deref())
        .collect();
    assert_eq!(named, [second.as_str(), &kid(&token)]);
    let after = renewed(&server, &before).await.expect(200);
    let new = after.str("/access_token");
    assert_eq!(kid(&new), second);
    assert_eq!(kid(&after.str("/refresh_token")), second);
    assert!(verifies(&token, &keys) && verifies(&new, &keys));
    holder(&server, &after).get("/v1/me").await.expect(200);

    // A key that is known to others is taken away at once, and all that it has signed with it.
    let third = rotate(&directory, Utc::now(), true).unwrap();
    let fresh = nobody.pair("leader").await;
    eventually("the old keys are dropped", async || {
        holder(&server, &after).get("/v1/me").await.status == 401
    })
    .await;
    officer.get("/v1/me").await.expect(401);
    renewed(&server, &after).await.expect(401);
    if kid(&fresh.str("/access_token")) == second {
        holder(&server, &fresh).get("/v1/me").await.expect(401);
    }
    let keys = published(&server).await;
    let named: Vec<&str> = keys
        .keys
        .iter()
        .filter_map(|key| key.common.key_id.as_deref())
        .collect();
    assert_eq!(named, [third.as_str()]);
    let signed = nobody.pair("leader").await;
    assert_eq!(kid(&signed.str("/access_token")), third);
    holder(&server, &signed).get("/v1/me").await.expect(200);
}

#[tokio::test]
async fn a_key_goes_on_for_an_hour_after_it_has_a_successor_and_no_longer() {
    let directory = tempfile::TempDir::new().unwrap();
    let made = Utc::now() - TimeDelta::days(30);
    let first = Keys::open(directory.path(), made)
        .unwrap()
        .signer()
        .unwrap()
        .id;
    let changed = Utc::now() - TimeDelta::hours(2);
    let second = rotate(directory.path(), changed, false).unwrap();
    let keys = |now| Keys::open(directory.path(), now).unwrap();
    let late = changed + TimeDelta::minutes(59);
    assert!(keys(late).find(&first, late).is_some());
    assert_eq!(keys(late).signer().unwrap().id, second);
    let over = changed + TimeDelta::hours(1);
    assert!(keys(over).find(&first, over).is_none());
    assert!(keys(over).find(&second, over).is_some());
    // The next change sweeps its file away.
    rotate(directory.path(), Utc::now(), false).unwrap();
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
}

fn expose(path: &Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o640)).unwrap();
}

#[tokio::test]
async fn a_key_that_others_may_read_is_not_used() {
    let server = Server::demo().await;
    let keys = server.config.keys();
    let files: Vec<_> = std::fs::read_dir(&keys)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    // What signs tokens, what seals secrets, and what signs the audit.
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let is_signing = name.starts_with("token-");
        expose(&file);
        let config = server.config.clone();
        let (tell, told) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let started = actix_web::rt::System::new().block_on(prepare(&config, reader()));
            tell.send(started.err().map(|why| why.to_string())).unwrap();
        });
        let why = told.await.unwrap().unwrap();
        assert!(
            why.contains("chmod 600") && why.contains(&file.display().to_string()),
            "{why}"
        );
        if is_signing {
            let refused = Keys::open(&keys, Utc::now()).unwrap_err();
            assert!(matches!(refused, KeyError::Exposed(_)), "{refused}");
        }
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    // Who serves already goes on with the keys that he has.
    server
        .sign_in("officer")
        .await
        .get("/v1/me")
        .await
        .expect(200);
}
