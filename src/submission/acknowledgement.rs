//! A collector's signed word that it keeps a record.

use data_encoding::HEXLOWER;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::moment::rfc3339;
use crate::tlog::{Entry, Hash, Note, SigningKey, TlogError, VerifyingKey};

/// The first line: what the text is. No log may be called so.
const HEADER: &str = "kua.receipt/1";

/// What a collector says of a record that it has made durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The log that the record is or will be in.
    pub log: String,
    /// SHA-256 of the record as it was sent.
    pub submitted: Hash,
    /// SHA-256 of the record as it is kept: another one where the sender's address was taken out.
    pub kept: Hash,
    /// The name that the collector gave it.
    pub uid: String,
    /// When it came, in whole seconds.
    pub received: OffsetDateTime,
    /// SHA-256 of its receipt's text in the archive; of a record that came before, the collector need not
    /// say it, and the log does.
    pub receipt: Option<Hash>,
    /// Its number in the archive and in the log, from 0: a promise, until the log is that long.
    pub index: u64,
}

impl Acknowledgement {
    /// Whether the log's entry is of this record and this receipt.
    pub fn is_of(&self, entry: &Entry) -> bool {
        entry.record == self.kept && (self.receipt.is_none() || self.receipt == entry.receipt)
    }

    /// Signs it with the key of the log.
    pub fn sign(&self, key: &SigningKey) -> Note {
        key.sign(&self.text())
    }

    /// Reads a signed acknowledgement of the log with this key.
    ///
    /// # Errors
    /// Bytes that are none, and one that this log did not sign.
    pub fn open(bytes: &[u8], key: &VerifyingKey) -> Result<Self, TlogError> {
        let note = Note::parse(bytes)?;
        key.verify(&note)?;
        let malformed =
            TlogError::Malformed { what: "receipt", reason: "a line is missing or another" };
        let read = Self::parse(&note.text).ok_or(malformed)?;
        if read.log != key.name() {
            let expected = key.name().to_owned();
            return Err(TlogError::AnotherLog { expected, found: read.log });
        }
        Ok(read)
    }

    fn text(&self) -> String {
        let hex = |hash: &Hash| HEXLOWER.encode(hash);
        let receipt = self.receipt.as_ref().map_or_else(|| "-".to_owned(), hex);
        format!(
            "{HEADER}\nlog {}\nsubmitted {}\nkept {}\nuid {}\ntime {}\nreceipt {receipt}\nindex {}\n",
            self.log,
            hex(&self.submitted),
            hex(&self.kept),
            self.uid,
            rfc3339(self.received),
            self.index,
        )
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let mut field = |name: &str| lines.next()?.strip_prefix(name);
        let hash = |text: &str| HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok();
        field(HEADER)?;
        let read = Self {
            log: field("log ")?.to_owned(),
            submitted: hash(field("submitted ")?)?,
            kept: hash(field("kept ")?)?,
            uid: field("uid ")?.to_owned(),
            received: OffsetDateTime::parse(field("time ")?, &Rfc3339).ok()?,
            receipt: match field("receipt ")? {
                "-" => None,
                text => Some(hash(text)?),
            },
            index: field("index ")?.parse().ok()?,
        };
        // One way of writing each; nothing may follow.
        (read.text() == text).then_some(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlog::Checkpoint;

    fn acknowledgement() -> Acknowledgement {
        Acknowledgement {
            log: "collector.example/log".into(),
            submitted: [1; 32],
            kept: [2; 32],
            uid: "20251009085320.000001_KZ_kua_0123456789abcdef".into(),
            received: OffsetDateTime::from_unix_timestamp(1_760_000_000).unwrap(),
            receipt: Some([3; 32]),
            index: 41,
        }
    }

    #[test]
    fn what_is_signed_is_read_again() {
        let key = SigningKey::from_seed("collector.example/log", &[9; 32]).unwrap();
        let least = Acknowledgement { receipt: None, ..acknowledgement() };
        for made in [acknowledgement(), least] {
            let note = made.sign(&key).to_string();
            assert_eq!(Acknowledgement::open(note.as_bytes(), key.public()), Ok(made));
        }
    }

    #[test]
    fn what_is_not_believed() {
        let key = SigningKey::from_seed("collector.example/log", &[9; 32]).unwrap();
        let same_name = SigningKey::from_seed("collector.example/log", &[8; 32]).unwrap();
        let other = SigningKey::from_seed("other.example", &[9; 32]).unwrap();
        let good = acknowledgement();
        let checkpoint =
            Checkpoint { origin: "collector.example/log".into(), size: 42, root: [4; 32] };
        for (case, note) in [
            ("another key", good.sign(&same_name).to_string()),
            ("another log", good.sign(&other).to_string()),
            ("changed after signing", good.sign(&key).to_string().replace("index 41", "index 40")),
            ("a checkpoint", checkpoint.sign(&key).to_string()),
            ("a line more", key.sign(&(good.text() + "more 1\n")).to_string()),
            ("a line less", key.sign(good.text().trim_end_matches("index 41\n")).to_string()),
            ("a zero more", key.sign(&good.text().replace("x 41", "x 041")).to_string()),
        ] {
            assert!(Acknowledgement::open(note.as_bytes(), key.public()).is_err(), "{case}");
        }
        let as_checkpoint = Checkpoint::open(good.sign(&key).to_string().as_bytes(), key.public());
        assert!(as_checkpoint.is_err(), "a receipt is no checkpoint");
    }
}
