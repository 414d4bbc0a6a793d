//! Static files. The address carries a hash of what it names, so that browsers keep a file for
//! ever and ask again when it changed. In debug builds the files are read from disk each time.

use std::{
    collections::{BTreeMap, HashMap},
    io::{Cursor, Write},
    sync::{Arc, LazyLock, OnceLock},
};

use flate2::{Compression, write::GzEncoder};
use rocket::{
    Request, Response, Route, get,
    http::Status,
    request::{FromRequest, Outcome},
    response::{self, Responder},
    routes,
};
use sha2::{Digest, Sha256};

#[derive(rust_embed::Embed)]
#[folder = "static/"]
struct Files;

/// The stylesheet names the font by its plain name; the browser is given the hashed one.
const FONT: &str = "inter-latin.woff2";

/// A file as it is sent.
#[derive(Debug)]
pub struct Asset {
    content_type: &'static str,
    hash: String,
    body: Vec<u8>,
    /// Only of text, where it pays.
    gzip: Option<Vec<u8>>,
}

/// Each is read and compressed when it is first asked for: some are large and seldom wanted.
static EMBEDDED: LazyLock<HashMap<String, OnceLock<Option<Arc<Asset>>>>> = LazyLock::new(|| {
    Files::iter()
        .map(|name| (name.to_string(), OnceLock::new()))
        .collect()
});

fn load(name: &str) -> Option<Arc<Asset>> {
    if cfg!(debug_assertions) {
        read(name).map(Arc::new)
    } else {
        let file = EMBEDDED.get(name)?;
        file.get_or_init(|| read(name).map(Arc::new)).clone()
    }
}

fn read(name: &str) -> Option<Asset> {
    let mut body = Files::get(name)?.data.into_owned();
    if let Ok(text) = std::str::from_utf8(&body) {
        let (stem, kind) = name.rsplit_once('.')?;
        let own = match kind {
            _ if stem.starts_with("swagger-ui") => None,
            "css" => Some(without_comments(text).replace(FONT, &hashed(FONT, &read(FONT)?.hash))),
            "js" => Some(without_own_lines(text)),
            _ => None,
        };
        // What few pages need is sent with what all need, in one file: a page asks for one of either.
        body = match own {
            Some(own) if stem == "app" || stem.starts_with("swagger") => own.into_bytes(),
            Some(own) => [
                read(&format!("app.{kind}"))?.body,
                b"\n".to_vec(),
                own.into_bytes(),
            ]
            .concat(),
            None => body,
        };
    }
    let (content_type, is_text) = match name.rsplit('.').next()? {
        "css" => ("text/css; charset=utf-8", true),
        "js" => ("text/javascript; charset=utf-8", true),
        "svg" => ("image/svg+xml", true),
        "woff2" => ("font/woff2", false),
        "txt" | "md" => ("text/plain; charset=utf-8", true),
        _ => return None,
    };
    let hash = hex::encode(&Sha256::digest(&body)[..4]);
    let gzip = if is_text { compress(&body) } else { None };
    Some(Asset {
        content_type,
        hash,
        body,
        gzip,
    })
}

/// What only people read of a stylesheet is left out: comments, indentation, blanks, ends of lines.
fn without_comments(css: &str) -> String {
    let mut parts = css.split("/*");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.split_once("*/").map_or("", |(_, rest)| rest));
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.collect::<Vec<_>>().join("\n");
    // Blanks that separate nothing. None of these stands in a text between quotes.
    [
        ("{ ", "{"),
        (" {", "{"),
        (" }", "}"),
        ("; ", ";"),
        (": ", ":"),
        (", ", ","),
        (" > ", ">"),
        ("{\n", "{"),
        (";\n", ";"),
        ("}\n", "}"),
        (";}", "}"),
    ]
    .iter()
    .fold(lines, |css, (long, short)| css.replace(long, short))
}

/// Of the script: indentation, and comments that begin a line. It has no text of several lines.
fn without_own_lines(script: &str) -> String {
    let mut told = false;
    let code = script.lines().map(str::trim).filter(|line| {
        let is_comment = told || line.starts_with("/*") || line.starts_with("//");
        told = is_comment && !line.starts_with("//") && !line.ends_with("*/");
        !is_comment && !line.is_empty()
    });
    code.collect::<Vec<_>>().join("\n")
}

fn compress(body: &[u8]) -> Option<Vec<u8>> {
    let level = if cfg!(debug_assertions) {
        Compression::fast()
    } else {
        Compression::best()
    };
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

fn hashed(name: &str, hash: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}.{hash}.{extension}"),
        None => name.to_owned(),
    }
}

/// The address of a file; `None` if there is no such file.
pub fn url(name: &str) -> Option<String> {
    Some(format!("/static/{}", hashed(name, &load(name)?.hash)))
}

/// `app.1a2b3c4d.css` to `app.css` and the hash.
fn parse(file: &str) -> (String, Option<&str>) {
    let mut parts = file.rsplitn(3, '.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(extension), Some(hash), Some(stem))
            if hash.len() == 8 && hash.bytes().all(|b| b.is_ascii_hexdigit()) =>
        {
            (format!("{stem}.{extension}"), Some(hash))
        }
        _ => (file.to_owned(), None),
    }
}

/// Whether the client takes gzip.
pub struct TakesGzip(bool);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for TakesGzip {
    type Error = std::convert::Infallible;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        Outcome::Success(Self(takes_gzip(req)))
    }
}

pub fn takes_gzip(req: &Request<'_>) -> bool {
    req.headers()
        .get("Accept-Encoding")
        .flat_map(|v| v.split(','))
        .any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            parts.next().is_some_and(|c| c.eq_ignore_ascii_case("gzip"))
                && !parts.any(|p| matches!(p, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
}

/// A file on its way out.
pub struct Sent {
    asset: Arc<Asset>,
    immutable: bool,
    gzip: bool,
}

impl<'r> Responder<'r, 'static> for Sent {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Response::build();
        response
            .status(Status::Ok)
            .raw_header("Content-Type", self.asset.content_type);
        response.raw_header(
            "Cache-Control",
            if self.immutable {
                "public, max-age=31536000, immutable"
            } else {
                "no-cache"
            },
        );
        if self.asset.gzip.is_some() {
            response.raw_header("Vary", "Accept-Encoding");
        }
        let body = match &self.asset.gzip {
            Some(gzip) if self.gzip => {
                response.raw_header("Content-Encoding", "gzip");
                gzip.clone()
            }
            _ => self.asset.body.clone(),
        };
        response.sized_body(body.len(), Cursor::new(body)).ok()
    }
}

#[get("/<file>")]
fn file(file: &str, gzip: TakesGzip) -> Option<Sent> {
    let (name, hash) = parse(file);
    let asset = load(&name)?;
    // A hash of an older release still gets the file, only not for ever.
    let immutable = hash.is_some_and(|h| h == asset.hash);
    Some(Sent {
        asset,
        immutable,
        gzip: gzip.0,
    })
}

/// Browsers ask for it whatever the page says.
#[get("/favicon.ico")]
pub fn favicon(gzip: TakesGzip) -> Option<Sent> {
    Some(Sent {
        asset: load("icon.svg")?,
        immutable: false,
        gzip: gzip.0,
    })
}

/// Mounted on `/static`.
pub fn routes() -> Vec<Route> {
    routes![file]
}

/// Name and address of every file, for tests and for the curious.
pub fn all() -> BTreeMap<String, String> {
    Files::iter()
        .filter_map(|name| Some((name.to_string(), url(&name)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_carries_the_hash_of_what_it_names() {
        let url = url("app.css").unwrap();
        let (name, hash) = parse(url.strip_prefix("/static/").unwrap());
        assert_eq!(name, "app.css");
        assert_eq!(hash, Some(load("app.css").unwrap().hash.as_str()));
        assert_eq!(
            parse("inter-latin.woff2"),
            ("inter-latin.woff2".to_owned(), None)
        );
    }

    #[test]
    fn the_stylesheet_asks_for_the_hashed_font() {
        let css = String::from_utf8(read("app.css").unwrap().body).unwrap();
        assert!(css.contains(url(FONT).unwrap().strip_prefix("/static/").unwrap()));
        assert!(!css.contains(FONT));
        assert!(!css.contains("/*") && !css.contains("\n "), "{css}");
    }

    #[test]
    fn a_stylesheet_is_sent_without_what_only_people_read() {
        assert_eq!(
            without_comments(
                "/* one */\na > b,\nc d {\n  e: f + g;\n  &:hover { h: i; }\n}\n\nj { k: l; }\n"
            ),
            "a>b,\nc d{e:f + g;&:hover{h:i}}j{k:l}"
        );
    }

    #[test]
    fn the_script_is_sent_without_what_it_says_to_people() {
        let script = "/* one\n   two */\n(() => {\n  // three\n  /* four */\n  go(\"/* five */\");\n\n})();\n";
        assert_eq!(
            without_own_lines(script),
            "(() => {\ngo(\"/* five */\");\n})();"
        );
        let sent = String::from_utf8(read("app.js").unwrap().body).unwrap();
        assert!(sent.starts_with("(() => {") && sent.ends_with("})();"));
    }

    #[test]
    fn the_binary_holds_what_the_folder_holds() {
        assert_eq!(EMBEDDED.len(), Files::iter().count());
        let script = load("app.js").unwrap();
        assert!(script.gzip.as_ref().unwrap().len() < script.body.len());
        assert!(load(FONT).unwrap().gzip.is_none());
    }

    #[test]
    fn unknown_files_have_no_address() {
        assert_eq!(url("../Cargo.toml"), None);
        assert_eq!(url("nothing.css"), None);
    }
}
