//! Bodies: JSON, form and multipart, read whole or not at all, and the fields in them, judged as
//! Django REST framework's serializers judge them.

use multer::{Constraints, Multipart, SizeLimit};
use rocket::{
    Data, Request,
    data::{FromData, Outcome, ToByteUnit},
    futures::stream,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    error::{Error, FieldErrors, Result},
    secret::Password,
    web::{
        error::{Rejected, reject_data},
        json,
    },
};

/// Bytes; Django's `DATA_UPLOAD_MAX_MEMORY_SIZE`.
const MAX_BYTES: u64 = 2_621_440;
/// Django's `DATA_UPLOAD_MAX_NUMBER_FIELDS`.
const MAX_FIELDS: usize = 1000;

/// One field of a form.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Part {
    Text(String),
    /// A file: its name, and what is in it.
    File(String, Vec<u8>),
}

impl Part {
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::File(..) => None,
        }
    }

    pub fn file(&self) -> Option<(&str, &[u8])> {
        match self {
            Self::Text(_) => None,
            Self::File(name, bytes) => Some((name, bytes)),
        }
    }
}

/// The fields of an API request's body. The last guard of a signature: it is judged last.
#[derive(Debug)]
pub struct Body {
    fields: Map<String, Value>,
}

#[rocket::async_trait]
impl<'r> FromData<'r> for Body {
    type Error = Rejected;

    async fn from_data(req: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        match parse(req, data).await {
            Ok(fields) => Outcome::Success(Self { fields }),
            Err(e) => reject_data(req, e),
        }
    }
}

async fn parse(req: &Request<'_>, data: Data<'_>) -> Result<Map<String, Value>> {
    let bytes = read(data).await?;
    let media = Media::of(req);
    match media {
        _ if bytes.is_empty() => Ok(Map::new()),
        Media::Json => dictionary(json::parse(&bytes)?),
        Media::Form | Media::Multipart(_) => {
            let parts = parts(&media, bytes).await?;
            let value = |part| match part {
                Part::Text(text) => Value::String(text),
                // As a file is to Django: there, and not a string.
                Part::File(..) => Value::Bool(true),
            };
            Ok(parts
                .into_iter()
                .map(|(name, part)| (name, value(part)))
                .collect())
        }
        Media::Other(given) => Err(Error::UnsupportedMediaType(given)),
    }
}

/// The fields of a browser's form, repeated ones and all.
pub async fn form(req: &Request<'_>, data: Data<'_>) -> Result<Vec<(String, Part)>> {
    let bytes = read(data).await?;
    match Media::of(req) {
        Media::Json => Err(Error::UnsupportedMediaType("application/json".to_owned())),
        Media::Other(_) if bytes.is_empty() => Ok(Vec::new()),
        Media::Other(given) => Err(Error::UnsupportedMediaType(given)),
        media => parts(&media, bytes).await,
    }
}

enum Media {
    Json,
    Form,
    Multipart(Option<String>),
    Other(String),
}

impl Media {
    fn of(req: &Request<'_>) -> Self {
        let header = req.headers().get_one("Content-Type").unwrap_or_default();
        let essence = header
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match essence.as_str() {
            "application/json" => Self::Json,
            "application/x-www-form-urlencoded" => Self::Form,
            "multipart/form-data" => Self::Multipart(multer::parse_boundary(header).ok()),
            _ => Self::Other(header.to_owned()),
        }
    }
}

/// Everything or `TooLarge`: a cut body is never taken for a whole one.
async fn read(data: Data<'_>) -> Result<Vec<u8>> {
    let bytes = data
        .open(MAX_BYTES.bytes())
        .into_bytes()
        .await
        .map_err(|_| Error::Parse("The body ended too soon.".to_owned()))?;
    if bytes.is_complete() {
        Ok(bytes.into_inner())
    } else {
        Err(Error::TooLarge)
    }
}

async fn parts(media: &Media, bytes: Vec<u8>) -> Result<Vec<(String, Part)>> {
    let parts = match media {
        Media::Multipart(None) => {
            return Err(Error::Parse(
                "Multipart form parse error - Invalid boundary in multipart: None".to_owned(),
            ));
        }
        Media::Multipart(Some(boundary)) => multipart(bytes, boundary)
            .await
            .map_err(|e| Error::Parse(format!("Multipart form parse error - {e}")))?,
        _ => form_urlencoded::parse(&bytes)
            .take(MAX_FIELDS + 1)
            .map(|(name, value)| (name.into_owned(), Part::Text(value.into_owned())))
            .collect(),
    };
    if parts.len() > MAX_FIELDS {
        Err(Error::TooLarge)
    } else {
        Ok(parts)
    }
}

async fn multipart(bytes: Vec<u8>, boundary: &str) -> multer::Result<Vec<(String, Part)>> {
    let whole = stream::once(async move { Ok::<_, std::io::Error>(bytes) });
    let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(MAX_BYTES));
    let mut multipart = Multipart::with_constraints(whole, boundary, limits);
    let mut parts = Vec::new();
    while let Some(field) = multipart.next_field().await? {
        let Some(name) = field.name().map(str::to_owned) else {
            continue;
        };
        if let Some(file) = field.file_name().map(str::to_owned) {
            let bytes = field.bytes().await?;
            parts.push((name, Part::File(file, bytes.to_vec())));
        } else {
            let bytes = field.bytes().await?;
            parts.push((
                name,
                Part::Text(String::from_utf8_lossy(&bytes).into_owned()),
            ));
        }
        if parts.len() > MAX_FIELDS {
            break;
        }
    }
    Ok(parts)
}

fn dictionary(value: Value) -> Result<Map<String, Value>> {
    let kind = match value {
        Value::Object(fields) => return Ok(fields),
        Value::Null => return Err(Error::field("non_field_errors", "No data provided")),
        Value::Array(_) => "list",
        Value::String(_) => "str",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float",
        Value::Number(_) => "int",
    };
    let text = format!("Invalid data. Expected a dictionary, but got {kind}.");
    Err(Error::field("non_field_errors", text))
}

impl Body {
    pub fn from_fields(fields: Map<String, Value>) -> Self {
        Self { fields }
    }

    /// Reads fields one after the other; all complaints come together in `finish`.
    pub fn reader(&self) -> Reader<'_> {
        Reader {
            fields: &self.fields,
            errors: FieldErrors::default(),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// The field's text whatever its case, for the one address that minds none.
    pub fn any_case(&self, name: &str) -> Option<&Value> {
        self.fields
            .iter()
            .rev()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, v)| v)
    }
}

#[derive(Debug)]
pub struct Reader<'a> {
    fields: &'a Map<String, Value>,
    errors: FieldErrors,
}

impl Reader<'_> {
    /// A `CharField`: required, trimmed, not blank.
    pub fn text(&mut self, name: &'static str) -> String {
        self.chars(name)
            .map(|text| text.trim().to_owned())
            .unwrap_or_default()
    }

    /// As `text`, but not a byte of it is changed.
    pub fn password(&mut self, name: &'static str) -> Password {
        Password::new(self.chars(name).unwrap_or_default())
    }

    /// As `text`, but it may be missing.
    pub fn optional_text(&mut self, name: &'static str) -> Option<String> {
        self.fields.contains_key(name).then(|| self.text(name))
    }

    /// As `integer`, but it may be missing or null.
    pub fn optional_integer(&mut self, name: &'static str) -> Option<i64> {
        let there = self.fields.get(name).is_some_and(|value| !value.is_null());
        there.then(|| self.integer(name))
    }

    /// Words: a list of texts, or one text with blanks between. `None` where there are none.
    pub fn words(&mut self, name: &'static str) -> Option<String> {
        match self.fields.get(name)? {
            Value::Array(items) => {
                let words: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
                if words.is_none() {
                    self.errors.push(name, "Not a valid string.");
                }
                Some(words.unwrap_or_default().join(" "))
            }
            _ => Some(self.text(name)),
        }
    }

    /// An `IntegerField`.
    pub fn integer(&mut self, name: &'static str) -> i64 {
        let invalid = "A valid integer is required.";
        let parsed = match self.fields.get(name) {
            None => Err("This field is required."),
            Some(Value::Null) => Err("This field may not be null."),
            Some(Value::Number(n)) => whole(&n.to_string()).ok_or(invalid),
            Some(Value::String(text)) if text.chars().count() > 1000 => {
                Err("String value too large.")
            }
            Some(Value::String(text)) => whole(text.trim()).ok_or(invalid),
            Some(_) => Err(invalid),
        };
        parsed.unwrap_or_else(|message| {
            self.errors.push(name, message);
            0
        })
    }

    pub fn complain(&mut self, name: &'static str, message: impl Into<String>) {
        self.errors.push(name, message);
    }

    pub fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    pub fn finish(self) -> Result<()> {
        self.errors.into_result(|| ())
    }

    fn chars(&mut self, name: &'static str) -> Option<String> {
        match self.fields.get(name).map(text_of) {
            None => self.errors.push(name, "This field is required."),
            Some(Err(message)) => self.errors.push(name, message),
            Some(Ok(text)) if text.trim().is_empty() => {
                self.errors.push(name, "This field may not be blank.");
            }
            Some(Ok(text)) if text.contains('\0') => {
                self.errors.push(name, "Null characters are not allowed.");
            }
            Some(Ok(text)) => return Some(text),
        }
        None
    }
}

/// Numbers are taken as text, other things are not.
pub fn text_of(value: &Value) -> Result<String, &'static str> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(n) => Ok(json::python_number(n)),
        Value::Null => Err("This field may not be null."),
        _ => Err("Not a valid string."),
    }
}

/// `12`, `-3`, `4.0`: what Django takes for an integer; beyond `i64` it saturates.
fn whole(text: &str) -> Option<i64> {
    let digits = match text.split_once('.') {
        Some((digits, zeros)) if zeros.bytes().all(|b| b == b'0') => digits,
        Some(_) => return None,
        None => text,
    };
    let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    if unsigned.is_empty() || !unsigned.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let limit = if digits.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    };
    Some(digits.parse().unwrap_or(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_what_django_takes() {
        for (text, number) in [("12", 12), ("-3", -3), ("+4", 4), ("4.0", 4), ("007", 7)] {
            assert_eq!(whole(text), Some(number), "{text}");
        }
        assert_eq!(whole("99999999999999999999"), Some(i64::MAX));
        for text in ["", "-", "1.5", "1e3", "x", "1 2", "--1"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }
}
