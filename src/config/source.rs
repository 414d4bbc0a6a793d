//! One setting as text, wherever it comes from, and the kinds it can be read as.

use std::{collections::HashMap, fmt::Display, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use rocket::figment::{Figment, value::Value};

use super::{BadSetting, Environment, is_setting};
use crate::{domain::settings::By, secret::SecretBytes};

/// The environment form of a name.
pub(super) fn variable(name: &str) -> String {
    format!("LATCHKEY_{}", name.to_uppercase())
}

/// One setting as text, wherever it comes from.
pub(super) struct Source<'a> {
    file: HashMap<String, String>,
    file_name: String,
    env: &'a Environment,
}

impl<'a> Source<'a> {
    pub(super) fn new(figment: &Figment, env: &'a Environment) -> Result<Self, BadSetting> {
        let mut file = HashMap::new();
        if let Ok(Value::Dict(_, table)) = figment.find_value("latchkey") {
            for (name, value) in table {
                if !is_setting(&name) {
                    return Err(BadSetting::new(
                        &format!("Rocket.toml, [latchkey] {name}"),
                        "there is no such setting",
                    ));
                }
                file.insert(name, plain(&value));
            }
        }
        Ok(Self {
            file,
            file_name: super::file_name(env).to_owned(),
            env,
        })
    }

    /// The value, trimmed of nothing; an empty text counts as unset.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.given(name).map(|(text, _)| text)
    }

    /// The same, and who says it.
    pub(super) fn given(&self, name: &str) -> Option<(String, By)> {
        let variable = variable(name);
        let (text, by) = match self.env.get(&variable) {
            Some(text) => (text, By::Environment(variable)),
            None => (self.file.get(name)?, By::File(self.file_name.clone())),
        };
        (!text.is_empty()).then(|| (text.clone(), by))
    }

    pub(super) fn parse<T: FromStr>(&self, name: &str, default: T) -> Result<T, BadSetting> {
        let Some(text) = self.text(name) else {
            return Ok(default);
        };
        text.trim().parse().map_err(|_| {
            BadSetting::new(
                &variable(name),
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
                &variable(name),
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
                &variable(name),
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
                &variable(name),
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
