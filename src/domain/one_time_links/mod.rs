//! Links that let somebody do one thing once: set a password without knowing the old one, or show
//! that an address is theirs. Stored by digest only; bound to their user, to what they are for, and
//! to what was true of the user when they were made. What passwords need is in `passwords`, what
//! addresses need in `addresses`.

mod addresses;
mod passwords;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    sea_query::Expr,
};
use serde_json::json;

pub(crate) use addresses::verification_in;
pub use addresses::{send_verification, verify_address};
pub use passwords::{Handed, PASSWORDS, ask, hand_out, invite, set_password};

use crate::{
    app::App,
    checks::Affects,
    domain::{
        actor::Actor,
        audit::{self, Event},
        users::{self, User},
    },
    entity::one_time_link::{ActiveModel, Column, Entity, Model},
    error::Result,
    secret::{self, LinkKey},
};

/// What a link is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// By an administrator, for an account without a password or whose owner lost it.
    SetPassword,
    /// The person asked for it.
    ResetPassword,
    VerifyAddress,
}

impl Purpose {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SetPassword => "set-password",
            Self::ResetPassword => "password-reset",
            Self::VerifyAddress => "verify-email",
        }
    }

    /// Seconds.
    pub fn lifetime(self, app: &App) -> i64 {
        match self {
            Self::SetPassword => app.settings().invitation_lifetime,
            Self::ResetPassword => app.settings().password_reset_lifetime,
            Self::VerifyAddress => app.settings().email_verification_lifetime,
        }
    }

    /// The page that takes it.
    pub fn path(self, key: &LinkKey) -> String {
        let page = match self {
            Self::SetPassword | Self::ResetPassword => "password-reset",
            Self::VerifyAddress => "verify-email",
        };
        format!("/{page}/{}/", key.expose())
    }
}

/// A link that works, and whose it is.
#[derive(Clone, Debug)]
pub struct Live {
    pub user: User,
    link: Model,
}

impl Live {
    /// Unix seconds.
    pub fn expires_at(&self) -> i64 {
        self.link.expires_at
    }
}

/// The link of this key, if it works still. Changes nothing: mail programs follow links to look at
/// what is there.
pub async fn find(app: &App, key: &LinkKey, purposes: &[Purpose]) -> Result<Option<Live>> {
    let digest = app.keys.link_digest(key.expose()).to_vec();
    let Some(link) = Entity::find()
        .filter(Column::Digest.eq(digest))
        .one(app.db.read())
        .await?
    else {
        return Ok(None);
    };
    let user = users::find(app, link.user_id).await?;
    let live = user.filter(|user| works(&link, user, purposes, app.now()));
    Ok(live.map(|user| Live { user, link }))
}

/// A link ends with whatever it was made for: the password that it replaces, the address that it
/// was sent to.
fn works(link: &Model, user: &User, purposes: &[Purpose], now: i64) -> bool {
    let of_purpose = purposes.iter().any(|one| one.as_str() == link.purpose);
    let password = link.purpose != Purpose::VerifyAddress.as_str();
    of_purpose
        && link.used_at.is_none()
        && link.expires_at > now
        && user.is_active
        && (!password || link.epoch == user.epoch)
        && (link.email.is_empty() || link.email == user.email)
}

/// Makes a link; those of the same purpose from before are over. `sent_to` is empty where it is
/// handed out.
async fn make<C: ConnectionTrait>(
    db: &C,
    app: &App,
    by: &Actor,
    user: &User,
    purpose: Purpose,
    sent_to: &str,
) -> Result<LinkKey> {
    let key = LinkKey::new(URL_SAFE_NO_PAD.encode(secret::random::<32>()?));
    let now = app.now();
    Entity::delete_many()
        .filter(Column::UserId.eq(user.id))
        .filter(Column::Purpose.eq(purpose.as_str()))
        .exec(db)
        .await?;
    let row = ActiveModel {
        id: NotSet,
        digest: Set(app.keys.link_digest(key.expose()).to_vec()),
        user_id: Set(user.id),
        purpose: Set(purpose.as_str().to_owned()),
        epoch: Set(user.epoch),
        email: Set(sent_to.to_owned()),
        created_at: Set(now),
        expires_at: Set(now + purpose.lifetime(app)),
        used_at: Set(None),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    let event = Event::new("user.link_made", Some(user.id), &user.username)
        .with(json!({"for": purpose.as_str(), "sent_to": sent_to}));
    audit::record(db, now, by, event).await?;
    Ok(key)
}

/// Whether this use is the one that counts. The statement decides, so of two at once one wins.
async fn use_up<C: ConnectionTrait>(db: &C, link: &Model, now: i64) -> Result<bool> {
    let used = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(Column::Id.eq(link.id))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec(db)
        .await?;
    Ok(used.rows_affected == 1)
}

/// Ends the links that would set a password. With more rights for an account, or else whoever made one for somebody
/// ordinary would come by these rights.
pub(crate) async fn end_passwords<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<()> {
    let purposes = PASSWORDS.iter().map(|purpose| purpose.as_str());
    Entity::delete_many()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::Purpose.is_in(purposes))
        .filter(Column::UsedAt.is_null())
        .exec(db)
        .await?;
    Ok(())
}

/// Deletes links that are over. Returns how many.
pub async fn sweep(app: &App) -> Result<u64> {
    let db = app.db.begin().await?;
    let gone = Entity::delete_many()
        .filter(Column::ExpiresAt.lte(app.now()))
        .exec(&db)
        .await?
        .rows_affected;
    db.commit(Affects::Nobody).await?;
    Ok(gone)
}
