//! `/dashboard/`: what a signed-in person sees first.

use rocket::{State, get};
use serde::Serialize;

use crate::{
    app::App,
    domain::{
        paging::Count,
        sessions::{self, Session},
        students::{self, StudentFilter, StudentSort},
        tokens::{self, TokenState},
    },
    web::{
        admin::{
            listing::{Address, Pager, Paging},
            tokens::sample_facts,
        },
        error::PageError,
        guards::UserSession,
        page::{Page, View},
        words::{self, TokenFacts, counted},
    },
};

const PATH: &str = "/dashboard/";
/// For how long the page tells of a token that was ended. Seconds.
const TOLD: i64 = 30 * 86_400;

#[derive(Serialize)]
struct Dashboard {
    name: String,
    email: String,
    joined: i64,
    last_login: Option<i64>,
    sessions: String,
    /// The latest of them.
    devices: Vec<Device>,
    students: Vec<Pupil>,
    pager: Pager,
    tokens: Vec<TokenFacts>,
    /// Those that were revoked of late.
    ended: Vec<Ended>,
}

#[derive(Serialize)]
struct Ended {
    token: TokenFacts,
    /// Where the call came from that burned it.
    burned_from: Option<String>,
}

#[derive(Serialize)]
struct Device {
    name: String,
    icon: &'static str,
    address: String,
    last_seen: i64,
    is_this: bool,
}

/// Sessions shown.
const DEVICES: usize = 3;

#[derive(Serialize)]
struct Pupil {
    name: String,
    roll: i64,
    city: String,
}

impl Device {
    fn of(session: &Session, this: i64) -> Self {
        let (name, icon) = words::device(&session.user_agent);
        Self {
            name,
            icon,
            address: session.address.clone(),
            last_seen: session.last_seen_at,
            is_this: session.id == this,
        }
    }
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
        city: None,
        sort: StudentSort::Roll,
        page: paging.request(),
    };
    let found = students::list(app, &filter).await?;
    let own = tokens::list_for(app, user.id).await?;
    let rotated = tokens::successors(app, &own).await?;
    let revoked = tokens::revoked_since(app, user.id, app.now() - TOLD).await?;
    let mut burned_from = tokens::burned_from(app, &revoked).await?;
    let open = sessions::list_for(app, user).await?;
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
        sessions: counted(
            Count {
                n: open.len() as u64,
                exact: open.len() < 100,
            },
            "open session",
            "open sessions",
        ),
        devices: open
            .iter()
            .take(DEVICES)
            .map(|one| Device::of(one, session.session.id))
            .collect(),
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
            .map(|t| {
                TokenFacts::of(t, &user.username, app.now())
                    .followed_by(rotated.get(&t.id).copied())
                    .own()
            })
            .collect(),
        ended: revoked
            .iter()
            .map(|t| Ended {
                token: TokenFacts::of(t, &user.username, app.now()).own(),
                burned_from: burned_from.remove(&t.id),
            })
            .collect(),
    }))
}

pub fn samples() -> Vec<Page> {
    let none = crate::domain::paging::Page::only(Vec::<Pupil>::new());
    let mut view = Dashboard {
        name: "Amara".to_owned(),
        email: String::new(),
        joined: 1_700_000_000,
        last_login: None,
        sessions: "1 open session".to_owned(),
        devices: vec![Device {
            name: "Firefox on Linux".to_owned(),
            icon: "auto",
            address: "192.0.2.7".to_owned(),
            last_seen: 1_700_000_000,
            is_this: true,
        }],
        students: Vec::new(),
        pager: Pager::of(&none, &Address::new(PATH), 25).plain(),
        tokens: Vec::new(),
        ended: Vec::new(),
    };
    let empty = Page::of(&view);
    view.students.push(Pupil {
        name: "Asha Rao".to_owned(),
        roll: 101,
        city: "Pune".to_owned(),
    });
    view.ended = [false, true]
        .map(|is_burned| Ended {
            token: TokenFacts {
                is_burned,
                ..sample_facts(TokenState::Revoked)
            },
            burned_from: is_burned.then(|| "192.0.2.7".to_owned()),
        })
        .into();
    vec![empty, Page::of(&view)]
}
