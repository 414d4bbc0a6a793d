//! The sample records, from a table with columns `id`, `name`, `roll` and `city`.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::{ID_MAX, OnConflict, Pass, Tally, source::ForeignStudent};
use crate::{
    checks::Affects,
    domain::{
        search,
        students::{self, Student, StudentInput},
    },
    entity::student::{Column, Entity},
    error::{Error, Result},
};

pub(super) const COLUMNS: &[&str] = &["id", "name", "roll", "city"];

impl Pass<'_> {
    pub(super) async fn students(&mut self, table: &str) -> Result<()> {
        let all = self.source.count(table).await?;
        self.report.students = Some(Tally::default());
        let mut after = i64::MIN;
        loop {
            let batch = self.source.students(table, after).await?;
            let Some(last) = batch.last() else { break };
            after = last.id;
            self.student_batch(batch).await?;
            let read = self.report.students.map_or(0, |tally| tally.read);
            (self.progress)("students", read, all);
        }
        Ok(())
    }

    async fn student_batch(&mut self, batch: Vec<ForeignStudent>) -> Result<()> {
        let mut tally = self.report.students.unwrap_or_default();
        tally.read += batch.len() as u64;
        let db = if self.writes {
            Some(self.app.db.begin().await?)
        } else {
            None
        };
        let there = match &db {
            Some(db) => there(db, &batch).await?,
            None => there(self.app.db.read(), &batch).await?,
        };
        let mut new = Vec::new();
        for row in batch {
            let id = row.id;
            if self.students_left_out.contains(&id) {
                tally.left_out += 1;
                continue;
            }
            match judge(row, &there) {
                Err(text) if self.writes && self.wanted.on_conflict == OnConflict::Abort => {
                    return Err(Error::Conflict(format!("{text} (since the check)")));
                }
                Err(text) => {
                    self.report.conflicts.add("students", text);
                    self.students_left_out.insert(id);
                    tally.left_out += 1;
                }
                Ok(None) => tally.there += 1,
                Ok(Some(student)) => {
                    self.last_student = self.last_student.max(id);
                    tally.new += 1;
                    new.push(student.into_active_model());
                }
            }
        }
        self.report.students = Some(tally);
        if let Some(db) = db.as_ref().filter(|_| !new.is_empty()) {
            Entity::insert_many(new).exec_without_returning(db).await?;
        }
        self.finish(db, Affects::Students).await
    }
}

async fn there<C: ConnectionTrait>(
    db: &C,
    batch: &[ForeignStudent],
) -> Result<HashMap<i64, Student>> {
    let ids = batch.iter().map(|row| row.id);
    let found = Entity::find().filter(Column::Id.is_in(ids)).all(db).await?;
    Ok(found
        .into_iter()
        .map(|student| (student.id, student))
        .collect())
}

/// The row to insert, or none where it is there; what is wrong with it otherwise.
fn judge(row: ForeignStudent, there: &HashMap<i64, Student>) -> Result<Option<Student>, String> {
    let id = row.id;
    let (Some(name), Some(roll), Some(city)) = (row.name, row.roll, row.city) else {
        return Err(format!("student {id}: a column is empty or cannot be read"));
    };
    let valid = students::valid(StudentInput { name, roll, city });
    let input = valid.map_err(|_| format!("student {id}: no valid name, roll or city"))?;
    if !(1..=ID_MAX).contains(&id) {
        return Err(format!("student {id}: no id that can be kept"));
    }
    let student = Student {
        id,
        search: search::text_of_student(&input.name, input.roll, &input.city),
        name: input.name,
        roll: input.roll,
        city: input.city,
        version: 1,
    };
    match there.get(&id) {
        None => Ok(Some(student)),
        Some(other) if is_same(other, &student) => Ok(None),
        Some(other) => Err(format!(
            "student {id} {:?}: the id is that of {:?} here",
            student.name, other.name
        )),
    }
}

fn is_same(one: &Student, other: &Student) -> bool {
    (&one.name, one.roll, &one.city) == (&other.name, other.roll, &other.city)
}
