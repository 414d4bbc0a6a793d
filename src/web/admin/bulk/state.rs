//! How far an act on many records is: who was asked about what, how many these were, and what is done. It goes from page
//! to page in the form, sealed: whoever sends the form cannot say that they were asked, or that it has begun.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{Act, Bulk, Field, Selection, confirm::field};
use crate::{
    app::App,
    domain::{actor::Actor, bulk::Tally, paging::Count},
    error::{Error, Result},
    web::guards::CsrfForm,
};

/// The hidden field.
const FIELD: &str = "state";
/// Seconds for which a page waits to be answered.
const WAITS: i64 = 3600;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BulkState {
    /// Unix seconds; set when it is sealed.
    until: i64,
    pub act: String,
    all: bool,
    ids: BTreeSet<i64>,
    except: BTreeSet<i64>,
    /// How many the page that asked spoke of, and whether that was all.
    expected: (u64, bool),
    /// The highest id at that moment.
    pub upto: i64,
    /// The last one that was looked at; `None`: it has not begun.
    pub after: Option<i64>,
    /// What was chosen when it began.
    pub answer: String,
    pub tally: Tally,
}

impl BulkState {
    /// Of a page that asks.
    pub fn asked(act: &Act, selection: &Selection, expected: Count, upto: i64) -> Self {
        Self {
            until: 0,
            act: act.name.to_owned(),
            all: selection.all,
            ids: selection.ids.clone(),
            except: selection.except.clone(),
            expected: (expected.n, expected.exact),
            upto,
            after: None,
            answer: String::new(),
            tally: Tally::default(),
        }
    }

    pub fn expected(&self) -> Count {
        let (n, exact) = self.expected;
        Count { n, exact }
    }

    pub fn selection(&self) -> Selection {
        Selection {
            all: self.all,
            ids: self.ids.clone(),
            except: self.except.clone(),
        }
    }

    /// For the next page, which is for this person and this filter only.
    pub fn sealed<B: Bulk>(mut self, list: &B, app: &App, by: &Actor) -> Result<Field> {
        self.until = app.now() + WAITS;
        let plain = serde_json::to_vec(&self).map_err(Error::internal)?;
        let sealed = app.keys.seal_form(&plain, &owner(list, by))?;
        Ok(field(FIELD, URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// `None` where the form carries none: nobody was asked. What is not good for this list, now and for this person is a
    /// form that has expired.
    pub fn of<B: Bulk>(list: &B, app: &App, by: &Actor, form: &CsrfForm) -> Result<Option<Self>> {
        let Some(text) = form.opt(FIELD) else {
            return Ok(None);
        };
        let open = || {
            let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
            let plain = app.keys.unseal_form(&sealed, &owner(list, by)).ok()?;
            let state: Self = serde_json::from_slice(plain.expose()).ok()?;
            (state.until > app.now()).then_some(state)
        };
        let late = Error::CsrfFailed("The form waited too long.");
        open().map(Some).ok_or(late)
    }
}

fn owner<B: Bulk>(list: &B, by: &Actor) -> String {
    let who = by.user_id.unwrap_or_default();
    format!("bulk {} of {who}", list.list().href())
}

#[cfg(test)]
mod tests {
    use rocket::http::Status;

    use super::*;
    use crate::{
        domain::{bulk::Skip, users},
        secret::Password,
        web::{
            admin::{bulk, users::Users},
            journey_tests::{Browser, location},
        },
    };

    const RUN: &str = "/admin/users/bulk/run/";

    async fn disabled(app: &App) -> usize {
        let everybody: Vec<i64> = (0..100).collect();
        let found = users::some(app, &everybody).await.unwrap();
        found.iter().filter(|user| !user.is_active).count()
    }

    /// A superuser's browser, five people, and an act that has come to the second of them.
    async fn scene() -> (Browser, App, Actor, BulkState) {
        let browser = Browser::new().await;
        browser.set_up().await;
        let app = browser.client.rocket().state::<App>().unwrap().clone();
        let root = users::find_by_username(&app, "root")
            .await
            .unwrap()
            .unwrap();
        let by = Actor::operator().signed_in(&root);
        let mut ids = Vec::new();
        for n in 0..5 {
            let input = users::UserInput {
                username: format!("person{n}"),
                is_active: true,
                ..users::UserInput::default()
            };
            let made = users::create(&app, &by, input, Password::new("S3cure-pass-1")).await;
            ids.push(made.unwrap().id);
        }
        let act = bulk::act::<Users>(&by, "disable").unwrap();
        let four = Count { n: 4, exact: true };
        let mut state = BulkState::asked(act, &Selection::everything(), four, ids[3]);
        state.after = Some(ids[1]);
        state.tally.done = 1;
        state.tally.skip(Skip::Gone);
        (browser, app, by, state)
    }

    #[rocket::async_test]
    async fn a_long_act_goes_on_where_it_stopped() {
        let (browser, app, by, state) = scene().await;
        let sealed = state.sealed(&Users::default(), &app, &by).unwrap().value;
        let done = browser
            .send("/admin/users/", RUN, &[("state", &sealed)])
            .await;
        assert_eq!(location(&done), "/admin/users/");
        let told = browser.text("/admin/users/").await;
        assert!(
            told.contains("3 disabled.") && told.contains("1 skipped"),
            "{told}"
        );
        assert_eq!(disabled(&app).await, 2, "two of five, and not root");
        let lines = crate::domain::audit::recent(&app, 3).await.unwrap();
        assert!(
            lines.iter().all(|e| e.action != "user.bulk"),
            "only once, at the start"
        );
    }

    #[rocket::async_test]
    async fn what_was_asked_is_for_one_person_one_filter_and_an_hour() {
        let (browser, app, by, state) = scene().await;
        let list = Users::default();
        let somebody = Actor {
            user_id: Some(4711),
            ..by.clone()
        };
        let of_another = state.clone().sealed(&list, &app, &somebody).unwrap().value;
        let good = state.sealed(&list, &app, &by).unwrap().value;
        let filtered = format!("{RUN}?q=person");
        let other = if good.starts_with('A') { "B" } else { "A" };
        let changed = format!("{other}{}", &good[1..]);
        for (to, state) in [
            (RUN, of_another.as_str()),
            (filtered.as_str(), good.as_str()),
            (RUN, changed.as_str()),
            (RUN, "nonsense"),
        ] {
            let answer = browser.send("/admin/users/", to, &[("state", state)]).await;
            assert_eq!(answer.status(), Status::Forbidden, "{to} {state}");
        }
        assert_eq!(disabled(&app).await, 0);
        browser.pass(WAITS);
        let answer = browser
            .send("/admin/users/", RUN, &[("state", &good)])
            .await;
        assert_eq!(answer.status(), Status::Forbidden);
    }
}
