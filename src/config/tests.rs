//! Which settings are taken and which stop the server.

use super::*;

fn load(pairs: &[(&str, &str)]) -> Result<Config, BadSetting> {
    let env: Environment = pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    Config::load(&figment(&env), &env)
}

#[test]
fn postgres_without_a_secret_is_refused() {
    let refused = load(&[("DATABASE_URL", "postgres://a@b/c")]).unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("LATCHKEY_SECRET_KEY: is needed"),
        "{refused}"
    );
}

#[test]
fn a_short_secret_is_refused() {
    let refused = load(&[("LATCHKEY_SECRET_KEY", "short")]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "LATCHKEY_SECRET_KEY: must have at least 32 bytes"
    );
}

#[test]
fn the_latchkey_form_wins_over_database_url() {
    let config = load(&[
        ("DATABASE_URL", "postgres://a@b/c"),
        ("LATCHKEY_DATABASE_URL", "sqlite:x.db"),
    ])
    .unwrap();
    assert_eq!(config.database_url, "sqlite:x.db");
}

#[test]
fn only_a_debug_profile_on_loopback_goes_without_a_setup_code() {
    let cases = [
        (vec![("ROCKET_PROFILE", "debug")], false),
        (vec![("ROCKET_PROFILE", "release")], true),
        (
            vec![("ROCKET_PROFILE", "debug"), ("ROCKET_ADDRESS", "0.0.0.0")],
            true,
        ),
        (
            vec![
                ("ROCKET_PROFILE", "debug"),
                ("LATCHKEY_SETUP_CODE", "abcd1234"),
            ],
            true,
        ),
    ];
    for (env, asked) in cases {
        assert_eq!(load(&env).unwrap().setup_needs_code, asked, "{env:?}");
    }
}

#[test]
fn a_secret_of_digits_stays_text() {
    let digits = "1".repeat(40);
    let config = load(&[("LATCHKEY_SECRET_KEY", &digits)]).unwrap();
    assert_eq!(config.secret_key.unwrap().expose(), digits.as_bytes());
}

#[test]
fn proxies_are_addresses_or_networks() {
    let config = load(&[("LATCHKEY_TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1")]).unwrap();
    assert_eq!(config.trusted_proxies.len(), 2);
    assert!(load(&[("LATCHKEY_TRUSTED_PROXIES", "proxy")]).is_err());
}
