//! How things stand, for the panel's first page: totals that an index answers, however big the tables are, all by one
//! statement.

use crate::{
    app::App,
    domain::{
        paging::Count,
        students,
        tokens::TokenCounts,
        totals::{self, Total},
        users::UserCounts,
    },
    error::Result,
};

#[derive(Clone, Copy, Debug)]
pub struct Standing {
    pub users: UserCounts,
    pub tokens: TokenCounts,
    pub students: Count,
}

pub async fn standing(app: &App) -> Result<Standing> {
    let [u1, u2, u3, u4, u5] = UserCounts::totals();
    let [t1, t2, t3, t4, t5] = TokenCounts::totals();
    let all: [Total; 11] = [u1, u2, u3, u4, u5, t1, t2, t3, t4, t5, students::ALL];
    let [u1, u2, u3, u4, u5, t1, t2, t3, t4, t5, students] = totals::counts(app, all).await?;
    Ok(Standing {
        users: [u1, u2, u3, u4, u5].into(),
        tokens: [t1, t2, t3, t4, t5].into(),
        students,
    })
}
