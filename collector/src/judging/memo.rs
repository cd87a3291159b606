//! Counts that were asked for before: the same archive, version and scope have the same.

use kua::campaign::Tally;
use kua_archive::judged::{folder, packed, unpacked};
use kua_archive::{ArchiveError, FileHash};

use super::judge::Judging;
use super::tally::Counted;
use crate::scope::Scope;

/// The longest that is read, packed and unpacked.
const MAX_PACKED: u64 = 1 << 30;
const MAX_BYTES: usize = 2 << 30;

/// What is written of a count, after its hash.
#[derive(serde::Serialize, serde::Deserialize)]
struct Written {
    tally: Vec<u8>,
    out_of_scope: u64,
    damaged: u64,
    named: Vec<(u64, String)>,
}

impl Judging<'_> {
    /// What was counted of the same before; `None` where nothing was, or not all of it can be read.
    pub(super) fn recall(&self, scope: &Scope) -> Result<Option<Counted>, ArchiveError> {
        match self.snapshot.store().read_at_most(&self.path(scope), MAX_PACKED) {
            Ok(packed) => Ok(read(&packed)),
            Err(ArchiveError::Missing { .. } | ArchiveError::TooLong { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a count down; what was counted of an older state of the archive goes. Where nothing can
    /// be written, it is counted again the next time.
    pub(super) fn remember(&self, scope: &Scope, counted: &Counted) {
        let store = self.snapshot.store();
        let Some(bytes) = written(counted).filter(|_| self.options.keep) else { return };
        if store.put(&self.path(scope), bytes.into()).is_err() {
            return;
        }
        for entry in store.list(&self.shelf_of_counts()).unwrap_or_default() {
            if !entry.path.contains(&format!("/{}.", self.state())) {
                let _ = store.remove(&entry.path);
            }
        }
    }

    fn shelf_of_counts(&self) -> String {
        format!("{}reports/", folder(&self.version().id))
    }

    /// The archive's state: its manifest, and the last batch.
    fn state(&self) -> String {
        format!("{:012}-{:012}", self.snapshot.manifest().version, self.snapshot.last())
    }

    fn path(&self, scope: &Scope) -> String {
        let Scope { cc, since, until } = scope;
        let at = |moment: &Option<time::OffsetDateTime>| {
            moment.map(time::OffsetDateTime::unix_timestamp_nanos)
        };
        let asked = format!("{cc:?} {:?} {:?}", at(since), at(until));
        let asked = FileHash::of(asked.as_bytes()).to_string();
        format!("{}{}.{}.zst", self.shelf_of_counts(), self.state(), &asked[..16])
    }
}

fn written(counted: &Counted) -> Option<Vec<u8>> {
    let written = Written {
        tally: counted.tally.to_bytes()?,
        out_of_scope: counted.out_of_scope,
        damaged: counted.damaged,
        named: counted.named.clone(),
    };
    Some(packed(&postcard::to_stdvec(&written).ok()?))
}

fn read(bytes: &[u8]) -> Option<Counted> {
    let text = unpacked(bytes, MAX_BYTES)?;
    let written: Written = postcard::from_bytes(&text).ok()?;
    Some(Counted {
        tally: Tally::from_bytes(&written.tally)?,
        out_of_scope: written.out_of_scope,
        damaged: written.damaged,
        named: written.named,
    })
}
