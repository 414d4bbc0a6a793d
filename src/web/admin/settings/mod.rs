//! Settings that are changed while the server runs: the form, saving it, and two people at once. What is shown
//! is in `cards`, what was typed in `typed`.

mod cards;
mod typed;

use rocket::{Route, State, get, http::Status, post, routes};

use crate::{
    app::App,
    domain::{
        audit,
        settings::{self, Changed, Kept, Settings},
    },
    error::{Error, FieldErrors, Result},
    web::{
        error::PageError,
        filters,
        flash::Flash,
        guards::{ConfirmableForm, SuperuserSession},
        page::{Go, Page, Reply},
    },
};
use cards::{SettingsForm, Theirs};
use typed::{Seen, Typed};

const PATH: &str = "/admin/settings/";

pub fn routes() -> Vec<Route> {
    routes![form, save]
}

#[get("/settings")]
async fn form(_session: &SuperuserSession, app: &State<App>) -> Result<Page, PageError> {
    let kept = settings::kept(app).await?;
    let typed = Typed::of(&kept.settings);
    Ok(Page::of(&SettingsForm::of(app, &kept, typed)))
}

#[post("/settings", data = "<form>")]
async fn save(
    session: &SuperuserSession,
    app: &State<App>,
    form: ConfirmableForm,
) -> Result<Reply, PageError> {
    let seen = Seen::read(form.text(typed::SEEN));
    let mut typed = Typed::read(&form, &app.config.given, seen);
    if let Some(what) = form.opt("reset") {
        if !typed.reset(what) {
            return Err(Error::Parse("There is no such setting.".to_owned()).into());
        }
        let kept = settings::kept(app).await?;
        let view = SettingsForm::of(app, &kept, typed)
            .unsaved("These are the defaults", "Nothing is saved yet.");
        return Ok(Reply::page(&view));
    }
    if !typed.errors.is_empty() {
        return Ok(refused(app, typed, &FieldErrors::default()).await?.into());
    }
    let wishes = typed.wishes();
    if wishes.is_empty() {
        return Ok(Go::to(PATH).with(Flash::ok("Nothing to save.")).into());
    }
    let labels: Vec<&str> = wishes.iter().map(|wish| wish.setting.label).collect();
    form.require(format!("Change settings: {}", labels.join(", ")))?;
    match settings::change(app, &session.actor, &wishes).await {
        Ok(changed) => Ok(Go::to(PATH).with(saved(&changed)).into()),
        Err(Error::Validation(errors)) => Ok(refused(app, typed, &errors).await?.into()),
        Err(Error::Conflict(_)) => Ok(conflict(app, typed).await?.into()),
        Err(other) => Err(other.into()),
    }
}

fn saved(changed: &[Changed]) -> Flash {
    let all: Vec<String> = changed
        .iter()
        .map(|one| format!("{} is now {}", one.label, one.to))
        .collect();
    if all.is_empty() {
        // Somebody else wanted the same.
        Flash::ok("Nothing to save.")
    } else {
        Flash::ok("Saved.").text(format!("{}. It counts from now on.", all.join("; ")))
    }
}

async fn refused(app: &App, typed: Typed, more: &FieldErrors) -> Result<Page> {
    let kept = settings::kept(app).await?;
    Ok(Page::of(&SettingsForm::of(app, &kept, typed.refused(more))))
}

/// The form again: what this person typed, beside what somebody else saved of the same. What they did not touch is
/// as it is saved now. To send it again is to overwrite knowingly.
async fn conflict(app: &App, typed: Typed) -> Result<Page> {
    let kept = settings::kept(app).await?;
    let last = audit::latest(app, "setting.changed").await?;
    let who = match last {
        Some(event) => format!(
            "{} changed the same {}",
            event.actor,
            filters::ago(event.at, app.now())
        ),
        None => "Somebody changed the same meanwhile".to_owned(),
    };
    let theirs = theirs(&typed, &kept);
    let view = SettingsForm::of(app, &kept, typed.over(&kept.settings)).beside(who, theirs);
    Ok(Page::of(&view).status(Status::Conflict))
}

fn theirs(typed: &Typed, kept: &Kept) -> Vec<Theirs> {
    let wishes = typed.wishes();
    let changed = wishes.iter().filter(|wish| {
        let now = wish.setting.of(&kept.settings);
        wish.seen.as_ref().is_some_and(|seen| *seen != now)
    });
    changed
        .map(|wish| Theirs::of(wish.setting, &kept.settings, &wish.value))
        .collect()
}

pub fn samples() -> Vec<Page> {
    cards::samples(&Settings::default())
}
