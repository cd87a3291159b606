//! Removing files that no manifest names any more, once nobody reads by the one that did.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use crate::snapshot::MAX_TEXT;
use crate::{ArchiveError, Manifest, SegmentName, Settled, Store};

/// Where files are named after their segment.
const FOLDERS: [&str; 3] = ["certificates/", "handshakes/", "raw/"];

/// Removes what is named neither by the newest manifest nor by one that was the newest less than
/// `grace` before `now`; how many files that were. Also what a crash left: no manifest ever named
/// it. The caller is the one writer.
pub(crate) fn sweep(store: &Store, grace: Duration, now: SystemTime) -> Result<u64, ArchiveError> {
    let Some(kept) = kept(store, grace, now)? else { return Ok(0) };
    let mut removed = 0;
    for folder in FOLDERS {
        for entry in store.list(folder)? {
            let name = SegmentName::of_file(&entry.path);
            if name.is_some_and(|name| !kept.needs(name, folder)) {
                store.remove(&entry.path)?;
                removed += 1;
            }
        }
    }
    // They are what says that a file may go, so they go last.
    for path in &kept.old {
        store.remove(path)?;
        removed += 1;
    }
    Ok(removed)
}

struct Kept {
    settled: BTreeSet<SegmentName>,
    /// The last batch that is settled in all that are kept.
    last: u64,
    old: Vec<String>,
}

impl Kept {
    fn needs(&self, name: SegmentName, folder: &str) -> bool {
        let live = folder == "raw/" && name.first() == name.last() && name.first() > self.last;
        live || self.settled.contains(&name)
    }
}

/// `None` where the newest manifest is damaged: then nothing may go.
fn kept(store: &Store, grace: Duration, now: SystemTime) -> Result<Option<Kept>, ArchiveError> {
    let entries = store.list(Manifest::FOLDER)?;
    let mut entries: Vec<_> = entries
        .into_iter()
        .filter_map(|entry| Some((Manifest::version_of(&entry.path)?, entry)))
        .collect();
    entries.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    let mut kept = Kept { settled: BTreeSet::new(), last: 0, old: Vec::new() };
    if entries.is_empty() {
        return Ok(Some(kept));
    }
    let fresh = |at: SystemTime| at.checked_add(grace).is_none_or(|until| until > now);
    let mut followed = None;
    kept.last = u64::MAX;
    // Before the first there was none, and all was live.
    if entries.last().is_some_and(|(version, first)| *version == 1 && fresh(first.modified)) {
        kept.last = 0;
    }
    for (_, entry) in entries {
        if followed.is_none_or(fresh) {
            let text = store.read_at_most(&entry.path, MAX_TEXT)?;
            match Manifest::from_text(&text) {
                Some(manifest) => {
                    kept.last = kept.last.min(manifest.last());
                    kept.settled.extend(manifest.settled.iter().filter_map(Settled::name));
                }
                None if followed.is_none() => return Ok(None),
                None => {}
            }
        } else {
            kept.old.push(entry.path);
        }
        followed = Some(entry.modified);
    }
    Ok(Some(kept))
}
