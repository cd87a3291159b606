//! Who was promised what: records by hash, those sent and those acknowledged.

use std::collections::BTreeMap;

use kua_archive::RecordHash;

/// Records that were sent, and whether they were acknowledged.
#[derive(Debug, Default)]
pub struct Ledger(BTreeMap<RecordHash, bool>);

impl Ledger {
    /// Records may be there from now on.
    pub fn sent<'a>(&mut self, records: impl IntoIterator<Item = &'a String>) {
        for record in records {
            self.0.entry(RecordHash::of(record.as_bytes())).or_default();
        }
    }

    /// Records must be there from now on.
    pub fn acknowledge<'a>(&mut self, records: impl IntoIterator<Item = &'a String>) {
        for record in records {
            self.0.insert(RecordHash::of(record.as_bytes()), true);
        }
    }

    /// How many must be there.
    pub fn acknowledged(&self) -> u64 {
        self.0.values().filter(|acknowledged| **acknowledged).count() as u64
    }

    /// Compares with what is there: each acknowledged record once, none twice, none that nobody sent.
    ///
    /// # Errors
    /// The first that is not so.
    pub fn compare(&self, found: &BTreeMap<RecordHash, u64>) -> Result<(), String> {
        for (hash, times) in found {
            match self.0.get(hash) {
                None => return Err(format!("record {hash} is there, and nobody sent it")),
                Some(_) if *times > 1 => {
                    return Err(format!("record {hash} is there {times} times"));
                }
                Some(_) => {}
            }
        }
        for hash in self.0.iter().filter_map(|(hash, must)| must.then_some(hash)) {
            if !found.contains_key(hash) {
                return Err(format!("record {hash} was acknowledged and is not there"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_doubled_or_nobodys_is_seen() {
        let records: Vec<String> = ["a", "b", "c"].map(String::from).into();
        let mut ledger = Ledger::default();
        ledger.sent(&records);
        ledger.acknowledge(&records[..1]);
        let hash = |text: &str| RecordHash::of(text.as_bytes());
        for (case, found, well) in [
            ("the acknowledged one", vec![("a", 1)], true),
            ("one more that was sent", vec![("a", 1), ("b", 1)], true),
            ("nothing", vec![], false),
            ("twice", vec![("a", 2)], false),
            ("one that nobody sent", vec![("a", 1), ("d", 1)], false),
        ] {
            let found = found.into_iter().map(|(text, times)| (hash(text), times)).collect();
            assert_eq!(ledger.compare(&found).is_ok(), well, "{case}");
        }
    }
}
