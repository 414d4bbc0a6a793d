//! How things stand, for the panel's first page: totals that an index answers, however big the tables are, all by one
//! statement.

use crate::{
    app::App,
    domain::{
        paging::Count,
        students,
        tokens::TokenCounts,
        totals::{self, Total},
        users::{self, UserCounts},
    },
    error::Result,
};

#[derive(Clone, Copy, Debug)]
pub struct Standing {
    pub users: UserCounts,
    pub tokens: TokenCounts,
    pub students: Count,
    /// Disabled accounts with tokens that would work again, among the thousand that joined last.
    pub disabled_with_tokens: Count,
    pub unknown_passwords: Count,
    /// Staff, not superusers, whom no group gives anything.
    pub idle_staff: Count,
}

pub async fn standing(app: &App) -> Result<Standing> {
    let [u1, u2, u3, u4, u5] = UserCounts::totals();
    let [t1, t2, t3, t4, t5] = TokenCounts::totals();
    let [o1, o2, o3] = users::odd_totals();
    let all: [Total; 14] = [
        u1,
        u2,
        u3,
        u4,
        u5,
        t1,
        t2,
        t3,
        t4,
        t5,
        students::ALL,
        o1,
        o2,
        o3,
    ];
    let counts = totals::counts(app, all).await?;
    let [
        u1,
        u2,
        u3,
        u4,
        u5,
        t1,
        t2,
        t3,
        t4,
        t5,
        students,
        disabled_with_tokens,
        unknown_passwords,
        idle_staff,
    ] = counts;
    Ok(Standing {
        users: [u1, u2, u3, u4, u5].into(),
        tokens: [t1, t2, t3, t4, t5].into(),
        students,
        disabled_with_tokens,
        unknown_passwords,
        idle_staff,
    })
}
