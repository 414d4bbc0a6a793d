//! "Why was I refused?" in the panel: a request id leads to its refusal, a pasted credential is judged and
//! forgotten, and staff learns nothing about those whom it may not touch.

use latchkey::{
    checks::Affects,
    domain::{
        actor::Actor,
        tokens::{self, NewToken},
        users::{self, UserInput},
    },
};
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::support::{Answer, Backend, Caller, TestApp, csrf, nothing_inline};

const PATH: &str = "/admin/refusals/";

async fn paste(browser: &Caller, text: &str) -> Answer {
    let answer = browser
        .submit(PATH, "/admin/refusals/inspect/", &[("pasted", text)])
        .await;
    if answer.status == 200 {
        nothing_inline(&answer);
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        let pieces: Vec<&str> = text
            .split([' ', '.'])
            .filter(|piece| piece.len() > 16)
            .collect();
        for piece in pieces {
            assert!(!answer.text.contains(piece), "given back: {piece}");
        }
    }
    answer
}

#[track_caller]
fn says(answer: &Answer, text: &str) {
    let page = answer.text.replace("&#x2F;", "/");
    assert!(page.contains(text), "no {text:?} in {page}");
}

async fn staff(app: &TestApp) -> Caller {
    let staff = |input| UserInput {
        is_staff: true,
        ..input
    };
    app.browser(&app.user_with("staff", staff).await).await
}

both! {
    async fn a_request_id_leads_to_what_was_wrong(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let (id, key) = app.named_token_with(&ann, |new| new).await;
        tokens::revoke(&app.app, &Actor::operator(), id).await.unwrap();
        app.clock.advance(120);
        let refused = app.anonymous().at("192.0.2.7").token(&key).get("/studentapi/").await;
        let request = refused.header("X-Request-Id").unwrap();
        let to = paste(&root, &format!("  {request} ")).await.redirect().to_owned();
        let page = root.get(&to).await;
        for text in [
            "Token revoked",
            "The token was revoked on 2026-11-23 12:00 UTC, 2 minutes ago by command line.",
            "Make a new token",
            "GET /studentapi/",
            "192.0.2.7",
            &format!("/admin/tokens/{id}/"),
        ] {
            says(&page, text);
        }
        nothing_inline(&page);
        let list = root.get(&format!("{PATH}?reason=token_revoked&address=192.0.2.7&user=ann")).await;
        says(&list, request);
        for nothing in ["?reason=no_header", "?address=192.0.2.8", "?user=root", "?user=nobody"] {
            says(&root.get(&format!("{PATH}{nothing}")).await, "Nothing like that was refused.");
        }
        assert_eq!(root.get(&format!("{PATH}?address=%00&user=%00")).await.status, 200);
        says(&paste(&root, "0123456789abcdef").await, "Nothing is kept under this request id");
        let unkept = root.get(&format!("{PATH}999/")).await;
        assert_eq!(unkept.status, 404);
    }

    async fn a_working_credential_is_recognised_and_called_leaked(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let (id, key) = app.named_token_with(&ann, |new| new).await;
        for line in [key.clone(), format!("Token {key}"), format!("Authorization: Token {key}")] {
            let answer = paste(&root, &line).await;
            says(&answer, "This one is fine");
            says(&answer, "It belongs to ann. It may be used for: everything its owner may.");
            says(&answer, "A working credential was pasted");
            says(&answer, &format!("/admin/tokens/{id}/rotate/"));
        }
        let (access, refresh) = app.pair(&ann).await;
        says(&paste(&root, &format!("Bearer {access}")).await, "This one is fine");
        says(&paste(&root, &refresh).await, "It belongs to ann and can be exchanged once");
        let seen = tokens::get(&app.app, id).await.unwrap().token.last_used_at;
        assert!(seen.is_none(), "to look is not to use");
    }

    async fn slips_in_the_line_are_told_beside_what_the_credential_is_worth(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let (_, key) = app.named_token_with(&ann, |new| new).await;
        let (access, _) = app.pair(&ann).await;
        for (line, note) in [
            (format!("Authentication: Token {key}"), "The header is called “Authentication”."),
            (format!("X-Api-Key: Token {key}"), "The header is called “X-Api-Key”, which is not read."),
            (format!("Authorization: {key}"), "The scheme is missing: write “Token ” before it."),
            (format!("Authorization: {access}"), "The scheme is missing: write “Bearer ” before it."),
            (format!("Tokn {key}"), "The scheme is misspelt: write “Token”"),
            (format!("Bearer {key}"), "write “Token” instead"),
            (format!("Token {access}"), "write “Bearer” instead"),
            (format!("'Authorization: Token {key}'"), "quotation marks"),
        ] {
            let answer = paste(&root, &line).await;
            says(&answer, "The credential is fine, the line is not");
            says(&answer, note);
        }
        says(&paste(&root, &format!("Token {key} x")).await, "There was a blank inside");
        says(&paste(&root, "Authorization: Basic YTpi").await, "“Basic”, which opens nothing here");
        says(&paste(&root, "Bearer").await, "There was nothing behind “Bearer”.");
    }

    async fn what_is_wrong_with_a_pasted_credential_is_told(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let ends = app.app.now() + 60;
        let (_, expired) = app.named_token_with(&ann, |new| NewToken { expires_at: Some(ends), ..new }).await;
        let (access, refresh) = app.pair(&ann).await;
        app.clock.advance(3900);
        says(&paste(&root, &expired).await, "The token expired on 2026-11-23 12:01 UTC, 64 minutes ago.");
        says(&paste(&root, &access).await, "Exchange the refresh token at /api/token/refresh/");
        says(&paste(&root, &expired[..40]).await, "The checksum of the key is wrong");
        says(&paste(&root, &format!("{}x", &access[..access.len() - 1])).await, "Its signature is not one of this server");
        let data = app.anonymous().get("/generate-token/?firstname=a&lastname=b&age=1").await.string("token");
        says(&paste(&root, &data).await, "It comes from /generate-token/");
        users::sign_out_everywhere(&app.app, &Actor::operator(), ann.id).await.unwrap();
        let answer = paste(&root, &refresh).await;
        says(&answer, "Everything that was signed in before was ended on");
        says(&answer, "signed out everywhere");
        users::set_active(&app.app, &Actor::operator(), ann.id, false).await.unwrap();
        says(&paste(&root, &app.default_token(&ann).await).await, "The account that it belongs to is disabled.");
    }

    async fn a_key_of_another_server_and_signs_that_no_key_has_are_told(app: &TestApp) {
        let root = app.admin("root").await;
        let other = [("LATCHKEY_SECRET_KEY", "the secret of another server, as long as ours")];
        let other = TestApp::with(Backend::Sqlite, &other).await;
        let (_, foreign) = other.named_token_with(&other.user("ann").await, |new| new).await;
        other.close().await;
        let answer = paste(&root, &format!("Authorization: Token {foreign}")).await;
        says(&answer, "The key is well formed, but another server made it.");
        says(&answer, "Check that the program calls the right server");
        let answer = paste(&root, "Token 0123\u{fffd}4567").await;
        says(&answer, "There were signs in the key that no key has.");
    }

    async fn a_sign_in_that_was_ended_and_one_that_is_gone_are_told(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let (access, refresh) = app.pair(&ann).await;
        let own = app.anonymous().bearer(&app.pair(&ann).await.0);
        own.post_json("/api/revoke/", json!({"token": refresh})).await;
        app.clock.advance(120);
        for jwt in [&access, &refresh] {
            let answer = paste(&root, jwt).await;
            says(&answer, "This sign-in was revoked on 2026-11-23 12:00 UTC, 2 minutes ago.");
        }
        let (access, refresh) = app.pair(&ann).await;
        app.anonymous().post_json("/api/token/blacklist/", json!({"refresh": refresh})).await.expect(200);
        says(&paste(&root, &access).await, "The program signed out");
        let (access, refresh) = app.pair(&ann).await;
        let db = app.app.db.begin().await.unwrap();
        db.execute_unprepared("DELETE FROM refresh_families").await.unwrap();
        db.commit(Affects::Everything).await.unwrap();
        for jwt in [&access, &refresh] {
            let answer = paste(&root, jwt).await;
            says(&answer, "It was signed here, but the sign-in that it belongs to is gone.");
        }
    }

    async fn staff_learns_nothing_about_those_whom_it_may_not_touch(app: &TestApp) {
        let root = app.superuser("root").await;
        let (id, key) = app.named_token_with(&root, |new| new).await;
        let (access, _) = app.pair(&root).await;
        let staff = staff(app).await;
        for secret in [&key, &access] {
            let answer = paste(&staff, secret).await;
            says(&answer, "Not for this account to see");
            assert!(!answer.text.contains("root"), "{}", answer.text);
        }
        tokens::revoke(&app.app, &Actor::operator(), id).await.unwrap();
        let refused = app.anonymous().token(&key).get("/studentapi/").await;
        let request = refused.header("X-Request-Id").unwrap();
        let to = paste(&staff, request).await.redirect().to_owned();
        let page = staff.get(&to).await;
        says(&page, "is not told more about their credentials");
        assert!(!page.text.contains("command line"), "{}", page.text);
        let own = app.browser(&root).await;
        says(&own.get(&to).await, "command line");
    }

    async fn what_is_pasted_stands_in_no_table(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let key = app.default_token(&ann).await;
        let (access, _) = app.pair(&ann).await;
        paste(&root, &key).await;
        paste(&root, &access).await;
        paste(&root, &format!("{key}0")).await;
        let mut file = Vec::new();
        latchkey::domain::transfer::export(&app.app, &mut file).await.unwrap();
        let text = String::from_utf8_lossy(&file).into_owned();
        assert!(text.contains("ann"));
        for secret in [key.as_str(), access.as_str(), access.rsplit('.').next().unwrap()] {
            assert!(!text.contains(secret) && !text.contains(&hex::encode(secret)), "{secret}");
        }
    }

    async fn an_empty_field_and_one_without_csrf_do_nothing(app: &TestApp) {
        let root = app.admin("root").await;
        assert_eq!(paste(&root, "  ").await.redirect(), PATH);
        let token = root.get(PATH).await;
        let fields = [("pasted", "x"), ("csrfmiddlewaretoken", "wrong")];
        assert_eq!(root.post_form("/admin/refusals/inspect/", &fields).await.status, 403);
        assert!(csrf(&token.text).len() > 16);
        assert_eq!(root.get("/admin/refusals/inspect/").await.status, 404);
    }

    async fn words_that_are_nothing_are_called_nothing(app: &TestApp) {
        let root = app.admin("root").await;
        let page = "/admin/refusals/";
        let inspect = "/admin/refusals/inspect/";
        let told = root.submit(page, inspect, &[("pasted", "garbage words here")]).await.text;
        assert!(told.contains("neither a request id, nor a token, nor a header line"), "{told}");
        assert!(!told.contains("A header line"), "{told}");
        let told = root.submit(page, inspect, &[("pasted", "Authorization: Digest words here")]).await.text;
        assert!(told.contains("A header line") && told.contains("Unknown scheme"), "{told}");
    }
}
