//! One token: its facts and history, its name to change, and the answer to asking for a default token that exists.

use rocket::{State, get, post};
use serde::Serialize;

use super::{Choice, place::Place, uses::UsesChart};
use crate::{
    app::App,
    domain::{
        actor::Actor,
        audit,
        permissions::{Act, Permission, Record},
        tokens::{self, TokenState},
        usage::{self, Address, DayUses, Recent, Uses},
    },
    error::{Error, FieldErrors, Result},
    web::{
        activity::Activity,
        error::PageError,
        flash::Flash,
        form::{FormState, Labels},
        guards::{
            CsrfForm, May,
            permission::{AddTokens, ChangeTokens, ViewTokens},
        },
        page::{Crumb, Go, Page, Reply, View},
        words::TokenFacts,
    },
};

const LABELS: Labels = &[("name", "Name")];

#[derive(Serialize)]
struct TokenDetail {
    form: FormState,
    token: TokenFacts,
    uses: UsesChart,
    /// Requests.
    last_hour: u64,
    last_day: u64,
    addresses: Vec<From>,
    /// Where the call came from that burned it.
    burned_from: Option<String>,
    history: Vec<Activity>,
}

/// From where it was used.
#[derive(Serialize)]
struct From {
    address: String,
    last_at: i64,
    count: u64,
}

impl From {
    fn of(seen: Address) -> Self {
        Self {
            address: seen.address,
            last_at: seen.last_at,
            count: seen.count.unsigned_abs(),
        }
    }
}

impl View for TokenDetail {
    const TEMPLATE: &'static str = "admin/tokens/panel/detail.html";
    const NAV: &'static str = "tokens";

    fn title(&self) -> String {
        self.token.name.clone()
    }

    fn trail(&self) -> Vec<Crumb> {
        super::trail()
    }

    fn form(&self) -> Option<&FormState> {
        Some(&self.form)
    }
}

#[get("/tokens/<id>")]
pub async fn detail(
    may: May<'_, ViewTokens>,
    app: &State<App>,
    id: i64,
) -> Result<Page, PageError> {
    Ok(page(Place::Panel, &may.actor, app, id, None).await?)
}

/// Another name for a named token.
#[post("/tokens/<id>", data = "<form>")]
pub async fn rename(
    session: May<'_, ChangeTokens>,
    app: &State<App>,
    id: i64,
    form: CsrfForm,
) -> Result<Reply, PageError> {
    rename_in(Place::Panel, &session.actor, app, id, &form).await
}

pub async fn rename_in(
    place: Place,
    by: &Actor,
    app: &App,
    id: i64,
    form: &CsrfForm,
) -> Result<Reply, PageError> {
    let typed = form.text("name");
    place.row(app, by, id).await?;
    match tokens::rename(app, by, id, typed).await {
        Ok(token) => {
            let done = Flash::ok(format!("The token is called “{}” now.", token.name));
            Ok(Go::to(place.href(id)).with(done).into())
        }
        Err(Error::Validation(errors)) => {
            let form = FormState::default().with("name", typed);
            let form = form.refused(&errors, LABELS);
            Ok(page(place, by, app, id, Some(form)).await?.into())
        }
        Err(other) => Err(other.into()),
    }
}

/// The page around a form that is new, or typed and refused.
pub async fn page(
    place: Place,
    by: &Actor,
    app: &App,
    id: i64,
    refused: Option<FormState>,
) -> Result<Page> {
    let row = place.row(app, by, id).await?;
    let token = place.facts_of(app, &row);
    let uses = usage::uses_of(app, id).await?;
    let Recent {
        last_hour,
        last_day,
    } = row.recent;
    let addresses = usage::addresses_of(app, id).await?;
    let mut history = Vec::new();
    if token.is_own || by.may(Permission::new(Act::View, Record::Audit)) {
        history = audit::for_object(app, "token", id, 20).await?;
    }
    let mut burned_from = tokens::burned_from(app, &[row.token]).await?;
    Ok(place.page(&TokenDetail {
        form: refused.unwrap_or_else(|| FormState::default().with("name", token.name.as_str())),
        token,
        uses: UsesChart::of(&uses),
        last_hour: last_hour.unsigned_abs(),
        last_day: last_day.unsigned_abs(),
        addresses: addresses.into_iter().map(From::of).collect(),
        burned_from: burned_from.remove(&id),
        history: history.iter().map(Activity::of_this).collect(),
    }))
}

#[derive(Serialize)]
struct TokenExists {
    token: TokenFacts,
    graces: &'static [Choice],
}

impl View for TokenExists {
    const TEMPLATE: &'static str = "admin/tokens/exists.html";
    const NAV: &'static str = "tokens";

    fn title(&self) -> String {
        "Default token".to_owned()
    }

    fn trail(&self) -> Vec<Crumb> {
        super::trail()
    }
}

#[get("/tokens/<id>/exists")]
pub async fn exists(may: May<'_, AddTokens>, app: &State<App>, id: i64) -> Result<Page, PageError> {
    let token = Place::Panel.facts(app, &may.actor, id).await?;
    if !(token.is_default && token.is_active) {
        return Err(Error::NotFound.into());
    }
    Ok(Page::of(&TokenExists {
        token,
        graces: super::GRACES,
    }))
}

/// For the sweep: as the owner sees them.
pub fn own_samples() -> Vec<Page> {
    let token = super::sample_facts(TokenState::Active).own();
    vec![Place::Account.page(&TokenDetail {
        form: FormState::default().with("name", token.name.as_str()),
        token,
        uses: UsesChart::of(&Uses { days: Vec::new() }),
        last_hour: 0,
        last_day: 0,
        addresses: Vec::new(),
        burned_from: None,
        history: Vec::new(),
    })]
}

pub fn samples() -> Vec<Page> {
    let token = super::sample_facts(TokenState::Active);
    let uses = |count| Uses {
        days: (0..30)
            .map(|n| DayUses {
                day: 1_700_006_400 + n * 86_400,
                count: n * count,
            })
            .collect(),
    };
    let burned = TokenFacts {
        is_burned: true,
        ..super::sample_facts(TokenState::Revoked)
    };
    let mut errors = FieldErrors::default();
    errors.push("name", "This field may not be blank.");
    vec![
        Page::of(&TokenDetail {
            form: FormState::default().with("name", token.name.as_str()),
            token: token.clone(),
            uses: UsesChart::of(&uses(0)),
            last_hour: 0,
            last_day: 0,
            addresses: Vec::new(),
            burned_from: None,
            history: Vec::new(),
        }),
        Page::of(&TokenDetail {
            form: FormState::default().refused(&errors, LABELS),
            token: burned,
            uses: UsesChart::of(&uses(7)),
            last_hour: 41,
            last_day: 1200,
            addresses: vec![From {
                address: "192.0.2.7".to_owned(),
                last_at: 1_700_000_000,
                count: 41,
            }],
            burned_from: Some("192.0.2.7".to_owned()),
            history: Vec::new(),
        }),
        Page::of(&TokenDetail {
            form: FormState::default().with("name", token.name.as_str()),
            token: TokenFacts {
                was_default: true,
                is_owner_disabled: true,
                ..token.clone().followed_by(Some(4))
            },
            uses: UsesChart::of(&uses(0)),
            last_hour: 0,
            last_day: 0,
            addresses: Vec::new(),
            burned_from: None,
            history: Vec::new(),
        }),
        Page::of(&TokenExists {
            token,
            graces: super::GRACES,
        }),
    ]
}
