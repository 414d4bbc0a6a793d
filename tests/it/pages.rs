//! Pages as a browser uses them: sessions, cookies, where one is sent, what is shown once.

use latchkey::domain::{
    actor::Actor,
    sessions,
    users::{self, UserInput},
};

use crate::support::{Answer, Caller, PASSWORD, START, TestApp, csrf};

const IDLE: i64 = 86_400;
const WHOLE: i64 = 86_400 * 14;

fn browser(app: &TestApp) -> Caller {
    app.anonymous().with("Accept", "text/html,*/*;q=0.8")
}

async fn sign_in(browser: &Caller, name: &str, password: &str) -> Answer {
    let fields = [("username", name), ("password", password)];
    browser.submit("/login/", "/login/", &fields).await
}

both! {
    async fn the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(app: &TestApp) {
        app.user("ann").await;
        let browser = browser(app);
        let answer = sign_in(&browser, "ann", PASSWORD).await;
        assert_eq!(answer.redirect(), "/dashboard/");
        let cookie = answer.set_cookie("sessionid").unwrap();
        for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(
            !cookie.contains("Secure") && !cookie.contains("Max-Age"),
            "{cookie}"
        );
        assert_eq!(browser.get("/dashboard/").await.status, 200);
    }

    #[with(("LATCHKEY_SECURE_COOKIES", "true"))]
    async fn under_tls_cookies_stay_there(app: &TestApp) {
        app.user("ann").await;
        let browser = browser(app);
        let answer = sign_in(&browser, "ann", PASSWORD).await;
        assert!(
            answer.set_cookie("sessionid").unwrap().contains("Secure"),
            "{answer:?}"
        );
    }

    async fn each_sign_in_makes_a_new_session_and_ends_the_one_before(app: &TestApp) {
        let ann = app.user("ann").await;
        let browser = browser(app);
        browser.set_cookie("sessionid", "a-value-that-somebody-planted");
        sign_in(&browser, "ann", PASSWORD).await;
        let first = browser.cookie("sessionid").unwrap();
        assert!(
            first.len() >= 40 && first != "a-value-that-somebody-planted",
            "{first}"
        );
        // A form that was open when the other session began.
        let html = browser.get("/logout/").await.text;
        let fields = [
            ("csrfmiddlewaretoken", csrf(&html)),
            ("username", "ann"),
            ("password", PASSWORD),
        ];
        browser.post_form("/login/", &fields).await.redirect();
        let second = browser.cookie("sessionid").unwrap();
        assert_ne!(first, second);
        let old = app.anonymous().with("Accept", "text/html");
        old.set_cookie("sessionid", &first);
        assert!(
            old.get("/dashboard/")
                .await
                .redirect()
                .starts_with("/login/")
        );
        assert_eq!(sessions::count_for(&app.app, &ann).await.unwrap().n, 1);
    }

    async fn signing_out_ends_the_session_on_the_server(app: &TestApp) {
        app.user("ann").await;
        let browser = browser(app);
        sign_in(&browser, "ann", PASSWORD).await;
        let kept = browser.cookie("sessionid").unwrap();
        browser.submit("/logout/", "/logout/", &[]).await.redirect();
        assert_eq!(browser.cookie("sessionid"), None);
        let thief = app.anonymous().with("Accept", "text/html");
        thief.set_cookie("sessionid", &kept);
        assert!(
            thief
                .get("/dashboard/")
                .await
                .redirect()
                .starts_with("/login/")
        );
        assert_eq!(
            thief.with("Accept", "*/*").get("/studentapi/").await.status,
            401
        );
    }

    async fn an_idle_session_ends(app: &TestApp) {
        let browser = app.browser(&app.user("ann").await).await;
        for _ in 0..3 {
            app.clock.advance(IDLE - 60);
            assert_eq!(browser.get("/dashboard/").await.status, 200);
        }
        app.clock.advance(IDLE);
        assert!(
            browser
                .get("/dashboard/")
                .await
                .redirect()
                .starts_with("/login/")
        );
    }

    async fn a_busy_session_ends_as_well(app: &TestApp) {
        let browser = app.browser(&app.user("ann").await).await;
        let step = 43_200;
        for _ in 0..WHOLE / step - 1 {
            app.clock.advance(step);
            assert_eq!(browser.get("/dashboard/").await.status, 200);
        }
        app.clock.advance(step);
        assert!(
            browser
                .get("/dashboard/")
                .await
                .redirect()
                .starts_with("/login/")
        );
    }

    async fn whatever_ends_an_account_ends_its_sessions(app: &TestApp) {
        let by = Actor::operator();
        for what in ["everywhere", "disable", "delete"] {
            let user = app.user(what).await;
            let browser = app.browser(&user).await;
            assert_eq!(browser.get("/dashboard/").await.status, 200);
            let done = match what {
                "everywhere" => users::sign_out_everywhere(&app.app, &by, user.id).await,
                "disable" => users::set_active(&app.app, &by, user.id, false).await,
                _ => users::delete(&app.app, &by, user.id).await,
            };
            done.unwrap();
            assert!(
                browser
                    .get("/dashboard/")
                    .await
                    .redirect()
                    .starts_with("/login/"),
                "{what}"
            );
        }
    }

    async fn next_leads_to_pages_of_this_site_only(app: &TestApp) {
        app.user("ann").await;
        for (next, to) in [
            ("/dashboard/?cursor=x", "/dashboard/?cursor=x"),
            ("/admin/users/", "/admin/users/"),
            ("https://evil.example/", "/dashboard/"),
            ("//evil.example", "/dashboard/"),
            ("/\\evil.example", "/dashboard/"),
            ("\\\\evil.example", "/dashboard/"),
            ("/\t/evil.example", "/dashboard/"),
            ("/\r\nSet-Cookie: a=b", "/dashboard/"),
            ("javascript:alert(1)", "/dashboard/"),
            ("evil.example", "/dashboard/"),
            ("", "/dashboard/"),
        ] {
            let fields = [("username", "ann"), ("password", PASSWORD), ("next", next)];
            let answer = browser(app).submit("/login/", "/login/", &fields).await;
            assert_eq!(answer.redirect(), to, "{next:?}");
            let browser = browser(app);
            sign_in(&browser, "ann", PASSWORD).await;
            let query = form_urlencoded::byte_serialize(next.as_bytes()).collect::<String>();
            let answer = browser.get(&format!("/login/?next={query}")).await;
            assert_eq!(answer.redirect(), to, "{next:?} when signed in");
        }
    }

    async fn a_stranger_comes_back_to_where_they_were_going(app: &TestApp) {
        app.superuser("root").await;
        let browser = browser(app);
        let answer = browser.get("/admin/users/?q=a%20b").await;
        let login = answer.redirect().to_owned();
        assert_eq!(
            login,
            "/admin/login/?next=%2Fadmin%2Fusers%2F%3Fq%3Da%2520b"
        );
        let html = browser.get(&login).await.text;
        assert!(
            html.contains("name=\"next\" value=\"/admin/users/?q=a%20b\"")
                || html.contains("&#x2F;admin&#x2F;users&#x2F;?q=a%20b"),
            "{html}"
        );
        let fields = [
            ("username", "root"),
            ("password", PASSWORD),
            ("next", "/admin/users/?q=a%20b"),
        ];
        let answer = browser.submit(&login, "/admin/login/", &fields).await;
        assert_eq!(answer.redirect(), "/admin/users/?q=a%20b");
    }

    async fn names_with_tags_are_shown_as_text(app: &TestApp) {
        let root = app.admin("root").await;
        let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
        let with = |input| UserInput {
            first_name: evil.to_owned(),
            last_name: evil.to_owned(),
            ..input
        };
        let user = app.user_with("evil", with).await;
        let student = latchkey::domain::students::StudentInput {
            name: evil.to_owned(),
            roll: 1,
            city: evil.to_owned(),
        };
        latchkey::domain::students::create(&app.app, &Actor::operator(), student)
            .await
            .unwrap();
        let id = user.id;
        for path in [
            "/admin/".to_owned(),
            "/admin/users/".to_owned(),
            format!("/admin/users/{id}/"),
            format!("/admin/users/{id}/delete/"),
            "/admin/students/".to_owned(),
            "/admin/students/1/".to_owned(),
            "/admin/students/1/delete/".to_owned(),
            "/dashboard/".to_owned(),
            "/admin/search/?q=evil".to_owned(),
            format!(
                "/admin/users/?q={}",
                form_urlencoded::byte_serialize(evil.as_bytes()).collect::<String>()
            ),
            format!(
                "/admin/search/?q={}",
                form_urlencoded::byte_serialize(evil.as_bytes()).collect::<String>()
            ),
            format!(
                "/login/?next={}",
                form_urlencoded::byte_serialize(evil.as_bytes()).collect::<String>()
            ),
        ] {
            let answer = root.get(&path).await;
            assert!(answer.status < 400, "{path}: {answer:?}");
            assert!(
                !answer.text.contains("<script>alert") && !answer.text.contains("<img src=x"),
                "{path}"
            );
        }
        let refused = sign_in(&browser(app), evil, "x").await;
        assert!(
            refused.status == 400 && !refused.text.contains("<script>alert"),
            "{refused:?}"
        );
    }

    async fn a_csrf_token_belongs_to_its_session(app: &TestApp) {
        let ann = app.browser(&app.user("ann").await).await;
        let bob = app.browser(&app.user("bob").await).await;
        let html = bob.get("/logout/").await.text;
        let stolen = [("csrfmiddlewaretoken", csrf(&html))];
        assert_eq!(ann.post_form("/logout/", &stolen).await.status, 403);
        let html = ann.get("/logout/").await.text;
        let own = [("csrfmiddlewaretoken", csrf(&html))];
        for (header, value) in [
            ("Origin", "https://evil.example"),
            ("Origin", "null"),
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
        ] {
            let answer = ann.with(header, value).post_form("/logout/", &own).await;
            assert_eq!(answer.status, 403, "{header}: {value}");
        }
        ann.with("Sec-Fetch-Site", "same-origin")
            .post_form("/logout/", &own)
            .await
            .redirect();
    }

    async fn with_its_csrf_token_a_script_may_call_the_api(app: &TestApp) {
        let ann = app.browser(&app.user("ann").await).await;
        let html = ann.get("/logout/").await.text;
        let script = ann
            .with("Accept", "application/json")
            .with("X-CSRFToken", csrf(&html));
        let body = serde_json::json!({
            "username": "new", "password": PASSWORD, "confirm_password": PASSWORD,
        });
        script.post_json("/registerapi/", body).await.expect(200);
        assert_eq!(app.find_user("new").await.date_joined, START);
    }

    #[with(("LATCHKEY_REGISTRATION_OPEN", "false"))]
    async fn registration_can_be_closed(app: &TestApp) {
        app.superuser("root").await;
        let browser = browser(app);
        let page = browser.get("/registration/").await;
        assert!(!page.text.contains("name=\"username\""), "{page:?}");
        let html = browser.get("/login/").await.text;
        let fields = [
            ("csrfmiddlewaretoken", csrf(&html)),
            ("username", "new"),
            ("password", PASSWORD),
            ("confirm_password", PASSWORD),
        ];
        assert_eq!(
            browser.post_form("/registration/", &fields).await.status,
            403
        );
        assert!(
            users::find_by_username(&app.app, "new")
                .await
                .unwrap()
                .is_none()
        );
    }

    async fn somebody_registers_and_is_signed_in(app: &TestApp) {
        app.superuser("root").await;
        let browser = browser(app);
        let fields = [
            ("username", "new"),
            ("password", PASSWORD),
            ("confirm_password", PASSWORD),
        ];
        let answer = browser
            .submit("/registration/", "/registration/", &fields)
            .await;
        assert_eq!(answer.redirect(), "/dashboard/");
        assert!(browser.get("/dashboard/").await.text.contains("new"));
        let again = browser.clone();
        let mismatch = [
            ("username", "x"),
            ("password", PASSWORD),
            ("confirm_password", "other"),
        ];
        let answer = again.submit("/logout/", "/registration/", &mismatch).await;
        assert!(
            !answer.text.contains(PASSWORD),
            "passwords are never echoed"
        );
    }
}
