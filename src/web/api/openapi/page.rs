//! `/swagger/`: the description for people. Without script it is a list of all calls; with it,
//! Swagger UI takes the list's place, from files of ours, under the same strict policy as any page.

use rocket::{Route, get, routes};
use serde::Serialize;
use serde_json::Value;

use super::{DOCUMENT, Operation, Tag, needs_credential, operations, template};
use crate::web::{
    guards::MaybeSession,
    page::{Page, View},
};

pub fn routes() -> Vec<Route> {
    routes![swagger]
}

/// Said once for all calls, at the top of the page.
const EVERYWHERE: [&str; 3] = ["406", "413", "415"];

#[derive(Serialize)]
struct Swagger {
    groups: Vec<Group>,
}

#[derive(Serialize)]
struct Group {
    name: &'static str,
    anchor: String,
    calls: Vec<Call>,
}

#[derive(Serialize)]
struct Call {
    id: &'static str,
    method: &'static str,
    path: String,
    summary: &'static str,
    about: String,
    credential: bool,
    fields: Vec<Entry>,
    answers: Vec<Answer>,
}

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    place: &'static str,
    required: bool,
    about: &'static str,
}

#[derive(Serialize)]
struct Answer {
    status: String,
    about: String,
}

impl View for Swagger {
    const TEMPLATE: &'static str = "site/swagger.html";

    fn title(&self) -> String {
        "API reference".to_owned()
    }
}

#[get("/swagger")]
fn swagger(_session: MaybeSession) -> Page {
    Page::of(&view())
}

fn view() -> Swagger {
    let groups = Tag::ALL.map(|tag| Group {
        name: tag.name(),
        anchor: tag.name().to_lowercase().replace(' ', "-"),
        calls: operations::all()
            .filter(|operation| operation.tag == tag)
            .map(Call::of)
            .collect(),
    });
    Swagger {
        groups: groups.into(),
    }
}

impl Call {
    fn of(operation: &'static Operation) -> Self {
        let path = template(operation.path);
        let method = operation.method.as_str();
        let described = &DOCUMENT["paths"][&path][method.to_lowercase()];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entries = |fields: &'static [super::fields::Field], place| {
            fields.iter().map(move |field| Entry {
                name: field.name,
                place,
                required: field.required,
                about: field.about,
            })
        };
        let answers = described["responses"].as_object().into_iter().flatten();
        Self {
            id: operation.id,
            method,
            summary: operation.summary,
            about: text(&described["description"]).replace('`', ""),
            credential: needs_credential(operation, super::endpoint(operation.path)),
            fields: entries(operation.query, "query")
                .chain(entries(operation.body, "body"))
                .collect(),
            answers: answers
                .filter(|(status, _)| !EVERYWHERE.contains(&status.as_str()))
                .map(|(status, answer)| Answer {
                    status: status.clone(),
                    about: text(&resolved(answer)["description"]),
                })
                .collect(),
            path,
        }
    }
}

fn resolved(answer: &Value) -> &Value {
    let pointer = answer["$ref"].as_str().and_then(|to| to.strip_prefix('#'));
    pointer
        .and_then(|pointer| DOCUMENT.pointer(pointer))
        .unwrap_or(answer)
}

pub fn samples() -> Vec<Page> {
    vec![Page::of(&view())]
}
