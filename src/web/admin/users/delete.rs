//! Deleting a user: first what would go and what would stay.

use rocket::{State, get, http::Status, post};
use serde::Serialize;

use crate::{
    app::App,
    domain::{
        actor::Actor,
        paging::Count,
        permissions::{Act, Permission, Record},
        sessions::Session,
        tokens::Token,
        users::{self, DeletionPreview},
    },
    error::{Error, FieldErrors},
    web::{
        error::PageError,
        flash::Flash,
        form::{FormState, Labels},
        guards::{ConfirmedForm, May, permission::DeleteUsers},
        page::{Crumb, Go, Page, Reply, View},
        words,
    },
};

pub const LAST_SUPERUSER: &str = "This is the only superuser. Make another one first.";

#[derive(Serialize)]
struct UserDeleteConfirmation {
    id: i64,
    href: String,
    username: String,
    is_active: bool,
    /// What goes along, in words; empty: nothing.
    with: String,
    has_tokens: bool,
    /// Whoever deletes it could not disable it.
    is_you: bool,
    audit_lines: String,
    /// The first of what goes, by name, as far as this person may view it.
    goes: Vec<Dependant>,
    /// How many more.
    more: u64,
    /// What to type before it is done; empty: nothing.
    word: String,
    form: FormState,
    /// Why it cannot be done; empty if it can.
    refused: &'static str,
}

#[derive(Serialize)]
struct Dependant {
    icon: &'static str,
    name: String,
    note: String,
}

/// Names shown.
const FIRST: usize = 10;
const LABELS: Labels = &[("typed", "The username")];

impl UserDeleteConfirmation {
    fn of(preview: &DeletionPreview, by: &Actor) -> Self {
        let (goes, more) = dependants(preview, by);
        Self {
            more,
            goes,
            word: if preview.user.is_superuser {
                preview.user.username.clone()
            } else {
                String::new()
            },
            form: FormState::default(),
            id: preview.user.id,
            href: super::href(preview.user.id),
            username: preview.user.username.clone(),
            is_active: preview.user.is_active,
            with: words::all_but_none(&[
                (preview.tokens, "token", "tokens"),
                (preview.sessions, "session", "sessions"),
            ])
            .join(", "),
            has_tokens: preview.tokens.n > 0,
            is_you: by.user_id == Some(preview.user.id),
            audit_lines: words::counted(preview.audit_lines, "audit line", "audit lines"),
            refused: if preview.is_last_superuser {
                LAST_SUPERUSER
            } else {
                ""
            },
        }
    }
}

/// Those that this person may view, and how many more there are. Tokens first: programs that use them notice.
fn dependants(preview: &DeletionPreview, by: &Actor) -> (Vec<Dependant>, u64) {
    let sees = |record| by.may(Permission::new(Act::View, record));
    let token = |token: &Token| Dependant {
        icon: "key",
        name: token.name.clone(),
        note: format!("{}…", token.prefix),
    };
    let session = |session: &Session| {
        let (name, icon) = words::device(&session.user_agent);
        let note = session.address.clone();
        Dependant { icon, name, note }
    };
    let mut goes = Vec::new();
    let mut all = 0;
    if sees(Record::Tokens) {
        all += preview.tokens.n;
        goes.extend(preview.first_tokens.iter().map(token));
    }
    if sees(Record::Sessions) {
        all += preview.sessions.n;
        goes.extend(preview.first_sessions.iter().map(session));
    }
    goes.truncate(FIRST);
    let more = all.saturating_sub(goes.len() as u64);
    (goes, more)
}

impl View for UserDeleteConfirmation {
    const TEMPLATE: &'static str = "admin/users/delete_confirmation.html";
    const NAV: &'static str = "users";

    fn title(&self) -> String {
        format!("Delete {}?", self.username)
    }

    fn trail(&self) -> Vec<Crumb> {
        super::trail_to(self.id, &self.username)
    }

    fn form(&self) -> Option<&FormState> {
        Some(&self.form)
    }
}

#[get("/users/<id>/delete")]
pub async fn delete_confirmation(
    may: May<'_, DeleteUsers>,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    let preview = users::deletion_preview(app, id).await?;
    users::may_touch(&may.actor, &preview.user)?;
    Ok(Page::of(&UserDeleteConfirmation::of(&preview, &may.actor)))
}

#[post("/users/<id>/delete", data = "<form>")]
pub async fn delete(
    session: May<'_, DeleteUsers>,
    app: &State<App>,
    id: i64,
    form: ConfirmedForm,
) -> Result<Reply, PageError> {
    let preview = users::deletion_preview(app, id).await?;
    // Before anything of the person is shown.
    users::may_touch(&session.actor, &preview.user)?;
    let must_type = preview.user.is_superuser && !preview.is_last_superuser;
    if must_type && form.text("typed").trim() != preview.user.username {
        let mut view = UserDeleteConfirmation::of(&preview, &session.actor);
        let mut errors = FieldErrors::default();
        errors.push("typed", format!("Type {} to go on.", view.word));
        view.form = FormState::default().refused(&errors, LABELS);
        return Ok(Reply::page(&view));
    }
    match users::delete(app, &session.actor, id).await {
        Ok(()) => {
            let gone = Flash::ok(format!("{} is deleted.", preview.user.username));
            let to = session.or_dashboard(Record::Users, "/admin/users/".to_owned());
            Ok(Go::to(to).with(gone).into())
        }
        Err(Error::LastSuperuser) => {
            let view = UserDeleteConfirmation::of(&preview, &session.actor);
            let page = Page::of(&UserDeleteConfirmation {
                refused: LAST_SUPERUSER,
                ..view
            });
            Ok(page.status(Status::Conflict).into())
        }
        Err(other) => Err(other.into()),
    }
}

pub fn samples() -> Vec<Page> {
    let user = super::sample_user();
    let count = |n| Count { n, exact: true };
    let preview = DeletionPreview {
        user,
        tokens: count(1),
        sessions: count(2),
        audit_lines: count(57),
        first_tokens: Vec::new(),
        first_sessions: Vec::new(),
        is_last_superuser: false,
    };
    let goes = vec![Dependant {
        icon: "key",
        name: "<b>sam</b>".to_owned(),
        note: "lk_7Qm2x…".to_owned(),
    }];
    let by = Actor::operator();
    let superuser = UserDeleteConfirmation {
        goes,
        more: 12,
        word: "amara.okafor".to_owned(),
        ..UserDeleteConfirmation::of(&preview, &by)
    };
    let refused = UserDeleteConfirmation {
        refused: LAST_SUPERUSER,
        ..UserDeleteConfirmation::of(&preview, &by)
    };
    vec![
        Page::of(&UserDeleteConfirmation::of(&preview, &by)),
        Page::of(&refused),
        Page::of(&superuser),
    ]
}
