//! Typed settings: from `Rocket.toml` (`[default.latchkey]`) and the environment, which wins.
//! Checked once, at start; a setting that makes no sense or is not safe stops the server with a
//! sentence that names it. Those that can be changed while the server runs are in `domain/settings`;
//! what is said of them here fixes them.

mod database;
mod kinds;
mod listen;
mod mail;
mod source;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    fmt::Display,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use ipnet::IpNet;
use rocket::figment::{
    Figment, Profile,
    providers::{Format, Serialized, Toml},
    value::Value,
};

use crate::{
    domain::settings::{self, Given},
    secret::{SecretBytes, SetupCode},
};
use database::{check_database_url, database_url, is_postgres};
pub use kinds::{JwtAlgorithm, LogFormat, SecureCookies};
pub use listen::Tls;
pub use mail::{Mail, Security};
use source::Source;

/// The environment as a map, so that tests bring their own.
pub type Environment = HashMap<String, String>;

/// Names of settings that are read at start; the environment form is `LATCHKEY_` and the name in
/// capitals. `docs/settings.md` describes each; a test compares.
pub const SETTINGS: &[&str] = &[
    "database_url",
    "data_dir",
    "secret_key",
    "setup_code",
    "jwt_signing_key",
    "jwt_algorithm",
    "jwt_key_lifetime",
    "jwt_issuer",
    "jwt_audience",
    "jwt_leeway",
    "jwt_status_list",
    "throttles_enabled",
    "trusted_proxies",
    "secure_cookies",
    "hash_memory_kib",
    "hash_iterations",
    "hash_parallel",
    "hash_queue_length",
    "hash_queue_deadline",
    "log_format",
    "metrics_address",
    "stop_delay",
    "tls_certificate",
    "tls_key",
    "public_url",
    "smtp_url",
    "mail_from",
];

/// Whether there is a setting of this name, of either sort.
pub fn is_setting(name: &str) -> bool {
    SETTINGS.contains(&name) || settings::find(name).is_some()
}

/// What the server runs with until it stops. Lifetimes are seconds.
#[derive(Clone, Debug)]
pub struct Config {
    pub database_url: String,
    pub data_dir: PathBuf,
    /// The explicit server secret; without it a file in `data_dir` is used (SQLite only).
    pub secret_key: Option<SecretBytes>,
    pub setup_code: Option<SetupCode>,
    /// The set-up form asks for its code unless this is a debug profile on a loopback address.
    pub setup_needs_code: bool,
    pub jwt_signing_key: Option<SecretBytes>,
    pub jwt_algorithm: JwtAlgorithm,
    /// After so long the next signing key takes over; 0: only when somebody says so.
    pub jwt_key_lifetime: i64,
    /// `iss` of what is issued; what names another is refused.
    pub jwt_issuer: Option<String>,
    /// `aud` of what is issued; what names none of these is refused. Empty: not looked at.
    pub jwt_audience: Vec<String>,
    /// How far `exp`, `nbf` and `iat` are stretched.
    pub jwt_leeway: i64,
    /// Tokens name their bit in a list of what is revoked.
    pub jwt_status_list: bool,
    pub throttles_enabled: bool,
    pub trusted_proxies: Vec<IpNet>,
    pub secure_cookies: SecureCookies,
    pub hash_memory_kib: u32,
    pub hash_iterations: u32,
    /// Hashes at the same time; each holds `hash_memory_kib`.
    pub hash_parallel: usize,
    /// Hashes that may wait; one more is answered 503.
    pub hash_queue_length: usize,
    pub hash_queue_deadline: u64,
    pub log_format: LogFormat,
    /// Where metrics are read without a credential, beside `/metrics`.
    pub metrics_address: Option<SocketAddr>,
    pub tls: Option<Tls>,
    /// Seconds that everything is answered still, but for `/readyz`, after the server was told to stop.
    pub stop_delay: u64,
    /// Where people reach this server; links in mail lead there. Without a final slash.
    pub public_url: Option<String>,
    /// None: no mail is sent.
    pub mail: Option<Mail>,
    /// What is fixed of the settings that could be changed while the server runs.
    pub given: Given,
}

/// A setting that cannot be used: which, and why.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct BadSetting {
    name: String,
    problem: String,
}

impl BadSetting {
    fn new(name: &str, problem: impl Display) -> Self {
        Self {
            name: name.to_owned(),
            problem: problem.to_string(),
        }
    }
}

/// The process's environment.
pub fn environment() -> Environment {
    std::env::vars().collect()
}

/// Rocket's own settings: its defaults, ours, `Rocket.toml`, then `ROCKET_*`.
pub fn figment(env: &Environment) -> Figment {
    let profile = env
        .get("ROCKET_PROFILE")
        .map_or(rocket::Config::DEFAULT_PROFILE, |name| {
            Profile::from(name.as_str())
        });
    let figment = Figment::from(rocket::Config::default())
        .merge(Serialized::default("address", "127.0.0.1"))
        .merge(Serialized::default("port", 8000))
        // Untrusted by default: `trusted_proxies` decides whose word on addresses counts.
        .merge(Serialized::default("ip_header", false))
        .merge(Serialized::default("ident", false))
        .merge(Serialized::default("log_level", "off"))
        .merge(Serialized::default("cli_colors", false))
        // Longer than a password may wait to be hashed.
        .merge(Serialized::default("shutdown.grace", 15))
        .merge(Serialized::default("shutdown.mercy", 5))
        .merge(Toml::file(file_name(env)).nested())
        .select(profile);
    // Read as Rocket reads its environment, but from the map that was handed in.
    let rocket = env
        .iter()
        .filter_map(|(name, text)| Some((name.strip_prefix("ROCKET_")?, text)));
    rocket
        .filter(|(name, _)| !matches!(*name, "PROFILE" | "CONFIG"))
        .fold(figment, |figment, (name, text)| {
            let Ok(value) = text.parse::<Value>();
            figment.merge(Serialized::global(&name.to_lowercase(), value))
        })
}

fn file_name(env: &Environment) -> &str {
    env.get("ROCKET_CONFIG")
        .map_or("Rocket.toml", String::as_str)
}

/// Rocket's own settings, checked before anything is made.
pub fn server(figment: &Figment) -> Result<rocket::Config, BadSetting> {
    figment
        .extract()
        .map_err(|e| BadSetting::new("Rocket's settings", e))
}

impl Config {
    pub fn load(figment: &Figment, env: &Environment) -> Result<Self, BadSetting> {
        let s = Source::new(figment, env)?;
        let data_dir = PathBuf::from(s.text("data_dir").unwrap_or_else(|| "data".to_owned()));
        let database_url = database_url(&s, env, &data_dir)?;
        let postgres = is_postgres(&database_url);
        let secret_key = s.secret("secret_key", 32)?;
        if postgres && secret_key.is_none() {
            return Err(BadSetting::new(
                "LATCHKEY_SECRET_KEY",
                "is needed with PostgreSQL, at least 32 bytes, the same on every node; \
                 make one with `openssl rand -hex 32`",
            ));
        }
        let setup_code = s.text("setup_code").map(SetupCode::new);
        if setup_code
            .as_ref()
            .is_some_and(|code| code.expose().trim().len() < 8)
        {
            return Err(BadSetting::new(
                "LATCHKEY_SETUP_CODE",
                "at least 8 characters",
            ));
        }
        let public_url = mail::public_url(&s)?;
        let loopback = figment
            .extract_inner::<IpAddr>("address")
            .is_ok_and(|address| address.is_loopback());
        let config = Self {
            setup_needs_code: setup_code.is_some() || figment.profile() != "debug" || !loopback,
            database_url,
            data_dir,
            secret_key,
            setup_code,
            jwt_signing_key: s.secret("jwt_signing_key", 1)?,
            jwt_algorithm: s.choice(
                "jwt_algorithm",
                JwtAlgorithm::Hs256,
                &JwtAlgorithm::ALL.map(|one| (one.as_str(), one)),
            )?,
            jwt_key_lifetime: s.within("jwt_key_lifetime", 0, 0, 86_400 * 3650)?,
            jwt_issuer: s.text("jwt_issuer"),
            jwt_audience: s.list("jwt_audience"),
            jwt_leeway: s.within("jwt_leeway", 0, 0, 300)?,
            jwt_status_list: s.parse("jwt_status_list", false)?,
            throttles_enabled: s.parse("throttles_enabled", true)?,
            trusted_proxies: s.networks("trusted_proxies")?,
            secure_cookies: s.choice(
                "secure_cookies",
                SecureCookies::Auto,
                &[
                    ("auto", SecureCookies::Auto),
                    ("true", SecureCookies::Always),
                    ("false", SecureCookies::Never),
                ],
            )?,
            hash_memory_kib: s.within("hash_memory_kib", 19_456, 8, 1_048_576)?,
            hash_iterations: s.within("hash_iterations", 2, 1, 100)?,
            hash_parallel: s.within("hash_parallel", cores(), 1, 256)?,
            hash_queue_length: s.within("hash_queue_length", 256, 0, 100_000)?,
            hash_queue_deadline: s.within("hash_queue_deadline", 10, 1, 300)?,
            log_format: s.choice(
                "log_format",
                if figment.profile() == "debug" {
                    LogFormat::Text
                } else {
                    LogFormat::Json
                },
                &[("text", LogFormat::Text), ("json", LogFormat::Json)],
            )?,
            metrics_address: listen::metrics_address(&s, figment)?,
            tls: listen::tls(&s)?,
            stop_delay: s.within("stop_delay", 0, 0, 300)?,
            mail: mail::mail(&s, public_url.as_deref())?,
            public_url,
            given: given(&s)?,
        };
        config.jwt_settings_agree()?;
        Ok(config)
    }

    fn jwt_settings_agree(&self) -> Result<(), BadSetting> {
        if let Some((name, problem)) = self.given.discord() {
            return Err(BadSetting::new(&source::variable(name), problem));
        }
        if self.jwt_signing_key.is_some() && self.jwt_algorithm != JwtAlgorithm::Hs256 {
            return Err(BadSetting::new(
                "LATCHKEY_JWT_SIGNING_KEY",
                "is a key for HS256; leave it out, or leave LATCHKEY_JWT_ALGORITHM out",
            ));
        }
        let issuer = self.jwt_issuer.as_deref().unwrap_or_default();
        if self.jwt_status_list && !is_address(issuer) {
            return Err(BadSetting::new(
                "LATCHKEY_JWT_STATUS_LIST",
                "needs LATCHKEY_JWT_ISSUER, the address under which this server is reached",
            ));
        }
        if self.jwt_status_list
            && self.jwt_algorithm == JwtAlgorithm::Hs256
            && self.jwt_signing_key.is_none()
        {
            return Err(BadSetting::new(
                "LATCHKEY_JWT_STATUS_LIST",
                "is for others to verify; with HS256 nobody else can: set LATCHKEY_JWT_ALGORITHM",
            ));
        }
        Ok(())
    }

    /// The same settings with another database.
    pub fn with_database(&self, url: &str) -> Result<Self, BadSetting> {
        check_database_url("the address of the database", url)?;
        Ok(Self {
            database_url: url.to_owned(),
            ..self.clone()
        })
    }

    /// The file of a `sqlite:` URL, with or without slashes; what follows a `?` is not ours.
    pub fn sqlite_path(&self) -> &str {
        let path = self.database_url.trim_start_matches("sqlite:");
        let path = path.strip_prefix("//").unwrap_or(path);
        path.split('?').next().unwrap_or_default()
    }

    /// The database in words that hold no password.
    pub fn database_in_words(&self) -> String {
        if self.is_postgres() {
            let url = self.database_url.split('?').next().unwrap_or_default();
            let place = url.rsplit_once('@').map(|(_, place)| place);
            format!(
                "PostgreSQL at {}",
                place.unwrap_or("the address of the setting")
            )
        } else {
            format!("SQLite file {}", self.sqlite_path())
        }
    }

    pub fn is_postgres(&self) -> bool {
        is_postgres(&self.database_url)
    }
}

/// Judged like the others, so that a mistake is told at the start.
fn given(s: &Source<'_>) -> Result<Given, BadSetting> {
    let mut given = Given::default();
    for setting in settings::TABLE {
        if let Some((text, by)) = s.given(setting.name) {
            let value = setting.kind.read(&text);
            let value = value.map_err(|e| BadSetting::new(&source::variable(setting.name), e))?;
            given.fix(setting, value, by);
        }
    }
    Ok(given)
}

/// Whether this is where something can be reached over HTTP.
pub fn is_address(text: &str) -> bool {
    ["https://", "http://"]
        .iter()
        .any(|scheme| text.len() > scheme.len() && text.starts_with(scheme))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
