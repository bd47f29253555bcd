//! A server of one's own, on a database of one's own.

use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use reqwest::dns::Resolve;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, Database};
use taizhang::cli::serve::prepare;
use taizhang::config::Config;
use taizhang::delivery::receivers;
use taizhang::import::reader::Reader;

use super::Client;
use super::demo::{Demo, Library};

/// The child that the services of the suite read files with.
pub(crate) fn reader() -> Reader {
    Reader::new(Path::new(env!("CARGO_BIN_EXE_read-file")))
}

/// The password of the demo accounts.
pub(crate) const PASSWORD: &str = "Taizhang-demo-2025";

/// A service that runs in this process, over HTTP, until it is dropped.
pub(crate) struct Server {
    pub(crate) base: String,
    pub(crate) config: Config,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
    /// Its own, unless it is beside another; and what that is a copy of, so that it stays as long as there are copies.
    library: Option<(Library, Arc<Demo>)>,
}

impl Server {
    /// With the catalogue of Panjin and the demo accounts.
    pub(crate) async fn demo() -> Self {
        Self::configured(|_| {}).await
    }

    /// The same, with some settings of its own.
    pub(crate) async fn configured(configure: impl FnOnce(&mut Config)) -> Self {
        Self::set_up(configure, None).await
    }

    /// The same, with a name server of its own to look receivers of webhooks up.
    pub(crate) async fn looking_up(
        names: impl Resolve + 'static,
        configure: impl FnOnce(&mut Config),
    ) -> Self {
        Self::set_up(configure, Some(Arc::new(names))).await
    }

    async fn set_up(configure: impl FnOnce(&mut Config), names: Option<Arc<dyn Resolve>>) -> Self {
        let (demo, library) = tokio::task::spawn_blocking(|| {
            let demo = Demo::get();
            let library = demo.copy();
            (demo, library)
        })
        .await
        .unwrap();
        let mut config = library.config();
        configure(&mut config);
        let mut server = Self::run(config, names).await;
        server.library = Some((library, demo));
        server
    }

    /// Another service beside this one, on the same database unless told otherwise.
    pub(crate) async fn beside(&self, config: Config) -> Self {
        assert_eq!(config.database_schema, self.config.database_schema);
        Self::run(config, None).await
    }

    async fn run(config: Config, names: Option<Arc<dyn Resolve>>) -> Self {
        let (tell, told) = mpsc::channel();
        let for_thread = config.clone();
        let thread = std::thread::spawn(move || {
            let system = actix_web::rt::System::new();
            system.block_on(async move {
                let mut app = prepare(&for_thread, reader()).await.unwrap();
                if let Some(names) = names {
                    let receivers = receivers(&for_thread, names).unwrap();
                    app.receivers = Arc::new(receivers);
                }
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let address = listener.local_addr().unwrap();
                let server = taizhang::app::serve(listener, &for_thread, app).unwrap();
                tell.send((address, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (address, handle) = tokio::task::spawn_blocking(move || told.recv().unwrap())
            .await
            .unwrap();
        Self {
            base: format!("http://{address}"),
            config,
            handle,
            thread: Some(thread),
            library: None,
        }
    }

    /// A client that has not signed in.
    pub(crate) fn anonymous(&self) -> Client {
        Client::new(&self.base, None)
    }

    /// A client that has signed in.
    pub(crate) async fn sign_in(&self, username: &str) -> Client {
        self.anonymous().sign_in(username, PASSWORD).await
    }

    /// A connection to the server's own database, to look at what is stored.
    pub(crate) async fn database(&self) -> sea_orm::DatabaseConnection {
        let mut options = sea_orm::ConnectOptions::new(self.config.database().expose());
        options.max_connections(2).sqlx_logging(false);
        if let Some(schema) = &self.config.database_schema {
            options.set_schema_search_path(schema.clone());
        }
        Database::connect(options).await.unwrap()
    }

    /// Changes a column of the rows with a key behind the service's back; answers how many there are.
    pub(crate) async fn set(
        &self,
        table: &'static str,
        (column, value): (&'static str, impl Into<sea_orm::Value>),
        (key, is): (&'static str, impl Into<sea_orm::Value>),
    ) -> u64 {
        let change = Query::update()
            .table(table)
            .value(column, Expr::value(value))
            .and_where(Expr::col(key).eq(Expr::value(is)))
            .to_owned();
        let db = self.database().await;
        let done = db.execute(&change).await.unwrap();
        db.close().await.unwrap();
        done.rows_affected()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let stop = self.handle.stop(false);
        let thread = self.thread.take();
        let library = self.library.take();
        // The runtime of the test can't be blocked from within; another one stops the server.
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(stop);
            if let Some(thread) = thread {
                let _ended = thread.join();
            }
            drop(library);
        })
        .join()
        .unwrap();
    }
}
