//! The log as lines of JSON that can be verified without the database: a head, events and checkpoints in the
//! order of their places, events that wait for theirs, an end.

use std::io::{BufRead, Write};

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};

use super::{
    AuditEvent, PublicKey, Verdict,
    checkpoint::Checkpoint,
    public_key,
    seal::BATCH,
    verify::{Flaw, Judge, Line, walk},
};
use crate::{
    app::App,
    domain::paging::Count,
    entity::audit_event::{Column, Entity},
    error::{Error, Result},
};

/// Raised when the lines change their form.
const VERSION: u32 = 1;

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    LatchkeyAudit(Head),
    Event(EventLine),
    Checkpoint(CheckpointLine),
    Unsealed(EventLine),
    End { events: i64, unsealed: u64 },
}

#[derive(Debug, Deserialize, Serialize)]
struct Head {
    version: u32,
    /// For whoever wonders which one it was; it proves nothing, as whoever forged the file could have
    /// written another.
    public_key: String,
}

#[derive(Debug, Deserialize, Serialize)]
struct EventLine {
    seq: Option<i64>,
    id: i64,
    at: i64,
    actor_id: Option<i64>,
    actor: String,
    via: String,
    action: String,
    object_type: String,
    object_id: Option<i64>,
    object: String,
    address: Option<String>,
    request_id: Option<String>,
    /// As text: the hash is of these very bytes.
    detail: String,
    failed: bool,
    hash: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
struct CheckpointLine {
    seq: i64,
    hash: String,
    at: i64,
    signature: String,
    key_id: String,
}

impl From<AuditEvent> for EventLine {
    fn from(event: AuditEvent) -> Self {
        Self {
            seq: event.seq,
            id: event.id,
            at: event.at,
            actor_id: event.actor_id,
            actor: event.actor,
            via: event.via,
            action: event.action,
            object_type: event.object_type,
            object_id: event.object_id,
            object: event.object,
            address: event.address,
            request_id: event.request_id,
            detail: event.detail,
            failed: event.failed,
            hash: event.hash.map(hex::encode),
        }
    }
}

impl EventLine {
    /// None where the hash is no hex.
    fn read(self) -> Option<AuditEvent> {
        let hash = self.hash.map(hex::decode).transpose().ok()?;
        Some(AuditEvent {
            id: self.id,
            at: self.at,
            actor_id: self.actor_id,
            actor: self.actor,
            via: self.via,
            action: self.action,
            object_type: self.object_type,
            object_id: self.object_id,
            object: self.object,
            address: self.address,
            request_id: self.request_id,
            detail: self.detail,
            failed: self.failed,
            seq: self.seq,
            hash,
        })
    }
}

impl CheckpointLine {
    fn of(checkpoint: &Checkpoint) -> Self {
        Self {
            seq: checkpoint.seq,
            hash: hex::encode(&checkpoint.hash),
            at: checkpoint.at,
            signature: hex::encode(&checkpoint.signature),
            key_id: checkpoint.key_id.clone(),
        }
    }

    fn read(self) -> Option<Checkpoint> {
        Some(Checkpoint {
            seq: self.seq,
            hash: hex::decode(self.hash).ok()?,
            at: self.at,
            signature: hex::decode(self.signature).ok()?,
            key_id: self.key_id,
        })
    }
}

/// Writes one moment of the log, which may be added to meanwhile. Returns how many events.
pub async fn export(app: &App, to: &mut impl Write) -> Result<u64> {
    if !app.db.is_of_this_version().await? {
        let text = "the schema is not that of this version: run `latchkey migrate`";
        return Err(Error::Conflict(text.to_owned()));
    }
    let head = Head {
        version: VERSION,
        public_key: public_key(&app.keys)?.to_string(),
    };
    write(to, &Written::LatchkeyAudit(head))?;
    let db = app.db.snapshot().await?;
    let mut events = 0;
    let written = walk(&db, async |line| {
        let line = match line {
            Line::Event(event) => {
                events += 1;
                Written::Event(event.clone().into())
            }
            Line::Checkpoint(checkpoint) => Written::Checkpoint(CheckpointLine::of(checkpoint)),
        };
        write(to, &line).map(Ok::<(), ()>)
    });
    // It never says "enough".
    let _all = written.await?;
    let unsealed = write_unsealed(&db, to).await?;
    db.rollback().await?;
    write(to, &Written::End { events, unsealed })?;
    to.flush().map_err(Error::internal)?;
    Ok(events.unsigned_abs() + unsealed)
}

async fn write_unsealed<C: ConnectionTrait>(db: &C, to: &mut impl Write) -> Result<u64> {
    let (mut after, mut written) = (i64::MIN, 0);
    loop {
        let rows = Entity::find()
            .filter(Column::Seq.is_null())
            .filter(Column::Id.gt(after))
            .order_by_asc(Column::Id)
            .limit(BATCH)
            .all(db)
            .await?;
        let Some(last) = rows.last() else {
            return Ok(written);
        };
        after = last.id;
        for event in rows {
            written += 1;
            write(to, &Written::Unsealed(event.into()))?;
        }
    }
}

/// Judges what `export` wrote.
pub fn verify_lines(from: impl BufRead, key: PublicKey) -> Result<Verdict> {
    let mut judge = Judge::new(key);
    let (mut unsealed, mut number) = (0, 0_u64);
    for line in from.lines() {
        number += 1;
        let flaw = |what: &str| Ok(Err(Flaw(format!("line {number} {what}"))));
        let Ok(line) = serde_json::from_str(&line.map_err(Error::internal)?) else {
            return flaw("is not what an export writes");
        };
        let judged = match line {
            Written::LatchkeyAudit(head) if number == 1 && head.version == VERSION => Ok(()),
            Written::LatchkeyAudit(_) => return flaw("is a head that does not belong there"),
            _ if number == 1 => return flaw("is not the head of an export"),
            Written::Event(line) => match line.read() {
                Some(event) => judge.event(&event),
                None => return flaw("is not what an export writes"),
            },
            Written::Checkpoint(line) => match line.read() {
                Some(checkpoint) => judge.checkpoint(&checkpoint),
                None => return flaw("is not what an export writes"),
            },
            Written::Unsealed(_) => {
                unsealed += 1;
                Ok(())
            }
            Written::End {
                events,
                unsealed: n,
            } => {
                let intact = judge.end(Count {
                    n: unsealed,
                    exact: true,
                });
                if (events, n) == (intact.events, unsealed) {
                    return Ok(Ok(intact));
                }
                return flaw("counts other events than there are: some were cut out");
            }
        };
        if let Err(Flaw(text)) = judged {
            return Ok(Err(Flaw(format!("line {number}: {text}"))));
        }
    }
    Ok(Err(Flaw(format!(
        "the file ends after line {number}: its end was cut off"
    ))))
}

fn write(to: &mut impl Write, line: &Written) -> Result<()> {
    serde_json::to_writer(&mut *to, line).map_err(Error::internal)?;
    to.write_all(b"\n").map_err(Error::internal)
}
