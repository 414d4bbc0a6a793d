//! What an attacker would try on the pages: cursors of other lists, texts no name has, other people's
//! sessions and rights, methods behind a form, a set-up under a foreign name.

use latchkey::{
    domain::{
        actor::Actor,
        families, sessions, tokens,
        users::{self, User, UserInput},
    },
    error::Error,
};

use crate::support::{Caller, JWT_KEY, PASSWORD, START, TestApp, forged};

async fn staff(app: &TestApp, name: &str) -> User {
    let staff = |input| UserInput {
        is_staff: true,
        ..input
    };
    app.user_with(name, staff).await
}

async fn session_of(app: &TestApp, user: &User) -> sessions::Session {
    sessions::list_for(&app.app, user).await.unwrap().remove(0)
}

fn page(app: &TestApp) -> Caller {
    app.anonymous().with("Accept", "text/html")
}

both! {
    async fn a_cursor_of_another_list_leads_nowhere(app: &TestApp) {
        let admin = app.admin("root").await;
        let made_up = [
            "an.1.1.1",
            "at.1.1.x",
            "bn.1.1.1",
            "bt.1.1.x",
            "an.0.18446744073709551615.0",
            "at.0.18446744073709551615.x",
            "an.9223372036854775807.1.-9223372036854775808",
            "x",
        ];
        let sorts = ["", "sort=joined", "sort=-name", "sort=roll", "sort=username"];
        for list in ["/dashboard/", "/admin/users/", "/admin/tokens/", "/admin/students/"] {
            for cursor in made_up {
                for sort in sorts {
                    let path = format!("{list}?cursor={cursor}&{sort}");
                    let status = admin.get(&path).await.status;
                    assert!([200, 404].contains(&status), "{status} {path}");
                }
            }
        }
    }

    async fn a_text_that_no_name_has_is_a_field_error(app: &TestApp) {
        let admin = app.admin("root").await;
        for owner in ["a\0b", "", "nobody", &"x".repeat(5000)] {
            let fields = [("owner", owner), ("kind", "named"), ("name", "x"), ("expires", "90")];
            let answer = admin.submit("/admin/tokens/new/", "/admin/tokens/new/", &fields).await;
            assert_eq!(answer.status, 400, "{owner:?}");
        }
    }

    async fn staff_touches_neither_superusers_nor_other_staff(app: &TestApp) {
        let (root, peer, me) =
            (app.superuser("root").await, staff(app, "peer").await, staff(app, "me").await);
        let ordinary = app.user("ann").await;
        for user in [&root, &peer, &ordinary] {
            app.browser(user).await;
        }
        let mine = app.browser(&me).await;
        for (user, status) in [(&root, 403), (&peer, 403), (&ordinary, 303)] {
            let session = session_of(app, user).await;
            let end = format!("/admin/users/{}/sessions/{}/end/", user.id, session.id);
            let answer = mine.submit("/dashboard/", &end, &[]).await;
            assert_eq!(answer.status, status, "session of {}", user.username);
            let password = format!("/admin/users/{}/password/", user.id);
            let fields = [("password", "another Pass 1"), ("confirm_password", "another Pass 1")];
            let answer = mine.submit("/dashboard/", &password, &fields).await;
            assert_eq!(answer.status, status, "password of {}", user.username);
            let default = [("owner", user.username.as_str()), ("kind", "default")];
            let answer = mine.submit("/dashboard/", "/admin/tokens/new/", &default).await;
            assert_eq!(answer.status, status, "token of {}", user.username);
        }
        let revoked = tokens::get_or_create_default(&app.app, &Actor::operator(), root.id).await;
        tokens::revoke(&app.app, &Actor::operator(), revoked.unwrap().token.id).await.unwrap();
        let again = [("owner", "root"), ("kind", "default")];
        let answer = mine.submit("/dashboard/", "/admin/tokens/new/", &again).await;
        assert_eq!(answer.status, 403, "a superuser's new default token");
    }

    async fn a_form_does_not_choose_its_method(app: &TestApp) {
        let staff = app.staff_token().await;
        let form = "application/x-www-form-urlencoded";
        for start in ["_method=", "&_method=", "&&_method="] {
            for method in ["put", "patch", "delete", "head", "get", "options", "trace"] {
                let body = format!("{start}{method}&name=A&roll=1&city=B");
                let answer = staff.post_raw("/studentapi/", form, body).await;
                assert_eq!(answer.status, 201, "{start}{method}");
            }
        }
        let answer = page(app).post_raw("/healthz", form, "&_method=head&").await;
        assert_eq!(answer.status, 405);
    }

    async fn whoever_is_deleted_while_signing_in_is_not_signed_in(app: &TestApp) {
        let ann = app.user("ann").await;
        let by = Actor::operator();
        users::delete(&app.app, &by, ann.id).await.unwrap();
        let session = sessions::start(&app.app, &ann, &by, "").await;
        assert!(matches!(session, Err(Error::InvalidCredentials { .. })), "{session:?}");
        let pair = families::sign_in(&app.app, &ann, &by).await;
        assert!(matches!(pair, Err(Error::InvalidCredentials { .. })), "{pair:?}");
    }

    async fn asking_for_the_head_of_the_secret_page_does_not_use_it_up(app: &TestApp) {
        let admin = app.admin("root").await;
        let fields = [("owner", "root"), ("kind", "named"), ("name", "x"), ("expires", "90")];
        let made = admin.submit("/admin/tokens/new/", "/admin/tokens/new/", &fields).await;
        let shown = made.redirect().to_owned();
        assert_eq!(admin.head(&shown).await.status, 200);
        assert!(admin.get(&shown).await.text.contains("Copy it now"));
        assert!(admin.get(&shown).await.text.contains("A token is shown once"));
    }

    async fn a_set_up_under_a_foreign_name_needs_the_code(app: &TestApp) {
        let foreign = page(app).with("Host", "evil.example:8000");
        let fields =
            [("username", "eve"), ("password", PASSWORD), ("confirm_password", PASSWORD)];
        let answer = foreign.submit("/setup/", "/setup/", &fields).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text.contains("That is not the code in the server log."));
        let own = page(app).with("Host", "localhost:8000");
        own.submit("/setup/", "/setup/", &fields).await.redirect();
    }

    async fn changes_of_one_record_at_once_are_sorted_out(app: &TestApp) {
        let staff = app.staff_token().await;
        for id in 1..=4 {
            let new = serde_json::json!({"name": "A", "roll": 1, "city": "B"});
            staff.post_json("/studentapi/", new).await.expect(201);
            let path = format!("/studentapi/{id}/");
            let acts = (0..8).map(|n| {
                let (staff, path) = (staff.clone(), path.clone());
                async move {
                    if n % 4 == 3 {
                        staff.delete(&path).await.status
                    } else {
                        let city = serde_json::json!({"city": format!("city {n}")});
                        staff.patch(&path, city).await.status
                    }
                }
            });
            let statuses = crate::support::parallel(acts).await;
            assert!(statuses.iter().all(|s| [200, 204, 404].contains(s)), "{statuses:?}");
            assert_eq!(statuses.iter().filter(|s| **s == 204).count(), 1, "{statuses:?}");
        }
    }

    async fn changes_of_different_fields_at_once_are_all_kept(app: &TestApp) {
        let staff = app.staff_token().await;
        let new = serde_json::json!({"name": "A", "roll": 1, "city": "B"});
        staff.post_json("/studentapi/", new).await.expect(201);
        for n in 0..10 {
            let acts = ["name", "city"].map(|field| {
                let staff = staff.clone();
                let change = serde_json::json!({field: format!("{field} {n}")});
                async move { staff.patch("/studentapi/1/", change).await.status }
            });
            assert_eq!(crate::support::parallel(acts).await, [200, 200]);
            let now = staff.get("/studentapi/1/").await.expect(200);
            assert_eq!(now["name"], format!("name {n}"));
            assert_eq!(now["city"], format!("city {n}"));
        }
    }

    #[with(("LATCHKEY_JWT_SIGNING_KEY", JWT_KEY))]
    async fn a_blacklisted_token_from_elsewhere_stays_so_as_long_as_it_lasts(app: &TestApp) {
        let ann = app.user("ann").await;
        let month = 30 * 86_400;
        let claims = serde_json::json!({
            "token_type": "refresh",
            "exp": START + month,
            "iat": START,
            "jti": "e".repeat(32),
            "user_id": ann.id.to_string(),
        });
        let body = serde_json::json!({"refresh": forged(&claims, JWT_KEY)});
        let nobody = app.anonymous();
        nobody.post_json("/api/token/blacklist/", body.clone()).await.expect(200);
        app.clock.advance(month - 60);
        families::sweep(&app.app).await.unwrap();
        let again = nobody.post_json("/api/token/refresh/", body).await;
        again.is(401, &serde_json::json!({"detail": "Token is blacklisted", "code": "token_not_valid"}));
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn a_database_that_fails_locks_nobody_out(app: &TestApp) {
        app.app.db.clone().close().await.unwrap();
        let body = serde_json::json!({"username": "ann", "password": PASSWORD});
        for _ in 0..70 {
            let answer = app.anonymous().post_json("/api/token/", body.clone()).await;
            assert_eq!(answer.status, 500, "not 429: no try was judged");
        }
    }

    async fn names_are_found_as_they_are_written(app: &TestApp) {
        let admin = app.admin("root").await;
        let staff = app.staff_token().await;
        let new = serde_json::json!({"name": "Mesut Özil", "roll": 1, "city": "Zürich"});
        staff.post_json("/studentapi/", new).await.expect(201);
        for q in ["Özil", "mesut", "ZÜRICH", "zürich", "rich"] {
            let q: String = form_urlencoded::byte_serialize(q.as_bytes()).collect();
            let html = admin.get(&format!("/admin/students/?q={q}")).await.text;
            assert!(html.contains("Mesut Özil"), "{q}");
        }
    }
}
