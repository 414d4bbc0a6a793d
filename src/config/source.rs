//! One setting as text, wherever it comes from, and the kinds it can be read as.

use std::{collections::HashMap, fmt::Display, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use rocket::figment::{Figment, value::Value};

use super::{BadSetting, Environment, SETTINGS};
use crate::secret::SecretBytes;

/// One setting as text, wherever it comes from.
pub(super) struct Source<'a> {
    file: HashMap<String, String>,
    env: &'a Environment,
}

impl<'a> Source<'a> {
    pub(super) fn new(figment: &Figment, env: &'a Environment) -> Result<Self, BadSetting> {
        let mut file = HashMap::new();
        if let Ok(Value::Dict(_, table)) = figment.find_value("latchkey") {
            for (name, value) in table {
                if !SETTINGS.contains(&name.as_str()) {
                    return Err(BadSetting::new(
                        &format!("Rocket.toml, [latchkey] {name}"),
                        "there is no such setting",
                    ));
                }
                file.insert(name, plain(&value));
            }
        }
        Ok(Self { file, env })
    }

    /// The value, trimmed of nothing; an empty text counts as unset.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let var = format!("LATCHKEY_{}", name.to_uppercase());
        self.env
            .get(&var)
            .or_else(|| self.file.get(name))
            .filter(|text| !text.is_empty())
            .cloned()
    }

    pub(super) fn parse<T: FromStr>(&self, name: &str, default: T) -> Result<T, BadSetting> {
        let Some(text) = self.text(name) else {
            return Ok(default);
        };
        text.trim().parse().map_err(|_| {
            BadSetting::new(
                &format!("LATCHKEY_{}", name.to_uppercase()),
                format!("{text:?} is not a {}", std::any::type_name::<T>()),
            )
        })
    }

    pub(super) fn within<T: FromStr + PartialOrd + Display + Copy>(
        &self,
        name: &str,
        default: T,
        least: T,
        most: T,
    ) -> Result<T, BadSetting> {
        let value = self.parse(name, default)?;
        if value < least || value > most {
            return Err(BadSetting::new(
                &format!("LATCHKEY_{}", name.to_uppercase()),
                format!("{value} is not between {least} and {most}"),
            ));
        }
        Ok(value)
    }

    pub(super) fn secret(
        &self,
        name: &str,
        least: usize,
    ) -> Result<Option<SecretBytes>, BadSetting> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        if text.len() < least {
            return Err(BadSetting::new(
                &format!("LATCHKEY_{}", name.to_uppercase()),
                format!("must have at least {least} bytes"),
            ));
        }
        Ok(Some(SecretBytes::new(text.into_bytes())))
    }

    /// One of some words.
    pub(super) fn choice<T: Copy>(
        &self,
        name: &str,
        default: T,
        choices: &[(&str, T)],
    ) -> Result<T, BadSetting> {
        let Some(text) = self.text(name) else {
            return Ok(default);
        };
        let chosen = choices.iter().find(|(word, _)| *word == text);
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        chosen.map(|(_, value)| *value).ok_or_else(|| {
            BadSetting::new(
                &format!("LATCHKEY_{}", name.to_uppercase()),
                format!("expected one of {}", words.join(", ")),
            )
        })
    }

    /// Separated by commas or blanks.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        let parts = text.split([',', ' ']).filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    }

    pub(super) fn networks(&self, name: &str) -> Result<Vec<IpNet>, BadSetting> {
        self.list(name)
            .iter()
            .map(|part| {
                part.parse::<IpNet>()
                    .or_else(|_| part.parse::<IpAddr>().map(IpNet::from))
                    .map_err(|_| {
                        BadSetting::new(
                            "LATCHKEY_TRUSTED_PROXIES",
                            format!("{part:?} is neither an address nor a network"),
                        )
                    })
            })
            .collect()
    }
}

/// A value of `Rocket.toml` in the form the environment would have it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(_, text) => text.clone(),
        Value::Bool(_, flag) => flag.to_string(),
        Value::Num(_, num) => num
            .to_i128()
            .map(|n| n.to_string())
            .or_else(|| num.to_u128().map(|n| n.to_string()))
            .or_else(|| num.to_f64().map(|n| n.to_string()))
            .unwrap_or_default(),
        Value::Array(_, items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        _ => String::new(),
    }
}
