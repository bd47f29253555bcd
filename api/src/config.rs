//! Configuration: defaults, then a file, then the environment, then flags; checked at start.

mod open_data;

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono_tz::Tz;
use ipnet::IpNet;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use serde::Deserialize;

use crate::audit::Algorithm;
use crate::auth::policy::PasswordProfile;
use crate::auth::{Policy, Role, provider};

pub use open_data::OpenData;

/// Where the embedded database and the signing key are, unless told otherwise.
const DEFAULT_DATA_DIR: &str = "var";
/// The longest that an answer may be let wait for an event, in seconds.
pub const LONGEST_EVENT_WAIT: u64 = 300;
/// The longest that a webhook's receiver may have to answer, in seconds.
const LONGEST_WEBHOOK_TIMEOUT: u64 = 60;
/// The highest limit of requests a second.
const MAX_RATE: u32 = 1_000_000;

/// All that can be set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// `sqlite://PATH?mode=rwc` or `postgres://USER:PASSWORD@HOST/DATABASE`; by default an SQLite file in `data_dir`.
    pub database_url: Option<Secret>,
    /// The PostgreSQL schema to work in; by default the connection's own.
    pub database_schema: Option<String>,
    /// The most connections to the database (on SQLite: to read; there is one that writes).
    pub database_connections: u32,
    /// Where the embedded database and the signing key are kept.
    pub data_dir: PathBuf,
    /// Whose calendar days count: an IANA name.
    pub time_zone: Tz,
    /// Within how many months what was signed has to land, for the landing rate (落地率).
    pub landing_months: u32,
    /// How many seconds an answer waits for an event at the most, if its asker wants it to: less than a proxy before the
    /// service waits for an answer.
    pub event_wait: u64,
    /// The name in tokens that says who issued them and whom they are for.
    pub issuer: String,
    /// How the audit chain is hashed: `sha256` or `sm3`. What is sealed already keeps the one it has.
    pub audit_hash: Algorithm,
    /// The file that the signed checkpoints of the audit are appended to; by default `audit-checkpoints.jsonl` in
    /// `data_dir`. A copy of it belongs on another machine.
    pub audit_checkpoints: Option<PathBuf>,
    /// Public keys, with commas between them, whose checkpoints count besides those of the own key: keys that were
    /// replaced, and those of other instances on the same database. `taizhang audit key` prints the own one.
    pub audit_trusted_keys: Keys,
    /// How many requests are worked on at once, by threads; by default one for each processor.
    pub workers: Option<usize>,
    /// What passwords have to be like: `asvs` or `dengbao`.
    pub password_profile: PasswordProfile,
    /// The roles that need a second factor, such as `["system_admin", "security_admin", "audit_admin"]`.
    pub second_factor_roles: BTreeSet<Role>,
    /// The certificate to serve TLS with, followed by those it rests on, as a PEM file; it is read again on SIGHUP.
    /// By default the service speaks plain HTTP, for a proxy before it.
    pub tls_certificate: Option<PathBuf>,
    /// The certificate's key, as a PEM file that others can't read.
    pub tls_key: Option<PathBuf>,
    /// The networks of the proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed, as `10.0.0.0/8`;
    /// by default nobody's are.
    pub trusted_proxies: Vec<IpNet>,
    /// The origins whose pages may call the API from a browser, as `https://oa.example.gov.cn`; by default none.
    pub cors_origins: Vec<String>,
    /// How many requests a second are taken from one address (of IPv6: one /64), with five seconds' worth at once;
    /// 0 for no limit. Offices may share an address.
    pub rate_limit_per_address: u32,
    /// How many requests a second are taken from one principal, with five seconds' worth at once; 0 for no limit.
    pub rate_limit_per_principal: u32,
    /// The networks in which webhooks may be sent although they are not public, as `10.20.0.0/16`: offices' systems are
    /// internal. By default none.
    pub webhook_allowed_networks: Vec<IpNet>,
    /// How many seconds a webhook's receiver has to answer.
    pub webhook_timeout: u64,
    /// The office's own identity provider, if people sign in there.
    pub identity_provider: Option<provider::Settings>,
    /// Whether people may sign in with a password that is kept here; false needs an identity provider.
    pub local_sign_in: bool,
    /// How projects are told to everybody.
    pub open_data: OpenData,
    /// What to log, in the manner of `RUST_LOG`.
    pub log: String,
    /// How to write the log.
    pub log_format: LogFormat,
}

/// How to write the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A line of JSON for each record.
    Json,
    /// For a person at a terminal.
    Text,
}

/// Public keys, each in base64url, with commas between them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Keys(String);

impl Keys {
    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0
            .split(',')
            .map(str::trim)
            .filter(|key| !key.is_empty())
    }
}

/// A value that is never printed.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Hides a value.
    #[must_use]
    pub const fn new(value: String) -> Self {
        Self(value)
    }

    /// The value, for the one who needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            database_url: None,
            database_schema: None,
            database_connections: 16,
            data_dir: PathBuf::from(DEFAULT_DATA_DIR),
            time_zone: Tz::Asia__Shanghai,
            landing_months: 6,
            event_wait: 25,
            issuer: "taizhang".to_owned(),
            audit_hash: Algorithm::default(),
            audit_checkpoints: None,
            audit_trusted_keys: Keys::default(),
            workers: None,
            password_profile: PasswordProfile::Asvs,
            second_factor_roles: BTreeSet::new(),
            tls_certificate: None,
            tls_key: None,
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
            rate_limit_per_address: 200,
            rate_limit_per_principal: 100,
            webhook_allowed_networks: Vec::new(),
            webhook_timeout: 15,
            identity_provider: None,
            local_sign_in: true,
            open_data: OpenData::default(),
            log: "info,sqlx=warn,sea_orm=warn".to_owned(),
            log_format: LogFormat::Text,
        }
    }
}

/// Why the configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file or variable that can't be read or means nothing.
    #[error("configuration: {0}")]
    Unreadable(#[from] config::ConfigError),
    /// A value that can't be.
    #[error("configuration: {field}: {why}")]
    Invalid {
        /// The setting.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

impl Config {
    /// Reads the file (if one is named, it must exist) and the environment (`TAIZHANG_LISTEN` and so
    /// on; `TAIZHANG_IDENTITY_PROVIDER__CLIENT_SECRET` for what is in a section).
    ///
    /// # Errors
    /// [`ConfigError`] names the setting and what is wrong with it; a secret's value is never in it.
    pub fn read(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut sources = config::Config::builder();
        if let Some(path) = file {
            sources = sources.add_source(config::File::from(path).format(config::FileFormat::Toml));
        }
        // TAIZHANG_CONFIG names the file itself; every other variable has to be a setting.
        let variables = std::env::vars()
            .filter(|(name, _)| name.starts_with("TAIZHANG_") && name != "TAIZHANG_CONFIG");
        Self::from_sources(sources, variables.collect())
    }

    fn from_sources(
        sources: config::ConfigBuilder<config::builder::DefaultState>,
        variables: HashMap<String, String>,
    ) -> Result<Self, ConfigError> {
        let environment = config::Environment::with_prefix("TAIZHANG")
            .prefix_separator("_")
            .separator("__")
            .try_parsing(true)
            .list_separator(",")
            .with_list_parse_key("second_factor_roles")
            .with_list_parse_key("cors_origins")
            .with_list_parse_key("trusted_proxies")
            .with_list_parse_key("webhook_allowed_networks")
            .with_list_parse_key("identity_provider.scopes")
            .with_list_parse_key("identity_provider.second_factor_methods")
            .source(Some(variables));
        let read: Self = sources.add_source(environment).build()?.try_deserialize()?;
        read.checked()
    }

    /// The configuration, if it can be used.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for the first value that can't be.
    pub fn checked(self) -> Result<Self, ConfigError> {
        let invalid = |field, why: &str| {
            Err(ConfigError::Invalid {
                field,
                why: why.to_owned(),
            })
        };
        if let Some(why) = self.database_url.as_ref().and_then(wrong_with_url) {
            return invalid("database_url", why);
        }
        if !(2..=500).contains(&self.database_connections) {
            return invalid("database_connections", "must be from 2 to 500");
        }
        if self.event_wait > LONGEST_EVENT_WAIT {
            return invalid("event_wait", "must be at most 300 seconds");
        }
        if self.workers == Some(0) {
            return invalid("workers", "must be 1 or more");
        }
        if self.issuer.trim().is_empty() {
            return invalid("issuer", "must not be empty");
        }
        if let Some(schema) = &self.database_schema
            && !(!schema.is_empty()
                && schema.len() <= 63
                && schema
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'))
        {
            return invalid(
                "database_schema",
                "must be of lower-case letters, digits and underscores, 63 at most",
            );
        }
        match (&self.tls_certificate, &self.tls_key) {
            (Some(_), None) => return invalid("tls_key", "is missing; tls_certificate needs it"),
            (None, Some(_)) => return invalid("tls_certificate", "is missing; tls_key is for it"),
            (Some(_), Some(_)) | (None, None) => {}
        }
        if let Some(why) = self.trusted_proxies.iter().find_map(|network| {
            wrong_with_network(network, "a network of everybody would believe anybody")
        }) {
            return invalid("trusted_proxies", why);
        }
        if let Some(why) = self
            .webhook_allowed_networks
            .iter()
            .find_map(|network| wrong_with_network(network, "nothing would be refused any more"))
        {
            return invalid("webhook_allowed_networks", why);
        }
        if !(1..=LONGEST_WEBHOOK_TIMEOUT).contains(&self.webhook_timeout) {
            return invalid("webhook_timeout", "must be from 1 to 60 seconds");
        }
        if !self.cors_origins.iter().all(|origin| is_origin(origin)) {
            return invalid(
                "cors_origins",
                "each must be an origin as a browser sends it, such as https://oa.example.gov.cn or \
                 http://10.1.2.3:8080: no *, no path, no capitals, no :443",
            );
        }
        if self.rate_limit_per_address > MAX_RATE {
            return invalid("rate_limit_per_address", "must be 1000000 at the most");
        }
        if self.rate_limit_per_principal > MAX_RATE {
            return invalid("rate_limit_per_principal", "must be 1000000 at the most");
        }
        let is_key = |key: &str| {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(key);
            bytes.is_ok_and(|bytes| bytes.len() == 32)
        };
        if !self.audit_trusted_keys.iter().all(is_key) {
            return invalid(
                "audit_trusted_keys",
                "must be public keys as `taizhang audit key` prints them, with commas between them",
            );
        }
        if let Some(Err((field, why))) = self
            .identity_provider
            .as_ref()
            .map(provider::Settings::check)
        {
            return invalid(field, why);
        }
        if let Err((field, why)) = self.open_data.check() {
            return invalid(field, why);
        }
        if !self.local_sign_in && self.identity_provider.is_none() {
            return invalid(
                "local_sign_in",
                "must be true without an identity_provider: nobody could sign in",
            );
        }
        if tracing_subscriber::EnvFilter::try_new(&self.log).is_err() {
            return invalid(
                "log",
                "is not a log filter such as `info` or `info,taizhang=debug`",
            );
        }
        Ok(self)
    }

    /// What is demanded of those who sign in.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy {
            passwords: self.password_profile,
            second_factor: self.second_factor_roles.clone(),
            local_sign_in: self.local_sign_in,
        }
    }

    /// Where the keys are kept.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.data_dir.join("keys")
    }

    /// The file of the audit's checkpoints: the one named, or the one in the data directory.
    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.audit_checkpoints
            .clone()
            .unwrap_or_else(|| self.data_dir.join("audit-checkpoints.jsonl"))
    }

    /// The database to use: the one named, or the embedded one.
    #[must_use]
    pub fn database(&self) -> Secret {
        self.database_url.clone().unwrap_or_else(|| {
            let file = self.data_dir.join("taizhang.sqlite");
            Secret::new(format!("sqlite://{}?mode=rwc", file.display()))
        })
    }

    /// The file of the embedded database; none if the database is a server's.
    #[must_use]
    pub fn database_file(&self) -> Option<PathBuf> {
        let url = self.database();
        let url = url.expose();
        let is_file = url.starts_with("sqlite:");
        let options = is_file.then(|| url.parse::<SqliteConnectOptions>().ok());
        Some(options??.get_filename().to_owned())
    }
}

/// What is wrong with a database's address, without a word of it: it may hold a password.
fn wrong_with_url(url: &Secret) -> Option<&'static str> {
    let url = url.expose();
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return url.parse::<PgConnectOptions>().is_err().then_some(
            "can't be read; in a password, characters such as # / ? @ are written as %23 %2F %3F %40",
        );
    }
    if url.starts_with("sqlite://") && !url.contains(":memory:") {
        let is_wrong = url.parse::<SqliteConnectOptions>().is_err();
        return is_wrong.then_some("can't be read; it is sqlite://PATH?mode=rwc");
    }
    Some("must be postgres://USER:PASSWORD@HOST/DATABASE or sqlite://PATH?mode=rwc")
}

/// What is wrong with a network that is trusted; `all` says what it would mean if it were everybody's.
fn wrong_with_network(network: &IpNet, all: &'static str) -> Option<&'static str> {
    if network.prefix_len() == 0 {
        return Some(all);
    }
    match network {
        IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some() => {
            Some("a network of IPv4 is written as 10.0.0.0/8, not as ::ffff:10.0.0.0/104")
        }
        IpNet::V4(_) | IpNet::V6(_) => None,
    }
}

/// Whether this is an origin just as a browser sends it, which is how it is compared.
fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<actix_web::http::Uri>() else {
        return false;
    };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return false;
    };
    let port = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return false,
    };
    text == format!("{scheme}://{authority}").to_ascii_lowercase()
        && !authority.as_str().contains(['@', '*'])
        && authority.port_u16() != Some(port)
        && !authority.as_str().ends_with(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let file = config::File::from_str(toml, config::FileFormat::Toml);
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::from_sources(
            config::Config::builder().add_source(file),
            variables.collect(),
        )
    }

    #[test]
    fn the_environment_goes_before_the_file_and_the_rest_has_defaults() {
        let read = read(
            "listen = '127.0.0.1:1'\ntime_zone = 'UTC'",
            &[
                ("TAIZHANG_LISTEN", "127.0.0.1:2"),
                ("TAIZHANG_DATABASE_CONNECTIONS", "7"),
            ],
        )
        .unwrap();
        assert_eq!(read.listen.port(), 2);
        assert_eq!(read.time_zone, Tz::UTC);
        assert_eq!(read.database_connections, 7);
        assert_eq!(read.issuer, "taizhang");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = [
            ("listne = '127.0.0.1:1'", "listne"),
            ("time_zone = 'Asia/Panjin'", "time_zone"),
            ("database_connections = 1", "database_connections"),
            ("database_url = 'mysql://a'", "database_url"),
            ("log = 'a=b=c'", "log"),
            ("tls_certificate = 'a.pem'", "tls_key"),
            ("tls_key = 'a.pem'", "tls_certificate"),
            ("trusted_proxies = ['10.0.0.1']", "trusted_proxies"),
            ("trusted_proxies = ['everybody']", "trusted_proxies"),
            ("trusted_proxies = ['0.0.0.0/0']", "trusted_proxies"),
            (
                "trusted_proxies = ['::ffff:10.0.0.0/104']",
                "trusted_proxies",
            ),
            ("rate_limit_per_address = -1", "rate_limit_per_address"),
            (
                "rate_limit_per_principal = 1000001",
                "rate_limit_per_principal",
            ),
            ("audit_hash = 'md5'", "audit_hash"),
            ("audit_trusted_keys = 'a,b'", "audit_trusted_keys"),
            ("local_sign_in = false", "local_sign_in"),
            ("[open_data]\nprefix = 'panjin'", "open_data.prefix"),
            ("[identity_provider]\nclient = 'a'", "client"),
            (
                "[identity_provider]\nissuer = 'http://a.cn'\nclient_id = 'a'\nredirect_url = 'https://b.cn'",
                "identity_provider.issuer",
            ),
        ];
        for (toml, name) in wrong {
            let said = read(toml, &[]).unwrap_err().to_string();
            assert!(said.contains(name), "{said}");
        }
    }

    #[test]
    fn a_list_is_one_variable_with_commas() {
        let read = read(
            "trusted_proxies = ['10.0.0.0/8']",
            &[
                ("TAIZHANG_CORS_ORIGINS", "https://a.cn,http://b.cn:8080"),
                ("TAIZHANG_TRUSTED_PROXIES", "192.0.2.0/24,::1/128"),
                ("TAIZHANG_RATE_LIMIT_PER_ADDRESS", "0"),
                ("TAIZHANG_LOG", "info,taizhang=debug"),
            ],
        )
        .unwrap();
        assert_eq!(read.cors_origins, ["https://a.cn", "http://b.cn:8080"]);
        let proxies = read.trusted_proxies.iter().map(IpNet::to_string);
        assert_eq!(proxies.collect::<Vec<_>>(), ["192.0.2.0/24", "::1/128"]);
        assert_eq!(read.rate_limit_per_address, 0);
        assert_eq!(read.log, "info,taizhang=debug");
    }

    #[test]
    fn an_origin_is_written_as_browsers_send_it() {
        for right in [
            "https://oa.example.gov.cn",
            "http://10.1.2.3:8080",
            "https://[2001:db8::1]:8443",
            "http://localhost:443",
        ] {
            assert!(is_origin(right), "{right}");
        }
        for wrong in [
            "",
            "*",
            "null",
            "oa.example.gov.cn",
            "https://",
            "https://*",
            "https://*.example.gov.cn",
            "https://oa.example.gov.cn/",
            "https://oa.example.gov.cn/app",
            "https://oa.example.gov.cn:443",
            "http://oa.example.gov.cn:80",
            "https://oa.example.gov.cn:",
            "https://OA.example.gov.cn",
            "HTTPS://oa.example.gov.cn",
            "https://a@oa.example.gov.cn",
            "ftp://oa.example.gov.cn",
            "https://oa.example.gov.cn ",
            "https://oa.example.gov.cn?a",
        ] {
            assert!(!is_origin(wrong), "{wrong}");
        }
    }

    #[test]
    fn the_identity_provider_is_read_with_its_secret_from_the_environment() {
        let toml = "local_sign_in = false\n[identity_provider]\nissuer = 'https://id.example.gov.cn'\n\
            client_id = 'taizhang'\nredirect_url = 'https://a.example.gov.cn/auth/provider/callback'\n\
            role_claim = 'groups'\n\
            roles = [{ value = 'projects', role = 'officer', region = '211100' }]";
        let secret = ("TAIZHANG_IDENTITY_PROVIDER__CLIENT_SECRET", "hidden");
        let read = read(toml, &[secret]).unwrap();
        assert!(!format!("{read:?}").contains("hidden"));
        let provider = read.identity_provider.unwrap();
        assert_eq!(provider.client_secret.unwrap().expose(), "hidden");
        assert_eq!(provider.name_claim, "preferred_username");
        assert_eq!(provider.roles.len(), 1);
    }

    #[test]
    fn who_publishes_is_read_with_the_names_of_his_sectors() {
        let toml =
            "[open_data]\nprefix = 'oc4ids-abc123'\nsectors = { '港口' = 'transport.water' }";
        let publisher = ("TAIZHANG_OPEN_DATA__PUBLISHER", "盘锦市");
        let open = read(toml, &[publisher]).unwrap().open_data;
        assert_eq!(open.publisher, "盘锦市");
        assert_eq!(open.sector("港口"), ["transport", "transport.water"]);
    }

    #[test]
    fn a_secret_is_never_printed() {
        let read = read("database_url = 'postgres://a:hidden@b/c'", &[]).unwrap();
        assert!(!format!("{read:?}").contains("hidden"));
        for url in [
            "mysql://a:hidden@b/c",
            "postgres://a:hidden#x@b/c",
            "postgres:a:hidden@b",
        ] {
            let wrong = Config {
                database_url: Some(Secret::new(url.to_owned())),
                ..Config::default()
            };
            let said = wrong.checked().unwrap_err();
            assert!(!format!("{said} {said:?}").contains("hidden"));
        }
    }
}
