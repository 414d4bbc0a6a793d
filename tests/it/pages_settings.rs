//! The page of the settings: who may, what it says, that only what one changed is saved, and what two people see
//! who change the same.

use latchkey::domain::{
    actor::Actor,
    audit,
    settings::{self, Settings, Wish},
    users::UserInput,
};

use crate::{
    settings::set,
    support::{Answer, Caller, TestApp, between, nothing_inline},
};

const PATH: &str = "/admin/settings/";

/// What a browser sends of the form as it stands, with some fields typed over. An empty one unticks a box.
fn filled(page: &Answer, typed: &[(&str, &str)]) -> Vec<(String, String)> {
    let form = between(&page.text, "data-guard", "</form>");
    let attribute = |tag: &str, name: &str| {
        let start = format!(" {name}=\"");
        let value = tag.split_once(&start)?.1.split_once('"')?.0;
        Some(
            value
                .replace("&amp;", "&")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\""),
        )
    };
    let mut fields = Vec::new();
    for tag in form.split("<input").skip(1) {
        let tag = tag.split('>').next().unwrap();
        let name = attribute(tag, "name").unwrap();
        let is_off = tag.contains("type=\"checkbox\"") && !tag.contains(" checked");
        if name != "csrfmiddlewaretoken" && !is_off {
            fields.push((name, attribute(tag, "value").unwrap_or_default()));
        }
    }
    for select in form.split("<select").skip(1) {
        let select = select.split("</select>").next().unwrap();
        let chosen = select
            .split("<option")
            .find(|option| option.contains(" selected"));
        fields.push((
            attribute(select, "name").unwrap(),
            attribute(chosen.unwrap(), "value").unwrap(),
        ));
    }
    for (name, value) in typed {
        fields.retain(|(there, _)| there != name);
        if !value.is_empty() || *name == "contact" {
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    fields
}

#[track_caller]
fn has_status(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
}

async fn send(caller: &Caller, fields: &[(String, String)]) -> Answer {
    let fields: Vec<_> = fields
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    caller.submit(PATH, PATH, &fields).await
}

async fn save(caller: &Caller, typed: &[(&str, &str)]) -> Answer {
    let page = caller.get(PATH).await;
    send(caller, &filled(&page, typed)).await
}

both! {
    async fn only_a_superuser_sees_and_saves_settings(app: &TestApp) {
        let staff = app.user_with("sam", |input| UserInput { is_staff: true, ..input }).await;
        let staff = app.browser(&staff).await;
        has_status(&staff.get(PATH).await, 403);
        has_status(&staff.submit("/admin/", PATH, &[("contact", "me")]).await, 403);
        assert!(!staff.get("/admin/").await.text.contains(PATH), "it is not in their menu");
        let nobody = app.anonymous().with("Accept", "text/html");
        assert!(nobody.get(PATH).await.redirect().starts_with("/admin/login/"));
        assert_eq!(*app.app.settings(), Settings::default());
        let root = app.admin("root").await;
        assert!(root.get("/admin/").await.text.contains("data-go=\"e\""));
    }

    async fn saving_changes_what_was_typed_and_says_so(app: &TestApp) {
        let root = app.admin("root").await;
        let before = app.statements();
        let page = root.get(PATH).await;
        let asked = app.statements() - before;
        assert!(asked <= 5, "{asked} statements");
        nothing_inline(&page);
        let typed = [
            ("registration_open", ""),
            ("contact", "Sam, room <12>"),
            ("session_lifetime", "3"),
            ("session_lifetime_unit", "hour"),
            ("login_tries", "5"),
        ];
        let saved = save(&root, &typed).await;
        assert_eq!(saved.redirect(), PATH);
        let expected = Settings {
            registration_open: false,
            contact: "Sam, room <12>".to_owned(),
            session_lifetime: 3 * 3600,
            login_tries: 5,
            ..Settings::default()
        };
        assert_eq!(*app.app.settings(), expected);
        let events = audit::recent(&app.app, 1).await.unwrap();
        assert_eq!((events[0].action.as_str(), events[0].actor.as_str()), ("setting.changed", "root"));
        let line = root.get(&format!("/admin/audit/{}/", events[0].id)).await;
        assert!(line.text.contains("root changed settings: registration_open, contact"), "{line:?}");
        let shown = root.get(PATH).await.text;
        assert!(shown.contains("value=\"Sam, room &lt;12&gt;\""));
        assert!(shown.contains("name=\"reset\" value=\"login_tries\""));
        let again = save(&root, &[]).await;
        assert_eq!(again.redirect(), PATH);
        assert_eq!(audit::recent(&app.app, 1).await.unwrap()[0].id, events[0].id, "nothing to save");
    }

    async fn a_setting_that_is_none_is_not_reset(app: &TestApp) {
        let root = app.admin("root").await;
        let answer = save(&root, &[("reset", "nosuch")]).await;
        assert_eq!(answer.status, 400);
        assert!(!answer.text.contains("These are the defaults"), "{}", answer.text);
        let answer = save(&root, &[("reset", "login_tries")]).await;
        assert!(answer.text.contains("These are the defaults"), "{}", answer.text);
    }

    async fn what_cannot_be_is_told_beside_its_field_and_nothing_is_saved(app: &TestApp) {
        let root = app.admin("root").await;
        let typed = [
            ("contact", "Room 12"),
            ("login_tries", "many"),
            ("login_pause", "2"),
            ("login_pause_unit", "day"),
        ];
        let refused = save(&root, &typed).await;
        has_status(&refused, 400);
        for text in ["Two things need fixing", "Type a whole number.", "Between 1 minute and 1 day.", "value=\"many\"", "value=\"Room 12\"", "Error: Settings"] {
            assert!(refused.text.contains(text), "{text}");
        }
        let refused = save(&root, &[("jwt_refresh_lifetime", "30"), ("jwt_refresh_lifetime_unit", "minute")]).await;
        has_status(&refused, 400);
        assert!(refused.text.contains("It must not be shorter than the access lifetime."), "{refused:?}");
        assert_eq!(*app.app.settings(), Settings::default());
    }

    #[with(("LATCHKEY_LOGIN_TRIES", "5"))]
    async fn what_the_environment_fixes_is_shown_and_cannot_be_posted_around(app: &TestApp) {
        let root = app.admin("root").await;
        let page = root.get(PATH).await;
        assert!(page.text.contains("<code>LATCHKEY_LOGIN_TRIES</code> fixes it"));
        assert!(!page.text.contains("name=\"login_tries\""));
        let mut fields = filled(&page, &[]);
        fields.push(("login_tries".to_owned(), "20".to_owned()));
        let refused = send(&root, &fields).await;
        has_status(&refused, 400);
        assert!(refused.text.contains("LATCHKEY_LOGIN_TRIES fixes it; change it there."));
        assert_eq!(app.app.settings().login_tries, 5);
    }

    async fn two_who_change_the_same_see_both_and_others_do_not_meet(app: &TestApp) {
        let root = app.admin("root").await;
        let page = root.get(PATH).await;
        let mine = filled(&page, &[("login_tries", "7"), ("contact", "Mine")]);
        set(app, "login_tries", "4").await;
        set(app, "session_lifetime", "7200").await;
        let conflict = send(&root, &mine).await;
        has_status(&conflict, 409);
        assert!(conflict.text.contains("command line changed the same"), "{conflict:?}");
        assert!(conflict.text.contains("Wrong passwords before a pause: 4 tries is saved, you typed 7 tries"));
        assert_eq!(app.app.settings().login_tries, 4);
        let overwritten = send(&root, &filled(&conflict, &[])).await;
        assert_eq!(overwritten.redirect(), PATH);
        let settings = app.app.settings();
        assert_eq!((settings.login_tries, settings.contact.as_str(), settings.session_lifetime), (7, "Mine", 7200));

        let page = root.get(PATH).await;
        set(app, "login_tries", "9").await;
        let other = send(&root, &filled(&page, &[("contact", "Ours")])).await;
        assert_eq!(other.redirect(), PATH);
        assert_eq!((app.app.settings().login_tries, app.app.settings().contact.as_str()), (9, "Ours"));
    }

    async fn defaults_are_filled_in_and_wait_for_save(app: &TestApp) {
        let root = app.admin("root").await;
        set(app, "login_tries", "4").await;
        set(app, "session_lifetime", "7200").await;
        let page = root.get(PATH).await;
        let mut fields = filled(&page, &[("contact", "Typed")]);
        fields.push(("reset".to_owned(), "sign-in".to_owned()));
        let shown = send(&root, &fields).await;
        has_status(&shown, 200);
        assert!(shown.text.contains("Nothing is saved yet.") && shown.text.contains("value=\"Typed\""));
        assert_eq!(app.app.settings().login_tries, 4);
        assert_eq!(send(&root, &filled(&shown, &[])).await.redirect(), PATH);
        let settings = app.app.settings();
        assert_eq!((settings.login_tries, settings.session_lifetime), (10, 7200));
        assert_eq!(settings.contact, "Typed");
    }

    async fn the_password_is_asked_for_and_the_form_waits(app: &TestApp) {
        let root = app.admin("root").await;
        app.clock.advance(600);
        let asked = save(&root, &[("contact", "Room 12")]).await;
        has_status(&asked, 403);
        assert!(asked.text.contains("Change settings: Contact"), "{asked:?}");
        assert_eq!(app.app.settings().contact, "");
        let fields = [
            ("csrfmiddlewaretoken", crate::support::csrf(&asked.text)),
            ("sealed_form", between(&asked.text, "name=\"sealed_form\" value=\"", "\"")),
            ("password", crate::support::PASSWORD),
        ];
        assert_eq!(root.post_form(PATH, &fields).await.redirect(), PATH);
        assert_eq!(app.app.settings().contact, "Room 12");
    }

    async fn a_form_from_elsewhere_changes_only_what_it_names(app: &TestApp) {
        let root = app.admin("root").await;
        let odd = [("seen", "login_tries=many&%FF=1"), ("contact", "Room 12"), ("x", "1")];
        assert_eq!(root.submit(PATH, PATH, &odd).await.redirect(), PATH);
        let expected = Settings { contact: "Room 12".to_owned(), ..Settings::default() };
        assert_eq!(*app.app.settings(), expected);
        let long = "9".repeat(5000);
        has_status(&root.submit(PATH, PATH, &[("login_tries", &long)]).await, 400);
        has_status(&root.submit(PATH, PATH, &[("contact", "a\u{7}b")]).await, 400);
    }

    async fn a_new_token_begins_with_the_usual_life(app: &TestApp) {
        let root = app.admin("root").await;
        let form = async || root.get("/admin/tokens/new/").await.text;
        assert!(form().await.contains("<option value=\"90\" selected>"));
        for (days, chosen) in [("30", "<option value=\"30\" selected>"), ("0", "<option value=\"\" selected>"), ("45", "<option value=\"on\" selected>")] {
            set(app, "token_default_days", days).await;
            assert!(form().await.contains(chosen), "{days}");
        }
        assert!(form().await.contains("value=\"2027-01-07\""), "in 45 days");
        set(app, "token_longest_life", "86400").await;
        assert!(form().await.contains("<option value=\"longest\" selected>"));
    }
}

/// What nobody typed cannot be in the way.
#[test]
fn a_wish_without_a_memory_is_no_conflict() {
    crate::support::run(
        crate::support::Backend::Sqlite,
        &[],
        async |app: &TestApp| {
            set(app, "login_tries", "4").await;
            let setting = settings::find("login_tries").unwrap();
            let value = setting.kind.read("6").unwrap();
            let wish = Wish {
                setting,
                value,
                seen: None,
            };
            settings::change(&app.app, &Actor::operator(), &[wish])
                .await
                .unwrap();
            assert_eq!(app.app.settings().login_tries, 6);
        },
    );
}
