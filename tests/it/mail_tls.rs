//! The way to the mail server, encrypted: its certificate must be one that the system trusts, and nothing is ever said in
//! the clear instead.

use std::path::Path;

use crate::support::{
    Program, Sink, Speech, acceptor, certificate, find_program, folder, mail_settings, wait,
    without,
};

const TEST: [&str; 3] = ["mail", "test", "ann@example.org"];

/// Sends to this sink, and believes the certificate in this file.
fn program(scheme: &str, sink: &Sink, trusted: &str) -> Program {
    let url = format!("{scheme}://ann:pa%23ss@localhost:{}", sink.port);
    let mut program = Program::new().set("SSL_CERT_FILE", trusted);
    for (name, value) in mail_settings(&url) {
        program = program.set(name, &value);
    }
    program.succeeds(&["migrate"]);
    program
}

fn sink(scheme: &str, own: &(String, String)) -> Sink {
    let speech = match scheme {
        "smtps" => Speech::Tls(acceptor(own)),
        _ => Speech::StartTls(acceptor(own)),
    };
    wait(Sink::speaking(0, speech))
}

fn letters_go_encrypted_or_not_at_all(openssl: &Path, scheme: &str, clear: &[&str]) {
    let folder = folder();
    let own = certificate(openssl, folder.path(), "mail");
    let (other, _) = certificate(openssl, folder.path(), "somebody");
    let sink = sink(scheme, &own);
    program(scheme, &sink, &own.0).succeeds(&TEST);
    let letters = sink.received();
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!(
        (letters[0].to.as_str(), letters[0].user.as_str()),
        ("ann@example.org", "ann")
    );
    assert_eq!(sink.in_the_clear(), clear);

    // A certificate that nobody vouches for: no letter, no password, no second try without TLS.
    let said = program(scheme, &sink, &other).fails(&TEST);
    assert!(said.to_lowercase().contains("certificate"), "{said}");
    assert!(!said.contains("pa#ss"), "{said}");
    assert_eq!(sink.received().len(), 1);
    assert_eq!(sink.in_the_clear(), [clear, clear].concat());
}

#[test]
fn by_starttls_letters_go_to_a_server_that_is_trusted_and_to_no_other() {
    let Some(openssl) = find_program("openssl") else {
        return without("openssl");
    };
    letters_go_encrypted_or_not_at_all(&openssl, "smtp", &["EHLO", "STARTTLS"]);
}

#[test]
fn by_smtps_letters_go_to_a_server_that_is_trusted_and_to_no_other() {
    let Some(openssl) = find_program("openssl") else {
        return without("openssl");
    };
    letters_go_encrypted_or_not_at_all(&openssl, "smtps", &[]);
}

#[test]
fn a_server_that_speaks_no_tls_gets_no_letter_by_smtps() {
    let sink = wait(Sink::start());
    let folder = folder();
    let nobody = folder.path().join("nobody.crt");
    let said = program("smtps", &sink, &nobody.display().to_string()).fails(&TEST);
    assert!(
        !said.contains("no database") && !said.contains("pa#ss"),
        "{said}"
    );
    assert!(sink.received().is_empty());
}
