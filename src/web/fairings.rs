//! What happens to every request and every answer: `_method` is undone, headers that protect are
//! added, one line is logged.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use rocket::{
    Data, Request, Response,
    fairing::{Fairing, Info, Kind},
    form::Form,
    http::{Header, Method},
};

use crate::{
    app::App,
    web::{api::endpoints, guards::client},
};

/// Everything from our own address, nothing inline, nothing from elsewhere.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                   font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
                   frame-ancestors 'none'";

/// Rocket turns a form that begins with `_method=delete` into a DELETE. Nothing here uses that, and
/// a form must not choose its method: such a request is the POST that it came as.
#[derive(Debug)]
pub struct MethodAsSent;

#[rocket::async_trait]
impl Fairing for MethodAsSent {
    fn info(&self) -> Info {
        Info {
            name: "method as sent",
            kind: Kind::Request,
        }
    }

    async fn on_request(&self, req: &mut Request<'_>, data: &mut Data<'_>) {
        if req.method() == Method::Post || !req.content_type().is_some_and(|ct| ct.is_form()) {
            return;
        }
        // As Rocket does: the first field of so many bytes of the body. Where it names the present
        // method, Rocket has just set it. (Somebody's real PUT with the body `_method=put` becomes a
        // POST, too, and is refused; nobody sends that.)
        let start = data.peek("_method=delete".len()).await;
        let first = std::str::from_utf8(start)
            .ok()
            .and_then(|text| Form::values(text).next());
        let named = first
            .filter(|field| field.name == "_method")
            .and_then(|field| field.value.parse().ok());
        if named == Some(req.method()) {
            req.set_method(Method::Post);
        }
    }
}

/// Headers of every answer (OWASP Secure Headers), and what clients of the API expect besides.
#[derive(Debug)]
pub struct Headers;

#[rocket::async_trait]
impl Fairing for Headers {
    fn info(&self) -> Info {
        Info {
            name: "headers",
            kind: Kind::Response,
        }
    }

    async fn on_response<'r>(&self, req: &'r Request<'_>, res: &mut Response<'r>) {
        res.set_header(Header::new("X-Content-Type-Options", "nosniff"));
        res.set_header(Header::new("X-Frame-Options", "DENY"));
        // A page whose own address is a secret says more.
        if !res.headers().contains("Referrer-Policy") {
            res.set_header(Header::new("Referrer-Policy", "same-origin"));
        }
        res.set_header(Header::new("Cross-Origin-Opener-Policy", "same-origin"));
        res.set_header(Header::new("Content-Security-Policy", CSP));
        res.set_raw_header("X-Request-Id", client::request_id(req).to_owned());
        // A proxy that keeps connections open for later shall not find one closed when it sends a POST.
        if App::of(req).stopping.load(Ordering::SeqCst) {
            res.set_raw_header("Connection", "close");
        }
        if let Some(endpoint) = endpoints::of(req) {
            res.set_raw_header("Allow", endpoint.allow());
            res.set_raw_header("Vary", endpoint.vary);
        } else if res.content_type().is_some_and(|ct| ct.is_html()) {
            // Pages differ by who is signed in: no shared cache keeps them.
            res.set_raw_header("Vary", "Accept, Accept-Encoding, Cookie, Sec-Fetch-Site");
            if res.headers().get_one("Cache-Control").is_none() {
                res.set_header(Header::new("Cache-Control", "private, no-cache"));
            }
        }
    }
}

/// One line a request, and one count: route, not path, so that nothing typed into an address is written down.
#[derive(Debug)]
pub struct AccessLog;

struct Started(Instant);

#[rocket::async_trait]
impl Fairing for AccessLog {
    fn info(&self) -> Info {
        Info {
            name: "access log",
            kind: Kind::Request | Kind::Response,
        }
    }

    async fn on_request(&self, req: &mut Request<'_>, _: &mut Data<'_>) {
        req.local_cache(|| Started(Instant::now()));
    }

    async fn on_response<'r>(&self, req: &'r Request<'_>, res: &mut Response<'r>) {
        let Started(start) = req.local_cache(|| Started(Instant::now()));
        let took = start.elapsed();
        let method = req.method().as_str();
        let route = req.route().map_or("-", |route| route.uri.path());
        let status = res.status().code;
        let metrics = &App::of(req).metrics;
        metrics.request(method, route, status, took.as_secs_f64());
        if tracing::enabled!(tracing::Level::INFO) {
            tracing::info!(
                request.id = client::request_id(req),
                method,
                route,
                status,
                duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
                address = %client::address(req),
                "request"
            );
        }
    }
}

/// Requests under way: when the server is told to stop it waits for these, and for nothing else.
#[derive(Clone, Debug, Default)]
pub struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// That `on_request` has counted this one.
struct Counted(bool);

#[rocket::async_trait]
impl Fairing for UnderWay {
    fn info(&self) -> Info {
        Info {
            name: "under way",
            kind: Kind::Request | Kind::Response,
        }
    }

    async fn on_request(&self, req: &mut Request<'_>, _: &mut Data<'_>) {
        if req.local_cache(|| Counted(true)).0 {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    async fn on_response<'r>(&self, req: &'r Request<'_>, _: &mut Response<'r>) {
        if req.local_cache(|| Counted(false)).0 {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
}
