//! Throttling by address, as a guard: `Throttle<Register>` in a signature. What is counted by
//! account is counted where the account is known, in `domain/login.rs`.

use std::marker::PhantomData;

use rocket::{
    Request,
    request::{FromRequest, Outcome},
};

use super::client;
use crate::{
    app::App,
    domain::throttles::{self, Rule},
    web::error::{Rejected, reject},
};

/// What is throttled.
pub trait Purpose: Send + Sync {
    const RULE: Rule;
}

#[derive(Debug)]
pub struct Register;

impl Purpose for Register {
    const RULE: Rule = throttles::REGISTER;
}

#[derive(Debug)]
pub struct GenerateToken;

impl Purpose for GenerateToken {
    const RULE: Rule = throttles::GENERATE_TOKEN;
}

#[derive(Debug)]
pub struct Burn;

impl Purpose for Burn {
    const RULE: Rule = throttles::BURN;
}

/// Asking for a link to set a new password.
#[derive(Debug)]
pub struct AskReset;

impl Purpose for AskReset {
    const RULE: Rule = throttles::ASK_RESET;
}

#[derive(Debug)]
pub struct FollowLink;

impl Purpose for FollowLink {
    const RULE: Rule = throttles::FOLLOW_LINK;
}

#[derive(Debug)]
pub struct Throttle<P>(PhantomData<P>);

#[rocket::async_trait]
impl<'r, P: Purpose> FromRequest<'r> for Throttle<P> {
    type Error = Rejected;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Rejected> {
        let app = App::of(req);
        let key = throttles::key(&app.keys, P::RULE, Some(client::address(req)), None);
        match app.throttles.take(P::RULE, key, app.now()) {
            Ok(_) => Outcome::Success(Self(PhantomData)),
            Err(e) => reject(req, e),
        }
    }
}
