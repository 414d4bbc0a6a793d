//! How the server listens: with which certificate, and where its metrics are read.

use std::{net::SocketAddr, path::PathBuf};

use rocket::figment::Figment;

use super::{BadSetting, server, source::Source};

/// What TLS is served with. Two files in PEM form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The server's certificate and those between it and a known authority.
    pub certificate: PathBuf,
    pub key: PathBuf,
}

pub(super) fn tls(s: &Source<'_>) -> Result<Option<Tls>, BadSetting> {
    match (s.text("tls_certificate"), s.text("tls_key")) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some(Tls {
            certificate: certificate.into(),
            key: key.into(),
        })),
        (Some(_), None) => Err(BadSetting::new(
            "LATCHKEY_TLS_KEY",
            "is needed with LATCHKEY_TLS_CERTIFICATE: the file of its private key",
        )),
        (None, Some(_)) => Err(BadSetting::new(
            "LATCHKEY_TLS_CERTIFICATE",
            "is needed with LATCHKEY_TLS_KEY: the file of the certificate and its chain",
        )),
    }
}

/// `figment` says where everything else is served.
pub(super) fn metrics_address(
    s: &Source<'_>,
    figment: &Figment,
) -> Result<Option<SocketAddr>, BadSetting> {
    let Some(text) = s.text("metrics_address") else {
        return Ok(None);
    };
    let bad = |problem: String| BadSetting::new("LATCHKEY_METRICS_ADDRESS", problem);
    let address: SocketAddr = text.trim().parse().map_err(|_| {
        bad(format!(
            "{text:?} is not an address with a port, such as 127.0.0.1:9100"
        ))
    })?;
    let server = server(figment)?;
    let one_place = address.ip() == server.address
        || address.ip().is_unspecified()
        || server.address.is_unspecified();
    // Port 0 is any that is free.
    if address.port() != 0 && address.port() == server.port && one_place {
        return Err(bad(format!(
            "{address} is where the server itself listens (ROCKET_ADDRESS and ROCKET_PORT say {}:{}); \
             give the metrics a port of their own",
            server.address, server.port
        )));
    }
    Ok(Some(address))
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Environment, figment};

    fn load(settings: &[(&str, &str)]) -> Result<Config, String> {
        let env: Environment = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Config::load(&figment(&env), &env).map_err(|e| e.to_string())
    }

    #[test]
    fn a_certificate_has_a_key_and_a_key_a_certificate() {
        assert_eq!(load(&[]).unwrap().tls, None);
        let both = [
            ("LATCHKEY_TLS_CERTIFICATE", "chain.pem"),
            ("LATCHKEY_TLS_KEY", "key.pem"),
        ];
        let tls = load(&both).unwrap().tls.unwrap();
        assert_eq!(tls.key.to_str(), Some("key.pem"));
        for (one, other) in [(both[0], both[1]), (both[1], both[0])] {
            let said = load(&[one]).unwrap_err();
            assert!(said.starts_with(other.0), "{said}");
        }
    }

    #[test]
    fn metrics_are_read_at_an_address_with_a_port() {
        let address = |text| load(&[("LATCHKEY_METRICS_ADDRESS", text)]);
        for good in ["127.0.0.1:9100", "[::1]:9100", "0.0.0.0:9100"] {
            let config = address(good).unwrap();
            assert_eq!(config.metrics_address.unwrap().to_string(), good);
        }
        for (main, metrics) in [
            ("127.0.0.1", "127.0.0.1:8000"),
            ("0.0.0.0", "127.0.0.1:8000"),
            ("10.0.0.7", "0.0.0.0:8000"),
        ] {
            let said = load(&[
                ("ROCKET_ADDRESS", main),
                ("LATCHKEY_METRICS_ADDRESS", metrics),
            ]);
            let said = said.unwrap_err();
            let names = ["LATCHKEY_METRICS_ADDRESS", "ROCKET_PORT", metrics, main];
            assert!(names.iter().all(|name| said.contains(name)), "{said}");
        }
        let apart = [
            ("ROCKET_ADDRESS", "10.0.0.7"),
            ("LATCHKEY_METRICS_ADDRESS", "127.0.0.1:8000"),
        ];
        assert!(load(&apart).is_ok(), "another address");
        for bad in [
            "9100",
            "127.0.0.1",
            "localhost:9100",
            "127.0.0.1:99999",
            ":9100",
        ] {
            let said = address(bad).unwrap_err();
            assert!(
                said.contains("LATCHKEY_METRICS_ADDRESS") && said.contains(bad),
                "{said}"
            );
        }
    }
}
