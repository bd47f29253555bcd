//! The life of an account: made, restricted, given rights by two, kept apart from others.

use chrono::{NaiveDate, TimeDelta, Utc};
use futures::future::join_all;
use reqwest::Method;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use serde_json::{Value, json};
use taizhang::auth::Role;
use taizhang::auth::policy::PasswordProfile;
use taizhang::clock::new_id;
use uuid::Uuid;

use crate::support::library::{add_account, add_account_with, day, fields};
use crate::support::problems::in_both_languages;
use crate::support::{Client, PASSWORD, Reply, Server};

const GOOD: &str = "辽河口的芦苇在十月变红了吗";

/// The three administrators of the demo, signed in.
pub(crate) struct Administrators {
    pub(crate) system: Client,
    pub(crate) security: Client,
    pub(crate) audit: Client,
}

impl Administrators {
    pub(crate) async fn of(server: &Server) -> Self {
        let (system, security, audit) = futures::join!(
            server.sign_in("admin"),
            server.sign_in("secadmin"),
            server.sign_in("auditor")
        );
        Self {
            system,
            security,
            audit,
        }
    }

    /// The account of a name.
    pub(crate) async fn find(&self, username: &str) -> String {
        let found = self.audit.all(&format!("/v1/users?q={username}")).await;
        let one = found.iter().find(|user| user["username"] == username);
        one.unwrap()["id"].as_str().unwrap().to_owned()
    }

    async fn request(&self, account: &str, wanted: &Value) -> Reply {
        let path = format!("/v1/users/{account}/grants");
        self.system.post(&path, wanted).send().await
    }

    /// Asks for a right and grants it.
    async fn give(&self, account: &str, wanted: &Value) -> String {
        let right = self.request(account, wanted).await.expect(201).str("/id");
        decide(&self.security, &right, true).await.expect(200);
        right
    }

    async fn disable(&self, account: &str, disabled: bool) -> Reply {
        let path = format!("/v1/users/{account}");
        let tag = self.audit.get(&path).await.expect(200).etag();
        let change = self.system.patch(&path, &json!({ "disabled": disabled }));
        change.if_match(&tag).send().await
    }
}

async fn decide(client: &Client, right: &str, granted: bool) -> Reply {
    let path = format!("/v1/grants/{right}/decide");
    client
        .post(&path, &json!({ "granted": granted }))
        .send()
        .await
}

async fn end(client: &Client, right: &str) -> Reply {
    let path = format!("/v1/grants/{right}/end");
    client.request(Method::POST, &path).send().await
}

/// The account of who asks.
pub(crate) async fn own(client: &Client) -> String {
    client.get("/v1/me").await.expect(200).str("/id")
}

async fn rights(client: &Client) -> usize {
    let me = client.get("/v1/me").await.expect(200);
    me.at("/grants").as_array().unwrap().len()
}

async fn may_list(client: &Client) -> bool {
    let reply = client.get("/v1/projects").await;
    assert!([200, 403].contains(&reply.status), "{}", reply.text);
    reply.status == 200
}

#[tokio::test]
async fn a_new_account_may_do_nothing_until_its_owner_has_set_a_password() {
    let server = Server::demo().await;
    let office = Administrators::of(&server).await;
    let who = json!({ "username": "zhang.wei", "display_name": "张伟" });
    let made = office
        .system
        .post("/v1/users", &who)
        .send()
        .await
        .expect(201);
    let (id, password) = (made.str("/user/id"), made.str("/one_time_password"));
    assert_eq!(
        made.header("location"),
        Some(format!("/v1/users/{id}").as_str())
    );
    assert_eq!(made.header("etag"), Some("\"1\""));
    let taken = office
        .system
        .post("/v1/users", &who)
        .send()
        .await
        .expect(409);
    assert_eq!(taken.code(), "already_exists");
    let read = office
        .system
        .get(&format!("/v1/users/{id}"))
        .await
        .expect(200);
    assert!(!read.text.contains(&password));
    office.give(&id, &json!({ "role": "manager" })).await;

    let nobody = server.anonymous();
    let zhang = nobody.sign_in("zhang.wei", &password).await;
    let me = zhang.get("/v1/me").await.expect(200);
    assert_eq!(
        (me.str("/must").as_str(), rights(&zhang).await),
        ("password_change", 1)
    );
    for path in [
        "/v1/projects",
        "/v1/summary",
        "/v1/regions",
        "/v1/users",
        "/v1/stage-rules",
    ] {
        let refused = in_both_languages(|| zhang.request(Method::GET, path), 403, path).await;
        assert_eq!(refused.code(), "password_change_required", "{path}");
    }
    zhang.get("/v1/me/sessions").await.expect(200);
    let change = |current: &str, new: &str| {
        zhang.post(
            "/v1/me/password",
            &json!({ "current_password": current, "new_password": new }),
        )
    };
    let same = change(&password, &password).send().await.expect(422);
    assert_eq!(same.error_codes(), ["password_unchanged"]);
    let wrong = change("not-the-password", GOOD).send().await.expect(422);
    assert_eq!(wrong.code(), "wrong_proof");
    assert!(!may_list(&zhang).await);
    change(&password, GOOD).send().await.expect(204);
    // At once, with the token that he has.
    assert!(may_list(&zhang).await);
    assert!(zhang.get("/v1/me").await.expect(200).at("/must").is_null());
    let old = json!({ "username": "zhang.wei", "password": password });
    nobody.post("/auth/login", &old).in_turn().await.expect(401);
    nobody.sign_in("zhang.wei", GOOD).await;
}

#[tokio::test]
async fn a_reset_password_is_for_one_use_and_ends_every_sign_in() {
    let server = Server::demo().await;
    let office = Administrators::of(&server).await;
    let officer = server.sign_in("officer").await;
    let path = format!("/v1/users/{}/password", own(&officer).await);
    let reset = office
        .system
        .request(Method::POST, &path)
        .send()
        .await
        .expect(200);
    officer.get("/v1/me").await.expect(401);
    let old = json!({ "username": "officer", "password": PASSWORD });
    let nobody = server.anonymous();
    nobody.post("/auth/login", &old).in_turn().await.expect(401);
    let again = nobody
        .sign_in("officer", &reset.str("/one_time_password"))
        .await;
    assert!(!may_list(&again).await);
    let own = format!("/v1/users/{}/password", own(&office.system).await);
    let own = office
        .system
        .request(Method::POST, &own)
        .send()
        .await
        .expect(403);
    assert_eq!(own.code(), "own_account");
}

#[tokio::test]
async fn names_are_held_to_their_pattern_and_of_two_at_once_one_is_made() {
    let server = Server::demo().await;
    let office = Administrators::of(&server).await;
    for (body, pointers) in [
        (
            json!({ "username": "Zhang", "display_name": "张" }),
            vec!["/username"],
        ),
        (
            json!({ "username": "-z", "display_name": "张" }),
            vec!["/username"],
        ),
        (
            json!({ "username": "", "display_name": "" }),
            vec!["/username", "/display_name"],
        ),
        (
            json!({ "username": "z".repeat(65), "display_name": "张" }),
            vec!["/username"],
        ),
        (
            json!({ "username": "z", "display_name": "张\n伟" }),
            vec!["/display_name"],
        ),
    ] {
        let what = body.to_string();
        let refused =
            in_both_languages(|| office.system.post("/v1/users", &body), 422, &what).await;
        assert_eq!(refused.pointers(), pointers, "{what}");
    }
    let who = json!({ "username": "twin", "display_name": "孪生" });
    let many = (0..8).map(|_| office.system.post("/v1/users", &who).send());
    let statuses: Vec<u16> = join_all(many)
        .await
        .iter()
        .map(|reply| reply.status)
        .collect();
    let made = statuses.iter().filter(|status| **status == 201).count();
    assert!(
        made == 1 && statuses.iter().all(|s| [201, 409].contains(s)),
        "{statuses:?}"
    );
}

/// Tries passwords on somebody's own account, each with what is said of it.
async fn holds_passwords_to(client: &Client, cases: &[(&str, &str)]) {
    for (password, code) in cases {
        let body = json!({ "current_password": PASSWORD, "new_password": password });
        let request = || client.post("/v1/me/password", &body);
        let refused = in_both_languages(request, 422, password).await;
        assert_eq!(refused.code(), "validation_failed", "{password}");
        assert_eq!(refused.error_codes(), [*code], "{password}");
        assert_eq!(refused.pointers(), ["/new_password"], "{password}");
    }
}

#[tokio::test]
async fn by_default_a_password_is_long_and_not_guessed() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let too_long = "长".repeat(129);
    holds_passwords_to(
        &officer,
        &[
            ("vq8kzn2wpxr", "password_length"),
            (&too_long, "password_length"),
            ("password1234", "password_guessable"),
            ("officer12345", "password_guessable"),
            ("taizhang2026", "password_guessable"),
        ],
    )
    .await;
    let good = json!({ "current_password": PASSWORD, "new_password": "vq8kzn2wpxr4m" });
    officer
        .post("/v1/me/password", &good)
        .send()
        .await
        .expect(204);
    // Never to be changed without a reason.
    let account: Uuid = own(&officer).await.parse().unwrap();
    let long_ago = Utc::now() - TimeDelta::days(4000);
    let row = ("account_id", account);
    assert_eq!(
        server
            .set("account_password", ("set_at", long_ago), row)
            .await,
        1
    );
    assert!(may_list(&officer).await);
}

#[tokio::test]
async fn by_the_other_profile_a_password_has_three_classes_and_lasts_ninety_days() {
    let server =
        Server::configured(|config| config.password_profile = PasswordProfile::Dengbao).await;
    let officer = server.sign_in("officer").await;
    holds_passwords_to(
        &officer,
        &[
            ("vq8kzn2w", "password_classes"),
            ("vQ8kz2w", "password_length"),
            ("Passw0rd", "password_guessable"),
        ],
    )
    .await;
    let account: Uuid = own(&officer).await.parse().unwrap();
    let aged = async |days: i64, minutes: i64| {
        let set_at = Utc::now() - TimeDelta::days(days) - TimeDelta::minutes(minutes);
        server
            .set(
                "account_password",
                ("set_at", set_at),
                ("account_id", account),
            )
            .await;
    };
    aged(90, -1).await;
    assert!(may_list(&officer).await);
    aged(90, 1).await;
    let refused = officer.get("/v1/projects").await.expect(403);
    assert_eq!(refused.code(), "password_change_required");
    assert_eq!(officer.get("/v1/me").await.str("/must"), "password_change");
    let good = json!({ "current_password": PASSWORD, "new_password": "vQ8kzn2w" });
    officer
        .post("/v1/me/password", &good)
        .send()
        .await
        .expect(204);
    assert!(may_list(&officer).await);
}

#[tokio::test]
async fn a_right_holds_when_a_second_administrator_has_granted_it() {
    let server = Server::demo().await;
    let office = Administrators::of(&server).await;
    add_account_with(&server, "zhang.wei", Vec::new()).await;
    let zhang = server.sign_in("zhang.wei").await;
    let id = own(&zhang).await;
    assert!(!may_list(&zhang).await);
    let wanted = json!({ "role": "officer", "region": "211104", "unit": "dawa-drb" });
    let asked = office.request(&id, &wanted).await.expect(201);
    assert_eq!(asked.str("/state"), "requested");
    assert_eq!(asked.str("/origin"), "request");
    assert!(asked.at("/decided_by").is_null());
    assert_eq!(asked.str("/requested_by"), own(&office.system).await);
    assert_eq!(
        office.request(&id, &wanted).await.expect(409).code(),
        "already_exists"
    );
    assert_eq!((rights(&zhang).await, may_list(&zhang).await), (0, false));
    let waiting = office
        .security
        .get("/v1/grants?state=requested")
        .await
        .expect(200);
    assert_eq!(waiting.at("/items"), &json!([asked.body]));

    let right = asked.str("/id");
    decide(&office.system, &right, true).await.expect(403);
    decide(&office.audit, &right, true).await.expect(403);
    decide(&zhang, &right, true).await.expect(403);
    let granted = decide(&office.security, &right, true).await.expect(200);
    assert_eq!(granted.str("/state"), "granted");
    assert_eq!(granted.str("/decided_by"), own(&office.security).await);
    assert_eq!((rights(&zhang).await, may_list(&zhang).await), (1, true));
    let again = decide(&office.security, &right, false).await.expect(409);
    assert_eq!(again.code(), "decided_already");
    let me = zhang.get("/v1/me").await.expect(200);
    let shown =
        json!([{ "role": "officer", "region": "211104", "unit": "dawa-drb", "valid_until": null }]);
    assert_eq!(me.at("/grants"), &shown);

    let refused = office
        .request(&id, &json!({ "role": "leader" }))
        .await
        .expect(201);
    let refused = decide(&office.security, &refused.str("/id"), false)
        .await
        .expect(200);
    assert_eq!(refused.str("/state"), "rejected");
    assert_eq!(rights(&zhang).await, 1);
    // What was refused may be asked for again; what waits may be withdrawn.
    let again = office
        .request(&id, &json!({ "role": "leader" }))
        .await
        .expect(201);
    let withdrawn = end(&office.security, &again.str("/id")).await.expect(200);
    assert_eq!(withdrawn.str("/state"), "ended");
    decide(&office.security, &again.str("/id"), true)
        .await
        .expect(409);
    assert_eq!(rights(&zhang).await, 1);
}

#[tokio::test]
async fn a_right_that_can_t_be_is_not_asked_for() {
    let server = Server::demo().await;
    let office = Administrators::of(&server).await;
    let officer = office.find("officer").await;
    for (wanted, pointer, code) in [
        (json!({ "role": "king" }), "/role", "unknown_code"),
        (
            json!({ "role": "officer", "region": "999999" }),
            "/region",
            "unknown_region",
        ),
        (
            json!({ "role": "officer", "unit": "nobody" }),
            "/unit",
            "unknown_unit",
        ),
        (
            json!({ "role": "audit_admin", "region": "211104" }),
            "/region",
            "holds_everywhere",
        ),
        (
            json!({ "role": "leader", "valid_from": day(5), "valid_until": day(4) }),
            "/valid_until",
            "ends_before_it_begins",
        ),
        (
            json!({ "role": "leader", "valid_until": day(-1) }),
            "/valid_until",
            "over_already",
        ),
    ] {
        let path = format!("/v1/users/{officer}/grants");
        let what = wanted.to_string();
        let refused = in_both_languages(|| office.system.post(&path, &wanted), 422, &what).await;
        assert_eq!(refused.pointers(), [pointer], "{what}");
        assert_eq!(refused.error_codes(), [code], "{what}");
    }
    let all = office
        .audit
        .all(&format!("/v1/users/{officer}/grants"))
        .await;
    assert_eq!(all.len(), 1);
}

#[tokio::test]
async fn the_system_administrator_can_not_come_in_the_place_of_those_who_watch_over_him() {
    let server = Server::demo().await;
    let office = Administrators::of(&server).await;
    for username in ["secadmin", "auditor"] {
        let id = office.find(username).await;
        let path = format!("/v1/users/{id}/password");
        let refused = office.system.request(Method::POST, &path).send().await;
        assert_eq!(refused.expect(403).code(), "guarded_account", "{username}");
        server.sign_in(username).await;
    }
}

#[tokio::test]
async fn nobody_gets_a_right_by_himself() {
    let server = Server::demo().await;
    let office = Administrators::of(&server).await;
    // For himself.
    let system = own(&office.system).await;
    let refused = office
        .request(&system, &json!({ "role": "officer" }))
        .await
        .expect(403);
    assert_eq!(refused.code(), "own_account");
    let security = own(&office.security).await;
    let asked = office
        .request(&security, &json!({ "role": "officer" }))
        .await
        .expect(201);
    let refused = decide(&office.security, &asked.str("/id"), true)
        .await
        .expect(403);
    assert_eq!(refused.code(), "own_account");
    assert_eq!(
        end(&office.security, &asked.str("/id"))
            .await
            .expect(403)
            .code(),
        "own_account"
    );
    add_account(&server, "secadmin.two", Role::SecurityAdmin, None).await;
    let second = server.sign_in("secadmin.two").await;
    decide(&second, &asked.str("/id"), true).await.expect(200);
    assert!(may_list(&office.security).await);

    // What he has asked for in another office, before he changed to this one.
    add_account(&server, "zhao", Role::SystemAdmin, None).await;
    let zhao = server.sign_in("zhao").await;
    let leader = office.find("leader").await;
    let path = format!("/v1/users/{leader}/grants");
    let asked = zhao.post(&path, &json!({ "role": "manager" })).send().await;
    let asked = asked.expect(201).str("/id");
    let id = own(&zhao).await;
    let first = office.audit.get(&format!("/v1/users/{id}/grants")).await;
    end(&office.security, &first.str("/items/0/id"))
        .await
        .expect(200);
    office.give(&id, &json!({ "role": "security_admin" })).await;
    assert_eq!(
        decide(&zhao, &asked, true).await.expect(403).code(),
        "own_request"
    );
    decide(&second, &asked, true).await.expect(200);
}

#[tokio::test]
async fn an_administrator_sees_and_changes_no_project_unless_he_is_given_a_right_to() {
    let server = Server::demo().await;
    let office = Administrators::of(&server).await;
    for client in [&office.system, &office.security, &office.audit] {
        assert!(!may_list(client).await);
        let made = client.post("/v1/projects", &fields("不该有", "211104"));
        made.send().await.expect(403);
    }
    let system = own(&office.system).await;
    add_account(&server, "admin.two", Role::SystemAdmin, None).await;
    let second = server.sign_in("admin.two").await;
    let wanted = json!({ "role": "officer", "region": "211104" });
    let path = format!("/v1/users/{system}/grants");
    let asked = second.post(&path, &wanted).send().await.expect(201);
    decide(&office.security, &asked.str("/id"), true)
        .await
        .expect(200);
    let seen = office.system.all("/v1/projects").await;
    assert!(!seen.is_empty() && seen.iter().all(|project| project["region"] == "211104"));
    office
        .system
        .register(&fields("系统管理员登记", "211104"))
        .await;
    office.system.get("/v1/users").await.expect(200);
}

#[tokio::test]
async fn the_three_administrators_exclude_each_other() {
    let server = Server::demo().await;
    let office = Administrators::of(&server).await;
    add_account(&server, "admin.two", Role::SystemAdmin, None).await;
    let second = server.sign_in("admin.two").await;
    let roles = ["system_admin", "security_admin", "audit_admin"];
    for (name, has) in ["admin", "secadmin", "auditor"].iter().zip(roles) {
        let path = format!("/v1/users/{}/grants", office.find(name).await);
        for role in roles {
            let refused = second.post(&path, &json!({ "role": role })).send().await;
            let code = if role == has {
                "already_exists"
            } else {
                "administrators_exclude_each_other"
            };
            assert_eq!(refused.expect(409).code(), code, "{name} as {role}");
        }
    }
    // Nor is one of them who only waits for another, and of two requests at once one is taken.
    for round in 0..5 {
        let name = format!("wanted-{round}");
        add_account_with(&server, &name, Vec::new()).await;
        let id = office.find(&name).await;
        let requests = roles.map(|role| json!({ "role": role }));
        let replies = join_all(requests.iter().map(|wanted| office.request(&id, wanted))).await;
        let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409]);
        assert_eq!(office.request(&id, &requests[0]).await.status, 409);
    }
}

/// A right as it could be written past the service.
struct Row {
    account: Uuid,
    role: &'static str,
    region: Option<&'static str>,
    origin: &'static str,
    state: &'static str,
    requested_by: Option<Uuid>,
    decided_by: Option<Uuid>,
}

impl Row {
    async fn write(&self, db: &DatabaseConnection) -> Result<(), DbErr> {
        let insert = Query::insert()
            .into_table("account_grant")
            .columns([
                "id",
                "account_id",
                "role",
                "region",
                "origin",
                "state",
                "requested_by",
                "requested_at",
                "decided_by",
            ])
            .values_panic([
                Expr::value(new_id()),
                Expr::value(self.account),
                Expr::value(self.role),
                Expr::value(self.region),
                Expr::value(self.origin),
                Expr::value(self.state),
                Expr::value(self.requested_by),
                Expr::value(Utc::now()),
                Expr::value(self.decided_by),
            ])
            .to_owned();
        db.execute(&insert).await.map(|_| ())
    }
}

#[tokio::test]
async fn the_database_itself_holds_who_may_give_what_to_whom() {
    let server = Server::demo().await;
    let office = Administrators::of(&server).await;
    let db = server.database().await;
    let id = async |name: &str| office.find(name).await.parse::<Uuid>().unwrap();
    let (officer, system, security) =
        (id("officer").await, id("admin").await, id("secadmin").await);
    let right = |account, role| Row {
        account,
        role,
        region: None,
        origin: "request",
        state: "granted",
        requested_by: Some(system),
        decided_by: Some(security),
    };
    let refused = [
        (
            "another administrator's role",
            right(security, "audit_admin"),
        ),
        (
            "asked for, another administrator's role",
            Row {
                state: "requested",
                decided_by: None,
                ..right(security, "audit_admin")
            },
        ),
        (
            "asked for by who gets it",
            Row {
                requested_by: Some(officer),
                ..right(officer, "leader")
            },
        ),
        (
            "decided by who gets it",
            Row {
                decided_by: Some(officer),
                ..right(officer, "leader")
            },
        ),
        (
            "decided by who asked",
            Row {
                decided_by: Some(system),
                ..right(officer, "leader")
            },
        ),
        (
            "granted by nobody",
            Row {
                decided_by: None,
                ..right(officer, "leader")
            },
        ),
        (
            "asked for by nobody",
            Row {
                requested_by: None,
                ..right(officer, "leader")
            },
        ),
        (
            "an administrator of a region",
            Row {
                region: Some("211104"),
                ..right(officer, "audit_admin")
            },
        ),
        ("a role that there is not", right(officer, "king")),
        (
            "a request from the terminal",
            Row {
                origin: "terminal",
                state: "requested",
                requested_by: None,
                decided_by: None,
                ..right(officer, "leader")
            },
        ),
    ];
    for (what, row) in refused {
        assert!(row.write(&db).await.is_err(), "{what}");
    }
    // It is not that nothing can be written.
    right(officer, "leader").write(&db).await.unwrap();
    assert!(right(officer, "leader").write(&db).await.is_err(), "twice");
    right(officer, "audit_admin").write(&db).await.unwrap();
    assert!(
        right(officer, "security_admin").write(&db).await.is_err(),
        "a second one"
    );
}

#[tokio::test]
async fn a_right_holds_from_its_first_day_to_its_last() {
    let server = Server::demo().await;
    let office = Administrators::of(&server).await;
    add_account_with(&server, "zhang.wei", Vec::new()).await;
    let zhang = server.sign_in("zhang.wei").await;
    let wanted = json!({ "role": "officer", "valid_from": day(1), "valid_until": day(2) });
    let right = office.give(&own(&zhang).await, &wanted).await;
    let id: Uuid = right.parse().unwrap();
    let dated = async |from: i64, until: i64| {
        for (column, offset) in [("valid_until", until), ("valid_from", from)] {
            let day: NaiveDate = day(offset).parse().unwrap();
            assert_eq!(
                server.set("account_grant", (column, day), ("id", id)).await,
                1
            );
        }
    };
    assert!(!may_list(&zhang).await, "begins tomorrow");
    dated(0, 2).await;
    assert!(may_list(&zhang).await, "begins today");
    dated(-1, 0).await;
    assert!(may_list(&zhang).await, "ends today");
    let me = zhang.get("/v1/me").await.expect(200);
    assert_eq!(me.str("/grants/0/valid_until"), day(0));
    dated(-2, -1).await;
    assert!(!may_list(&zhang).await, "ended yesterday");
    assert_eq!(rights(&zhang).await, 0);
}

#[tokio::test]
async fn the_last_administrator_of_a_kind_stays() {
    let server = Server::demo().await;
    let office = Administrators::of(&server).await;
    let system = own(&office.system).await;
    let grant = async |account: &str| {
        let all = office
            .audit
            .get(&format!("/v1/users/{account}/grants"))
            .await;
        all.expect(200).str("/items/0/id")
    };
    for name in ["secadmin", "auditor"] {
        let refused = office.disable(&office.find(name).await, true).await;
        assert_eq!(refused.expect(409).code(), "last_administrator", "{name}");
    }
    assert_eq!(
        office.disable(&system, true).await.expect(403).code(),
        "own_account"
    );
    for name in ["admin", "auditor"] {
        let refused = end(&office.security, &grant(&office.find(name).await).await).await;
        assert_eq!(refused.expect(409).code(), "last_administrator", "{name}");
    }
    // One who is disabled is none.
    add_account(&server, "auditor.two", Role::AuditAdmin, None).await;
    let second = office.find("auditor.two").await;
    office.disable(&second, true).await.expect(200);
    let auditor = office.find("auditor").await;
    assert_eq!(
        office.disable(&auditor, true).await.expect(409).code(),
        "last_administrator"
    );
    office.disable(&second, false).await.expect(200);
    end(&office.security, &grant(&auditor).await)
        .await
        .expect(200);
}

#[tokio::test]
async fn of_two_administrators_who_disable_each_other_one_stays() {
    let server = Server::demo().await;
    let office = Administrators::of(&server).await;
    let zero = own(&office.system).await;
    for round in 0..10 {
        let names = [format!("a-{round}"), format!("b-{round}")];
        for name in &names {
            add_account(&server, name, Role::SystemAdmin, None).await;
        }
        let clients = [
            server.sign_in(&names[0]).await,
            server.sign_in(&names[1]).await,
        ];
        let ids = [own(&clients[0]).await, own(&clients[1]).await];
        // The two of them alone are left.
        if round == 0 {
            let path = format!("/v1/users/{zero}");
            let tag = clients[0].get(&path).await.expect(200).etag();
            let first = clients[0].patch(&path, &json!({ "disabled": true }));
            first.if_match(&tag).send().await.expect(200);
        }
        let disable = |by: &Client, whom: &str| {
            let path = format!("/v1/users/{whom}");
            let change = by.patch(&path, &json!({ "disabled": true }));
            change.if_match("\"1\"").send()
        };
        let (one, other) =
            futures::join!(disable(&clients[0], &ids[1]), disable(&clients[1], &ids[0]));
        let done = [&one, &other]
            .iter()
            .filter(|reply| reply.status == 200)
            .count();
        assert_eq!(done, 1, "round {round}: {} {}", one.text, other.text);
        let left = if one.status == 200 { &ids[0] } else { &ids[1] };
        // He goes as well, by hand, so that the next two are alone.
        let account: Uuid = left.parse().unwrap();
        server
            .set(
                "account",
                ("disabled_at", Some(Utc::now())),
                ("id", account),
            )
            .await;
    }
}

#[tokio::test]
async fn people_are_listed_by_name_page_after_page() {
    let server = Server::demo().await;
    let office = Administrators::of(&server).await;
    for name in ["zhang%wei", "zhang_wei"] {
        let who = json!({ "username": name.replace('%', "."), "display_name": name });
        office
            .system
            .post("/v1/users", &who)
            .send()
            .await
            .expect(201);
    }
    let names = |users: &[Value]| -> Vec<String> {
        users
            .iter()
            .map(|user| user["username"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = names(&office.audit.all("/v1/users").await);
    assert_eq!(all.len(), 9);
    assert!(all.is_sorted());
    let mut paged = Vec::new();
    let mut next = "/v1/users?limit=2".to_owned();
    loop {
        let page = office.security.get(&next).await.expect(200);
        let items = page.at("/items").as_array().unwrap();
        assert!(items.len() <= 2);
        paged.extend(names(items));
        let Some(cursor) = page.at("/next_cursor").as_str() else {
            break;
        };
        let other = office
            .security
            .get(&format!("/v1/users?q=a&cursor={cursor}"))
            .await;
        assert_eq!(other.expect(422).code(), "invalid_cursor");
        next = format!("/v1/users?limit=2&cursor={cursor}");
    }
    assert_eq!(paged, all);
    let found = async |query: &str| names(&office.audit.all(&format!("/v1/users?{query}")).await);
    assert_eq!(found("q=officer").await, ["officer", "officer.dawa"]);
    assert_eq!(found("q=%E5%A4%A7%E6%B4%BC").await, ["officer.dawa"]);
    assert_eq!(found("q=%25").await, ["zhang.wei"]);
    assert_eq!(found("q=g_w").await, ["zhang_wei"]);
    assert_eq!(found("q=nobody-at-all").await, [""; 0]);
    let leader = office.find("leader").await;
    office.disable(&leader, true).await.expect(200);
    assert_eq!(found("disabled=true").await, ["leader"]);
    assert_eq!(found("disabled=false").await.len(), 8);
    office.audit.get("/v1/users?limit=0").await.expect(400);
    office.audit.get("/v1/users?role=officer").await.expect(400);
}

#[tokio::test]
async fn a_person_is_amended_from_the_version_that_was_seen() {
    let server = Server::demo().await;
    let office = Administrators::of(&server).await;
    let path = format!("/v1/users/{}", office.find("leader").await);
    let first = office.system.get(&path).await.expect(200);
    let rename = |name: &str| office.system.patch(&path, &json!({ "display_name": name }));
    rename("甲").send().await.expect(428);
    let renamed = rename("甲")
        .if_match(&first.etag())
        .send()
        .await
        .expect(200);
    assert_eq!(renamed.str("/display_name"), "甲");
    assert_ne!(renamed.etag(), first.etag());
    assert_eq!(
        rename("乙")
            .if_match(&first.etag())
            .send()
            .await
            .expect(412)
            .code(),
        "stale_version"
    );
    // The same again is no version.
    let same = rename("甲")
        .if_match(&renamed.etag())
        .send()
        .await
        .expect(200);
    assert_eq!(same.etag(), renamed.etag());
    let other = office.system.patch(&path, &json!({ "username": "chief" }));
    other.if_match(&renamed.etag()).send().await.expect(400);
    let many = (0..8).map(|n| {
        let request = rename(&format!("同时{n}"));
        request.if_match(&renamed.etag()).send()
    });
    let replies = join_all(many).await;
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 200).count(),
        1
    );
    for client in [&office.security, &office.audit] {
        let change = client.patch(&path, &json!({ "display_name": "丙" }));
        change.if_match(&renamed.etag()).send().await.expect(403);
    }
}
