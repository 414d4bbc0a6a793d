//! The real application in process: real routes, real database, a clock that tests move.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use latchkey::{
    app::App,
    clock::Clock,
    config::{self, Config, Environment},
    db::Opener,
    domain::{
        actor::{Actor, Via},
        families,
        groups::{self, GroupInput},
        permissions::Permissions,
        scopes::Scopes,
        sessions, settings,
        tokens::{self, NewToken},
        users::{self, User, UserInput},
    },
    news,
    secret::Password,
};
use rocket::local::asynchronous::Client;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::{Caller, postgres, until};

/// When every test begins: 2026-11-23 12:00 UTC.
pub const START: i64 = 1_795_435_200;
pub const SECRET: &str = "the secret of the tests, long enough to be one";
/// For tests that sign JWTs themselves; given by the setting, not by default.
pub const JWT_KEY: &str = "a signing key that another server shares with us";
/// Everybody's password, unless a test says otherwise.
pub const PASSWORD: &str = "S3cure-pass-1";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// Cheap to clone; clones are the same application.
#[derive(Clone)]
pub struct TestApp(Arc<Inner>);

pub struct Inner {
    pub app: App,
    pub client: Client,
    pub backend: Backend,
    pub clock: Clock,
    statements: Arc<AtomicUsize>,
    _folder: TempDir,
    settings: Vec<(String, String)>,
    database: Option<String>,
}

impl std::ops::Deref for TestApp {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Settings as tests have them: hashing costs next to nothing, throttles are off.
pub fn environment(settings: &[(&str, &str)]) -> Environment {
    let usual = [
        ("ROCKET_PROFILE", "debug"),
        ("LATCHKEY_HASH_MEMORY_KIB", "8"),
        ("LATCHKEY_HASH_ITERATIONS", "1"),
        ("LATCHKEY_THROTTLES_ENABLED", "false"),
    ];
    usual
        .iter()
        .chain(settings)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn count_statements(app: &mut App) -> Arc<AtomicUsize> {
    let statements = Arc::new(AtomicUsize::new(0));
    let counter = statements.clone();
    app.db.on_statement(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    statements
}

impl TestApp {
    pub async fn with(backend: Backend, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (url, database) = database(backend, folder.path()).await;
        let clock = Clock::manual(START);
        let mut app = open(folder.path(), &url, settings, clock.clone()).await;
        let statements = count_statements(&mut app);
        settings::load(&app).await.unwrap();
        let client = client(&app, folder.path(), settings).await;
        let settings = settings
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        Self(Arc::new(Inner {
            app,
            client,
            backend,
            clock,
            statements,
            settings: settings.collect(),
            _folder: folder,
            database,
        }))
    }

    /// A second node on the same database, with its own memory and the same clock. It must not
    /// outlive the first.
    pub async fn second_node(&self, settings: &[(&str, &str)]) -> Self {
        let own = self.settings.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        let settings: Vec<(&str, &str)> = own.chain(settings.iter().copied()).collect();
        let folder = tempfile::tempdir().unwrap();
        let url = self.app.config.database_url.clone();
        let mut app = open(folder.path(), &url, &settings, self.clock.clone()).await;
        let statements = count_statements(&mut app);
        settings::load(&app).await.unwrap();
        let client = client(&app, folder.path(), &settings).await;
        Self(Arc::new(Inner {
            app,
            client,
            backend: self.backend,
            clock: self.clock.clone(),
            statements,
            settings: Vec::new(),
            _folder: folder,
            database: None,
        }))
    }

    /// A command beside this server, on the same SQLite file.
    pub async fn command(&self) -> App {
        let config = (*self.app.config).clone();
        App::open_as(Opener::Command, config, self.clock.clone())
            .await
            .unwrap()
    }

    /// Statements sent to the database so far.
    pub fn statements(&self) -> usize {
        self.statements.load(Ordering::SeqCst)
    }

    /// Hears of other nodes, as a server does. On SQLite there are none; and who cannot look for changes forgets all.
    pub async fn hear(&self) {
        if self.backend == Backend::Postgres {
            tokio::spawn(news::follow(self.app.clone()));
            until("the node hears", async || !self.app.db.checks().is_deaf()).await;
        }
    }

    /// Gives the database back.
    pub async fn close(&self) {
        self.app.db.clone().close().await.unwrap();
        if let (Some(name), Some(cluster)) = (&self.database, postgres::cluster().await) {
            cluster.drop_database(name).await;
        }
    }

    pub fn anonymous(&self) -> Caller {
        Caller::new(self)
    }

    /// Somebody with an ordinary account and its default token.
    pub async fn token_user(&self, name: &str) -> Caller {
        let user = self.user(name).await;
        self.anonymous().token(&self.default_token(&user).await)
    }

    /// Somebody with an ordinary account and a fresh access token.
    pub async fn bearer_user(&self, name: &str) -> Caller {
        let user = self.user(name).await;
        let (access, _) = self.pair(&user).await;
        self.anonymous().bearer(&access)
    }

    /// A member of staff with a token.
    pub async fn staff_token(&self) -> Caller {
        let staff = |input| UserInput {
            is_staff: true,
            ..input
        };
        let user = self.user_with("staff-member", staff).await;
        self.anonymous().token(&self.default_token(&user).await)
    }

    /// A superuser's browser, signed in.
    pub async fn admin(&self, name: &str) -> Caller {
        let user = self.superuser(name).await;
        self.browser(&user).await
    }

    /// A browser in which this user is signed in.
    pub async fn browser(&self, user: &User) -> Caller {
        let by = Actor::anonymous(Via::Web, None, None).signed_in(user);
        let key = sessions::start(&self.app, user, &by, "Test/1.0")
            .await
            .unwrap();
        let browser = self.anonymous().with("Accept", "text/html");
        browser.set_cookie("sessionid", key.expose());
        browser
    }

    pub async fn user(&self, name: &str) -> User {
        self.user_with(name, |input| input).await
    }

    pub async fn superuser(&self, name: &str) -> User {
        let all = |input| UserInput {
            is_staff: true,
            is_superuser: true,
            ..input
        };
        self.user_with(name, all).await
    }

    /// Staff gets all that groups can give, unless the input says otherwise.
    pub async fn user_with(&self, name: &str, f: impl FnOnce(UserInput) -> UserInput) -> User {
        let mut input = f(UserInput {
            username: name.to_owned(),
            is_active: true,
            ..UserInput::default()
        });
        if input.is_staff && !input.is_superuser && input.groups.is_none() {
            input.groups = Some(vec![self.group("Staff", Permissions::all()).await]);
        }
        let password = Password::new(PASSWORD);
        users::create(&self.app, &Actor::operator(), input, password)
            .await
            .unwrap()
    }

    /// Staff in one group that gives this and nothing else.
    pub async fn staff(&self, name: &str, permissions: Permissions) -> User {
        let group = self.group(&format!("Group of {name}"), permissions).await;
        let staff = |input| UserInput {
            is_staff: true,
            groups: Some(vec![group]),
            ..input
        };
        self.user_with(name, staff).await
    }

    /// The id of the group of that name, which is made if there is none.
    pub async fn group(&self, name: &str, permissions: Permissions) -> i64 {
        if let Some(group) = groups::find_by_name(&self.app, name).await.unwrap() {
            return group.id;
        }
        let input = GroupInput {
            name: name.to_owned(),
            permissions,
        };
        match groups::create(&self.app, &Actor::operator(), input).await {
            Ok(group) => group.id,
            // Another user of this test was quicker.
            Err(_) => {
                groups::find_by_name(&self.app, name)
                    .await
                    .unwrap()
                    .unwrap()
                    .id
            }
        }
    }

    pub async fn find_user(&self, name: &str) -> User {
        users::find_by_username(&self.app, name)
            .await
            .unwrap()
            .unwrap()
    }

    pub async fn default_token(&self, user: &User) -> String {
        let token = tokens::get_or_create_default(&self.app, &Actor::operator(), user.id)
            .await
            .unwrap();
        token.key.expose().to_owned()
    }

    /// The key of a new named token without an end.
    pub async fn named_token(&self, user: &User, scopes: Scopes) -> String {
        let new = |new| NewToken { scopes, ..new };
        self.named_token_with(user, new).await.1
    }

    /// A named token that is changed before it is made, for all scopes and without an end unless it
    /// says otherwise: its id and its key.
    pub async fn named_token_with(
        &self,
        user: &User,
        f: impl FnOnce(NewToken) -> NewToken,
    ) -> (i64, String) {
        let new = f(NewToken {
            user_id: user.id,
            name: "CI".to_owned(),
            expires_at: None,
            scopes: Scopes::FULL,
        });
        let issued = tokens::issue(&self.app, &Actor::operator(), new).await;
        let (token, key) = issued.unwrap();
        (token.id, key.expose().to_owned())
    }

    /// A sign-in by the API: access and refresh token.
    pub async fn pair(&self, user: &User) -> (String, String) {
        let by = Actor::anonymous(Via::Api, None, None).signed_in(user);
        let pair = families::sign_in(&self.app, user, &by).await.unwrap();
        (
            pair.access.expose().to_owned(),
            pair.refresh.expose().to_owned(),
        )
    }

    /// The actions of the newest audit events, the newest first.
    pub async fn audited(&self) -> Vec<String> {
        let events = latchkey::domain::audit::recent(&self.app, 100)
            .await
            .unwrap();
        events.into_iter().map(|event| event.action).collect()
    }
}

async fn open(folder: &Path, url: &str, settings: &[(&str, &str)], clock: Clock) -> App {
    let env = env_for(folder, url, settings);
    let config = Config::load(&config::figment(&env), &env).unwrap();
    App::open(config, clock).await.unwrap()
}

async fn client(app: &App, folder: &Path, settings: &[(&str, &str)]) -> Client {
    let env = env_for(folder, "sqlite:unused", settings);
    let mut figment = config::figment(&env);
    for (name, value) in settings
        .iter()
        .filter(|(name, _)| name.starts_with("ROCKET_"))
    {
        figment = figment.merge((name.trim_start_matches("ROCKET_").to_lowercase(), *value));
    }
    Client::untracked(latchkey::web::rocket(app.clone(), figment))
        .await
        .unwrap()
}

fn env_for(folder: &Path, url: &str, settings: &[(&str, &str)]) -> Environment {
    let mut env = environment(&[
        ("LATCHKEY_DATABASE_URL", url),
        ("LATCHKEY_DATA_DIR", &folder.display().to_string()),
        ("LATCHKEY_SECRET_KEY", SECRET),
    ]);
    env.extend(
        settings
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned())),
    );
    env
}

/// A migrated database of its own: its URL, and its name on PostgreSQL.
async fn database(backend: Backend, folder: &Path) -> (String, Option<String>) {
    match backend {
        Backend::Sqlite => {
            let file = folder.join("latchkey.sqlite3");
            std::fs::copy(migrated_file().await, &file).unwrap();
            (format!("sqlite:{}", file.display()), None)
        }
        Backend::Postgres => {
            let cluster = postgres::cluster().await.expect("asked for before");
            let name = cluster.database(true).await;
            (cluster.url(&name), Some(name))
        }
    }
}

/// A SQLite file on which all migrations have run; each test gets a copy.
async fn migrated_file() -> &'static Path {
    static FILE: OnceCell<(PathBuf, TempDir)> = OnceCell::const_new();
    let (file, _) = FILE
        .get_or_init(|| async {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("template.sqlite3");
            let url = format!("sqlite:{}", file.display());
            let app = open(folder.path(), &url, &[], Clock::default()).await;
            app.db.migrate().await.unwrap();
            app.db.close().await.unwrap();
            (file, folder)
        })
        .await;
    file
}
