//! The wire contract: every recorded request is sent again, and every answer is the recorded one or
//! differs on purpose, as `contract_differences` says.

use serde_json::Value;

use crate::{
    contract_differences::{Instead, NOT_APPLICABLE, instead},
    contract_requests::World,
    support::{Answer, JWT_KEY, TestApp, claims_of, hs256},
};

const EXAMPLES: &str = include_str!("contract/examples.json");

both! {
    #[with(
        ("LATCHKEY_JWT_SIGNING_KEY", JWT_KEY),
    )]
    async fn every_recorded_request_is_answered_as_recorded_or_as_announced(app: &TestApp) {
        let examples: Value = serde_json::from_str(EXAMPLES).unwrap();
        assert_eq!(examples["format"], 1);
        let mut world = World::seed(app).await;
        let (mut agree, mut differ) = (0, 0);
        let mut not_applicable = Vec::new();
        let mut wrong = Vec::new();
        for case in examples["cases"].as_array().unwrap() {
            let name = case["name"].as_str().unwrap();
            if let Some((_, why)) = NOT_APPLICABLE.iter().find(|(n, _)| *n == name) {
                not_applicable.push(format!("{name}: {why}"));
                continue;
            }
            let answer = world.send(name, &case["request"]).await;
            let judged = match instead(name, &case["response"]) {
                None => as_recorded(name, &answer, &case["response"]).map(|()| agree += 1),
                Some(other) => otherwise(&answer, &other, case).map(|()| differ += 1),
            };
            let again = case["response"]["same_token_as_before"] == true;
            if let Err(why) = judged.and_then(|()| remember(&mut world, &answer, again)) {
                wrong.push(format!("{name}: {why}\n      got {answer:?}"));
            }
        }
        eprintln!("{agree} agree, {differ} differ on purpose, not applicable: {not_applicable:#?}");
        assert!(
            wrong.is_empty(),
            "{} wrong:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }
}

/// Later cases use what earlier ones gave.
fn remember(world: &mut World, answer: &Answer, again: bool) -> Result<(), String> {
    let Ok(body) = serde_json::from_str::<Value>(&answer.text) else {
        return Ok(());
    };
    if let Some(key) = body["data"]["Token"].as_str() {
        if again && world.last_key.as_deref() != Some(key) {
            return Err("another key than before".to_owned());
        }
        // Bob's token is not the one that is tried afterwards.
        if world.last_key.is_none() {
            world.last_key = Some(key.to_owned());
        }
    }
    Ok(())
}

fn as_recorded(name: &str, answer: &Answer, recorded: &Value) -> Result<(), String> {
    same_status(answer, &recorded["status"])?;
    if recorded["body"]["kind"] == "json" {
        let body = serde_json::from_str(&answer.text).map_err(|e| format!("not JSON: {e}"))?;
        fits(&body, &recorded["body"]["json"])?;
    }
    headers(name, answer, recorded)
}

fn otherwise(answer: &Answer, instead: &Instead, case: &Value) -> Result<(), String> {
    same_status(answer, &instead.status.into())?;
    if let Some(expected) = &instead.body {
        let body = serde_json::from_str(&answer.text).map_err(|e| format!("not JSON: {e}"))?;
        fits(&body, expected)?;
    }
    if let Some(kind) = instead.content_type {
        same_header(answer, "Content-Type", kind)?;
    }
    if let Some(challenge) = instead.challenge {
        same_header(answer, "WWW-Authenticate", challenge)?;
    }
    // Our own idea of a failure must be one that the recording calls better.
    if let Some(better) = case["better"]["status"].as_array()
        && !better.contains(&answer.status.into())
    {
        return Err(format!("not one of the better statuses {better:?}"));
    }
    for field in case["better"]["mentions"].as_array().into_iter().flatten() {
        if !answer.text.contains(field.as_str().unwrap()) {
            return Err(format!("does not mention {field}"));
        }
    }
    protecting_headers(answer, &case["response"]["also"])
}

fn same_status(answer: &Answer, expected: &Value) -> Result<(), String> {
    if *expected == answer.status {
        Ok(())
    } else {
        Err(format!("status {} instead of {expected}", answer.status))
    }
}

fn headers(name: &str, answer: &Answer, recorded: &Value) -> Result<(), String> {
    for (header, value) in recorded["headers"].as_object().unwrap() {
        let value = value.as_str().unwrap();
        // What `/studentapi/` allows has grown; what was allowed still is.
        if header == "Allow" && value == "GET, HEAD, OPTIONS" {
            let allowed = answer.header("Allow").unwrap_or_default();
            let all = value
                .split(", ")
                .all(|m| allowed.split(", ").any(|a| a == m));
            if !all {
                return Err(format!("Allow is {allowed}"));
            }
            continue;
        }
        same_header(answer, header, value)?;
    }
    if name.starts_with("generate/") {
        return protecting_headers(answer, &recorded["also"]);
    }
    for header in ["Allow", "Vary", "WWW-Authenticate"] {
        if recorded["headers"].get(header).is_none()
            && let Some(given) = answer.header(header)
        {
            return Err(format!("{header} is {given}, and none was recorded"));
        }
    }
    if recorded["set_cookies"].as_array().unwrap().is_empty()
        && answer.header("Set-Cookie").is_some()
    {
        return Err("sets a cookie".to_owned());
    }
    protecting_headers(answer, &recorded["also"])
}

fn protecting_headers(answer: &Answer, also: &Value) -> Result<(), String> {
    for (header, value) in also.as_object().unwrap() {
        same_header(answer, header, value.as_str().unwrap())?;
    }
    Ok(())
}

fn same_header(answer: &Answer, header: &str, expected: &str) -> Result<(), String> {
    let given: Vec<&str> = answer.all(header).collect();
    if given == [expected] {
        Ok(())
    } else {
        Err(format!("{header} is {given:?} instead of {expected:?}"))
    }
}

/// Whether a value has the recorded shape.
fn fits(value: &Value, shape: &Value) -> Result<(), String> {
    let good = match shape {
        Value::String(s) if s == "<int>" => value.is_i64(),
        Value::String(s) if s == "<str>" => value.is_string(),
        Value::String(s) if s == "<hex32>" => is_hex(value, 32),
        Value::String(s) if s == "<hex40>" => is_hex(value, 40),
        Value::Object(fields) if fields.contains_key("$jwt") => {
            let jwt = value.as_str().ok_or("a JWT is a text")?;
            return jwt_fits(jwt, &fields["$jwt"]);
        }
        Value::Object(fields) => {
            let given = value
                .as_object()
                .ok_or_else(|| format!("{value} is no object"))?;
            if !given.keys().all(|key| fields.contains_key(key)) {
                return Err(format!("{value} instead of {shape}"));
            }
            for (key, shape) in fields {
                let value = given
                    .get(key)
                    .ok_or_else(|| format!("{value} lacks {key}"))?;
                fits(value, shape)?;
            }
            true
        }
        Value::Array(items) => {
            let given = value
                .as_array()
                .ok_or_else(|| format!("{value} is no list"))?;
            for (value, shape) in given.iter().zip(items) {
                fits(value, shape)?;
            }
            given.len() == items.len()
        }
        exact => value == exact,
    };
    if good {
        Ok(())
    } else {
        Err(format!("{value} instead of {shape}"))
    }
}

fn jwt_fits(jwt: &str, shape: &Value) -> Result<(), String> {
    let (message, signature) = jwt.rsplit_once('.').ok_or("no JWT")?;
    assert_eq!(shape["signed"], "HS256 with the shared secret");
    if hs256(message, JWT_KEY) != signature {
        return Err("not signed with the shared key".to_owned());
    }
    // Byte for byte what clients saw.
    if !message.starts_with("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.") {
        return Err(format!("another header: {message}"));
    }
    let mut claims = claims_of(jwt);
    let lifetime = claims["exp"].as_i64().zip(claims["iat"].as_i64());
    claims["exp-iat"] = lifetime.map(|(exp, iat)| exp - iat).into();
    fits(&claims, &shape["claims"])
}

fn is_hex(value: &Value, digits: usize) -> bool {
    value.as_str().is_some_and(|text| {
        text.len() == digits
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}
