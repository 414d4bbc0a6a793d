//! `May<ViewUsers>` in a handler's signature: a signed-in member of staff who has that permission.

use std::{marker::PhantomData, ops::Deref};

use rocket::{
    Request,
    request::{FromRequest, Outcome},
};

use super::session::AdminSession;
use crate::{
    domain::permissions::{Act, Permission, Record},
    web::error::{Rejected, reject},
};

/// A member of staff who may do `P`. Reads as the `AdminSession` that it is.
#[derive(Clone, Copy, Debug)]
pub struct May<'r, P>(&'r AdminSession, PhantomData<P>);

/// What a handler needs a person for.
pub trait Permit: Send + Sync {
    const PERMISSION: Permission;
}

macro_rules! permits {
    ($($name:ident: $act:ident $record:ident),* $(,)?) => {$(
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Permit for $name {
            const PERMISSION: Permission = Permission::new(Act::$act, Record::$record);
        }
    )*};
}

permits! {
    ViewUsers: View Users,
    AddUsers: Add Users,
    ChangeUsers: Change Users,
    DeleteUsers: Delete Users,
    ViewTokens: View Tokens,
    AddTokens: Add Tokens,
    ChangeTokens: Change Tokens,
    DeleteTokens: Delete Tokens,
    ViewSessions: View Sessions,
    DeleteSessions: Delete Sessions,
    ViewStudents: View Students,
    AddStudents: Add Students,
    ChangeStudents: Change Students,
    DeleteStudents: Delete Students,
    ViewAudit: View Audit,
}

impl<P> Deref for May<'_, P> {
    type Target = AdminSession;

    fn deref(&self) -> &AdminSession {
        self.0
    }
}

#[rocket::async_trait]
impl<'r, P: Permit> FromRequest<'r> for May<'r, P> {
    type Error = Rejected;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Rejected> {
        match <&AdminSession>::from_request(req).await {
            Outcome::Success(session) => match session.actor.require(P::PERMISSION) {
                Ok(()) => Outcome::Success(Self(session, PhantomData)),
                Err(e) => reject(req, e),
            },
            Outcome::Error(e) => Outcome::Error(e),
            Outcome::Forward(status) => Outcome::Forward(status),
        }
    }
}
