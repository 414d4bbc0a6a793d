//! `/studentapi/`: read by any credential, changed by whoever has the permission, with DRF's verbs.

use std::{marker::PhantomData, sync::Arc};

use rocket::{
    Request, Route, State, delete, get,
    http::Status,
    patch, post, put,
    request::{FromRequest, Outcome},
    response::{self, Responder},
    routes,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::Answer;
use crate::{
    app::App,
    domain::{
        actor::Actor,
        scopes::Scope,
        students::{self, Student, StudentChanges, StudentInput},
    },
    error::{Error, Result},
    web::{
        body::{Body, Reader},
        error::{ApiError, Rejected, answer_json, reject},
        guards::{
            ApiAuth,
            api_auth::{self, StudentsRead},
            permission::{AddStudents, ChangeStudents, DeleteStudents, Permit},
        },
        negotiation::Acceptable,
    },
};

/// Mounted on both spellings of the address.
pub fn routes() -> Vec<Route> {
    routes![list, create, detail, replace, change, remove]
}

/// A credential of somebody who may do `P`, judged before the body is read.
struct MayWrite<P> {
    actor: Actor,
    permission: PhantomData<P>,
}

#[rocket::async_trait]
impl<'r, P: Permit> FromRequest<'r> for MayWrite<P> {
    type Error = Rejected;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Rejected> {
        let judged = api_auth::authenticate(req).await.and_then(|auth| {
            let actor = auth.may(Scope::StudentsWrite)?;
            actor.require(P::PERMISSION)?;
            Ok(Self {
                actor,
                permission: PhantomData,
            })
        });
        match judged {
            Ok(auth) => Outcome::Success(auth),
            Err(e) => reject(req, e),
        }
    }
}

#[derive(Serialize, JsonSchema)]
pub(super) struct StudentList {
    status: bool,
    data: Vec<StudentResponse>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct StudentResponse {
    id: i64,
    name: String,
    roll: i64,
    city: String,
}

impl From<Student> for StudentResponse {
    fn from(student: Student) -> Self {
        Self {
            id: student.id,
            name: student.name,
            roll: student.roll,
            city: student.city,
        }
    }
}

/// JSON that is written already.
struct Written(Arc<[u8]>);

impl<'r> Responder<'r, 'static> for Written {
    fn respond_to(self, req: &'r Request<'_>) -> response::Result<'static> {
        answer_json(req, Status::Ok, self.0)
    }
}

/// Asked most often of all: the answer is kept until a student changes.
#[get("/")]
async fn list(
    _as: Acceptable,
    _auth: ApiAuth<StudentsRead>,
    app: &State<App>,
) -> Result<Written, ApiError> {
    let checks = app.db.checks();
    if let Some(answer) = checks.find_students() {
        return Ok(Written(answer));
    }
    let stamp = checks.stamp();
    let students = students::all(app).await?;
    let list = StudentList {
        status: true,
        data: students.into_iter().map(StudentResponse::from).collect(),
    };
    let answer: Arc<[u8]> = serde_json::to_vec(&list).map_err(Error::internal)?.into();
    checks.keep_students(stamp, answer.clone());
    Ok(Written(answer))
}

#[post("/", data = "<body>")]
async fn create(
    _as: Acceptable,
    auth: MayWrite<AddStudents>,
    app: &State<App>,
    body: Body,
) -> Result<Answer<StudentResponse>, ApiError> {
    let input = whole(body.reader())?;
    let student = students::create(app, &auth.actor, input).await?;
    Ok(Answer(Status::Created, student.into()))
}

#[get("/<id>")]
async fn detail(
    _as: Acceptable,
    _auth: ApiAuth<StudentsRead>,
    id: &str,
    app: &State<App>,
) -> Result<Answer<StudentResponse>, ApiError> {
    Answer::ok(students::get(app, number(id)?).await?.into())
}

#[put("/<id>", data = "<body>")]
async fn replace(
    _as: Acceptable,
    auth: MayWrite<ChangeStudents>,
    id: &str,
    app: &State<App>,
    body: Body,
) -> Result<Answer<StudentResponse>, ApiError> {
    let id = number(id)?;
    students::get(app, id).await?;
    let input = whole(body.reader())?;
    Answer::ok(students::update(app, &auth.actor, id, input).await?.into())
}

/// Only what is named changes.
#[patch("/<id>", data = "<body>")]
async fn change(
    _as: Acceptable,
    auth: MayWrite<ChangeStudents>,
    id: &str,
    app: &State<App>,
    body: Body,
) -> Result<Answer<StudentResponse>, ApiError> {
    let id = number(id)?;
    students::get(app, id).await?;
    let mut read = body.reader();
    let changes = StudentChanges {
        name: read.optional_text("name"),
        roll: body.has("roll").then(|| read.integer("roll")),
        city: read.optional_text("city"),
        version: None,
    };
    read.finish()?;
    Answer::ok(
        students::change(app, &auth.actor, id, changes)
            .await?
            .into(),
    )
}

#[delete("/<id>")]
async fn remove(
    _as: Acceptable,
    auth: MayWrite<DeleteStudents>,
    id: &str,
    app: &State<App>,
) -> Result<Status, ApiError> {
    students::delete(app, &auth.actor, number(id)?).await?;
    Ok(Status::NoContent)
}

fn whole(mut read: Reader<'_>) -> Result<StudentInput> {
    let input = StudentInput {
        name: read.text("name"),
        roll: read.integer("roll"),
        city: read.text("city"),
    };
    read.finish()?;
    Ok(input)
}

fn number(id: &str) -> Result<i64> {
    id.parse().ok().filter(|id| *id > 0).ok_or(Error::NotFound)
}
