//! Every setting that can be changed while the server runs: its name, what it can be, its default, and
//! its words. Those that are fixed at the start are in `config`.

use super::value::{Kind, Unit, Value};

/// Settings that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Accounts,
    SignIn,
    Sessions,
    Tokens,
    Jwts,
    Retention,
}

impl Group {
    pub const ALL: [Self; 6] = [
        Self::Accounts,
        Self::SignIn,
        Self::Sessions,
        Self::Tokens,
        Self::Jwts,
        Self::Retention,
    ];

    /// In addresses and forms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::SignIn => "sign-in",
            Self::Sessions => "sessions",
            Self::Tokens => "tokens",
            Self::Jwts => "jwts",
            Self::Retention => "retention",
        }
    }
}

/// One setting: `get` and `put` are its place in `Settings`.
#[derive(Debug)]
pub struct Setting {
    pub name: &'static str,
    pub kind: Kind,
    pub group: Group,
    pub label: &'static str,
    pub hint: &'static str,
    /// The field of a form that says which unit a number is in.
    pub unit_field: &'static str,
    get: fn(&Settings) -> Value,
    put: fn(&mut Settings, Value),
}

impl Setting {
    pub fn of(&self, settings: &Settings) -> Value {
        (self.get)(settings)
    }

    /// A value of another kind changes nothing; `Kind::read` gives none.
    pub(super) fn set(&self, settings: &mut Settings, value: Value) {
        (self.put)(settings, value);
    }

    pub fn default(&self) -> Value {
        self.of(&Settings::default())
    }
}

/// Settings go by their names.
impl PartialEq for Setting {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// A field of `Settings`.
trait Kept {
    fn get(&self) -> Value;
    fn put(&mut self, value: Value);
}

macro_rules! kept {
    ($kind:ty, $variant:ident) => {
        impl Kept for $kind {
            fn get(&self) -> Value {
                Value::$variant(self.clone())
            }

            fn put(&mut self, value: Value) {
                if let Value::$variant(value) = value {
                    *self = value;
                }
            }
        }
    };
}

kept!(bool, Flag);
kept!(i64, Number);
kept!(String, Text);

const DAY: i64 = 86_400;

const fn seconds(least: i64, most: i64) -> Kind {
    number(least, most, Unit::Seconds, "")
}

const fn number(least: i64, most: i64, unit: Unit, zero: &'static str) -> Kind {
    Kind::Number {
        least,
        most,
        unit,
        zero,
    }
}

macro_rules! settings {
    ($($name:ident: $type:ty = $default:expr, $kind:expr, $group:ident, $label:literal, $hint:literal;)*) => {
        /// What counts now. Lifetimes are seconds.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Settings {
            $(pub $name: $type,)*
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        /// In the order of the page.
        pub const TABLE: &[Setting] = &[$(Setting {
            name: stringify!($name),
            kind: $kind,
            group: Group::$group,
            label: $label,
            hint: $hint,
            unit_field: concat!(stringify!($name), "_unit"),
            get: |settings| settings.$name.get(),
            put: |settings, value| settings.$name.put(value),
        },)*];
    };
}

settings! {
    registration_open: bool = true, Kind::Flag, Accounts,
        "Open registration",
        "Everybody can make an account at /registration/. /registerapi/ asks for a credential and works either way.";
    contact: String = String::new(), Kind::Text { most: 500 }, Accounts,
        "Contact",
        "Whom pages tell people to ask: a name, a room, an address.";
    invitation_lifetime: i64 = 3 * DAY, seconds(300, 30 * DAY), Accounts,
        "Links made by administrators",
        "How long a one-time link works that an administrator made.";
    password_reset_lifetime: i64 = 3600, seconds(300, DAY), Accounts,
        "Links to set a new password",
        "How long a link works that a person asked for.";
    email_verification_lifetime: i64 = 3 * DAY, seconds(300, 30 * DAY), Accounts,
        "Links to confirm an address",
        "How long the link works that confirms an e-mail address.";
    login_tries: i64 = 10, number(3, 50, Unit::Tries, ""), SignIn,
        "Wrong passwords before a pause",
        "For one name from one address. Many more for a name from everywhere, or for an address, pause as well.";
    login_pause: i64 = 900, seconds(60, DAY), SignIn,
        "Pause",
        "How long sign-in with that name from there then stays closed. A longer one also locks out whoever mistyped.";
    session_idle_lifetime: i64 = DAY, seconds(300, 90 * DAY), Sessions,
        "End when unused",
        "A browser session ends after so long without a request. A shorter time ends sessions at once.";
    session_lifetime: i64 = 14 * DAY, seconds(300, 365 * DAY), Sessions,
        "End in any case",
        "Whoever signs in from now on is asked for the password again after this.";
    token_default_days: i64 = 90, number(1, 36_500, Unit::Days, "Never"), Tokens,
        "Usual life of a new token",
        "What the form of a new token begins with. 0: it never expires.";
    token_longest_life: i64 = 0, number(3600, 36_500 * DAY, Unit::Seconds, "For ever"), Tokens,
        "Longest life of a new token",
        "Nobody can make a named token that lives longer. 0: for ever.";
    token_unused_revoke_days: i64 = 0, number(1, 36_500, Unit::Days, "Never"), Tokens,
        "Revoke unused tokens after",
        "The server revokes what nobody used for so long. 0: never. It cannot be undone.";
    generate_token_enabled: bool = true, Kind::Flag, Tokens,
        "/generate-token/",
        "Anybody may have three given texts signed there; what they get is no credential. Off: it answers 404.";
    jwt_access_lifetime: i64 = 3600, seconds(1, 365 * DAY), Jwts,
        "Life of an access token",
        "Of those that are issued from now on.";
    jwt_refresh_lifetime: i64 = DAY, seconds(1, 3650 * DAY), Jwts,
        "Life of a refresh token",
        "Of those that are issued from now on; not shorter than an access token’s.";
    jwt_rotate_refresh_tokens: bool = true, Kind::Flag, Jwts,
        "Rotate refresh tokens",
        "A refresh gives a new refresh token and spends the old one, so that a stolen one is noticed.";
    jwt_refresh_retry_window: i64 = 10, seconds(0, 300), Jwts,
        "Time to retry a refresh",
        "The same refresh token gets the same answer again for so long.";
    refusals_kept_days: i64 = 7, number(1, 365, Unit::Days, ""), Retention,
        "Refused requests",
        "How long “Why was I refused?” remembers. At most the latest 100,000.";
    token_uses_kept_days: i64 = 400, number(30, 3650, Unit::Days, ""), Retention,
        "Uses of tokens by day",
        "How long the counts behind a token’s bars are kept.";
}

/// A setting by its name.
pub fn find(name: &str) -> Option<&'static Setting> {
    TABLE.iter().find(|setting| setting.name == name)
}

/// Those that `discord` compares, in the order in which they give way.
pub(super) const PAIRED: [&str; 2] = ["jwt_refresh_lifetime", "jwt_access_lifetime"];

impl Settings {
    /// What does not go together, though each is good by itself: the setting that is told, and why.
    pub(super) fn discord(&self) -> Option<(&'static str, &'static str)> {
        (self.jwt_refresh_lifetime < self.jwt_access_lifetime).then_some((
            "jwt_refresh_lifetime",
            "must not be shorter than the access lifetime",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_within_its_bounds_and_has_words() {
        for setting in TABLE {
            let default = setting.default();
            assert_eq!(setting.kind.complaint(&default), None, "{}", setting.name);
            assert!(setting.hint.ends_with('.'), "{}", setting.name);
            assert!(!setting.label.ends_with('.'), "{}", setting.name);
        }
        assert_eq!(Settings::default().discord(), None);
    }

    #[test]
    fn every_setting_has_a_place_of_its_own() {
        for setting in TABLE {
            let mut settings = Settings::default();
            let other = match setting.default() {
                Value::Flag(on) => Value::Flag(!on),
                Value::Number(n) => Value::Number(n + 1),
                Value::Text(_) => Value::Text("other".to_owned()),
            };
            setting.set(&mut settings, other.clone());
            let changed: Vec<_> = TABLE
                .iter()
                .filter(|one| one.of(&settings) != one.default())
                .map(|one| one.name)
                .collect();
            assert_eq!(changed, [setting.name]);
            assert_eq!(setting.of(&settings), other);
        }
    }
}
