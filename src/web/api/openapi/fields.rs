//! What goes in: fields of bodies and queries, as the readers of `web/body.rs` judge them. What a
//! field means stands in the table of operations.

use serde_json::{Map, Value, json};

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Not blank, without NUL; at most so many characters where a limit is given. A number counts as
    /// its text, as in Django REST framework.
    Text(Option<u32>),
    Password,
    Username,
    /// Between the two, both included.
    Integer(i64, i64),
    /// A list of words, or one text with blanks between.
    Words,
    /// `true` or `false`.
    Flag,
    /// Taken and not looked at.
    Ignored,
}

#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
    pub about: &'static str,
    pub example: &'static str,
}

pub const fn field(
    name: &'static str,
    kind: Kind,
    example: &'static str,
    about: &'static str,
) -> Field {
    Field {
        name,
        kind,
        required: true,
        about,
        example,
    }
}

impl Field {
    pub const fn optional(self) -> Self {
        Self {
            required: false,
            ..self
        }
    }

    /// As JSON Schema.
    fn schema(&self) -> Value {
        let mut schema = match self.kind {
            Kind::Text(limit) => {
                let mut schema = json!({"type": ["string", "number"], "pattern": NOT_BLANK});
                if let Some(limit) = limit {
                    schema["maxLength"] = limit.into();
                }
                schema
            }
            Kind::Password => json!({
                "type": ["string", "number"],
                "format": "password",
                "pattern": NOT_BLANK,
                "writeOnly": true,
            }),
            Kind::Username => json!({
                "type": ["string", "number"],
                "pattern": r"^[A-Za-z0-9_.@+-]+$",
                "maxLength": 150,
            }),
            Kind::Integer(least, most) => json!({
                "anyOf": [
                    {"type": "integer", "minimum": least, "maximum": most},
                    {"type": "string", "pattern": r"^[0-9]{1,5}$"},
                ],
            }),
            Kind::Words => json!({
                "anyOf": [
                    {"type": "array", "items": {"type": "string"}},
                    {"type": "string", "pattern": NOT_BLANK},
                ],
            }),
            Kind::Ignored => json!({}),
            Kind::Flag => json!({"type": "string", "enum": ["true", "false"]}),
        };
        if let (Kind::Integer(..), false) = (self.kind, self.required)
            && let Some(Value::Array(ways)) = schema.get_mut("anyOf")
        {
            ways.push(json!({"type": "null"}));
        }
        schema["description"] = self.about.into();
        schema["examples"] = json!([self.example()]);
        schema
    }

    fn example(&self) -> Value {
        match self.kind {
            Kind::Integer(..) => self.example.parse::<i64>().map_or(Value::Null, Value::from),
            Kind::Words => self.example.split(' ').collect(),
            _ => self.example.into(),
        }
    }

    pub fn parameter(&self) -> Value {
        json!({
            "name": self.name,
            "in": "query",
            "required": self.required,
            "description": self.about,
            "schema": self.schema(),
        })
    }
}

/// At least one character that is no blank, and no NUL, which no text may hold.
const NOT_BLANK: &str = r"^[^\u0000]*[^\s\u0000][^\u0000]*$";

/// The object of these fields.
pub fn object(fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| (field.name.to_owned(), field.schema()))
        .collect();
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name)
        .collect();
    let mut object = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

/// The body made of them: one example, filled in.
pub fn example(fields: &[Field]) -> Value {
    fields
        .iter()
        .map(|field| (field.name.to_owned(), field.example()))
        .collect::<Map<_, _>>()
        .into()
}
