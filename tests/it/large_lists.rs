//! Lists of many rows: what is found, in which order and by how many questions, on both ways to a page; and totals that
//! are counted aside.

use std::collections::BTreeSet;

use latchkey::domain::{
    actor::Actor,
    paging::{Count, PageRequest},
    scopes::Scopes,
    search,
    students::{self, StudentFilter, StudentInput, StudentSort},
    tokens::{self, TokenFilter},
    totals,
    users::{self, UserInput},
};
use sea_orm::ConnectionTrait;

use crate::support::{Backend, TestApp};

async fn execute(app: &TestApp, sql: &str) {
    let db = app.app.db.begin().await.unwrap();
    db.execute_unprepared(sql).await.unwrap();
    db.commit(latchkey::checks::Affects::Nobody).await.unwrap();
}

/// Ten thousand of one name, and more, behind nine thousand of another.
async fn many_students(app: &TestApp) {
    let series = if app.backend == Backend::Postgres {
        "SELECT n FROM generate_series(1, 19050) AS n"
    } else {
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 19050) SELECT n FROM s"
    };
    let sql = format!(
        "INSERT INTO students (name, roll, city) SELECT CASE WHEN n % 19 < 9 THEN 'Adam ' ELSE 'Zelda ' END || n, n, \
         'Pune' FROM ({series}) AS series"
    );
    execute(app, &sql).await;
    if app.backend == Backend::Postgres {
        execute(app, "ANALYZE students").await;
    }
    assert_eq!(search::fill(&app.app).await.unwrap(), 19_050);
    assert_eq!(search::fill(&app.app).await.unwrap(), 0, "once");
}

async fn page(
    app: &TestApp,
    q: &str,
    sort: StudentSort,
    cursor: Option<String>,
) -> latchkey::domain::paging::Page<students::Student> {
    let filter = StudentFilter {
        q: (!q.is_empty()).then(|| q.to_owned()),
        sort,
        page: PageRequest { cursor, size: 100 },
        city: None,
    };
    students::list(&app.app, &filter).await.unwrap()
}

async fn students_found(app: &TestApp, q: &str) -> BTreeSet<String> {
    let rows = page(app, q, StudentSort::Name, None).await.rows;
    rows.into_iter().map(|student| student.name).collect()
}

async fn tokens_found(app: &TestApp, q: &str) -> Vec<i64> {
    let filter = TokenFilter {
        q: Some(q.to_owned()),
        ..TokenFilter::default()
    };
    let rows = tokens::list(&app.app, &filter).await.unwrap().rows;
    rows.into_iter().map(|row| row.token.id).collect()
}

both! {
    async fn searches_mind_neither_case_nor_accents_nor_signs(app: &TestApp) {
        let by = Actor::operator();
        for name in ["Mesut Özil", "Søren Kjær", "王 伟", "Иван Петров", "100% \"sure\"", "Maria de la Cruz", "Ann_Lee"] {
            let input = StudentInput { name: name.to_owned(), roll: 1, city: "Łódź".to_owned() };
            students::create(&app.app, &by, input).await.unwrap();
        }
        for (q, name) in [
            ("ÖZIL", "Mesut Özil"),
            ("ozi", "Mesut Özil"),
            ("O\u{308}z", "Mesut Özil"),
            ("øREN", "Søren Kjær"),
            ("王", "王 伟"),
            ("ВАН ПЕТ", "Иван Петров"),
            ("00% \"su", "100% \"sure\""),
            ("la cruz", "Maria de la Cruz"),
            ("de la", "Maria de la Cruz"),
            ("n_l", "Ann_Lee"),
            ("a", "Ann_Lee"),
        ] {
            assert_eq!(students_found(app, q).await, BTreeSet::from([name.to_owned()]), "{q}");
        }
        for q in ["n%l", "*", "ozil NOT mesut", "name:ozil", "\\", "' OR 1=1"] {
            assert_eq!(students_found(app, q).await, BTreeSet::new(), "{q:?}");
        }
        assert_eq!(students_found(app, "łód").await.len(), 7);
    }

    async fn what_changes_is_found_as_it_is_now(app: &TestApp) {
        let by = Actor::operator();
        let ann = app.user("ann.smith").await;
        let (token, key) = app.named_token_with(&ann, |new| tokens::NewToken { name: "Deploy".to_owned(), scopes: Scopes::FULL, ..new }).await;
        assert_eq!(tokens_found(app, "smith").await, [token]);
        assert_eq!(tokens_found(app, "PLOY").await, [token]);
        assert_eq!(tokens_found(app, &key).await, [token]);
        tokens::rename(&app.app, &by, token, "Nightly").await.unwrap();
        assert_eq!(tokens_found(app, "deploy").await, Vec::<i64>::new());
        let input = UserInput { username: "ann.jones".to_owned(), is_active: true, ..UserInput::default() };
        users::update(&app.app, &by, ann.id, input, ann.version).await.unwrap();
        assert_eq!(tokens_found(app, "smith").await, Vec::<i64>::new());
        assert_eq!(tokens_found(app, "jones nightly").await, [token]);
        users::delete(&app.app, &by, ann.id).await.unwrap();
        assert_eq!(tokens_found(app, "jones").await, Vec::<i64>::new());
    }

    async fn what_many_have_is_paged_like_what_few_have_or_by_age(app: &TestApp) {
        many_students(app).await;
        let few = page(app, "adam 190", StudentSort::Name, None).await;
        assert!(few.total.exact && few.total.n == few.rows.len() as u64, "{:?}", few.total);
        assert!(few.rows.iter().all(|row| row.name.contains("190")));
        // Each first in one order and last in the other: met at once, and only after nine thousand others.
        for (q, sort) in [("zelda", StudentSort::Name), ("zelda", StudentSort::NameDescending), ("pune", StudentSort::Roll)] {
            let first = page(app, q, sort, None).await;
            assert!(first.total.n >= 10_000, "{q}: {:?}", first.total);
            let second = page(app, q, sort, first.next.clone()).await;
            let back = page(app, q, sort, second.previous.clone()).await;
            let ids = |rows: &[students::Student]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
            assert_eq!(ids(&back.rows), ids(&first.rows), "{q}");
            assert_eq!((second.first_index, second.rows.len()), (101, 100));
            let mut names: Vec<_> = first.rows.iter().chain(&second.rows).map(|row| (row.name.clone(), row.roll)).collect();
            let shown = names.clone();
            assert_eq!(first.newest_first, second.newest_first, "{q}");
            // PostgreSQL guesses by a sample how many there are.
            if app.backend == Backend::Sqlite {
                assert_eq!(first.newest_first, (q, sort) == ("zelda", StudentSort::Name));
            }
            match sort {
                _ if first.newest_first => names.sort_by_key(|row| -row.1),
                StudentSort::Name => names.sort(),
                StudentSort::NameDescending => names.sort_by(|a, b| b.cmp(a)),
                _ => names.sort_by_key(|row| row.1),
            }
            assert_eq!(shown, names, "{q}");
            names.dedup();
            assert_eq!(names.len(), 200, "{q}");
        }
        assert_eq!(page(app, "nobody", StudentSort::Roll, None).await.total, Count { n: 0, exact: true });
    }

    async fn large_figures_are_counted_aside(app: &TestApp) {
        many_students(app).await;
        let counted = async || students::count(&app.app).await.unwrap();
        assert_eq!(counted().await, Count { n: 10_000, exact: false }, "before anybody counted");
        totals::refresh(&app.app).await.unwrap();
        let before = app.statements();
        assert_eq!(counted().await, Count { n: 19_050, exact: false });
        assert_eq!(app.statements(), before, "remembered");
        let text = app.admin("root").await.get("/admin/students/").await.text;
        assert!(text.contains("about 19,100"), "to three digits");
        execute(app, "DELETE FROM students WHERE roll > 12").await;
        totals::refresh(&app.app).await.unwrap();
        assert_eq!(counted().await, Count { n: 12, exact: true });
    }

    async fn pages_ask_few_questions(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let token = app.named_token_with(&ann, |new| new).await.0;
        let mut over = Vec::new();
        // One look-up more says whose the session is, and a node that hears no news asks for the names of groups, which the
        // list of users offers.
        for (most, path) in [
            (4, "/admin/users/"),
            (4, "/admin/users/?status=active&role=user&sort=-joined"),
            (4, "/admin/users/?q=ann&status=active"),
            (4, "/admin/users/?q=a"),
            (4, "/admin/tokens/"),
            (4, "/admin/tokens/?q=ann&state=all"),
            (4, "/admin/tokens/?owner=ann&kind=named&access=full&ends=never"),
            (4, "/admin/sessions/?q=ann"),
            (4, "/admin/students/"),
            (4, "/admin/students/?q=pune"),
            (5, "/admin/users/new/"),
            (5, "/admin/tokens/new/"),
            (5, "/admin/students/new/"),
            (5, "/admin/settings/"),
            // Each finding asks by itself, so that one that fails does not hide the others.
            (12, "/admin/health/"),
            (5, "/admin/users/{ann}/"),
            (5, "/admin/tokens/{token}/"),
            (10, "/admin/"),
            (10, "/admin/search?q=ann"),
        ] {
            let path = path.replace("{ann}", &ann.id.to_string()).replace("{token}", &token.to_string());
            let before = app.statements();
            let answer = root.get(&path).await;
            let asked = app.statements() - before;
            assert_eq!(answer.status, 200, "{path}");
            let names = usize::from(path == "/admin/users/" || path.starts_with("/admin/users/?"));
            if asked > most + 1 + names {
                over.push(format!("{path}: {asked} statements"));
            }
        }
        assert!(over.is_empty(), "{over:?}");
    }
}
