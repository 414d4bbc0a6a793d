//! Certificates for the loopback, made as an operator would try it out.

use std::{path::Path, process::Command};

/// Signed by itself: the files of the certificate and of its key.
pub fn certificate(openssl: &Path, folder: &Path, name: &str) -> (String, String) {
    certificate_for(2, openssl, folder, name)
}

/// Good for so many days.
pub fn certificate_for(days: u32, openssl: &Path, folder: &Path, name: &str) -> (String, String) {
    let path = |ending: &str| {
        folder
            .join(format!("{name}.{ending}"))
            .display()
            .to_string()
    };
    let (certificate, key) = (path("crt"), path("key"));
    let made = Command::new(openssl)
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-nodes",
            "-days",
            &days.to_string(),
        ])
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
