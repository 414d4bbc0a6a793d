//! Pages go out compressed, to the browser that asked for them itself. (Static files are compressed once, in
//! `assets`; the API's answers are not.)
//!
//! Whoever can make a browser send requests and sees how long the answers are can guess what stands in them,
//! once they are compressed beside something of their choice (BREACH). Hence the two rules: a page that another
//! site made the browser ask for goes out as it is, and so does every page that shows a secret.

use std::io::{Cursor, Write};

use flate2::{Compression, write::GzEncoder};
use rocket::{
    Request, Response,
    fairing::{Fairing, Info, Kind},
};

use crate::web::assets::takes_gzip;

/// Below this the headers cost what it saves.
const WORTH_IT: usize = 1024;

/// Left by a page that shows a secret.
struct Secret(bool);

/// Whatever answers this request shows a secret.
pub fn never(req: &Request<'_>) {
    req.local_cache(|| Secret(true));
}

#[derive(Debug)]
pub struct Compress;

#[rocket::async_trait]
impl Fairing for Compress {
    fn info(&self) -> Info {
        Info {
            name: "compression",
            kind: Kind::Response,
        }
    }

    async fn on_response<'r>(&self, req: &'r Request<'_>, res: &mut Response<'r>) {
        let is_page = res.content_type().is_some_and(|ct| ct.is_html());
        if !is_page || req.local_cache(|| Secret(false)).0 {
            return;
        }
        if !takes_gzip(req) || !asked_here(req) {
            return;
        }
        let Ok(page) = res.body_mut().to_bytes().await else {
            return;
        };
        let smaller = if page.len() < WORTH_IT {
            None
        } else {
            gzip(&page)
        };
        let body = match smaller {
            Some(smaller) => {
                res.set_raw_header("Content-Encoding", "gzip");
                smaller
            }
            None => page,
        };
        res.set_sized_body(body.len(), Cursor::new(body));
    }
}

/// The person typed the address or followed a link of ours. Browsers say so on every connection that is
/// encrypted, and no page can make them say it; who says nothing gets the page as it is.
fn asked_here(req: &Request<'_>) -> bool {
    let site = req.headers().get_one("Sec-Fetch-Site");
    matches!(site, Some("same-origin" | "none"))
}

fn gzip(page: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(page.len() / 4), Compression::new(4));
    encoder.write_all(page).ok()?;
    encoder.finish().ok()
}
