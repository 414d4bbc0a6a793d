//! One event: all that it says, field by field, and where to go from it.

use rocket::{State, get};
use serde::Serialize;

use super::PATH;
use crate::{
    app::App,
    domain::audit::{self, AuditEvent},
    web::{
        activity::{Activity, Changes},
        admin::listing::Address,
        error::PageError,
        guards::{May, permission::ViewAudit},
        page::{Crumb, Page, View},
    },
};

#[derive(Serialize)]
struct AuditDetail {
    line: Activity,
    changes: Changes,
    action: String,
    actor: String,
    object: String,
    kind: String,
    via: &'static str,
    address: Option<String>,
    request: Option<String>,
    place: Option<i64>,
    hash: Option<String>,
    /// Lists that it is part of.
    of_person: Option<String>,
    of_object: Option<String>,
    of_request: Option<String>,
    of_act: String,
}

impl View for AuditDetail {
    const TEMPLATE: &'static str = "admin/audit/detail.html";
    const NAV: &'static str = "audit";

    fn title(&self) -> String {
        self.line.sentence()
    }

    fn trail(&self) -> Vec<Crumb> {
        vec![Crumb::new("Audit log", PATH)]
    }
}

#[get("/audit/<id>")]
pub async fn detail(
    _session: May<'_, ViewAudit>,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    let event = audit::get(app, id).await?;
    Ok(Page::of(&view(&event)))
}

fn view(event: &AuditEvent) -> AuditDetail {
    let list = Address::new(PATH);
    let name = Some(event.actor.as_str()).filter(|name| !name.is_empty());
    let about_person = matches!(event.object_type.as_str(), "user" | "session" | "jwt");
    let person = name.or(Some(event.object.as_str()).filter(|_| about_person));
    AuditDetail {
        line: Activity::of(event),
        changes: Changes::of(event),
        action: event.action.clone(),
        actor: event.actor.clone(),
        object: event.object.clone(),
        kind: event.object_type.replace('_', " "),
        via: via(&event.via),
        address: event.address.clone(),
        request: event.request_id.clone(),
        place: event.seq,
        hash: event.hash.as_ref().map(hex::encode),
        of_person: person.map(|name| list.with("person", name).href()),
        of_object: event.object_id.map(|id| {
            let list = list.with("object", event.object_type.as_str());
            list.with("id", id.to_string()).href()
        }),
        of_request: event
            .request_id
            .as_deref()
            .map(|id| list.with("request", id).href()),
        of_act: list.with("act", event.action.as_str()).href(),
    }
}

fn via(door: &str) -> &'static str {
    match door {
        "web" => "Web page",
        "api" => "API",
        "cli" => "Command line",
        "server" => "The server itself",
        _ => "Unknown",
    }
}

pub fn samples() -> Vec<Page> {
    let mut event = crate::web::activity::sample_event();
    let unsealed = Page::of(&view(&event));
    event.seq = Some(7);
    event.hash = Some(vec![0xab; 32]);
    r#"{"email": {"from": "", "to": "<i>a@b</i>"}, "because": "unused", "n": 3}"#
        .clone_into(&mut event.detail);
    vec![unsealed, Page::of(&view(&event))]
}
