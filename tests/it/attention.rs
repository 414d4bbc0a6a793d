//! What the dashboard says needs attention: each line's link leads to a list with exactly the rows that were counted.

use latchkey::{
    domain::{actor::Actor, permissions::Permissions, signing_keys, tokens::NewToken, users},
    secret::SecretBytes,
};
use sea_orm::ConnectionTrait;

use crate::{
    signing_keys::{LEAD, rotate},
    support::{Caller, TestApp, between},
};

const DAY: i64 = 86_400;

/// The line of the dashboard with this in its title: its number, and where it leads.
async fn line(root: &Caller, title: &str) -> (usize, String) {
    let html = root.get("/admin/").await.text;
    let lines = html.split("<li><span class=\"pip").skip(1);
    let line = lines
        .map(|line| line.split("</li>").next().unwrap())
        .find(|line| line.contains(title))
        .unwrap_or_else(|| panic!("no line with {title:?}: {html}"));
    let said = between(line, "<div>", "<");
    let number = said.split(' ').next().unwrap().parse().unwrap();
    let href = between(line, "<a class=\"btn small\" href=\"", "\"");
    (number, href.replace("&amp;", "&").replace("&#x2F;", "/"))
}

/// How many rows the list has, all pages together.
async fn rows(root: &Caller, path: &str) -> usize {
    let html = root.get(path).await.text;
    let pager = html.split_once("<div class=\"pager\">").unwrap().1;
    between(pager, "of <b>", "</b>").parse().unwrap()
}

async fn agrees(root: &Caller, title: &str, expected: usize) {
    let (n, href) = line(root, title).await;
    assert_eq!(n, expected, "{title}");
    assert_eq!(rows(root, &href).await, expected, "{href}");
}

both! {
    async fn tokens_that_end_soon_or_nobody_uses_are_counted_as_the_lists_show_them(app: &TestApp) {
        let ann = app.user("ann").await;
        let token = async |life: Option<i64>| {
            let expires_at = life.map(|life| app.app.now() + life);
            app.named_token_with(&ann, |new| NewToken { expires_at, ..new }).await
        };
        for life in [None, None, Some(200 * DAY), Some(50 * DAY)] {
            token(life).await;
        }
        let (_, used) = token(None).await;
        app.clock.advance(60 * DAY);
        app.anonymous().token(&used).get("/studentapi/").await.expect(200);
        latchkey::domain::usage::flush(&app.app).await.unwrap();
        app.clock.advance(31 * DAY);
        for life in [DAY, 7 * DAY, 8 * DAY] {
            token(Some(life)).await;
        }
        let root = app.admin("root").await;
        agrees(&root, "unused for 90 days", 3).await;
        agrees(&root, "within a week", 2).await;
    }

    async fn a_signing_key_that_ends_soon_is_told_of_to_superusers_while_it_matters(app: &TestApp) {
        app.superuser("root").await;
        let staff = app.browser(&app.staff("staff", Permissions::all()).await).await;
        let told = async |browser: &Caller| {
            let html = browser.get("/admin/").await.text;
            html.contains("Signing key ").then_some(html)
        };
        rotate(app).await;
        app.clock.advance(LEAD);
        let root = app.browser(&app.find_user("root").await).await;
        assert_eq!(told(&root).await, None, "keys follow each other by themselves");
        let key = SecretBytes::new(b"a key that another server signs with, too".to_vec());
        let by = Actor::operator();
        signing_keys::share(&app.app, &by, &key).await.unwrap();
        app.clock.advance(LEAD);
        assert_eq!(told(&root).await, None, "it signs, and nobody has ended it");
        rotate(app).await;
        app.clock.advance(LEAD);
        let root = app.browser(&app.find_user("root").await).await;
        let line = told(&root).await.expect("what another server signs is accepted for a day");
        let line = between(&line, "Signing key ", "</li>");
        assert!(line.starts_with("shared-") && line.contains(" ends in "), "{line}");
        assert!(line.contains("/admin/keys/") || line.contains("&#x2F;admin&#x2F;keys"), "{line}");
        assert_eq!(told(&staff).await, None, "only superusers can do anything about it");
        app.clock.advance(2 * DAY);
        let root = app.browser(&app.find_user("root").await).await;
        assert_eq!(told(&root).await, None, "it has ended");
    }

    async fn disabled_people_with_tokens_and_passwords_of_an_unknown_kind_are_told_of(app: &TestApp) {
        let by = Actor::operator();
        let root = app.admin("root").await;
        let quiet = root.get("/admin/").await.text;
        assert!(!quiet.contains("live tokens") && !quiet.contains("unknown kind"), "{quiet}");
        for (name, has_token, disabled) in [("ann", true, true), ("ben", false, true), ("cleo", true, false), ("dora", true, true)] {
            let user = app.user(name).await;
            if has_token {
                app.named_token_with(&user, |new| new).await;
            }
            if disabled {
                users::set_active(&app.app, &by, user.id, false).await.unwrap();
            }
        }
        agrees(&root, "live tokens", 2).await;
        let db = app.app.db.begin().await.unwrap();
        for (name, stored) in [
            ("ann", "md5$salt$0123"),
            ("ben", "!unusable"),
            ("cleo", ""),
            ("dora", "pbkdf2_sha256$1$salt$hash"),
        ] {
            let sql = format!("UPDATE users SET password = '{stored}' WHERE username = '{name}'");
            db.execute_unprepared(&sql).await.unwrap();
        }
        db.commit(latchkey::checks::Affects::Everything).await.unwrap();
        agrees(&root, "of an unknown kind", 1).await;
        let list = root.get("/admin/users/?password=unknown").await.text;
        assert!(list.contains(">ann</a>") && list.contains("Password of unknown kind"), "{list}");
    }
}
