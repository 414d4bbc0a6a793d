//! One refusal in plain sentences, and the same for whatever is pasted. What is pasted goes to the
//! domain and nowhere else: no address, no log, no answer holds it.

use rocket::{State, get, post};
use serde::Serialize;

use super::{
    PATH,
    request_id::{is_drawn_here, request_id},
    trail, words,
};
use crate::{
    app::App,
    domain::{
        refusals::{self, Finding, LineNote, Pasted, Reason, Sort, Told},
        scopes::Scopes,
        tokens::{TokenRow, TokenState},
        users::User,
    },
    web::{
        activity::Activity,
        error::PageError,
        filters,
        guards::{CsrfForm, May, permission::ViewTokens},
        page::{Crumb, Go, Page, Reply, View},
        words::TokenFacts,
    },
};

#[derive(Default, Serialize)]
struct Answer {
    title: String,
    /// Below the title: of what this speaks.
    about: String,
    /// `ok`, `warn` or `bad`.
    kind: &'static str,
    icon: &'static str,
    headline: String,
    what: String,
    to_do: String,
    /// About the header line, each a sentence.
    notes: Vec<String>,
    facts: Vec<Fact>,
    token: Option<TokenFacts>,
    /// It works, and it was pasted.
    is_exposed: bool,
    history: Vec<Activity>,
}

#[derive(Serialize)]
struct Fact {
    label: &'static str,
    value: String,
    /// Empty: no page of its own.
    href: String,
}

impl Answer {
    fn judged(mut self, kind: &'static str, headline: impl Into<String>) -> Self {
        self.kind = kind;
        self.icon = match kind {
            "ok" => "fine",
            "warn" => "alert",
            _ => "fail",
        };
        self.headline = headline.into();
        self
    }

    fn fact(&mut self, label: &'static str, value: impl Into<String>) {
        self.link(label, value, String::new());
    }

    fn link(&mut self, label: &'static str, value: impl Into<String>, href: String) {
        let value = value.into();
        if !value.is_empty() {
            self.facts.push(Fact { label, value, href });
        }
    }

    fn owner(&mut self, user: &User) {
        let href = format!("/admin/users/{}/", user.id);
        self.link("Belongs to", user.username.as_str(), href);
    }

    fn of_token(&mut self, row: &TokenRow, now: i64) {
        self.token = Some(TokenFacts::of_row(row, now));
    }
}

impl View for Answer {
    const TEMPLATE: &'static str = "admin/refusals/answer.html";
    const NAV: &'static str = "refusals";

    fn title(&self) -> String {
        self.title.clone()
    }

    fn trail(&self) -> Vec<Crumb> {
        trail()
    }
}

const HIDDEN: &str = "It belongs to a superuser or a member of staff. Who may not change their account \
                      is not told more about their credentials.";
const ASK: &str = "Ask a superuser to look at this page.";

#[get("/refusals/<id>")]
pub async fn shown(
    session: May<'_, ViewTokens>,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    let told = refusals::tell(app, &session.actor, id).await?;
    if told.reason == Reason::NotKept {
        return Err(crate::error::Error::NotFound.into());
    }
    Ok(Page::of(&explain(&told, app.now())))
}

fn explain(told: &Told, now: i64) -> Answer {
    let refusal = &told.refusal;
    let (what, to_do) = if told.is_hidden {
        (HIDDEN.to_owned(), ASK.to_owned())
    } else {
        words::sentences(told.reason, &told.detail, now)
    };
    let mut answer = Answer {
        title: format!("Request {}", refusal.request_id),
        about: format!(
            "Answered {} {}",
            refusal.status,
            filters::ago(refusal.at, now)
        ),
        what,
        to_do,
        history: told.events.iter().map(Activity::of).collect(),
        ..Answer::default()
    }
    .judged("bad", words::label(told.reason));
    answer.fact("Request", format!("{} {}", refusal.method, refusal.path));
    answer.fact("Time", filters::utc(refusal.at));
    let from = format!("{PATH}?address={}", refusal.address);
    answer.link("From", refusal.address.as_str(), from);
    answer.fact("Header", refusal.header.as_str());
    answer.fact("Scheme", scheme(&refusal.scheme));
    if let Some(user) = &told.user {
        answer.owner(user);
    }
    if let Some(row) = &told.token {
        answer.of_token(row, now);
    }
    answer
}

fn scheme(stored: &str) -> &str {
    match stored {
        "" => "None",
        "session" => "Browser session",
        "body" => "None; a JWT in the body",
        "other" => "Another one",
        known => known,
    }
}

/// A request id leads to its refusal; everything else is judged here and now.
#[post("/refusals/inspect", data = "<form>")]
pub async fn inspect(
    session: May<'_, ViewTokens>,
    app: &State<App>,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    let text = Pasted::new(form.text("pasted").trim());
    if let Some(id) = request_id(text.expose()) {
        // Those that are drawn here are in lower case; a proxy may have chosen another one.
        let lower = id.to_ascii_lowercase();
        for id in [id, &lower] {
            if let Some(found) = refusals::find_request(app, id).await? {
                return Ok(Go::to(format!("{PATH}{found}/")).into());
            }
        }
        if is_drawn_here(id) {
            return Ok(Reply::page(&not_found()));
        }
    }
    if text.expose().is_empty() {
        return Ok(Go::to(PATH).into());
    }
    let finding = refusals::inspect(app, &session.actor, &text).await?;
    Ok(Reply::page(&judge(&finding, app.now())))
}

fn not_found() -> Answer {
    Answer {
        title: "No such refusal".to_owned(),
        what:
            "It was not refused, or is older than what is kept, or was one of too many at once. What \
               another node refused appears here within ten seconds."
                .to_owned(),
        to_do: "Check the id: it is the header X-Request-Id of the answer.".to_owned(),
        ..Answer::default()
    }
    .judged("warn", "Nothing is kept under this request id")
}

fn judge(finding: &Finding, now: i64) -> Answer {
    let mut answer = Answer {
        title: "What you pasted".to_owned(),
        about: about(finding.sort).to_owned(),
        notes: finding.notes.iter().map(note).collect(),
        history: finding.events.iter().map(Activity::of).collect(),
        ..Answer::default()
    };
    if finding.is_hidden {
        HIDDEN.clone_into(&mut answer.what);
        ASK.clone_into(&mut answer.to_do);
        return answer.judged("warn", "Not for this account to see");
    }
    if let Some(user) = &finding.user {
        answer.owner(user);
    }
    if let Some(row) = &finding.token {
        answer.of_token(row, now);
    }
    if let Some(scopes) = finding.scopes {
        answer.fact("May", may(scopes));
    }
    let mut time = |label, at: Option<i64>| {
        if let Some(at) = at {
            answer.fact(label, filters::utc(at));
        }
    };
    time("Issued", finding.issued_at);
    time("Expires", finding.expires_at);
    let Some(reason) = finding
        .reason
        .filter(|reason| !is_of_the_line(*reason, finding))
    else {
        return fine(answer, finding);
    };
    if finding.sort == Sort::Words {
        "It is neither a request id, nor a token, nor a header line.".clone_into(&mut answer.what);
        "Copy the whole value or the whole line again.".clone_into(&mut answer.to_do);
        return answer.judged("bad", "Nothing to look up");
    }
    (answer.what, answer.to_do) = words::sentences(reason, &finding.detail, now);
    // Judged as what it is: an access token need not be sent anywhere to be looked at.
    answer.judged("bad", words::label(reason))
}

/// The slip is in the line and is told there; the credential itself is good.
fn is_of_the_line(reason: Reason, finding: &Finding) -> bool {
    reason == Reason::NoScheme && finding.sort != Sort::Nothing
}

fn fine(mut answer: Answer, finding: &Finding) -> Answer {
    let owner = finding
        .user
        .as_ref()
        .map_or("", |user| user.username.as_str());
    let may = finding.scopes.map(may).unwrap_or_default();
    answer.is_exposed = true;
    answer.what = match finding.sort {
        Sort::Refresh => format!(
            "It belongs to {owner} and can be exchanged once at /api/token/refresh/. It opens nothing else."
        ),
        _ => format!("It belongs to {owner}. It may be used for: {may}."),
    };
    if answer.notes.is_empty() {
        answer.judged("ok", "This one is fine")
    } else {
        "Send it as the notes below say.".clone_into(&mut answer.to_do);
        answer.judged("warn", "The credential is fine, the line is not")
    }
}

fn may(scopes: Scopes) -> String {
    if scopes == Scopes::FULL {
        "everything its owner may".to_owned()
    } else {
        scopes.to_string().replace(' ', ", ")
    }
}

fn about(sort: Sort) -> &'static str {
    match sort {
        Sort::Token => "An API token",
        Sort::Access => "An access token (JWT)",
        Sort::Refresh => "A refresh token (JWT)",
        Sort::OtherJwt => "A JWT",
        Sort::Nothing => "A header line",
        Sort::Words => "Nothing that is known here",
    }
}

fn note(note: &LineNote) -> String {
    match note {
        LineNote::Misnamed => "The header is called “Authentication”. It is read, but only where \
                               “Authorization” is missing; other servers do not read it at all. Call \
                               it “Authorization”."
            .to_owned(),
        LineNote::WrongHeader("") => {
            "The header is not read. Call it “Authorization”.".to_owned()
        }
        LineNote::WrongHeader(name) => {
            format!("The header is called “{name}”, which is not read. Call it “Authorization”.")
        }
        LineNote::NoScheme(scheme) => {
            format!("The scheme is missing: write “{scheme} ” before it.")
        }
        LineNote::Misspelt(scheme) => {
            format!("The scheme is misspelt: write “{scheme}”, one blank, and nothing else before it.")
        }
        LineNote::WrongScheme(scheme) => {
            format!("It stands behind the wrong scheme: write “{scheme}” instead.")
        }
        LineNote::Quoted => "There were quotation marks or other signs around it; they do not \
                             belong to it."
            .to_owned(),
    }
}

pub fn samples() -> Vec<Page> {
    let fine = Finding {
        sort: Sort::Access,
        notes: vec![LineNote::Misnamed, LineNote::WrongHeader("Token")],
        reason: None,
        detail: refusals::Detail::default(),
        token: None,
        user: None,
        scopes: Some(Scopes::FULL),
        issued_at: Some(1_700_000_000),
        expires_at: Some(1_700_000_300),
        events: Vec::new(),
        is_hidden: false,
    };
    let mut good = judge(&fine, 1_700_000_100);
    good.token = Some(crate::web::admin::tokens::sample_facts(TokenState::Active));
    let expired = Finding {
        reason: Some(Reason::JwtExpired),
        notes: Vec::new(),
        ..fine
    };
    vec![
        Page::of(&good),
        Page::of(&judge(&expired, 1_700_001_000)),
        Page::of(&not_found()),
    ]
}
