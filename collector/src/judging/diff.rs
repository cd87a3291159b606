//! What changed between the judgements of two versions, and why.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kua_archive::judged::{JudgedFile, Version, files};
use kua_archive::tables::judgements::{Told, each};
use kua_archive::{Snapshot, Store};
use serde::Serialize;

use super::error::JudgingError;

/// What changed between two versions of judgements. Serialises as `kua.judgement-diff/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// `kua.judgement-diff/1`.
    pub schema: &'static str,
    /// The version that is compared with.
    pub old: Version,
    /// The version that is compared.
    pub new: Version,
    /// What one version is made with and the other is not.
    pub causes: Causes,
    /// Judgements that both have.
    pub compared: u64,
    /// Those that say the same.
    pub same: u64,
    /// Judgements that only the old version has.
    pub only_old: u64,
    /// Judgements that only the new version has.
    pub only_new: u64,
    /// What changed, most judgements first.
    pub changes: Vec<Change>,
}

/// In what two versions differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Causes {
    /// The code by which judgements are made.
    pub rules: bool,
    /// The control measurements.
    pub control: bool,
    /// Reference files that only the new version has.
    pub added: Vec<String>,
    /// Reference files that only the old version has.
    pub removed: Vec<String>,
    /// Reference files that hold something else.
    pub changed: Vec<String>,
}

/// What a judgement asserts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Asserted {
    /// The verdict.
    pub verdict: String,
    /// What kind of interceptor.
    pub actor: Option<String>,
    /// How sure.
    pub level: Option<String>,
    /// The dossier.
    pub interceptor: Option<String>,
}

/// Judgements that changed in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What the old version says.
    pub from: Asserted,
    /// What the new one says.
    pub to: Asserted,
    /// Findings that are new, as detector=level.
    pub appeared: Vec<String>,
    /// Findings that are gone.
    pub vanished: Vec<String>,
    /// How many judgements.
    pub judgements: u64,
    /// The first of them.
    pub example: Place,
}

/// Where a judgement is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Number of the record in the archive.
    pub record: u64,
    /// Which of its handshakes, from 0; null of a record that reached none.
    pub handshake: Option<u32>,
    /// The host that was meant.
    pub target: String,
    /// Country of the vantage point.
    pub cc: String,
    /// Its autonomous system.
    pub asn: u32,
}

/// All of a judgement that is compared, and what it counts by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Said {
    asserted: Asserted,
    findings: Option<String>,
    shape: [u8; 16],
}

impl Difference {
    /// Compares what is stored of two versions.
    ///
    /// # Errors
    /// [`JudgingError`].
    pub fn of(snapshot: &Snapshot, old: Version, new: Version) -> Result<Self, JudgingError> {
        let store = snapshot.store();
        let before = files(snapshot, &old.id)?;
        let after = files(snapshot, &new.id)?;
        let mut compared = Compared::default();
        for file in &after {
            compared.file(store, file, &before)?;
        }
        let all: u64 = before.iter().map(|file| file.judgements).sum();
        let mut changes: Vec<_> = compared.changes.into_values().collect();
        changes.sort_by(|left, right| {
            right.judgements.cmp(&left.judgements).then_with(|| left.example.cmp(&right.example))
        });
        Ok(Self {
            schema: "kua.judgement-diff/1",
            causes: Causes::of(&old, &new),
            old,
            new,
            compared: compared.both,
            same: compared.same,
            only_old: all.saturating_sub(compared.both),
            only_new: compared.only_new,
            changes,
        })
    }
}

#[derive(Default)]
struct Compared {
    both: u64,
    same: u64,
    only_new: u64,
    changes: BTreeMap<Kind, Change>,
}

type Kind = (Asserted, Asserted, Vec<String>, Vec<String>);

impl Compared {
    /// Compares a file of the new version with those of the old that hold the same records.
    fn file(
        &mut self,
        store: &Store,
        file: &JudgedFile,
        before: &[JudgedFile],
    ) -> Result<(), JudgingError> {
        let (first, last) = (file.before, file.before + file.records);
        let overlaps = |old: &&JudgedFile| old.before < last && first < old.before + old.records;
        let mut known: Vec<Said> = Vec::new();
        let mut numbers: HashMap<Said, u32> = HashMap::new();
        let mut old: HashMap<(u64, Option<u32>), u32> = HashMap::new();
        for other in before.iter().filter(overlaps) {
            rows(store, other, |told| {
                if (first..last).contains(&told.record.saturating_sub(1)) {
                    let said = Said::of(&told);
                    let number = *numbers.entry(said.clone()).or_insert_with(|| {
                        known.push(said);
                        known.len() as u32 - 1
                    });
                    old.insert((told.record, told.handshake), number);
                }
            })?;
        }
        rows(store, file, |told| {
            let place = (told.record, told.handshake);
            let said = old.get(&place).and_then(|number| known.get(*number as usize));
            match said {
                None => self.only_new += 1,
                Some(said) => self.pair(said, &told),
            }
        })
    }

    fn pair(&mut self, old: &Said, told: &Told) {
        let new = Said::of(told);
        self.both += 1;
        if *old == new {
            self.same += 1;
            return;
        }
        let (left, right) = (findings(old), findings(&new));
        let only = |some: &BTreeSet<&str>, others: &BTreeSet<&str>| -> Vec<String> {
            some.difference(others).map(|found| (*found).to_owned()).collect()
        };
        let (appeared, vanished) = (only(&right, &left), only(&left, &right));
        let example = Place {
            record: told.record,
            handshake: told.handshake,
            target: told.row.target.clone(),
            cc: told.row.country.clone(),
            asn: told.row.asn,
        };
        let kind = (old.asserted.clone(), new.asserted.clone(), appeared.clone(), vanished.clone());
        let change = self.changes.entry(kind).or_insert_with(|| Change {
            from: old.asserted.clone(),
            to: new.asserted.clone(),
            appeared,
            vanished,
            judgements: 0,
            example: example.clone(),
        });
        change.judgements += 1;
        if example < change.example {
            change.example = example;
        }
    }
}

impl Said {
    fn of(told: &Told) -> Self {
        Self {
            asserted: Asserted {
                verdict: told.verdict.clone(),
                actor: told.actor.clone(),
                level: told.level.clone(),
                interceptor: told.interceptor.clone(),
            },
            findings: told.findings.clone(),
            shape: told.shape.0,
        }
    }
}

fn findings(said: &Said) -> BTreeSet<&str> {
    said.findings.as_deref().unwrap_or_default().split_whitespace().collect()
}

fn rows(store: &Store, file: &JudgedFile, mut visit: impl FnMut(Told)) -> Result<(), JudgingError> {
    let bytes = store.read(&file.path)?;
    let read = each(bytes, |told| {
        visit(told);
        Ok(())
    });
    read.map_err(|source| JudgingError::Table { path: file.path.clone(), source })
}

impl Causes {
    fn of(old: &Version, new: &Version) -> Self {
        let files = |version: &Version| -> BTreeMap<String, String> {
            version.files.iter().cloned().collect()
        };
        let (before, after) = (files(old), files(new));
        let only = |some: &BTreeMap<String, String>, others: &BTreeMap<String, String>| {
            some.keys().filter(|path| !others.contains_key(*path)).cloned().collect()
        };
        let changed = after
            .iter()
            .filter(|(path, hash)| before.get(*path).is_some_and(|known| known != *hash));
        Self {
            rules: old.rules != new.rules,
            control: old.control != new.control,
            added: only(&after, &before),
            removed: only(&before, &after),
            changed: changed.map(|(path, _)| path.clone()).collect(),
        }
    }
}
