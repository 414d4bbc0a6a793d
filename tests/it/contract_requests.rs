//! From a recorded request to one that is sent: which credential stands for `<token>`, how a
//! described JWT is made, which user the recording meant. The recording names them only by the
//! name of the case.

use latchkey::domain::{
    actor::Actor,
    families, students,
    users::{self, User},
};
use rocket::http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Caller, JWT_KEY, START, TestApp, forged, forged_with_header};

/// What the recording calls `<run>`: six characters, as long names need them to be.
const RUN: &str = "770001";
const BOUNDARY: &str = "----probe0boundary";

/// The people, tokens and records that the recorded server had.
pub struct World {
    caller: Caller,
    alice: User,
    alice_key: String,
    alice_access: String,
    alice_refresh: String,
    inactive_key: String,
    ghost: User,
    ghost_key: String,
    /// The access token of the user that `register/ok` made.
    new_access: String,
    blacklisted: String,
    pub last_key: Option<String>,
    pub generated: String,
}

impl World {
    pub async fn seed(app: &TestApp) -> Self {
        let by = Actor::operator();
        for (name, roll, city) in [
            ("Nikhil Patil", 101, "Nandurbar"),
            ("Raj Gohel", 102, "Nandurbar"),
            ("Vaibhav Samore", 49, "Nashik"),
            ("Dhananjay Patil", 104, "Kajgaon"),
            ("Kalpesh Patil", 105, "Dhule"),
        ] {
            let input = students::StudentInput {
                name: name.to_owned(),
                roll,
                city: city.to_owned(),
            };
            students::create(&app.app, &by, input).await.unwrap();
        }
        let alice = person(app, "alice", "Al1ce-oracle-pass").await;
        person(app, "bob", "B0b-oracle-pass").await;
        let inactive = person(app, "inactive", "Inact1ve-oracle-pass").await;
        let inactive_key = app.default_token(&inactive).await;
        users::set_active(&app.app, &by, inactive.id, false)
            .await
            .unwrap();
        let ghost = person(app, "ghost", "Gh0st-oracle-pass").await;
        let ghost_key = app.default_token(&ghost).await;
        users::delete(&app.app, &by, ghost.id).await.unwrap();

        let alice_key = app.default_token(&alice).await;
        let (alice_access, alice_refresh) = app.pair(&alice).await;
        let (_, blacklisted) = app.pair(&alice).await;
        let jwt = latchkey::secret::Jwt::new(blacklisted.clone());
        families::blacklist(&app.app, &jwt, &by).await.unwrap();
        let mut world = Self {
            caller: app.anonymous(),
            alice,
            alice_key,
            alice_access,
            alice_refresh,
            inactive_key,
            ghost,
            ghost_key,
            new_access: String::new(),
            blacklisted,
            last_key: None,
            generated: String::new(),
        };
        // Registrations whose own recordings are not in the file, but whose users later cases need.
        for (name, password) in [
            ("a", "S3cure-pass-1"),
            ("n\u{fb01}", "S3cure-pass-1"),
            ("r", "pässwörd-中文-🔑"),
        ] {
            let body = json!({
                "username": format!("u{RUN}{name}"),
                "password": password,
                "confirm_password": password,
            });
            let staff = world.caller.token(&world.alice_key);
            let answer = staff.post_json("/registerapi/", body).await;
            answer.expect(200);
            if name == "a" {
                world.new_access = answer.string("access");
            }
        }
        let given = "/generate-token/?firstname=a&lastname=b&age=1";
        world.generated = world.caller.get(given).await.string("token");
        world
    }

    pub async fn send(&self, name: &str, request: &Value) -> Answer {
        let mut caller = self.caller.clone();
        if let Some(text) = request["authorization"].as_str() {
            caller = caller.with("Authorization", &self.authorization(name, text));
        }
        for (header, value) in request["headers"].as_object().into_iter().flatten() {
            caller = caller.with(header, value.as_str().unwrap());
        }
        let method: Method = request["method"].as_str().unwrap().parse().unwrap();
        let body = request.get("body").map(|body| self.body(name, body));
        let kind = request["content_type"].as_str().unwrap_or_default();
        let path = request["path"].as_str().unwrap();
        caller
            .send(method, path, body.map(|bytes| (kind, bytes)))
            .await
    }

    fn authorization(&self, name: &str, recorded: &str) -> String {
        let whole = |text: &str| recorded.replace("<token>", text);
        match name {
            "auth/token-key-uppercase" => whole(&self.alice_key.to_uppercase()),
            "auth/token-invalid" => whole(&"0123456789".repeat(4)),
            "auth/token-inactive-user" => whole(&self.inactive_key),
            "auth/token-deleted-user" => whole(&self.ghost_key),
            "auth/token-under-bearer-scheme" => whole(&self.alice_key),
            "bearer/extra-part" => whole(&format!("{} more", self.alice_access)),
            "bearer/double-space" => whole(&format!(" {}", self.alice_access)),
            "get-token/ok" | "login-api/again" => whole(&self.new_access),
            "get-token/new-token-works" | "login-api/new-token-works" => {
                whole(self.last_key.as_ref().expect("a token was made before"))
            }
            "generate/as-bearer" => whole(&self.generated),
            _ if name.starts_with("bearer/") => whole(&self.odd_bearer(name)),
            _ if recorded.starts_with("Bearer") => whole(&self.alice_access),
            _ => whole(&self.alice_key),
        }
    }

    /// An access token with one thing odd about it.
    fn odd_bearer(&self, name: &str) -> String {
        let mut claims = self.claims("access", 3600);
        let header = r#"{"alg":"HS256","typ":"JWT"}"#;
        let header = match name {
            "bearer/alg-rs256-header" => r#"{"alg":"RS256","typ":"JWT"}"#,
            "bearer/no-alg" => r#"{"typ":"JWT"}"#,
            "bearer/no-typ-header" => r#"{"alg":"HS256"}"#,
            "bearer/kid-header" => r#"{"alg":"HS256","typ":"JWT","kid":"other"}"#,
            _ => header,
        };
        match name {
            "bearer/expired" => claims["exp"] = json!(START - 1),
            "bearer/not-yet-valid-nbf" => claims["nbf"] = json!(START + 600),
            "bearer/unknown-token-type" => claims["token_type"] = json!("sliding"),
            "bearer/no-token-type" => remove(&mut claims, "token_type"),
            "bearer/no-exp" => remove(&mut claims, "exp"),
            "bearer/exp-string" => claims["exp"] = json!((START + 3600).to_string()),
            #[expect(clippy::cast_precision_loss, reason = "a float is what is asked for")]
            "bearer/exp-float" => claims["exp"] = json!(START as f64 + 3600.5),
            "bearer/exp-null" => claims["exp"] = json!(null),
            "bearer/user-not-found" => claims["user_id"] = json!("999999"),
            "bearer/user-deleted" => claims["user_id"] = json!(self.ghost.id.to_string()),
            "bearer/user-id-list" => claims["user_id"] = json!([self.alice.id]),
            "bearer/user-id-huge" => claims["user_id"] = json!("9".repeat(30)),
            "bearer/aud-claim" => claims["aud"] = json!("somebody else"),
            _ => {}
        }
        let payload = if name == "bearer/payload-not-json" {
            "not JSON".to_owned()
        } else {
            claims.to_string()
        };
        let key = if name == "bearer/empty-secret" {
            ""
        } else {
            JWT_KEY
        };
        let good = forged_with_header(header, &payload, key);
        match name {
            "bearer/tampered-signature" => tampered(&good),
            "bearer/tampered-payload" => {
                let parts: Vec<&str> = good.split('.').collect();
                let other = self.claims("access", 7200);
                let other = forged(&other, JWT_KEY);
                let payload = other.split('.').nth(1).unwrap();
                format!("{}.{payload}.{}", parts[0], parts[2])
            }
            "bearer/padded-base64" => format!("{good}="),
            _ => good,
        }
    }

    fn claims(&self, kind: &str, lifetime: i64) -> Value {
        json!({
            "token_type": kind,
            "exp": START + lifetime,
            "iat": START,
            "jti": "ab".repeat(16),
            "user_id": self.alice.id.to_string(),
        })
    }

    fn body(&self, name: &str, body: &Value) -> Vec<u8> {
        if let Some(raw) = body["raw"].as_str() {
            let bytes = unescaped(raw);
            assert_eq!(json!(bytes.len()), body["length"], "{name}");
            return bytes;
        }
        if let Some(form) = body["form"].as_object() {
            let fields = form
                .iter()
                .map(|(k, v)| (k.as_str(), filled(v.as_str().unwrap())));
            return form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish()
                .into_bytes();
        }
        if let Some(fields) = body["multipart"].as_object() {
            let parts = fields.iter().map(|(field, value)| {
                let value = filled(value.as_str().unwrap());
                format!(
                    "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n\
                     {value}\r\n"
                )
            });
            return format!("{}--{BOUNDARY}--\r\n", parts.collect::<String>()).into_bytes();
        }
        self.made(name, &body["json"]).to_string().into_bytes()
    }

    /// A recorded JSON body with its descriptions replaced by what they describe.
    fn made(&self, name: &str, value: &Value) -> Value {
        match value {
            Value::String(text) if text == "<run number>" => json!(770_001),
            Value::String(text) => json!(filled(text)),
            Value::Array(items) => items.iter().map(|item| self.made(name, item)).collect(),
            Value::Object(fields) => match fields.get("$jwt") {
                Some(description) => json!(self.jwt(name, description)),
                None => fields
                    .iter()
                    .map(|(key, item)| (key.clone(), self.made(name, item)))
                    .collect(),
            },
            other => other.clone(),
        }
    }

    fn jwt(&self, name: &str, description: &Value) -> String {
        let described = &description["claims"];
        let lifetime = described["exp-iat"].as_i64();
        let genuine = lifetime == Some(86_400);
        let good = if name == "blacklist/then-verify" {
            self.blacklisted.clone()
        } else if genuine {
            self.alice_refresh.clone()
        } else {
            let kind = described["token_type"].as_str().unwrap_or("access");
            let mut claims = self.claims(kind, lifetime.unwrap_or(3600));
            // Two cases spend a token; each gets its own.
            claims["jti"] = json!(hex::encode(format!("{:0>16}", name.len())));
            for field in ["token_type", "exp", "iat", "jti", "user_id"] {
                if described.get(field).is_none() {
                    remove(&mut claims, field);
                }
            }
            let header = description["header"].to_string();
            forged_with_header(&header, &claims.to_string(), JWT_KEY)
        };
        if description["header"]["alg"] == "none" {
            let (message, _) = good.rsplit_once('.').unwrap();
            return format!("{message}.");
        }
        if description["signed"] == "other" {
            tampered(&good)
        } else {
            good
        }
    }
}

async fn person(app: &TestApp, name: &str, password: &str) -> User {
    let input = users::UserInput {
        username: name.to_owned(),
        is_active: true,
        ..users::UserInput::default()
    };
    let password = latchkey::secret::Password::new(password);
    users::create(&app.app, &Actor::operator(), input, password)
        .await
        .unwrap()
}

fn remove(claims: &mut Value, field: &str) {
    claims.as_object_mut().unwrap().remove(field);
}

/// The same token with another signature.
fn tampered(jwt: &str) -> String {
    let (message, signature) = jwt.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{message}.{first}{}", &signature[1..])
}

/// `<run>` filled in, and `aaa... (5000 characters)` written out.
fn filled(text: &str) -> String {
    let text = text.replace("<run>", RUN);
    let long = text
        .strip_suffix(" characters)")
        .and_then(|t| t.rsplit_once("... ("));
    match long.and_then(|(start, n)| Some((start, n.parse().ok()?))) {
        Some((start, n)) => start.chars().cycle().take(n).collect(),
        None => text,
    }
}

/// `\xff` stands for that byte, everything else for itself.
fn unescaped(raw: &str) -> Vec<u8> {
    let mut parts = raw.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(&part.as_bytes()[2..]);
    }
    bytes
}
