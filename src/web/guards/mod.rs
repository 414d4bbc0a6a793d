//! Request guards: adapters that turn a request into a value a handler may rely on.
//! A handler's signature is its security policy.

pub mod api_auth;
pub mod client;
pub mod confirmed;
pub mod credentials;
pub mod csrf;
pub mod kept;
pub mod permission;
mod sealed;
pub mod session;
pub mod throttle;

pub use api_auth::ApiAuth;
pub use client::{ClientIp, HostName, Origin, RequestId, UserAgent};
pub use confirmed::{ConfirmableForm, ConfirmedForm};
pub use csrf::{CsrfForm, SignInForm};
pub use permission::May;
pub use session::{
    AdminSession, MaybeSession, SESSION_COOKIE, SuperuserSession, UserSession, end_cookie,
    start_cookie,
};
pub use throttle::Throttle;
