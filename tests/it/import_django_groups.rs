//! Taking over a Django project's tables: its groups and permissions.

use latchkey::domain::{
    actor::Actor,
    groups::{self, GroupInput},
    import::{OnConflict, Wanted},
    permissions::Permissions,
};
use sea_orm::ConnectionTrait;

use crate::support::{
    TestApp,
    django_project::{person, project, run, users, wanted},
    folder,
};

/// Django's tables of rights: the group 7 "readers" with five permissions, two of which mean nothing here; 102 and 105
/// may delete tokens without a group, and 105 may view users, which its group gives as well.
const RIGHTS: &str = "
    CREATE TABLE django_content_type (id integer PRIMARY KEY, app_label varchar(100), model varchar(100));
    CREATE TABLE auth_permission (id integer PRIMARY KEY, name varchar(255), content_type_id integer, codename varchar(100));
    CREATE TABLE auth_group (id integer PRIMARY KEY, name varchar(150));
    CREATE TABLE auth_group_permissions (id integer PRIMARY KEY, group_id integer, permission_id integer);
    CREATE TABLE auth_user_groups (id integer PRIMARY KEY, user_id integer, group_id integer);
    CREATE TABLE auth_user_user_permissions (id integer PRIMARY KEY, user_id integer, permission_id integer);
    CREATE TABLE school_student (id integer PRIMARY KEY, name varchar(100), roll integer, city varchar(100));
    INSERT INTO django_content_type VALUES (1, 'auth', 'user'), (2, 'authtoken', 'token'), (3, 'school', 'student'),
        (4, 'admin', 'logentry'), (5, 'authtoken', 'tokenproxy');
    INSERT INTO auth_permission VALUES (1, '', 1, 'view_user'), (2, '', 5, 'add_tokenproxy'), (3, '', 3, 'change_student'),
        (4, '', 2, 'delete_token'), (5, '', 4, 'view_logentry'), (6, '', 3, 'publish_student');
    INSERT INTO auth_group VALUES (7, 'readers'), (8, 'empty');
    INSERT INTO auth_group_permissions (group_id, permission_id) VALUES (7, 1), (7, 2), (7, 3), (7, 5), (7, 6);
    INSERT INTO auth_user_groups (user_id, group_id) VALUES (101, 7), (104, 7), (105, 7);
    INSERT INTO auth_user_user_permissions (user_id, permission_id) VALUES (102, 4), (105, 4), (105, 1)";

both! {
    async fn groups_come_with_what_they_give_and_rights_are_never_more_than_they_were(app: &TestApp) {
        // A group of that name is here already, and gives more.
        app.group("readers", Permissions::all()).await;
        let folder = folder();
        let clerk = |id, name: &str| format!("({id}, '{name}', '!', '', '', '', 1, 1, 0, '2020-01-01')");
        let people = [clerk(101, "clerk"), clerk(102, "owner"), clerk(103, "idle"), person(104, "ann"), clerk(105, "twin")];
        let sql = format!("{}; {}", users(&people.join(", ")), RIGHTS);
        let (path, db) = project(folder.path(), &sql).await;
        let with_students = |dry_run| Wanted {
            students_table: Some("school_student".to_owned()),
            dry_run,
            ..wanted(OnConflict::Abort)
        };
        let looked = run(app, &path, &with_students(true)).await.unwrap();
        assert_eq!((looked.report.groups.read, looked.report.groups.new), (2, 3), "one for permissions without a group");
        assert_eq!(groups::all(&app.app).await.unwrap().len(), 1, "a dry run makes none");
        let done = run(app, &path, &with_students(false)).await.unwrap();
        let notices: Vec<String> = done
            .report
            .notices
            .iter()
            .flat_map(|(kind, _, texts)| texts.iter().map(move |text| format!("{kind}: {text}")))
            .collect();
        for expected in [
            "permissions that mean nothing here, left out: group \"readers\": admin.view_logentry",
            "permissions that mean nothing here, left out: group \"readers\": school.publish_student",
            "permissions without a group: a group is made for each such set: user 102 \"owner\": delete tokens",
            "groups and permissions of people who are not staff: kept, and without effect until they are: user 104 \"ann\"",
            "staff without a permission that counts here: they open the panel and can do nothing in it: user 103 \"idle\"",
        ] {
            assert!(notices.iter().any(|notice| notice == expected), "{expected}: {notices:?}");
        }
        let made: Vec<(String, String, u64)> = groups::all(&app.app)
            .await
            .unwrap()
            .into_iter()
            .map(|row| (row.group.name, row.group.permissions, row.members.n))
            .collect();
        let row = |name: &str, gives: &str, members| (name.to_owned(), gives.to_owned(), members);
        assert_eq!(made, [
            row("empty", "", 0),
            row("From Django: delete tokens", "delete_tokens", 2),
            row("readers", &Permissions::all().names(), 0),
            row("readers (from Django)", "view_users add_tokens change_students", 3),
        ]);
        // What happened here since stays, and a newcomer finds the groups again.
        let ann = app.find_user("ann").await.id;
        let there = groups::find_by_name(&app.app, "readers (from Django)").await.unwrap().unwrap();
        groups::remove(&app.app, &Actor::operator(), &there, ann).await.unwrap();
        let input = GroupInput { name: "Clerks".to_owned(), permissions: groups::permissions(&there) };
        groups::update(&app.app, &Actor::operator(), there.id, input, 1).await.unwrap();
        let more = format!(
            "{}; INSERT INTO auth_user_groups (user_id, group_id) VALUES (106, 7); \
             INSERT INTO auth_user_user_permissions (user_id, permission_id) VALUES (106, 4)",
            users(&clerk(106, "late"))
        );
        db.execute_unprepared(&more).await.unwrap();
        let again = run(app, &path, &with_students(false)).await.unwrap();
        assert_eq!((again.report.groups.new, again.report.groups.there), (0, 2));
        let names = async |id| {
            let theirs = groups::of_user(app.app.db.read(), id).await.unwrap();
            theirs.into_iter().map(|group| group.name).collect::<Vec<_>>()
        };
        assert!(names(ann).await.is_empty());
        assert_eq!(names(106).await, ["Clerks", "From Django: delete tokens"]);
        // A group for permissions of one's own that gives something else by now is not theirs.
        let own = groups::find_by_name(&app.app, "From Django: delete tokens").await.unwrap().unwrap();
        let input = GroupInput { name: own.name.clone(), permissions: Permissions::all() };
        groups::update(&app.app, &Actor::operator(), own.id, input, 1).await.unwrap();
        for (id, name, new) in [(107, "later", 1), (108, "last", 0)] {
            let more = format!(
                "{}; INSERT INTO auth_user_user_permissions (user_id, permission_id) VALUES ({id}, 4)",
                users(&clerk(id, name))
            );
            db.execute_unprepared(&more).await.unwrap();
            let again = run(app, &path, &with_students(false)).await.unwrap();
            assert_eq!(again.report.groups.new, new);
            assert_eq!(names(id).await, ["From Django: delete tokens (from Django)"]);
        }
        let made = groups::find_by_name(&app.app, "From Django: delete tokens (from Django)").await.unwrap().unwrap();
        assert_eq!(made.permissions, "delete_tokens");
    }
}
