//! Lists of users: keyset pages there and back, search, tabs; and changes that meet.

use std::collections::BTreeSet;

use latchkey::{
    domain::{
        actor::Actor,
        paging::PageRequest,
        users::{self, Role, UserFilter, UserInput, UserSort, UserStatus},
    },
    error::Error,
};

use crate::support::{TestApp, parallel};

async fn sixty(app: &TestApp) {
    let make = |n: usize| {
        let app = app.clone();
        async move {
            let input = |input| UserInput {
                email: format!("Mail{n}@Example.org"),
                first_name: if n == 7 {
                    "Zoë".to_owned()
                } else {
                    format!("First{n}")
                },
                last_name: "O'Lee_%".to_owned(),
                is_active: !n.is_multiple_of(3),
                is_staff: n.is_multiple_of(10),
                ..input
            };
            app.user_with(&format!("Person.{n:02}"), input).await;
        }
    };
    parallel((0..60).map(make)).await;
}

async fn found(app: &TestApp, filter: UserFilter) -> Vec<String> {
    let page = PageRequest {
        size: 100,
        ..PageRequest::default()
    };
    let filter = UserFilter { page, ..filter };
    let rows = users::list(&app.app, &filter).await.unwrap().rows;
    rows.into_iter().map(|row| row.user.username).collect()
}

async fn search(app: &TestApp, text: &str) -> Vec<String> {
    found(
        app,
        UserFilter {
            q: Some(text.to_owned()),
            ..UserFilter::default()
        },
    )
    .await
}

both! {
    async fn pages_show_each_user_once_there_and_back(app: &TestApp) {
        sixty(app).await;
        for sort in [
            UserSort::Username,
            UserSort::UsernameDescending,
            // All joined in the same second: the id decides.
            UserSort::Joined,
            UserSort::JoinedDescending,
            UserSort::LastLogin,
            UserSort::LastLoginDescending,
        ] {
            let mut request = PageRequest {
                cursor: None,
                size: 25,
            };
            let mut there = Vec::new();
            let mut firsts = Vec::new();
            let last = loop {
                let filter = UserFilter {
                    sort,
                    page: request.clone(),
                    ..UserFilter::default()
                };
                let page = users::list(&app.app, &filter).await.unwrap();
                assert_eq!((page.total.n, page.total.exact), (60, true));
                firsts.push(page.first_index);
                there.extend(page.rows.iter().map(|row| row.user.id));
                match &page.next {
                    Some(next) => request.cursor = Some(next.clone()),
                    None => break page,
                }
            };
            assert_eq!(firsts, [1, 26, 51]);
            assert_eq!(there.iter().collect::<BTreeSet<_>>().len(), 60, "{sort:?}");
            assert_eq!(there.len(), 60);
            let mut back: Vec<i64> = last.rows.iter().map(|row| row.user.id).collect();
            let mut previous = last.previous;
            while let Some(cursor) = previous {
                let page = PageRequest {
                    cursor: Some(cursor),
                    size: 25,
                };
                let filter = UserFilter {
                    sort,
                    page,
                    ..UserFilter::default()
                };
                let page = users::list(&app.app, &filter).await.unwrap();
                let ids: Vec<i64> = page.rows.iter().map(|row| row.user.id).collect();
                back = [ids, back].concat();
                previous = page.previous;
            }
            assert_eq!(back, there, "{sort:?}");
        }
    }

    async fn search_finds_names_and_mail_whatever_their_case(app: &TestApp) {
        sixty(app).await;
        assert_eq!(search(app, "PERSON.07").await, ["Person.07"]);
        assert_eq!(search(app, "mail42@example").await, ["Person.42"]);
        assert_eq!(search(app, "lee first13").await, ["Person.13"]);
        assert_eq!(search(app, " ").await.len(), 60);
        assert_eq!(search(app, "nobody").await.len(), 0);
        assert_eq!(search(app, "Zoë").await, ["Person.07"]);
    }

    async fn signs_of_the_pattern_language_mean_themselves(app: &TestApp) {
        sixty(app).await;
        app.user("under_score").await;
        app.user("underXscore").await;
        assert_eq!(search(app, "under_score").await, ["under_score"]);
        assert_eq!(search(app, "lee_%").await.len(), 60);
        for text in ["%", "_", "\\", "'", "\"; --", "\0"] {
            let n = search(app, text).await.len();
            assert!(n <= 62, "{text:?}: {n}");
        }
        assert_eq!(search(app, "o'lee").await.len(), 60);
    }

    async fn tabs_and_roles_divide_the_users(app: &TestApp) {
        sixty(app).await;
        let counts = users::counts(&app.app).await.unwrap();
        let n = [
            counts.all,
            counts.active,
            counts.disabled,
            counts.never_signed_in,
        ]
        .map(|c| c.n);
        assert_eq!(n, [60, 40, 20, 60]);
        let staff = UserFilter {
            role: Some(Role::Staff),
            ..UserFilter::default()
        };
        assert_eq!(found(app, staff).await.len(), 6);
        let ordinary = UserFilter {
            role: Some(Role::User),
            status: UserStatus::Disabled,
            ..UserFilter::default()
        };
        assert_eq!(found(app, ordinary).await.len(), 18);
    }

    async fn a_cursor_that_nobody_made_is_not_found(app: &TestApp) {
        for cursor in ["x", "at.1.1.\0", "an.1.1.5 OR 1=1", "zz.9.9.9"] {
            let page = PageRequest {
                cursor: Some(cursor.to_owned()),
                size: 25,
            };
            let filter = UserFilter {
                page,
                ..UserFilter::default()
            };
            let result = users::list(&app.app, &filter).await;
            assert!(matches!(result, Err(Error::NotFound)), "{cursor:?}");
        }
    }

    async fn suggestions_begin_with_what_was_typed(app: &TestApp) {
        sixty(app).await;
        let found = users::suggest(&app.app, "pers").await.unwrap();
        assert_eq!(found.len(), 10);
        assert_eq!(found[0].username, "Person.00");
        let named = |input| UserInput { first_name: "Persephone".to_owned(), ..input };
        app.user_with("zoe", named).await;
        let found = users::suggest(&app.app, "persephone").await.unwrap();
        assert_eq!(found.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), ["zoe"], "by the search");
        assert!(users::suggest(&app.app, "%").await.unwrap().is_empty());
    }

    async fn of_two_who_save_one_record_the_second_is_told(app: &TestApp) {
        let ann = app.user("ann").await;
        let save = |email: &str| UserInput {
            username: "ann".to_owned(),
            email: email.to_owned(),
            is_active: true,
            ..UserInput::default()
        };
        let by = Actor::operator();
        let input = save("first@example.org");
        let changed = users::update(&app.app, &by, ann.id, input, ann.version)
            .await
            .unwrap();
        assert_eq!(changed.changed, ["e-mail"]);
        let second = users::update(&app.app, &by, ann.id, save("x@example.org"), ann.version).await;
        assert!(matches!(second, Err(Error::Conflict(_))), "{second:?}");
        assert_eq!(app.find_user("ann").await.email, "first@example.org");
    }

    async fn of_many_who_save_one_record_at_once_one_wins(app: &TestApp) {
        let ann = app.user("ann").await;
        let save = |n: usize| {
            let (app, id, version) = (app.clone(), ann.id, ann.version);
            async move {
                let input = UserInput {
                    username: "ann".to_owned(),
                    email: format!("mail{n}@example.org"),
                    is_active: true,
                    ..UserInput::default()
                };
                users::update(&app.app, &Actor::operator(), id, input, version).await
            }
        };
        let results = parallel((0..12).map(save)).await;
        assert_eq!(
            results.iter().filter(|result| result.is_ok()).count(),
            1,
            "{results:?}"
        );
        let all_told = results
            .iter()
            .filter_map(|result| result.as_ref().err())
            .all(|e| matches!(e, Error::Conflict(_)));
        assert!(all_told, "{results:?}");
        assert_eq!(app.find_user("ann").await.version, ann.version + 1);
    }

    async fn deleting_a_user_leaves_the_record_of_it(app: &TestApp) {
        let ann = app.user("ann").await;
        app.default_token(&ann).await;
        app.pair(&ann).await;
        app.browser(&ann).await;
        let preview = users::deletion_preview(&app.app, ann.id).await.unwrap();
        assert_eq!((preview.tokens.n, preview.sessions.n), (1, 1));
        users::delete(&app.app, &Actor::operator(), ann.id)
            .await
            .unwrap();
        assert!(users::find(&app.app, ann.id).await.unwrap().is_none());
        let lines = latchkey::domain::audit::for_object(&app.app, "user", ann.id, 10)
            .await
            .unwrap();
        assert_eq!(lines[0].action, "user.deleted");
        app.user("ann").await;
    }
}
