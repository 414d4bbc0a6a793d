//! Whether the log is what was written: each event in its place, none missing, the checkpoints signed.
//! The same judgement for the database and for an exported file.

use std::fmt;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    AuditEvent, PublicKey,
    chain::{Hash, START, link},
    checkpoint::Checkpoint,
    seal::{BATCH, EVERY},
};
use crate::{
    app::App,
    clock::rfc3339,
    domain::paging::{Count, count_up_to},
    entity::{
        audit_checkpoint,
        audit_event::{Column, Entity},
    },
    error::{Error, Result},
};

/// The sealer never leaves more without a checkpoint.
const UNCOVERED: i64 = EVERY + BATCH.cast_signed();

/// A log without a flaw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intact {
    pub events: i64,
    /// The last one's, in hex; empty where there is none.
    pub hash: String,
    pub checkpoints: u64,
    /// The last event that a checkpoint covers; 0: none.
    pub covered: i64,
    /// Written, and not yet sealed: nothing is known of these.
    pub unsealed: Count,
}

/// What was found; the flaw names the first bad event.
pub type Verdict = Result<Intact, Flaw>;

/// The first thing that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw(pub(super) String);

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Judges events and checkpoints in the order of their places.
pub(super) struct Judge {
    key: PublicKey,
    seq: i64,
    hash: Hash,
    checkpoints: u64,
    covered: i64,
}

impl Judge {
    pub(super) fn new(key: PublicKey) -> Self {
        Self {
            key,
            seq: 0,
            hash: START,
            checkpoints: 0,
            covered: 0,
        }
    }

    pub(super) fn event(&mut self, event: &AuditEvent) -> Result<(), Flaw> {
        let expected = self.seq + 1;
        let name = || {
            let (id, action, at) = (event.id, &event.action, rfc3339(event.at));
            format!("(id {id}, {action}, {at})")
        };
        match event.seq {
            Some(seq) if seq == expected => {}
            Some(seq) if seq > expected + 1 => {
                let last = seq - 1;
                return Err(Flaw(format!("events #{expected} to #{last} are missing")));
            }
            Some(seq) if seq > expected => {
                return Err(Flaw(format!("event #{expected} is missing")));
            }
            _ => {
                return Err(Flaw(format!(
                    "there is an event {} where #{expected} should be",
                    name()
                )));
            }
        }
        let hash = link(&self.hash, expected, event);
        if event.hash.as_deref() != Some(&hash) {
            return Err(Flaw(format!(
                "event #{expected} {} is not what was sealed in that place",
                name()
            )));
        }
        self.seq = expected;
        self.hash = hash;
        self.is_covered()
    }

    /// One that covers the events up to the last one judged.
    pub(super) fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), Flaw> {
        let seq = checkpoint.seq;
        if checkpoint.key_id != self.key.id() {
            return Err(Flaw(format!(
                "the checkpoint at #{seq} names the key {}, not {}",
                checkpoint.key_id,
                self.key.id()
            )));
        }
        if !self.key.signed(checkpoint) {
            return Err(Flaw(format!(
                "the signature of the checkpoint at #{seq} is not good"
            )));
        }
        if seq > self.seq {
            return Err(Flaw(format!(
                "the log ends with #{}, and a checkpoint covers #{seq}: what came after was cut off",
                self.seq
            )));
        }
        if seq < self.seq || checkpoint.hash != self.hash {
            return Err(Flaw(format!(
                "the chain up to #{seq} is not the one that the checkpoint there signs"
            )));
        }
        self.checkpoints += 1;
        self.covered = seq;
        Ok(())
    }

    fn is_covered(&self) -> Result<(), Flaw> {
        if self.seq - self.covered <= UNCOVERED {
            return Ok(());
        }
        Err(Flaw(format!(
            "no checkpoint covers the events after #{}, and the server makes one every {EVERY}",
            self.covered
        )))
    }

    pub(super) fn end(self, unsealed: Count) -> Intact {
        let none = self.seq == 0;
        Intact {
            events: self.seq,
            hash: if none {
                String::new()
            } else {
                hex::encode(self.hash)
            },
            checkpoints: self.checkpoints,
            covered: self.covered,
            unsealed,
        }
    }
}

/// Judges the whole database as it is at this moment.
pub async fn verify(app: &App, key: PublicKey) -> Result<Verdict> {
    if !app.db.is_of_this_version().await? {
        let text = "the schema is not that of this version: run `latchkey migrate`";
        return Err(Error::Conflict(text.to_owned()));
    }
    let db = app.db.snapshot().await?;
    let verdict = judge(&db, key).await;
    db.rollback().await?;
    verdict
}

async fn judge<C: ConnectionTrait>(db: &C, key: PublicKey) -> Result<Verdict> {
    let mut judge = Judge::new(key);
    let outcome = walk(db, async |line| {
        Ok(match line {
            Line::Event(event) => judge.event(event),
            Line::Checkpoint(checkpoint) => judge.checkpoint(checkpoint),
        })
    });
    if let Err(flaw) = outcome.await? {
        return Ok(Err(flaw));
    }
    let waiting = Entity::find().filter(Column::Seq.is_null());
    let unsealed = count_up_to(db, waiting, Column::Id).await?;
    Ok(Ok(judge.end(unsealed)))
}

/// What the chain consists of.
pub(super) enum Line<'a> {
    Event(&'a AuditEvent),
    Checkpoint(&'a Checkpoint),
}

/// Sealed events in the order of their places, each followed by its checkpoint; what points nowhere comes
/// where its place would be. A page at a time, until `each` is told enough.
pub(super) async fn walk<C: ConnectionTrait, E>(
    db: &C,
    mut each: impl AsyncFnMut(Line<'_>) -> Result<Result<(), E>>,
) -> Result<Result<(), E>> {
    let mut checkpoints = Checkpoints::of(db).await?;
    let mut events = page(db, i64::MIN).await?;
    while let Some(last) = events.last().and_then(|event| event.seq) {
        for event in &events {
            let seq = event.seq.unwrap_or_default();
            // Of a place before this event, and after the one before.
            while let Some(checkpoint) = checkpoints.up_to(db, seq - 1).await? {
                if let Err(e) = each(Line::Checkpoint(&checkpoint)).await? {
                    return Ok(Err(e));
                }
            }
            if let Err(e) = each(Line::Event(event)).await? {
                return Ok(Err(e));
            }
        }
        events = page(db, last).await?;
    }
    while let Some(checkpoint) = checkpoints.up_to(db, i64::MAX).await? {
        if let Err(e) = each(Line::Checkpoint(&checkpoint)).await? {
            return Ok(Err(e));
        }
    }
    Ok(Ok(()))
}

async fn page<C: ConnectionTrait>(db: &C, after: i64) -> Result<Vec<AuditEvent>> {
    Ok(Entity::find()
        .filter(Column::Seq.gt(after))
        .order_by_asc(Column::Seq)
        .limit(BATCH)
        .all(db)
        .await?)
}

/// All checkpoints in order, a page in memory.
struct Checkpoints {
    page: std::collections::VecDeque<Checkpoint>,
    last: i64,
}

impl Checkpoints {
    async fn of<C: ConnectionTrait>(db: &C) -> Result<Self> {
        let mut all = Self {
            page: std::collections::VecDeque::new(),
            last: i64::MIN,
        };
        all.read(db).await?;
        Ok(all)
    }

    async fn read<C: ConnectionTrait>(&mut self, db: &C) -> Result<()> {
        let rows = audit_checkpoint::Entity::find()
            .filter(audit_checkpoint::Column::Seq.gt(self.last))
            .order_by_asc(audit_checkpoint::Column::Seq)
            .limit(BATCH)
            .all(db)
            .await?;
        self.last = rows.last().map_or(self.last, |row| row.seq);
        self.page = rows.into();
        Ok(())
    }

    /// The next one, if its place is not beyond this.
    async fn up_to<C: ConnectionTrait>(&mut self, db: &C, seq: i64) -> Result<Option<Checkpoint>> {
        if self.page.front().is_none_or(|next| next.seq > seq) {
            return Ok(None);
        }
        let next = self.page.pop_front();
        if self.page.is_empty() {
            self.read(db).await?;
        }
        Ok(next)
    }
}
