//! The files of clients/django in a real Django project, when Latchkey is slow or answers noise.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use serde_json::json;

use crate::support::{NextDoor, next_door_scene, python, without_django};

/// Somebody in Latchkey's place, who answers when and what the test says.
struct StandIn(TcpListener);

impl StandIn {
    fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        (Self(listener), url)
    }

    /// The next who asks, whose question ends so.
    fn asked(&self, end: &str) -> TcpStream {
        let (mut stream, _) = self.0.accept().unwrap();
        let mut question = Vec::new();
        while !question.ends_with(end.as_bytes()) {
            let mut some = [0; 4096];
            let length = stream.read(&mut some).unwrap();
            assert_ne!(length, 0, "hung up: {question:?}");
            question.extend_from_slice(&some[..length]);
        }
        stream
    }
}

const KEYS: &str = "\r\n\r\n";

fn with_body(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}")
}

/// What is no answer of Latchkey's.
fn noise() -> Vec<String> {
    vec![
        String::new(),
        "nonsense\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"keys\": [".to_owned(),
        "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n".to_owned(),
        with_body("<html>"),
        with_body("[]"),
        with_body("null"),
    ]
}

#[test]
fn django_goes_on_with_the_keys_it_has_when_latchkey_is_slow_or_answers_noise() {
    let Some(python) = python() else {
        return without_django();
    };
    let scene = next_door_scene(python, "EdDSA", &[]);
    let (access, _) = scene.sign_in();
    let bearer = format!("Bearer {access}");
    let (stand_in, url) = StandIn::start();
    // Each request finds the keys too old.
    let next_door = scene.next_door(&[
        ("JWKS_URL", json!(url)),
        ("KEEP_KEYS", json!(0)),
        ("TIMEOUT", json!(600)),
    ]);
    let ask = |answer: &str| {
        thread::scope(|scope| {
            let asking = scope.spawn(|| next_door.get("/plain/", &bearer));
            let mut stream = stand_in.asked(KEYS);
            stream.write_all(answer.as_bytes()).unwrap();
            drop(stream);
            asking.join().unwrap()
        })
    };
    let keys = scene.server.get("/.well-known/jwks.json", "").text;
    assert_eq!(ask(&noise()[0]).status, 503);
    assert_eq!(ask(&with_body(&keys)).status, 200);
    let no_keys = [
        r#"{"keys": [1]}"#,
        r#"{"keys": 1}"#,
        r#"{"keys": {"kid": 1}}"#,
    ];
    for answer in noise().into_iter().chain(no_keys.map(with_body)) {
        assert_eq!(ask(&answer).status, 200, "{answer}");
    }
    // One waits for the new ones; the others do not wait for it.
    thread::scope(|scope| {
        let asking = scope.spawn(|| next_door.get("/plain/", &bearer));
        let mut stream = stand_in.asked(KEYS);
        next_door.knows(&access);
        stream.write_all(with_body(&keys).as_bytes()).unwrap();
        drop(stream);
        assert_eq!(asking.join().unwrap().status, 200);
    });
}

#[test]
fn django_says_not_now_when_what_it_asked_about_a_token_is_answered_with_noise() {
    let Some(python) = python() else {
        return without_django();
    };
    let (stand_in, url) = StandIn::start();
    let settings = json!({"ISSUER": url, "TOKEN": "lk_of_the_service"});
    let next_door = NextDoor::start(&python, &settings);
    for answer in noise() {
        thread::scope(|scope| {
            let asking = scope.spawn(|| next_door.get("/drf/", "Token looked-up"));
            let mut stream = stand_in.asked("token=looked-up");
            stream.write_all(answer.as_bytes()).unwrap();
            drop(stream);
            assert_eq!(asking.join().unwrap().status, 503, "{answer}");
        });
    }
}
