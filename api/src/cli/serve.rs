//! `taizhang serve`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use ipnet::IpNet;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;

use super::user::first_administrators;
use super::{Failed, load, open, say, terminal};
use crate::answers::Answers;
use crate::app::{self, App};
use crate::audit::sealer::Sealer;
use crate::auth::keys::Vault;
use crate::auth::provider::Provider;
use crate::auth::token::Tokens;
use crate::auth::{Role, password};
use crate::catalogue::Catalogue;
use crate::config::{Config, LogFormat, Secret};
use crate::delivery::{self, receiver::SystemNames};
use crate::edge::Edge;
use crate::edge::tls::Certificate;
use crate::import::Desk;
use crate::import::reader::Reader;
use crate::store::account;
use crate::store::account::grant::{self, Origin, Wanted};
use crate::store::account::user::{self, New};
use crate::store::import::job;
use crate::store::{Db, Failure};

/// The password of every demo account.
pub const DEMO_PASSWORD: &str = "Taizhang-demo-2025";

/// For how long a load balancer is told to look elsewhere before the listener closes.
const DRAIN: Duration = Duration::from_millis(500);

/// How many wait for events at a time.
const FOLLOWERS: usize = 256;
/// How many files of projects are made at a time: each keeps a core and a connection busy.
const EXPORTS: u32 = 2;

/// The demo account by which a demo's database is known.
const DEMO_MARK: &str = "officer.dawa";

/// The demo accounts: name, name to show, role, region.
const DEMO_ACCOUNTS: [(&str, &str, Role, Option<&str>); 7] = [
    ("officer", "市级专员", Role::Officer, Some("211100")),
    ("officer.dawa", "大洼区专员", Role::Officer, Some("211104")),
    ("manager", "市级主管", Role::Manager, Some("211100")),
    ("leader", "市领导", Role::Leader, Some("211100")),
    ("admin", "系统管理员", Role::SystemAdmin, None),
    ("secadmin", "安全管理员", Role::SecurityAdmin, None),
    ("auditor", "审计管理员", Role::AuditAdmin, None),
];

/// How to serve.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Serve the catalogue of Panjin with demo accounts; only on a loopback address
    #[arg(long)]
    pub demo: bool,
}

pub(super) async fn run(mut config: Config, arguments: Arguments) -> Result<(), Failed> {
    if let Some(listen) = arguments.listen {
        config.listen = listen;
    }
    if arguments.demo && !config.listen.ip().is_loopback() {
        return Err(Failed::Refused(format!(
            "--demo has accounts with a known password and listens on a loopback address only, not on {}",
            config.listen
        )));
    }
    if arguments.demo && config.database_url.is_none() {
        // Apart from the one that `serve` uses: accounts with a known password must not outlive the demo.
        let file = config.data_dir.join("demo.sqlite");
        config.database_url = Some(Secret::new(format!("sqlite://{}?mode=rwc", file.display())));
        let checkpoints = config.data_dir.join("demo-audit-checkpoints.jsonl");
        config.audit_checkpoints.get_or_insert(checkpoints);
    }
    if arguments.demo {
        // Whoever tries webhooks out has his receiver on this machine too.
        let here = [
            IpAddr::from(Ipv4Addr::LOCALHOST),
            Ipv6Addr::LOCALHOST.into(),
        ];
        config
            .webhook_allowed_networks
            .extend(here.map(IpNet::from));
    }
    start_log(&config);
    let listener = TcpListener::bind(config.listen).map_err(|source| Failed::Io {
        what: format!("listen on {}", config.listen),
        source,
    })?;
    let reader = Reader::itself().map_err(|source| Failed::Io {
        what: "this program".to_owned(),
        source,
    })?;
    let app = prepare(&config, reader).await?;
    job::give_up_left(&app.db).await.map_err(Failure::told)?;
    if arguments.demo {
        set_up_demo(&app.db).await?;
    } else {
        first_administrators(&app.db).await?;
    }
    let address = listener.local_addr().unwrap_or(config.listen);
    announce(&config, address, arguments.demo);
    serve(listener, &config, app).await
}

/// Opens the library, the keys and the certificate; the database is brought up to date.
///
/// # Errors
/// [`Failed`] if one can't be used.
pub async fn prepare(config: &Config, reader: Reader) -> Result<App, Failed> {
    let edge = Edge::new(config)?;
    let db = open(config).await?;
    let keys = config.keys();
    let tokens = Tokens::open(&keys, &config.issuer, db.clock().now())?;
    let vault = Vault::open(&keys.join("vault.key"))?;
    let sealer = Sealer::open(config)?;
    let provider = config.identity_provider.clone().map(Provider::new);
    // Whoever reads must not wait for them all.
    let exports = (config.database_connections / 4).clamp(1, EXPORTS);
    let exports = usize::try_from(exports).unwrap_or(1);
    Ok(App {
        db,
        tokens: Arc::new(tokens),
        vault: Arc::new(vault),
        policy: Arc::new(config.policy()),
        provider: provider.transpose()?.map(Arc::new),
        issuer: config.issuer.as_str().into(),
        edge: Arc::new(edge),
        landing_months: config.landing_months,
        event_wait: config.event_wait,
        followers: Arc::new(Semaphore::new(FOLLOWERS)),
        imports: Desk::new(reader),
        open_data: Arc::new(config.open_data.clone()),
        exports: Arc::new(Semaphore::new(exports)),
        receivers: Arc::new(delivery::receivers(config, Arc::new(SystemNames))?),
        sending: delivery::leave(),
        scratch: config.data_dir.as_path().into(),
        answers: Arc::new(Answers::default()),
        sealer: Arc::new(sealer),
        draining: Arc::new(AtomicBool::new(false)),
    })
}

/// Serves until SIGTERM or SIGINT; then answers what was taken in, and returns.
async fn serve(listener: TcpListener, config: &Config, app: App) -> Result<(), Failed> {
    let io = |what: &str| {
        let what = what.to_owned();
        move |source| Failed::Io { what, source }
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(io("signals"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(io("signals"))?;
    if let Some(certificate) = app.edge.certificate.clone() {
        let mut hang_up = signal(SignalKind::hangup()).map_err(io("signals"))?;
        actix_web::rt::spawn(async move {
            while hang_up.recv().await.is_some() {
                reload(&certificate);
            }
        });
    }
    let draining = Arc::clone(&app.draining);
    let (sealer, db) = (Arc::clone(&app.sealer), app.db.clone());
    let last = app.clone();
    let server = app::serve(listener, config, app).map_err(io("serve"))?;
    let handle = server.handle();
    let mut running = actix_web::rt::spawn(server);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        ended = &mut running => {
            let why = match ended {
                Ok(Ok(())) => "it ended by itself".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            };
            return Err(Failed::Refused(format!("serve: {why}")));
        }
    }
    tracing::info!("stopping: no longer ready, finishing what was taken in");
    draining.store(true, Ordering::Relaxed);
    tokio::time::sleep(DRAIN).await;
    handle.stop(true).await;
    let ended = running.await;
    delivery::drained(&last).await;
    // What was done last is sealed before anybody proves the chain.
    sealer.pass(&db).await?;
    match ended {
        Ok(result) => result.map_err(io("serve")),
        Err(error) => Err(Failed::Refused(error.to_string())),
    }
}

/// Reads the certificate again, as is asked for by SIGHUP; one that can't be used changes nothing.
fn reload(certificate: &Certificate) {
    match certificate.reload() {
        Ok(()) => tracing::info!("the certificate has been read again"),
        Err(error) => tracing::error!(%error, "the certificate is still the one before"),
    }
}

/// Loads the catalogue of Panjin and makes the demo accounts, where they are not there yet.
///
/// # Errors
/// [`Failed`] if the database refuses.
pub async fn set_up_demo(db: &Db) -> Result<(), Failed> {
    let is_demo = account::exists(db.reader(), DEMO_MARK)
        .await
        .map_err(Failure::told)?;
    if !is_demo && !account::none(db.reader()).await.map_err(Failure::told)? {
        return Err(Failed::Refused(
            "this database has accounts of its own: --demo would add some with a known password"
                .to_owned(),
        ));
    }
    let loaded = load::load(db, Catalogue::panjin()?).await?;
    tracing::info!("{}", load::told(loaded));
    let mut hash = None;
    for (username, display_name, role, region) in DEMO_ACCOUNTS {
        if account::exists(db.reader(), username)
            .await
            .map_err(Failure::told)?
        {
            continue;
        }
        let password_hash = match &hash {
            Some(hash) => String::clone(hash),
            None => password::hash(DEMO_PASSWORD.to_owned()).await?,
        };
        hash = Some(password_hash.clone());
        let new = New {
            username: username.to_owned(),
            display_name: display_name.to_owned(),
            password_hash,
            is_one_time: false,
        };
        let wanted = Wanted::everywhere(role).within(region);
        db.write(terminal(), async move |tx| {
            let id = user::add(tx, &new).await?;
            grant::add(tx, id, &wanted, Origin::Terminal).await
        })
        .await?;
    }
    Ok(())
}

fn announce(config: &Config, address: SocketAddr, demo: bool) {
    let scheme = if config.tls_certificate.is_some() {
        "https"
    } else {
        "http"
    };
    say(&format!("Taizhang 台账: {scheme}://{address}/"));
    say(&format!("  接口文档 / API:  {scheme}://{address}/docs/"));
    if demo {
        say(&format!(
            "  演示帐号 / demo accounts (password {DEMO_PASSWORD}):"
        ));
        for (username, display_name, role, region) in DEMO_ACCOUNTS {
            let region = region.unwrap_or("everywhere");
            say(&format!(
                "    {username:<14} {:<14} {region:<11} {display_name}",
                role.code()
            ));
        }
    }
}

fn start_log(config: &Config) {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log).unwrap_or_default();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A log that is there already (in tests) stays.
    let _already = match config.log_format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.try_init(),
    };
}
