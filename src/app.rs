//! `App`: the one managed state, wired once at start. It stands below `domain`, which is handed it
//! whole instead of its five parts; it knows nothing of the web.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use tokio::sync::Notify;

use crate::{
    clock::Clock,
    config::Config,
    db::{Db, Opener, make_private_folder},
    domain::{
        families, hashing::Hasher, health::Jobs, refusals::Refusals, settings,
        signing_keys::SigningKeys, status_lists::StatusLists, throttles::Throttles, totals::Totals,
        usage::Usage,
    },
    error::{Error, Result},
    keys::Keyring,
    metrics::Metrics,
    secret::{self, SecretBytes},
};

#[derive(Clone)]
pub struct App {
    pub db: Db,
    pub config: Arc<Config>,
    pub clock: Clock,
    pub keys: Arc<Keyring>,
    pub hasher: Hasher,
    pub throttles: Arc<Throttles>,
    pub usage: Arc<Usage>,
    pub refusals: Arc<Refusals>,
    pub signing_keys: Arc<SigningKeys>,
    pub status_lists: Arc<StatusLists>,
    pub metrics: Arc<Metrics>,
    pub families: Arc<families::Memory>,
    /// Rung when a letter was put into the outbox.
    pub mail_bell: Arc<Notify>,
    pub totals: Arc<Totals>,
    pub jobs: Arc<Jobs>,
    pub settings: Arc<settings::Current>,
    /// Told to stop: it still answers, and wants nothing new.
    pub stopping: Arc<AtomicBool>,
}

impl App {
    /// For a server: opens the database (without migrating it) and derives the keys.
    pub async fn open(config: Config, clock: Clock) -> Result<Self> {
        Self::open_as(Opener::Server, config, clock).await
    }

    pub async fn open_as(opener: Opener, config: Config, clock: Clock) -> Result<Self> {
        let secret = server_secret(&config)?;
        let keys = Keyring::new(&secret, &config)?;
        let db = Db::connect(&config, opener).await.map_err(|e| {
            let text = format!("cannot open the {}: {e}", config.database_in_words());
            Error::internal(std::io::Error::other(text))
        })?;
        Ok(Self {
            db,
            hasher: Hasher::new(&config)?,
            throttles: Arc::new(Throttles::new(config.throttles_enabled)),
            usage: Arc::default(),
            refusals: Arc::default(),
            signing_keys: Arc::default(),
            status_lists: Arc::default(),
            metrics: Arc::default(),
            families: Arc::default(),
            mail_bell: Arc::default(),
            totals: Arc::default(),
            jobs: Arc::default(),
            stopping: Arc::default(),
            settings: Arc::new(settings::Current::new(&config.given)),
            config: Arc::new(config),
            clock,
            keys: Arc::new(keys),
        })
    }

    /// The settings that count now, of those that are changed while the server runs.
    pub fn settings(&self) -> Arc<settings::Settings> {
        self.settings.get()
    }

    /// Unix seconds, UTC.
    pub fn now(&self) -> i64 {
        self.clock.now()
    }
}

/// The keys of the secret that is here; `None` where none was made yet. Makes nothing.
pub fn present_keys(config: &Config) -> Result<Option<Keyring>> {
    let secret = present_secret(config)?;
    secret
        .map(|secret| Keyring::new(&secret, config))
        .transpose()
}

/// The explicit secret, or the one in the data folder, which is made at the first start.
fn server_secret(config: &Config) -> Result<SecretBytes> {
    match present_secret(config)? {
        Some(secret) => Ok(secret),
        None => make_secret(config, &secret_path(config)),
    }
}

fn present_secret(config: &Config) -> Result<Option<SecretBytes>> {
    if let Some(secret) = &config.secret_key {
        return Ok(Some(secret.clone()));
    }
    let path = secret_path(config);
    match std::fs::read_to_string(&path) {
        Ok(text) if text.trim().len() >= 32 => Ok(Some(SecretBytes::new(text.trim().into()))),
        Ok(_) => Err(Error::internal(std::io::Error::other(format!(
            "{} holds less than 32 bytes",
            path.display()
        )))),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(at(&path, &e)),
    }
}

fn secret_path(config: &Config) -> PathBuf {
    config.data_dir.join("secret_key")
}

fn make_secret(config: &Config, path: &Path) -> Result<SecretBytes> {
    make_private_folder(&config.data_dir).map_err(|e| at(&config.data_dir, &e))?;
    let text = hex::encode(secret::random::<32>()?);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(mut file) => {
            file.write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
                .map_err(Error::internal)?;
            tracing::warn!(path = %path.display(), "made a server secret; keep a copy with your backups");
            Ok(SecretBytes::new(text.into_bytes()))
        }
        // Another process was quicker.
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => server_secret(config),
        Err(e) => Err(at(path, &e)),
    }
}

/// A failure with the path that it is about.
fn at(path: &Path, e: &std::io::Error) -> Error {
    Error::internal(std::io::Error::other(format!("{}: {e}", path.display())))
}
