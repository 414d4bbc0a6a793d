//! What is filtered as a file of any size: read and sent a thousand events at a time.

use rocket::{
    Request, Response, State,
    futures::stream::{self, BoxStream, StreamExt},
    get,
    http::{ContentType, Header},
    response::{self, Responder, stream::TextStream},
};
use serde_json::{Value, json};

use super::change_list::ListQuery;
use crate::{
    app::App,
    clock::rfc3339,
    domain::audit::{self, AuditEvent, AuditFilter},
    web::{
        csv::row,
        guards::{May, permission::ViewAudit},
    },
};

pub struct Export {
    lines: BoxStream<'static, String>,
    content_type: ContentType,
    disposition: String,
}

impl<'r> Responder<'r, 'r> for Export {
    fn respond_to(self, req: &'r Request<'_>) -> response::Result<'r> {
        Response::build_from(TextStream(self.lines).respond_to(req)?)
            .header(self.content_type)
            .header(Header::new("Content-Disposition", self.disposition))
            .header(Header::new("Cache-Control", "no-store"))
            .ok()
    }
}

#[get("/audit/export.csv?<query..>")]
pub fn csv(session: May<'_, ViewAudit>, app: &State<App>, query: ListQuery) -> Export {
    export(app, session.actor.request_id(), &query, CSV)
}

#[get("/audit/export.json?<query..>")]
pub fn json(session: May<'_, ViewAudit>, app: &State<App>, query: ListQuery) -> Export {
    export(app, session.actor.request_id(), &query, JSON)
}

/// How a file is written.
#[derive(Clone, Copy)]
struct Form {
    ending: &'static str,
    head: fn() -> String,
    /// `first`: no other event stands before it.
    line: fn(&AuditEvent, first: bool) -> String,
    end: &'static str,
    /// In place of the end, where the database went away.
    broken: &'static str,
}

const CSV: Form = Form {
    ending: "csv",
    head: || row(COLUMNS),
    line: |event, _| csv_line(event),
    end: "",
    broken: "NOT COMPLETE: the server could not read on\r\n",
};

const JSON: Form = Form {
    ending: "json",
    head: || "[".to_owned(),
    line: |event, first| {
        let comma = if first { "\n" } else { ",\n" };
        format!("{comma}{}", json_line(event))
    },
    end: "\n]\n",
    // No JSON: nobody takes it for the whole.
    broken: "\nNOT COMPLETE",
};

const COLUMNS: [&str; 15] = [
    "id",
    "time",
    "person",
    "account",
    "via",
    "act",
    "object_type",
    "object_id",
    "object",
    "address",
    "result",
    "request",
    "detail",
    "place",
    "hash",
];

fn export(app: &App, request_id: &str, query: &ListQuery, form: Form) -> Export {
    let now = app.now();
    let (filter, _) = query.read(now);
    let day = rfc3339(now);
    let day = day.split('T').next().unwrap_or_default();
    let disposition = format!("attachment; filename=\"audit-{day}.{}\"", form.ending);
    Export {
        lines: lines(app.clone(), request_id.to_owned(), filter, form),
        content_type: if form.ending == "csv" {
            ContentType::new("text", "csv")
                .with_params([("charset", "utf-8"), ("header", "present")])
        } else {
            ContentType::JSON
        },
        disposition,
    }
}

/// Where the writing is.
enum At {
    Head,
    /// Before this event.
    Before(Option<i64>),
    End,
}

fn lines(
    app: App,
    request_id: String,
    filter: AuditFilter,
    form: Form,
) -> BoxStream<'static, String> {
    let next = move |at: At| {
        let (app, request_id, filter) = (app.clone(), request_id.clone(), filter.clone());
        async move {
            let last = match at {
                At::Head => return Some(((form.head)(), At::Before(None))),
                At::Before(last) => last,
                At::End => return None,
            };
            let events = match audit::before(&app, &filter, last).await {
                Ok(events) => events,
                Err(e) => {
                    tracing::error!(request.id = request_id, error = %e, "an export of the audit log broke off");
                    return Some((form.broken.to_owned(), At::End));
                }
            };
            let Some(oldest) = events.last().map(|event| event.id) else {
                return Some((form.end.to_owned(), At::End));
            };
            let lines = events.iter().enumerate();
            let text = lines.map(|(n, event)| (form.line)(event, last.is_none() && n == 0));
            Some((text.collect(), At::Before(Some(oldest))))
        }
    };
    stream::unfold(At::Head, next).boxed()
}

fn csv_line(event: &AuditEvent) -> String {
    let number = |n: Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
    let hash = event.hash.as_ref().map(hex::encode).unwrap_or_default();
    let (id, time) = (event.id.to_string(), rfc3339(event.at));
    let (account, object_id, place) = (
        number(event.actor_id),
        number(event.object_id),
        number(event.seq),
    );
    row([
        id.as_str(),
        &time,
        &event.actor,
        &account,
        &event.via,
        &event.action,
        &event.object_type,
        &object_id,
        &event.object,
        event.address.as_deref().unwrap_or_default(),
        result(event),
        event.request_id.as_deref().unwrap_or_default(),
        &event.detail,
        &place,
        &hash,
    ])
}

fn json_line(event: &AuditEvent) -> Value {
    let detail: Value = serde_json::from_str(&event.detail).unwrap_or_default();
    json!({
        "id": event.id,
        "time": rfc3339(event.at),
        "person": event.actor,
        "account": event.actor_id,
        "via": event.via,
        "act": event.action,
        "object_type": event.object_type,
        "object_id": event.object_id,
        "object": event.object,
        "address": event.address,
        "result": result(event),
        "request": event.request_id,
        "detail": detail,
        "place": event.seq,
        "hash": event.hash.as_ref().map(hex::encode),
    })
}

fn result(event: &AuditEvent) -> &'static str {
    if event.failed { "failed" } else { "ok" }
}
