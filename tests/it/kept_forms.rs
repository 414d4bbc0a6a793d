//! What was typed before the sign-in changed: it is kept and goes on by a press of a button, for the same account
//! only, and never for a page elsewhere.

use latchkey::domain::{actor::Actor, sessions, users::User};

use crate::support::{Answer, Caller, PASSWORD, TestApp, between, csrf};

const TO: &str = "/admin/students/new/";
const STUDENT: [(&str, &str); 3] = [("name", "Asha"), ("roll", "7"), ("city", "Pune")];

/// As a browser sends a form of ours.
fn same_origin(caller: &Caller) -> Caller {
    caller.with("Sec-Fetch-Site", "same-origin")
}

async fn send(caller: &Caller, token: &str) -> Answer {
    let mut fields = vec![("csrfmiddlewaretoken", token)];
    fields.extend(STUDENT);
    caller.post_form(TO, &fields).await
}

/// The token of a form that was drawn before the session ended.
async fn opened_and_signed_out(app: &TestApp, user: &User) -> (Caller, String) {
    let browser = app.browser(user).await;
    let token = csrf(&browser.get(TO).await.text).to_owned();
    for open in sessions::list_for(&app.app, user).await.unwrap() {
        sessions::end(&app.app, &Actor::operator(), &open)
            .await
            .unwrap();
    }
    (same_origin(&browser), token)
}

async fn sign_in(browser: &Caller, page: &Answer, name: &str) -> Answer {
    let fields = [
        ("csrfmiddlewaretoken", csrf(&page.text)),
        ("username", name),
        ("password", PASSWORD),
        ("next", between(&page.text, "name=\"next\" value=\"", "\"")),
        (
            "kept_form",
            between(&page.text, "name=\"kept_form\" value=\"", "\""),
        ),
        (
            "kept_to",
            between(&page.text, "name=\"kept_to\" value=\"", "\""),
        ),
    ]
    .map(|(name, value)| (name, value.replace("&#x2F;", "/")));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    browser.post_form("/admin/login/", &fields).await
}

async fn press(browser: &Caller, page: &Answer) -> Answer {
    let fields = [
        ("csrfmiddlewaretoken", csrf(&page.text)),
        (
            "kept_form",
            between(&page.text, "name=\"kept_form\" value=\"", "\""),
        ),
    ];
    browser.post_form(TO, &fields).await
}

async fn students(app: &TestApp) -> u64 {
    latchkey::domain::students::count(&app.app).await.unwrap().n
}

both! {
    async fn a_form_outlives_the_end_of_the_session(app: &TestApp) {
        let root = app.superuser("root").await;
        let (browser, token) = opened_and_signed_out(app, &root).await;
        let asked = send(&browser, &token).await;
        assert!(asked.text.contains("Your session had ended"), "{asked:?}");
        assert!(!asked.text.contains("Asha"), "it is sealed");
        let kept = sign_in(&browser, &asked, "root").await;
        assert!(kept.text.contains("Send it again"), "{kept:?}");
        assert_eq!(students(app).await, 0, "nothing goes on by itself");
        press(&browser, &kept).await.redirect();
        assert_eq!(students(app).await, 1);
    }

    async fn a_form_outlives_a_sign_in_in_another_tab(app: &TestApp) {
        let root = app.superuser("root").await;
        let (browser, token) = opened_and_signed_out(app, &root).await;
        let again = same_origin(&app.browser(&root).await);
        browser.set_cookie("sessionid", &again.cookie("sessionid").unwrap());
        let kept = send(&browser, &token).await;
        assert_eq!(kept.status, 403);
        assert!(kept.text.contains("Send it again"), "{kept:?}");
        press(&browser, &kept).await.redirect();
        assert_eq!(students(app).await, 1);
    }

    async fn another_account_gets_nothing_of_it(app: &TestApp) {
        let root = app.superuser("root").await;
        let other = app.superuser("other").await;
        let (browser, token) = opened_and_signed_out(app, &root).await;
        let asked = send(&browser, &token).await;
        let signed_in = sign_in(&browser, &asked, "other").await;
        signed_in.redirect();
        let theirs = same_origin(&app.browser(&other).await);
        let refused = send(&theirs, &token).await;
        assert_eq!(refused.status, 403);
        assert!(refused.text.contains("This form has expired"), "{refused:?}");
        assert_eq!(press(&theirs, &asked_with_token(&theirs, &asked).await).await.status, 403);
        assert_eq!(students(app).await, 0);
    }

    async fn what_comes_from_elsewhere_or_without_a_token_is_not_kept(app: &TestApp) {
        let root = app.superuser("root").await;
        let (browser, token) = opened_and_signed_out(app, &root).await;
        for caller in [
            browser.with("Sec-Fetch-Site", "cross-site"),
            browser.with("Sec-Fetch-Site", "same-site"),
        ] {
            let answer = send(&caller, &token).await;
            assert!(answer.redirect().starts_with("/admin/login/"), "{answer:?}");
        }
        let login = browser.get("/admin/login/").await;
        assert!(login.text.contains("What you typed was not saved."), "{login:?}");
        let again = same_origin(&app.browser(&root).await);
        for (caller, token) in [
            (again.with("Sec-Fetch-Site", "cross-site"), token.as_str()),
            (again.clone(), "0"),
            (again, ""),
        ] {
            let answer = send(&caller, token).await;
            assert_eq!(answer.status, 403);
            assert!(!answer.text.contains("kept_form"), "{answer:?}");
        }
    }

    async fn a_form_is_not_kept_for_ever(app: &TestApp) {
        let root = app.superuser("root").await;
        let (browser, token) = opened_and_signed_out(app, &root).await;
        let asked = send(&browser, &token).await;
        app.clock.advance(601);
        sign_in(&browser, &asked, "root").await.redirect();
        assert!(browser.get("/admin/").await.text.contains("What you typed was not saved"));
    }

    async fn a_sign_in_form_that_is_stale_leads_on(app: &TestApp) {
        let root = app.superuser("root").await;
        let tab = same_origin(&app.anonymous().with("Accept", "text/html"));
        let stale = csrf(&tab.get("/login/?next=/account/").await.text).to_owned();
        let fields = [
            ("csrfmiddlewaretoken", stale.as_str()),
            ("username", "root"),
            ("password", PASSWORD),
            ("next", "/account/"),
        ];
        tab.post_form("/login/", &fields).await.redirect();
        tab.get("/dashboard/").await;
        let again = tab.post_form("/login/", &fields).await;
        assert_eq!(again.redirect(), "/account/");
        for open in sessions::list_for(&app.app, &root).await.unwrap() {
            sessions::end(&app.app, &Actor::operator(), &open).await.unwrap();
        }
        let redrawn = tab.post_form("/login/", &fields).await;
        assert_eq!(redrawn.status, 400);
        assert!(redrawn.text.contains("That page was open for long"), "{redrawn:?}");
        let elsewhere = tab.with("Sec-Fetch-Site", "cross-site").post_form("/login/", &fields).await;
        assert_eq!(elsewhere.status, 403);
    }
}

/// The sealed form of `asked` with a good token of this browser, as somebody might put them together.
async fn asked_with_token(browser: &Caller, asked: &Answer) -> Answer {
    let mut page = browser.get(TO).await;
    let sealed = between(&asked.text, "name=\"kept_form\" value=\"", "\"");
    page.text = [&page.text, "name=\"kept_form\" value=\"", sealed, "\""].concat();
    page
}
