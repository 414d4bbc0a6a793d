//! What is wrong with a credential, as far as can be told: `look` asks memory only, `resolve` the
//! database. Both judge what the check path judges, in its order, and change nothing.

use std::collections::{HashMap, hash_map::Entry};

use super::{
    reason::{Detail, Reason},
    shown::{Malformed, Shown, is_jwt_like},
};
use crate::{
    app::App,
    domain::{
        families::{self, Family, Fate},
        jwt::{self, Claims, Flaw, Kind, Subject, Unverified},
        signing_keys,
        tokens::{self, TokenRow, TokenState},
        users::{self, User},
    },
    error::Result,
    keys::Digest,
    secret::{Jwt, TokenKey},
};

/// What is known of a credential.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// `None`: nothing is wrong with it.
    pub reason: Option<Reason>,
    pub detail: Detail,
    pub token_id: Option<i64>,
    pub user_id: Option<i64>,
    pub family: Option<i64>,
    pub token: Option<TokenRow>,
    pub user: Option<User>,
    pub sign_in: Option<Family>,
    /// What an API token is looked up by. Not kept.
    digest: Option<Digest>,
    /// Of a JWT whose signature is good, be it in time or not. Not kept.
    pub claims: Option<Claims>,
    is_refresh: bool,
}

impl Look {
    fn wrong(reason: Reason) -> Self {
        Self {
            reason: Some(reason),
            ..Self::default()
        }
    }

    fn with(self, detail: Detail) -> Self {
        Self { detail, ..self }
    }
}

/// Costs a signature at most.
pub async fn look(app: &App, shown: &Shown) -> Result<Look> {
    Ok(match shown {
        Shown::Nothing(None) => Look::wrong(Reason::NoHeader),
        Shown::Nothing(Some(header)) => {
            Look::wrong(Reason::WrongHeader).with(Detail::what(*header))
        }
        Shown::Empty => Look::wrong(Reason::EmptyHeader),
        Shown::Token(key) => of_key(app, key),
        Shown::Bearer(jwt) if !is_jwt_like(jwt.expose()) => of_bearer_key(app, jwt),
        Shown::Bearer(jwt) => of_jwt(app, jwt, Some(Kind::Access)).await?,
        Shown::Refresh(jwt) => of_jwt(app, jwt, Some(Kind::Refresh)).await?,
        Shown::AnyJwt(jwt) => of_jwt(app, jwt, None).await?,
        Shown::Bare(text) => Look {
            reason: Some(Reason::NoScheme),
            ..of_key(app, text)
        },
        Shown::Malformed(scheme, wrong) => Look::wrong(match wrong {
            Malformed::NoValue => Reason::NoValue,
            Malformed::Spaces => Reason::Spaces,
            Malformed::Characters => Reason::Characters,
        })
        .with(Detail::what(*scheme)),
        Shown::Quoted(scheme, text) => Look {
            reason: Some(Reason::Quoted),
            detail: Detail::what(*scheme),
            ..of_key(app, text)
        },
        Shown::Misspelt(scheme, text) => Look {
            reason: Some(Reason::SchemeMisspelt),
            detail: Detail::what(*scheme),
            ..of_key(app, text)
        },
        Shown::OtherScheme(scheme) => Look::wrong(Reason::OtherScheme).with(Detail::what(*scheme)),
        Shown::Session(user_id) => Look {
            user_id: Some(*user_id),
            ..Look::default()
        },
    })
}

fn of_key(app: &App, key: &TokenKey) -> Look {
    let text = key.expose();
    if is_jwt_like(text) {
        return Look::wrong(Reason::JwtAsToken);
    }
    if !tokens::is_plausible(&app.keys, text) {
        return Look::wrong(if tokens::is_well_formed(text) {
            Reason::TokenForeign
        } else {
            Reason::TokenChecksum
        });
    }
    Look {
        digest: Some(app.keys.token_digest(text)),
        ..Look::default()
    }
}

/// Something behind `Bearer` that is no JWT.
fn of_bearer_key(app: &App, text: &Jwt) -> Look {
    let key = TokenKey::new(text.expose());
    if !tokens::is_well_formed(key.expose()) {
        return Look::wrong(Reason::JwtUnreadable);
    }
    Look {
        reason: Some(Reason::TokenAsBearer),
        ..of_key(app, &key)
    }
}

async fn of_jwt(app: &App, token: &Jwt, wanted: Option<Kind>) -> Result<Look> {
    let ring = signing_keys::ring(app).await?;
    let judged = Unverified::read(token).and_then(|jwt| jwt.judge(&ring, &app.config, app.now()));
    let claims = match judged {
        Ok(claims) => claims,
        Err(flaw) => return of_flaw(app, token, flaw),
    };
    let says = claims.says().map(str::to_owned);
    let is_refresh = says.as_deref() == Some(Kind::Refresh.as_str());
    let reason = match (wanted, says.as_deref()) {
        (None, _) => None,
        (Some(_), None) => Some(Reason::JwtNoType),
        (Some(wanted), Some(says)) if says == wanted.as_str() => None,
        (Some(Kind::Access), Some("refresh")) => Some(Reason::RefreshAsAccess),
        (Some(Kind::Refresh), Some("access")) => Some(Reason::AccessAsRefresh),
        _ => Some(Reason::JwtWrongType),
    };
    let (reason, user_id) = match claims.subject() {
        Subject::User(id) => (reason, Some(id)),
        Subject::Missing => (reason.or(Some(Reason::JwtNoUser)), None),
        Subject::Nobody => (reason.or(Some(Reason::UserGone)), None),
    };
    Ok(Look {
        reason,
        user_id,
        family: families::handle_of(&claims.jti),
        is_refresh,
        claims: Some(claims),
        ..Look::default()
    })
}

fn of_flaw(app: &App, token: &Jwt, flaw: Flaw) -> Result<Look> {
    // Only what a key of ours signed is believed.
    let says = jwt::unverified(token).unwrap_or_default();
    let is_ours = flaw.is_signed();
    let text = |name: &str| says.get(name).and_then(|value| value.as_str());
    let user_id = text("user_id").and_then(|id| id.parse().ok());
    let family = text("jti").and_then(families::handle_of);
    let mut look = Look {
        user_id: user_id.filter(|_| is_ours),
        family: family.filter(|_| is_ours),
        ..Look::default()
    };
    let may_be_data = says.contains_key("firstname") && !says.contains_key("jti");
    let (reason, detail) = match flaw {
        _ if may_be_data && jwt::is_signed_with(token, app.keys.signed_data_key())? => {
            (Reason::SignedData, Detail::default())
        }
        Flaw::TooLong => (Reason::JwtTooLong, Detail::default()),
        Flaw::Unreadable => (Reason::JwtUnreadable, Detail::default()),
        Flaw::Header | Flaw::AnotherUse => (Reason::JwtHeader, Detail::default()),
        Flaw::UnknownKey => (Reason::JwtUnknownKey, Detail::default()),
        Flaw::Algorithm => (Reason::JwtAlgorithm, Detail::default()),
        Flaw::Signature => (Reason::JwtSignature, Detail::default()),
        Flaw::Claims => (Reason::JwtClaims, Detail::default()),
        Flaw::NotYet { ahead } => (Reason::JwtNotYet, Detail::n(ahead)),
        Flaw::Expired { at } => (Reason::JwtExpired, Detail::at(at)),
        Flaw::Issuer => (Reason::JwtIssuer, Detail::default()),
        Flaw::Audience => (Reason::JwtAudience, Detail::default()),
        Flaw::NoExpiry => (Reason::JwtNoExpiry, Detail::default()),
        Flaw::NoId => (Reason::JwtNoId, Detail::default()),
    };
    look.reason = Some(reason);
    look.detail = detail;
    Ok(look)
}

/// Fills in what the database knows, with few questions for many looks.
pub async fn resolve(app: &App, looks: &mut [&mut Look]) -> Result<()> {
    resolve_keys(app, looks).await?;
    let mut known: HashMap<i64, Option<User>> = HashMap::new();
    let mut fates: HashMap<(i64, String), (Fate, Option<Family>)> = HashMap::new();
    for look in looks {
        let (Some(id), None) = (look.user_id, &look.user) else {
            continue;
        };
        let user = match known.entry(id) {
            Entry::Occupied(entry) => entry.get().clone(),
            Entry::Vacant(entry) => entry.insert(users::find(app, id).await?).clone(),
        };
        let open = matches!(look.reason, None | Some(Reason::SignedOut));
        look.user.clone_from(&user);
        let (Some(claims), true) = (&look.claims, open) else {
            continue;
        };
        let Some(user) = user else {
            look.reason = Some(Reason::UserGone);
            continue;
        };
        if !user.is_active {
            look.reason = Some(Reason::UserInactive);
            continue;
        }
        let jti = (id, claims.jti.clone());
        let (fate, family) = match fates.entry(jti) {
            Entry::Occupied(entry) => entry.get().clone(),
            Entry::Vacant(entry) => {
                let fate = families::fate(app, claims, &user, look.is_refresh).await?;
                entry.insert(fate).clone()
            }
        };
        settle(look, fate, family, &user);
    }
    Ok(())
}

fn settle(look: &mut Look, fate: Fate, family: Option<Family>, user: &User) {
    look.family = family.as_ref().map(|family| family.handle).or(look.family);
    let (reason, detail) = match (fate, &family) {
        (Fate::Alive, _) => return look.sign_in = family,
        (Fate::SignedOut, _) => (Reason::SignedOut, Detail::at(user.epoch_at)),
        (Fate::Spent, _) => (Reason::RefreshSpent, Detail::default()),
        (Fate::Ended, Some(ended)) => {
            let because = ended.revoked_because.as_deref();
            let reason = if because == Some("replay") {
                Reason::FamilyReplayed
            } else {
                Reason::FamilyEnded
            };
            let detail = Detail {
                at: ended.revoked_at,
                what: because.map(str::to_owned),
                ..Detail::default()
            };
            (reason, detail)
        }
        (Fate::Ended | Fate::Unknown, _) => (Reason::FamilyUnknown, Detail::default()),
    };
    look.reason = Some(reason);
    look.detail = detail;
    look.sign_in = family;
}

async fn resolve_keys(app: &App, looks: &mut [&mut Look]) -> Result<()> {
    let mut digests: Vec<Digest> = looks.iter().filter_map(|look| look.digest).collect();
    digests.sort_unstable();
    digests.dedup();
    if digests.is_empty() {
        return Ok(());
    }
    let found = tokens::find_by_digests(app, &digests).await?;
    let found: HashMap<Vec<u8>, TokenRow> = found
        .into_iter()
        .map(|row| (row.token.digest.clone(), row))
        .collect();
    for look in looks {
        let Some(digest) = look.digest else { continue };
        let open = matches!(look.reason, None | Some(Reason::TokenUnknown));
        let Some(row) = found.get(digest.as_slice()) else {
            if open {
                look.reason = Some(Reason::TokenUnknown);
            }
            continue;
        };
        look.token_id = Some(row.token.id);
        look.user_id = Some(row.owner.id);
        look.user = Some(row.owner.clone());
        look.token = Some(row.clone());
        if !open {
            continue;
        }
        let (reason, detail) = match tokens::state(&row.token, app.now()) {
            TokenState::Revoked => {
                let detail = Detail {
                    at: row.token.revoked_at,
                    by: row.token.revoked_by.clone(),
                    ..Detail::default()
                };
                (Some(Reason::TokenRevoked), detail)
            }
            TokenState::Expired => {
                let detail = Detail {
                    at: row.token.expires_at,
                    ..Detail::default()
                };
                (Some(Reason::TokenExpired), detail)
            }
            TokenState::Active if !row.owner.is_active => {
                (Some(Reason::UserInactive), Detail::default())
            }
            TokenState::Active => (look.reason, Detail::default()),
        };
        look.reason = reason;
        look.detail = detail;
    }
    Ok(())
}
