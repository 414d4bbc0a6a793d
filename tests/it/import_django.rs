//! Taking over a Django project's tables: odd rows, repeated runs, names that are taken.

use latchkey::{
    domain::{
        import::{OnConflict, Wanted},
        users as accounts,
    },
    error::Error,
    secret::SecretBytes,
};
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::support::{
    Backend, TestApp,
    django_project::{PASSWORD, kinds, person, project, run, users, wanted},
    folder,
};

both! {
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
                ("names that are one here (case and compatibility forms do not count)", 2),
                ("names that cannot be kept", 3),
                ("rows that cannot be read", 2),
            ]
        );
        assert!(accounts::find(&app.app, 1).await.unwrap().is_none(), "nothing is written");
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
