//! The files of clients/django in a real Django project: what it asks Latchkey about, API tokens by introspection and
//! ended sign-ins by the status list.

use serde_json::json;

use crate::support::{next_door_scene, python, until, wait, without_django};

#[test]
fn django_asks_about_api_tokens_and_scopes() {
    let Some(python) = python() else {
        return without_django();
    };
    let scene = next_door_scene(python, "EdDSA", &[]);
    let next_door = scene.next_door(&[]);
    let root = format!(
        "Authorization: Token {}\r\n",
        scene.settings["TOKEN"].as_str().unwrap()
    );
    let body = json!({"name": "reader", "scopes": ["students:read"]});
    let made = scene.server.post("/api/tokens/", &root, &body);
    let reader = format!("Token {}", made.string("key"));
    let who = json!({"id": "1", "by": "LatchkeyTokenAuthentication"});
    next_door.get("/drf/", &reader).is(200, &who);
    next_door.get("/students/", &reader).is(200, &who);
    let text = "The credential lacks the scope metrics:read.";
    next_door.get("/metrics/", &reader).is_detail(403, text);
    next_door
        .get("/drf/", "Token unknown")
        .is_detail(401, "Invalid token.");
    // What Latchkey cannot look up is no reason to try again later.
    for nothing in ["Token", "Token ", &format!("Token {}", "A".repeat(60_000))] {
        next_door
            .get("/drf/", nothing)
            .is_detail(401, "Invalid token.");
    }
    let (access, refresh) = scene.sign_in();
    // A credential under another name is none.
    next_door
        .get("/drf/", &format!("Token {access}"))
        .is_detail(401, "Invalid token.");
    next_door
        .get("/drf/", &format!("Token {refresh}"))
        .is_detail(401, "Invalid token.");
    assert_eq!(
        next_door
            .get("/metrics/", &format!("Bearer {access}"))
            .status,
        200
    );

    let key = json!({"token": made.string("key")});
    assert_eq!(scene.server.post("/api/revoke/", &root, &key).status, 200);
    next_door
        .get("/drf/", &reader)
        .is_detail(401, "Invalid token.");
    scene.server.stop();
    assert_eq!(next_door.get("/drf/", &reader).status, 503);
}

#[test]
fn django_hears_by_the_status_list_that_a_sign_in_was_ended() {
    let Some(python) = python() else {
        return without_django();
    };
    let scene = next_door_scene(python, "EdDSA", &[("LATCHKEY_JWT_STATUS_LIST", "true")]);
    let (ended, refresh) = scene.sign_in();
    let (going_on, _) = scene.sign_in();
    let without = scene.next_door(&[]);
    let next_door = scene.next_door(&[("STATUS_LIST", json!(true)), ("KEEP_LIST", json!(0))]);
    next_door.knows(&ended);
    let body = json!({"refresh": refresh});
    scene
        .server
        .post("/api/token/blacklist/", "", &body)
        .expect(200);
    wait(until("the list says it", async || {
        next_door.get("/drf/", &format!("Bearer {ended}")).status == 401
    }));
    next_door.refuses(&ended, "The token was revoked.");
    next_door.knows(&going_on);
    // Who does not look believes it until it expires.
    without.knows(&ended);
}
