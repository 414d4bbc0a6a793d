//! Groups in the panel: made, changed and deleted by superusers, ticked on accounts, and kept from everybody else.

use std::sync::LazyLock;

use latchkey::domain::{
    actor::Actor,
    audit,
    groups::{self, Group, GroupInput},
    permissions::Permissions,
    users::{self, UserInput},
};

use crate::support::{Caller, PASSWORD, TestApp, between, csrf, nothing_inline};

async fn post(browser: &Caller, path: &str, fields: &[(&str, &str)]) -> crate::support::Answer {
    let token = csrf(&browser.get("/dashboard/").await.text).to_owned();
    let mut fields = fields.to_vec();
    fields.push(("csrfmiddlewaretoken", &token));
    browser.post_form(path, &fields).await
}

async fn group(app: &TestApp, name: &str, permissions: &str) -> Group {
    let input = GroupInput {
        name: name.to_owned(),
        permissions: Permissions::read(permissions),
    };
    groups::create(&app.app, &Actor::operator(), input)
        .await
        .unwrap()
}

async fn names_of(app: &TestApp, user: i64) -> Vec<String> {
    let theirs = groups::of_user(app.app.db.read(), user).await.unwrap();
    theirs.into_iter().map(|group| group.name).collect()
}

/// What the newest event of an action tells.
async fn told(app: &TestApp, action: &str) -> serde_json::Value {
    let events = audit::recent(&app.app, 50).await.unwrap();
    let event = events
        .into_iter()
        .find(|event| event.action == action)
        .unwrap();
    serde_json::from_str(&event.detail).unwrap()
}

/// All groups of a test, as a form says which boxes it has.
fn all_shown() -> &'static str {
    static IDS: LazyLock<String> = LazyLock::new(|| {
        let ids: Vec<String> = (1..=200).map(|id| id.to_string()).collect();
        ids.join(",")
    });
    &IDS
}

/// The fields of an account as its form sends them.
fn account<'a>(name: &'a str, version: &'a str, groups: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("username", name),
        ("is_active", "on"),
        ("is_staff", "on"),
        ("version", version),
        ("groups_shown", all_shown()),
    ];
    fields.extend(groups.iter().map(|id| ("group", *id)));
    fields
}

both! {
    async fn a_name_that_looks_like_another_is_refused(app: &TestApp) {
        let root = app.admin("root").await;
        group(app, "Support", "view_users").await;
        for name in ["Sup\u{200b}port", "\u{202e}troppuS", "Support\u{2060}", "Sup\u{ad}port"] {
            let answer = post(&root, "/admin/groups/new/", &[("name", name)]).await;
            assert_eq!(answer.status, 400, "{name:?}");
            assert!(answer.text.contains("Characters that cannot be seen are not allowed."), "{}", answer.text);
        }
        assert_eq!(groups::all(&app.app).await.unwrap().len(), 1);
    }

    async fn a_group_is_made_changed_and_deleted(app: &TestApp) {
        let root = app.admin("root").await;
        let empty = root.get("/admin/groups/").await;
        assert!(empty.text.contains("No groups yet."), "{}", empty.text);
        let form = root.get("/admin/groups/new/").await.text;
        assert!(form.contains("value=\"change_students\"") && !form.contains("value=\"add_sessions\""), "{form}");
        let fields = [("name", "  Support  team "), ("permission", "view_users"), ("permission", "view_students")];
        assert_eq!(post(&root, "/admin/groups/new/", &fields).await.redirect(), "/admin/groups/");
        let made = groups::find_by_name(&app.app, "support team").await.unwrap().unwrap();
        assert_eq!((made.name.as_str(), made.permissions.as_str()), ("Support team", "view_users view_students"));
        let twice = post(&root, "/admin/groups/new/", &[("name", "SUPPORT team"), ("permission", "view_audit")]).await;
        assert_eq!(twice.status, 400);
        assert!(twice.text.contains("“SUPPORT team” is taken."));
        assert!(twice.text.contains("value=\"view_audit\" checked"), "what was ticked is kept");
        let list = root.get("/admin/groups/").await.text;
        assert!(list.contains("view users; view students"), "{list}");

        let path = format!("/admin/groups/{}/", made.id);
        let page = root.get(&path).await;
        nothing_inline(&page);
        assert!(page.text.contains("value=\"view_users\" checked"));
        let fields = [("name", "Support"), ("permission", "view_users"), ("version", "1")];
        assert_eq!(post(&root, &path, &fields).await.redirect(), "/admin/groups/");
        let event = told(app, "group.changed").await;
        assert_eq!(event["name"]["to"], "Support");
        assert_eq!(event["permissions"]["from"], serde_json::json!(["view users", "view students"]));
        assert_eq!(event["permissions"]["to"], serde_json::json!(["view users"]));

        let sam = app
            .user_with("sam", |input| UserInput { is_staff: true, groups: Some(vec![made.id]), ..input })
            .await;
        let asked = root.get(&format!("{path}delete/")).await.text;
        assert!(asked.contains("1 member loses") && asked.contains("view users"), "{asked}");
        assert_eq!(post(&root, &format!("{path}delete/"), &[]).await.redirect(), "/admin/groups/");
        assert!(names_of(app, sam.id).await.is_empty());
        assert_eq!(users::get(&app.app, sam.id).await.unwrap().username, "sam");
        let event = told(app, "group.deleted").await;
        assert_eq!((event["members"].as_u64(), event["members_named"][0].as_str()), (Some(1), Some("sam")));
        assert_eq!(root.get(&path).await.status, 404);
    }

    async fn who_saves_a_group_second_sees_both(app: &TestApp) {
        let root = app.admin("root").await;
        let made = group(app, "Support", "view_users").await;
        let path = format!("/admin/groups/{}/", made.id);
        let first = [("name", "Support"), ("permission", "view_audit"), ("version", "1")];
        assert_eq!(post(&root, &path, &first).await.status, 303);
        let second = [("name", "Helpers"), ("permission", "view_students"), ("version", "1")];
        let answer = post(&root, &path, &second).await;
        assert_eq!(answer.status, 409);
        assert!(answer.text.contains("Somebody changed this group meanwhile"), "{}", answer.text);
        assert!(answer.text.contains("view the audit log"), "what it is now");
        assert!(answer.text.contains("value=\"view_students\" checked"), "what was ticked");
        assert!(answer.text.contains("name=\"version\" value=\"2\""), "to overwrite it knowingly");
        assert_eq!(groups::get(&app.app, made.id).await.unwrap().permissions, "view_audit");
    }

    async fn groups_are_ticked_on_an_account_and_told_in_its_history(app: &TestApp) {
        let root = app.admin("root").await;
        let (support, editors) = (group(app, "Support", "view_users").await, group(app, "Editors", "").await);
        let sam = app.user_with("sam", |input| UserInput { is_staff: true, groups: Some(vec![support.id]), ..input }).await;
        let path = format!("/admin/users/{}/", sam.id);
        let (one, two) = (support.id.to_string(), editors.id.to_string());
        let form = root.get(&path).await.text;
        assert!(form.contains(&format!("value=\"{one}\" checked")), "{form}");
        assert!(form.contains(&format!("value=\"{two}\" aria")), "{form}");
        assert_eq!(post(&root, &path, &account("sam", "1", &[&two])).await.status, 303);
        assert_eq!(names_of(app, sam.id).await, ["Editors"]);
        let event = told(app, "user.changed").await;
        assert_eq!(event["groups"], serde_json::json!({"from": "Support", "to": "Editors"}));
        // The version that the editor saw has passed.
        let stale = post(&root, &path, &account("sam", "1", &[&one, &two])).await;
        assert_eq!(stale.status, 409);
        assert!(stale.text.contains("Editors, Support"), "{}", stale.text);
        assert!(stale.text.contains(&format!("name=\"group\" value=\"{one}\"")), "to send it again");
        // A form without the boxes leaves them alone, one with none ticked takes all away.
        let mut without = account("sam", "2", &[]);
        without.retain(|(name, _)| *name != "groups_shown");
        without.push(("first_name", "Sam"));
        assert_eq!(post(&root, &path, &without).await.status, 303);
        assert_eq!(names_of(app, sam.id).await, ["Editors"]);
        let mut none = account("sam", "3", &[]);
        none.push(("first_name", "Sam"));
        assert_eq!(post(&root, &path, &none).await.status, 303);
        assert!(names_of(app, sam.id).await.is_empty());
    }

    async fn a_new_account_may_begin_in_groups(app: &TestApp) {
        let root = app.admin("root").await;
        let support = group(app, "Support", "view_users").await.id.to_string();
        let fields = [
            ("username", "sam"),
            ("is_active", "on"),
            ("is_staff", "on"),
            ("password", PASSWORD),
            ("confirm_password", PASSWORD),
            ("groups_shown", all_shown()),
            ("group", support.as_str()),
            ("group", "999999"),
        ];
        assert_eq!(post(&root, "/admin/users/new/", &fields).await.status, 303);
        let sam = app.find_user("sam").await;
        assert_eq!(names_of(app, sam.id).await, ["Support"], "a group that is gone is none");
        assert_eq!(told(app, "user.created").await["groups"], "Support");
    }

    async fn staff_raises_neither_itself_nor_others(app: &TestApp) {
        let all = group(app, "All", &Permissions::all().names()).await;
        let sam = app.staff("sam", Permissions::read("view_users add_users change_users")).await;
        let ann = app.user("ann").await;
        let browser = app.browser(&sam).await;
        let id = all.id.to_string();
        let form = browser.get(&format!("/admin/users/{}/", sam.id)).await.text;
        assert!(form.contains("Group of sam") && !form.contains("name=\"group\""), "told, not to be ticked");
        for user in [&sam, &ann] {
            let mut fields = account(&user.username, "1", &[&id]);
            fields.push(("first_name", "X"));
            post(&browser, &format!("/admin/users/{}/", user.id), &fields).await;
            assert!(!names_of(app, user.id).await.contains(&"All".to_owned()), "{}", user.username);
        }
        assert!(!app.find_user("ann").await.is_staff);
        let fields = [
            ("username", "friend"),
            ("is_active", "on"),
            ("password", PASSWORD),
            ("confirm_password", PASSWORD),
            ("groups_shown", all_shown()),
            ("group", id.as_str()),
        ];
        assert_eq!(post(&browser, "/admin/users/new/", &fields).await.status, 403);
        assert!(users::find_by_username(&app.app, "friend").await.unwrap().is_none());
    }

    async fn a_change_of_rights_asks_for_the_password(app: &TestApp) {
        let root = app.admin("root").await;
        let made = group(app, "Support", "view_users").await;
        let sam = app.staff("sam", Permissions::NONE).await;
        app.clock.advance(11 * 60);
        let id = made.id.to_string();
        let own = names_of(app, sam.id).await;
        for (path, fields, words) in [
            (format!("/admin/users/{}/", sam.id), account("sam", "1", &[&id]), "Change the groups of sam"),
            (
                format!("/admin/groups/{id}/"),
                vec![("name", "Support"), ("permission", "view_audit"), ("version", "1")],
                "Change what Support may do",
            ),
            (
                format!("/admin/groups/{id}/delete/"),
                vec![("confirm_act", "Delete the group Support")],
                "Delete the group Support",
            ),
        ] {
            let answer = post(&root, &path, &fields).await;
            assert_eq!(answer.status, 403, "{path}");
            assert!(answer.text.contains(words), "{path}: {}", answer.text);
        }
        assert_eq!(names_of(app, sam.id).await, own);
        assert_eq!(groups::get(&app.app, made.id).await.unwrap().permissions, "view_users");
        // A name gives nobody anything.
        let renamed = [("name", "Helpers"), ("permission", "view_users"), ("version", "1")];
        assert_eq!(post(&root, &format!("/admin/groups/{id}/"), &renamed).await.status, 303);
    }

    async fn a_group_that_was_not_offered_is_not_joined_without_the_password(app: &TestApp) {
        let root = app.admin("root").await;
        for n in 0..200 {
            group(app, &format!("A {n}"), "").await;
        }
        let last = group(app, "Z", "view_users").await.id.to_string();
        let sam = app.user_with("sam", |input| UserInput { is_staff: true, groups: Some(Vec::new()), ..input }).await;
        let path = format!("/admin/users/{}/", sam.id);
        assert!(!root.get(&path).await.text.contains(&format!("id=\"group-{last}\"")));
        app.clock.advance(11 * 60);
        let answer = post(&root, &path, &account("sam", "1", &[&last])).await;
        assert_eq!(answer.status, 403);
        assert!(answer.text.contains("Change the groups of sam"), "{}", answer.text);
        assert!(names_of(app, sam.id).await.is_empty());
    }

    async fn a_save_drops_no_group_that_was_not_shown_and_any_can_be_joined_by_its_name(app: &TestApp) {
        let root = app.admin("root").await;
        let mut all = Vec::new();
        for n in 0..205 {
            all.push(group(app, &format!("A {n:03}"), "").await.id);
        }
        group(app, "Z last", "view_users").await;
        let in_all = |input| UserInput { is_staff: true, groups: Some(all[..200].to_vec()), ..input };
        let sam = app.user_with("sam", in_all).await;
        let by = Actor::operator();
        for id in &all[200..] {
            let one = groups::get(&app.app, *id).await.unwrap();
            groups::add(&app.app, &by, &one, sam.id).await.unwrap();
        }
        let path = format!("/admin/users/{}/", sam.id);
        let form = root.get(&path).await.text;
        assert_eq!(form.matches("name=\"group\"").count(), 200);
        assert!(form.contains("name=\"group_named\""), "{form}");
        let shown = between(&form, "name=\"groups_shown\" value=\"", "\"").to_owned();
        let ticked: Vec<&str> = shown.split(',').collect();
        let send = async |more: &[(&str, &str)], but: &str| {
            let version = app.find_user("sam").await.version.to_string();
            let mut fields = vec![("username", "sam"), ("is_active", "on"), ("is_staff", "on"), ("version", &*version), ("groups_shown", &*shown)];
            fields.extend(ticked.iter().filter(|id| **id != but).map(|id| ("group", *id)));
            fields.extend(more);
            post(&root, &path, &fields).await
        };
        assert_eq!(send(&[("first_name", "Sam")], "").await.status, 303);
        assert_eq!(names_of(app, sam.id).await.len(), 205, "none was dropped");
        let wrong = send(&[("group_named", "Z")], "").await;
        assert_eq!(wrong.status, 400);
        assert!(wrong.text.contains("There is no group of that name.") && wrong.text.contains("value=\"Z\""), "{}", wrong.text);
        assert_eq!(send(&[("group_named", " z LAST")], ticked[0]).await.status, 303);
        let names = names_of(app, sam.id).await;
        assert_eq!(names.len(), 205, "one left, one joined");
        assert!(names.contains(&"Z last".to_owned()));
        app.clock.advance(11 * 60);
        let asked = send(&[("group_named", "A 000")], "").await;
        assert_eq!((asked.status, asked.text.contains("Change the groups of sam")), (403, true));
        // A new account, too.
        let root = app.browser(&app.find_user("root").await).await;
        let mut new = account("new", "1", &[]);
        new.extend([("password", PASSWORD), ("confirm_password", PASSWORD), ("group_named", "Z last")]);
        assert_eq!(post(&root, "/admin/users/new/", &new).await.status, 303);
        assert_eq!(names_of(app, app.find_user("new").await.id).await, ["Z last"]);
    }

    async fn more_groups_than_are_offered_are_refused(app: &TestApp) {
        let root = app.admin("root").await;
        let made = group(app, "Support", "view_users").await.id.to_string();
        let sam = app.user_with("sam", |input| UserInput { is_staff: true, groups: Some(Vec::new()), ..input }).await;
        let path = format!("/admin/users/{}/", sam.id);
        let many: Vec<String> = (1..=250).map(|id: i64| id.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let mut new = account("new", "1", &many);
        new.extend([("password", PASSWORD), ("confirm_password", PASSWORD)]);
        for (path, fields) in [(path.as_str(), account("sam", "1", &many)), ("/admin/users/new/", new)] {
            let answer = post(&root, path, &fields).await;
            assert_eq!(answer.status, 400, "{path}");
            assert!(answer.text.contains("Select no more than 200 groups."), "{path}: {}", answer.text);
        }
        // The same one often is one.
        let often = vec![made.as_str(); 300];
        assert_eq!(post(&root, &path, &account("sam", "1", &often)).await.status, 303);
        assert_eq!(names_of(app, sam.id).await, ["Support"]);
    }

    async fn the_list_of_users_shows_who_is_in_a_group(app: &TestApp) {
        let root = app.admin("root").await;
        let made = group(app, "Support", "view_users").await;
        app.user_with("sam", |input| UserInput { is_staff: true, groups: Some(vec![made.id]), ..input }).await;
        app.user("ann").await;
        let list = root.get(&format!("/admin/users/?group={}", made.id)).await.text;
        assert!(list.contains("In the group “Support”"), "{list}");
        assert!(list.contains(">sam</a>") && !list.contains(">ann</a>"), "{list}");
        assert!(root.get("/admin/groups/").await.text.contains("Members of Support: 1"));
        let gone = root.get("/admin/users/?group=999999").await;
        assert!(gone.status == 200 && gone.text.contains("Group 999999"));
        for odd in ["x", "-", "99999999999999999999999"] {
            let all = root.get(&format!("/admin/users/?group={odd}")).await.text;
            assert!(all.contains(">ann</a>"), "{odd}");
        }
    }

    async fn groups_ask_few_questions(app: &TestApp) {
        let root = app.admin("root").await;
        for n in 0..30 {
            group(app, &format!("Group {n}"), "view_users").await;
        }
        let id = group(app, "Support", "view_users").await.id;
        for (most, path) in [
            (4, "/admin/groups/".to_owned()),
            (5, format!("/admin/groups/{id}/")),
            (5, format!("/admin/groups/{id}/delete/")),
            (5, "/admin/groups/new/".to_owned()),
        ] {
            let before = app.statements();
            assert_eq!(root.get(&path).await.status, 200);
            // One says whose the session is.
            let asked = app.statements() - before - 1;
            assert!(asked <= most, "{path}: {asked}");
        }
        let second = root.get("/admin/groups/").await.text;
        assert!(second.contains("1–25") && second.contains("cursor="), "in pages");
    }
}
