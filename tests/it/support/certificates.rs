//! Certificates for the loopback, made as an operator would try it out.

use std::{path::Path, process::Command};

/// Signed by itself: the files of the certificate and of its key.
pub fn certificate(openssl: &Path, folder: &Path, name: &str) -> (String, String) {
    let path = |ending: &str| {
        folder
            .join(format!("{name}.{ending}"))
            .display()
            .to_string()
    };
    let (certificate, key) = (path("crt"), path("key"));
    let made = Command::new(openssl)
        .args(["req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"])
        .args(["-pkeyopt", "ec_paramgen_curve:P-256", "-subj"])
        .arg(format!("/CN=Latchkey's tests, {name}"))
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-out", &certificate, "-keyout", &key])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    (certificate, key)
}
