//! What an answer is not about yet: records that were received since tables were last made.

use kua_archive::{Place, Snapshot};

use super::say;

/// Says how many batches no table has yet, and what adds them.
pub(super) fn note(place: &Place, snapshot: &Snapshot) {
    let live = snapshot.segments().iter().filter(|segment| !segment.settled).count();
    if live > 0 {
        let batches = if live == 1 { "batch is" } else { "batches are" };
        say(&format!("note: {live} {batches} not in the tables yet"));
        say(&format!("note: kua-collector compact --archive {place} adds them"));
    }
}
