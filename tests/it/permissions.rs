//! Who may do what: each address of the panel and each operation of the API, asked by staff with exactly the permissions
//! it needs, and by staff with all but one of them. The tables are compared with the server's routes, so that a new
//! one must say what it needs.

use std::collections::{BTreeMap, BTreeSet};

use latchkey::domain::{
    actor::Actor,
    audit,
    permissions::Permissions,
    sessions,
    students::{self, StudentInput},
    tokens,
    users::{User, UserInput},
};
use rocket::http::Method;
use serde_json::json;

use crate::{
    permission_needs::{
        Fields,
        Need::{All, Staff, Superuser},
        PANEL,
    },
    permission_needs_api::{API, OWN},
    support::{Answer, Caller, TestApp, csrf},
    sweep_routes::{PUBLIC, is_api, name, routes},
};

/// Somebody ordinary, with one of everything.
struct World {
    name: String,
    user: i64,
    token: i64,
    key: String,
    jwt: String,
    session: i64,
    student: i64,
    group: i64,
}

impl World {
    async fn make(app: &TestApp, n: usize) -> Self {
        let name = format!("person{n}");
        let user = app.user(&name).await;
        let (token, key) = app.named_token_with(&user, |new| new).await;
        let (jwt, _) = app.pair(&user).await;
        app.browser(&user).await;
        let input = StudentInput {
            name: "Anil".to_owned(),
            roll: 1,
            city: "Pune".to_owned(),
        };
        let by = Actor::operator();
        let signed_in = sessions::list_for(&app.app, &user).await;
        Self {
            user: user.id,
            token,
            key,
            jwt,
            session: signed_in.unwrap()[0].id,
            student: students::create(&app.app, &by, input).await.unwrap().id,
            group: app.group(&format!("Of {name}"), Permissions::NONE).await,
            name,
        }
    }

    /// A default token where only that will do.
    async fn with_default(mut self, app: &TestApp) -> Self {
        let by = Actor::operator();
        let made = tokens::get_or_create_default(&app.app, &by, self.user).await;
        self.token = made.unwrap().token.id;
        self
    }

    fn fill(&self, text: &str) -> String {
        text.replace("{name}", &self.name)
            .replace("{user}", &self.user.to_string())
            .replace("{session}", &self.session.to_string())
            .replace("{student}", &self.student.to_string())
            .replace("{key}", &self.key)
            .replace("{jwt}", &self.jwt)
    }

    fn path(&self, path: &str) -> String {
        let id = match path.split('/').nth(2).unwrap_or_default() {
            "users" => self.user,
            "tokens" => self.token,
            "students" => self.student,
            "groups" => self.group,
            _ if path.starts_with("/student") => self.student,
            _ => 1,
        };
        let path = path
            .replace("<id>", &id.to_string())
            .replace("<session_id>", &self.session.to_string());
        self.fill(&path)
    }
}

/// Browsers and API clients of staff, by what they may do.
struct Crowd<'a> {
    app: &'a TestApp,
    known: BTreeMap<String, (Caller, Caller, String)>,
}

impl Crowd<'_> {
    /// Browser, API client, CSRF token.
    async fn with(&mut self, permissions: Permissions) -> (Caller, Caller, String) {
        let names = permissions.names();
        if let Some(known) = self.known.get(&names) {
            return known.clone();
        }
        let user = self
            .app
            .staff(&format!("staff{}", self.known.len()), permissions)
            .await;
        let member = self.clients(&user).await;
        self.known.insert(names, member.clone());
        member
    }

    async fn clients(&self, user: &User) -> (Caller, Caller, String) {
        let browser = self.app.browser(user).await;
        let token = csrf(&browser.get("/dashboard/").await.text).to_owned();
        let client = self
            .app
            .anonymous()
            .token(&self.app.default_token(user).await);
        (browser, client, token)
    }
}

/// All but these, and but what these follow from: who may change a record sees it.
fn all_but(names: &[&str]) -> Permissions {
    let changes: Vec<String> = names
        .iter()
        .filter_map(|name| name.strip_prefix("view_"))
        .map(|record| format!("change_{record}"))
        .collect();
    let without = Permissions::all().without(set(names));
    without.without(Permissions::read(&changes.join(" ")))
}

pub fn set(names: &[&str]) -> Permissions {
    let set = Permissions::read(&names.join(" "));
    assert_eq!(set.iter().count(), names.len(), "{names:?}");
    set
}

async fn newest_event(app: &TestApp) -> i64 {
    audit::recent(&app.app, 1).await.unwrap()[0].id
}

async fn ask(browser: &Caller, token: &str, world: &World, what: &str, fields: Fields) -> Answer {
    let (method, path) = what.split_once(' ').unwrap();
    let path = world.path(path);
    if method != "POST" {
        return browser
            .send(method.parse::<Method>().unwrap(), &path, None)
            .await;
    }
    let filled: Vec<(&str, String)> = fields.iter().map(|(n, v)| (*n, world.fill(v))).collect();
    let mut sent: Vec<(&str, &str)> = filled.iter().map(|(n, v)| (*n, v.as_str())).collect();
    sent.push(("csrfmiddlewaretoken", token));
    browser.post_form(&path, &sent).await
}

async fn call(client: &Caller, world: &World, what: &str, body: &str) -> Answer {
    let (method, path) = what.split_once(' ').unwrap();
    let body = (!body.is_empty()).then(|| ("application/json", world.fill(body).into_bytes()));
    let method = method.parse::<Method>().unwrap();
    client.send(method, &world.path(path), body).await
}

#[track_caller]
fn is_open(what: &str, answer: &Answer) {
    let fine = answer.status < 500 && !matches!(answer.status, 401 | 403 | 405);
    assert!(fine, "{what} with what it needs: {answer:?}");
    if answer.status == 303 {
        assert!(!answer.redirect().contains("/login/"), "{what}: {answer:?}");
    }
}

both! {
    async fn each_address_of_the_panel_opens_to_whoever_has_what_it_needs_and_to_nobody_else(app: &TestApp) {
        let listed: BTreeSet<&str> = PANEL.iter().map(|(name, ..)| *name).collect();
        let there: BTreeSet<String> = routes(app)
            .iter()
            .filter(|route| route.uri.path().starts_with("/admin"))
            .map(name)
            .filter(|name| !PUBLIC.contains(&name.as_str()))
            .collect();
        let there: BTreeSet<&str> = there.iter().map(String::as_str).collect();
        assert_eq!(listed, there, "a line in the table of each, and no other");

        let mut crowd = Crowd { app, known: BTreeMap::new() };
        let root = app.superuser("root").await;
        let (root, _, root_token) = crowd.clients(&root).await;
        let all = crowd.with(Permissions::all()).await;
        let none = crowd.with(Permissions::NONE).await;
        for (n, (what, need, fields)) in PANEL.iter().enumerate() {
            let mut world = World::make(app, n).await;
            if what.ends_with("/exists") || what.ends_with("/show") {
                world = world.with_default(app).await;
            }
            let before = newest_event(app).await;
            let refused: Vec<_> = match need {
                Staff => Vec::new(),
                Superuser => vec![(all.clone(), "Only a superuser".to_owned())],
                All(names) => {
                    let mut without = Vec::new();
                    for name in *names {
                        let member = crowd.with(all_but(&[name])).await;
                        without.push((member, format!("“{}”", name.replace('_', " "))));
                    }
                    without
                }
            };
            let before = newest_event(app).await.max(before);
            for ((browser, _, token), missing) in refused {
                let answer = ask(&browser, &token, &world, what, fields).await;
                assert_eq!(answer.status, 403, "{what} without {missing}: {answer:?}");
                let is_named = answer.text.contains(&missing) || what.starts_with("HEAD");
                assert!(is_named, "{what}: {missing} is not named: {}", answer.text);
            }
            assert_eq!(newest_event(app).await, before, "{what} changed something");
            let (browser, token) = match need {
                Staff => (none.0.clone(), none.2.clone()),
                Superuser => (root.clone(), root_token.clone()),
                All(names) => {
                    let (browser, _, token) = crowd.with(set(names)).await;
                    (browser, token)
                }
            };
            is_open(what, &ask(&browser, &token, &world, what, fields).await);
        }
    }

    async fn each_operation_of_the_api_on_what_is_not_ones_own_needs_its_permission(app: &TestApp) {
        let bare = |what: &str| what.split('?').next().unwrap().to_owned();
        let mut listed: BTreeSet<String> = API.iter().map(|(what, ..)| bare(what)).collect();
        listed.extend(OWN.iter().map(|what| (*what).to_owned()));
        let there: BTreeSet<String> = routes(app)
            .iter()
            .filter(|route| is_api(route))
            .map(name)
            .filter(|name| !PUBLIC.contains(&name.as_str()) || name == "POST /login")
            // By any method: a proxy sends on what it was sent.
            .filter(|name| !name.ends_with(" /auth/verify") || name.starts_with("GET"))
            .collect();
        assert_eq!(listed, there, "a line in one of the tables, and no other");

        let mut crowd = Crowd { app, known: BTreeMap::new() };
        let ann = app.token_user("ann").await;
        let none = crowd.with(Permissions::NONE).await;
        for (n, (what, need, body)) in API.iter().enumerate() {
            let world = World::make(app, n).await;
            let mut refused = vec![(ann.clone(), "nothing".to_owned())];
            let needed = match need {
                All(names) => {
                    refused.push((crowd.with(all_but(names)).await.1, names.join(" ")));
                    refused.push((none.1.clone(), names.join(" ")));
                    crowd.with(set(names)).await.1
                }
                _ => none.1.clone(),
            };
            let before = newest_event(app).await;
            for (client, missing) in refused {
                let answer = call(&client, &world, what, body).await;
                // To who is not staff, other people's tokens are not there.
                let is_closed = answer.status == 403 || (missing == "nothing" && answer.status == 404);
                assert!(is_closed, "{what} without {missing}: {answer:?}");
            }
            assert_eq!(newest_event(app).await, before, "{what} changed something");
            is_open(what, &call(&needed, &world, what, body).await);
        }
    }

    async fn staff_learns_what_tokens_of_others_are_worth_with_the_permission_to_view_them(app: &TestApp) {
        let mut crowd = Crowd { app, known: BTreeMap::new() };
        let world = World::make(app, 1).await;
        let but = all_but(&["view_tokens"]);
        for (permissions, is_told) in [(set(&["view_tokens"]), true), (but, false)] {
            let client = crowd.with(permissions).await.1;
            for token in [&world.key, &world.jwt] {
                let answer = client.post_json("/api/introspect/", json!({"token": token})).await;
                assert_eq!(answer.json()["active"], is_told, "{answer:?}");
            }
        }
    }

    async fn who_may_change_a_record_sees_it(app: &TestApp) {
        let ann = app.user("ann").await;
        let by = Actor::operator();
        let input = StudentInput { name: "Anil".to_owned(), roll: 1, city: "Pune".to_owned() };
        let student = students::create(&app.app, &by, input).await.unwrap().id;
        for (permission, path, fields) in [
            (
                "change_users",
                format!("/admin/users/{}/", ann.id),
                vec![("username", "ann"), ("first_name", "Ann"), ("is_active", "on"), ("version", "9")],
            ),
            (
                "change_students",
                format!("/admin/students/{student}/"),
                vec![("name", "Asha"), ("roll", "2"), ("city", "Pune"), ("seen", "")],
            ),
        ] {
            let staff = app.staff(&permission.replace('_', "-"), set(&[permission])).await;
            let browser = app.browser(&staff).await;
            let page = browser.get(&path).await;
            assert_eq!(page.status, 200, "{path}");
            let list = path.trim_end_matches(|c: char| c.is_ascii_digit() || c == '/');
            assert_eq!(browser.get(&format!("{list}/")).await.status, 200, "{list}");
            // So nobody is shown by a conflict what they may not see.
            let answer = browser.submit(&path, &path, &fields).await;
            assert!(matches!(answer.status, 303 | 400 | 409), "{path}: {answer:?}");
        }
        // Nothing else follows from it.
        let staff = app.staff("adder", set(&["add_users", "delete_users"])).await;
        let browser = app.browser(&staff).await;
        assert_eq!(browser.get(&format!("/admin/users/{}/", ann.id)).await.status, 403);
    }

    async fn staff_without_a_group_enters_the_panel_and_finds_nothing_in_it(app: &TestApp) {
        let staff = app.staff("idle", Permissions::NONE).await;
        let page = app.browser(&staff).await.get("/admin/").await;
        assert_eq!(page.status, 200);
        for href in ["/admin/users/", "/admin/tokens/", "/admin/sessions/", "/admin/students/", "/admin/audit/", "/admin/groups/"] {
            assert!(!page.text.contains(&format!("href=\"{href}")), "{href}");
        }
        let root = app.admin("root").await;
        assert!(!root.get("/admin/").await.text.contains("can do nothing"), "its group gives nothing, but is one");
        app.user_with("free", |input| UserInput {
            is_staff: true,
            groups: Some(Vec::new()),
            ..input
        })
        .await;
        let board = root.get("/admin/").await.text;
        assert!(board.contains("A member of staff without a group can do nothing"), "{board}");
        let list = root.get("/admin/users/?group=none").await.text;
        assert!(list.contains("Staff without a group") && list.contains("free"), "{list}");
        assert!(!list.contains(">idle<") && !list.contains(">root</a>"));
    }
}
