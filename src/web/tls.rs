//! The certificate and the key that TLS is served with: judged before anything listens, and by `doctor`,
//! in sentences that name the setting. Rocket serves with them.

use std::{
    fmt::Display,
    fs::File,
    io::{self, BufReader},
    path::{Path, PathBuf},
    sync::Arc,
};

use rocket::{
    figment::Figment,
    http::tls::{
        rustls::{ServerConfig, crypto::ring},
        util,
    },
};

use crate::{config::Tls, domain::health::Chain};

const CERTIFICATE: &str = "LATCHKEY_TLS_CERTIFICATE";
const KEY: &str = "LATCHKEY_TLS_KEY";

/// What the server read when it started and serves with until it stops: Rocket has no way to give it another.
pub struct Served(pub Chain);

/// The server's certificate and those above it, where the key goes with them.
pub fn look(tls: &Tls) -> Result<Chain, String> {
    let chain = read(CERTIFICATE, &tls.certificate, |file| util::load_certs(file))?;
    if chain.is_empty() {
        return Err(said(
            CERTIFICATE,
            &tls.certificate,
            "there is no certificate in it (PEM)",
        ));
    }
    let key = read(KEY, &tls.key, |file| util::load_private_key(file))?;
    let told = chain.iter().map(|one| one.to_vec()).collect();
    // As Rocket will: TLS 1.2 and 1.3, rustls with ring.
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| said(CERTIFICATE, &tls.certificate, e))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|e| {
            let text = format!("does not go with {}: {e}", tls.certificate.display());
            said(KEY, &tls.key, text)
        })?;
    Ok(Chain(told))
}

/// Rocket's settings with these files.
pub fn apply(figment: Figment, tls: &Tls) -> io::Result<Figment> {
    let absolute = |path: &PathBuf| std::path::absolute(path);
    Ok(figment
        .merge(("tls.certs", absolute(&tls.certificate)?))
        .merge(("tls.key", absolute(&tls.key)?)))
}

fn read<T>(
    setting: &str,
    path: &Path,
    parse: impl FnOnce(&mut dyn io::BufRead) -> io::Result<T>,
) -> Result<T, String> {
    File::open(path)
        .and_then(|file| parse(&mut BufReader::new(file)))
        .map_err(|e| said(setting, path, e))
}

fn said(setting: &str, path: &Path, problem: impl Display) -> String {
    format!("{setting}: {}: {problem}", path.display())
}
