//! A browser, driven by what a person sees: labels, buttons, links, headings.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use fantoccini::{Client, ClientBuilder, Locator, elements::Element, key::Key};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Outcome, PATIENCE, Process, complain, http, setting};

/// A headless browser of its own, with an empty profile.
pub struct Browser {
    page: Client,
    driver: u16,
    _process: Process,
    _folder: TempDir,
}

impl Browser {
    /// None where there is no browser on this machine.
    pub async fn start(script: bool) -> Outcome<Option<Self>> {
        let browser = ["chromium", "chromium-browser", "google-chrome"]
            .into_iter()
            .find_map(find);
        let (Some(browser), Some(driver)) = (browser, find("chromedriver")) else {
            return Ok(None);
        };
        let folder = TempDir::new()?;
        let (process, port) = Process::start(
            Command::new(driver).arg("--port=0").stderr(Stdio::null()),
            |line| {
                let port = line.split("started successfully on port ").nth(1)?;
                port.trim_end_matches('.').parse::<u16>().ok()
            },
        )?;
        // No sandbox, as CI runs as root; nothing but loopback is called.
        let capabilities = json!({
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": {
                "binary": browser,
                "args": [
                    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                    "--disable-quic", "--no-first-run", "--disable-background-networking",
                    "--disable-component-update", "--disable-sync", "--window-size=1280,900",
                    format!("--user-data-dir={}", folder.path().display()),
                ],
                "prefs": {
                    "profile.managed_default_content_settings.javascript": if script { 1 } else { 2 },
                },
            },
        });
        let Value::Object(capabilities) = capabilities else {
            return Err("no object".into());
        };
        let page = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await?;
        Ok(Some(Self {
            page,
            driver: port,
            _process: process,
            _folder: folder,
        }))
    }

    pub async fn open(&self, url: &str) -> Outcome {
        Ok(self.page.goto(url).await?)
    }

    /// Waits until a page with this heading is there, and its console has nothing to complain of.
    pub async fn arrive(&self, heading: &str) -> Outcome {
        self.wait_for(&format!("//h1[normalize-space()='{heading}']"))
            .await?;
        self.console_is_quiet().await
    }

    pub async fn reload(&self) -> Outcome {
        Ok(self.page.refresh().await?)
    }

    /// The field that a label names.
    pub async fn field(&self, label: &str) -> Outcome<Element> {
        let label =
            format!("normalize-space()='{label}' or starts-with(normalize-space(), '{label} (')");
        self.wait_for(&format!("//*[@id=//label[{label}]/@for]"))
            .await
    }

    /// A field without a label of its own, by the name that a screen reader says.
    pub async fn named(&self, name: &str) -> Outcome<Element> {
        self.wait_for(&format!("//*[@aria-label='{name}']")).await
    }

    /// In place of what stands there.
    pub async fn type_into(&self, label: &str, text: &str) -> Outcome {
        let field = self.field(label).await?;
        field.clear().await?;
        Ok(field.send_keys(text).await?)
    }

    /// What the clipboard holds, as a person finds out: by pasting it into a field.
    pub async fn paste(&self, label: &str) -> Outcome<String> {
        let field = self.field(label).await?;
        field
            .send_keys(&format!("{}v", char::from(Key::Control)))
            .await?;
        Ok(field.prop("value").await?.unwrap_or_default())
    }

    /// A link or button by its words; the first one that can be seen.
    pub async fn press(&self, words: &str) -> Outcome {
        let path = format!("//*[self::a or self::button][normalize-space()='{words}']");
        self.wait_for(&path).await?;
        for element in self.page.find_all(Locator::XPath(&path)).await? {
            if element.is_displayed().await? {
                return Ok(element.click().await?);
            }
        }
        Err(format!("{words:?} is there but cannot be seen").into())
    }

    async fn wait_for(&self, path: &str) -> Outcome<Element> {
        let found = self
            .page
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::XPath(path))
            .await;
        found.map_err(|error| format!("{path}: {error}").into())
    }

    async fn console_is_quiet(&self) -> Outcome {
        let session = self.page.session_id().await?.ok_or("no session")?;
        let path = format!("/session/{session}/se/log");
        let (_, body) = http(self.driver, "POST", &path, "", r#"{"type":"browser"}"#)?;
        let log: Value = serde_json::from_str(&body)?;
        let lines = log["value"]
            .as_array()
            .ok_or_else(|| format!("no console log: {body}"))?;
        match lines.iter().find(|line| line["level"] == "SEVERE") {
            Some(line) => Err(format!("the console says: {line}").into()),
            None => Ok(()),
        }
    }

    /// Ends the browser; after a failure it leaves a picture of the page behind.
    pub async fn close(self, name: &str, failed: bool) -> Outcome {
        if failed {
            let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
            if let Ok(png) = self.page.screenshot().await {
                fs::write(&picture, png)?;
            }
            let address = self.page.current_url().await;
            complain(&format!(
                "{name} failed at {address:?}, see {}",
                picture.display()
            ));
        }
        Ok(self.page.close().await?)
    }
}

fn find(program: &str) -> Option<PathBuf> {
    let path = setting("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}
