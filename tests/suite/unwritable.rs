//! Where nothing can be recorded, nothing is done: every change is refused with 503, and works again by itself.

use reqwest::Method;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::json;

use crate::support::projects::{Office, fields, obtained, step};
use crate::support::{Client, PASSWORD, Request, Server};

/// The ways in which the table of events can stop taking rows, each with what mends it.
const WAYS: [(&str, &str); 2] = [
    (
        "ALTER TABLE event RENAME TO event_gone",
        "ALTER TABLE event_gone RENAME TO event",
    ),
    (REFUSING, MENDED),
];

const REFUSING: &str = "a trigger that refuses";
const MENDED: &str = "no such trigger";

async fn run(db: &DatabaseConnection, sql: &str) {
    let is_postgres = db.get_database_backend() == DbBackend::Postgres;
    let sql = match (sql, is_postgres) {
        (REFUSING, true) => {
            "CREATE TRIGGER event_shut BEFORE INSERT ON event FOR EACH STATEMENT EXECUTE FUNCTION audit_stays()"
        }
        (REFUSING, false) => {
            "CREATE TRIGGER event_shut BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'shut'); END"
        }
        (MENDED, true) => "DROP TRIGGER event_shut ON event",
        (MENDED, false) => "DROP TRIGGER event_shut",
        (sql, _) => sql,
    };
    db.execute_unprepared(sql).await.unwrap();
}

/// Every row of every table that a change would write to, in words.
async fn everything(db: &DatabaseConnection) -> Vec<String> {
    const TABLES: [&str; 24] = [
        "region",
        "unit",
        "programme",
        "sector",
        "chain",
        "project_list",
        "approval_rule",
        "scoreboard_scheme",
        "scoreboard_closing",
        "account",
        "account_grant",
        "account_password",
        "session",
        "project",
        "project_version",
        "project_search",
        "list_member",
        "plan_year",
        "investment_month",
        "accounting_span",
        "approval",
        "target",
        "transition",
        "idempotency_key",
    ];
    let mut rows = Vec::new();
    for table in TABLES {
        let columns = if db.get_database_backend() == DbBackend::Postgres {
            format!("SELECT t::text FROM {table} t ORDER BY 1")
        } else {
            let names = Statement::from_string(
                DbBackend::Sqlite,
                format!("SELECT name FROM pragma_table_info('{table}')"),
            );
            let names = db.query_all_raw(names).await.unwrap();
            let quoted: Vec<String> = names
                .iter()
                .map(|row| format!("quote({})", row.try_get_by_index::<String>(0).unwrap()))
                .collect();
            format!(
                "SELECT {} FROM {table} ORDER BY 1",
                quoted.join(" || ',' || ")
            )
        };
        let asked = Statement::from_string(db.get_database_backend(), columns);
        for row in db.query_all_raw(asked).await.unwrap() {
            let text: String = row.try_get_by_index(0).unwrap();
            rows.push(format!("{table} {text}"));
        }
    }
    rows
}

/// Whoever changes things, and what is changed: each change has its own, so that none stands in another's way.
struct Changes {
    anonymous: Client,
    admin: Client,
    office: Office,
    projects: Vec<(String, String)>,
    list: String,
    rules: String,
}

impl Changes {
    async fn of(server: &Server) -> Self {
        let office = Office::of(server).await;
        let mut projects = Vec::new();
        for stage in ["planning", "planning", "attraction", "attraction"] {
            let project = office.at_stage(stage, &json!({})).await;
            projects.push((project.path(""), project.etag().await));
        }
        let list = office.manager.get("/v1/lists/panjin-port").await;
        let rules = office.officer.get("/v1/stage-rules").await;
        Self {
            anonymous: server.anonymous(),
            admin: server.sign_in("admin").await,
            projects,
            list: list.expect(200).etag(),
            rules: rules.expect(200).etag(),
            office,
        }
    }

    /// One change of each kind, with the status that it has when it is done.
    fn all(&self) -> Vec<(Request, u16)> {
        let [amended, stepped, supplied, suspended] = &self.projects[..] else {
            unreachable!()
        };
        let Office { officer, manager } = &self.office;
        let id = supplied.0.rsplit('/').next().unwrap();
        let who = json!({ "username": "leader", "password": PASSWORD });
        let unit = json!({ "name": "新单位", "region": "211100" });
        let rule =
            json!({ "rules": [{ "applies_to": "enterprise_filed", "items": ["land_use"] }] });
        let user = json!({ "username": "zhang.wei", "display_name": "张伟" });
        let suspend = json!({ "to": "suspended", "occurred_on": "2025-03-18", "note": "缓建" });
        let planned = json!({ "planned_investment": "50000000.00" });
        let figures = json!({ "completed": "1000000.00" });
        let target = json!({
            "plan": "2026", "region": "211100", "metric": "new", "name": "新建", "from_year": 2026,
            "to_year": 2026, "value": "40", "unit": "project", "kind": "target",
        });
        let scheme = json!({
            "indicators": [{ "indicator": "started", "weight": 1 }], "red": null, "black": null, "landing_months": 6,
        });
        vec![
            (self.anonymous.post("/auth/login", &who), 200),
            (
                officer
                    .post("/v1/projects", &fields(&json!({})))
                    .header("idempotency-key", "once"),
                201,
            ),
            (
                officer
                    .patch(&amended.0, &json!({ "note": "改" }))
                    .if_match(&amended.1),
                200,
            ),
            (
                officer
                    .post(&format!("{}/transitions", stepped.0), &step("attraction"))
                    .if_match(&stepped.1),
                201,
            ),
            (
                manager
                    .post(&format!("{}/transitions", suspended.0), &suspend)
                    .if_match(&suspended.1),
                201,
            ),
            (
                officer
                    .put(&format!("{}/approvals/land_use", supplied.0), &obtained())
                    .if_none(),
                201,
            ),
            (
                manager
                    .put(&format!("{}/plan-years/2025", supplied.0), &planned)
                    .if_none(),
                201,
            ),
            (
                officer
                    .put(&format!("{}/investment/2025/3", supplied.0), &figures)
                    .if_none(),
                201,
            ),
            (
                manager
                    .request(Method::PUT, &format!("/v1/lists/panjin-port/projects/{id}"))
                    .if_match(&self.list),
                204,
            ),
            (manager.put("/v1/targets/new", &target).if_none(), 201),
            (
                manager
                    .put("/v1/scoreboard/scheme", &scheme)
                    .if_match("\"1\""),
                200,
            ),
            (
                manager
                    .request(Method::PUT, "/v1/scoreboard/periods/2025-03")
                    .if_none(),
                201,
            ),
            (self.admin.post("/v1/users", &user), 201),
            (self.admin.put("/v1/units/new-unit", &unit).if_none(), 201),
            (
                self.admin
                    .put("/v1/stage-rules/approvals", &rule)
                    .if_match(&self.rules),
                200,
            ),
        ]
    }
}

#[tokio::test]
async fn what_can_not_be_recorded_is_not_done_and_heals_by_itself() {
    for (shut, mended) in WAYS {
        let server = Server::demo().await;
        let changes = Changes::of(&server).await;
        let db = server.database().await;
        let before = everything(&db).await;
        run(&db, shut).await;
        for (number, (request, _)) in changes.all().into_iter().enumerate() {
            let reply = request.send().await;
            assert_eq!(reply.status, 503, "{shut}: {number}: {}", reply.text);
            assert_eq!(reply.code(), "unavailable");
            assert!(reply.header("retry-after").is_some());
        }
        assert_eq!(everything(&db).await, before, "{shut}");
        run(&db, mended).await;
        for (request, status) in changes.all() {
            request.send().await.expect(status);
        }
    }
}
