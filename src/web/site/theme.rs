//! `/theme/`: how pages look and whether keys do something, kept in cookies that the server reads: light, dark or the
//! system's colours; close or wide lists; shortcuts on or off.

use rocket::{
    http::{Cookie, CookieJar, SameSite},
    post,
    time::Duration,
};

use crate::web::{
    chrome,
    guards::CsrfForm,
    page::{Go, local},
};

#[post("/theme", data = "<form>")]
pub fn set_theme(cookies: &CookieJar<'_>, form: CsrfForm) -> Go {
    if let Some(theme) = form.opt("theme") {
        keep(cookies, "theme", chrome::theme(Some(theme)));
    }
    if let Some(density) = form.opt("density") {
        keep(cookies, "density", chrome::density(Some(density)));
    }
    if let Some(keys) = form.opt("keys") {
        keep(cookies, "keys", chrome::keys(Some(keys)));
    }
    Go::to(local(form.text("next")).unwrap_or("/"))
}

/// Empty is what one gets without a cookie.
fn keep(cookies: &CookieJar<'_>, name: &'static str, value: &'static str) {
    if value.is_empty() {
        cookies.remove(Cookie::build(name).path("/"));
        return;
    }
    // Not HttpOnly: the script changes the theme too, without a round trip.
    cookies.add(
        Cookie::build((name, value))
            .path("/")
            .same_site(SameSite::Lax)
            .max_age(Duration::days(365)),
    );
}
