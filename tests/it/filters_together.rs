//! Filters together: whatever is combined with whatever, a list has just the rows that all of it leaves, in its order,
//! where few are left and where many are.

use latchkey::{
    checks::Affects,
    domain::{
        paging::{Page, PageRequest},
        scopes::Scope,
        tokens::{self, Access, Ends, Only, TokenFilter, TokenOrder, TokenRow, TokenState},
        users::{self, Role, UserFilter, UserRow, UserSort, UserStatus},
    },
    entity::{token, user},
};
use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::support::TestApp;

const DAY: i64 = 86_400;
/// More than are collected and sorted.
const USERS: i64 = 5_000;
const TOKENS: i64 = 6_000;
const PAGE: usize = 25;

/// What is left over when `n` is mixed: each condition is to be independent of the others.
fn one_in(n: i64, salt: i64, of: i64) -> bool {
    (n.wrapping_mul(2_654_435_761 + 2 * salt) >> 7).rem_euclid(of) == 0
}

async fn fill(app: &TestApp) -> (Vec<user::Model>, Vec<token::Model>) {
    let now = app.clock.now();
    let users = (1..=USERS).map(|n| {
        let name = format!(
            "{}{n}",
            ["smith", "Anna.", "zoe"][usize::try_from(n % 3).unwrap()]
        );
        user::ActiveModel {
            username_key: Set(name.to_lowercase()),
            search: Set(format!("  {}", name.to_lowercase())),
            username: Set(name),
            email: Set(String::new()),
            first_name: Set(String::new()),
            last_name: Set(String::new()),
            password: Set("!".to_owned()),
            is_active: Set(!one_in(n, 1, 9)),
            is_staff: Set(one_in(n, 2, 20)),
            is_superuser: Set(one_in(n, 3, 200)),
            epoch: Set(0),
            epoch_at: Set(0),
            last_login: Set(if one_in(n, 4, 3) { 0 } else { now - n % 700 }),
            date_joined: Set(now - (n * 37 % 400) * DAY),
            version: Set(1),
            email_verified_at: Set(0),
            ..user::ActiveModel::default()
        }
    });
    let db = app.app.db.begin().await.unwrap();
    for some in users.collect::<Vec<_>>().chunks(500) {
        user::Entity::insert_many(some.to_vec())
            .exec(&db)
            .await
            .unwrap();
    }
    db.commit(Affects::Nobody).await.unwrap();
    let all = user::Entity::find().all(app.app.db.read()).await.unwrap();
    let tokens = (1..=TOKENS).map(|n| {
        // The first ones have one each, the others are of few people.
        let owner = &all[usize::try_from(if n < 2_000 { n } else { n % 90 }).unwrap()];
        let scopes = if one_in(n, 5, 2) {
            "full"
        } else if one_in(n, 6, 9) {
            "users:read metrics:read"
        } else {
            "students:read"
        };
        token::ActiveModel {
            user_id: Set(owner.id),
            name: Set("CI".to_owned()),
            is_default: Set(n < 2_000 && one_in(n, 7, 2)),
            digest: Set(n.to_be_bytes().to_vec()),
            prefix: Set(format!("lk_{n}")),
            scopes: Set(scopes.to_owned()),
            created_at: Set(now - n % 200 * DAY),
            created_by: Set("test".to_owned()),
            expires_at: Set(if one_in(n, 8, 2) {
                None
            } else {
                Some(now + (n * 13 % 400 - 60) * DAY)
            }),
            last_used_at: Set(one_in(n, 9, 2).then_some(now - n % 150 * DAY)),
            revoked_at: Set(one_in(n, 10, 8).then_some(now - DAY)),
            search: Set(format!("  ci  lk_{n}")),
            ..token::ActiveModel::default()
        }
    });
    let db = app.app.db.begin().await.unwrap();
    for some in tokens.collect::<Vec<_>>().chunks(500) {
        token::Entity::insert_many(some.to_vec())
            .exec(&db)
            .await
            .unwrap();
    }
    db.commit(Affects::Nobody).await.unwrap();
    let tokens = token::Entity::find().all(app.app.db.read()).await.unwrap();
    (all, tokens)
}

fn is_in(filter: &TokenFilter, token: &token::Model, now: i64) -> bool {
    let live = token.revoked_at.is_none();
    let ended = token.expires_at.is_some_and(|at| at <= now);
    let seen = token.last_used_at.unwrap_or(token.created_at);
    let within = |seconds| token.expires_at.is_some_and(|at| at <= now + seconds);
    (match filter.state {
        None => true,
        Some(TokenState::Active) => live && !ended,
        Some(TokenState::Expired) => live && ended,
        Some(TokenState::Revoked) => !live,
    }) && match filter.only {
        None => true,
        Some(Only::Expiring) => within(7 * DAY),
        Some(Only::Unused) => seen <= now - 90 * DAY,
    } && filter.is_default.is_none_or(|is| token.is_default == is)
        && match filter.access {
            None => true,
            Some(Access::Full) => token.scopes == "full",
            Some(Access::Limited) => token.scopes != "full",
            Some(Access::Has(scope)) => token.scopes.split(' ').any(|s| s == scope.as_str()),
        }
        && match filter.ends {
            None => true,
            Some(Ends::Never) => token.expires_at.is_none(),
            Some(Ends::Within(seconds)) => !ended && within(seconds),
        }
}

fn token_filters() -> Vec<TokenFilter> {
    let active = Some(TokenState::Active);
    let mut all = Vec::new();
    for (state, only) in [
        (None, None),
        (active, None),
        (active, Some(Only::Expiring)),
        (active, Some(Only::Unused)),
        (Some(TokenState::Expired), None),
        (Some(TokenState::Revoked), None),
    ] {
        for is_default in [None, Some(true), Some(false)] {
            for access in [
                None,
                Some(Access::Full),
                Some(Access::Limited),
                Some(Access::Has(Scope::StudentsRead)),
                Some(Access::Has(Scope::MetricsRead)),
            ] {
                for ends in [None, Some(Ends::Never), Some(Ends::Within(30 * DAY))] {
                    for sort in [
                        None,
                        Some(TokenOrder::Newest),
                        Some(TokenOrder::FirstToEnd),
                        Some(TokenOrder::LastToEnd),
                        Some(TokenOrder::LongestUnseen),
                        Some(TokenOrder::LatestSeen),
                    ] {
                        all.push(TokenFilter {
                            state,
                            only,
                            is_default,
                            access,
                            ends,
                            sort,
                            ..TokenFilter::default()
                        });
                    }
                }
            }
        }
    }
    all
}

fn user_filters(now: i64) -> Vec<UserFilter> {
    let mut all = Vec::new();
    for status in [
        UserStatus::All,
        UserStatus::Active,
        UserStatus::Disabled,
        UserStatus::NeverSignedIn,
    ] {
        for role in [
            None,
            Some(Role::User),
            Some(Role::Staff),
            Some(Role::Superuser),
        ] {
            for token in [None, Some(true), Some(false)] {
                for joined in [(None, None), (Some(now - 30 * DAY), None)] {
                    for sort in [
                        UserSort::Username,
                        UserSort::JoinedDescending,
                        UserSort::LastLogin,
                    ] {
                        all.push(UserFilter {
                            status,
                            role,
                            token,
                            joined,
                            sort,
                            ..UserFilter::default()
                        });
                    }
                }
            }
        }
    }
    all
}

both! {
    async fn tokens_are_those_that_all_filters_leave(app: &TestApp) {
        let (_, all) = fill(app).await;
        let now = app.clock.now();
        for filter in token_filters() {
            let page = tokens::list(&app.app, &filter).await.unwrap();
            let mut expected: Vec<&token::Model> = all.iter().filter(|token| is_in(&filter, token, now)).collect();
            let is_live = matches!(filter.state, Some(TokenState::Active | TokenState::Expired));
            let usual = match filter.only {
                None => TokenOrder::Newest,
                Some(Only::Expiring) => TokenOrder::FirstToEnd,
                Some(Only::Unused) => TokenOrder::LongestUnseen,
            };
            let end = |token: &token::Model| token.expires_at.unwrap_or((1 << 62) + token.id);
            let seen = |token: &token::Model| token.last_used_at.unwrap_or(token.created_at);
            match filter.sort.filter(|_| is_live).unwrap_or(usual) {
                TokenOrder::Newest => expected.sort_by_key(|token| -token.id),
                TokenOrder::FirstToEnd => expected.sort_by_key(|token| (end(token), token.id)),
                TokenOrder::LastToEnd => expected.sort_by_key(|token| (-end(token), -token.id)),
                TokenOrder::LongestUnseen => expected.sort_by_key(|token| (seen(token), token.id)),
                TokenOrder::LatestSeen => expected.sort_by_key(|token| (-seen(token), -token.id)),
            }
            let expected: Vec<i64> = expected.iter().map(|token| token.id).collect();
            let total = page.total;
            let is_told = if total.exact { total.n == expected.len() as u64 } else { total.n <= expected.len() as u64 };
            assert!(is_told, "{total:?} of {}: {filter:?}", expected.len());
            let ids = |page: &Page<TokenRow>| page.rows.iter().map(|row| row.token.id).collect::<Vec<i64>>();
            assert_eq!(ids(&page), expected.iter().copied().take(PAGE).collect::<Vec<i64>>(), "{filter:?}");
            // And on, and back again.
            let Some(next) = page.next.clone() else { continue };
            let turned = |cursor: Option<String>| TokenFilter {
                page: PageRequest { cursor, ..PageRequest::default() },
                ..filter.clone()
            };
            let second = tokens::list(&app.app, &turned(Some(next))).await.unwrap();
            assert_eq!(ids(&second), expected.iter().copied().skip(PAGE).take(PAGE).collect::<Vec<i64>>(), "{filter:?}");
            let first = tokens::list(&app.app, &turned(second.previous.clone())).await.unwrap();
            assert_eq!(ids(&first), ids(&page), "{filter:?}");
        }
    }

    async fn users_are_those_that_all_filters_leave(app: &TestApp) {
        let (all, tokens) = fill(app).await;
        let now = app.clock.now();
        let active = TokenFilter { state: Some(TokenState::Active), ..TokenFilter::default() };
        let owners: std::collections::BTreeSet<i64> =
            tokens.iter().filter(|token| is_in(&active, token, now)).map(|token| token.user_id).collect();
        for filter in user_filters(now) {
            let page = users::list(&app.app, &filter).await.unwrap();
            let mut expected: Vec<&user::Model> = all.iter().filter(|user| {
                (match filter.status {
                    UserStatus::Active => user.is_active,
                    UserStatus::Disabled => !user.is_active,
                    UserStatus::NeverSignedIn => user.last_login == 0,
                    _ => true,
                }) && match filter.role {
                    None => true,
                    Some(Role::User) => !user.is_staff && !user.is_superuser,
                    Some(Role::Staff) => user.is_staff,
                    Some(Role::Superuser) => user.is_superuser,
                } && filter.token.is_none_or(|has| owners.contains(&user.id) == has)
                    && filter.joined.0.is_none_or(|from| user.date_joined >= from)
            }).collect();
            match filter.sort {
                UserSort::Username => expected.sort_by(|a, b| a.username_key.cmp(&b.username_key)),
                UserSort::LastLogin if filter.status == UserStatus::NeverSignedIn => {
                    expected.sort_by_key(|user| (user.date_joined, user.id));
                }
                UserSort::LastLogin => expected.sort_by_key(|user| (user.last_login, user.id)),
                _ => expected.sort_by_key(|user| (-user.date_joined, -user.id)),
            }
            let total = page.total;
            let is_told = if total.exact { total.n == expected.len() as u64 } else { total.n <= expected.len() as u64 };
            assert!(is_told, "{total:?} of {}: {filter:?}", expected.len());
            let ids = |page: &Page<UserRow>| page.rows.iter().map(|row| row.user.id).collect::<Vec<i64>>();
            let expected: Vec<i64> = expected.iter().take(2 * PAGE).map(|user| user.id).collect();
            let (first, second) = expected.split_at(PAGE.min(expected.len()));
            assert_eq!(ids(&page), first, "{filter:?}");
            let Some(next) = page.next.clone() else { continue };
            let turned = |cursor: Option<String>| UserFilter {
                page: PageRequest { cursor, ..PageRequest::default() },
                ..filter.clone()
            };
            let on = users::list(&app.app, &turned(Some(next))).await.unwrap();
            assert_eq!(ids(&on), second, "{filter:?}");
            let back = users::list(&app.app, &turned(on.previous.clone())).await.unwrap();
            assert_eq!(ids(&back), first, "{filter:?}");
        }
    }
}
