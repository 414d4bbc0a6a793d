//! Acts on many tokens and sessions: the evidence that is shown first, what is done, what is passed over, and files.

use latchkey::domain::{
    actor::Actor,
    scopes::{Scope, Scopes},
    tokens::{self, NewToken, TokenState},
    usage,
    users::UserInput,
};

use crate::{
    pages_bulk::{agree, told},
    support::{Answer, Caller, TestApp, nothing_inline},
};

const DAY: i64 = 86_400;

/// Chooses an act on a list.
async fn ask(browser: &Caller, list: &str, query: &str, chosen: &[(&str, &str)]) -> Answer {
    let (page, to) = (format!("{list}{query}"), format!("{list}bulk/{query}"));
    let asked = browser.submit(&page, &to, chosen).await;
    assert_eq!(asked.status, 200, "{asked:?}");
    nothing_inline(&asked);
    asked
}

async fn state(app: &TestApp, id: i64) -> TokenState {
    let row = tokens::get(&app.app, id).await.unwrap();
    tokens::state(&row.token, app.app.now())
}

async fn ends(app: &TestApp, id: i64) -> Option<i64> {
    tokens::get(&app.app, id).await.unwrap().token.expires_at
}

async fn staff(app: &TestApp, name: &str) -> latchkey::domain::users::User {
    let staff = |input| UserInput {
        is_staff: true,
        ..input
    };
    app.user_with(name, staff).await
}

fn texts(ids: &[i64]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

both! {
    async fn how_much_tokens_are_in_use_is_told_before_they_end(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let (used, key) = app.named_token_with(&ann, |new| NewToken { name: "Deploy".to_owned(), ..new }).await;
        let (idle, _) = app.named_token_with(&ann, |new| new).await;
        let (gone, _) = app.named_token_with(&ann, |new| new).await;
        tokens::revoke(&app.app, &Actor::operator(), gone).await.unwrap();
        let caller = app.anonymous().token(&key);
        for _ in 0..3 {
            caller.get("/studentapi/").await.expect(200);
        }
        usage::flush(&app.app).await.unwrap();
        let ids = texts(&[used, idle, gone]);
        let mut chosen = vec![("act", "revoke")];
        chosen.extend(ids.iter().map(|id| ("id", id.as_str())));
        let asked = ask(&root, "/admin/tokens/", "?state=all", &chosen).await;
        for text in [
            "<h1>Revoke 3 tokens?</h1>",
            "1 of 3 used in the last hour: 3 requests",
            "2 active, 1 revoked",
            "“Deploy” of ann (3 requests in 24 h)",
            "This cannot be undone.",
        ] {
            assert!(asked.text.contains(text), "{text}: {}", asked.text);
        }
        assert_eq!(state(app, used).await, TokenState::Active, "only asked");
        let done = agree(&root, &asked, &[]).await;
        assert_eq!(told(&root, &done).await, "2 revoked. 1 skipped: 1 that was so already.");
        assert_eq!(state(app, used).await, TokenState::Revoked);
        caller.get("/studentapi/").await.is_detail(401, "Invalid token.");
        let audited = app.audited().await;
        assert_eq!(audited[..3], ["token.revoked", "token.revoked", "token.bulk"], "{audited:?}");
    }

    async fn all_tokens_of_a_filter_end_once_their_number_is_typed(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let ben = app.user("ben").await;
        for n in 0..27 {
            let name = format!("old {n}");
            app.named_token_with(&ann, |new| NewToken { name, ..new }).await;
        }
        let (kept, _) = app.named_token_with(&ben, |new| new).await;
        let query = "?owner=ann&kind=named";
        let page = root.get(&format!("/admin/tokens/{query}")).await.text;
        assert!(page.contains("Select all 27 matching"), "{page}");
        let asked = ask(&root, "/admin/tokens/", query, &[("act", "revoke"), ("all", "1")]).await;
        assert!(asked.text.contains("None was used in the last 24 hours"), "{}", asked.text);
        assert!(asked.text.contains("Type 27 to go on"), "{}", asked.text);
        assert_eq!(agree(&root, &asked, &[("typed", "26")]).await.status, 400);
        let done = agree(&root, &asked, &[("typed", "27")]).await;
        assert_eq!(done.redirect(), "/admin/tokens/?kind=named&owner=ann");
        assert_eq!(told(&root, &done).await, "27 revoked.");
        assert_eq!(state(app, kept).await, TokenState::Active);
    }

    async fn staff_ends_and_extends_no_token_of_staff(app: &TestApp) {
        let clerk = staff(app, "clerk").await;
        let colleague = staff(app, "colleague").await;
        let (theirs, _) = app.named_token_with(&colleague, |new| new).await;
        let (anns, _) = app.named_token_with(&app.user("ann").await, |new| NewToken { expires_at: Some(app.app.now() + DAY), ..new }).await;
        let browser = app.browser(&clerk).await;
        for (act, said) in [("extend", "1 extended."), ("revoke", "1 revoked.")] {
            let asked = ask(&browser, "/admin/tokens/", "", &[("act", act), ("all", "1")]).await;
            let done = agree(&browser, &asked, &[("answer", "90")]).await;
            assert_eq!(told(&browser, &done).await, format!("{said} 1 skipped: 1 that only a superuser may touch."));
        }
        assert_eq!((state(app, theirs).await, state(app, anns).await), (TokenState::Active, TokenState::Revoked));
    }

    async fn many_are_extended_and_none_is_made_to_end_earlier(app: &TestApp) {
        let root = app.superuser("root").await;
        let now = app.app.now();
        let mut made = Vec::new();
        for life in [Some(DAY), Some(365 * DAY), None, Some(60)] {
            let expires_at = life.map(|life| now + life);
            made.push(app.named_token_with(&root, |new| NewToken { expires_at, ..new }).await.0);
        }
        app.default_token(&root).await;
        let (rotated, _) = app.named_token_with(&root, |new| new).await;
        tokens::rotate(&app.app, &Actor::operator(), rotated, 3600).await.unwrap();
        app.clock.advance(61);
        let browser = app.browser(&root).await;
        let asked = ask(&browser, "/admin/tokens/", "?state=all", &[("act", "extend"), ("all", "1")]).await;
        assert!(asked.text.contains("6 active, 1 expired"), "{}", asked.text);
        for nonsense in [&[][..], &[("answer", "8")], &[("answer", "on")]] {
            let refused = agree(&browser, &asked, nonsense).await;
            assert_eq!(refused.status, 400, "{refused:?}");
            assert!(refused.text.contains("Choose one of the list."), "{refused:?}");
        }
        let done = agree(&browser, &asked, &[("answer", "")]).await;
        // Rotated gave a fourth that never ends.
        assert_eq!(
            told(&browser, &done).await,
            "2 extended. 5 skipped: 3 that were so already, 1 that has ended, and 1 that was rotated."
        );
        assert_eq!((ends(app, made[0]).await, ends(app, made[1]).await), (None, None));
        let (short, _) = app.named_token_with(&root, |new| NewToken { expires_at: Some(now + DAY), ..new }).await;
        let asked = ask(&browser, "/admin/tokens/", "?state=all", &[("act", "extend"), ("all", "1")]).await;
        let done = agree(&browser, &asked, &[("answer", "90")]).await;
        assert!(told(&browser, &done).await.starts_with("1 extended. "), "{done:?}");
        assert_eq!(ends(app, short).await, Some(app.app.now() + 90 * DAY));
        assert_eq!(state(app, made[3]).await, TokenState::Expired, "never comes back");
        assert!(ends(app, rotated).await < Some(now + DAY), "it was rotated so that it ends");
    }

    async fn sessions_of_a_filter_end_but_the_one_that_asks(app: &TestApp) {
        let root = app.superuser("root").await;
        let (here, there) = (app.browser(&root).await, app.browser(&root).await);
        let ann = app.browser(&app.user("ann").await).await;
        let asked = ask(&here, "/admin/sessions/", "", &[("act", "end"), ("all", "1")]).await;
        for text in ["<h1>End 3 sessions?</h1>", "API tokens and JWTs go on working", "<b>ann on "] {
            assert!(asked.text.contains(text), "{text}: {}", asked.text);
        }
        assert_eq!(ann.get("/account/").await.status, 200, "only asked");
        let done = agree(&here, &asked, &[]).await;
        assert_eq!(told(&here, &done).await, "2 ended. 1 skipped: the session you are in.");
        for browser in [&there, &ann] {
            assert!(browser.get("/account/").await.redirect().starts_with("/login/"));
        }
        let ben = app.browser(&app.user("ben").await).await;
        let cleo = app.browser(&app.user("cleo").await).await;
        let asked = ask(&here, "/admin/sessions/", "?q=be", &[("act", "end"), ("all", "1")]).await;
        let done = agree(&here, &asked, &[]).await;
        assert_eq!(told(&here, &done).await, "1 ended.");
        assert!(ben.get("/account/").await.redirect().starts_with("/login/"));
        assert_eq!(cleo.get("/account/").await.status, 200);
    }

    async fn a_file_of_tokens_has_what_the_list_shows_and_nothing_that_opens_a_door(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let (id, key) = app.named_token_with(&ann, |new| NewToken {
            name: "=cmd|' /C calc'!A0".to_owned(),
            scopes: Scopes::of([Scope::StudentsRead]),
            ..new
        }).await;
        let default = app.default_token(&app.user("ben").await).await;
        let file = root.get("/admin/tokens/export/").await;
        assert_eq!(file.header("Content-Type"), Some("text/csv; charset=utf-8; header=present"));
        assert!(file.header("Content-Disposition").unwrap().contains("tokens.csv"));
        assert_eq!(file.text.lines().count(), 3, "{file:?}");
        let line = format!("{id},ann,\"'=cmd|' /C calc'!A0\",named,{},students:read,active,", &key[..8]);
        assert!(file.text.contains(&line), "{file:?}");
        for secret in [&key, &default, &hex::encode(app.app.keys.token_digest(&key))] {
            assert!(!file.text.contains(secret.as_str()));
        }
        let narrowed = root.get("/admin/tokens/export/?access=limited").await;
        assert_eq!(narrowed.text.lines().count(), 2, "{narrowed:?}");
        let id = id.to_string();
        let fields = [("act", "export"), ("id", id.as_str())];
        let ticked = root.submit("/admin/tokens/", "/admin/tokens/export/", &fields).await;
        assert_eq!((ticked.status, ticked.text.lines().count()), (200, 2), "{ticked:?}");
        let nothing = root.submit("/admin/tokens/", "/admin/tokens/export/", &[]).await;
        assert_eq!(nothing.redirect(), "/admin/tokens/");
        assert_eq!(app.audited().await[..3], ["token.bulk", "token.bulk", "token.bulk"]);
    }

    async fn a_file_of_users_has_all_of_the_filter_and_no_hash(app: &TestApp) {
        let root = app.admin("root").await;
        for n in 0..230 {
            app.user(&format!("person{n:03}")).await;
        }
        app.user_with("other", |input| UserInput { first_name: "-1+1".to_owned(), ..input }).await;
        let file = root.get("/admin/users/export/?q=person").await;
        assert_eq!(file.text.lines().count(), 231, "more than one batch");
        assert!(file.text.starts_with("id,username,email,email_verified,first_name,"), "{file:?}");
        assert!(file.text.contains(",person229,"));
        let other = root.get("/admin/users/export/?q=other").await.text;
        assert!(other.contains(",other,,,\"'-1+1\",,yes,no,no,"), "{other}");
        assert!(!other.contains("argon2") && !other.contains('$'), "{other}");
        let all = root.submit("/admin/users/", "/admin/users/export/?q=person", &[("all", "1")]).await;
        assert_eq!(all.text.lines().count(), 231);
        let noted = latchkey::domain::audit::recent(&app.app, 1).await.unwrap();
        assert_eq!((noted[0].action.as_str(), noted[0].object.as_str()), ("user.bulk", "Export 230 users"));
        assert!(noted[0].detail.contains("q=person"), "{:?}", noted[0]);
    }

    async fn tokens_are_filtered_by_kind_access_owner_and_end(app: &TestApp) {
        let root = app.admin("root").await;
        let (ann, ben) = (app.user("ann").await, app.user("annabel").await);
        let now = app.app.now();
        let read = Scopes::of([Scope::StudentsRead, Scope::UsersRead]);
        for (owner, name, scopes, life) in [
            (&ann, "a-full", Scopes::FULL, None),
            (&ann, "a-read", read, Some(5 * DAY)),
            (&ben, "b-write", Scopes::of([Scope::StudentsWrite]), Some(60 * DAY)),
        ] {
            let expires_at = life.map(|life| now + life);
            let new = |new| NewToken { name: name.to_owned(), scopes, expires_at, ..new };
            app.named_token_with(owner, new).await;
        }
        app.default_token(&ben).await;
        for (query, names) in [
            ("kind=default", &["Default token"][..]),
            ("kind=named", &["a-full", "a-read", "b-write"]),
            ("access=full", &["a-full", "Default token"]),
            ("access=limited", &["a-read", "b-write"]),
            ("access=users:read", &["a-read"]),
            ("access=students:write&owner=ann", &[]),
            ("owner=ann", &["a-full", "a-read"]),
            ("owner=%20Annabel", &[]),
            ("owner=annabel&kind=named", &["b-write"]),
            ("ends=never", &["a-full", "Default token"]),
            ("ends=7", &["a-read"]),
            ("ends=90&q=ann", &["a-read", "b-write"]),
            ("owner=a%00nn", &[]),
            ("kind=x&access=y&ends=z", &["a-full", "a-read", "b-write", "Default token"]),
        ] {
            let html = root.get(&format!("/admin/tokens/?{query}")).await.text;
            for name in ["a-full", "a-read", "b-write", "Default token"] {
                let is_listed = html.contains(&format!("/\">{name}</a>"));
                assert_eq!(is_listed, names.contains(&name), "{query}: {name}");
            }
        }
        let html = root.get("/admin/tokens/?ends=7&owner=ann").await.text;
        assert!(html.contains("Owner: ann") && html.contains("Expires in 7 days<svg"), "{html}");
    }
}
