//! `/admin/health/`: what `latchkey doctor` tells, of the running server and of this very request.

use rocket::{Request, Route, State, get, request::FromRequest, request::Outcome, routes};
use serde::Serialize;

use crate::{
    app::App,
    config::SecureCookies,
    domain::{
        health::{self, Chain, Finding, Verdict},
        paging::Count,
    },
    web::{
        guards::{SuperuserSession, client},
        page::{Page, View},
        tls::{self, Served},
        words::{Tag, counted},
    },
};

pub fn routes() -> Vec<Route> {
    routes![show]
}

/// How this request came.
struct Way {
    is_encrypted: bool,
    /// From the machine itself, where nobody listens in between.
    is_here: bool,
    /// A proxy says that it came by HTTPS, and is not believed.
    is_unheard: bool,
    /// None: this server was started without TLS of its own.
    served: Option<Chain>,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Way {
    type Error = std::convert::Infallible;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let is_encrypted = client::is_encrypted(req);
        let claimed = req.headers().get_one("X-Forwarded-Proto");
        Outcome::Success(Self {
            is_encrypted,
            is_here: client::address(req).is_loopback(),
            served: req.rocket().state().map(|Served(chain)| chain.clone()),
            is_unheard: !is_encrypted && claimed.is_some_and(|p| p.eq_ignore_ascii_case("https")),
        })
    }
}

#[derive(Serialize)]
struct Health {
    headline: String,
    tag: Tag,
    groups: Vec<Group>,
    version: &'static str,
}

#[derive(Serialize)]
struct Group {
    title: &'static str,
    lines: Vec<Line>,
}

/// All that was found of one thing.
#[derive(Serialize)]
struct Line {
    /// The worst of it.
    tag: Tag,
    icon: &'static str,
    area: &'static str,
    told: Vec<Told>,
}

#[derive(Serialize)]
struct Told {
    text: String,
    advice: String,
}

impl View for Health {
    const TEMPLATE: &'static str = "admin/health.html";
    const NAV: &'static str = "health";

    fn title(&self) -> String {
        "Health".to_owned()
    }
}

impl Line {
    /// One for each thing, in the order in which they come first.
    fn all(findings: Vec<Finding>) -> Vec<Self> {
        let mut things: Vec<Vec<Finding>> = Vec::new();
        for finding in findings {
            match things.iter_mut().find(|told| told[0].area == finding.area) {
                Some(told) => told.push(finding),
                None => things.push(vec![finding]),
            }
        }
        things.into_iter().map(Self::of).collect()
    }

    fn of(findings: Vec<Finding>) -> Self {
        let verdicts = findings.iter().map(|finding| finding.verdict);
        let worst = verdicts.max().unwrap_or(Verdict::Good);
        Self {
            tag: Tag::health(worst),
            icon: match worst {
                Verdict::Good => "fine",
                Verdict::Look => "alert",
                Verdict::Bad => "fail",
            },
            area: findings.first().map_or("", |finding| finding.area),
            told: findings.into_iter().map(Told::of).collect(),
        }
    }
}

impl Told {
    fn of(finding: Finding) -> Self {
        Self {
            text: sentence(finding.text),
            // A terminal's way to set commands apart.
            advice: finding.advice.replace('`', ""),
        }
    }
}

/// With a capital, unless it begins with a name.
fn sentence(text: String) -> String {
    let word = text.split(' ').next().unwrap_or_default();
    if word.is_empty() || !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return text;
    }
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

#[get("/health")]
async fn show(_session: &SuperuserSession, app: &State<App>, way: Way) -> Page {
    let reached = [
        vec![https(app, &way), cookies(app, &way)],
        certificate(app, &way),
        vec![health::news(app)],
        health::letters(app).await,
    ];
    let mut data = health::storage(app).await;
    data.push(health::schema(app).await);
    data.extend(health::disk(app));
    data.push(health::search_index(app).await);
    let secrets = vec![
        health::secret(&app.config),
        health::the_secret_fits(app).await,
        health::signing_keys(app).await,
    ];
    let work = [health::audit_log(app).await, health::jobs(app)];
    let settings = [
        health::settings(&app.config),
        health::stored_settings(app).await,
    ];
    Page::of(&view(vec![
        ("Way in and out", reached.concat()),
        ("Data", data),
        ("Secrets", secrets),
        ("Work", work.concat()),
        ("Settings", settings.concat()),
    ]))
}

fn view(groups: Vec<(&'static str, Vec<Finding>)>) -> Health {
    let count = |verdict| {
        let all = groups.iter().flat_map(|(_, findings)| findings);
        all.filter(|finding| finding.verdict == verdict).count() as u64
    };
    let exactly = |n| Count { n, exact: true };
    let (bad, look) = (count(Verdict::Bad), count(Verdict::Look));
    let (worst, headline) = match (bad, look) {
        (0, 0) => (Verdict::Good, "All is well.".to_owned()),
        (0, n) => {
            let text = counted(
                exactly(n),
                "thing is worth a look.",
                "things are worth a look.",
            );
            (Verdict::Look, text)
        }
        (n, _) => {
            let text = counted(exactly(n), "thing needs you.", "things need you.");
            (Verdict::Bad, text)
        }
    };
    let groups = groups.into_iter().filter(|(_, lines)| !lines.is_empty());
    Health {
        headline,
        tag: Tag::health(worst),
        groups: groups
            .map(|(title, findings)| Group {
                title,
                lines: Line::all(findings),
            })
            .collect(),
        version: env!("CARGO_PKG_VERSION"),
    }
}

fn https(app: &App, way: &Way) -> Finding {
    let public = app.config.public_url.as_deref();
    if way.is_encrypted {
        return match public {
            Some(url) if url.starts_with("http://") => Finding::look(
                "HTTPS",
                format!("this page came by HTTPS, and public_url says {url}"),
                "Let LATCHKEY_PUBLIC_URL begin with https://: links in mail lead there.",
            ),
            _ => Finding::good("HTTPS", "this page came by HTTPS"),
        };
    }
    if way.is_unheard {
        return Finding::bad(
            "HTTPS",
            "a proxy says that this page came by HTTPS, but the server does not trust that proxy",
            "Name its address in LATCHKEY_TRUSTED_PROXIES.",
        );
    }
    if way.is_here {
        return Finding::good("HTTPS", "this page came without it, from this very machine");
    }
    Finding::bad(
        "HTTPS",
        "this page came without encryption: whoever is in between can read passwords",
        "Serve by TLS, or by a proxy that does; docs/running.md says how.",
    )
}

fn certificate(app: &App, way: &Way) -> Vec<Finding> {
    app.config.tls.as_ref().map_or_else(Vec::new, |tls| {
        health::certificate(tls, tls::look(tls), way.served.as_ref(), app.now())
    })
}

fn cookies(app: &App, way: &Way) -> Finding {
    match app.config.secure_cookies {
        SecureCookies::Never if way.is_encrypted => Finding::look(
            "cookies",
            "session cookies would also be sent without encryption",
            "Take LATCHKEY_SECURE_COOKIES away.",
        ),
        SecureCookies::Always if !way.is_encrypted => Finding::look(
            "cookies",
            "session cookies are sent by HTTPS only, and this page came without it",
            "Open the panel by HTTPS.",
        ),
        _ if way.is_encrypted => Finding::good("cookies", "session cookies are sent by HTTPS only"),
        _ => Finding::good("cookies", "session cookies go the way the page came"),
    }
}

pub fn samples() -> Vec<Page> {
    let bad = Finding::bad("secret", "<b>sam</b> can be read by others", "chmod 600 it");
    let look = Finding::look("mail", "3 letters were given up", "Try again.");
    let good = Finding::good("database", "the schema is up to date");
    vec![
        Page::of(&view(vec![
            ("Data", vec![good.clone()]),
            ("Settings", Vec::new()),
        ])),
        Page::of(&view(vec![("Data", vec![good.clone(), look.clone()])])),
        Page::of(&view(vec![
            ("Data", vec![good, look]),
            ("Secrets", vec![bad]),
        ])),
    ]
}
