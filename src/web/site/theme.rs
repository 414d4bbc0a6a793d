//! `/theme/`: light, dark or the system's, kept in a cookie that the server reads.

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
    match chrome::theme(Some(form.text("theme"))) {
        "" => cookies.remove(Cookie::build("theme").path("/")),
        // Not HttpOnly: the script changes it too, without a round trip.
        theme => cookies.add(
            Cookie::build(("theme", theme))
                .path("/")
                .same_site(SameSite::Lax)
                .max_age(Duration::days(365)),
        ),
    }
    Go::to(local(form.text("next")).unwrap_or("/"))
}
