//! Configuration: defaults, then a file, then the environment, then flags; checked at start.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use serde::Deserialize;

use crate::auth::policy::PasswordProfile;
use crate::auth::{Policy, Role};

/// Where the embedded database and the signing key are, unless told otherwise.
const DEFAULT_DATA_DIR: &str = "var";

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
    /// The name in tokens that says who issued them and whom they are for.
    pub issuer: String,
    /// How many requests are worked on at once, by threads; by default one for each processor.
    pub workers: Option<usize>,
    /// What passwords have to be like: `asvs` or `dengbao`.
    pub password_profile: PasswordProfile,
    /// The roles that need a second factor, such as `["system_admin", "security_admin", "audit_admin"]`.
    pub second_factor_roles: BTreeSet<Role>,
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
            issuer: "taizhang".to_owned(),
            workers: None,
            password_profile: PasswordProfile::Asvs,
            second_factor_roles: BTreeSet::new(),
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
    /// Reads the file (if one is named, it must exist) and the environment (`TAIZHANG_LISTEN` and so on).
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
            .try_parsing(true)
            .list_separator(",")
            .with_list_parse_key("second_factor_roles")
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
        }
    }

    /// Where the keys are kept.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.data_dir.join("keys")
    }

    /// The database to use: the one named, or the embedded one.
    #[must_use]
    pub fn database(&self) -> Secret {
        self.database_url.clone().unwrap_or_else(|| {
            let file = self.data_dir.join("taizhang.sqlite");
            Secret::new(format!("sqlite://{}?mode=rwc", file.display()))
        })
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
        ];
        for (toml, name) in wrong {
            let said = read(toml, &[]).unwrap_err().to_string();
            assert!(said.contains(name), "{said}");
        }
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
