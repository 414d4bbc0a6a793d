//! How much a token is in use, told before it is ended; other ends for tokens; whose tokens staff looks into.

use latchkey::domain::{
    actor::Actor,
    tokens::{self, NewToken},
    usage::{self, Recent},
    users::UserInput,
};
use sea_orm::{ConnectionTrait, Statement};

use crate::support::{Caller, TestApp, between, nothing_inline};

const DAY: i64 = 86_400;

async fn flush(app: &TestApp) {
    usage::flush(&app.app).await.unwrap();
}

async fn number(app: &TestApp, sql: &str) -> i64 {
    let db = app.app.db.read();
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

async fn staff(app: &TestApp) -> Caller {
    let staff = |input| UserInput {
        is_staff: true,
        ..input
    };
    app.browser(&app.user_with("staff", staff).await).await
}

both! {
    async fn the_last_hour_and_day_are_told_before_a_token_is_ended(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let (id, key) = app.named_token_with(&ann, |new| new).await;
        let caller = app.anonymous().token(&key);
        let revoke = format!("/admin/tokens/{id}/revoke/");
        assert!(root.get(&revoke).await.text.contains("It has not been used yet."));
        for _ in 0..3 {
            caller.at("192.0.2.7").get("/studentapi/").await.expect(200);
        }
        flush(app).await;
        app.clock.advance(7200);
        caller.at("192.0.2.8").get("/studentapi/").await.expect(200);
        flush(app).await;
        let recent = tokens::get(&app.app, id).await.unwrap().recent;
        assert_eq!(recent, Recent { last_hour: 1, last_day: 4 });
        let page = root.get(&revoke).await;
        for text in [
            "Used once in the last hour and 4 times in the last 24 hours, last from 192.0.2.8.",
            "Those requests will get 401 at once.",
            "This cannot be undone.",
        ] {
            assert!(page.text.contains(text), "{text}: {}", page.text);
        }
        let page = root.get(&format!("/admin/tokens/{id}/rotate/")).await;
        assert!(page.text.contains("Used once in the last hour"), "{}", page.text);
        let page = root.get(&format!("/admin/tokens/{id}/")).await;
        nothing_inline(&page);
        for text in ["1 in the last hour, 4 in the last 24 hours", "192.0.2.7", "192.0.2.8", "3 requests"] {
            assert!(page.text.contains(text), "{text}: {}", page.text);
        }
        app.clock.advance(DAY + 7200);
        let later = tokens::get(&app.app, id).await.unwrap().recent;
        assert_eq!(later, Recent::default());
        app.clock.advance(DAY);
        usage::sweep(&app.app).await.unwrap();
        assert_eq!(number(app, "SELECT COUNT(*) FROM token_slots").await, 0);
    }

    async fn the_last_twenty_addresses_are_kept(app: &TestApp) {
        let ann = app.user("ann").await;
        let (id, _) = app.named_token_with(&ann, |new| new).await;
        for n in 0..50_i64 {
            let at = app.app.now() + n;
            app.app.usage.note(id, at, &format!("192.0.2.{n}"));
            if n % 7 == 0 {
                flush(app).await;
            }
        }
        flush(app).await;
        let seen = usage::addresses_of(&app.app, id).await.unwrap();
        assert_eq!((seen.len(), seen[0].address.as_str()), (20, "192.0.2.49"));
        assert_eq!(seen[19].address, "192.0.2.30");
        assert_eq!(number(app, "SELECT COUNT(*) FROM token_addresses").await, 20);
    }

    async fn a_flush_of_many_tokens_is_a_few_statements(app: &TestApp) {
        let ann = app.user("ann").await;
        for _ in 0..30 {
            let (id, _) = app.named_token_with(&ann, |new| new).await;
            app.app.usage.note(id, app.app.now(), "192.0.2.7");
        }
        let before = app.statements();
        flush(app).await;
        assert!(app.statements() - before <= 8, "{}", app.statements() - before);
    }

    async fn a_token_gets_another_end(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let ends = app.app.now() + DAY;
        let (id, key) = app.named_token_with(&ann, |new| NewToken { expires_at: Some(ends), ..new }).await;
        app.anonymous().token(&key).get("/studentapi/").await.expect(200);
        let path = format!("/admin/tokens/{id}/extend/");
        root.submit(&path, &path, &[("expires", "on"), ("on", "2026-12-31")]).await.redirect();
        let token = tokens::get(&app.app, id).await.unwrap().token;
        assert_eq!(token.expires_at, Some(1_798_761_599), "the end of that day, UTC");
        app.clock.advance(2 * DAY);
        app.anonymous().token(&key).get("/studentapi/").await.expect(200);
        assert_eq!(app.audited().await[0], "token.extended");
        // Sessions do not last that long.
        let root = app.browser(&app.find_user("root").await).await;
        root.submit(&path, &path, &[("expires", "")]).await.redirect();
        assert_eq!(tokens::get(&app.app, id).await.unwrap().token.expires_at, None);
        for (fields, says) in [
            ([("expires", "on"), ("on", "2020-01-01")], "This is in the past."),
            ([("expires", "on"), ("on", "tomorrow")], "Type a date such as 2027-01-31."),
            ([("expires", "8"), ("on", "")], "Choose one of the list."),
        ] {
            let refused = root.submit(&path, &path, &fields).await;
            assert_eq!(refused.status, 400);
            assert!(refused.text.contains(says), "{}", refused.text);
        }
        tokens::revoke(&app.app, &Actor::operator(), id).await.unwrap();
        let ended = root.submit("/admin/tokens/new/", &path, &[("expires", "90")]).await;
        assert_eq!(ended.status, 409);
        assert!(ended.text.contains("never comes back"), "{}", ended.text);
    }

    #[with(("LATCHKEY_TOKEN_LONGEST_LIFE", "864000"))]
    async fn no_end_is_later_than_the_server_allows(app: &TestApp) {
        let ann = app.user("ann").await;
        let (id, _) = app.named_token_with(&ann, |new| new).await;
        let by = Actor::operator();
        let late = Some(app.app.now() + 11 * DAY);
        assert!(tokens::extend(&app.app, &by, id, late).await.is_err());
        let token = tokens::extend(&app.app, &by, id, None).await.unwrap();
        assert_eq!(token.expires_at, Some(app.app.now() + 10 * DAY));
    }

    async fn the_default_token_is_shown_again_and_that_is_audited(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let key = app.default_token(&ann).await;
        let token = tokens::find_default(&app.app, ann.id).await.unwrap().unwrap();
        let (page, show) = (format!("/admin/tokens/{}/", token.id), format!("/admin/tokens/{}/show/", token.id));
        let shown = root.submit(&page, &show, &[]).await.redirect().to_owned();
        let answer = root.get(&shown).await;
        assert_eq!(between(&answer.text, "id=\"token\" readonly value=\"", "\""), key);
        assert!(app.audited().await.contains(&"token.shown".to_owned()));
        let (named, _) = app.named_token_with(&ann, |new| new).await;
        let refused = root.submit(&page, &format!("/admin/tokens/{named}/show/"), &[]).await;
        assert_eq!(refused.status, 404);
        tokens::revoke(&app.app, &Actor::operator(), token.id).await.unwrap();
        assert_eq!(root.submit("/admin/tokens/new/", &show, &[]).await.status, 404);
    }

    async fn staff_does_not_look_into_tokens_of_those_whom_it_may_not_touch(app: &TestApp) {
        let root = app.superuser("root").await;
        app.default_token(&root).await;
        let default = tokens::find_default(&app.app, root.id).await.unwrap().unwrap().id;
        let (id, _) = app.named_token_with(&root, |new| new).await;
        let staff = staff(app).await;
        assert!(staff.get("/admin/tokens/").await.text.contains("root"), "the line is there");
        for path in ["", "rotate/", "revoke/", "extend/"] {
            let answer = staff.get(&format!("/admin/tokens/{id}/{path}")).await;
            assert_eq!(answer.status, 403, "{path}");
        }
        for path in ["rotate/", "revoke/", "extend/", ""] {
            let fields = [("grace", "0"), ("expires", "90"), ("name", "mine")];
            let answer = staff.submit("/admin/tokens/", &format!("/admin/tokens/{id}/{path}"), &fields).await;
            assert_eq!(answer.status, 403, "{path}");
        }
        let show = format!("/admin/tokens/{default}/show/");
        assert_eq!(staff.submit("/admin/tokens/", &show, &[]).await.status, 403);
        let ann = app.user("ann").await;
        let (id, _) = app.named_token_with(&ann, |new| new).await;
        assert_eq!(staff.get(&format!("/admin/tokens/{id}/")).await.status, 200);
    }
}
