//! Parts of the bodies of failures, in the forms that clients know. Which failure gets which is `error`.

use serde_json::{Map, Value, json};

use crate::error::{AuthFailure, FieldErrors};

/// RFC 6749, 5.2.
pub fn oauth(error: &str, description: &str) -> Value {
    json!({"error": error, "error_description": description})
}

pub fn in_words(errors: &FieldErrors) -> String {
    let fields = errors.iter();
    let lines = fields.map(|(name, messages)| format!("{name}: {}", messages.join(" ")));
    lines.collect::<Vec<_>>().join(" ")
}

pub fn header_refused(failure: AuthFailure) -> Value {
    let mut body = json!({"detail": failure.detail()});
    if let Some(code) = failure.code() {
        body["code"] = code.into();
    }
    if let AuthFailure::Bearer(fault) = failure {
        body["messages"] = json!([{
            "token_class": "AccessToken",
            "token_type": "access",
            "message": fault.message(),
        }]);
    }
    body
}

pub fn fields(errors: &FieldErrors) -> Map<String, Value> {
    errors
        .iter()
        .map(|(name, messages)| (name.to_owned(), json!(messages)))
        .collect()
}

/// The envelope's `message`; its two texts are those that clients know.
pub fn summary(errors: &FieldErrors) -> &'static str {
    let taken = errors
        .get("username")
        .iter()
        .any(|message| message.ends_with("already exists."));
    if taken && errors.iter().count() == 1 {
        "Username already exist please login or enter different username"
    } else {
        "Something Wrong"
    }
}

/// The recorded text where something is missing; what is wrong with it where it is there.
pub fn generate_token(errors: &FieldErrors) -> Value {
    let names: Vec<&str> = errors.iter().map(|(name, _)| name).collect();
    let required = "firstname, lastname, and age are required";
    let text = errors
        .iter()
        .flat_map(|(_, messages)| messages)
        .find(|message| message.as_str() != required)
        .map_or(required, String::as_str);
    json!({"Error": text, "fields": names})
}
