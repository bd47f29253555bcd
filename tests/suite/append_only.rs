//! What is recorded can't be changed: the tables refuse, and the role that the service runs as may not even ask.

use migration::grants;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend};
use serde_json::json;
use taizhang::config::{Config, Secret};

use crate::support::Server;
use crate::support::library::in_store;
use crate::support::projects::Office;

/// What is written once.
const KEPT: [&str; 4] = ["event", "transition", "audit_seal", "audit_checkpoint"];

/// A change of each kind to a table in which something stands; a column of each name is there in some.
fn changes(db: &DatabaseConnection, table: &str) -> Vec<String> {
    let column = if table.starts_with("audit") {
        "seq"
    } else {
        "id"
    };
    let mut changes = vec![
        format!("UPDATE {table} SET {column} = {column}"),
        format!("DELETE FROM {table}"),
    ];
    if db.get_database_backend() == DbBackend::Postgres {
        changes.push(format!("TRUNCATE {table} CASCADE"));
    }
    changes
}

async fn refusal(db: &DatabaseConnection, sql: &str) -> String {
    let done = db.execute_unprepared(sql).await;
    assert!(done.is_err(), "taken: {sql}");
    done.unwrap_err().to_string()
}

/// Seals what was done so far.
async fn seal(server: &Server) {
    let config = server.config.clone();
    in_store(server, async move |db| {
        let sealer = taizhang::audit::sealer::Sealer::open(&config).unwrap();
        std::sync::Arc::new(sealer).pass(&db).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_tables_refuse_to_change_what_is_recorded() {
    let server = Server::demo().await;
    seal(&server).await;
    let db = server.database().await;
    for table in KEPT {
        for change in changes(&db, table) {
            let told = refusal(&db, &change).await;
            assert!(told.contains("stays as it is"), "{change}: {told}");
        }
    }
}

/// A PostgreSQL role that has what `migrate grants` gives, and nothing else.
struct Role {
    name: String,
    owner: DatabaseConnection,
}

impl Role {
    /// The role, and the configuration of a service that runs as it.
    async fn on(server: &Server) -> (Self, Config) {
        let name = format!("r_{}", uuid::Uuid::now_v7().simple());
        let owner = server.database().await;
        let made = format!("CREATE ROLE {name} LOGIN PASSWORD 'secret'");
        owner.execute_unprepared(&made).await.unwrap();
        grants::give(&owner, &name).await.unwrap();
        let url = server.config.database();
        let (scheme, rest) = url.expose().split_once("://").unwrap();
        let (_, place) = rest.rsplit_once('@').unwrap();
        let config = Config {
            database_url: Some(Secret::new(format!("{scheme}://{name}:secret@{place}"))),
            ..server.config.clone()
        };
        (Self { name, owner }, config)
    }

    async fn drop(self) {
        let name = self.name;
        for sql in [format!("DROP OWNED BY {name}"), format!("DROP ROLE {name}")] {
            self.owner.execute_unprepared(&sql).await.unwrap();
        }
    }
}

async fn connect(config: &Config) -> DatabaseConnection {
    let mut options = ConnectOptions::new(config.database().expose());
    options.max_connections(1).sqlx_logging(false);
    options.set_schema_search_path(config.database_schema.clone().unwrap());
    Database::connect(options).await.unwrap()
}

#[tokio::test]
async fn the_services_own_role_does_its_work_and_can_not_touch_what_is_recorded() {
    let server = Server::demo().await;
    if server.database().await.get_database_backend() != DbBackend::Postgres {
        // SQLite has no roles; `migrate grants` says so.
        return;
    }
    let (role, config) = Role::on(&server).await;
    let service = server.beside(config.clone()).await;
    let office = Office::of(&service).await;
    let project = office.at_stage("completion", &json!({})).await;
    let on_list = office.manager.on_list("gas-storage", &project.id, true);
    on_list.await.expect(204);
    seal(&service).await;
    let db = connect(&config).await;
    for table in KEPT {
        let more = [
            format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
            format!("DROP TRIGGER {table}_stays ON {table}"),
            format!("DROP TABLE {table} CASCADE"),
        ];
        for change in changes(&db, table).into_iter().chain(more) {
            let told = refusal(&db, &change).await;
            assert!(
                told.contains("permission denied") || told.contains("must be owner"),
                "{change}: {told}"
            );
        }
    }
    for sql in [
        "SET session_replication_role = replica",
        "CREATE TABLE mine (id int)",
        "DELETE FROM seaql_migrations",
    ] {
        let told = refusal(&db, sql).await;
        assert!(told.contains("permission denied"), "{sql}: {told}");
    }
    db.close().await.unwrap();
    drop(service);
    role.drop().await;
}
