//! How many users there are of each kind: for the tabs of the list, and for what needs attention.

use sea_orm::{
    ColumnTrait, EntityName, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Alias, Expr, SelectStatement},
};

use super::list::{UNKNOWN_PASSWORD, UserFilter, UserStatus, has_live_token, in_no_group};
use crate::{
    app::App,
    domain::{
        paging::Count,
        totals::{self, Total, rows},
    },
    entity::user::{Column, Entity},
    error::Result,
};

#[derive(Clone, Copy, Debug)]
pub struct UserCounts {
    pub all: Count,
    pub active: Count,
    pub locked: Count,
    pub disabled: Count,
    pub never_signed_in: Count,
}

/// The totals of the tabs.
pub async fn counts(app: &App) -> Result<UserCounts> {
    Ok(totals::counts(app, UserCounts::totals()).await?.into())
}

impl From<[Count; 5]> for UserCounts {
    fn from([all, active, locked, disabled, never_signed_in]: [Count; 5]) -> Self {
        Self {
            all,
            active,
            locked,
            disabled,
            never_signed_in,
        }
    }
}

impl UserCounts {
    pub(in crate::domain) fn totals() -> [Total; 5] {
        use UserStatus::{Active, All, Disabled, Locked, NeverSignedIn};
        [All, Active, Locked, Disabled, NeverSignedIn].map(total)
    }

    /// What a list under this filter has before a text is looked for, if a tab says so.
    pub fn of(&self, filter: &UserFilter) -> Option<Count> {
        (!filter.is_narrowed()).then_some(match filter.status {
            UserStatus::All => self.all,
            UserStatus::Active => self.active,
            UserStatus::Locked => self.locked,
            UserStatus::Disabled => self.disabled,
            UserStatus::NeverSignedIn => self.never_signed_in,
        })
    }
}

pub(super) fn total(status: UserStatus) -> Total {
    let (name, rows): (_, fn(i64) -> SelectStatement) = match status {
        UserStatus::All => ("users", |now| rows(UserStatus::All.rows(now))),
        UserStatus::Active => ("users.active", |now| rows(UserStatus::Active.rows(now))),
        UserStatus::Locked => ("users.locked", |now| rows(UserStatus::Locked.rows(now))),
        UserStatus::Disabled => ("users.disabled", |now| rows(UserStatus::Disabled.rows(now))),
        UserStatus::NeverSignedIn => ("users.never", |now| {
            rows(UserStatus::NeverSignedIn.rows(now))
        }),
    };
    Total { name, rows }
}

/// Accounts that are looked at, the newest, for something that few of them are expected to have: the panel's first page
/// asks each time.
const LOOKED_AT: u64 = 1_000;

/// People whom somebody should look at: disabled ones with live tokens, those of an unknown password, and staff that can
/// do nothing.
pub(in crate::domain) fn odd_totals() -> [Total; 3] {
    let tokens = Total {
        name: "users.disabled_with_tokens",
        rows: |now| {
            // In the order of an index, and nothing else of them is read.
            let newest = UserStatus::Disabled
                .rows(now)
                .select_only()
                .column(Column::Id)
                .order_by_desc(Column::DateJoined)
                .order_by_desc(Column::Id)
                .limit(LOOKED_AT);
            let mut with_one = rows(Entity::find().filter(has_live_token(now)));
            with_one
                .from_clear()
                .from_subquery(newest.into_query(), Alias::new(Entity.table_name()));
            with_one
        },
    };
    let passwords = Total {
        name: "users.unknown_password",
        rows: |_| rows(Entity::find().filter(Expr::cust(UNKNOWN_PASSWORD))),
    };
    let idle = Total {
        name: "users.staff_in_no_group",
        rows: |_| {
            // Superusers are few: an index has who is staff, and neither has both.
            let superusers = Entity::find()
                .select_only()
                .column(Column::Id)
                .filter(Column::IsSuperuser.into_expr());
            let staff = Entity::find().filter(Column::IsStaff.into_expr());
            let rest = staff.filter(Column::Id.not_in_subquery(superusers.into_query()));
            rows(rest.filter(in_no_group()))
        },
    };
    [tokens, passwords, idle]
}
