//! Acts on many rows of a list: what is asked, what is done, who is passed over, what is told.

use latchkey::domain::{audit, users, users::UserInput};

use crate::support::{Answer, Caller, TestApp, between, csrf, parallel};

async fn people(app: &TestApp, n: usize) -> Vec<i64> {
    let make = |n: usize| {
        let app = app.clone();
        async move { app.user(&format!("person{n:02}")).await.id }
    };
    let mut ids = parallel((0..n).map(make)).await;
    ids.sort_unstable();
    ids
}

/// The hidden fields of the page's own form, and what is typed beside them.
fn fields<'a>(html: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let form = between(html, "<form class=\"card narrow\"", "</form>");
    let hidden = form.split("<input type=\"hidden\" name=\"").skip(1);
    let hidden = hidden.map(|rest| {
        let (name, rest) = rest.split_once('"').unwrap();
        (name, between(rest, "value=\"", "\""))
    });
    hidden.chain(more.iter().copied()).collect()
}

fn target(html: &str) -> String {
    let form = between(html, "<form class=\"card narrow\"", ">");
    between(form, "action=\"", "\"")
        .replace("&amp;", "&")
        .replace("&#x2F;", "/")
}

/// Chooses an act on the list, then says yes.
async fn act(browser: &Caller, query: &str, chosen: &[(&str, &str)]) -> (Answer, Answer) {
    let list = format!("/admin/users/{query}");
    let asked = browser
        .submit(&list, &format!("/admin/users/bulk/{query}"), chosen)
        .await;
    assert_eq!(asked.status, 200, "{asked:?}");
    let done = agree(browser, &asked, &[]).await;
    (asked, done)
}

pub async fn agree(browser: &Caller, asked: &Answer, more: &[(&str, &str)]) -> Answer {
    browser
        .post_form(&target(&asked.text), &fields(&asked.text, more))
        .await
}

/// The message on the page that one is sent to.
pub async fn told(browser: &Caller, done: &Answer) -> String {
    assert_eq!(done.status, 303, "{done:?}");
    let page = browser.get(done.redirect()).await.text;
    let note = between(&page, "<main class=\"main\"", "<div class=\"head\">");
    let title = between(note, "<h2>", "</h2>");
    let text = note.split_once("<p>").map_or("", |(_, rest)| rest);
    let text = text.split("</p>").next().unwrap();
    format!("{title} {text}").trim().to_owned()
}

async fn active(app: &TestApp) -> Vec<String> {
    let everybody: Vec<i64> = (0..500).collect();
    let found = users::some(&app.app, &everybody).await.unwrap();
    let active = found.into_iter().filter(|user| user.is_active);
    active.map(|user| user.username).collect()
}

both! {
    async fn nothing_is_done_before_the_page_that_asks_is_answered(app: &TestApp) {
        let ids = people(app, 3).await;
        let root = app.admin("root").await;
        let chosen = [("act", "disable"), ("id", &*ids[0].to_string()), ("id", &*ids[2].to_string())];
        let asked = root.submit("/admin/users/", "/admin/users/bulk/", &chosen).await;
        assert!(asked.text.contains("<h1>Disable 2 users?</h1>"), "{asked:?}");
        assert!(asked.text.matches("<b>person").count() == 2);
        assert_eq!(active(app).await.len(), 4);
        let done = agree(&root, &asked, &[]).await;
        assert_eq!(done.redirect(), "/admin/users/");
        assert_eq!(told(&root, &done).await, "2 disabled.");
        assert_eq!(active(app).await.len(), 2);
    }

    async fn whoever_acts_is_passed_over_and_the_result_says_so(app: &TestApp) {
        let ids = people(app, 2).await;
        let root = app.superuser("root").await;
        users::set_active(&app.app, &latchkey::domain::actor::Actor::operator(), ids[0], false)
            .await
            .unwrap();
        let browser = app.browser(&root).await;
        let (_, done) = act(&browser, "", &[("act", "disable"), ("all", "1")]).await;
        assert_eq!(
            told(&browser, &done).await,
            "1 disabled. 2 skipped: you, and 1 that was so already."
        );
        assert_eq!(active(app).await, ["root"]);
    }

    async fn staff_acts_on_nobody_who_is_staff(app: &TestApp) {
        let staff = |input| UserInput { is_staff: true, ..input };
        let clerk = app.user_with("clerk", staff).await;
        app.user_with("colleague", staff).await;
        app.superuser("root").await;
        app.user("ann").await;
        let browser = app.browser(&clerk).await;
        let (_, done) = act(&browser, "", &[("act", "delete"), ("all", "1")]).await;
        assert_eq!(
            told(&browser, &done).await,
            "1 deleted. 3 skipped: you, and 2 that only a superuser may touch."
        );
        assert_eq!(active(app).await, ["clerk", "colleague", "root"]);
    }

    async fn everything_that_the_filter_matches_and_nothing_else(app: &TestApp) {
        people(app, 60).await;
        app.user("other").await;
        let root = app.admin("root").await;
        let page = root.get("/admin/users/?q=person").await.text;
        assert!(page.contains("Select all 60 matching"), "{page}");
        let page = root.get("/admin/users/?q=person&all=1").await.text;
        assert!(page.contains("All 60 matching are selected"), "{page}");
        assert_eq!(page.matches("name=\"id\"").count(), page.matches("checked>").count() - 1);
        assert_eq!(page.matches("name=\"shown\"").count(), 25);
        let (asked, done) = act(&root, "?q=person", &[("act", "disable"), ("all", "1")]).await;
        assert!(asked.text.contains("<h1>Disable 60 users?</h1>"), "{asked:?}");
        assert!(asked.text.contains("and 50 more"), "{asked:?}");
        assert_eq!(done.redirect(), "/admin/users/?q=person");
        assert_eq!(told(&root, &done).await, "60 disabled.");
        assert_eq!(active(app).await.len(), 2);
    }

    async fn an_unticked_row_is_left_out_of_all(app: &TestApp) {
        let ids = people(app, 3).await;
        let root = app.admin("root").await;
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let mut chosen = vec![("act", "disable"), ("all", "1"), ("id", &*ids[0])];
        chosen.extend(ids.iter().map(|id| ("shown", id.as_str())));
        let (asked, done) = act(&root, "?q=person", &chosen).await;
        assert!(asked.text.contains("<h1>Disable 1 user?</h1>"), "{asked:?}");
        assert_eq!(told(&root, &done).await, "1 disabled.");
        assert_eq!(active(app).await.len(), 3);
    }

    async fn who_comes_after_the_question_is_not_touched(app: &TestApp) {
        let ids = people(app, 4).await;
        let root = app.admin("root").await;
        let query = "?q=person&status=active";
        let asked = root
            .submit(&format!("/admin/users/{query}"), &format!("/admin/users/bulk/{query}"),
                &[("act", "disable"), ("all", "1")])
            .await;
        let operator = latchkey::domain::actor::Actor::operator();
        users::set_active(&app.app, &operator, ids[1], false).await.unwrap();
        app.user("person99").await;
        let done = agree(&root, &asked, &[]).await;
        assert_eq!(
            told(&root, &done).await,
            "3 disabled. 4 matched when you were asked, 3 when it was done."
        );
        let mut left = active(app).await;
        left.sort();
        assert_eq!(left, ["person99", "root"]);
    }

    async fn each_has_its_audit_line_and_the_act_has_one(app: &TestApp) {
        people(app, 2).await;
        let root = app.admin("root").await;
        act(&root, "?q=person", &[("act", "sign-out"), ("all", "1")]).await;
        let events = audit::recent(&app.app, 3).await.unwrap();
        let actions: Vec<&str> = events.iter().map(|e| e.action.as_str()).collect();
        assert_eq!(
            actions,
            ["user.signed_out_everywhere", "user.signed_out_everywhere", "user.bulk"]
        );
        assert_eq!(events[2].object, "Sign out 2 users");
        assert!(events[2].detail.contains("q=person"), "{:?}", events[2]);
        assert!(events.iter().all(|e| e.actor == "root"));
    }

    async fn tokens_of_many_end_at_once(app: &TestApp) {
        let ann = app.token_user("ann").await;
        app.user("bob").await;
        let root = app.admin("root").await;
        assert_eq!(ann.get("/studentapi/").await.status, 200);
        let (_, done) = act(&root, "", &[("act", "revoke-tokens"), ("all", "1")]).await;
        assert_eq!(
            told(&root, &done).await,
            "Tokens of 1 revoked. 2 skipped: 2 that were so already."
        );
        assert_eq!(ann.get("/studentapi/").await.status, 401);
    }

    async fn the_page_that_asks_tells_how_much_stops_and_whom_it_skips(app: &TestApp) {
        let root = app.superuser("root").await;
        let ann = app.user("ann").await;
        app.browser(&ann).await;
        app.named_token_with(&ann, |new| new).await;
        let asked = async |browser: &Caller, act: &str, id: i64| {
            let chosen = [("act", act), ("id", &*id.to_string())];
            browser.submit("/admin/users/", "/admin/users/bulk/", &chosen).await.text
        };
        let browser = app.browser(&root).await;
        for act in ["disable", "delete"] {
            let page = asked(&browser, act, ann.id).await;
            assert!(page.contains("1 live API token, none used in the last 24 hours"), "{page}");
            assert!(page.contains("1 open session"), "{page}");
            assert!(!page.contains("skipped"), "nobody is: {page}");
        }
        let page = asked(&browser, "sign-out", ann.id).await;
        assert!(page.contains("1 open session") && !page.contains("live API token"), "{page}");
        let page = asked(&browser, "disable", root.id).await;
        assert!(page.contains("You are skipped<"), "{page}");
        let clerk = app.user_with("clerk", |input| UserInput { is_staff: true, ..input }).await;
        let page = asked(&app.browser(&clerk).await, "disable", ann.id).await;
        assert!(page.contains("Whoever only a superuser may touch is skipped"), "{page}");
    }

    async fn tokens_of_more_than_twenty_five_end_once_the_number_is_typed(app: &TestApp) {
        people(app, 26).await;
        let root = app.admin("root").await;
        let chosen = [("act", "revoke-tokens"), ("all", "1")];
        let (asked, refused) = act(&root, "?q=person", &chosen).await;
        assert!(asked.text.contains("Type 26 to go on"), "{asked:?}");
        assert_eq!(refused.status, 400, "{refused:?}");
        agree(&root, &asked, &[("typed", "26")]).await.redirect();
    }

    async fn an_address_of_an_act_that_is_opened_leads_to_the_list(app: &TestApp) {
        let root = app.admin("root").await;
        for (path, list) in [
            ("/admin/users/bulk/?q=ann&all=1", "/admin/users/?q=ann"),
            ("/admin/users/bulk/run/", "/admin/users/"),
            ("/admin/users/bulk/confirmed/?q=ann", "/admin/users/?q=ann"),
            ("/admin/tokens/bulk/confirmed/?state=revoked", "/admin/tokens/?state=revoked"),
            ("/admin/tokens/bulk/run/", "/admin/tokens/"),
            ("/admin/sessions/bulk/?role=staff", "/admin/sessions/?role=staff"),
            ("/admin/students/bulk/confirmed/?city=Pune", "/admin/students/?city=Pune"),
        ] {
            let answer = root.get(path).await;
            assert_eq!((answer.status, answer.redirect()), (303, list), "{path}");
        }
    }

    async fn the_way_back_from_the_password_is_the_list(app: &TestApp) {
        people(app, 2).await;
        let root = app.admin("root").await;
        app.clock.advance(600);
        let list = "/admin/users/?q=person";
        let chosen = [("act", "delete"), ("all", "1")];
        let asked = root.submit(list, "/admin/users/bulk/?q=person", &chosen).await;
        let hidden = fields(&asked.text, &[]);
        let plain: Vec<(&str, String)> = hidden
            .iter()
            .map(|(name, value)| (*name, value.replace("&#x2F;", "/").replace("&amp;", "&")))
            .collect();
        let plain: Vec<(&str, &str)> = plain.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let from = root.with("Host", "localhost").with("Referer", "http://localhost/admin/users/bulk/?q=person");
        let detour = from.post_form(&target(&asked.text), &plain).await;
        assert!(detour.text.contains("Confirm it is you"), "{detour:?}");
        let cancel = detour.text.replace("&#x2F;", "/").replace("&amp;", "&");
        assert!(cancel.contains(&format!("href=\"{list}\"")), "{cancel}");
        assert!(!cancel.contains("href=\"/admin/users/bulk/"), "{cancel}");
    }

    async fn sessions_of_many_end_at_once_but_not_ones_own(app: &TestApp) {
        let ann = app.browser(&app.user("ann").await).await;
        let root = app.admin("root").await;
        act(&root, "", &[("act", "sign-out"), ("all", "1")]).await;
        assert_eq!(ann.get("/dashboard/").await.status, 303);
        assert_eq!(root.get("/admin/").await.status, 200);
    }

    async fn many_are_deleted_only_once_their_number_is_typed(app: &TestApp) {
        people(app, 26).await;
        let root = app.admin("root").await;
        let chosen = [("act", "delete"), ("all", "1")];
        let asked = root
            .submit("/admin/users/?q=person", "/admin/users/bulk/?q=person", &chosen)
            .await;
        assert!(asked.text.contains("Type 26 to go on"), "{asked:?}");
        for typed in ["", "25"] {
            let refused = agree(&root, &asked, &[("typed", typed)]).await;
            assert_eq!(refused.status, 400, "{refused:?}");
            assert!(refused.text.contains("Type 26 to go on."), "{refused:?}");
            assert_eq!(active(app).await.len(), 27);
        }
        let done = agree(&root, &asked, &[("typed", "26")]).await;
        assert_eq!(told(&root, &done).await, "26 deleted.");
        assert_eq!(active(app).await, ["root"]);
    }

    async fn a_dangerous_act_has_no_way_round_the_password(app: &TestApp) {
        let ids = people(app, 1).await;
        let root = app.admin("root").await;
        let id = ids[0].to_string();
        for name in ["delete", "revoke-tokens"] {
            let fields = [("act", name), ("id", &*id), ("expected", "1")];
            let answer = root.submit("/admin/users/", "/admin/users/bulk/run/", &fields).await;
            assert_eq!(answer.status, 400, "{answer:?}");
        }
        assert_eq!(active(app).await.len(), 2);
    }

    async fn a_crafted_form_skips_neither_the_question_nor_the_audit_line(app: &TestApp) {
        let ids = people(app, 26).await;
        let root = app.admin("root").await;
        let (upto, to) = (ids[25].to_string(), "/admin/users/bulk/confirmed/?q=person");
        for crafted in [
            vec![("expected", "1"), ("upto", &*upto)],
            vec![("expected", "1"), ("upto", &*upto), ("after", "0"), ("done", "0")],
        ] {
            let mut fields = vec![("act", "delete"), ("all", "1")];
            fields.extend(crafted);
            let answer = root.submit("/admin/users/", to, &fields).await;
            assert_eq!(answer.status, 200);
            assert!(answer.text.contains("Type 26 to go on"), "asked first: {answer:?}");
        }
        assert_eq!(active(app).await.len(), 27);
        let asked = root
            .submit("/admin/users/?q=person", "/admin/users/bulk/?q=person", &[("act", "delete"), ("all", "1")])
            .await;
        let crafted = [("expected", "1"), ("after", "0"), ("done", "25"), ("typed", "")];
        assert_eq!(agree(&root, &asked, &crafted).await.status, 400, "the number is to be typed");
        let done = agree(&root, &asked, &[("typed", "26"), ("expected", "1"), ("after", "0")]).await;
        assert_eq!(told(&root, &done).await, "26 deleted.");
        assert!(app.audited().await.contains(&"user.bulk".to_owned()));
    }

    async fn nonsense_is_refused_and_changes_nothing(app: &TestApp) {
        people(app, 2).await;
        let root = app.admin("root").await;
        let html = root.get("/admin/users/").await.text;
        let token = csrf(&html);
        for path in ["/admin/users/bulk/", "/admin/users/bulk/run/", "/admin/users/bulk/confirmed/"] {
            for (fields, expected) in [
                (vec![("act", "dance"), ("all", "1")], 400),
                (vec![("all", "1")], 400),
                (vec![("act", "disable")], 303),
                (vec![("act", "disable"), ("id", "x"), ("id", "99999999999999999999")], 303),
            ] {
                let mut fields = fields.clone();
                fields.push(("csrfmiddlewaretoken", token));
                let answer = root.post_form(path, &fields).await;
                assert_eq!(answer.status, expected, "{path} {fields:?}: {answer:?}");
            }
        }
        let gone = [("act", "disable"), ("id", "4711"), ("id", "4712"), ("expected", "2")];
        let asked = root.submit("/admin/users/", "/admin/users/bulk/run/", &gone).await;
        assert!(asked.text.contains("<h1>Disable 2 users?</h1>"), "{asked:?}");
        let done = agree(&root, &asked, &[]).await;
        assert_eq!(told(&root, &done).await, "Nothing was done. 2 skipped: 2 that are gone.");
        assert_eq!(active(app).await.len(), 3);
    }
}
