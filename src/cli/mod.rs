//! The command line: the operator's door to the same functions that the panel and the API use.

mod accounts;
mod audit;
mod backup;
mod doctor;
mod export;
mod groups;
mod import;
mod keys;
mod mail;
mod move_database;
mod print;
mod serve;
mod settings;
mod shell;
mod stop;
mod tokens;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use rocket::figment::Figment;

use crate::{
    app::App,
    clock::Clock,
    config::{self, BadSetting, Config, Environment, LogFormat},
    db::Opener,
    error::Error,
};

/// Users, API tokens and JWTs for your API, with an admin panel, in one binary.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Settings come from Rocket.toml and the environment; see the README."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the application (the default): migrates the database and listens.
    Serve,
    /// Bring the database schema up to date.
    Migrate,
    /// Create a superuser; asks for what it needs.
    Createsuperuser {
        /// Ask nothing: take `LATCHKEY_SUPERUSER_USERNAME`, `_PASSWORD` and `_EMAIL`.
        #[arg(long)]
        noinput: bool,
    },
    /// Set a new password for a user; asks for it twice.
    Changepassword { username: String },
    /// Print the user's default token, which is made if there is none.
    CreateToken { username: String },
    /// List, make, rename, rotate and revoke API tokens; find leaked ones.
    #[command(subcommand)]
    Tokens(tokens::Tokens),
    /// The keys that sign JWTs: list, rotate, revoke.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Settings that can be changed while the server runs: list, set, reset.
    #[command(subcommand)]
    Settings(settings::Settings),
    /// What staff may do: list, make and delete groups, and say who is in them.
    #[command(subcommand)]
    Groups(groups::Groups),
    /// The audit log: check that it is intact, write it to a file.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Take over the users, tokens and refresh tokens of a Django project. Can be repeated.
    ImportDjango(import::ImportDjango),
    /// Copy the SQLite database to a new file, also while it is served.
    Backup {
        /// Must not exist yet; made with mode 0600.
        file: PathBuf,
    },
    /// Write all data to a new file of JSON lines; secrets stay sealed.
    Export {
        /// Must not exist yet; made with mode 0600.
        file: PathBuf,
    },
    /// Read what `export` wrote into an empty database; needs the same server secret.
    Import { file: PathBuf },
    /// Copy everything from SQLite into an empty PostgreSQL database, or back; stop the server before.
    MoveDatabase {
        /// `sqlite:<path>` or `postgres://…`; a password goes better into `PGPASSWORD`.
        #[arg(long, value_name = "URL")]
        to: String,
    },
    /// Mail: see whether it goes out.
    #[command(subcommand)]
    Mail(mail::Mail),
    /// Check settings, database, secret, mail server and clock.
    Doctor,
    /// Print a script that completes these commands in a shell.
    Completions { shell: clap_complete::Shell },
    /// Print the manual page.
    Man {
        /// Write a page for each command into this folder instead.
        #[arg(long, value_name = "FOLDER")]
        to: Option<PathBuf>,
    },
}

/// What is logged unless `RUST_LOG` says otherwise: our own words, and other people's trouble.
const USUAL: &str = "info,sqlx=warn,sea_orm=warn,sea_orm_migration=warn,hyper=warn";
/// Rocket's own lines hold addresses with their queries and, further down, whole headers: they stay
/// off whatever `RUST_LOG` says. (`_` is what it calls its indented lines.)
const NEVER: &str = "rocket=off,rocket_codegen=off,_=off";

/// Events that a command seals at most, those of others included.
const SEALED: u64 = 10_000;

/// Why a command failed, for the person who typed it.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Setting(#[from] BadSetting),
    #[error("{0}")]
    Said(String),
    #[error("{}", explain(.0))]
    Domain(#[from] Error),
    #[error("database: {0}")]
    Database(#[from] sea_orm::DbErr),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// What every command works with.
struct Context {
    env: Environment,
    figment: Figment,
    config: Config,
}

pub fn run() -> ExitCode {
    let command = Cli::parse().command.unwrap_or(Command::Serve);
    // A scan that was not heard out has not said that there is nothing.
    let (trouble, unheard) = match &command {
        Command::Tokens(tokens::Tokens::Scan(_)) => {
            let trouble = ExitCode::from(tokens::scan::TROUBLE);
            (trouble, trouble)
        }
        Command::Audit(audit::Audit::Verify { .. }) => {
            (ExitCode::from(audit::TROUBLE), ExitCode::SUCCESS)
        }
        _ => (ExitCode::FAILURE, ExitCode::SUCCESS),
    };
    match start(command) {
        Ok(code) => code,
        // Whoever read the answer has seen enough.
        Err(Failure::Io(e)) if e.kind() == std::io::ErrorKind::BrokenPipe => unheard,
        Err(failure) => {
            eprintln!("latchkey: {failure}");
            trouble
        }
    }
}

/// On a runtime of our own: Rocket's would panic at a `Rocket.toml` that it cannot read.
fn start(command: Command) -> Result<ExitCode, Failure> {
    match &command {
        Command::Completions { shell } => {
            shell::completions(*shell)?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Man { to } => {
            shell::man(to.as_deref())?;
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    let env = config::environment();
    let figment = config::figment(&env);
    let workers = config::server(&figment)?.workers;
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()?
        .block_on(dispatch(command, figment, env))
}

async fn dispatch(
    command: Command,
    figment: Figment,
    env: Environment,
) -> Result<ExitCode, Failure> {
    if matches!(command, Command::Doctor) {
        doctor::run(&figment, &env).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let config = Config::load(&figment, &env)?;
    start_logging(&config, &env);
    let context = Context {
        env,
        figment,
        config,
    };
    match command {
        Command::Serve => serve::run(context).await?,
        Command::Migrate => migrate(context).await?,
        Command::Createsuperuser { noinput } => {
            accounts::create_superuser(context, noinput).await?;
        }
        Command::Changepassword { username } => {
            accounts::change_password(context, &username).await?;
        }
        Command::CreateToken { username } => accounts::create_token(context, &username).await?,
        Command::Mail(what) => mail::run(context, what).await?,
        Command::Keys(what) => keys::run(context, what).await?,
        Command::Settings(what) => settings::run(context, what).await?,
        Command::Groups(what) => groups::run(context, what).await?,
        Command::ImportDjango(what) => import::run(context, what).await?,
        Command::MoveDatabase { to } => move_database::run(context, &to).await?,
        Command::Export { file } => export::export(context, &file).await?,
        Command::Import { file } => export::import(context, &file).await?,
        Command::Backup { file } => backup::run(context, &file).await?,
        Command::Audit(what) => return audit::run(context, what).await,
        Command::Tokens(command) => return tokens::run(context, command).await,
        // Answered before there were settings.
        Command::Doctor | Command::Completions { .. } | Command::Man { .. } => {}
    }
    Ok(ExitCode::SUCCESS)
}

impl Context {
    /// The application on an up-to-date database.
    async fn open(self, opener: Opener) -> Result<App, Failure> {
        let app = App::open_as(opener, self.config, Clock::System).await?;
        app.db.migrate().await?;
        crate::domain::search::fill(&app).await?;
        for row in crate::domain::settings::load(&app).await?.ignored {
            tracing::warn!(
                setting = row.name,
                why = row.why,
                "a stored setting does not count"
            );
        }
        if crate::domain::installation::secret_fits(&app).await? {
            return Ok(app);
        }
        Err(Failure::Said(
            "this database was made with another server secret; start with that one \
             (LATCHKEY_SECRET_KEY, or the file `secret_key` in the data folder)"
                .to_owned(),
        ))
    }

    /// As `open`, where there is a database already: makes none.
    async fn open_present(self, opener: Opener) -> Result<App, Failure> {
        self.database_is_there()?;
        self.open(opener).await
    }

    fn database_is_there(&self) -> Result<(), Failure> {
        let path = self.config.sqlite_path();
        if self.config.is_postgres() || std::path::Path::new(path).exists() {
            return Ok(());
        }
        Err(Failure::Said(format!("there is no database {path}")))
    }
}

async fn migrate(context: Context) -> Result<(), Failure> {
    let app = context.open(Opener::Command).await?;
    say("The schema is up to date.");
    finish(app).await
}

/// What every command that may have written ends with: its events are sealed and the database is closed.
async fn finish(app: App) -> Result<(), Failure> {
    // What a server has to catch up with is left to it.
    if let Err(e) = crate::domain::audit::seal_some(&app, SEALED).await {
        tracing::warn!(error = %e, "the audit events of this command wait to be sealed");
    }
    app.db.close().await?;
    Ok(())
}

/// Before Rocket starts, so that its own words go the same way.
fn start_logging(config: &Config, env: &Environment) {
    let wanted = env.get("RUST_LOG").map_or(USUAL, String::as_str);
    let filter = tracing_subscriber::EnvFilter::new(format!("{wanted},{NEVER}"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let started = match config.log_format {
        LogFormat::Text => builder.with_target(false).with_ansi(colours).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    if let Err(e) = started {
        eprintln!("latchkey: no logging: {e}");
    }
}

fn explain(e: &Error) -> String {
    match e {
        Error::Validation(errors) => {
            let lines = errors.iter().flat_map(|(field, messages)| {
                messages.iter().map(move |m| format!("{field}: {m}"))
            });
            lines.collect::<Vec<_>>().join("\n")
        }
        Error::NotFound => "there is no such user".to_owned(),
        Error::Conflict(text) => text.clone(),
        Error::Internal(source) => source.to_string(),
        other => other.to_string(),
    }
}

/// To standard output: what the command was asked for.
#[expect(clippy::print_stdout, reason = "a command answers on standard output")]
fn say(text: &str) {
    println!("{text}");
}
