//! The audit log in the panel: filters, pages, one event, a person's history, files; and the figures by day that the
//! first page is made of.

use latchkey::domain::{
    actor::Actor,
    audit::{self, AuditFilter, Event},
    daily_figures::{self, Figure},
    students::{self, StudentChanges, StudentInput},
    tokens::{self, NewToken},
    users::{self, UserInput},
};
use serde_json::{Value, json};

use crate::support::{PASSWORD, START, TestApp};

/// Some events of the operator about students, oldest first.
async fn students(app: &TestApp, names: &[&str]) {
    for (n, name) in names.iter().enumerate() {
        let student = StudentInput {
            name: (*name).to_owned(),
            roll: i64::try_from(n).unwrap(),
            city: "Pune".to_owned(),
        };
        students::create(&app.app, &Actor::operator(), student)
            .await
            .unwrap();
    }
}

async fn fail_to_sign_in(app: &TestApp, name: &str) {
    let body = json!({"username": name, "password": "wrong-pass-1"});
    let api = app.anonymous();
    assert_ne!(api.post_json("/api/token/", body).await.status, 200);
}

async fn found(app: &TestApp, filter: AuditFilter) -> Vec<String> {
    let page = audit::list(&app.app, &filter, None, 25).await.unwrap();
    assert_eq!(page.total.n, page.rows.len() as u64, "{filter:?}");
    page.rows
        .into_iter()
        .map(|event| format!("{} {}", event.action, event.object))
        .collect()
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

both! {
    async fn each_filter_finds_its_events_the_newest_first(app: &TestApp) {
        let ann = app.user("ann").await;
        fail_to_sign_in(app, "ann").await;
        fail_to_sign_in(app, "nobody").await;
        app.clock.advance(3 * 86_400);
        app.pair(&ann).await;
        students(app, &["Zoe", "Max"]).await;
        let none = AuditFilter::default;
        let all = ["student.created Max", "student.created Zoe", "jwt.issued ann"];
        let all = all.map(str::to_owned);
        let filter = AuditFilter { from: Some(START + 1), ..none() };
        assert_eq!(found(app, filter).await, all);
        let filter = AuditFilter { until: Some(START + 1), failed: Some(true), ..none() };
        assert_eq!(found(app, filter).await, ["user.login_failed nobody", "user.login_failed ann"]);
        let filter = AuditFilter { person: text("ann"), ..none() };
        let of_ann = ["jwt.issued ann", "user.login_failed ann", "user.created ann"];
        assert_eq!(found(app, filter).await, of_ann);
        let filter = AuditFilter { account: Some(ann.id), ..none() };
        assert_eq!(found(app, filter).await, of_ann);
        let filter = AuditFilter { person: text("command line"), object_type: text("student"), ..none() };
        assert_eq!(found(app, filter).await, all[..2]);
        let filter = AuditFilter { action: text("user.created"), ..none() };
        assert_eq!(found(app, filter).await, ["user.created ann"]);
        let filter = AuditFilter { object_type: text("student"), object_id: Some(1), ..none() };
        assert_eq!(found(app, filter).await, ["student.created Zoe"]);
        let filter = AuditFilter { person: text("ann"), failed: Some(false), from: Some(START + 1), ..none() };
        assert_eq!(found(app, filter).await, ["jwt.issued ann"]);
        let failure = AuditFilter { failed: Some(true), ..none() };
        let page = audit::list(&app.app, &failure, None, 25).await.unwrap();
        let request = page.rows[0].request_id.clone();
        let filter = AuditFilter { request_id: request, ..none() };
        assert_eq!(found(app, filter).await, ["user.login_failed nobody"]);
    }

    async fn pages_turn_both_ways_also_where_two_indexes_answer(app: &TestApp) {
        let db = app.app.db.begin().await.unwrap();
        let by = Actor { username: "ann".to_owned(), ..Actor::operator() };
        let names: Vec<&str> = (0..60).map(|n| if n % 2 == 0 { "ann" } else { "other" }).collect();
        let events = names.iter().map(|name| Event::new("user.changed", Some(1), name));
        audit::record_all(&db, START, &by, events).await.unwrap();
        db.commit(latchkey::checks::Affects::Nobody).await.unwrap();
        let filters = [
            AuditFilter::default(),
            AuditFilter { person: text("ann"), ..AuditFilter::default() },
            AuditFilter { account: Some(1), ..AuditFilter::default() },
        ];
        for filter in filters {
            let turn = async |cursor: Option<String>| {
                audit::list(&app.app, &filter, cursor.as_deref(), 25).await.unwrap()
            };
            let ids = |page: &latchkey::domain::paging::Page<audit::AuditEvent>| -> Vec<i64> {
                page.rows.iter().map(|event| event.id).collect()
            };
            let first = turn(None).await;
            let second = turn(first.next.clone()).await;
            let third = turn(second.next.clone()).await;
            let seen: Vec<i64> = [&first, &second, &third].into_iter().flat_map(ids).collect();
            assert_eq!(seen, (1..=60).rev().collect::<Vec<i64>>());
            assert_eq!((third.first_index, third.total.n), (51, 60));
            assert!(first.previous.is_none() && third.next.is_none());
            let back = turn(third.previous).await;
            assert_eq!((ids(&back), back.first_index), (ids(&second), 26));
            let start = turn(back.previous).await;
            assert_eq!((ids(&start), start.previous), (ids(&first), None));
        }
        let made_up = audit::list(&app.app, &AuditFilter::default(), Some("a.x"), 25).await;
        assert!(made_up.is_err());
    }

    async fn the_list_shows_the_chain_and_costs_few_questions(app: &TestApp) {
        let root = app.admin("root").await;
        students(app, &["Zoe"]).await;
        audit::seal(&app.app).await.unwrap();
        root.get("/admin/audit/").await;
        let before = app.statements();
        let page = root.get("/admin/audit/?act=student.created&when=day&result=ok").await;
        let asked = app.statements() - before;
        assert!(asked <= 5, "{asked}");
        assert_eq!(page.status, 200);
        assert!(page.text.contains("Sealed #3"), "{page:?}");
        assert!(page.text.contains("added student") && page.text.contains("Zoe"));
        assert!(!page.text.contains("signed in"), "filtered away");
        assert!(page.text.contains("</span>Student added<"), "its chip: {page:?}");
        let empty = root.get("/admin/audit/?to=2000-01-01").await;
        assert!(empty.text.contains("Nothing in this span."));
        assert!(empty.text.contains("</span>To: 2000-01-01<"), "{empty:?}");
        for path in ["/admin/audit/?person=nobody-like-it", "/admin/audit/?act=no.such&to=2000-01-01"] {
            let empty = root.get(path).await;
            assert!(empty.text.contains("No event like that."), "{path}: {empty:?}");
            assert!(empty.text.contains("Clear the filters"), "{path}: {empty:?}");
        }
        for odd in ["from=x", "to=9999-12-31", "from=-5", "per=7", "id=1", "act=%00", "when=no&result=no"] {
            assert_eq!(root.get(&format!("/admin/audit/?{odd}")).await.status, 200, "{odd}");
        }
        assert_eq!(root.get("/admin/audit/?cursor=zz").await.status, 404);
    }

    async fn what_changed_is_told_field_by_field(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let input = UserInput {
            username: "ann".to_owned(),
            email: "new@example.org".to_owned(),
            is_active: true,
            ..UserInput::default()
        };
        users::update(&app.app, &Actor::operator(), ann.id, input, ann.version).await.unwrap();
        let event = audit::recent(&app.app, 1).await.unwrap().remove(0);
        for path in [format!("/admin/audit/{}/", event.id), format!("/admin/users/{}/history/", ann.id)] {
            let page = root.get(&path).await;
            assert_eq!(page.status, 200, "{path}");
            assert!(page.text.contains("<ins>new@example.org</ins>"), "{path}: {page:?}");
        }
        students(app, &["Zoe"]).await;
        let changes = StudentChanges { city: text("Nashik"), ..StudentChanges::default() };
        students::change(&app.app, &Actor::operator(), 1, changes).await.unwrap();
        let edited = audit::recent(&app.app, 1).await.unwrap().remove(0);
        assert_eq!(edited.detail, r#"{"city":{"from":"Pune","to":"Nashik"}}"#);
        let page = root.get(&format!("/admin/audit/{}/", edited.id)).await;
        assert!(page.text.contains("<del>Pune</del>") && page.text.contains("<ins>Nashik</ins>"), "{page:?}");
        assert!(page.text.contains("edited student Zoe"), "{page:?}");
        let form = root.get(&format!("/admin/users/{}/", ann.id)).await;
        let line = format!("/admin/audit/{}/", event.id);
        assert!(form.text.replace("&#x2F;", "/").contains(&line), "the line leads to its event");
        assert_eq!(root.get("/admin/users/999/history/").await.status, 404);
        assert_eq!(root.get("/admin/audit/999/").await.status, 404);
    }

    async fn events_of_tokens_say_the_kind_and_what_was_there_before(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let by = Actor::operator();
        let details = async |n: u64| -> Vec<Value> {
            let events = audit::recent(&app.app, n).await.unwrap();
            events.iter().map(|event| serde_json::from_str(&event.detail).unwrap()).collect()
        };
        app.default_token(&ann).await;
        let made = details(1).await.remove(0);
        assert_eq!((&made["kind"], &made["expires"]), (&json!("default"), &Value::Null));
        let soon = app.app.now() + 86_400;
        let (id, _) = app.named_token_with(&ann, |new| NewToken { expires_at: Some(soon), ..new }).await;
        let made = details(1).await.remove(0);
        assert_eq!((&made["kind"], &made["expires"]), (&json!("named"), &json!(soon)));
        tokens::rename(&app.app, &by, id, "build").await.unwrap();
        tokens::extend(&app.app, &by, id, Some(soon + 1)).await.unwrap();
        tokens::extend_many(&app.app, &by, &[id], None).await.unwrap();
        let told = details(3).await;
        assert_eq!(told[2], json!({"owner": "ann", "name": {"from": "CI", "to": "build"}}));
        assert_eq!(told[1]["expires"], json!({"from": soon, "to": soon + 1}));
        assert_eq!(told[0]["expires"], json!({"from": soon + 1, "to": null}));
        let event = audit::recent(&app.app, 1).await.unwrap().remove(0);
        let page = root.get(&format!("/admin/audit/{}/", event.id)).await;
        let ends = latchkey::web::filters::utc(soon + 1);
        for text in [format!("<del>{ends}</del>"), "<ins>never</ins>".to_owned()] {
            assert!(page.text.contains(&text), "{text}: {page:?}");
        }
    }

    async fn what_is_filtered_goes_out_as_a_file_and_no_cell_is_a_formula(app: &TestApp) {
        let root = app.admin("root").await;
        let many: Vec<String> = (0..1500).map(|n| format!("=cmd {n}")).collect();
        let db = app.app.db.begin().await.unwrap();
        for batch in many.chunks(500) {
            let events = batch.iter().map(|name| Event::new("student.changed", Some(1), name));
            audit::record_all(&db, app.app.now(), &Actor::operator(), events).await.unwrap();
        }
        db.commit(latchkey::checks::Affects::Nobody).await.unwrap();
        let csv = root.get("/admin/audit/export.csv?act=student.changed").await;
        assert_eq!(csv.status, 200);
        assert!(csv.header("Content-Type").unwrap().starts_with("text/csv"));
        assert!(csv.header("Content-Disposition").unwrap().starts_with("attachment"));
        assert_eq!(csv.text.lines().count(), 1501);
        assert!(csv.text.contains("\"'=cmd 1499\"") && !csv.text.contains(",=cmd"));
        let json = root.get("/admin/audit/export.json?act=student.changed").await;
        assert_eq!(json.json().as_array().unwrap().len(), 1500);
        assert_eq!(json.json()[0]["object"], "=cmd 1499");
        let none = root.get("/admin/audit/export.json?act=no.such").await;
        assert_eq!(none.json(), json!([]));
    }

    async fn each_event_is_counted_once_on_its_day(app: &TestApp) {
        let ann = app.user("ann").await;
        for _ in 0..3 {
            app.pair(&ann).await;
        }
        fail_to_sign_in(app, "ann").await;
        audit::seal(&app.app).await.unwrap();
        app.clock.advance(86_400);
        app.browser(&ann).await;
        app.default_token(&ann).await;
        let body = json!({"username": "bob", "password": PASSWORD, "confirm_password": PASSWORD});
        let registered = app.anonymous().token(&app.default_token(&ann).await);
        registered.post_json("/registerapi/", body).await.expect(200);
        let command = app.command().await;
        audit::seal(&command).await.unwrap();
        command.db.close().await.unwrap();
        audit::seal(&app.app).await.unwrap();
        let figures = daily_figures::of_days(&app.app, 2).await.unwrap();
        let (before, today) = (figures.days[0], figures.days[1]);
        let on = |day| Figure::ALL.map(|figure| figures.on(day, figure));
        assert_eq!(on(before), [3, 1, 0, 1, 0, 0, 0, 0]);
        assert_eq!(&on(today)[..6], [1, 0, 1, 0, 0, 1]);
        assert_eq!(figures.last(1, Figure::SignIns), 1);
        assert_eq!(figures.before_last(1, Figure::SignIns), 3);
    }

    async fn the_first_page_draws_what_was_counted_and_starts_newcomers(app: &TestApp) {
        let root = app.superuser("root").await;
        let browser = app.browser(&root).await;
        let fresh = browser.get("/admin/").await;
        assert!(fresh.text.contains("Get started"));
        assert!(fresh.text.contains("All quiet."));
        app.pair(&root).await;
        app.clock.advance(86_400);
        app.pair(&root).await;
        let browser = app.browser(&root).await;
        for _ in 0..60 {
            fail_to_sign_in(app, "root").await;
        }
        audit::seal(&app.app).await.unwrap();
        let page = browser.get("/admin/?days=7").await;
        assert!(page.text.contains("role=\"img\""), "{page:?}");
        assert!(page.text.contains("24 Nov: 2 signed in, 60 failed"));
        assert!(page.text.contains("60 failures on 24 Nov"), "{page:?}");
        assert!(page.text.contains("Show the numbers"));
    }
}
