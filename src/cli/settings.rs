//! `latchkey settings`: what the panel's page of settings does, for scripts.

use clap::Subcommand;
use serde::Serialize;

use super::{Context, Failure, print};
use crate::{
    app::App,
    db::Opener,
    domain::{
        actor::Actor,
        settings::{self, Changed, Kept, Setting, TABLE, Wish},
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Settings {
    /// Those that can be changed while the server runs: value, default, and who says so.
    List {
        /// For scripts.
        #[arg(long)]
        json: bool,
    },
    /// Change one; a running server goes by it at once.
    Set {
        name: String,
        /// As in the environment: seconds are a number, a switch is true or false.
        value: String,
    },
    /// Back to the default.
    Reset {
        #[arg(required_unless_present = "all")]
        names: Vec<String>,
        /// Every one, also what this version cannot read.
        #[arg(long, conflicts_with = "names")]
        all: bool,
    },
}

pub(super) async fn run(context: Context, what: Settings) -> Result<(), Failure> {
    let app = context.open(Opener::Command).await?;
    let by = Actor::operator();
    match what {
        Settings::List { json } => list(&app, json).await?,
        Settings::Set { name, value } => {
            let setting = find(&name)?;
            let value = setting.kind.read(&value);
            let value = value.map_err(|why| Failure::Said(format!("{name}: {why}")))?;
            say(&settings::change(&app, &by, &[wish(setting, value)]).await?)?;
        }
        Settings::Reset { all: true, .. } => say(&settings::reset_all(&app, &by).await?)?,
        Settings::Reset { names, .. } => {
            let found = names.iter().map(|name| find(name));
            let found = found.collect::<Result<Vec<_>, _>>()?;
            let wishes: Vec<Wish> = found
                .into_iter()
                .map(|setting| wish(setting, setting.default()))
                .collect();
            say(&settings::change(&app, &by, &wishes).await?)?;
        }
    }
    super::finish(app).await
}

fn find(name: &str) -> Result<&'static Setting, Failure> {
    settings::find(name).ok_or_else(|| {
        let fixed = crate::config::SETTINGS.contains(&name);
        let text = if fixed {
            format!("{name} is read at the start: set it in the environment or in Rocket.toml")
        } else {
            format!("there is no setting {name:?}; see `latchkey settings list`")
        };
        Failure::Said(text)
    })
}

fn wish(setting: &'static Setting, value: settings::Value) -> Wish {
    Wish {
        setting,
        value,
        seen: None,
    }
}

fn say(changed: &[Changed]) -> Result<(), Failure> {
    for one in changed {
        print::line(&format!("{}: {} -> {}", one.name, one.from, one.to))?;
    }
    if changed.is_empty() {
        print::aside("nothing to change");
    }
    Ok(())
}

#[derive(Serialize)]
struct Line {
    name: &'static str,
    value: String,
    default: String,
    /// The variable, the file, `database` or `default`.
    from: String,
}

impl Line {
    fn of(app: &App, kept: &Kept, setting: &'static Setting) -> Self {
        let from = match (app.config.given.by(setting), kept.of(setting)) {
            (Some(by), _) => by.to_string(),
            (None, Some(_)) => "database".to_owned(),
            (None, None) => "default".to_owned(),
        };
        Self {
            name: setting.name,
            value: setting.of(&kept.settings).to_string(),
            default: setting.default().to_string(),
            from,
        }
    }
}

async fn list(app: &App, json: bool) -> Result<(), Failure> {
    let kept = settings::kept(app).await?;
    let lines: Vec<Line> = TABLE.iter().map(|one| Line::of(app, &kept, one)).collect();
    if json {
        print::json(&lines)?;
    } else {
        let dash = |text: String| {
            if text.is_empty() {
                "-".to_owned()
            } else {
                text
            }
        };
        let cells = |line: Line| {
            [
                line.name.to_owned(),
                dash(line.value),
                dash(line.default),
                line.from,
            ]
        };
        let rows: Vec<_> = lines.into_iter().map(cells).collect();
        print::table(["NAME", "VALUE", "DEFAULT", "FROM"], &rows)?;
    }
    for row in kept.ignored {
        print::aside(&format!(
            "stored and ignored: {} = {:?}: {}",
            row.name, row.value, row.why
        ));
    }
    Ok(())
}
