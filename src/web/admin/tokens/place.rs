//! Where the pages of tokens stand: in the panel, with everybody's, or among those of one's own
//! account, with one's own alone.

use crate::{
    app::App,
    domain::{
        actor::Actor,
        tokens::{self, TokenRow},
    },
    error::{Error, Result},
    web::{
        page::{Page, View},
        words::TokenFacts,
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Panel,
    Account,
}

impl Place {
    pub fn list(self) -> &'static str {
        match self {
            Self::Panel => "/admin/tokens/",
            Self::Account => "/account/tokens/",
        }
    }

    pub fn href(self, id: i64) -> String {
        format!("{}{id}/", self.list())
    }

    /// The page that shows a new token once.
    pub fn created_href(self, id: i64) -> String {
        format!("{}created/", self.href(id))
    }

    /// A token that may be looked into here: those of people whom `by` may not touch are a line in the
    /// panel's list, and no more.
    pub async fn row(self, app: &App, by: &Actor, id: i64) -> Result<TokenRow> {
        let row = tokens::get(app, id).await?;
        match self {
            Self::Account if by.user_id != Some(row.owner.id) => Err(Error::NotFound),
            Self::Panel if !tokens::may_look_into(by, &row) => Err(Error::PermissionDenied),
            _ => Ok(row),
        }
    }

    pub async fn facts(self, app: &App, by: &Actor, id: i64) -> Result<TokenFacts> {
        Ok(self.facts_of(app, &self.row(app, by, id).await?))
    }

    pub fn facts_of(self, app: &App, row: &TokenRow) -> TokenFacts {
        let facts = super::facts_of(app, row);
        match self {
            Self::Panel => facts,
            Self::Account => facts.own(),
        }
    }

    /// The same view in the shell of the place.
    pub fn page<V: View>(self, view: &V) -> Page {
        let page = Page::of(view);
        if self == Self::Panel {
            return page;
        }
        page.in_account(match V::TEMPLATE {
            "admin/tokens/panel/add_form.html" => "site/account/tokens/add_form.html",
            "admin/tokens/panel/confirm.html" => "site/account/tokens/confirm.html",
            "admin/tokens/panel/created.html" => "site/account/tokens/created.html",
            "admin/tokens/panel/extend.html" => "site/account/tokens/extend.html",
            "admin/tokens/panel/shown_once.html" => "site/account/tokens/shown_once.html",
            _ => "site/account/tokens/detail.html",
        })
    }
}
