//! The page of health: what it tells of the server and of the very request, and that it tells no secret.

use std::os::unix::fs::PermissionsExt;

use latchkey::domain::{audit, health::Job, users::UserInput};
use sea_orm::ConnectionTrait;

use crate::support::{SECRET, TestApp, nothing_inline};

const PATH: &str = "/admin/health/";

both! {
    async fn only_superusers_look(app: &TestApp) {
        let staff = app.user_with("sam", |input| UserInput { is_staff: true, ..input }).await;
        assert_eq!(app.browser(&staff).await.get(PATH).await.status, 403);
        let nobody = app.anonymous().with("Accept", "text/html");
        assert!(nobody.get(PATH).await.redirect().starts_with("/admin/login/"));
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"), ("LATCHKEY_HASH_MEMORY_KIB", "19456"))]
    async fn what_is_well_is_told_without_a_secret(app: &TestApp) {
        let root = app.admin("root").await;
        let before = app.statements();
        let page = root.get(PATH).await;
        // Each finding asks by itself, so that one that fails does not hide the others: more than a form may.
        let asked = app.statements() - before;
        assert!(asked <= 14, "{asked} statements");
        assert_eq!(page.status, 200, "{page:?}");
        nothing_inline(&page);
        for text in [
            "from this very machine",
            "The schema is up to date",
            "From LATCHKEY_SECRET_KEY",
            "It is the one this database was made with",
            "None is sent",
            "connections",
        ] {
            assert!(page.text.contains(text), "{text}: {page:?}");
        }
        assert!(!page.text.contains(SECRET) && !page.text.contains("postgres://"));
    }

    async fn what_is_not_safe_is_told_with_what_to_do(app: &TestApp) {
        let root = app.admin("root").await;
        let db = app.app.db.begin().await.unwrap();
        let row = "INSERT INTO settings (name, value, changed_at) VALUES ('login_tries', '1000', 0)";
        db.execute_unprepared(row).await.unwrap();
        db.commit(latchkey::checks::Affects::Settings).await.unwrap();
        app.app.jobs.ended(Job::Mail, app.app.now(), true);
        app.app.jobs.ended(Job::Seal, app.app.now(), false);
        let page = root.get(PATH).await;
        for text in [
            "Throttles are off",
            "login_tries is stored as",
            "latchkey settings reset login_tries",
            "Sending mail failed 0 s ago",
            "Sealing the audit log: 0 s ago",
        ] {
            assert!(page.text.contains(text), "{text}: {page:?}");
        }
        assert!(page.text.contains("needs you.") || page.text.contains("need you."), "{page:?}");
        app.clock.advance(121);
        let root = app.admin("other").await;
        assert!(root.get(PATH).await.text.contains("Sealing the audit log last ended 121 s ago"));
    }

    async fn the_audit_log_tells_what_waits_and_what_is_signed(app: &TestApp) {
        let root = app.admin("root").await;
        app.clock.advance(120);
        let page = root.get(PATH).await;
        assert!(page.text.contains("The oldest event has waited 120 s"), "{page:?}");
        audit::seal(&app.app).await.unwrap();
        audit::checkpoint_now(&app.app).await.unwrap();
        let page = root.get(PATH).await;
        assert!(page.text.contains("Signed up to event") && page.text.contains("0 minutes ago"), "{page:?}");
    }

    #[with(("LATCHKEY_TRUSTED_PROXIES", "192.0.2.1"))]
    async fn how_the_page_came_is_judged(app: &TestApp) {
        let root = app.superuser("root").await;
        let browser = async |address: &str| app.browser(&root).await.at(address);
        let text = browser("203.0.113.9").await.get(PATH).await.text;
        assert!(text.contains("This page came without encryption"), "{text}");
        let claims = browser("203.0.113.9").await.with("X-Forwarded-Proto", "https");
        assert!(claims.get(PATH).await.text.contains("does not trust that proxy"));
        let proxy = browser("192.0.2.1").await.with("X-Forwarded-Proto", "https");
        assert!(proxy.get(PATH).await.text.contains("This page came by HTTPS"));
    }
}

#[test]
fn a_secret_that_others_can_read_is_told() {
    crate::support::run(
        crate::support::Backend::Sqlite,
        &[("LATCHKEY_SECRET_KEY", "")],
        async |app: &TestApp| {
            let root = app.admin("root").await;
            let secret = app.app.config.data_dir.join("secret_key");
            std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
            let page = root.get(PATH).await;
            assert!(page.text.contains("can be read by others"), "{page:?}");
            assert!(page.text.contains("chmod 600 it"));
        },
    );
}
