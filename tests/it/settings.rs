//! Settings that are changed while the server runs: which word counts, that a change is there at the next
//! request, here and elsewhere, and what is refused. Their page is in `pages_settings`.

use latchkey::{
    checks::Affects,
    config::{self, Config},
    domain::{
        actor::Actor,
        audit,
        settings::{self, By, Kind, Setting, TABLE, Value, Wish},
        signing_keys,
    },
    error::Error,
    news,
};
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::support::{Backend, PASSWORD, TestApp, claims_of, environment, run, until};

fn wish(name: &str, text: &str) -> Wish {
    let setting = settings::find(name).unwrap();
    let value = setting.kind.read(text).unwrap();
    Wish {
        setting,
        value,
        seen: None,
    }
}

pub async fn set(app: &TestApp, name: &str, text: &str) {
    let changed = settings::change(&app.app, &Actor::operator(), &[wish(name, text)]).await;
    assert_eq!(changed.unwrap().len(), 1, "{name} = {text}");
}

/// As another version may have left it.
async fn put_row(app: &TestApp, name: &str, value: &str) {
    let db = app.app.db.begin().await.unwrap();
    let row =
        format!("INSERT INTO settings (name, value, changed_at) VALUES ('{name}', '{value}', 0)");
    db.execute_unprepared(&row).await.unwrap();
    db.commit(Affects::Settings).await.unwrap();
}

/// Another value that is allowed.
fn other(setting: &Setting) -> Value {
    match setting.default() {
        Value::Flag(on) => Value::Flag(!on),
        Value::Number(0) => match setting.kind {
            Kind::Number { least, .. } => Value::Number(least.max(1)),
            other => panic!("{other:?} is no number"),
        },
        // Refresh tokens live longer than access tokens, also where one of them changes.
        Value::Number(n) if setting.name == "jwt_refresh_lifetime" => Value::Number(n * 2),
        Value::Number(n) => Value::Number(n - n / 4),
        Value::Text(_) => Value::Text("Room 12".to_owned()),
    }
}

/// From the environment alone, or with a `Rocket.toml`.
fn load(file: &str, env: &[(&str, &str)]) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Rocket.toml");
    std::fs::write(&path, file).unwrap();
    let path = path.display().to_string();
    let settings: Vec<_> = [("ROCKET_CONFIG", path.as_str())]
        .into_iter()
        .chain(env.iter().copied())
        .collect();
    let env = environment(&settings);
    Config::load(&config::figment(&env), &env).unwrap()
}

#[test]
fn the_environment_wins_over_the_file_and_both_over_the_default() {
    let tries = settings::find("login_tries").unwrap();
    let (file, variable) = (
        "[default.latchkey]\nlogin_tries = 7",
        "LATCHKEY_LOGIN_TRIES",
    );
    let neither = load("", &[]);
    assert_eq!(neither.given.settings().login_tries, 10);
    assert_eq!(neither.given.by(tries), None);
    let from_file = load(file, &[]);
    assert_eq!(from_file.given.settings().login_tries, 7);
    let by = from_file.given.by(tries).unwrap();
    assert!(
        matches!(by, By::File(name) if name.ends_with("Rocket.toml")),
        "{by:?}"
    );
    let both = load(file, &[(variable, "5")]);
    assert_eq!(both.given.settings().login_tries, 5);
    assert_eq!(
        both.given.by(tries),
        Some(&By::Environment(variable.to_owned()))
    );
}

#[test]
fn each_can_be_fixed_by_the_environment_and_is_judged_at_the_start() {
    for setting in TABLE {
        let variable = format!("LATCHKEY_{}", setting.name.to_uppercase());
        let value = other(setting);
        let config = load("", &[(variable.as_str(), &value.to_string())]);
        assert_eq!(setting.of(config.given.settings()), value);
        let bad = match value {
            Value::Flag(_) => "perhaps".to_owned(),
            Value::Number(_) => "-1".to_owned(),
            Value::Text(_) => "x".repeat(501),
        };
        let env = environment(&[(variable.as_str(), bad.as_str())]);
        let refused = Config::load(&config::figment(&env), &env).unwrap_err();
        assert!(refused.to_string().starts_with(&variable), "{refused}");
    }
}

both! {
    async fn every_setting_can_be_changed_and_a_restart_keeps_it(app: &TestApp) {
        for setting in TABLE {
            let value = other(setting);
            set(app, setting.name, &value.to_string()).await;
            assert_eq!(setting.of(&app.app.settings()), value, "at once");
        }
        let again = app.second_node(&[]).await;
        for setting in TABLE {
            assert_eq!(setting.of(&again.app.settings()), other(setting), "{}", setting.name);
        }
        again.close().await;
        let changed = settings::reset_all(&app.app, &Actor::operator()).await.unwrap();
        assert_eq!(changed.len(), TABLE.len());
        assert_eq!(*app.app.settings(), settings::Settings::default());
    }

    #[with(("LATCHKEY_LOGIN_TRIES", "5"))]
    async fn what_is_fixed_cannot_be_changed_and_what_was_stored_waits(app: &TestApp) {
        put_row(app, "login_tries", "20").await;
        settings::load(&app.app).await.unwrap();
        assert_eq!(app.app.settings().login_tries, 5);
        let refused = settings::change(&app.app, &Actor::operator(), &[wish("login_tries", "8")]).await;
        let Err(Error::Validation(errors)) = refused else { panic!("{refused:?}") };
        assert_eq!(errors.get("login_tries"), ["LATCHKEY_LOGIN_TRIES fixes it; change it there."]);
        assert!(app.audited().await.is_empty());
    }

    async fn a_change_is_one_event_that_says_what_was_and_what_is(app: &TestApp) {
        let wishes = [wish("contact", "Room 12"), wish("jwt_access_lifetime", "300"), wish("login_tries", "10")];
        let changed = settings::change(&app.app, &Actor::operator(), &wishes).await.unwrap();
        assert_eq!(changed.len(), 2, "one is what it was");
        let again = settings::change(&app.app, &Actor::operator(), &wishes).await.unwrap();
        assert!(again.is_empty(), "nothing to do");
        let events = audit::recent(&app.app, 10).await.unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].action, "setting.changed");
        assert_eq!(events[0].object, "contact, jwt_access_lifetime");
        let detail: serde_json::Value = serde_json::from_str(&events[0].detail).unwrap();
        assert_eq!(detail["jwt_access_lifetime"], json!({"from": "1 hour", "to": "5 minutes"}));
        assert_eq!(detail["contact"], json!({"from": "Nothing", "to": "Room 12"}));
    }

    async fn all_or_nothing_and_only_what_goes_together(app: &TestApp) {
        for wishes in [
            vec![wish("contact", "Room 12"), wish("jwt_refresh_lifetime", "60")],
            vec![wish("contact", "Room 12"), wish("jwt_access_lifetime", "86401")],
        ] {
            let refused = settings::change(&app.app, &Actor::operator(), &wishes).await;
            let Err(Error::Validation(errors)) = refused else { panic!("{refused:?}") };
            assert_eq!(errors.get("jwt_refresh_lifetime"), ["It must not be shorter than the access lifetime."]);
        }
        let beyond = Wish { value: Value::Number(51), ..wish("login_tries", "10") };
        let refused = settings::change(&app.app, &Actor::operator(), &[beyond]).await;
        assert!(matches!(refused, Err(Error::Validation(_))), "{refused:?}");
        assert_eq!(*app.app.settings(), settings::Settings::default());
        let both = [wish("jwt_refresh_lifetime", "60"), wish("jwt_access_lifetime", "30")];
        settings::change(&app.app, &Actor::operator(), &both).await.unwrap();
    }

    async fn only_a_superuser_changes_settings(app: &TestApp) {
        let staff = app.user_with("sam", |input| latchkey::domain::users::UserInput { is_staff: true, ..input }).await;
        let by = Actor::operator().signed_in(&staff);
        for refused in [
            settings::change(&app.app, &by, &[wish("contact", "me")]).await,
            settings::reset_all(&app.app, &by).await,
        ] {
            assert!(matches!(refused, Err(Error::PermissionDenied)), "{refused:?}");
        }
    }

    async fn what_another_version_stored_does_not_stop_anybody(app: &TestApp) {
        put_row(app, "login_tries", "1000").await;
        put_row(app, "colour_of_the_shed", "green").await;
        let node = app.second_node(&[]).await;
        assert_eq!(*node.app.settings(), settings::Settings::default());
        let kept = settings::kept(&node.app).await.unwrap();
        let mut names: Vec<&str> = kept.ignored.iter().map(|one| one.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["colour_of_the_shed", "login_tries"]);
        node.close().await;
        // Saying what counts anyway takes the bad row away.
        set(app, "login_tries", "10").await;
        assert_eq!(settings::kept(&app.app).await.unwrap().ignored.len(), 1);
    }

    async fn the_next_request_goes_by_what_was_changed(app: &TestApp) {
        let visitor = app.anonymous().with("Accept", "text/html");
        assert!(visitor.get("/registration/").await.text.contains("Create account"));
        set(app, "registration_open", "false").await;
        assert!(visitor.get("/registration/").await.text.contains("Registration is closed"));

        set(app, "contact", "Room <12>").await;
        assert!(visitor.get("/password-reset/").await.text.contains("Room &lt;12&gt;"));

        let ann = app.user("ann").await;
        set(app, "jwt_access_lifetime", "300").await;
        let (access, refresh) = app.pair(&ann).await;
        let life = |jwt: &str| {
            let claims = claims_of(jwt);
            claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap()
        };
        assert_eq!(life(&access), 300);
        set(app, "jwt_rotate_refresh_tokens", "false").await;
        let answer = app.anonymous().post_json("/api/token/refresh/", json!({"refresh": refresh})).await;
        assert!(answer.expect(200).get("refresh").is_none(), "{answer:?}");

        let browser = app.browser(&ann).await;
        assert_eq!(browser.get("/dashboard/").await.status, 200);
        app.clock.advance(3600);
        set(app, "session_idle_lifetime", "1800").await;
        assert!(browser.get("/dashboard/").await.redirect().starts_with("/login/"));

        let generate = || async { app.anonymous().get("/generate-token/").await.status };
        assert_ne!(generate().await, 404);
        set(app, "generate_token_enabled", "false").await;
        assert_eq!(generate().await, 404);
    }

    async fn who_is_busy_stays_signed_in_however_short_the_idle_time_is(app: &TestApp) {
        set(app, "session_idle_lifetime", "300").await;
        let ann = app.user("ann").await;
        let browser = app.browser(&ann).await;
        for _ in 0..4 {
            app.clock.advance(200);
            assert_eq!(browser.get("/dashboard/").await.status, 200);
        }
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn a_long_pause_closes_no_address_to_everybody_for_so_long(app: &TestApp) {
        set(app, "login_pause", "86400").await;
        app.user("ann").await;
        let sign_in = async |name: &str, password: &str| {
            let body = json!({"username": name, "password": password});
            app.anonymous().post_json("/api/token/", body).await.status
        };
        for n in 0..60 {
            assert_eq!(sign_in(&format!("nobody{n}"), "wrong").await, 401);
        }
        assert_eq!(sign_in("ann", PASSWORD).await, 429);
        app.clock.advance(900);
        assert_eq!(sign_in("ann", PASSWORD).await, 200);
    }

    async fn shorter_lives_do_not_end_what_was_issued_before(app: &TestApp) {
        signing_keys::fit_settings(&app.app).await.unwrap();
        let ann = app.user("ann").await;
        set(app, "jwt_access_lifetime", "80000").await;
        let (access, _) = app.pair(&ann).await;
        for (name, value) in [("jwt_access_lifetime", "60"), ("jwt_refresh_lifetime", "120")] {
            set(app, name, value).await;
        }
        app.clock.advance(10);
        signing_keys::rotate(&app.app, &Actor::operator()).await.unwrap();
        let node = app.second_node(&[]).await;
        app.clock.advance(79_900);
        for (node, what) in [(app, "here"), (&node, "after a restart")] {
            let answer = node.anonymous().bearer(&access).get("/studentapi/").await;
            assert_eq!(answer.status, 200, "the key before verifies what it signed, {what}");
        }
        node.close().await;
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn the_limits_of_sign_in_are_those_of_the_settings(app: &TestApp) {
        app.user("ann").await;
        set(app, "login_tries", "3").await;
        set(app, "login_pause", "3600").await;
        let page = app.anonymous().with("Accept", "text/html");
        let tried = page.submit("/login/", "/login/", &[("username", "ann"), ("password", "wrong")]).await;
        assert!(tried.text.contains("2 tries left before a 1-hour pause."), "{tried:?}");
        let sign_in = async |password: &str| {
            let body = json!({"username": "ann", "password": password});
            app.anonymous().post_json("/api/token/", body).await
        };
        for _ in 0..2 {
            assert_eq!(sign_in("wrong").await.status, 401);
        }
        let paused = sign_in(PASSWORD).await;
        assert_eq!(paused.status, 429);
        app.clock.advance(3599);
        assert_eq!(sign_in(PASSWORD).await.status, 429);
        app.clock.advance(1);
        assert_eq!(sign_in(PASSWORD).await.status, 200);
    }

    async fn a_command_beside_the_server_is_heard(app: &TestApp) {
        let listening = tokio::spawn(news::follow(app.app.clone()));
        until("the node hears", async || !app.app.db.checks().is_deaf()).await;
        let command = app.command().await;
        settings::change(&command, &Actor::operator(), &[wish("contact", "Room 12")]).await.unwrap();
        command.db.close().await.unwrap();
        until("the server has heard", async || app.app.settings().contact == "Room 12").await;
        listening.abort();
    }
}

#[test]
fn another_node_hears_of_a_change_and_a_deaf_one_asks() {
    run(Backend::Postgres, &[], async |app: &TestApp| {
        let other = app.second_node(&[]).await;
        set(app, "login_tries", "4").await;
        assert_eq!(
            other.app.settings().login_tries,
            10,
            "nobody listens there yet"
        );
        let listening = tokio::spawn(news::follow(other.app.clone()));
        until("the other node hears", async || {
            !other.app.db.checks().is_deaf()
        })
        .await;
        assert_eq!(other.app.settings().login_tries, 4, "what it missed");
        set(app, "login_tries", "6").await;
        until("the other node has heard", async || {
            other.app.settings().login_tries == 6
        })
        .await;
        listening.abort();
        other.app.db.clone().close().await.unwrap();
    });
}
