//! Refusals in the database: written in batches, bounded in number and age, listed, told about.

use std::collections::HashMap;

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Statement,
};

use super::{Detail, Entry, Look, Reason, Refusal, look};
use crate::{
    app::App,
    checks::Affects,
    db::Change,
    domain::{
        actor::Actor,
        audit::{self, AuditEvent},
        paging::{By, Key, Kind, Order, Page, PageRequest, page},
        tokens::{self, TokenRow},
        users::{self, User},
    },
    entity::refusal::{ActiveModel, Column, Entity},
    error::{Error, Result},
};

/// Rows kept at most, about: of the latest ids.
const ROWS: i64 = 100_000;
/// Rows in one statement; each binds fourteen values.
const BATCH: usize = 500;
/// Rows deleted in one transaction.
const SWEPT: i64 = 5000;

/// Writes down what was noted since the last time, and trims the table. What cannot be written is kept,
/// as far as there is room.
pub async fn flush(app: &App) -> Result<()> {
    let mut noted = app.refusals.take();
    if noted.all.is_empty() && noted.not_kept == 0 {
        return Ok(());
    }
    let written = write(app, &mut noted.all, noted.not_kept).await;
    if written.is_err() {
        app.refusals.put_back(noted);
    }
    written
}

async fn write(app: &App, all: &mut [Entry], not_kept: u64) -> Result<()> {
    let mut looks: Vec<&mut Look> = all.iter_mut().map(|entry| &mut entry.look).collect();
    look::resolve(app, &mut looks).await?;
    let mut rows: Vec<ActiveModel> = all.iter().map(row).collect();
    if not_kept > 0 {
        tracing::warn!(refusals = not_kept, "more requests refused than are kept");
        rows.push(not_kept_row(app.now(), not_kept));
    }
    let db = app.db.begin().await?;
    while !rows.is_empty() {
        let later = rows.split_off(rows.len().min(BATCH));
        Entity::insert_many(rows)
            .exec_without_returning(&db)
            .await?;
        rows = later;
    }
    trim(&db).await?;
    db.commit(Affects::Nobody).await
}

fn row(entry: &Entry) -> ActiveModel {
    let look = &entry.look;
    ActiveModel {
        id: NotSet,
        request_id: Set(entry.request.id.clone()),
        at: Set(entry.at),
        status: Set(i64::from(entry.request.status)),
        method: Set(entry.request.method.to_owned()),
        path: Set(entry.request.path.clone()),
        address: Set(entry.request.address.to_string()),
        header: Set(entry.request.header.to_owned()),
        scheme: Set(entry.scheme.to_owned()),
        reason: Set(look
            .reason
            .unwrap_or(Reason::NotAllowed)
            .as_str()
            .to_owned()),
        detail: Set(look.detail.write()),
        token_id: Set(look.token_id),
        user_id: Set(look.user_id),
        family: Set(look.family),
    }
}

fn not_kept_row(at: i64, n: u64) -> ActiveModel {
    ActiveModel {
        id: NotSet,
        request_id: Set(String::new()),
        at: Set(at),
        status: Set(0),
        method: Set(String::new()),
        path: Set(String::new()),
        address: Set(String::new()),
        header: Set(String::new()),
        scheme: Set(String::new()),
        reason: Set(Reason::NotKept.as_str().to_owned()),
        detail: Set(Detail::n(i64::try_from(n).unwrap_or(i64::MAX)).write()),
        token_id: Set(None),
        user_id: Set(None),
        family: Set(None),
    }
}

/// By id, so that it costs nothing where nothing is to go.
async fn trim(db: &Change) -> Result<()> {
    let delete = "DELETE FROM refusals WHERE id <= (SELECT MAX(id) FROM refusals) - $1";
    let statement =
        Statement::from_sql_and_values(db.get_database_backend(), delete, [ROWS.into()]);
    db.execute_raw(statement).await?;
    Ok(())
}

/// Deletes what is older than the setting says. Returns how many.
pub async fn sweep(app: &App) -> Result<u64> {
    let before = app.now() - app.settings().refusals_kept_days * 86_400;
    let mut gone = 0;
    loop {
        let db = app.db.begin().await?;
        let delete =
            "DELETE FROM refusals WHERE id IN (SELECT id FROM refusals WHERE at < $1 LIMIT $2)";
        let values = [before.into(), SWEPT.into()];
        let statement = Statement::from_sql_and_values(db.get_database_backend(), delete, values);
        let swept = db.execute_raw(statement).await?.rows_affected();
        db.commit(Affects::Nobody).await?;
        gone += swept;
        if swept == 0 {
            return Ok(gone);
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct RefusalFilter {
    pub reason: Option<Reason>,
    pub address: Option<String>,
    pub user_id: Option<i64>,
    pub page: PageRequest,
}

#[derive(Clone, Debug)]
pub struct RefusalRow {
    pub refusal: Refusal,
    /// Empty where it is not known whose credential it was.
    pub username: String,
}

/// The latest first.
pub async fn list(app: &App, filter: &RefusalFilter) -> Result<Page<RefusalRow>> {
    let mut query = Entity::find();
    if let Some(reason) = filter.reason {
        query = query.filter(Column::Reason.eq(reason.as_str()));
    }
    if let Some(address) = &filter.address {
        query = query.filter(Column::Address.eq(address.as_str()));
    }
    if let Some(id) = filter.user_id {
        query = query.filter(Column::UserId.eq(id));
    }
    let order = Order {
        by: By::Id,
        id: Column::Id,
        descending: true,
        kind: Kind::Number,
    };
    let found = page(app.db.read(), query, order, &filter.page, |row| {
        (Key::Number(row.id), row.id)
    })
    .await?;
    let names = names(app, &found.rows).await?;
    Ok(found.map(|refusal| RefusalRow {
        username: refusal
            .user_id
            .and_then(|id| names.get(&id).cloned())
            .unwrap_or_default(),
        refusal,
    }))
}

async fn names(app: &App, rows: &[Refusal]) -> Result<HashMap<i64, String>> {
    use crate::entity::user;
    let mut ids: Vec<i64> = rows.iter().filter_map(|row| row.user_id).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let users = user::Entity::find()
        .filter(user::Column::Id.is_in(ids))
        .all(app.db.read())
        .await?;
    Ok(users.into_iter().map(|u| (u.id, u.username)).collect())
}

/// The refusal of a request, the latest where a proxy used an id again. What is still in this node's
/// memory is written first; another node's may take ten seconds.
pub async fn find_request(app: &App, request_id: &str) -> Result<Option<i64>> {
    if request_id.is_empty() || request_id.contains('\0') {
        return Ok(None);
    }
    flush(app).await?;
    let found = Entity::find()
        .filter(Column::RequestId.eq(request_id))
        .order_by_desc(Column::Id)
        .one(app.db.read())
        .await?;
    Ok(found.map(|refusal| refusal.id))
}

/// A refusal and what is known of those that it is about.
#[derive(Debug)]
pub struct Told {
    pub refusal: Refusal,
    pub reason: Reason,
    pub detail: Detail,
    pub user: Option<User>,
    pub token: Option<TokenRow>,
    /// What the log says about the end of a sign-in.
    pub events: Vec<AuditEvent>,
    /// It is about somebody whom `by` may not touch: then the rest is left out.
    pub is_hidden: bool,
}

pub async fn tell(app: &App, by: &Actor, id: i64) -> Result<Told> {
    let refusal = Entity::find_by_id(id)
        .one(app.db.read())
        .await?
        .ok_or(Error::NotFound)?;
    let reason = Reason::parse(&refusal.reason).unwrap_or(Reason::NotAllowed);
    let detail = Detail::read(&refusal.detail);
    let user = match refusal.user_id {
        Some(id) => users::find(app, id).await?,
        None => None,
    };
    let is_hidden = user
        .as_ref()
        .is_some_and(|user| users::may_touch(by, user).is_err());
    if is_hidden {
        return Ok(Told {
            detail: Detail::default(),
            refusal,
            reason,
            user: None,
            token: None,
            events: Vec::new(),
            is_hidden,
        });
    }
    let token = match refusal.token_id {
        Some(id) => match tokens::get(app, id).await {
            Ok(row) => Some(row),
            Err(Error::NotFound) => None,
            Err(e) => return Err(e),
        },
        None => None,
    };
    let events = ending(app, Some(reason), &detail, refusal.user_id).await?;
    Ok(Told {
        refusal,
        reason,
        detail,
        user,
        token,
        events,
        is_hidden,
    })
}

/// Who ended a sign-in, from the log: what was done about that person in that second.
pub(super) async fn ending(
    app: &App,
    reason: Option<Reason>,
    detail: &Detail,
    user_id: Option<i64>,
) -> Result<Vec<AuditEvent>> {
    let object_type = match reason {
        Some(Reason::FamilyEnded | Reason::FamilyReplayed) => "jwt",
        Some(Reason::SignedOut) => "user",
        _ => return Ok(Vec::new()),
    };
    match (user_id, detail.at) {
        (Some(id), Some(at)) => audit::of_object_at(app, object_type, id, at).await,
        _ => Ok(Vec::new()),
    }
}
