//! What an event's hash is made of. Frozen: other bytes need another `VERSION`, and the old ones must go
//! on being verified. Told to others by docs/audit.md.

use sha2::{Digest, Sha256};

use super::AuditEvent;

pub(super) type Hash = [u8; 32];

/// What the first event follows.
pub(super) const START: Hash = [0; 32];
const VERSION: &str = "latchkey audit 1";

/// SHA-256 of the hash before and of all that the event says, at this place.
pub(super) fn link(previous: &Hash, seq: i64, event: &AuditEvent) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    for field in fields(seq, event) {
        field.write(|bytes| hasher.update(bytes));
    }
    hasher.finalize().into()
}

fn fields(seq: i64, event: &AuditEvent) -> [Field<'_>; 15] {
    [
        Field::Text(VERSION),
        Field::Number(seq),
        Field::Number(event.id),
        Field::Number(event.at),
        event.actor_id.map_or(Field::None, Field::Number),
        Field::Text(&event.actor),
        Field::Text(&event.via),
        Field::Text(&event.action),
        Field::Text(&event.object_type),
        event.object_id.map_or(Field::None, Field::Number),
        Field::Text(&event.object),
        event.address.as_deref().map_or(Field::None, Field::Text),
        event.request_id.as_deref().map_or(Field::None, Field::Text),
        Field::Text(&event.detail),
        Field::Flag(event.failed),
    ]
}

/// A letter for the type, the length in eight bytes, the bytes: no two lists of fields spell the same.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field<'a> {
    Number(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
    Flag(bool),
    None,
}

impl Field<'_> {
    pub(super) fn write(self, mut to: impl FnMut(&[u8])) {
        let mut put = |letter: u8, bytes: &[u8]| {
            to(&[letter]);
            to(&(bytes.len() as u64).to_be_bytes());
            to(bytes);
        };
        match self {
            Self::Number(n) => put(b'n', &n.to_be_bytes()),
            Self::Text(text) => put(b't', text.as_bytes()),
            Self::Bytes(bytes) => put(b'b', bytes),
            Self::Flag(flag) => put(b'f', &[u8::from(flag)]),
            Self::None => put(b'0', &[]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> AuditEvent {
        AuditEvent {
            id: 7,
            at: 1_795_435_200,
            actor_id: None,
            actor: "ann".to_owned(),
            via: "web".to_owned(),
            action: "token.created".to_owned(),
            object_type: "token".to_owned(),
            object_id: Some(3),
            object: "CI".to_owned(),
            address: None,
            request_id: Some("r".to_owned()),
            detail: "{}".to_owned(),
            failed: false,
            seq: None,
            hash: None,
        }
    }

    #[test]
    fn a_hash_stays_what_it_is() {
        // Worked out with another program from docs/audit.md.
        let known = "20235feefdf89afc3a88fba5734dd3bb442ed4ae4f254d36dcce6a9527b62cd5";
        assert_eq!(hex::encode(link(&START, 1, &event())), known);
    }

    #[test]
    fn every_field_its_place_and_what_stood_before_count() {
        let whole = link(&START, 1, &event());
        let mut others = vec![link(&[1; 32], 1, &event()), link(&START, 2, &event())];
        let changes: [fn(&mut AuditEvent); 13] = [
            |e| e.id = 8,
            |e| e.at += 1,
            |e| e.actor_id = Some(0),
            |e| e.actor.push('a'),
            |e| e.via.push('a'),
            |e| e.action.push('a'),
            |e| e.object_type.push('a'),
            |e| e.object_id = None,
            |e| e.object.push('a'),
            |e| e.address = Some(String::new()),
            |e| e.request_id = None,
            |e| e.detail.push(' '),
            |e| e.failed = true,
        ];
        for change in changes {
            let mut event = event();
            change(&mut event);
            others.push(link(&START, 1, &event));
        }
        // What moves from one field to the next does not go unseen.
        let mut moved = event();
        moved.actor = "an".to_owned();
        moved.via = "nweb".to_owned();
        others.push(link(&START, 1, &moved));
        others.push(whole);
        let count = others.len();
        others.sort_unstable();
        others.dedup();
        assert_eq!(others.len(), count);
    }
}
