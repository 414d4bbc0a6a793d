//! Where the server listens: TLS by its own settings, metrics on an address of their own, and what
//! stops the start.

use std::{
    fs::Permissions,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use latchkey::{
    clock::Clock,
    config::Tls,
    domain::health::{self, Chain, Finding, Verdict},
    web::tls,
};

use crate::support::{
    PASSWORD, Program, certificate, certificate_for, exchange, find_program, free_port, without,
};

const DAY: i64 = 86_400;

fn curl(program: &Path, certificate: &str, port: u16, path: &str, more: &[&str]) -> Output {
    Command::new(program)
        .args(["-sSi", "--max-time", "30", "--cacert", certificate])
        .args(more)
        .arg(format!("https://localhost:{port}{path}"))
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    [&output.stdout[..], &output.stderr]
        .map(String::from_utf8_lossy)
        .concat()
}

#[test]
fn tls_is_served_with_a_certificate_and_a_key() {
    let (Some(openssl), Some(client)) = (find_program("openssl"), find_program("curl")) else {
        return without("openssl or curl");
    };
    let program = Program::with_root();
    let (certificate, _) = certificate(&openssl, program.folder(), "own");
    let program = program
        .set("ROCKET_PROFILE", "release")
        .set("LATCHKEY_TLS_CERTIFICATE", &certificate)
        .set("LATCHKEY_TLS_KEY", "own.key");
    assert!(
        program
            .succeeds(&["doctor"])
            .contains("certificate: the one of this key ends on"),
        "doctor judges it"
    );
    let server = program.serve();
    let ask = |path: &str, more: &[&str]| curl(&client, &certificate, server.port(), path, more);

    let page = text(&ask("/login/", &["-H", "Accept: text/html"]));
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let lower = page.to_lowercase();
    assert!(
        lower.contains("strict-transport-security: max-age=31536000"),
        "{page}"
    );
    let cookie = lower
        .lines()
        .find(|line| line.starts_with("set-cookie: csrftoken="));
    assert!(cookie.unwrap().contains("; secure"), "{page}");
    let pair = format!("username=root&password={PASSWORD}");
    let signed_in = text(&ask("/api/token/", &["-d", &pair]));
    assert!(signed_in.starts_with("HTTP/1.1 200"), "{signed_in}");

    for (version, good) in [("1.3", true), ("1.2", true), ("1.1", false)] {
        let least = format!("--tlsv{version}");
        let more = [
            least.as_str(),
            "--tls-max",
            version,
            "--ciphers",
            "DEFAULT@SECLEVEL=0",
        ];
        let answered = ask("/healthz", &more).status.success();
        assert_eq!(answered, good, "TLS {version}");
    }
    // Whoever speaks without TLS, or nonsense, is hung up on, and the others are served.
    for nonsense in [
        &b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"[..],
        b"\x16\x03\x01\xff\xff\x01\x00",
        b"\0\0\0\0",
    ] {
        let said = crate::support::raw(server.port(), nonsense);
        assert!(!said.starts_with(b"HTTP/1.1 2"), "{said:?}");
    }
    assert!(ask("/healthz", &[]).status.success());
    server.stop();
}

#[test]
fn a_certificate_that_cannot_be_served_with_stops_the_start_with_a_sentence() {
    let Some(openssl) = find_program("openssl") else {
        return without("openssl");
    };
    let folder = crate::support::folder();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (good, key) = certificate(&openssl, folder.path(), "one");
    let (_, other_key) = certificate(&openssl, folder.path(), "two");
    std::fs::write(path("empty"), "no PEM at all\n").unwrap();
    let broken = std::fs::read_to_string(&good)
        .unwrap()
        .replacen('M', "!", 3);
    std::fs::write(path("broken"), broken).unwrap();
    for (certificate, key, setting, word) in [
        (
            &path("nowhere"),
            &key,
            "LATCHKEY_TLS_CERTIFICATE",
            "No such file",
        ),
        (
            &path("empty"),
            &key,
            "LATCHKEY_TLS_CERTIFICATE",
            "no certificate",
        ),
        (
            &path("broken"),
            &key,
            "LATCHKEY_TLS_CERTIFICATE",
            "invalid certificate",
        ),
        (&good, &path("nowhere"), "LATCHKEY_TLS_KEY", "No such file"),
        (&good, &path("empty"), "LATCHKEY_TLS_KEY", "key"),
        (&good, &good, "LATCHKEY_TLS_KEY", "key"),
        (&good, &other_key, "LATCHKEY_TLS_KEY", "does not go with"),
    ] {
        let program = Program::new()
            .set("LATCHKEY_TLS_CERTIFICATE", certificate)
            .set("LATCHKEY_TLS_KEY", key);
        let said = program.fails(&["serve"]);
        let sentence = said.lines().last().unwrap_or_default();
        assert!(
            sentence.contains(setting) && sentence.contains(word),
            "{said}"
        );
        assert!(!said.contains("panicked"), "{said}");
        assert!(!program.folder().join("data").exists(), "nothing was made");
        let report = program.run(&["doctor"]);
        assert!(
            !report.status.success() && text(&report).contains(setting),
            "{report:?}"
        );
    }
}

#[test]
fn the_end_of_a_certificate_is_told_two_weeks_before() {
    let Some(openssl) = find_program("openssl") else {
        return without("openssl");
    };
    let folder = crate::support::folder();
    let renew = |days| certificate_for(days, &openssl, folder.path(), "own");
    let (certificate, key) = renew(2);
    let files = Tls {
        certificate: certificate.into(),
        key: key.into(),
    };
    let now = Clock::System.now();
    let told = |served: Option<&Chain>, at| -> Vec<Finding> {
        health::certificate(&files, tls::look(&files), served, at)
    };
    for (days, verdict, words) in [
        (-13, Verdict::Bad, "is not good before 2"),
        (-2, Verdict::Bad, "is not good before 2"),
        (0, Verdict::Look, "within two days"),
        (3, Verdict::Bad, "ended on 2"),
    ] {
        let finding = &told(None, now + days * DAY + DAY / 2)[0];
        assert_eq!(finding.verdict, verdict, "{days}: {finding:?}");
        assert!(finding.text.contains(words), "{days}: {finding:?}");
    }

    // What is in the files counts at the next start only.
    let served = tls::look(&files).unwrap();
    assert_eq!(told(Some(&served), now), told(None, now));
    renew(90);
    // Not before the second in which it was made.
    let now = Clock::System.now();
    let found = told(Some(&served), now);
    assert_eq!(found[0].verdict, Verdict::Look, "{found:?}");
    assert!(found[0].text.contains("the file was renewed"), "{found:?}");
    assert!(found[0].advice.contains("restart"), "{found:?}");
    assert_eq!(found[1].verdict, Verdict::Good, "{found:?}");
    let ended = &told(Some(&served), now + 3 * DAY)[0];
    assert_eq!(ended.verdict, Verdict::Bad, "{ended:?}");
    assert!(ended.text.contains("still served ended on"), "{ended:?}");
    renew(10);
    let now = Clock::System.now();
    let soon = &told(None, now)[0];
    assert_eq!(soon.verdict, Verdict::Look, "{soon:?}");
    assert!(
        soon.text.contains(" days") && !soon.advice.is_empty(),
        "{soon:?}"
    );

    // And who can read the key; a group may.
    let open_to = |mode| {
        std::fs::set_permissions(&files.key, Permissions::from_mode(mode)).unwrap();
        told(None, now)
    };
    assert_eq!(open_to(0o644).last().unwrap().verdict, Verdict::Bad);
    assert_eq!(open_to(0o640), open_to(0o600));
}

#[test]
fn metrics_have_an_address_of_their_own_with_nothing_else_on_it() {
    let port = free_port();
    let own = format!("127.0.0.1:{port}");
    let program = Program::with_root().set("LATCHKEY_METRICS_ADDRESS", &own);
    assert!(program.succeeds(&["doctor"]).contains(&own));
    let server = program.serve();
    assert_eq!(
        server.get("/metrics", "").status,
        401,
        "the other one stays guarded"
    );
    let ask = |path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n");
        exchange(port, request.as_bytes())
    };
    let answer = ask("/metrics");
    assert_eq!(answer.status, 200, "{answer:?}");
    let kind = answer.header("Content-Type").unwrap();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    // It tells of what is served at the other one.
    assert!(
        answer.text.contains("latchkey_refusals_total{reason="),
        "{answer:?}"
    );
    assert!(
        answer.text.contains("route=\"/metrics\",status=\"401\""),
        "{answer:?}"
    );
    assert!(
        answer.text.contains("latchkey_database_connections "),
        "{answer:?}"
    );
    for path in [
        "/",
        "/admin/",
        "/healthz",
        "/readyz",
        "/studentapi/",
        "/login/",
        "/static/app.css",
    ] {
        let answer = ask(path);
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        assert_eq!(answer.text, "only /metrics is served here\n");
    }
    server.stop();
}

#[test]
fn an_address_for_metrics_that_is_taken_stops_the_start_with_a_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (address, word) in [
        (address.as_str(), "in use"),
        ("everywhere:9100", "is not an address"),
    ] {
        let program = Program::new().set("LATCHKEY_METRICS_ADDRESS", address);
        let said = program.fails(&["serve"]);
        let sentence = said.lines().last().unwrap_or_default();
        assert!(
            sentence.contains("LATCHKEY_METRICS_ADDRESS: ") && sentence.contains(word),
            "{said}"
        );
    }
}
