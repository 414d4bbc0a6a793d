//! `/verify-email/<key>/`: a button, since programs that look after mail follow links, and a GET must
//! not count as the person.

use rocket::{State, get, post};
use serde::Serialize;

use super::{password_reset::link_over, visit::Visit};
use crate::{
    app::App,
    domain::one_time_links::{self, Purpose},
    error::Error,
    secret::LinkKey,
    web::{
        error::PageError,
        flash::Flash,
        guards::{CsrfForm, MaybeSession, Throttle, throttle::FollowLink},
        page::{Go, Page, Reply, View},
    },
};

#[derive(Serialize)]
struct VerifyEmail {
    action: String,
    username: String,
    email: String,
}

impl View for VerifyEmail {
    const TEMPLATE: &'static str = "site/verify_email.html";

    fn title(&self) -> String {
        "Confirm your e-mail address".to_owned()
    }
}

#[get("/verify-email/<key>")]
pub async fn confirm_form(
    _throttle: Throttle<FollowLink>,
    _visitor: MaybeSession,
    app: &State<App>,
    key: &str,
) -> Result<Page, PageError> {
    let key = LinkKey::new(key);
    let live = one_time_links::find(app, &key, &[Purpose::VerifyAddress]).await?;
    let Some(live) = live else {
        return Ok(link_over(app));
    };
    let page = Page::of(&VerifyEmail {
        action: Purpose::VerifyAddress.path(&key),
        username: live.user.username,
        email: live.user.email,
    });
    Ok(page.no_referrer())
}

#[post("/verify-email/<key>", data = "<_form>")]
pub async fn confirm(
    _throttle: Throttle<FollowLink>,
    visitor: MaybeSession,
    visit: Visit<'_>,
    app: &State<App>,
    key: &str,
    _form: CsrfForm,
) -> Result<Reply, PageError> {
    let key = LinkKey::new(key);
    match one_time_links::verify_address(app, &visit.actor, &key).await {
        Ok(user) => {
            let to = match &visitor.0 {
                Some(_) => "/dashboard/",
                None => "/login/",
            };
            let done = Flash::ok("Your address is confirmed.").text(user.email);
            Ok(Go::to(to).with(done).into())
        }
        Err(Error::NotFound) => Ok(link_over(app).into()),
        Err(other) => Err(other.into()),
    }
}

pub fn samples() -> Vec<Page> {
    vec![Page::of(&VerifyEmail {
        action: "/verify-email/key/".to_owned(),
        username: "<b>sam</b>".to_owned(),
        email: "amara@example.org".to_owned(),
    })]
}
