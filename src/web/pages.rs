//! What the error table needs of the HTML side: the error page, the way to the sign-in page, the
//! browser's view of an API answer.

use rocket::{
    Request, Response,
    futures::FutureExt,
    http::{Method, Status},
    response::{self, Responder},
};
use rocket_dyn_templates::Template;
use serde::Serialize;

use crate::{
    app::App,
    error::Error,
    web::{
        admin::lost,
        api::endpoints::{self, Endpoint},
        flash::Flash,
        guards::{
            UserSession, client,
            kept::{self, Kept},
            session,
        },
        negotiation,
        page::Page,
        site::{
            confirm, kept as go_on,
            login::{Door, Login},
        },
    },
};

#[derive(Serialize)]
struct ErrorPage<'a> {
    title: &'a str,
    status: u16,
    heading: &'a str,
    message: String,
    request_id: &'a str,
    theme: Option<&'a str>,
    ways: &'static [Way],
}

/// Where to go from here.
#[derive(Serialize)]
struct Way {
    href: &'static str,
    label: &'static str,
}

const HOME: &[Way] = &[Way {
    href: "/",
    label: "Go to the start page",
}];
const PANEL: &[Way] = &[Way {
    href: "/admin/",
    label: "Go to the dashboard",
}];
/// For somebody who is signed in and may not enter the panel. The first one offers to sign out.
const OUT: &[Way] = &[
    Way {
        href: "/admin/login/",
        label: "Use another account",
    },
    Way {
        href: "/dashboard/",
        label: "Your dashboard",
    },
];

/// For people: what happened and what to do.
pub fn error_page(req: &Request<'_>, status: Status, e: &Error) -> response::Result<'static> {
    let (heading, message) = words(req, e);
    if let Some(session) = staff(req).filter(|_| in_panel(req)) {
        let segments = endpoints::segments(req);
        let drawn = lost::page(req, session, &segments, status, (heading, &message));
        if let Some(response) = drawn {
            return Ok(response);
        }
    }
    let page = ErrorPage {
        title: heading,
        status: status.code,
        heading,
        message,
        request_id: client::request_id(req),
        theme: theme(req),
        ways: match (in_panel(req), e) {
            (false, _) => HOME,
            (true, Error::PermissionDenied) if staff(req).is_none() => OUT,
            (true, _) => PANEL,
        },
    };
    let mut response = Template::render("errors/error.html", page).respond_to(req)?;
    response.set_status(status);
    response.set_raw_header("Cache-Control", "no-store");
    Ok(response)
}

/// The page that asks for what a waiting form needs to go on, where that is what is missing: the password, or
/// a button pressed again.
pub fn waiting(req: &Request<'_>, e: &Error) -> Result<Option<Page>, Error> {
    if matches!(e, Error::CsrfFailed(_)) {
        return Ok(kept::parked(req).map(|waits| go_on::page(waits, String::new())));
    }
    let Error::Unconfirmed { act, refused } = e else {
        return Ok(None);
    };
    match session::of(req).now_or_never() {
        Some(Ok(Some(session))) => confirm::page(req, session, act, refused.as_deref()),
        _ => Ok(None),
    }
}

fn in_panel(req: &Request<'_>) -> bool {
    endpoints::segments(req).first() == Some(&"admin")
}

/// As far as somebody has asked who it is.
fn staff<'r>(req: &'r Request<'_>) -> Option<&'r UserSession> {
    session::loaded(req).filter(|user| user.actor.is_staff || user.actor.is_superuser)
}

/// Where no guard was asked, since nothing is at the address: who sees the panel's menu around it? A database
/// that does not answer is no news here.
pub async fn who_is_lost(req: &Request<'_>, e: &Error) {
    let is_lost = matches!(e, Error::NotFound | Error::MethodNotAllowed);
    if is_lost && in_panel(req) && negotiation::prefers_html(req) {
        let _either_way = session::of(req).await;
    }
}

fn words(req: &Request<'_>, e: &Error) -> (&'static str, String) {
    let own = |heading, text: &str| (heading, text.to_owned());
    match e {
        Error::NotAuthenticated
        | Error::AuthenticationFailed(_)
        | Error::JwtRefused(_)
        | Error::NoActiveAccount => own(
            "Sign in first",
            "This page is for people who are signed in.",
        ),
        Error::InvalidCredentials { .. } => {
            own("That did not match", "Check the username and the password.")
        }
        Error::PermissionDenied if in_panel(req) && staff(req).is_none() => own(
            "This account cannot open the admin panel",
            "Ask a superuser for access, or sign in with another account.",
        ),
        Error::MissingPermission(permission) => (
            "Not for this account",
            format!(
                "You need the permission “{permission}”. Ask a superuser. Nothing was changed."
            ),
        ),
        Error::Unconfirmed { .. } => own(
            "Confirm it is you",
            "This needs your password again. Nothing was changed.",
        ),
        Error::PermissionDenied | Error::MissingScope(_) => own(
            "Not for this account",
            "Only a superuser may do that. Nothing was changed.",
        ),
        Error::UnknownRequirement(text) => ("Nobody may do that", text.clone()),
        Error::CsrfFailed(_) => own(
            "This form has expired",
            "Nothing was saved. Go back, copy what you typed, reload the page and type it again.",
        ),
        Error::NotFound if in_panel(req) => own(
            "Nothing lives at this address",
            "It may have been deleted. Check the address, or start over from the dashboard.",
        ),
        Error::NotFound => own(
            "Nothing lives at this address",
            "Check the address, or start over from the front page.",
        ),
        Error::Validation(_) => own(
            "Something is missing",
            "Go back and check what you typed. Nothing was saved.",
        ),
        Error::Parse(_) | Error::UnsupportedTokenType => own(
            "That could not be read",
            "The request was not understood. Nothing was saved.",
        ),
        Error::Throttled { retry_after } => (
            "Too many tries",
            format!("Try again in {}.", wait(*retry_after)),
        ),
        Error::Busy { retry_after } => (
            "The server is busy",
            format!("Nothing was saved. Try again in {}.", wait(*retry_after)),
        ),
        Error::MethodNotAllowed => own(
            "That is not possible here",
            "This address does not take this kind of request.",
        ),
        Error::NotAcceptable | Error::UnsupportedMediaType(_) => own(
            "That could not be read",
            "The request was of a kind that is not understood here.",
        ),
        Error::TooLarge => own("That is too large", "Send less at once. Nothing was saved."),
        Error::Conflict(text) => ("Somebody was quicker", text.clone()),
        Error::LastSuperuser => own("This is the only superuser", "Make another one first."),
        Error::Internal(_) => own(
            "Something broke on our side",
            "Quote the request number below when you report it.",
        ),
    }
}

fn wait(seconds: u64) -> String {
    match seconds {
        0..=1 => "a second".to_owned(),
        2..=119 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

fn theme<'r>(req: &'r Request<'_>) -> Option<&'r str> {
    let theme = req.cookies().get("theme")?.value();
    matches!(theme, "light" | "dark").then_some(theme)
}

/// To the sign-in page and, once signed in, back to where one was going.
pub fn to_login(req: &Request<'_>) -> response::Result<'static> {
    if req.method() == Method::Post && negotiation::prefers_html(req) {
        let lost = Flash::warn("Your session had ended").text("What you typed was not saved.");
        lost.leave(req, client::secure_cookies(req));
    }
    let login = door(req).path();
    let query: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("next", &after_sign_in(req))
        .finish();
    Response::build()
        .status(Status::SeeOther)
        .raw_header("Location", format!("{login}?{query}"))
        .raw_header("Cache-Control", "no-store")
        .ok()
}

/// The same in place of the answer to a form, which is kept meanwhile.
pub fn sign_in_first(req: &Request<'_>, kept: Kept) -> Page {
    Page::of(&Login::new(door(req), App::of(req), &after_sign_in(req)).keeping(kept))
        .status(Status::Forbidden)
}

fn door(req: &Request<'_>) -> Door {
    if in_panel(req) {
        Door::Admin
    } else {
        Door::Site
    }
}

fn after_sign_in(req: &Request<'_>) -> String {
    if req.method() == Method::Get {
        req.uri().to_string()
    } else {
        // What was to be posted has no page of its own; its address may still have one.
        req.uri().path().to_string()
    }
}

#[derive(Serialize)]
struct Browsable<'a> {
    title: &'a str,
    method: &'a str,
    path: String,
    status: u16,
    reason: &'a str,
    allow: String,
    body: String,
    /// Of a refusal, which can be looked into.
    request_id: Option<&'a str>,
    theme: Option<&'a str>,
}

/// An API answer for a browser that prefers pages.
pub fn browsable(
    req: &Request<'_>,
    endpoint: &Endpoint,
    status: Status,
    json: &[u8],
) -> response::Result<'static> {
    let pretty = serde_json::from_slice::<serde_json::Value>(json)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_default();
    let page = Browsable {
        title: endpoint.name,
        method: req.method().as_str(),
        path: req.uri().path().to_string(),
        status: status.code,
        reason: status.reason_lossy(),
        allow: endpoint.allow(),
        body: pretty,
        request_id: matches!(status.code, 401 | 403).then(|| client::request_id(req)),
        theme: theme(req),
    };
    let mut response = Template::render("api/browsable.html", page).respond_to(req)?;
    response.set_status(status);
    response.set_raw_header("Cache-Control", "no-store");
    Ok(response)
}

/// The methods that some page answers at this path; empty where there is no page.
pub fn allowed_methods(req: &Request<'_>) -> Vec<&'static str> {
    let segments = endpoints::segments(req);
    let mut methods: Vec<&'static str> = req
        .rocket()
        .routes()
        .filter(|route| serves(route, &segments))
        .map(|route| route.method.as_str())
        .collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.sort_unstable();
    methods.dedup();
    methods
}

fn serves(route: &rocket::Route, segments: &[&str]) -> bool {
    let path = route.uri.path();
    let pattern: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    if let Some(fixed) = pattern.strip_suffix(&["<path..>"]) {
        return segments.len() >= fixed.len() && fixed.iter().zip(segments).all(|(p, s)| p == s);
    }
    pattern.len() == segments.len()
        && pattern
            .iter()
            .zip(segments)
            .all(|(p, s)| p.starts_with('<') || p == s)
}
