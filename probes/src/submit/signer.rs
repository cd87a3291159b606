//! The key that signs this user's submissions: made on first use, another one every day and in every network.

use std::io;
use std::path::Path;

use aws_lc_rs::rand;
use data_encoding::{BASE64, HEXLOWER};
use kua::measurement::Vantage;
use kua::submission::SubmissionKey;
use kua::tlog::sha256;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Submission, directory};

/// The file that holds it.
const FILE: &str = "submission.key";

/// Longest key file that is read, in bytes.
const MAX_FILE: u64 = 4096;

#[derive(Serialize, Deserialize)]
struct Stored {
    /// The UTC day on which it was made.
    day: String,
    /// Where it is used, as the volunteer states it.
    network: String,
    /// Hexadecimal.
    seed: String,
}

/// Signs submissions.
#[derive(Debug)]
pub struct Signer(SubmissionKey);

impl Signer {
    /// The key of this day and network in `dir`; where there is none, a new one takes the place of the
    /// old, which nobody has any more.
    ///
    /// # Errors
    /// What the system said.
    pub fn open(dir: &Path, vantage: &Vantage, now: OffsetDateTime) -> io::Result<Self> {
        let day = now.date().to_string();
        let network = format!("{} AS{}", vantage.country, vantage.asn);
        let stored = directory::read(&dir.join(FILE), MAX_FILE)?;
        let stored: Option<Stored> = stored.and_then(|text| serde_json::from_slice(&text).ok());
        let stored = stored.filter(|stored| stored.day == day && stored.network == network);
        let seed = stored.and_then(|stored| HEXLOWER.decode(stored.seed.as_bytes()).ok());
        if let Some(seed) = seed.and_then(|seed| seed.try_into().ok()) {
            return key(&seed);
        }
        let mut seed = [0; 32];
        rand::fill(&mut seed).map_err(|_| io::Error::other("no random numbers"))?;
        let stored = Stored { day, network, seed: HEXLOWER.encode(&seed) };
        directory::make(dir)?;
        directory::write(dir, FILE, &serde_json::to_vec(&stored)?)?;
        key(&seed)
    }

    /// A record, signed.
    pub fn sign(&self, record: String) -> Submission {
        let signature = BASE64.encode(&self.0.sign(&sha256(record.as_bytes())));
        Submission { record, key: BASE64.encode(self.0.public()), signature, why: None }
    }
}

fn key(seed: &[u8; 32]) -> io::Result<Signer> {
    SubmissionKey::from_seed(seed).map(Signer).ok_or_else(|| io::Error::other("no key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_lives_for_a_day_in_one_network() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("below/kua");
        let at =
            |seconds: i64| OffsetDateTime::from_unix_timestamp(1_760_000_000 + seconds).unwrap();
        let vantage = |asn| Vantage { country: "KZ".into(), asn, network: "any".into() };
        let public = |asn, seconds| {
            Signer::open(&dir, &vantage(asn), at(seconds)).unwrap().sign("{}".into()).key
        };
        let first = public(9198, 0);
        assert_eq!(public(9198, 3600), first);
        let elsewhere = public(21299, 3600);
        assert_ne!(elsewhere, first);
        assert_eq!(public(21299, 7200), elsewhere);
        assert_ne!(public(9198, 7200), first, "the old one is gone");
        let today = public(9198, 7200);
        assert_ne!(public(9198, 24 * 3600), today);
        assert_ne!(public(9198, -24 * 3600), today);
        std::fs::write(dir.join(FILE), "torn").unwrap();
        public(9198, 0);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_reads_it() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("kua");
        Signer::open(&dir, &Vantage::default(), OffsetDateTime::UNIX_EPOCH).unwrap();
        assert_eq!(std::fs::metadata(dir.join(FILE)).unwrap().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(dir).unwrap().mode() & 0o777, 0o700);
    }
}
