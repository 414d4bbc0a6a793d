//! The first superuser, and the last one.

use latchkey::{
    domain::{
        actor::{Actor, Via},
        permissions::Permissions,
        setup::{self, Proof},
        users::{self, User, UserInput},
    },
    error::{Error, Result},
    secret::Password,
};

use crate::support::{PASSWORD, TestApp, parallel};

const CODE: &str = "a code that was set";

fn stranger() -> Actor {
    Actor::anonymous(Via::Web, Some([192, 0, 2, 1].into()), None)
}

fn named(name: &str) -> UserInput {
    UserInput {
        username: name.to_owned(),
        ..UserInput::default()
    }
}

async fn set_up(app: &TestApp, name: &str, code: Option<&str>) -> Result<User> {
    let password = Password::new(PASSWORD);
    let proof = code.map_or(Proof::AtTheMachine, Proof::Code);
    setup::create_superuser(&app.app, &stranger(), proof, named(name), password).await
}

fn as_is(user: &User) -> UserInput {
    UserInput {
        username: user.username.clone(),
        is_active: true,
        is_staff: true,
        is_superuser: true,
        ..UserInput::default()
    }
}

#[derive(Clone, Copy, Debug)]
enum Loss {
    Delete,
    Disable,
    Demote,
    DisableByForm,
}

async fn lose(app: &TestApp, user: &User, how: Loss) -> Result<()> {
    let by = Actor::operator();
    let id = user.id;
    match how {
        Loss::Delete => users::delete(&app.app, &by, id).await,
        Loss::Disable => users::set_active(&app.app, &by, id, false).await,
        Loss::Demote => {
            let input = UserInput {
                is_superuser: false,
                ..as_is(user)
            };
            users::update(&app.app, &by, id, input, user.version)
                .await
                .map(|_| ())
        }
        Loss::DisableByForm => {
            let input = UserInput {
                is_active: false,
                ..as_is(user)
            };
            users::update(&app.app, &by, id, input, user.version)
                .await
                .map(|_| ())
        }
    }
}

const LOSSES: [Loss; 4] = [
    Loss::Delete,
    Loss::Disable,
    Loss::Demote,
    Loss::DisableByForm,
];

both! {
    async fn the_first_superuser_closes_the_door(app: &TestApp) {
        assert!(setup::is_open(&app.app).await.unwrap());
        let root = set_up(app, "root", None).await.unwrap();
        assert!(root.is_superuser && root.is_staff && root.is_active);
        assert!(!setup::is_open(&app.app).await.unwrap());
        let again = set_up(app, "other", None).await;
        assert!(matches!(again, Err(Error::NotFound)), "{again:?}");
        assert!(app.audited().await.contains(&"user.set_up".to_owned()));
    }

    async fn of_two_set_ups_at_once_one_wins(app: &TestApp) {
        let attempt = |n: usize| {
            let app = app.clone();
            async move { set_up(&app, &format!("root-{n}"), None).await }
        };
        let results = parallel((0..8).map(attempt)).await;
        assert_eq!(
            results.iter().filter(|result| result.is_ok()).count(),
            1,
            "{results:?}"
        );
        for refused in results.iter().filter_map(|result| result.as_ref().err()) {
            assert!(
                matches!(refused, Error::Conflict(_) | Error::NotFound),
                "{refused:?}"
            );
        }
    }

    #[with(("LATCHKEY_SETUP_CODE", CODE))]
    async fn the_code_is_needed_where_it_is_asked_for(app: &TestApp) {
        assert!(setup::asks_for_code(&app.app));
        for code in [None, Some(""), Some("wrong"), Some("a code that was se")] {
            match set_up(app, "root", code).await {
                Err(Error::Validation(errors)) => assert_eq!(errors.get("code").len(), 1),
                other => panic!("{code:?}: {other:?}"),
            }
        }
        set_up(app, "root", Some(&format!(" {CODE} ")))
            .await
            .unwrap();
    }

    #[with(("LATCHKEY_SETUP_CODE", CODE), ("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn wrong_codes_bring_a_pause(app: &TestApp) {
        for _ in 0..20 {
            let refused = set_up(app, "root", Some("wrong")).await;
            assert!(matches!(refused, Err(Error::Validation(_))), "{refused:?}");
        }
        let refused = set_up(app, "root", Some(CODE)).await;
        assert!(
            matches!(refused, Err(Error::Throttled { .. })),
            "{refused:?}"
        );
        app.clock.advance(15 * 60);
        set_up(app, "root", Some(CODE)).await.unwrap();
    }

    async fn the_last_superuser_stays(app: &TestApp) {
        let root = app.superuser("root").await;
        // One who cannot sign in does not count.
        let off = app.superuser("off").await;
        users::set_active(&app.app, &Actor::operator(), off.id, false)
            .await
            .unwrap();
        for how in LOSSES {
            let result = lose(app, &root, how).await;
            assert!(
                matches!(result, Err(Error::LastSuperuser)),
                "{how:?}: {result:?}"
            );
        }
        let root = app.find_user("root").await;
        assert!(root.is_active && root.is_superuser);
    }

    async fn two_at_once_cannot_remove_each_other(app: &TestApp) {
        for (n, how) in LOSSES.into_iter().enumerate() {
            // Those of the turn before go, but for the one who must stay until there are others.
            let (one, other) = (
                app.superuser(&format!("one-{n}")).await,
                app.superuser(&format!("other-{n}")).await,
            );
            let all = users::list(&app.app, &users::UserFilter::default())
                .await
                .unwrap();
            for row in all.rows {
                if row.user.id != one.id && row.user.id != other.id {
                    users::delete(&app.app, &Actor::operator(), row.user.id)
                        .await
                        .unwrap();
                }
            }
            let attempt = |user: User| {
                let app = app.clone();
                async move { lose(&app, &user, how).await }
            };
            let results = parallel(vec![attempt(one), attempt(other)]).await;
            let lost = results.iter().filter(|result| result.is_ok()).count();
            assert_eq!(lost, 1, "{how:?}: {results:?}");
            let refused = results.into_iter().find_map(std::result::Result::err);
            assert!(
                matches!(refused, Some(Error::LastSuperuser)),
                "{how:?}: {refused:?}"
            );
        }
    }

    async fn only_superusers_touch_superusers(app: &TestApp) {
        let root = app.superuser("root").await;
        app.superuser("second").await;
        let staff = app
            .user_with("staff", |input| UserInput {
                is_staff: true,
                ..input
            })
            .await;
        let by = stranger().signed_in(&staff).holding(Permissions::all());
        let id = root.id;
        let new = Password::new("An0ther-pass-2");
        let wish = UserInput {
            is_superuser: true,
            ..named("friend")
        };
        let refused = [
            users::delete(&app.app, &by, id).await,
            users::set_active(&app.app, &by, id, false).await,
            users::sign_out_everywhere(&app.app, &by, id).await,
            users::set_password(&app.app, &by, id, new.clone()).await,
            users::update(&app.app, &by, id, as_is(&root), root.version)
                .await
                .map(|_| ()),
            users::create(&app.app, &by, wish.clone(), new)
                .await
                .map(|_| ()),
            users::update(&app.app, &by, staff.id, as_is(&staff), staff.version)
                .await
                .map(|_| ()),
        ];
        for (n, result) in refused.into_iter().enumerate() {
            assert!(
                matches!(result, Err(Error::PermissionDenied)),
                "{n}: {result:?}"
            );
        }
    }
}
