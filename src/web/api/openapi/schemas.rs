//! The shapes of answers, derived from the structs that they are written from; by hand only those
//! of failures and of documents that other standards describe.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::web::{
    api::{generate_token, jwt, oauth, register, students, token, tokens},
    health::Readiness,
};

/// Everything under `#/components/schemas`.
pub fn components() -> Value {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    let mut schemas: Map<String, Value> = Map::new();
    add::<register::PairResponse>(&mut generator, &mut schemas, "TokenPair");
    add::<students::StudentList>(&mut generator, &mut schemas, "StudentList");
    add::<students::StudentResponse>(&mut generator, &mut schemas, "Student");
    add::<generate_token::TokenResponse>(&mut generator, &mut schemas, "SignedData");
    add::<token::Envelope>(&mut generator, &mut schemas, "TokenEnvelope");
    add::<token::AuthToken>(&mut generator, &mut schemas, "AuthToken");
    add::<jwt::RefreshResponse>(&mut generator, &mut schemas, "Refreshed");
    add::<jwt::Empty>(&mut generator, &mut schemas, "Empty");
    add::<tokens::TokenResponse>(&mut generator, &mut schemas, "ApiToken");
    add::<oauth::IntrospectionResponse>(&mut generator, &mut schemas, "Introspection");
    add::<Readiness>(&mut generator, &mut schemas, "Readiness");
    // What those are made of.
    for (name, schema) in generator.take_definitions(true) {
        schemas.entry(name).or_insert(schema);
    }
    if let Value::Object(others) = by_hand() {
        schemas.extend(others);
    }
    schemas.into()
}

fn add<T: JsonSchema>(
    generator: &mut SchemaGenerator,
    schemas: &mut Map<String, Value>,
    name: &str,
) {
    let mut schema: Schema = T::json_schema(generator);
    schema.remove("title");
    schemas.insert(name.to_owned(), schema.to_value());
}

fn by_hand() -> Value {
    let text = json!({"type": "string"});
    let messages = json!({"type": "array", "items": {"type": "string"}});
    let fields = json!({"type": "object", "additionalProperties": messages});
    let object = |about: &str| json!({"type": "object", "description": about});
    json!({
        "TokenList": {"type": "array", "items": {"$ref": "#/components/schemas/ApiToken"}},
        "Failure": {
            "type": "object",
            "required": ["detail"],
            "properties": {
                "detail": {"type": "string", "description": "What is wrong, in words."},
                "code": {"type": "string", "description": "For JWTs, as SimpleJWT names it."},
                "messages": {
                    "type": "array",
                    "description": "For an access token, what each reading of it said.",
                    "items": {
                        "type": "object",
                        "properties": {"token_class": text, "token_type": text, "message": text},
                    },
                },
            },
        },
        "Refused": {
            "description": "`detail` for a body that cannot be read, else messages a field; `non_field_errors` speaks of the whole.",
            "anyOf": [{"$ref": "#/components/schemas/Failure"}, fields],
        },
        "RefusedEnvelope": {
            "anyOf": [
                {
                    "type": "object",
                    "required": ["status", "message", "data"],
                    "properties": {"status": {"const": false}, "message": text, "data": fields},
                },
                {"$ref": "#/components/schemas/Failure"},
            ],
        },
        "RefusedLogin": {
            "anyOf": [
                {
                    "type": "object",
                    "required": ["status", "message", "data"],
                    "properties": {"status": {"const": false}, "message": text, "data": {"type": "object"}},
                },
                {"$ref": "#/components/schemas/Failure"},
            ],
        },
        "RefusedData": {"type": "object", "description": "Which of the three is missing or refused."},
        "OAuthError": {
            "type": "object",
            "required": ["error", "error_description"],
            "properties": {"error": text, "error_description": text},
        },
        "Jwks": {
            "type": "object",
            "required": ["keys"],
            "properties": {"keys": {"type": "array", "items": object("A public key (RFC 7517).")}},
        },
        "Metadata": {
            "type": "object",
            "required": ["issuer", "token_endpoint"],
            "properties": {"issuer": text, "token_endpoint": text},
        },
        "StatusLists": {
            "type": "object",
            "required": ["status_lists"],
            "properties": {"status_lists": {"type": "array", "items": text}},
        },
        "Document": object("An OpenAPI document."),
    })
}
