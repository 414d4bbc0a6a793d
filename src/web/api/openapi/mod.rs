//! The description of the API (OpenAPI 3.1), made once from the tables of addresses and of
//! operations and from the very structs that answers are written from. `/openapi.json` gives it;
//! `/swagger/` shows it to people.

mod answers;
mod fields;
mod operations;
mod page;
mod schemas;
mod services;
mod walks;

use std::sync::LazyLock;

use rocket::{Route, get, http::ContentType, http::Method, routes};
use serde_json::{Map, Value, json};

use super::endpoints::{self, Endpoint, Style};
use crate::web::published::Published;

pub use operations::{Operation, Tag};
pub use page::samples;

/// Seconds for which others may keep the document; it changes with the program only.
const KEEP: u32 = 300;

pub fn routes() -> Vec<Route> {
    [routes![document], page::routes()].concat()
}

#[get("/openapi.json")]
fn document() -> Published {
    static TEXT: LazyLock<String> = LazyLock::new(|| DOCUMENT.to_string());
    Published {
        content_type: ContentType::JSON,
        body: TEXT.clone(),
        keep: Some(KEEP),
    }
}

/// The whole description.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Latchkey",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Users, API tokens and JWTs for your API.",
            "description": ABOUT,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This server"}],
        "tags": Tag::ALL.map(|tag| json!({"name": tag.name()})),
        "paths": paths(),
        "components": {
            "securitySchemes": security_schemes(),
            "schemas": schemas::components(),
            "headers": answers::headers(),
            "responses": answers::responses(),
        },
    })
});

const ABOUT: &str = "Addresses answer with and without the slash at their end. Bodies are JSON, \
     form-encoded or multipart, at most 2.5 MB; unknown fields are ignored. Every answer names its \
     request in `X-Request-Id`. The texts of errors are those of Django REST framework and SimpleJWT.";

fn security_schemes() -> Value {
    json!({
        "Token": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "An API token: the word `Token`, a blank, and the key. Example: `Token lk_0CrSq…`",
        },
        "Bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token of `/api/token/` or `/registerapi/`.",
        },
    })
}

fn paths() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations::all() {
        let endpoint = endpoint(operation.path);
        let aliases = endpoint.map_or(&[][..], |endpoint| endpoint.aliases);
        add(&mut paths, operation.path, operation, endpoint, "");
        for alias in aliases {
            add(&mut paths, alias, operation, endpoint, "_alias");
        }
    }
    paths.into()
}

fn add(
    paths: &mut Map<String, Value>,
    path: &str,
    operation: &Operation,
    endpoint: Option<&Endpoint>,
    mark: &str,
) {
    let item = paths.entry(template(path)).or_insert_with(|| json!({}));
    if path.contains('<') {
        item["parameters"] = json!([{
            "name": placeholder(path),
            "in": "path",
            "required": true,
            "description": "Its number.",
            "schema": {"type": "integer", "minimum": 0, "maximum": i64::MAX},
        }]);
    }
    for method in methods(operation) {
        let mut described = describe(operation, endpoint);
        let of_method = if methods(operation).len() > 1 {
            format!("_{method}")
        } else {
            String::new()
        };
        described["operationId"] = format!("{}{of_method}{mark}", operation.id).into();
        item[method] = described;
    }
    if operation.path == "/login" {
        item["get"] = sign_in_page();
    }
}

/// The methods of one row: a proxy may ask with any.
fn methods(operation: &Operation) -> &'static [&'static str] {
    if operation.id == "forward_auth" {
        return &[
            "get", "put", "post", "delete", "options", "head", "patch", "trace",
        ];
    }
    match operation.method {
        Method::Post => &["post"],
        Method::Put => &["put"],
        Method::Patch => &["patch"],
        Method::Delete => &["delete"],
        _ => &["get"],
    }
}

fn describe(operation: &Operation, endpoint: Option<&Endpoint>) -> Value {
    let mut described = json!({
        "tags": [operation.tag.name()],
        "summary": operation.summary,
        "responses": answers::of(operation, endpoint),
    });
    let scope = operation
        .scope
        .map(|scope| format!("The credential needs the scope `{}`.", scope.as_str()));
    let texts = [operation.about.to_owned(), scope.unwrap_or_default()];
    let about: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).collect();
    if !about.is_empty() {
        described["description"] = about.join(" ").into();
    }
    let query = operation.query.iter().map(fields::Field::parameter);
    if !operation.query.is_empty() {
        described["parameters"] = query.collect();
    }
    if !operation.body.is_empty() {
        described["requestBody"] = body(operation);
    }
    if needs_credential(operation, endpoint) {
        described["security"] = json!([{"Token": []}, {"Bearer": []}]);
    }
    described
}

fn needs_credential(operation: &Operation, endpoint: Option<&Endpoint>) -> bool {
    operation.id == "forward_auth" || endpoint.is_some_and(|endpoint| endpoint.guarded)
}

fn body(operation: &Operation) -> Value {
    let about = json!({
        "schema": fields::object(operation.body),
        "example": fields::example(operation.body),
    });
    let types: &[&str] = if operation.id == "login" {
        &["application/json"]
    } else {
        &[
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
        ]
    };
    let content: Map<String, Value> = types
        .iter()
        .map(|media_type| ((*media_type).to_owned(), about.clone()))
        .collect();
    let required = operation.body.iter().any(|field| field.required);
    json!({"required": required, "content": content})
}

/// The same address, for people.
fn sign_in_page() -> Value {
    json!({
        "tags": [Tag::GetToken.name()],
        "summary": "The sign-in page",
        "operationId": "sign_in_page",
        "responses": {
            "200": {"description": "A form.", "content": {"text/html": {}}},
            "303": {"description": "Somebody is signed in already."},
        },
    })
}

pub fn endpoint(path: &str) -> Option<&'static Endpoint> {
    endpoints::ENDPOINTS.iter().find(|e| e.path == path)
}

fn style(endpoint: Option<&Endpoint>) -> Style {
    endpoint.map_or(Style::Drf, |endpoint| endpoint.style)
}

/// `/studentapi/<id>` as `/studentapi/{id}/`.
pub fn template(path: &str) -> String {
    let slash = if path.contains('.') || path == "/metrics" || path.ends_with('z') {
        ""
    } else {
        "/"
    };
    format!("{}{slash}", path.replace('<', "{").replace('>', "}"))
}

fn placeholder(path: &str) -> &str {
    let inner = path.split_once('<').map_or("", |(_, rest)| rest);
    inner.split('>').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_and_method_of_the_table_is_described() {
        for endpoint in endpoints::ENDPOINTS {
            for method in endpoint.methods {
                if matches!(method, Method::Options | Method::Head) {
                    continue;
                }
                for path in endpoint.paths() {
                    let name = method.as_str().to_lowercase();
                    let described = &DOCUMENT["paths"][template(path)][&name];
                    assert!(described.is_object(), "{name} {path}");
                }
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_id_is_one_of_a_kind() {
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(map) => {
                    if let Some(Value::String(to)) = map.get("$ref") {
                        found.push(to.clone());
                    }
                    map.values().for_each(|value| references(value, found));
                }
                Value::Array(items) => items.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        references(&DOCUMENT, &mut found);
        assert!(found.len() > 50, "{}", found.len());
        for to in found {
            let pointer = to.strip_prefix('#').unwrap();
            assert!(DOCUMENT.pointer(pointer).is_some(), "{to}");
        }
        let mut ids = Vec::new();
        for item in DOCUMENT["paths"].as_object().unwrap().values() {
            for described in item.as_object().unwrap().values() {
                ids.extend(described.get("operationId").map(Value::to_string));
            }
        }
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }
}
