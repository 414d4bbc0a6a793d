//! What the environment and `Rocket.toml` say about settings that can be changed while the server runs. They
//! win: such a setting is fixed until the next start.

use std::{collections::HashMap, fmt};

use super::table::{Setting, Settings};
use super::value::Value;

/// Who fixes a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The name of the variable.
    Environment(String),
    /// The name of the file.
    File(String),
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) | Self::File(name) => f.write_str(name),
        }
    }
}

/// What is fixed, over the defaults.
#[derive(Clone, Debug, Default)]
pub struct Given {
    settings: Settings,
    by: HashMap<&'static str, By>,
}

impl Given {
    pub fn fix(&mut self, setting: &'static Setting, value: Value, by: By) {
        setting.set(&mut self.settings, value);
        self.by.insert(setting.name, by);
    }

    /// Who fixes this one; None: it can be changed.
    pub fn by(&self, setting: &Setting) -> Option<&By> {
        self.by.get(setting.name)
    }

    /// What counts where nothing is stored.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What does not go together: the setting that is told, and why.
    pub fn discord(&self) -> Option<(&'static str, &'static str)> {
        self.settings.discord()
    }
}
