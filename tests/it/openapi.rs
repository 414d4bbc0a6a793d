//! The description of the API agrees with the routes, with the page that shows it, and with the
//! Postman collection. Whether answers agree with it is Schemathesis' to find (scripts/schemathesis.sh).

use std::collections::BTreeSet;

use rocket::http::Method;
use serde_json::Value;

use crate::support::{TestApp, nothing_inline};

/// Pages for people: first segments, or whole addresses. Everything else must be described.
const PAGES: &[&str] = &[
    "/",
    "/account",
    "/admin",
    "/dashboard",
    "/density",
    "/favicon.ico",
    "/login",
    "/logout",
    "/password-reset",
    "/registration",
    "/setup",
    "/static",
    "/swagger",
    "/theme",
    "/verify-email",
];

async fn document(app: &TestApp) -> Value {
    app.anonymous().get("/openapi.json").await.expect(200)
}

/// `GET /studentapi/{id}`, without the final slash.
fn described(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods
                .filter(|name| *name != "parameters")
                .map(move |method| call(method, path))
        })
        .collect()
}

fn call(method: &str, path: &str) -> String {
    let bare = path.trim_end_matches('/');
    format!("{} {bare}", method.to_uppercase())
}

fn is_page(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    PAGES.contains(&format!("/{first}").as_str())
}

/// One call of the Postman collection.
struct Sent {
    name: String,
    call: String,
    /// What its script expects; several of them judge in other ways.
    status: Option<String>,
    fields: Vec<String>,
}

fn collection() -> Vec<Sent> {
    fn walk(items: &Value, found: &mut Vec<Sent>) {
        for item in items.as_array().unwrap() {
            if item["item"].is_array() {
                walk(&item["item"], found);
            } else {
                found.push(sent(item));
            }
        }
    }
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/postman/latchkey.postman_collection.json"
    ));
    let collection: Value = serde_json::from_str(&text.unwrap()).unwrap();
    let mut found = Vec::new();
    walk(&collection["item"], &mut found);
    found
}

fn sent(item: &Value) -> Sent {
    let request = &item["request"];
    let raw = request["url"]["raw"].as_str().unwrap();
    let path = raw.trim_start_matches("{{base_url}}");
    let path = path.split('?').next().unwrap();
    let path: Vec<&str> = path
        .split('/')
        .map(|part| if part.starts_with("{{") { "{id}" } else { part })
        .collect();
    let script = item["event"].to_string();
    let status = script
        .split("have.status(")
        .nth(1)
        .map(|rest| rest.split(')').next().unwrap().to_owned());
    let body = &request["body"];
    let fields = match body["mode"].as_str() {
        Some("raw") => serde_json::from_str::<Value>(body["raw"].as_str().unwrap())
            .ok()
            .and_then(|body| Some(body.as_object()?.keys().cloned().collect()))
            .unwrap_or_default(),
        Some(mode) => body[mode]
            .as_array()
            .into_iter()
            .flatten()
            .map(|field| field["key"].as_str().unwrap().to_owned())
            .collect(),
        None => Vec::new(),
    };
    Sent {
        name: item["name"].as_str().unwrap().to_owned(),
        call: call(request["method"].as_str().unwrap(), &path.join("/")),
        status,
        fields,
    }
}

both! {
    async fn every_route_is_described_or_a_page_and_nothing_is_made_up(app: &TestApp) {
        let described = described(&document(app).await);
        let mut served = BTreeSet::new();
        for route in app.client.rocket().routes() {
            let path = route.uri.path().replace('<', "{").replace('>', "}");
            let fallback = route.name.as_deref() == Some("fallback");
            let asked = !matches!(route.method, Method::Options | Method::Head);
            // A proxy asks with any method; those are described too.
            let asked = asked || path.starts_with("/auth/verify");
            if !fallback && asked && route.method != Method::Connect {
                served.insert(call(route.method.as_str(), &path));
            }
        }
        for route in &served {
            let path = route.split_once(' ').unwrap().1;
            assert!(
                described.contains(route) || is_page(if path.is_empty() { "/" } else { path }),
                "{route} is neither described nor a page"
            );
        }
        for call in &described {
            assert!(served.contains(call), "{call} is described and not there");
        }
    }

    async fn the_reference_can_be_read_without_script_and_holds_nothing_inline(app: &TestApp) {
        let answer = app.anonymous().get("/swagger/").await;
        assert_eq!(answer.status, 200);
        nothing_inline(&answer);
        let html = answer.text.replace("&#x2F;", "/");
        let document = document(app).await;
        for (path, item) in document["paths"].as_object().unwrap() {
            let alias = path.starts_with("/studentsapi");
            for method in item.as_object().unwrap().keys() {
                let call = format!("{} {path}", method.to_uppercase());
                let any = path == "/auth/verify/" || (path == "/login/" && method == "get");
                assert!(alias || any || method == "parameters" || html.contains(&call), "{call}");
            }
        }
    }
}

both! {
    async fn the_postman_collection_and_the_description_agree(app: &TestApp) {
        let document = document(app).await;
        let described = described(&document);
        let mut missing = described.clone();
        for sent in collection() {
            missing.remove(&sent.call);
            if !described.contains(&sent.call) {
                let fine = matches!(sent.status.as_deref(), Some("404" | "405"));
                assert!(fine, "“{}” is not described: {}", sent.name, sent.call);
                continue;
            }
            let (method, path) = sent.call.split_once(' ').unwrap();
            let paths = document["paths"].as_object().unwrap();
            let item = paths.get(path).or_else(|| paths.get(&format!("{path}/"))).unwrap();
            let operation = &item[method.to_lowercase()];
            if let Some(status) = &sent.status {
                assert!(
                    operation["responses"][status].is_object(),
                    "“{}” expects {status}, which {} does not describe",
                    sent.name,
                    sent.call
                );
            }
            let known = &operation["requestBody"]["content"]["application/json"]["schema"]["properties"];
            for field in sent.fields {
                let lower = field.to_lowercase();
                assert!(
                    known[&lower].is_object(),
                    "“{}” sends {field}, which is not described",
                    sent.name
                );
            }
        }
        // What Postman has no use for.
        let elsewhere = ["/.well-known", "/status-lists", "/metrics", "/openapi.json", "/login", "/studentsapi", "/auth/verify"];
        missing.retain(|call| !elsewhere.iter().any(|path| call.contains(path)));
        assert!(missing.is_empty(), "described, and not in the collection: {missing:?}");
    }
}
