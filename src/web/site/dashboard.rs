//! `/dashboard/`: what a signed-in person sees first.

use rocket::{State, get};
use serde::Serialize;

use crate::{
    app::App,
    domain::{
        sessions,
        students::{self, StudentFilter, StudentSort},
        tokens,
    },
    web::{
        admin::listing::{Address, Pager, Paging},
        error::PageError,
        guards::UserSession,
        page::{Page, View},
        words::{self, TokenFacts, counted},
    },
};

const PATH: &str = "/dashboard/";

#[derive(Serialize)]
struct Dashboard {
    name: String,
    email: String,
    joined: i64,
    last_login: Option<i64>,
    sessions: String,
    students: Vec<Pupil>,
    pager: Pager,
    tokens: Vec<TokenFacts>,
}

#[derive(Serialize)]
struct Pupil {
    name: String,
    roll: i64,
    city: String,
}

impl View for Dashboard {
    const TEMPLATE: &'static str = "site/dashboard.html";

    fn title(&self) -> String {
        "Your dashboard".to_owned()
    }
}

#[get("/dashboard?<cursor>")]
pub async fn dashboard(
    session: &UserSession,
    app: &State<App>,
    cursor: Option<String>,
) -> Result<Page, PageError> {
    let user = &session.session.user;
    let paging = Paging::new(cursor, None);
    let filter = StudentFilter {
        q: None,
        sort: StudentSort::Roll,
        page: paging.request(),
    };
    let found = students::list(app, &filter).await?;
    let own = tokens::list_for(app, user.id).await?;
    let open = sessions::count_for(app, user).await?;
    Ok(Page::of(&Dashboard {
        name: if user.first_name.is_empty() {
            &user.username
        } else {
            &user.first_name
        }
        .clone(),
        email: user.email.clone(),
        joined: user.date_joined,
        last_login: words::known(user.last_login),
        sessions: counted(open, "open session", "open sessions"),
        pager: Pager::of(&found, &Address::new(PATH), paging.size()).plain(),
        students: found
            .rows
            .into_iter()
            .map(|s| Pupil {
                name: s.name,
                roll: s.roll,
                city: s.city,
            })
            .collect(),
        tokens: own
            .iter()
            .map(|t| TokenFacts::of(t, &user.username, app.now()))
            .collect(),
    }))
}

pub fn samples() -> Vec<Page> {
    let none = crate::domain::paging::Page {
        rows: Vec::<Pupil>::new(),
        next: None,
        previous: None,
        total: crate::domain::paging::Count { n: 1, exact: true },
        first_index: 1,
    };
    let mut view = Dashboard {
        name: "Amara".to_owned(),
        email: String::new(),
        joined: 1_700_000_000,
        last_login: None,
        sessions: "1 open session".to_owned(),
        students: Vec::new(),
        pager: Pager::of(&none, &Address::new(PATH), 25).plain(),
        tokens: Vec::new(),
    };
    let empty = Page::of(&view);
    view.students.push(Pupil {
        name: "Asha Rao".to_owned(),
        roll: 101,
        city: "Pune".to_owned(),
    });
    vec![empty, Page::of(&view)]
}
