//! Taking over a Django project's tables: odd rows, repeated runs, names that are taken. And what
//! its password strings mean at sign-in.

use std::path::{Path, PathBuf};

use latchkey::{
    domain::{
        actor::Actor,
        groups::{self, GroupInput},
        import::{self, OnConflict, Outcome, Source, Wanted},
        permissions::Permissions,
        users::{self},
    },
    entity::user,
    error::{Error, Result},
    secret::{Password, SecretBytes},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, Database, DatabaseConnection, EntityTrait, QueryFilter,
    sea_query::Expr,
};
use serde_json::json;

use crate::support::{Backend, TestApp, folder, parallel};

/// Of `S3cure-pass-1`, as Django writes it, with one round.
const DJANGO: &str =
    "pbkdf2_sha256$1$Gx560IpE3PzNWKffsjaeIh$nCT0gBz6ARWtici/FbhpWTZ9L8ahzAFAn7Mq+tnO3vM=";
const PASSWORD: &str = "S3cure-pass-1";

async fn old_hash(app: &TestApp, name: &str, stored: &str) {
    app.user(name).await;
    user::Entity::update_many()
        .col_expr(user::Column::Password, Expr::value(stored))
        .filter(user::Column::Username.eq(name))
        .exec(app.app.db.read())
        .await
        .unwrap();
}

/// A SQLite file with Django's table of users, and the rows of `sql`.
async fn project(folder: &Path, sql: &str) -> (PathBuf, DatabaseConnection) {
    let path = folder.join("django.sqlite3");
    let db = Database::connect(format!("sqlite:{}?mode=rwc", path.display()))
        .await
        .unwrap();
    db.execute_unprepared(
        "CREATE TABLE auth_user (id integer PRIMARY KEY, password varchar(128), \
         last_login datetime, is_superuser bool, username varchar(150), last_name varchar(150), \
         email varchar(254), is_staff bool, is_active bool, date_joined datetime, \
         first_name varchar(150))",
    )
    .await
    .unwrap();
    db.execute_unprepared(sql).await.unwrap();
    (path, db)
}

fn users(values: &str) -> String {
    format!(
        "INSERT INTO auth_user (id, username, password, email, first_name, last_name, is_active, \
         is_staff, is_superuser, date_joined) VALUES {values}"
    )
}

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

fn person(id: i64, name: &str) -> String {
    format!("({id}, '{name}', '{DJANGO}', '', '', '', 1, 0, 0, '2020-01-01 00:00:00.123456')")
}

fn wanted(on_conflict: OnConflict) -> Wanted {
    Wanted {
        users_table: "auth_user".to_owned(),
        students_table: None,
        secret_key: None,
        on_conflict,
        dry_run: false,
    }
}

async fn run(app: &TestApp, path: &Path, wanted: &Wanted) -> Result<Outcome> {
    let command = app.command().await;
    let source = Source::open(&format!("sqlite:{}", path.display())).await?;
    let by = Actor::operator();
    let outcome = import::import(&command, &by, &source, wanted, &|_, _, _| ()).await;
    source.close().await?;
    command.db.close().await.unwrap();
    outcome
}

fn kinds(outcome: &Outcome) -> Vec<(&'static str, u64)> {
    let conflicts = outcome.report.conflicts.iter();
    conflicts.map(|(kind, count, _)| (kind, count)).collect()
}

both! {
    async fn a_hash_of_django_is_renewed_at_sign_in_and_nobody_is_logged_out(app: &TestApp) {
        old_hash(app, "ann", DJANGO).await;
        let before = app.find_user("ann").await;
        let (access, _) = app.pair(&before).await;
        let ask = |_| {
            let caller = app.anonymous();
            async move {
                let body = json!({"username": "ann", "password": PASSWORD});
                caller.post_json("/api/token/", body).await
            }
        };
        for answer in parallel((0..4).map(ask)).await {
            answer.expect(200);
        }
        let after = app.find_user("ann").await;
        assert!(after.password.starts_with("$argon2id$"), "{}", after.password);
        assert_eq!((after.epoch, after.version), (before.epoch, before.version));
        app.anonymous().bearer(&access).get("/studentapi/").await.expect(200);
        let audited = app.audited().await;
        assert!(!audited.iter().any(|action| action.contains("password")), "{audited:?}");
    }

    async fn a_wrong_password_renews_nothing(app: &TestApp) {
        old_hash(app, "ann", DJANGO).await;
        let body = json!({"username": "ann", "password": "S3cure-pass-2"});
        let answer = app.anonymous().post_json("/api/token/", body).await;
        assert_eq!(answer.status, 401);
        assert_eq!(app.find_user("ann").await.password, DJANGO);
    }

    async fn a_new_password_outlives_the_renewal_of_the_old_hash(app: &TestApp) {
        old_hash(app, "ann", DJANGO).await;
        let ann = app.find_user("ann").await;
        let sign_in = async {
            let body = json!({"username": "ann", "password": PASSWORD});
            app.anonymous().post_json("/api/token/", body).await
        };
        let new = Password::new("Another-pass-1");
        let by = Actor::operator();
        let change = users::set_password(&app.app, &by, ann.id, new);
        let (_, changed) = tokio::join!(sign_in, change);
        changed.unwrap();
        let body = json!({"username": "ann", "password": "Another-pass-1"});
        app.anonymous().post_json("/api/token/", body).await.expect(200);
    }

    async fn stored_strings_that_nobody_can_pay_for_are_refused_at_once(app: &TestApp) {
        for (name, stored) in [
            ("a", "pbkdf2_sha256$4000000000$salt$5yan7jk3h1lUGiiaGhmoDPBOyznm23U+cmEJbquRTxE="),
            ("b", "$argon2id$v=19$m=8,t=4000000000,p=1$c2FsdHNhbHRzYWx0$U8rh56S7eXhKpDXh+KYmKNs28F4GCLg8Zjn7jxOgTRQ"),
            ("c", "$argon2id$v=19$m=4000000000,t=1,p=1$c2FsdHNhbHRzYWx0$U8rh56S7eXhKpDXh+KYmKNs28F4GCLg8Zjn7jxOgTRQ"),
            ("d", "$argon2id$v=19$m=8,t=0,p=1$c2FsdA$U8rh56S7eXhKpDXh+KYm"),
            ("e", "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$U8rh56S7eXhKpDXh+KYm"),
            ("f", "no hash"),
            ("g", "!"),
        ] {
            old_hash(app, name, stored).await;
            let body = json!({"username": name, "password": PASSWORD});
            let answer = app.anonymous().post_json("/api/token/", body).await;
            answer.is_detail(401, "No active account found with the given credentials");
        }
    }

    async fn rows_that_cannot_be_kept_are_said_and_break_nothing(app: &TestApp) {
        let folder = folder();
        let odd = [
            person(-5, "minus"),
            person(1, "ann"),
            person(2, "ANN"),
            person(3, "\u{fb01}lip"),
            person(4, "filip"),
            person(5, ""),
            person(6, &"z".repeat(151)),
            person(9_007_199_254_740_993, "far"),
        ];
        let sql = [
            users(&odd.join(", ")),
            users("(10, CAST(x'ff' AS TEXT), 'x', '', '', '', 1, 0, 0, NULL)"),
            users("(11, 'a' || char(0) || 'b', 'x', '', '', '', 1, 0, 0, 'never')"),
            users("(12, 'bob', NULL, '', '', '', 1, 0, 0, '2020')"),
            users("(13, 'cat', 'plain', 'no address', 'C' || char(0), '', 'x', 1, 0, 'soon')"),
            users("(14, 77, x'21', 5, 6, 7.5, 1, 0, 1, 12)"),
        ];
        let (path, _db) = project(folder.path(), &sql.join("; ")).await;
        let aborted = run(app, &path, &wanted(OnConflict::Abort)).await.unwrap();
        assert!(!aborted.imported);
        assert_eq!(
            kinds(&aborted),
            [
                ("ids", 2),
                ("names that are one here (case and look-alike letters do not count)", 2),
                ("names that cannot be kept", 3),
                ("rows that cannot be read", 2),
            ]
        );
        assert!(users::find(&app.app, 1).await.unwrap().is_none(), "nothing is written");
        let done = run(app, &path, &wanted(OnConflict::Skip)).await.unwrap();
        assert!(done.imported);
        let left = (done.report.users.new, done.report.users.left_out);
        assert_eq!(left, (4, 9), "{:?}", done.report.users);
        let ann = app.find_user("ann").await;
        assert_eq!((ann.id, ann.date_joined, ann.last_login), (1, 1_577_836_800, 0));
        assert_eq!(app.find_user("filip").await.id, 3, "the oldest account stays");
        let cat = app.find_user("cat").await;
        assert_eq!((cat.first_name.as_str(), cat.email.as_str()), ("C", "no address"));
        assert!(cat.is_staff && !cat.is_active);
        assert_eq!(app.find_user("77").await.password, "!");
        let audited = app.audited().await;
        assert_eq!(&audited[..2], ["import.finished", "import.started"]);
    }

    async fn people_who_are_here_already_are_never_overwritten(app: &TestApp) {
        let ann = app.user("ann").await;
        let folder = folder();
        let values = [person(ann.id, "somebody"), person(ann.id + 1, "Ann"), person(900, "new")];
        let (path, db) = project(folder.path(), &users(&values.join(", "))).await;
        let aborted = run(app, &path, &wanted(OnConflict::Abort)).await.unwrap();
        assert!(!aborted.imported && aborted.report.conflicts.count() == 2);
        let done = run(app, &path, &wanted(OnConflict::Skip)).await.unwrap();
        assert_eq!(done.report.users.new, 1);
        assert_eq!(app.find_user("ann").await, ann);
        assert_eq!(app.user("later").await.id, 901);
        // Again, with one more, and one who has signed in since.
        let body = json!({"username": "new", "password": PASSWORD});
        app.anonymous().post_json("/api/token/", body).await.expect(200);
        let renewed = app.find_user("new").await;
        db.execute_unprepared(&users(&person(950, "newer"))).await.unwrap();
        let again = run(app, &path, &wanted(OnConflict::Skip)).await.unwrap();
        let tally = again.report.users;
        assert_eq!((tally.new, tally.there, tally.left_out), (1, 1, 2));
        assert_eq!(app.find_user("new").await, renewed);
    }

    async fn more_than_a_batch_comes_over_and_a_second_run_goes_on(app: &TestApp) {
        let folder = folder();
        let some = |from: i64, to: i64| {
            let values: Vec<String> = (from..to).map(|id| person(id, &format!("user{id}"))).collect();
            users(&values.join(", "))
        };
        let (path, db) = project(folder.path(), &some(1, 1501)).await;
        let first = run(app, &path, &wanted(OnConflict::Abort)).await.unwrap();
        assert_eq!((first.imported, first.report.users.new), (true, 1500));
        db.execute_unprepared(&some(1501, 2101)).await.unwrap();
        let second = run(app, &path, &wanted(OnConflict::Abort)).await.unwrap();
        let tally = second.report.users;
        assert_eq!((tally.read, tally.new, tally.there), (2100, 600, 1500));
        assert_eq!(app.find_user("user2100").await.id, 2100);
    }

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

    async fn what_is_no_django_is_said(app: &TestApp) {
        let folder = folder();
        let (path, db) = project(folder.path(), "CREATE TABLE people (id text, username text, password text)").await;
        let asked = |table: &str, students: Option<&str>| Wanted {
            users_table: table.to_owned(),
            students_table: students.map(str::to_owned),
            ..wanted(OnConflict::Abort)
        };
        for (wanted, words) in [
            (asked("none", None), "there is no table \"none\""),
            (asked("people", None), "ids here are whole numbers"),
            (asked("auth_user", Some("none")), "there is no table \"none\""),
            (asked("auth_user", Some("people")), "people.id is of type \"text\""),
            (asked("x\"; DROP TABLE people; --", None), "there is no table"),
        ] {
            let failed = run(app, &path, &wanted).await.unwrap_err();
            let Error::Validation(errors) = failed else { panic!("{failed:?}") };
            assert!(errors.get("from")[0].contains(words), "{errors:?}");
        }
        // Only the table of users: the rest is simply not there.
        db.execute_unprepared(&users(&person(1, "ann"))).await.unwrap();
        assert!(run(app, &path, &wanted(OnConflict::Abort)).await.unwrap().imported);
    }

    async fn a_shared_key_must_fit_what_is_there(app: &TestApp) {
        let folder = folder();
        let jwt = crate::support::forged(&json!({"jti": "x"}), "the key of Django");
        let sql = format!(
            "CREATE TABLE token_blacklist_outstandingtoken (id integer PRIMARY KEY, token text, \
             created_at datetime, expires_at datetime, user_id integer, jti varchar(255)); \
             CREATE TABLE token_blacklist_blacklistedtoken (id integer PRIMARY KEY, \
             blacklisted_at datetime, token_id integer); \
             INSERT INTO token_blacklist_outstandingtoken VALUES (1, '{jwt}', '2020-01-01', \
             '2020-01-02', 1, 'x'); {}",
            users(&person(1, "ann"))
        );
        let (path, _db) = project(folder.path(), &sql).await;
        let with = |key: &str| Wanted {
            secret_key: Some(SecretBytes::new(key.as_bytes().to_vec())),
            ..wanted(OnConflict::Abort)
        };
        let wrong = run(app, &path, &with("another key")).await.unwrap();
        assert_eq!((wrong.imported, kinds(&wrong)), (false, vec![("key", 1)]));
        for _ in 0..2 {
            let right = run(app, &path, &with("the key of Django")).await.unwrap();
            assert!(right.imported);
        }
        let shared = app.audited().await.iter().filter(|a| *a == "signing_key.shared").count();
        assert_eq!(shared, 1);
    }
}

#[test]
fn a_file_that_is_not_there_is_not_made() {
    crate::support::run(Backend::Sqlite, &[], async |app: &TestApp| {
        let path = folder().path().join("nowhere.sqlite3");
        assert!(run(app, &path, &wanted(OnConflict::Abort)).await.is_err());
        assert!(!path.exists());
    });
}
