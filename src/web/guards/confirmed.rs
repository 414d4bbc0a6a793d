//! The form of a dangerous act: whoever sends it has shown the password within the last minutes.

use std::ops::Deref;

use rocket::{
    Data, Request,
    data::{FromData, Outcome},
};

use super::csrf::CsrfForm;
use crate::web::error::Rejected;

/// A `CsrfForm` of somebody whose password was asked for lately.
#[derive(Debug)]
pub struct ConfirmedForm(CsrfForm);

impl Deref for ConfirmedForm {
    type Target = CsrfForm;

    fn deref(&self) -> &CsrfForm {
        &self.0
    }
}

#[rocket::async_trait]
impl<'r> FromData<'r> for ConfirmedForm {
    type Error = Rejected;

    async fn from_data(req: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        CsrfForm::from_data(req, data).await.map(Self)
    }
}
