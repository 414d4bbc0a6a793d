//! Who is at the other end: address, request id, user agent, and whether the way is encrypted.
//! Only addresses in `trusted_proxies` are believed about anybody but themselves.

use std::{convert::Infallible, net::IpAddr};

use rocket::{
    Request,
    http::uri::Host,
    request::{FromRequest, Outcome},
};

use crate::{
    app::App,
    config::SecureCookies,
    domain::actor::{Actor, Via},
    secret,
};

/// The client's address.
#[derive(Clone, Copy, Debug)]
pub struct ClientIp(pub IpAddr);

/// Names one request in logs, audit lines and error pages.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// What the browser calls itself; empty where it does not.
#[derive(Clone, Debug)]
pub struct UserAgent(pub String);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for UserAgent {
    type Error = Infallible;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Infallible> {
        Outcome::Success(Self(
            req.headers()
                .get_one("User-Agent")
                .unwrap_or_default()
                .to_owned(),
        ))
    }
}

/// The name by which the browser asked for this server, without its port.
#[derive(Clone, Debug)]
pub struct HostName(String);

impl HostName {
    pub fn is_loopback(&self) -> bool {
        self.0.eq_ignore_ascii_case("localhost")
            || self
                .0
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for HostName {
    type Error = Infallible;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Infallible> {
        // HTTP/2 has no such header, but an authority, which Rocket keeps.
        let header = req.headers().get_one("Host");
        let host = match (header.and_then(|text| Host::parse(text).ok()), req.host()) {
            (Some(host), _) => host.domain().as_str().to_owned(),
            (None, Some(host)) if header.is_none() => host.domain().as_str().to_owned(),
            _ => String::new(),
        };
        Outcome::Success(Self(host.trim_matches(['[', ']']).to_owned()))
    }
}

/// Where this server is, as the client knows it: `http://localhost:8000`. The client's word.
#[derive(Clone, Debug)]
pub struct Origin(pub String);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Origin {
    type Error = Infallible;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Infallible> {
        let scheme = if is_encrypted(req) { "https" } else { "http" };
        let host = req
            .host()
            .map_or_else(|| "localhost".to_owned(), ToString::to_string);
        Outcome::Success(Self(format!("{scheme}://{host}")))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for ClientIp {
    type Error = Infallible;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Infallible> {
        Outcome::Success(Self(address(req)))
    }
}

/// The peer, or where the peer is a trusted proxy, the last address in `X-Forwarded-For` that is
/// not one: everything left of it anybody could have written.
pub fn address(req: &Request<'_>) -> IpAddr {
    let peer = peer(req);
    if !is_trusted(req, peer) {
        return peer;
    }
    let forwarded: Vec<&str> = req
        .headers()
        .get("X-Forwarded-For")
        .flat_map(|line| line.split(','))
        .collect();
    let mut nearest = peer;
    for part in forwarded.iter().rev() {
        // A proxy may add a port to an IPv4 address.
        let part = part.trim();
        let parsed = part
            .parse()
            .or_else(|_| part.parse().map(|a: std::net::SocketAddr| a.ip()));
        let Ok(address) = parsed.map(|a: IpAddr| a.to_canonical()) else {
            break;
        };
        nearest = address;
        if !is_trusted(req, address) {
            break;
        }
    }
    nearest
}

fn peer(req: &Request<'_>) -> IpAddr {
    req.remote().map_or(IpAddr::from([127, 0, 0, 1]), |remote| {
        remote.ip().to_canonical()
    })
}

fn is_trusted(req: &Request<'_>, address: IpAddr) -> bool {
    App::of(req)
        .config
        .trusted_proxies
        .iter()
        .any(|net| net.contains(&address))
}

/// What a trusted proxy says about the request that it judges; everybody else's word is not heard.
pub fn forwarded<'r>(req: &'r Request<'_>, name: &'r str) -> impl Iterator<Item = &'r str> {
    let heard = is_trusted(req, peer(req));
    req.headers().get(name).filter(move |_| heard)
}

/// Whether the request came by TLS, here or at a trusted proxy.
pub fn is_encrypted(req: &Request<'_>) -> bool {
    let at_proxy = || {
        is_trusted(req, peer(req))
            && req
                .headers()
                .get_one("X-Forwarded-Proto")
                .is_some_and(|p| p.eq_ignore_ascii_case("https"))
    };
    req.rocket().config().tls_enabled() || at_proxy()
}

/// Whether cookies of this answer carry `Secure`.
pub fn secure_cookies(req: &Request<'_>) -> bool {
    match App::of(req).config.secure_cookies {
        SecureCookies::Auto => is_encrypted(req),
        SecureCookies::Always => true,
        SecureCookies::Never => false,
    }
}

/// Drawn once a request; a trusted proxy may bring its own.
pub fn request_id<'r>(req: &'r Request<'_>) -> &'r str {
    let RequestId(id) = req.local_cache(|| {
        let given = req.headers().get_one("X-Request-Id").filter(|id| {
            is_trusted(req, peer(req))
                && (8..=64).contains(&id.len())
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
        // Without randomness an id is missing; that is no reason to refuse the request.
        let drawn = || secret::random::<8>().map(hex::encode).unwrap_or_default();
        RequestId(given.map_or_else(drawn, str::to_owned))
    });
    id
}

/// Somebody at this end of the wire who has not signed in.
pub fn anonymous(req: &Request<'_>, via: Via) -> Actor {
    Actor::anonymous(via, Some(address(req)), Some(request_id(req).to_owned()))
}

/// `anonymous` as a guard, for handlers that sign people in.
#[rocket::async_trait]
impl<'r> FromRequest<'r> for Actor {
    type Error = Infallible;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Infallible> {
        let via = if crate::web::api::endpoints::of(req).is_some() {
            Via::Api
        } else {
            Via::Web
        };
        Outcome::Success(anonymous(req, via))
    }
}
