//! The files of clients/django in a real Django project with Django REST framework, which believes the real
//! server: which tokens it takes, and which it refuses.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{
    Scene, claims_of, forged_with_header, header_of, next_door_command, next_door_scene, python,
    until, wait, without_django,
};

const WAY: &str = "The token is signed in a way that is not taken.";
const BAD: &str = "The token is not valid.";

/// What was forged, and why it is refused.
fn forgeries(scene: &Scene, access: &str) -> Vec<(String, &'static str)> {
    let claims = claims_of(access).to_string();
    let header = header_of(access);
    let with = |alg: &str| {
        let mut header = header.clone();
        header["alg"] = json!(alg);
        header.to_string()
    };
    let public = scene.public_key(&header["kid"])["x"]
        .as_str()
        .unwrap()
        .to_owned();
    let unsigned = forged_with_header(&with("none"), &claims, "");
    let unsigned = format!("{}.", unsigned.rsplit_once('.').unwrap().0);
    let own = header["alg"].as_str().unwrap();
    let other = if own == "EdDSA" { "ES256" } else { "EdDSA" };
    let critical = json!({"alg": own, "kid": header["kid"], "crit": ["exp"]}).to_string();
    let signed = |header: &str| forged_with_header(header, &claims, &public);
    let (head, rest) = access.split_once('.').unwrap();
    let signature = rest.rsplit_once('.').unwrap().1;
    let payload = claims.replace("\"access\"", "\"other\"");
    let changed = forged_with_header(&header.to_string(), &payload, "");
    let changed = changed.split('.').nth(1).unwrap();
    vec![
        (unsigned, WAY),
        (signed(&with("HS256")), WAY),
        (signed(&with(own)), BAD),
        (signed(&with(other)), BAD),
        (signed(&critical), BAD),
        (
            signed(&with(own).replace(header["kid"].as_str().unwrap(), "invented")),
            "The token was signed with an unknown key.",
        ),
        (format!("{head}.{changed}.{signature}"), BAD),
        ("nonsense".to_owned(), BAD),
        (
            format!("{access}{}", "A".repeat(9000)),
            "The token is too long.",
        ),
    ]
}

fn tokens_are_judged(python: PathBuf, algorithm: &str) {
    let mut scene = next_door_scene(python, algorithm, &[]);
    let next_door = scene.next_door(&[]);
    let (access, refresh) = scene.sign_in();
    next_door.knows(&access);
    for path in ["/drf/", "/students/"] {
        let challenge = next_door.get(path, "");
        assert_eq!(challenge.status, 401, "{challenge:?}");
        assert_eq!(
            challenge.header("WWW-Authenticate"),
            Some("Bearer realm=\"api\"")
        );
    }
    next_door.get("/plain/", "").is(200, &json!({"id": null}));
    // Pages of elsewhere cannot send a token, so nobody who does is asked for another.
    let bearer = format!("Bearer {access}");
    assert_eq!(next_door.send("POST", "/plain/", &bearer).status, 200);
    assert_eq!(next_door.send("POST", "/plain/", "").status, 403);
    for (forged, why) in forgeries(&scene, &access) {
        next_door.refuses(&forged, why);
    }
    next_door.refuses(&refresh, "The token is no access token.");
    let jwks = format!(
        "{}/.well-known/jwks.json",
        scene.settings["ISSUER"].as_str().unwrap()
    );
    let elsewhere = [
        ("ISSUER", json!("https://elsewhere.example")),
        ("JWKS_URL", json!(jwks)),
    ];
    scene.next_door(&elsewhere).refuses(&access, BAD);
    scene
        .next_door(&[("AUDIENCE", json!("others"))])
        .refuses(&access, BAD);
    let other = if algorithm == "EdDSA" {
        "ES256"
    } else {
        "EdDSA"
    };
    scene
        .next_door(&[("ALGORITHMS", json!([other]))])
        .refuses(&access, WAY);

    // The next key is published before it signs; the one after that is unknown, and asked for. Then it
    // shows which ones have been revoked.
    let second = scene.with_another_key(&access);
    next_door.knows(&second);
    let third = scene.with_another_key(&second);
    next_door.knows(&third);
    for revoked in [&access, &second] {
        next_door.refuses(revoked, "The token was signed with an unknown key.");
    }

    // An asynchronous Django.
    let output = next_door_command(&scene.python, &scene.settings)
        .arg(&third)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let id = &claims_of(&third)["user_id"];
    assert_eq!(
        said,
        json!({
            "good": {"id": id},
            "bad": 401,
            "without": {"id": null},
            // A token counts before a session, however the view asks.
            "guarded": {
                "nobody": 302,
                "session": {"ids": [700, 700, 700]},
                "session and token": {"ids": [id, id, id]},
            },
        })
    );

    let port = scene.server.port();
    let without_keys = scene.next_door(&[]);
    scene.server.stop();
    // No request asks Latchkey, so it need not be there.
    next_door.knows(&third);
    let answer = without_keys.get("/drf/", &format!("Bearer {third}"));
    assert_eq!(answer.status, 503, "{answer:?}");

    scene.program = scene.program.set("LATCHKEY_JWT_ACCESS_LIFETIME", "1");
    scene.server = scene.program.serve_on(port);
    let (short, _) = scene.sign_in();
    wait(until("the token has expired", async || {
        next_door.get("/drf/", &format!("Bearer {short}")).status == 401
    }));
    next_door.refuses(&short, "The token has expired.");
}

#[test]
fn django_judges_tokens_that_were_signed_with_eddsa() {
    let Some(python) = python() else {
        return without_django();
    };
    tokens_are_judged(python, "EdDSA");
}

#[test]
fn django_judges_tokens_that_were_signed_with_es256() {
    let Some(python) = python() else {
        return without_django();
    };
    tokens_are_judged(python, "ES256");
}
