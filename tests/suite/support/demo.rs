//! The demo's library, which is set up once and copied for each test: setting it up takes longer than most tests.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};

use actix_web::rt::System;
use sea_orm::{ConnectionTrait, Database};
use taizhang::cli::serve::{prepare, set_up_demo};
use taizhang::config::{Config, Secret};
use tempfile::TempDir;

use super::reader;

/// Where on PostgreSQL the library is: not in `public`, so that the setting is used throughout.
const SCHEMA: &str = "library";

/// A library with its keys and its chain; on PostgreSQL a database of its own. Gone when it is dropped.
pub(crate) struct Library {
    directory: TempDir,
    database: Option<OnServer>,
}

/// A database of a server.
struct OnServer {
    /// As whom the database is made and dropped.
    admin: String,
    name: String,
}

impl Library {
    /// Without a database yet.
    fn nowhere() -> Self {
        let database = std::env::var("TEST_DATABASE_URL")
            .ok()
            .map(|admin| OnServer {
                admin,
                name: format!("t_{}", uuid::Uuid::now_v7().simple()),
            });
        Self {
            directory: TempDir::new().unwrap(),
            database,
        }
    }

    /// To serve it.
    pub(crate) fn config(&self) -> Config {
        let url = self.database.as_ref().map(|database| {
            let mut url = reqwest::Url::parse(&database.admin).unwrap();
            url.set_path(&database.name);
            Secret::new(url.to_string())
        });
        Config {
            database_schema: url.as_ref().map(|_| SCHEMA.to_owned()),
            database_url: url,
            data_dir: self.directory.path().to_owned(),
            database_connections: 12,
            workers: Some(2),
            // A test asks as fast as it can.
            rate_limit_per_address: 0,
            rate_limit_per_principal: 0,
            ..Config::default()
        }
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        if let Some(OnServer { admin, name }) = &self.database {
            execute(admin, &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

/// What the libraries are copied from.
pub(crate) struct Demo(Library);

impl Demo {
    /// The one that is there, or a new one: it goes with the last test that uses it, so that nothing stays behind.
    pub(crate) fn get() -> Arc<Self> {
        static DEMO: Mutex<Weak<Demo>> = Mutex::new(Weak::new());
        let mut demo = DEMO.lock().unwrap();
        demo.upgrade().unwrap_or_else(|| {
            let new = Arc::new(Self::set_up());
            *demo = Arc::downgrade(&new);
            new
        })
    }

    fn set_up() -> Self {
        let library = Library::nowhere();
        let config = library.config();
        if let Some(OnServer { admin, name }) = &library.database {
            execute(admin, &format!("CREATE DATABASE {name}"));
            execute(
                config.database().expose(),
                &format!("CREATE SCHEMA {SCHEMA}"),
            );
        }
        System::new().block_on(async {
            let app = prepare(&config, reader()).await.unwrap();
            set_up_demo(&app.db).await.unwrap();
            app.sealer.pass(&app.db).await.unwrap();
            // What others still use can't be copied.
            app.db.writer().clone().close().await.unwrap();
            app.db.reader().clone().close().await.unwrap();
        });
        Self(library)
    }

    /// A library like it.
    pub(crate) fn copy(&self) -> Library {
        let copy = Library::nowhere();
        copy_directory(self.0.directory.path(), copy.directory.path());
        if let (Some(from), Some(to)) = (&self.0.database, &copy.database) {
            let sql = format!("CREATE DATABASE {} TEMPLATE {}", to.name, from.name);
            execute(&to.admin, &sql);
        }
        copy
    }
}

fn copy_directory(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy_directory(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), &to).unwrap();
        }
        let mode = entry.metadata().unwrap().permissions().mode();
        std::fs::set_permissions(&to, std::fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// By a connection of its own, on a thread that has no runtime.
fn execute(url: &str, sql: &str) {
    let mut options = sea_orm::ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    System::new().block_on(async {
        let db = Database::connect(options).await.unwrap();
        db.execute_unprepared(sql).await.unwrap();
        db.close().await.unwrap();
    });
}
