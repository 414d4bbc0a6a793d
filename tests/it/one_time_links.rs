//! Links that let somebody in once: made by an administrator, shown once, used once.

use latchkey::{
    domain::{
        actor::Actor,
        groups,
        one_time_links::{self, Handed, PASSWORDS},
        permissions::Permissions,
        users::{self, User, UserInput},
    },
    error::Error,
    secret::{LinkKey, Password},
};

use crate::support::{Caller, PASSWORD, TestApp, between, csrf, nothing_inline, parallel};

const NEW: &str = "An0ther-pass-2";
const FIELDS: &[(&str, &str)] = &[("password", NEW), ("confirm_password", NEW)];

async fn link(app: &TestApp, user: &User) -> LinkKey {
    let handed = one_time_links::hand_out(&app.app, &Actor::operator(), user.id, false).await;
    match handed.unwrap() {
        Handed::Shown(key) => key,
        mailed @ Handed::Mailed(_) => panic!("{mailed:?}"),
    }
}

async fn works(app: &TestApp, key: &LinkKey) -> bool {
    let found = one_time_links::find(&app.app, key, PASSWORDS).await;
    found.unwrap().is_some()
}

fn stranger(app: &TestApp) -> Caller {
    app.anonymous().with("Accept", "text/html")
}

async fn sign_in(app: &TestApp, name: &str, password: &str) -> u16 {
    let fields = [("username", name), ("password", password)];
    let browser = stranger(app);
    browser.submit("/login/", "/login/", &fields).await.status
}

both! {
    async fn an_administrator_sees_a_link_once_and_its_owner_uses_it_once(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let (access, _) = app.pair(&ann).await;
        let token = app.default_token(&ann).await;
        let anns = app.browser(&ann).await;
        let page = format!("/admin/users/{}/", ann.id);
        let made = root
            .submit(&page, &format!("{page}link/"), &[("how", "show")])
            .await;
        assert_eq!(made.redirect(), format!("{page}link/"));
        let shown = root.get(&format!("{page}link/")).await;
        let key = between(&shown.text, "password-reset", "\"").replace("&#x2F;", "/");
        let path = format!("/password-reset{key}");
        let again = root.get(&format!("{page}link/")).await;
        assert!(again.text.contains("A link is shown once"), "{again:?}");
        let bob = app.user("bob").await;
        let never = root.get(&format!("/admin/users/{}/link/", bob.id)).await;
        assert!(never.text.contains("No link waits here."), "{never:?}");
        assert!(!never.text.contains("It was shown"), "nothing was: {never:?}");
        assert!(!again.text.contains("password-reset"));

        let browser = stranger(app);
        for _ in 0..2 {
            let form = browser.get(&path).await;
            assert_eq!(form.status, 200, "looking does not use it up: {form:?}");
            assert_eq!(form.header("Referrer-Policy"), Some("no-referrer"));
            assert_eq!(form.header("Cache-Control"), Some("no-store"));
            nothing_inline(&form);
        }
        let refused = browser
            .submit(&path, &path, &[("password", "short"), ("confirm_password", "short")])
            .await;
        assert_eq!(refused.status, 400, "{refused:?}");
        let set = browser.submit(&path, &path, FIELDS).await;
        assert_eq!(set.redirect(), "/login/");
        assert_eq!(sign_in(app, "ann", NEW).await, 303);
        assert_eq!(sign_in(app, "ann", PASSWORD).await, 400);
        assert_eq!(anns.get("/dashboard/").await.status, 303, "signed out");
        app.anonymous().bearer(&access).get("/studentapi/").await.expect(401);
        app.anonymous().token(&token).get("/studentapi/").await.expect(200);
        let over = browser.get(&path).await;
        assert_eq!(over.status, 404);
        assert!(over.text.contains("This link does not work"), "{over:?}");
        let audited = app.audited().await;
        for action in ["user.link_made", "user.password_changed"] {
            assert!(audited.contains(&action.to_owned()), "{audited:?}");
        }
    }

    async fn of_many_uses_at_once_one_counts(app: &TestApp) {
        let ann = app.user("ann").await;
        let key = link(app, &ann).await;
        let attempt = |n: usize| {
            let (app, key) = (app.clone(), key.clone());
            async move {
                let by = Actor::anonymous(latchkey::domain::actor::Via::Web, None, None);
                let password = Password::new(format!("An0ther-pass-{n}"));
                one_time_links::set_password(&app.app, &by, &key, password).await
            }
        };
        let results = parallel((0..8).map(attempt)).await;
        assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1, "{results:?}");
        for refused in results.iter().filter_map(|r| r.as_ref().err()) {
            assert!(matches!(refused, Error::NotFound), "{refused:?}");
        }
    }

    async fn a_link_ends_with_what_it_was_made_for(app: &TestApp) {
        let (by, ann) = (Actor::operator(), app.user("ann").await);
        let old = link(app, &ann).await;
        let newer = link(app, &ann).await;
        assert!(!works(app, &old).await, "a newer one took its place");
        assert!(works(app, &newer).await);
        users::set_password(&app.app, &by, ann.id, Password::new(NEW)).await.unwrap();
        assert!(!works(app, &newer).await, "the password is another one");
        let key = link(app, &app.find_user("ann").await).await;
        users::set_active(&app.app, &by, ann.id, false).await.unwrap();
        assert!(!works(app, &key).await, "the account is disabled");
        let refused = one_time_links::hand_out(&app.app, &by, ann.id, false).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        users::set_active(&app.app, &by, ann.id, true).await.unwrap();
        let key = link(app, &app.find_user("ann").await).await;
        app.clock.advance(72 * 3600 - 1);
        assert!(works(app, &key).await);
        app.clock.advance(1);
        assert!(!works(app, &key).await, "too old");
        assert_eq!(one_time_links::sweep(&app.app).await.unwrap(), 1);
    }

    async fn a_link_ends_when_its_account_gets_more_rights(app: &TestApp) {
        app.superuser("root").await;
        let (by, group) = (Actor::operator(), app.group("Support", Permissions::all()).await);
        let as_is = |user: &User| UserInput {
            username: user.username.clone(),
            is_active: true,
            is_staff: user.is_staff,
            is_superuser: user.is_superuser,
            ..UserInput::default()
        };
        let save = async |user: &User, input: UserInput| {
            let version = users::get(&app.app, user.id).await.unwrap().version;
            users::update(&app.app, &by, user.id, input, version).await.unwrap();
        };
        let groups_of = |ids: &[i64]| Some(ids.to_vec());
        let ann = app.user("ann").await;
        for raised in [
            UserInput { is_staff: true, ..as_is(&ann) },
            UserInput { is_superuser: true, ..as_is(&ann) },
            UserInput { groups: groups_of(&[group]), ..as_is(&ann) },
        ] {
            let key = link(app, &ann).await;
            save(&ann, raised.clone()).await;
            assert!(!works(app, &key).await, "{raised:?}");
            // What takes rights away, or changes none, leaves links alone.
            let key = link(app, &ann).await;
            save(&ann, UserInput { groups: groups_of(&[]), ..as_is(&ann) }).await;
            save(&ann, UserInput { first_name: "Ann".to_owned(), ..as_is(&ann) }).await;
            assert!(works(app, &key).await, "{raised:?}");
        }
        let key = link(app, &ann).await;
        let group = groups::get(&app.app, group).await.unwrap();
        assert!(groups::add(&app.app, &by, &group, ann.id).await.unwrap());
        assert!(!works(app, &key).await, "joined by a step");
        let key = link(app, &ann).await;
        assert!(groups::remove(&app.app, &by, &group, ann.id).await.unwrap());
        assert!(works(app, &key).await, "left by a step");
    }

    async fn a_link_is_for_one_purpose_and_its_key_says_nothing(app: &TestApp) {
        let key = link(app, &app.user("ann").await).await;
        let browser = stranger(app);
        let other = browser.get(&format!("/verify-email/{}/", key.expose())).await;
        assert_eq!(other.status, 404, "{other:?}");
        assert_eq!(format!("{key:?}"), "LinkKey(..)");
        for wrong in ["x", "%00", "%FF", &"x".repeat(4000), &key.expose().to_lowercase()] {
            let answer = browser.get(&format!("/password-reset/{wrong}/")).await;
            assert_eq!(answer.status, 404, "{wrong}: {answer:?}");
        }
    }

    async fn an_invited_person_has_no_password_until_they_choose_one(app: &TestApp) {
        let root = app.admin("root").await;
        let fields = [("username", "bea"), ("is_active", "on"), ("by_link", "on")];
        let made = root.submit("/admin/users/new/", "/admin/users/new/", &fields).await;
        assert!(made.redirect().ends_with("/link/"), "{made:?}");
        assert!(!users::has_password(&app.find_user("bea").await));
        for guess in ["", "!", PASSWORD] {
            assert_eq!(sign_in(app, "bea", guess).await, 400, "{guess}");
        }
        let shown = root.get(made.redirect()).await;
        let key = between(&shown.text, "password-reset", "\"").replace("&#x2F;", "/");
        let path = format!("/password-reset{key}");
        stranger(app).submit(&path, &path, FIELDS).await.redirect();
        assert_eq!(sign_in(app, "bea", NEW).await, 303);
        let taken = root.submit("/admin/users/new/", "/admin/users/new/", &fields).await;
        assert_eq!(taken.status, 400, "{taken:?}");
        assert!(taken.text.contains("“bea” is taken."));
    }

    async fn staff_makes_no_links_for_those_it_may_not_touch(app: &TestApp) {
        let root = app.superuser("root").await;
        let staff = app
            .user_with("staff", |input| UserInput { is_staff: true, ..input })
            .await;
        let by = Actor::operator();
        let by = Actor { is_superuser: false, ..by }.signed_in(&staff).holding(Permissions::all());
        for user in [&root] {
            let refused = one_time_links::hand_out(&app.app, &by, user.id, false).await;
            assert!(matches!(refused, Err(Error::PermissionDenied)), "{refused:?}");
        }
        let input = UserInput { username: "x".to_owned(), is_staff: true, ..UserInput::default() };
        let refused = one_time_links::invite(&app.app, &by, input).await;
        assert!(matches!(refused, Err(Error::PermissionDenied)), "{refused:?}");
    }

    async fn a_page_that_hides_its_address_can_send_its_form(app: &TestApp) {
        let key = link(app, &app.user("ann").await).await;
        let path = format!("/password-reset/{}/", key.expose());
        // What browsers send from a page with `no-referrer`.
        let alone = stranger(app).with("Origin", "null");
        let form = alone.get(&path).await;
        let mut fields = vec![("csrfmiddlewaretoken", csrf(&form.text))];
        fields.extend(FIELDS);
        assert_eq!(alone.post_form(&path, &fields).await.status, 403);
        let cross = alone.with("Sec-Fetch-Site", "cross-site");
        assert_eq!(cross.post_form(&path, &fields).await.status, 403);
        let own = alone.with("Sec-Fetch-Site", "same-origin");
        assert_eq!(own.post_form(&path, &fields).await.redirect(), "/login/");
    }

    #[with(("LATCHKEY_CONTACT", "Sam, room 12"))]
    async fn without_mail_people_are_told_whom_to_ask(app: &TestApp) {
        app.user("ann").await;
        let browser = stranger(app);
        for page in ["/login/", "/password-reset/", "/password-reset/none/"] {
            let answer = browser.get(page).await;
            assert!(answer.text.contains("Sam, room 12"), "{page}: {answer:?}");
        }
        assert!(!browser.get("/login/").await.text.contains("href=\"/password-reset/"));
    }
}
