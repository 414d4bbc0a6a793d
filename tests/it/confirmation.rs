//! The password again before dangerous acts: when it is asked for, that what was typed survives, and
//! that the detour opens no other way in.

use latchkey::{
    checks::Affects,
    domain::{actor::Actor, sessions, users},
    secret::Password,
};
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::support::{Answer, Caller, PASSWORD, TestApp, between, csrf};

/// Seconds after which the password is asked for again.
const GOOD_FOR: i64 = 600;

/// The page that asks, in answer to a form.
async fn asked(caller: &Caller, page: &str, to: &str, fields: &[(&str, &str)]) -> Answer {
    let answer = caller.submit(page, to, fields).await;
    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(answer.text.contains("Confirm it is you"), "{answer:?}");
    answer
}

fn sealed(answer: &Answer) -> String {
    between(&answer.text, "name=\"sealed_form\" value=\"", "\"").to_owned()
}

/// Answers the page that asks, as a browser does.
async fn show(caller: &Caller, asked: &Answer, to: &str, password: &str) -> Answer {
    let sealed = sealed(asked);
    let fields = [
        ("csrfmiddlewaretoken", csrf(&asked.text)),
        ("sealed_form", sealed.as_str()),
        ("password", password),
    ];
    caller.post_form(to, &fields).await
}

both! {
    async fn a_dangerous_act_waits_for_the_password_and_then_happens(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        app.clock.advance(GOOD_FOR);
        let to = format!("/admin/users/{}/delete/", ann.id);
        let fields = [("confirm_act", "Delete ann")];
        let asked = asked(&root, &to, &to, &fields).await;
        assert!(asked.text.contains("Delete ann"), "it says what waits");
        assert!(users::find(&app.app, ann.id).await.unwrap().is_some());
        let done = show(&root, &asked, &to, PASSWORD).await;
        assert_eq!(done.redirect(), "/admin/users/");
        assert!(users::find(&app.app, ann.id).await.unwrap().is_none());
        let audited = app.audited().await;
        assert_eq!(audited[..2], ["user.deleted", "session.confirmed"]);
    }

    async fn within_ten_minutes_of_a_sign_in_nothing_is_asked(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        app.clock.advance(GOOD_FOR - 1);
        let to = format!("/admin/users/{}/delete/", ann.id);
        root.submit(&to, &to, &[]).await.redirect();
    }

    async fn a_confirmation_is_shown_lasts_ten_minutes_and_can_be_ended(app: &TestApp) {
        let root = app.admin("root").await;
        assert!(!root.get("/admin/").await.text.contains("Elevated"), "by signing in alone");
        app.clock.advance(GOOD_FOR);
        let shown = root.get("/admin/reauth/?next=/admin/keys/").await;
        let fields = [
            ("csrfmiddlewaretoken", csrf(&shown.text)),
            ("next", "/admin/keys/"),
            ("password", PASSWORD),
        ];
        let done = root.post_form("/admin/reauth/", &fields).await;
        assert_eq!(done.redirect(), "/admin/keys/");
        app.clock.advance(125);
        assert!(root.get("/admin/").await.text.contains("<span>Elevated, </span>8 min"));
        root.submit("/admin/keys/", "/admin/keys/rotate/", &[]).await.redirect();
        let ended = root.submit("/admin/", "/account/confirmation/end/", &[("next", "/admin/keys/")]);
        assert_eq!(ended.await.redirect(), "/admin/keys/");
        assert!(!root.get("/admin/").await.text.contains("Elevated"));
        asked(&root, "/admin/keys/", "/admin/keys/rotate/", &[]).await;
        assert_eq!(app.audited().await[0], "session.confirmation_ended");
    }

    async fn a_confirmation_is_of_one_session_and_of_ten_minutes(app: &TestApp) {
        let user = app.superuser("root").await;
        let (here, there) = (app.browser(&user).await, app.browser(&user).await);
        app.clock.advance(GOOD_FOR);
        let to = "/admin/keys/rotate/";
        let page = asked(&here, "/admin/keys/", to, &[]).await;
        show(&here, &page, to, PASSWORD).await.redirect();
        here.submit("/admin/keys/", to, &[]).await.redirect();
        asked(&there, "/admin/keys/", to, &[]).await;
        app.clock.advance(GOOD_FOR);
        asked(&here, "/admin/keys/", to, &[]).await;
    }

    async fn what_was_typed_survives_and_passwords_are_not_in_the_page(app: &TestApp) {
        let root = app.admin("root").await;
        app.clock.advance(GOOD_FOR);
        let name = " Å\u{301}<b>&\"'\u{1f511}".trim();
        let fields = [
            ("username", "zoe"),
            ("first_name", name),
            ("password", "correct horse <battery>"),
            ("confirm_password", "correct horse <battery>"),
            ("is_active", "on"),
            ("is_staff", "on"),
        ];
        let to = "/admin/users/new/";
        let asked = asked(&root, to, to, &fields).await;
        assert!(asked.text.contains("Add zoe as staff"));
        for secret in ["battery", "Y29ycmVjdCBob3JzZ"] {
            assert!(!asked.text.contains(secret), "{secret}");
        }
        show(&root, &asked, to, PASSWORD).await.redirect();
        let zoe = app.find_user("zoe").await;
        assert!(zoe.is_staff && zoe.first_name == name, "{:?}", zoe.first_name);
        let by = Actor::operator();
        let password = Password::new("correct horse <battery>");
        let signed_in = latchkey::domain::login::authenticate(&app.app, "zoe", password, &by).await;
        assert!(signed_in.is_ok());
    }

    async fn repeated_fields_survive_too(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        app.clock.advance(GOOD_FOR);
        let fields = [
            ("owner", "ann"),
            ("kind", "named"),
            ("name", "CI"),
            ("expires", ""),
            ("access", "some"),
            ("scope", "students:read"),
            ("scope", "users:write"),
        ];
        let to = "/admin/tokens/new/";
        let asked = asked(&root, to, to, &fields).await;
        assert!(asked.text.contains("Create a token for ann"));
        show(&root, &asked, to, PASSWORD).await.redirect();
        let made = latchkey::domain::tokens::list_for(&app.app, ann.id).await.unwrap();
        assert_eq!(made[0].scopes, "students:read users:write");
    }

    async fn a_waiting_form_is_good_in_no_other_session_and_at_no_other_address(app: &TestApp) {
        let user = app.superuser("root").await;
        let (here, there) = (app.browser(&user).await, app.browser(&user).await);
        let (ann, ben) = (app.user("ann").await, app.user("ben").await);
        app.clock.advance(GOOD_FOR);
        let to = format!("/admin/users/{}/delete/", ann.id);
        let waits = asked(&here, &to, &to, &[]).await;
        let sealed = sealed(&waits);
        let other = format!("/admin/users/{}/delete/", ben.id);
        for (caller, address) in [(&there, &to), (&here, &other)] {
            let token = caller.get("/admin/").await;
            let fields = [
                ("csrfmiddlewaretoken", csrf(&token.text)),
                ("sealed_form", sealed.as_str()),
                ("password", PASSWORD),
            ];
            let refused = caller.post_form(address, &fields).await;
            assert_eq!(refused.status, 403, "{refused:?}");
            assert!(refused.text.contains("This form has expired"));
        }
        for id in [ann.id, ben.id] {
            assert!(users::find(&app.app, id).await.unwrap().is_some());
        }
        assert!(!app.audited().await.contains(&"session.confirmed".to_owned()));
    }

    async fn a_form_does_not_wait_for_ever(app: &TestApp) {
        let root = app.admin("root").await;
        app.clock.advance(GOOD_FOR);
        let to = "/admin/keys/rotate/";
        let waits = asked(&root, "/admin/keys/", to, &[]).await;
        app.clock.advance(600);
        let late = show(&root, &waits, to, PASSWORD).await;
        assert_eq!(late.status, 403);
        assert!(late.text.contains("This form has expired"), "{late:?}");
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn wrong_passwords_are_counted_as_at_sign_in_and_end_in_a_pause(app: &TestApp) {
        let root = app.admin("root").await;
        app.clock.advance(GOOD_FOR);
        let to = "/admin/keys/rotate/";
        let mut page = asked(&root, "/admin/keys/", to, &[]).await;
        for left in (0..10).rev() {
            page = show(&root, &page, to, "a wrong one").await;
            assert_eq!(page.status, 400, "{page:?}");
            assert!(page.text.contains("That did not match"));
            let told = match left {
                0 => "That was the last try".to_owned(),
                1 => "1 try left".to_owned(),
                n => format!("{n} tries left"),
            };
            assert!(page.text.contains(&told), "{told}: {page:?}");
        }
        page = show(&root, &page, to, PASSWORD).await;
        assert_eq!(page.status, 429, "{page:?}");
        assert!(page.header("Retry-After").is_some());
        let fields = [("username", "root"), ("password", PASSWORD)];
        let door = app.anonymous().with("Accept", "text/html");
        let signed_in = door.submit("/login/", "/login/", &fields).await;
        assert_eq!(signed_in.status, 429, "one count for both doors");
        // The last of them began the pause, which is written down as well.
        let latest = app.audited().await;
        assert!(latest[..2].iter().any(|action| action == "user.login_failed"), "{latest:?}");
    }

    async fn only_what_is_dangerous_in_the_account_form_asks(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        app.clock.advance(GOOD_FOR);
        let to = format!("/admin/users/{}/", ann.id);
        let name = [
            ("version", "1"),
            ("username", "ann"),
            ("first_name", "Ann"),
            ("is_active", "on"),
        ];
        root.submit(&to, &to, &name).await.redirect();
        let rights = [
            ("version", "2"),
            ("username", "ann"),
            ("first_name", "Ann"),
            ("is_active", "on"),
            ("is_superuser", "on"),
        ];
        let page = asked(&root, &to, &to, &rights).await;
        assert!(page.text.contains("Make ann a superuser"), "{page:?}");
        show(&root, &page, &to, PASSWORD).await.redirect();
        assert!(app.find_user("ann").await.is_superuser);
    }

    async fn own_tokens_need_no_password_and_those_of_others_do(app: &TestApp) {
        let user = app.superuser("root").await;
        let root = app.browser(&user).await;
        let ann = app.user("ann").await;
        let (own, _) = app.named_token_with(&user, |new| new).await;
        let (theirs, _) = app.named_token_with(&ann, |new| new).await;
        app.clock.advance(GOOD_FOR);
        for act in ["rotate", "revoke"] {
            let to = format!("/admin/tokens/{theirs}/{act}/");
            asked(&root, &to, &to, &[("grace", "3600")]).await;
        }
        let to = format!("/admin/tokens/{own}/revoke/");
        root.submit(&to, &to, &[]).await.redirect();
    }

    async fn ones_own_address_asks_in_the_panel_as_in_the_account(app: &TestApp) {
        let user = app.superuser("root").await;
        let root = app.browser(&user).await;
        app.clock.advance(GOOD_FOR);
        let to = format!("/admin/users/{}/", user.id);
        let fields = [
            ("version", "1"),
            ("username", "root"),
            ("email", "elsewhere@example.org"),
            ("is_active", "on"),
            ("is_staff", "on"),
            ("is_superuser", "on"),
        ];
        let page = asked(&root, &to, &to, &fields).await;
        assert!(page.text.contains("Change the e-mail of root"), "{page:?}");
    }

    async fn over_the_api_a_browser_shows_the_password_for_tokens_of_others(app: &TestApp) {
        let root = app.admin("root").await;
        app.user("ann").await;
        let html = root.get("/admin/").await.text;
        let script = root.with("Accept", "application/json").with("X-CSRFToken", csrf(&html));
        let body = |owner: &str| json!({"name": "CI", "owner": owner});
        let made = script.post_json("/api/tokens/", body("ann")).await.expect(201);
        app.clock.advance(GOOD_FOR);
        let rotate = format!("/api/tokens/{}/rotate/", made["id"]);
        for (path, body) in [("/api/tokens/", body("ann")), (&rotate, json!({}))] {
            script.post_json(path, body).await.is_detail(403, "Confirm your password first.");
        }
        script.post_json("/api/tokens/", body("root")).await.expect(201);
    }

    async fn an_account_without_a_password_is_told_what_to_do(app: &TestApp) {
        let user = app.superuser("root").await;
        let root = app.browser(&user).await;
        app.clock.advance(GOOD_FOR);
        let db = app.app.db.begin().await.unwrap();
        db.execute_unprepared("UPDATE users SET password = '!'").await.unwrap();
        db.commit(Affects::User(user.id)).await.unwrap();
        let page = asked(&root, "/admin/keys/", "/admin/keys/rotate/", &[]).await;
        assert!(page.text.contains("This account has no password"), "{page:?}");
        assert!(!page.text.contains("type=\"password\""));
    }

    async fn a_program_is_told_in_its_own_words(app: &TestApp) {
        let root = app.admin("root").await;
        app.clock.advance(GOOD_FOR);
        let token = root.get("/admin/keys/").await;
        let fields = [("csrfmiddlewaretoken", csrf(&token.text))];
        let program = root.with("Accept", "application/json");
        let answer = program.post_form("/admin/keys/rotate/", &fields).await;
        answer.is_detail(403, "Confirm your password first.");
    }

    async fn whoever_signed_out_meanwhile_confirms_nothing(app: &TestApp) {
        let user = app.superuser("root").await;
        let root = app.browser(&user).await;
        app.clock.advance(GOOD_FOR);
        let to = "/admin/keys/rotate/";
        let page = asked(&root, "/admin/keys/", to, &[]).await;
        let by = Actor::operator();
        let open = sessions::list_for(&app.app, &user).await.unwrap();
        sessions::end(&app.app, &by, &open[0]).await.unwrap();
        let answer = show(&root, &page, to, PASSWORD).await;
        assert!(answer.redirect().starts_with("/admin/login/"), "{answer:?}");
    }
}
