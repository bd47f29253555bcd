//! A valid request for each operation.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use taizhang::auth::Scope;
use taizhang::auth::access::Operation;

use super::world::{LIST, OTHER, OWN, Person, Target, World, aim};
use crate::support::library::{NOBODY, day};
use crate::support::{Client, Request};

fn fresh(what: &str) -> String {
    // The end of an id is drawn at random.
    format!(
        "{what}{}",
        &taizhang::clock::new_id().simple().to_string()[20..]
    )
}

/// The body of an entry of reference data.
fn entry(kind: &str) -> Value {
    match kind {
        "regions" => json!({ "name": "新区", "kind": "zone", "parent": "211100" }),
        "units" => json!({ "name": "新单位", "region": "211100" }),
        "sectors" => json!({ "name": "新行业", "approval_profile": "general" }),
        _ => json!({ "name": "新条目" }),
    }
}

fn entry_code(kind: &str) -> String {
    match kind {
        "regions" => fresh("211100-"),
        _ => fresh("new-"),
    }
}

/// A preview of a file with one project.
fn an_import(client: &Client, target: &Target) -> Request {
    let (region, unit) = (target.region, target.unit);
    let text = format!("项目名称,地区,责任单位,行业\n新登记,{region},{unit},交通\n");
    let request = client.request(Method::POST, "/v1/imports");
    request.form(("a.csv", text.as_bytes()), &[("kind", "projects")])
}

/// A valid request for an operation on a project (or on what it is about), or none if there is no case for it.
#[expect(clippy::too_many_lines, reason = "a table of cases")]
pub(super) async fn case(
    world: &World,
    operation: &Operation,
    by: &Person,
    target: &Target,
) -> Option<Request> {
    let client = &by.client;
    let method = Method::from_bytes(operation.method.as_bytes()).unwrap();
    let bare = |path: &str| client.request(method.clone(), path);
    let tag = async |path: &str| {
        let reply = world.manager.get(path).await;
        let absent = || "\"1\"".to_owned();
        reply.header("etag").map_or_else(absent, str::to_owned)
    };
    let project = format!("/v1/projects/{}", target.id);
    let path = operation.path.replace("/v1/projects/{id}", &project);
    let user = operation.path.replace("{id}", &world.other);
    let system = operation.path.replace("{id}", &world.system);
    let reference = [
        "regions",
        "units",
        "programmes",
        "sectors",
        "chains",
        "lists",
    ];
    let kind = operation.path.trim_start_matches("/v1/").split('/').next();
    let kind = kind
        .filter(|kind| reference.contains(kind))
        .unwrap_or_default();
    Some(match (operation.method, operation.path) {
        ("POST", "/auth/login") => client.post(
            &path,
            &json!({ "username": by.name, "password": by.password }),
        ),
        ("POST", "/auth/refresh") => {
            let credentials = json!({ "username": by.name, "password": by.password });
            let pair = client
                .post("/auth/login", &credentials)
                .in_turn()
                .await
                .expect(200);
            client.post(
                &path,
                &json!({ "refresh_token": pair.str("/refresh_token") }),
            )
        }
        (
            "GET",
            "/.well-known/jwks.json"
            | "/healthz"
            | "/readyz"
            | "/metrics"
            | "/v1/me"
            | "/v1/me/sessions"
            | "/v1/projects"
            | "/v1/exports/projects"
            | "/v1/imports"
            | "/v1/exports/oc4ids.json"
            | "/v1/events"
            | "/v1/webhooks"
            | "/v1/summary"
            | "/v1/targets/attainment"
            | "/v1/targets"
            | "/v1/scoreboard/scheme"
            | "/v1/scoreboard/periods"
            | "/v1/regions"
            | "/v1/units"
            | "/v1/programmes"
            | "/v1/sectors"
            | "/v1/chains"
            | "/v1/lists"
            | "/v1/stage-rules"
            | "/v1/users"
            | "/v1/grants"
            | "/auth/methods"
            | "/auth/provider"
            | "/auth/provider/callback"
            | "/v1/audit"
            | "/v1/audit/verify"
            | "/v1/audit/export"
            | "/v1/service-accounts"
            | "/v1/projects/{id}"
            | "/v1/projects/{id}/approvals"
            | "/v1/projects/{id}/history"
            | "/v1/projects/{id}/external-refs"
            | "/v1/projects/{id}/plan-years"
            | "/v1/projects/{id}/transitions",
        )
        | ("POST", "/auth/logout" | "/v1/me/sessions/end") => bare(&path),

        ("POST", "/v1/me/password") => client.post(
            &path,
            &json!({ "current_password": by.password, "new_password": "too short" }),
        ),
        ("POST", "/v1/me/sessions/{id}/end") => {
            let sessions = client.get("/v1/me/sessions").await;
            let session = sessions.body.pointer("/items/0/id").and_then(Value::as_str);
            bare(&path.replace("{id}", session.unwrap_or(NOBODY)))
        }
        ("POST", "/v1/me/second-factor") => client.post(&path, &json!({ "password": by.password })),
        ("POST", "/v1/me/second-factor/confirm" | "/v1/me/second-factor/remove") => {
            client.post(&path, &json!({ "code": "no code" }))
        }

        ("POST", "/v1/projects") => {
            let (region, unit) = (target.region, target.unit);
            let body =
                json!({ "name": "新登记", "region": region, "unit": unit, "sector": "交通" });
            client.post(&path, &body)
        }
        ("GET", "/v1/projects/by-code/{code}") => bare(&path.replace("{code}", &target.code)),
        ("PUT", "/v1/projects/by-code/{code}") => {
            let path = path.replace("{code}", &target.code);
            let body = json!({ "commissioned_on": "2025-10-01" });
            client.put(&path, &body).if_match(&tag(&project).await)
        }
        ("GET", "/v1/external-refs/{system}/{key}") => {
            be_known(world, target).await;
            bare(&path.replace("{system}/{key}", &format!("matrix/{}", target.id)))
        }
        ("PUT", "/v1/external-refs/{system}/{key}") => {
            be_known(world, target).await;
            let path = path.replace("{system}/{key}", &format!("matrix/{}", target.id));
            let body = json!({ "commissioned_on": "2025-10-01" });
            client.put(&path, &body).if_match(&tag(&project).await)
        }
        ("PUT", "/v1/projects/{id}/external-refs/{system}") => {
            let path = path.replace("{system}", "other");
            let body = json!({ "key": target.id });
            client.put(&path, &body).if_match(&tag(&project).await)
        }
        ("DELETE", "/v1/projects/{id}/external-refs/{system}") => {
            // Whoever may has taken it off.
            be_known(world, target).await;
            let path = path.replace("{system}", "matrix");
            bare(&path).if_match(&tag(&project).await)
        }
        ("POST", "/v1/batches/projects") => {
            let (region, unit) = (target.region, target.unit);
            let fields =
                json!({ "name": "新登记", "region": region, "unit": unit, "sector": "交通" });
            let external_ref = json!({ "system": "matrix", "key": fresh("new-") });
            let items = json!([{ "external_ref": external_ref, "fields": fields }]);
            client.post(&path, &json!({ "items": items }))
        }
        ("POST", "/v1/imports") => an_import(client, target),
        ("GET", "/v1/imports/{id}" | "/v1/imports/{id}/rows" | "/v1/imports/{id}/errors.xlsx")
        | ("POST", "/v1/imports/{id}/undo") => {
            // One of his own; nobody sees what others brought in.
            let brought = an_import(client, target).send().await;
            let id = brought.body.pointer("/id").and_then(Value::as_str);
            bare(&operation.path.replace("{id}", id.unwrap_or(NOBODY)))
        }
        ("PATCH", "/v1/projects/{id}") => {
            let body = json!({ "commissioned_on": "2025-10-01" });
            client.patch(&path, &body).if_match(&tag(&project).await)
        }
        ("GET", "/v1/projects/{id}/approvals/{item}") => {
            bare(&path.replace("{item}", "construction_permit"))
        }
        ("PUT", "/v1/projects/{id}/approvals/{item}") => {
            let path = path.replace("{item}", "construction_permit");
            let body = json!({ "status": "pending" });
            client.put(&path, &body).if_match(&tag(&path).await)
        }
        ("GET", "/v1/summary/diff" | "/v1/summary/diff/projects") => {
            let from = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
            bare(&format!("{path}?from={from}"))
        }
        (
            "GET",
            "/v1/projects/{id}/plan-years/{year}"
            | "/v1/projects/{id}/investment/{year}"
            | "/v1/accounts/{year}",
        ) => bare(&path.replace("{year}", "2025")),
        ("PUT", "/v1/projects/{id}/plan-years/{year}") => {
            let path = path.replace("{year}", "2025");
            let tag = tag(&path).await;
            client
                .put(&path, &json!({ "planned_investment": "1.00" }))
                .if_match(&tag)
        }
        ("DELETE", "/v1/projects/{id}/plan-years/{year}") => {
            let path = path.replace("{year}", "2026");
            // Whoever may has taken it out.
            let _again = world.manager.put(&path, &json!({})).if_none().send().await;
            bare(&path).if_match(&tag(&path).await)
        }
        ("GET", "/v1/projects/{id}/investment/{year}/{month}") => {
            bare(&path.replace("{year}/{month}", "2025/3"))
        }
        ("PUT", "/v1/projects/{id}/investment/{year}/{month}") => {
            let path = path.replace("{year}/{month}", "2025/3");
            let tag = tag(&path).await;
            client
                .put(&path, &json!({ "completed": "1.00" }))
                .if_match(&tag)
        }
        ("DELETE", "/v1/projects/{id}/investment/{year}/{month}") => {
            let path = path.replace("{year}/{month}", "2025/4");
            // Whoever may has taken them back.
            let told = json!({ "completed": "1.00" });
            let _again = world.manager.put(&path, &told).if_none().send().await;
            bare(&path).if_match(&tag(&path).await)
        }
        ("POST", "/v1/projects/{id}/transitions") => {
            let body = json!({ "to": "attraction", "occurred_on": day(0) });
            client.post(&path, &body).if_match(&tag(&project).await)
        }
        ("PUT" | "DELETE", "/v1/lists/{code}/projects/{id}") => {
            let list = format!("/v1/lists/{LIST}");
            bare(&format!("{list}/projects/{}", target.id)).if_match(&tag(&list).await)
        }

        ("POST", "/v1/webhooks") => client.post(&path, &webhook()),
        ("GET", "/v1/webhooks/{id}") => bare(&path.replace("{id}", &webhook_of(world, by).await)),
        ("PATCH" | "DELETE", "/v1/webhooks/{id}") => {
            let path = path.replace("{id}", &webhook_of(world, by).await);
            let tag = world.security.get(&path).await.etag();
            let request = match operation.method {
                "PATCH" => client.patch(&path, &json!({ "state": "disabled" })),
                _ => bare(&path),
            };
            request.if_match(&tag)
        }
        ("GET", "/v1/webhooks/{id}/deliveries") | ("POST", "/v1/webhooks/{id}/tests") => {
            bare(&path.replace("{id}", &webhook_of(world, by).await))
        }
        ("POST", "/v1/webhooks/{id}/secrets") => {
            let path = path.replace("{id}", &webhook_of(world, by).await);
            client.post(&path, &json!({}))
        }
        ("POST", "/v1/webhooks/{id}/replay") => {
            let path = path.replace("{id}", &webhook_of(world, by).await);
            client.post(&path, &json!({ "after": "0" }))
        }
        ("GET", "/v1/webhooks/{id}/deliveries/{delivery}")
        | ("POST", "/v1/webhooks/{id}/deliveries/{delivery}/replay") => {
            let id = webhook_of(world, by).await;
            let delivery = delivery_of(by, &id).await;
            let path = path.replace("{id}", &id);
            bare(&path.replace("{delivery}", &delivery))
        }

        ("GET", "/v1/scoreboard") => bare(&format!("{path}?period=2025-03")),
        ("PUT", "/v1/scoreboard/scheme") => {
            let other = world.manager.get(&path).await.expect(200);
            let mut scheme = other.at("/scheme").clone();
            let months = scheme["landing_months"].as_i64().unwrap();
            scheme["landing_months"] = (months % 100 + 1).into();
            client.put(&path, &scheme).if_match(&other.etag())
        }
        ("GET" | "DELETE", "/v1/scoreboard/periods/{period}") => {
            let path = path.replace("{period}", "2025-02");
            // Whoever may has reopened it.
            let again = world.manager.request(Method::PUT, &path).if_none();
            let _again = again.send().await;
            match operation.method {
                "GET" => bare(&path),
                _ => bare(&format!("{path}?reason=x")).if_match(&tag(&path).await),
            }
        }
        ("PUT", "/v1/scoreboard/periods/{period}") => {
            let path = path.replace("{period}", "2025-03");
            if let Some(tag) = world.manager.get(&path).await.header("etag") {
                let reopened = world.manager.delete(&format!("{path}?reason=x"));
                reopened.if_match(tag).send().await.expect(204);
            }
            bare(&path).if_none()
        }

        ("GET", "/v1/targets/cascade") => bare(&format!("{path}?plan=2026")),
        ("GET" | "PUT" | "DELETE", "/v1/targets/{code}") => {
            let is_there = target.id != NOBODY;
            let of = if is_there { target.region } else { "nowhere" };
            let path = path.replace("{code}", &format!("of-{of}"));
            let body = aim(target.region);
            if is_there {
                // Whoever may has removed it.
                let _again = world.manager.put(&path, &body).if_none().send().await;
            }
            match operation.method {
                "GET" => bare(&path),
                "PUT" => client.put(&path, &body).if_match(&tag(&path).await),
                _ => bare(&path).if_match(&tag(&path).await),
            }
        }

        (
            "GET",
            "/v1/regions/{code}"
            | "/v1/units/{code}"
            | "/v1/programmes/{code}"
            | "/v1/sectors/{code}"
            | "/v1/chains/{code}"
            | "/v1/lists/{code}",
        ) => {
            let listed = world.admin.get(&format!("/v1/{kind}")).await.expect(200);
            bare(&path.replace("{code}", &listed.str("/items/0/code")))
        }
        (
            "PUT",
            "/v1/regions/{code}"
            | "/v1/units/{code}"
            | "/v1/programmes/{code}"
            | "/v1/sectors/{code}"
            | "/v1/chains/{code}"
            | "/v1/lists/{code}",
        ) => {
            let path = path.replace("{code}", &entry_code(kind));
            client.put(&path, &entry(kind)).if_none()
        }
        (
            "DELETE",
            "/v1/regions/{code}"
            | "/v1/units/{code}"
            | "/v1/programmes/{code}"
            | "/v1/sectors/{code}"
            | "/v1/chains/{code}"
            | "/v1/lists/{code}",
        ) => {
            let path = path.replace("{code}", &entry_code(kind));
            let made = world.admin.put(&path, &entry(kind)).if_none().send().await;
            bare(&path).if_match(&made.expect(201).etag())
        }
        ("PUT", "/v1/stage-rules/approvals") => {
            let rules = json!({ "rules": [{ "applies_to": "port", "items": ["sea_use"] }] });
            client
                .put(&path, &rules)
                .if_match(&tag("/v1/stage-rules").await)
        }

        ("POST", "/v1/users") => {
            let body = json!({ "username": fresh("u"), "display_name": "新人" });
            client.post(&path, &body)
        }
        ("GET", "/v1/users/{id}" | "/v1/users/{id}/sessions" | "/v1/users/{id}/grants")
        | (
            "POST",
            "/v1/users/{id}/password"
            | "/v1/users/{id}/unlock"
            | "/v1/users/{id}/second-factor/remove"
            | "/v1/users/{id}/sessions/end",
        ) => bare(&user),
        ("PATCH", "/v1/users/{id}") => {
            let tag = world.admin.get(&user).await.expect(200).etag();
            client
                .patch(&user, &json!({ "display_name": fresh("张") }))
                .if_match(&tag)
        }
        ("POST", "/v1/users/{id}/grants") => {
            let body = json!({ "role": "officer", "region": "211122", "unit": OTHER });
            client.post(&user, &body)
        }
        ("GET", "/v1/users/{id}/identity") | ("POST", "/v1/users/{id}/identity/remove") => {
            be_linked(world, true).await;
            bare(&user)
        }
        ("POST", "/v1/users/{id}/identity") => {
            be_linked(world, false).await;
            client.post(&user, &identity())
        }
        ("POST", "/v1/grants/{id}/decide") => {
            let body = json!({ "granted": false, "note": "不同意" });
            client.post(&path.replace("{id}", &requested(world).await), &body)
        }
        ("POST", "/v1/grants/{id}/end") => bare(&path.replace("{id}", &requested(world).await)),

        ("POST", "/oauth/token") => {
            let secret = secret_of(world, &world.system).await;
            asking_for_token(client, "oa", &secret)
        }
        ("POST", "/v1/service-accounts") => {
            let body = json!({ "client_id": fresh("s"), "fields": system_fields(&Scope::ALL) });
            client.post(&path, &body)
        }
        ("GET", "/v1/service-accounts/{id}")
        | ("POST", "/v1/service-accounts/{id}/secrets/revoke") => bare(&system),
        ("PUT", "/v1/service-accounts/{id}") => {
            let tag = world.admin.get(&system).await.expect(200).etag();
            client.put(&system, &system_fields(&[])).if_match(&tag)
        }
        ("POST", "/v1/service-accounts/{id}/secrets") => {
            client.post(&system, &json!({ "overlap_hours": 1 }))
        }
        ("PUT", "/v1/service-accounts/{id}/keys") => {
            let system = format!("/v1/service-accounts/{}", world.system);
            let tag = world.admin.get(&system).await.expect(200).etag();
            client
                .put(&format!("{system}/keys"), &json!({ "keys": [] }))
                .if_match(&tag)
        }
        _ => return None,
    })
}

/// The body of a webhook whose receiver is not there, told of what everybody may read.
fn webhook() -> Value {
    json!({
        "url": "http://127.0.0.1:65535/hook", "types": ["taizhang.chain.changed"], "after": "0",
    })
}

/// A webhook of somebody's own, or of the manager's if he may keep none.
async fn webhook_of(world: &World, by: &Person) -> String {
    let mine = by.client.post("/v1/webhooks", &webhook()).send().await;
    if mine.status == 201 {
        return mine.str("/webhook/id");
    }
    let known = by.client.get("/v1/webhooks").await;
    let known = match known.status {
        200 => known,
        _ => world.manager.get("/v1/webhooks").await.expect(200),
    };
    if let Some(id) = known.body.pointer("/items/0/id").and_then(Value::as_str) {
        return id.to_owned();
    }
    let made = world.manager.post("/v1/webhooks", &webhook()).send().await;
    made.expect(201).str("/webhook/id")
}

/// A delivery of a webhook, when there is one; nobody's, if that is not for him to know.
async fn delivery_of(by: &Person, webhook: &str) -> String {
    loop {
        let log = by
            .client
            .get(&format!("/v1/webhooks/{webhook}/deliveries"))
            .await;
        if log.status != 200 {
            return NOBODY.to_owned();
        }
        if let Some(id) = log.body.pointer("/items/0/id").and_then(Value::as_str) {
            return id.to_owned();
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// A request for a token as a system.
pub(super) fn asking_for_token(client: &Client, name: &str, secret: &str) -> Request {
    let basic = BASE64_STANDARD.encode(format!("{name}:{secret}"));
    client
        .request(Method::POST, "/oauth/token")
        .header("authorization", &format!("Basic {basic}"))
        .raw(
            "application/x-www-form-urlencoded",
            "grant_type=client_credentials",
        )
}

fn system_fields(scopes: &[Scope]) -> Value {
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.code()).collect();
    let end = chrono::Utc::now() + chrono::TimeDelta::days(30);
    json!({ "display_name": "OA", "scopes": scopes, "expires_at": end.to_rfc3339() })
}

pub(super) async fn make_system(security: &Client, name: &str, scopes: &[Scope]) -> String {
    let body = json!({ "client_id": name, "fields": system_fields(scopes) });
    let made = security.post("/v1/service-accounts", &body).send().await;
    made.expect(201).str("/id")
}

/// A new secret of a system.
pub(super) async fn secret_of(world: &World, system: &str) -> String {
    let path = format!("/v1/service-accounts/{system}/secrets");
    let made = world.security.post(&path, &json!({ "overlap_hours": 0 }));
    made.send().await.expect(201).str("/client_secret")
}

/// Somebody at the identity provider.
pub(super) fn identity() -> Value {
    json!({ "issuer": "https://id.example.gov.cn", "subject": "a-subject" })
}

/// Sees to it that the other account is linked to him, or is not.
async fn be_linked(world: &World, linked: bool) {
    let path = format!("/v1/users/{}/identity", world.other);
    let is_linked = world.admin.get(&path).await.status == 200;
    if linked && !is_linked {
        let link = world.admin.post(&path, &identity());
        link.send().await.expect(201);
    } else if is_linked && !linked {
        let remove = world.admin.request(Method::POST, &format!("{path}/remove"));
        remove.send().await.expect(204);
    }
}

/// Sees to it that a project, if it is there, is known to a system by its id.
async fn be_known(world: &World, target: &Target) {
    let project = format!("/v1/projects/{}", target.id);
    let refs = format!("{project}/external-refs");
    let known = world.manager.get(&refs).await;
    if known.status != 200 || known.text.contains("\"matrix\"") {
        return;
    }
    let tag = world.manager.get(&project).await.expect(200).etag();
    let link = world
        .manager
        .put(&format!("{refs}/matrix"), &json!({ "key": target.id }));
    link.if_match(&tag).send().await.expect(200);
}

/// A right that waits for a decision.
pub(super) async fn requested(world: &World) -> String {
    let path = format!("/v1/users/{}/grants", world.other);
    let waiting = world.admin.get(&format!("{path}?state=requested")).await;
    if let Some(id) = waiting.body.pointer("/items/0/id").and_then(Value::as_str) {
        return id.to_owned();
    }
    let wanted = json!({ "role": "officer", "region": "211102", "unit": OWN });
    let asked = world.admin.post(&path, &wanted).send().await;
    asked.expect(201).str("/id")
}
