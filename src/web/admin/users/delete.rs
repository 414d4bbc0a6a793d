//! Deleting a user: first what would go and what would stay.

use rocket::{State, get, http::Status, post};
use serde::Serialize;

use crate::{
    app::App,
    domain::{
        paging::Count,
        permissions::Record,
        users::{self, DeletionPreview},
    },
    error::Error,
    web::{
        error::PageError,
        flash::Flash,
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
    tokens: String,
    sessions: String,
    audit_lines: String,
    /// Why it cannot be done; empty if it can.
    refused: &'static str,
}

impl UserDeleteConfirmation {
    fn of(preview: &DeletionPreview) -> Self {
        Self {
            id: preview.user.id,
            href: super::href(preview.user.id),
            username: preview.user.username.clone(),
            is_active: preview.user.is_active,
            tokens: words::counted(preview.tokens, "token", "tokens"),
            sessions: words::counted(preview.sessions, "session", "sessions"),
            audit_lines: words::counted(preview.audit_lines, "audit line", "audit lines"),
            refused: if preview.is_last_superuser {
                LAST_SUPERUSER
            } else {
                ""
            },
        }
    }
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
}

#[get("/users/<id>/delete")]
pub async fn delete_confirmation(
    may: May<'_, DeleteUsers>,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    let preview = users::deletion_preview(app, id).await?;
    users::may_touch(&may.actor, &preview.user)?;
    Ok(Page::of(&UserDeleteConfirmation::of(&preview)))
}

#[post("/users/<id>/delete", data = "<_form>")]
pub async fn delete(
    session: May<'_, DeleteUsers>,
    app: &State<App>,
    id: i64,
    _form: ConfirmedForm,
) -> Result<Reply, PageError> {
    let preview = users::deletion_preview(app, id).await?;
    match users::delete(app, &session.actor, id).await {
        Ok(()) => {
            let gone = Flash::ok(format!("{} is deleted.", preview.user.username));
            let to = session.or_dashboard(Record::Users, "/admin/users/".to_owned());
            Ok(Go::to(to).with(gone).into())
        }
        Err(Error::LastSuperuser) => {
            let view = UserDeleteConfirmation::of(&preview);
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
        is_last_superuser: false,
    };
    let refused = UserDeleteConfirmation {
        refused: LAST_SUPERUSER,
        ..UserDeleteConfirmation::of(&preview)
    };
    vec![
        Page::of(&UserDeleteConfirmation::of(&preview)),
        Page::of(&refused),
    ]
}
