//! The first walk as a person does it, in a real browser: follow the printed link, create the
//! superuser, create a token, copy it, use it, revoke it. With script, and without.

mod browser;
mod server;

use browser::Browser;
use fantoccini::key::Key;
use server::{Outcome, Server, complain, setting};

const PASSWORD: &str = "Quiet-Harbour-4711";

#[rocket::async_test]
async fn a_newcomer_gets_from_the_printed_link_to_a_token_that_works() {
    run("browser-with-script", true).await.unwrap();
}

#[rocket::async_test]
async fn the_same_journey_passes_with_script_switched_off() {
    run("browser-without-script", false).await.unwrap();
}

async fn run(name: &str, script: bool) -> Outcome {
    let Some(browser) = Browser::start(script).await? else {
        let words = format!("{name}: NOT RUN, chromium and chromedriver are not installed");
        assert!(setting("CI").is_none(), "{words}");
        complain(&words);
        return Ok(());
    };
    let outcome = match Server::start(name) {
        Ok(server) => journey(&browser, &server, script).await,
        Err(error) => Err(error),
    };
    browser.close(name, outcome.is_err()).await?;
    outcome
}

async fn journey(browser: &Browser, server: &Server, script: bool) -> Outcome {
    // The link brings the code; the form does the rest, and signs in.
    browser.open(&server.setup_link).await?;
    browser.arrive("Create the first administrator").await?;
    browser.type_into("Username", "ada").await?;
    browser.type_into("E-mail", "ada@example.org").await?;
    browser.type_into("Password", PASSWORD).await?;
    browser.type_into("Password again", PASSWORD).await?;
    browser.press("Create superuser").await?;
    // Signed in, and led to the first token.
    browser.arrive("New token").await?;
    sign_out_and_in_again(browser, server).await?;
    browser.press("Tokens").await?;
    browser.arrive("Tokens").await?;
    browser.press("New token").await?;
    browser.arrive("New token").await?;
    browser.type_into("Owner", "ada").await?;
    browser.type_into("Name", "first steps").await?;
    browser.press("Create token").await?;
    browser.arrive("Your new token").await?;
    let token = browser.named("New API token").await?;
    let key = token.prop("value").await?.unwrap_or_default();
    if script {
        browser.press("Copy token").await?;
    } else {
        let control = char::from(Key::Control);
        token.send_keys(&format!("{control}ac")).await?;
    }
    same(
        &browser.paste("Find a user, token or student").await?,
        &key,
        "the clipboard",
    )?;
    same(&server.students(&key)?, &200, "the new token")?;

    browser.reload().await?;
    browser.arrive("A token is shown once").await?;
    browser.press("To the tokens").await?;
    browser.arrive("Tokens").await?;
    browser.press("first steps").await?;
    browser.arrive("first steps").await?;
    browser.press("Revoke…").await?;
    browser.arrive("Revoke “first steps”?").await?;
    browser.press("Revoke “first steps”").await?;
    browser.arrive("Tokens").await?;
    same(&server.students(&key)?, &401, "the revoked token")?;
    Ok(())
}

async fn sign_out_and_in_again(browser: &Browser, server: &Server) -> Outcome {
    browser.open(&server.address("/logout/")).await?;
    browser.arrive("Sign out").await?;
    browser.press("Sign out").await?;
    browser.arrive("Sign in").await?;
    // Out: the panel asks who is there, and leads back once it knows.
    browser.open(&server.address("/admin/")).await?;
    browser.arrive("Sign in to the admin panel").await?;
    browser.type_into("Username", "ada").await?;
    browser.type_into("Password", PASSWORD).await?;
    browser.press("Sign in").await?;
    browser.arrive("Dashboard").await
}

/// An error rather than a panic, so that the browser is closed in every case.
fn same<T: PartialEq + std::fmt::Debug>(got: &T, wanted: &T, what: &str) -> Outcome {
    if got == wanted {
        return Ok(());
    }
    Err(format!("{what}: got {got:?}, wanted {wanted:?}").into())
}
