//! Signing in and out.

use serde_json::json;

use crate::support::Server;

#[tokio::test]
async fn a_person_signs_in_and_is_told_what_may_be_done() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer.dawa").await;
    let me = officer.get("/v1/me").await.expect(200);
    assert_eq!(me.str("/username"), "officer.dawa");
    assert_eq!(
        me.at("/grants"),
        &json!([{ "role": "officer", "region": "211104" }])
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
async fn a_refresh_token_is_good_once_and_signing_out_ends_it_all() {
    let server = Server::demo().await;
    let nobody = server.anonymous();
    let credentials = json!({ "username": "officer", "password": "Taizhang-demo-2025" });
    let first = nobody
        .post("/auth/login", &credentials)
        .send()
        .await
        .expect(200);
    let used = json!({ "refresh_token": first.str("/refresh_token") });
    let second = nobody.post("/auth/refresh", &used).send().await.expect(200);
    let again = nobody.post("/auth/refresh", &used).send().await.expect(401);
    assert_eq!(again.code(), "invalid_refresh_token");

    let officer = nobody.with_token(&second.str("/access_token"));
    officer.get("/v1/me").await.expect(200);
    officer
        .request(reqwest::Method::POST, "/auth/logout")
        .send()
        .await
        .expect(204);
    officer.get("/v1/me").await.expect(401);
    let next = json!({ "refresh_token": second.str("/refresh_token") });
    nobody.post("/auth/refresh", &next).send().await.expect(401);
}

#[tokio::test]
async fn a_refresh_token_opens_nothing() {
    let server = Server::demo().await;
    let nobody = server.anonymous();
    let credentials = json!({ "username": "officer", "password": "Taizhang-demo-2025" });
    let pair = nobody
        .post("/auth/login", &credentials)
        .send()
        .await
        .expect(200);
    let wrong = nobody.with_token(&pair.str("/refresh_token"));
    wrong.get("/v1/me").await.expect(401);
}
