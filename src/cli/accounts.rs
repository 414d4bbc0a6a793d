//! `createsuperuser`, `changepassword` and `create-token`.

use std::io::Write;

use super::{Context, Failure, say};
use crate::{
    db::Opener,
    domain::{
        actor::Actor,
        tokens,
        users::{self, UserInput},
    },
    secret::Password,
};

pub async fn create_superuser(context: Context, noinput: bool) -> Result<(), Failure> {
    let (username, email, password) = if noinput { given(&context)? } else { asked()? };
    let app = context.open(Opener::Command).await?;
    let input = UserInput {
        username,
        email,
        is_active: true,
        is_staff: true,
        is_superuser: true,
        ..UserInput::default()
    };
    let user = users::create(&app, &Actor::operator(), input, password).await?;
    say(&format!("Superuser {:?} created.", user.username));
    super::finish(app).await
}

pub async fn change_password(context: Context, username: &str) -> Result<(), Failure> {
    let app = context.open(Opener::Command).await?;
    let user = users::find_by_username(&app, username)
        .await?
        .ok_or_else(|| unknown(username))?;
    let password = ask_password()?;
    users::set_password(&app, &Actor::operator(), user.id, password).await?;
    say(&format!(
        "Password of {:?} changed; its sessions and JWTs have ended.",
        user.username
    ));
    super::finish(app).await
}

/// The token alone on standard output, for scripts.
pub async fn create_token(context: Context, username: &str) -> Result<(), Failure> {
    let app = context.open(Opener::Command).await?;
    let user = users::find_by_username(&app, username)
        .await?
        .ok_or_else(|| unknown(username))?;
    let token = tokens::get_or_create_default(&app, &Actor::operator(), user.id).await?;
    say(token.key.expose());
    super::finish(app).await
}

pub fn unknown(username: &str) -> Failure {
    Failure::Said(format!("there is no user {username:?}"))
}

fn given(context: &Context) -> Result<(String, String, Password), Failure> {
    let var = |name: &str| context.env.get(&format!("LATCHKEY_SUPERUSER_{name}"));
    let needed = |name: &str| {
        var(name).cloned().ok_or_else(|| {
            Failure::Said(format!(
                "LATCHKEY_SUPERUSER_{name} is needed with --noinput"
            ))
        })
    };
    Ok((
        needed("USERNAME")?,
        var("EMAIL").cloned().unwrap_or_default(),
        Password::new(needed("PASSWORD")?),
    ))
}

fn asked() -> Result<(String, String, Password), Failure> {
    Ok((
        ask("Username: ")?,
        ask("E-mail (optional): ")?,
        ask_password()?,
    ))
}

fn ask(question: &str) -> Result<String, Failure> {
    let mut err = std::io::stderr();
    write!(err, "{question}")?;
    err.flush()?;
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line)? == 0 {
        return Err(Failure::Said(
            "nothing was typed; use --noinput in scripts".to_owned(),
        ));
    }
    Ok(line.trim().to_owned())
}

fn ask_password() -> Result<Password, Failure> {
    let first = Password::new(rpassword::prompt_password("Password: ")?);
    let second = Password::new(rpassword::prompt_password("Password again: ")?);
    if first == second {
        Ok(first)
    } else {
        Err(Failure::Said(
            "the two passwords do not match; nothing was changed".to_owned(),
        ))
    }
}
