//! What is remembered is forgotten in time.

use super::*;

fn user(id: i64) -> Arc<User> {
    Arc::new(User {
        id,
        username: format!("user{id}"),
        username_key: format!("user{id}"),
        email: String::new(),
        first_name: String::new(),
        last_name: String::new(),
        password: String::new(),
        is_active: true,
        is_staff: false,
        is_superuser: false,
        epoch: 0,
        epoch_at: 0,
        last_login: 0,
        date_joined: 0,
        version: 1,
        email_verified_at: 0,
        search: String::new(),
    })
}

fn known(checks: &Checks, digest: Digest, id: i64, stamp: Stamp) {
    checks.keep(
        digest,
        stamp,
        Verdict::Known {
            user: user(id),
            permissions: Permissions::NONE,
            scopes: Scopes::FULL,
            token: None,
        },
        1000,
    );
}

#[test]
fn a_change_drops_the_entries_of_its_user_alone() {
    let checks = Checks::default();
    known(&checks, [1; 32], 1, checks.stamp());
    known(&checks, [2; 32], 2, checks.stamp());
    checks.changed(Affects::User(1));
    assert!(checks.find(&[1; 32], 0).is_none());
    assert!(checks.find(&[2; 32], 0).is_some());
}

#[test]
fn a_change_of_several_drops_theirs_and_no_others() {
    let checks = Checks::default();
    for n in 1..=3 {
        known(&checks, [n; 32], i64::from(n), checks.stamp());
    }
    checks.changed(Affects::Users(vec![1, 3]));
    let found = [1, 2, 3].map(|n| checks.find(&[n; 32], 0).is_some());
    assert_eq!(found, [false, true, false]);
}

#[test]
fn a_slow_reader_cannot_put_back_what_a_change_dropped() {
    let checks = Checks::default();
    let before = checks.stamp();
    checks.changed(Affects::User(1));
    known(&checks, [1; 32], 1, before);
    assert!(checks.find(&[1; 32], 0).is_none());
}

#[test]
fn an_entry_does_not_outlive_its_credential() {
    let checks = Checks::default();
    known(&checks, [1; 32], 1, checks.stamp());
    assert!(checks.find(&[1; 32], 999).is_some());
    assert!(checks.find(&[1; 32], 1000).is_none());
}

#[test]
fn whoever_is_deaf_believes_nothing_and_forgets_all() {
    let checks = Checks::default();
    known(&checks, [1; 32], 1, checks.stamp());
    checks.hear(false);
    assert!(checks.find(&[1; 32], 0).is_none());
    known(&checks, [1; 32], 1, checks.stamp());
    checks.hear(true);
    assert!(checks.find(&[1; 32], 0).is_none());
}

#[test]
fn news_are_read_as_they_were_written() {
    for affects in [
        Affects::User(7),
        Affects::Users(vec![7, 8]),
        Affects::Unknown,
        Affects::Students,
        Affects::Settings,
        Affects::Everything,
    ] {
        assert_eq!(Affects::read(&affects.write().unwrap()), affects);
    }
    assert_eq!(Affects::read("nonsense"), Affects::Everything);
}
