//! Documents for other services: anybody may keep them for a while and ask again by tag.

use std::io::Cursor;

use rocket::{
    Request, Response,
    http::{ContentType, Header, Status},
    response::{self, Responder},
};
use sha2::{Digest, Sha256};

#[derive(Debug)]
pub struct Published {
    pub content_type: ContentType,
    pub body: String,
    /// Seconds; `None`: it is for this caller alone.
    pub keep: Option<u32>,
}

impl<'r> Responder<'r, 'static> for Published {
    fn respond_to(self, req: &'r Request<'_>) -> response::Result<'static> {
        let keep = self.keep.map_or_else(
            || "no-store".to_owned(),
            |seconds| format!("public, max-age={seconds}"),
        );
        let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&self.body)[..8]));
        let mut response = Response::build();
        response
            .header(Header::new("Cache-Control", keep))
            // Keys, addresses and bits are no secret: scripts of other origins may read them.
            .header(Header::new("Access-Control-Allow-Origin", "*"))
            .header(Header::new("ETag", tag.clone()));
        if has_already(req, &tag) {
            return response.status(Status::NotModified).ok();
        }
        response
            .header(self.content_type)
            .sized_body(self.body.len(), Cursor::new(self.body))
            .ok()
    }
}

/// Whether the caller holds what this tag names (RFC 9110, 13.1.2).
fn has_already(req: &Request<'_>, tag: &str) -> bool {
    let mut given = req
        .headers()
        .get("If-None-Match")
        .flat_map(|line| line.split(','))
        .map(|one| one.trim().trim_start_matches("W/"));
    given.any(|one| one == tag || one == "*")
}
