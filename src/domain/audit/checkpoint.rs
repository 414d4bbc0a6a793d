//! Checkpoints: the server's signature under the chain as it was at one event. Who has the database but not
//! the server secret cannot make one. When they are made is in `seal`.

use std::{fmt, str::FromStr};

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::chain::Field;
use crate::{
    entity::audit_checkpoint::Model,
    error::{Error, Result},
    keys::Keyring,
};

pub(super) type Checkpoint = Model;

const PURPOSE: &str = "latchkey audit checkpoint 1";

/// What verifies checkpoints. Prints as 64 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Its first eight bytes of SHA-256, in hex.
    pub fn id(&self) -> String {
        hex::encode(&Sha256::digest(self.0.as_bytes())[..8])
    }

    pub(super) fn signed(&self, checkpoint: &Checkpoint) -> bool {
        let Ok(signature) = Signature::from_slice(&checkpoint.signature) else {
            return false;
        };
        let message = message(checkpoint);
        self.0.verify_strict(&message, &signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0.as_bytes()))
    }
}

impl FromStr for PublicKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes)
            .map_err(|_| "a public key is 64 hex digits")?;
        VerifyingKey::from_bytes(&bytes)
            .map(Self)
            .map_err(|_| "these 64 digits are no Ed25519 key")
    }
}

/// What verifies the checkpoints that these keys sign.
pub fn public_key(keys: &Keyring) -> Result<PublicKey> {
    Ok(PublicKey(signing_key(keys)?.verifying_key()))
}

pub(super) fn sign(keys: &Keyring, seq: i64, hash: Vec<u8>, at: i64) -> Result<Checkpoint> {
    let key = signing_key(keys)?;
    let mut checkpoint = Checkpoint {
        seq,
        hash,
        at,
        signature: Vec::new(),
        key_id: PublicKey(key.verifying_key()).id(),
    };
    checkpoint.signature = key.sign(&message(&checkpoint)).to_vec();
    Ok(checkpoint)
}

/// The dalek key wipes itself when dropped.
fn signing_key(keys: &Keyring) -> Result<SigningKey> {
    SigningKey::try_from(keys.audit_seed().expose()).map_err(Error::internal)
}

fn message(checkpoint: &Checkpoint) -> Vec<u8> {
    let mut message = Vec::new();
    for field in [
        Field::Text(PURPOSE),
        Field::Number(checkpoint.seq),
        Field::Bytes(&checkpoint.hash),
        Field::Number(checkpoint.at),
        Field::Text(&checkpoint.key_id),
    ] {
        field.write(|bytes| message.extend_from_slice(bytes));
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_what_was_signed_and_for_the_one_who_signed() {
        let keys = Keyring::of("a server secret of sufficient length, one");
        let other = Keyring::of("a server secret of sufficient length, two");
        let key = public_key(&keys).unwrap();
        let good = sign(&keys, 5, vec![1; 32], 9).unwrap();
        assert!(key.signed(&good));
        assert_eq!(good.key_id, key.id());
        assert!(!public_key(&other).unwrap().signed(&good));
        let changes: [fn(&mut Checkpoint); 5] = [
            |c| c.seq = 6,
            |c| c.hash[0] = 0,
            |c| c.at = 8,
            |c| c.key_id.push('0'),
            |c| {
                c.signature.pop();
            },
        ];
        for change in changes {
            let mut bad = good.clone();
            change(&mut bad);
            assert!(!key.signed(&bad), "{bad:?}");
        }
        assert_eq!(key.to_string().parse(), Ok(key));
        assert!("00".parse::<PublicKey>().is_err());
    }
}
