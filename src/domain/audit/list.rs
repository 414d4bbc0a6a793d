//! Looking through the log: pages of it, the newest first, and all that a filter finds. Each filter has an index that ends
//! with the id, so a page of a million events costs what a page of a hundred does.

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, IdenStatic, QueryFilter,
    QueryOrder, QuerySelect, Value,
    sea_query::{Alias, Expr, ExprTrait, Func, Order, Query, SelectStatement, UnionType},
};

use super::AuditEvent;
use crate::{
    app::App,
    domain::paging::{Count, EXACT, Page, SIZES},
    entity::audit_event::{Column, Entity},
    error::{Error, Result},
};

/// Seconds by which the order of ids and that of times may differ: clocks of nodes, and transactions that
/// took their time.
const SLACK: i64 = 3600;
/// Events in one step of an export.
const STEP: u64 = 1000;
/// Kinds of object that are people. As in the index by name.
const PEOPLE: &str = "object_type IN ('user', 'session', 'jwt')";

/// What is looked for; everything at once.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// By name, as who acted or as who it was done to.
    pub person: Option<String>,
    /// By id, in the same way: a name may have had another owner before.
    pub account: Option<i64>,
    pub action: Option<String>,
    pub object_type: Option<String>,
    /// Together with a type.
    pub object_id: Option<i64>,
    /// Unix seconds; from then on.
    pub from: Option<i64>,
    /// Unix seconds; before then.
    pub until: Option<i64>,
    pub failed: Option<bool>,
    pub request_id: Option<String>,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    /// Towards the newer ones.
    back: bool,
    id: i64,
    first_index: u64,
}

impl Cursor {
    fn write(self) -> String {
        let direction = if self.back { 'b' } else { 'a' };
        format!("{direction}.{}.{}", self.id, self.first_index)
    }

    /// A cursor that nobody made is a page that does not exist.
    fn read(text: &str) -> Result<Self> {
        let parse = || {
            let mut parts = text.splitn(3, '.');
            let back = match parts.next()? {
                "a" => false,
                "b" => true,
                _ => return None,
            };
            let id = parts.next()?.parse().ok()?;
            let first_index = parts.next()?.parse().ok().filter(|n| *n < 1 << 40)?;
            Some(Self {
                back,
                id,
                first_index,
            })
        };
        parse().ok_or(Error::NotFound)
    }
}

/// One page, the newest first. `cursor` is a text that an earlier page gave.
pub async fn list(
    app: &App,
    filter: &AuditFilter,
    cursor: Option<&str>,
    size: u64,
) -> Result<Page<AuditEvent>> {
    let cursor = cursor.map(Cursor::read).transpose()?;
    let size = if SIZES.contains(&size) {
        size
    } else {
        SIZES[0]
    };
    let db = app.db.read();
    let total = count(db, filter).await?;
    let back = cursor.is_some_and(|c| c.back);
    let beyond = cursor.map(|c| {
        if back {
            Column::Id.gt(c.id)
        } else {
            Column::Id.lt(c.id)
        }
    });
    let order = if back { Order::Asc } else { Order::Desc };
    let mut rows = Entity::find()
        .filter(Column::Id.in_subquery(ids(
            db.get_database_backend(),
            filter,
            beyond,
            order.clone(),
            size + 1,
        )))
        .order_by(Column::Id, order)
        .limit(size + 1)
        .all(db)
        .await?;
    let more = rows.len() as u64 > size;
    rows.truncate(usize::try_from(size).unwrap_or(usize::MAX));
    if back {
        rows.reverse();
    }
    let first_index = cursor.map_or(1, |c| Ord::max(c.first_index, 1));
    let edge = |row: Option<&AuditEvent>, back, first_index| {
        row.map(|row| {
            Cursor {
                back,
                id: row.id,
                first_index,
            }
            .write()
        })
    };
    let (has_next, has_previous) = if back {
        (true, more)
    } else {
        (more, cursor.is_some())
    };
    let after = first_index.saturating_add(rows.len() as u64);
    let before = Ord::max(first_index.saturating_sub(size), 1);
    Ok(Page {
        next: edge(rows.last().filter(|_| has_next), false, after),
        previous: edge(rows.first().filter(|_| has_previous), true, before),
        rows,
        total,
        first_index,
        newest_first: false,
    })
}

/// Events that are by somebody or about their account, as the list of them counts.
pub async fn count_of_account(app: &App, id: i64) -> Result<Count> {
    let filter = AuditFilter {
        account: Some(id),
        ..AuditFilter::default()
    };
    count(app.db.read(), &filter).await
}

/// Up to ten thousand of them.
async fn count<C: ConnectionTrait>(db: &C, filter: &AuditFilter) -> Result<Count> {
    let some = ids(
        db.get_database_backend(),
        filter,
        None,
        Order::Desc,
        EXACT + 1,
    );
    let query = Query::select()
        .expr(Expr::cust("COUNT(*)"))
        .from_subquery(some, Alias::new("found"))
        .to_owned();
    let n = match db.query_one(&query).await? {
        Some(row) => u64::try_from(row.try_get_by_index::<i64>(0)?).unwrap_or(0),
        None => 0,
    };
    Ok(Count {
        n: Ord::min(n, EXACT),
        exact: n <= EXACT,
    })
}

/// One step of an export: what comes before this event, the newest first. Empty at the end.
pub async fn before(app: &App, filter: &AuditFilter, id: Option<i64>) -> Result<Vec<AuditEvent>> {
    let beyond = id.map(|id| Column::Id.lt(id));
    let backend = app.db.read().get_database_backend();
    Ok(Entity::find()
        .filter(Column::Id.in_subquery(ids(backend, filter, beyond, Order::Desc, STEP)))
        .order_by_desc(Column::Id)
        .all(app.db.read())
        .await?)
}

pub async fn get(app: &App, id: i64) -> Result<AuditEvent> {
    let found = Entity::find_by_id(id).one(app.db.read()).await?;
    found.ok_or(Error::NotFound)
}

/// The ids of the first `most` events. Where several columns may hold what is looked for, the first of each are
/// taken together: an OR would walk the table or sort all it finds.
fn ids(
    backend: DbBackend,
    filter: &AuditFilter,
    beyond: Option<Expr>,
    order: Order,
    most: u64,
) -> SelectStatement {
    let common = common(filter, backend).add_option(beyond);
    let mut ways = ways(filter).into_iter();
    let branch = |n: usize, way: Condition| {
        let first = Query::select()
            .column(Column::Id)
            .from(Entity)
            .cond_where(common.clone().add(way))
            .order_by(Column::Id, order.clone())
            .limit(most)
            .to_owned();
        // A branch of a UNION has no order of its own without this.
        Query::select()
            .column(Column::Id)
            .from_subquery(first, Alias::new(format!("way{n}")))
            .to_owned()
    };
    let first = ways.next().unwrap_or_else(Condition::all);
    let mut all = branch(0, first);
    let mut several = false;
    for (n, way) in ways.enumerate() {
        several = true;
        all.union(UnionType::Distinct, branch(n + 1, way));
    }
    if !several {
        return all;
    }
    Query::select()
        .column(Column::Id)
        .from_subquery(all, Alias::new("ways"))
        .order_by(Alias::new("id"), order)
        .limit(most)
        .to_owned()
}

/// The ways in which an event may be somebody's; one of them is enough. Without a person there is one.
fn ways(filter: &AuditFilter) -> Vec<Condition> {
    let all = Condition::all;
    if let Some(id) = filter.account {
        let object = |kind: &str| {
            all()
                .add(Column::ObjectType.eq(kind))
                .add(Column::ObjectId.eq(id))
        };
        return vec![
            all().add(Column::ActorId.eq(id)),
            object("user"),
            object("session"),
            object("jwt"),
        ];
    }
    if let Some(name) = &filter.person {
        return vec![
            all().add(Column::Actor.eq(name.as_str())),
            all()
                .add(Expr::cust(PEOPLE))
                .add(Column::Object.eq(name.as_str())),
        ];
    }
    vec![all()]
}

/// Of several columns SQLite takes any index, however many rows it finds: it counts nothing beforehand. So it is
/// left the one that says the most. PostgreSQL knows better by itself.
fn common(filter: &AuditFilter, backend: DbBackend) -> Condition {
    let text = |column: Column, value: &Option<String>| {
        let value: Option<Value> = value.as_deref().map(Into::into);
        value.map(|value| (column, value))
    };
    let typed = text(Column::ObjectType, &filter.object_type);
    let id = filter.object_id.filter(|_| typed.is_some());
    let mut led =
        backend == DbBackend::Sqlite && (filter.person.is_some() || filter.account.is_some());
    let mut all = Condition::all();
    // What says the most comes first; a type and an id are one index.
    let by_object = id.is_some().then(|| typed.clone()).flatten();
    let by_type = typed.filter(|_| id.is_none());
    let failed = filter.failed.map(|failed| (Column::Failed, failed.into()));
    let (rare, usual) = match filter.failed {
        Some(true) => (failed, None),
        _ => (None, failed),
    };
    for columns in [
        vec![text(Column::RequestId, &filter.request_id)],
        vec![by_object, id.map(|id| (Column::ObjectId, id.into()))],
        vec![text(Column::Action, &filter.action)],
        vec![rare],
        vec![by_type],
        vec![usual],
    ] {
        let columns: Vec<_> = columns.into_iter().flatten().collect();
        let leads = backend == DbBackend::Sqlite && !columns.is_empty();
        for (column, value) in columns {
            all = all.add(if led {
                // The sign keeps SQLite from the column's indexes.
                Expr::cust_with_values(format!("+{} = ?", column.as_str()), [value])
            } else {
                column.eq(value)
            });
        }
        led |= leads;
    }
    // A span of time is a span of ids, nearly: so the index of every other filter serves it as well.
    // The blank sum keeps the planner from choosing the index by time, and sorting what it finds.
    if let Some(from) = filter.from {
        let before = Query::select()
            .column(Column::Id)
            .from(Entity)
            .and_where(Column::At.lt(from.saturating_sub(SLACK)))
            .order_by(Column::At, Order::Desc)
            .limit(1)
            .to_owned();
        all = all
            .add(Expr::col(Column::Id).gt(or(before, 0)))
            .add(Expr::col(Column::At).add(0).gte(from));
    }
    if let Some(until) = filter.until {
        let after = Query::select()
            .column(Column::Id)
            .from(Entity)
            .and_where(Column::At.gte(until.saturating_add(SLACK)))
            .order_by(Column::At, Order::Asc)
            .limit(1)
            .to_owned();
        all = all
            .add(Expr::col(Column::Id).lte(or(after, i64::MAX)))
            .add(Expr::col(Column::At).add(0).lt(until));
    }
    all
}

/// What the question finds, or this.
fn or(question: SelectStatement, otherwise: i64) -> Expr {
    let found = Expr::SubQuery(None, Box::new(question.into()));
    Func::coalesce([found, Expr::val(otherwise)]).into()
}
