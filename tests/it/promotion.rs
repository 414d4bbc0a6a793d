//! What becomes of the tokens that others know when an account gets more rights.

use latchkey::domain::{
    actor::Actor,
    audit,
    scopes::Scopes,
    tokens::{self, NewToken},
    users::{self, Updated, User, UserInput},
};

use crate::{
    pages_bulk::told,
    support::{Caller, TestApp},
};

fn acting(user: &User) -> Actor {
    Actor::operator().signed_in(user)
}

async fn named(app: &TestApp, by: &Actor, owner: &User) -> Caller {
    let new = NewToken {
        user_id: owner.id,
        name: "CI".to_owned(),
        expires_at: None,
        scopes: Scopes::FULL,
    };
    let (_, key) = tokens::issue(&app.app, by, new).await.unwrap();
    app.anonymous().token(key.expose())
}

async fn default(app: &TestApp, by: &Actor, owner: &User) -> (i64, Caller) {
    let made = tokens::get_or_create_default(&app.app, by, owner.id).await;
    let made = made.unwrap();
    (made.token.id, app.anonymous().token(made.key.expose()))
}

async fn opens(caller: &Caller) -> bool {
    caller.get("/studentapi/").await.status == 200
}

fn as_is(user: &User) -> UserInput {
    UserInput {
        username: user.username.clone(),
        is_active: true,
        is_staff: user.is_staff,
        is_superuser: user.is_superuser,
        ..UserInput::default()
    }
}

async fn save(app: &TestApp, name: &str, change: impl FnOnce(&mut UserInput)) -> Updated {
    let user = app.find_user(name).await;
    let mut input = as_is(&user);
    change(&mut input);
    let saved = users::update(&app.app, &Actor::operator(), user.id, input, user.version).await;
    saved.unwrap()
}

both! {
    async fn tokens_that_others_know_end_with_the_rise_and_own_ones_stay(app: &TestApp) {
        let root = app.admin("root").await;
        let ann = app.user("ann").await;
        let clerk = app.superuser("clerk").await;
        let own = [named(app, &acting(&ann), &ann).await, default(app, &acting(&ann), &ann).await.1];
        let given = [named(app, &acting(&clerk), &ann).await, named(app, &Actor::operator(), &ann).await];
        for caller in own.iter().chain(&given) {
            assert!(opens(caller).await, "and is in memory");
        }
        let path = format!("/admin/users/{}/", ann.id);
        let form = root.get(&path).await.text;
        assert!(form.contains("More rights revoke 2 tokens"), "{form}");
        let fields = [("username", "ann"), ("is_active", "on"), ("is_staff", "on"), ("version", "1")];
        let done = root.submit(&path, &path, &fields).await;
        assert_eq!(
            told(&root, &done).await,
            "Saved. Changed: staff. Revoked 2 tokens that others had made for this account."
        );
        for (caller, expected) in own.iter().map(|c| (c, true)).chain(given.iter().map(|c| (c, false))) {
            assert_eq!(opens(caller).await, expected, "at the very next request");
        }
        let events = audit::recent(&app.app, 4).await.unwrap();
        let revoked: Vec<_> = events.iter().filter(|event| event.action == "token.revoked").collect();
        assert_eq!(revoked.len(), 2);
        for event in revoked {
            assert_eq!(event.actor, "root");
            assert!(event.detail.contains("more rights"), "{event:?}");
        }
        assert!(events.iter().any(|event| event.action == "user.changed"), "in the same change");
        assert!(!root.get(&path).await.text.contains("More rights revoke"), "none are left");
    }

    async fn a_default_token_that_somebody_else_was_shown_ends_as_well(app: &TestApp) {
        let (ann, clerk) = (app.user("ann").await, app.superuser("clerk").await);
        let (id, caller) = default(app, &acting(&ann), &ann).await;
        tokens::show_default(&app.app, &acting(&ann), id).await.unwrap();
        assert_eq!(save(app, "ann", |input| input.is_staff = true).await.ended, 0);
        assert!(opens(&caller).await, "she looked herself");
        tokens::show_default(&app.app, &acting(&clerk), id).await.unwrap();
        assert_eq!(save(app, "ann", |input| input.is_superuser = true).await.ended, 1);
        assert!(!opens(&caller).await);
    }

    async fn a_name_that_changed_hands_makes_nobody_the_maker(app: &TestApp) {
        let (ann, mallory) = (app.user("ann").await, app.superuser("mallory").await);
        let given = named(app, &acting(&mallory), &ann).await;
        save(app, "mallory", |input| "eve".clone_into(&mut input.username)).await;
        save(app, "ann", |input| "mallory".clone_into(&mut input.username)).await;
        assert_eq!(save(app, "mallory", |input| input.is_staff = true).await.ended, 1);
        assert!(!opens(&given).await);
    }

    async fn without_more_rights_nothing_ends(app: &TestApp) {
        let ann = app.user_with("ann", |input| UserInput { is_staff: true, ..input }).await;
        let given = named(app, &Actor::operator(), &ann).await;
        let saved = save(app, "ann", |input| input.is_staff = false).await;
        assert_eq!((saved.changed, saved.ended), (vec!["staff"], 0));
        assert_eq!(save(app, "ann", |input| "Ann".clone_into(&mut input.first_name)).await.ended, 0);
        assert!(opens(&given).await);
    }
}
