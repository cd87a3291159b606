//! One settled segment: what is damaged of its files, made again from its records.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use data_encoding::BASE64;
use kua::chain::{Certificate, Chain, Fingerprint};

use super::Repairing;
use crate::certificates::{MAX_FILE, hash_of};
use crate::check::hash;
use crate::condense::{named_in, restore};
use crate::segment::{Line, Reader};
use crate::settle::{Parts, Settling, TableFiles};
use crate::tables::certificates;
use crate::{
    ArchiveError, Damage, FileHash, Inventory, Manifest, Record, RecordHash, SegmentName, Settled,
    Snapshot, scan,
};

impl Repairing<'_> {
    /// Makes again what is damaged of a segment's files; what the manifest is to say of it now,
    /// where that is something else than before.
    pub(super) fn segment(
        &mut self,
        manifest: &Manifest,
        at: usize,
    ) -> Result<Option<Settled>, ArchiveError> {
        let settled = &manifest.settled[at];
        let Some(name) = settled.name() else { return Ok(None) };
        let mut now = settled.clone();
        match hash(self.store, &name.raw()) {
            Ok(there) if there == (settled.bytes, settled.sha256) => {}
            Ok(_) => {
                now.records = self.footer(name)?;
                (now.bytes, now.sha256) = hash(self.store, &name.raw())?;
            }
            Err(ArchiveError::Missing { .. }) => {
                let what = format_args!("it is gone, with {} records", settled.records);
                self.lost(&name.raw(), what);
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
        let snapshot = Snapshot::of(self.store, manifest.clone())?;
        let inventory = match snapshot.inventory(settled) {
            Ok(inventory) => Some(inventory),
            Err(ArchiveError::Damaged { .. } | ArchiveError::Missing { .. }) => None,
            Err(error) => return Err(error),
        };
        let damaged = match &inventory {
            Some(inventory) => self.damaged(inventory)?,
            None => Vec::new(),
        };
        if inventory.is_some() && damaged.is_empty() && now == *settled {
            return Ok(None);
        }
        let before = manifest.settled[..at].iter().map(|settled| settled.records).sum();
        let lost = inventory.is_none();
        let remaking = Remaking { snapshot: &snapshot, name, before, inventory, damaged };
        let inventory = remaking.inventory(self)?;
        let text = inventory.to_text();
        now.records = inventory.records;
        now.inventory = FileHash::of(text.as_bytes());
        if lost || now.inventory != settled.inventory {
            self.store.put(&name.inventory(), text.into())?;
            self.mended(&name.inventory(), "made again");
        }
        Ok((now != *settled).then_some(now))
    }

    /// The files that are not as they were written.
    fn damaged(&self, inventory: &Inventory) -> Result<Vec<String>, ArchiveError> {
        let mut damaged = Vec::new();
        for file in &inventory.files {
            match hash(self.store, &file.path) {
                Ok(there) if there == (file.bytes, file.sha256) => {}
                Ok(_) | Err(ArchiveError::Missing { .. }) => damaged.push(file.path.clone()),
                Err(error) => return Err(error),
            }
        }
        Ok(damaged)
    }
}

struct Remaking<'a> {
    snapshot: &'a Snapshot,
    name: SegmentName,
    /// How many records lie before it.
    before: u64,
    inventory: Option<Inventory>,
    damaged: Vec<String>,
}

impl Remaking<'_> {
    fn inventory(self, repairing: &mut Repairing<'_>) -> Result<Inventory, ArchiveError> {
        let store = repairing.store;
        let path = self.name.certificates();
        let all = self.inventory.is_none();
        let pack = all || self.damaged.contains(&path);
        let tables = all || self.damaged.iter().any(|file| file.starts_with("handshakes/"));
        let mut own = self.sound_certificates()?;
        let mut files = TableFiles::new(self.name);
        let mut put = |path: &str, bytes| store.put(path, bytes);
        let mut settling = Settling { store, put: &mut put, first_seen: &mut |_| Ok(None) };
        let mut needs: BTreeSet<u64> =
            self.inventory.iter().flat_map(|inventory| inventory.needs.iter().copied()).collect();
        if pack {
            let lost = self.complete(&mut own, &mut needs)?;
            // A segment may have had none of its own.
            if !own.is_empty() || !lost.is_empty() {
                files.certificates(&mut settling, &own)?;
                repairing.mended(&path, "made again");
            }
            for name in lost {
                let what = "is nowhere else, and records that hold it cannot be given back";
                repairing.lost(&path, format_args!("certificate {name} {what}"));
            }
        } else {
            self.carry(&mut files, "certificates/");
        }
        let mut records = self.inventory.as_ref().map_or(0, |inventory| inventory.records);
        if tables {
            let (parts, count) = self.parts(&own, &needs)?;
            records = count;
            self.write_tables(repairing, &mut files, &mut settling, parts)?;
        } else {
            self.carry(&mut files, "handshakes/");
        }
        Ok(files.into_inventory(records, needs))
    }

    fn carry(&self, files: &mut TableFiles, folder: &str) {
        let all = self.inventory.iter().flat_map(|inventory| &inventory.files);
        all.filter(|file| file.path.starts_with(folder)).cloned().for_each(|file| files.add(file));
    }

    fn write_tables(
        &self,
        repairing: &mut Repairing<'_>,
        files: &mut TableFiles,
        settling: &mut Settling<'_>,
        parts: Parts,
    ) -> Result<(), ArchiveError> {
        let failed = |source| ArchiveError::Table { path: "handshakes".into(), source };
        let mut made = BTreeSet::new();
        for file in parts.into_files().map_err(failed)? {
            let file = file.map_err(failed)?;
            let path = self.name.handshakes(file.partition);
            files.handshakes(settling, file)?;
            if self.inventory.is_none() || self.damaged.contains(&path) {
                repairing.mended(&path, "made again");
            }
            made.insert(path);
        }
        for entry in repairing.store.list("handshakes/")? {
            let own = SegmentName::of_file(&entry.path) == Some(self.name);
            if own && !made.contains(&entry.path) {
                repairing.store.remove(&entry.path)?;
            }
        }
        Ok(())
    }

    /// What its file of certificates still holds.
    fn sound_certificates(&self) -> Result<BTreeMap<Fingerprint, Certificate>, ArchiveError> {
        match self.snapshot.store().read_at_most(&self.name.certificates(), MAX_FILE) {
            Ok(file) => Ok(certificates::read(&file).map(|read| read.0).unwrap_or_default()),
            Err(ArchiveError::Missing { .. }) => Ok(BTreeMap::new()),
            Err(error) => Err(error),
        }
    }

    /// Looks elsewhere for certificates that its own file should hold; the names of those that are
    /// nowhere.
    fn complete(
        &self,
        own: &mut BTreeMap<Fingerprint, Certificate>,
        needs: &mut BTreeSet<u64>,
    ) -> Result<Vec<Fingerprint>, ArchiveError> {
        let mut wanted = BTreeSet::new();
        if let Ok(file) = self.snapshot.store().read_at_most(&self.name.certificates(), MAX_FILE) {
            wanted.extend(certificates::names(&file).unwrap_or_default());
        }
        let mut reader = Reader::open(self.snapshot.store(), &self.name.raw())?;
        while let Some(part) = reader.next_part()? {
            wanted.extend(part.lines().flatten().flat_map(|line| named_in(line.text)));
        }
        wanted.retain(|name| !own.contains_key(name));
        let others = self.others();
        let older = others.iter().filter(|other| other.first() < self.name.first());
        let mut lost = BTreeSet::new();
        for name in wanted {
            // One that lies in an older file was never in this one.
            let mut holding = None;
            for other in older.clone() {
                if holding.is_none() && self.holds(*other, name)? {
                    holding = Some(other.first());
                }
            }
            if let Some(first) = holding {
                needs.insert(first);
            } else if let Some(found) = self.elsewhere(&others, name)? {
                own.insert(name, found);
            } else {
                lost.insert(name);
            }
        }
        self.look_in_live(&mut lost, own)?;
        Ok(lost.into_iter().collect())
    }

    fn others(&self) -> Vec<SegmentName> {
        let settled = self.snapshot.manifest().settled.iter().rev();
        settled.filter_map(Settled::name).filter(|name| *name != self.name).collect()
    }

    fn holds(&self, segment: SegmentName, name: Fingerprint) -> Result<bool, ArchiveError> {
        self.snapshot.packs().holds(segment, name, |segment| hash_of(self.snapshot, segment))
    }

    fn elsewhere(
        &self,
        others: &[SegmentName],
        name: Fingerprint,
    ) -> Result<Option<Certificate>, ArchiveError> {
        let hash_of = |segment| hash_of(self.snapshot, segment);
        match self.snapshot.packs().text(others, name, hash_of) {
            Ok(text) => {
                let der = BASE64.decode(&text).unwrap_or_default();
                Ok(Certificate::from_bytes(&der).ok().filter(|one| one.fingerprint() == name))
            }
            Err(Damage::BrokenOff { error }) => Err(*error),
            Err(_) => Ok(None),
        }
    }

    /// Records that are not settled still hold their certificates.
    fn look_in_live(
        &self,
        lost: &mut BTreeSet<Fingerprint>,
        own: &mut BTreeMap<Fingerprint, Certificate>,
    ) -> Result<(), ArchiveError> {
        let live = self.snapshot.segments().iter().filter(|segment| !segment.settled);
        for segment in live.filter(|segment| segment.bytes > 0) {
            if lost.is_empty() {
                return Ok(());
            }
            for record in self.snapshot.records(segment)?.flatten() {
                let Ok(measurement) = scan::measurement(&record) else { continue };
                let chains = measurement.handshakes.iter().filter_map(|one| one.chain.as_ref());
                for certificate in chains.flat_map(Chain::certificates) {
                    if lost.remove(&certificate.fingerprint()) {
                        own.insert(certificate.fingerprint(), certificate.clone());
                    }
                }
            }
        }
        Ok(())
    }

    /// The rows of its records, and how many records it holds.
    fn parts(
        &self,
        own: &BTreeMap<Fingerprint, Certificate>,
        needs: &BTreeSet<u64>,
    ) -> Result<(Parts, u64), ArchiveError> {
        let failed = |source| ArchiveError::Table { path: "handshakes".into(), source };
        let needed = needs
            .iter()
            .rev()
            .filter_map(|batch| self.snapshot.manifest().covering(*batch)?.name());
        let needed: Vec<_> = needed.collect();
        let mut parts = Parts::default();
        let mut records = 0;
        let mut reader = Reader::open(self.snapshot.store(), &self.name.raw())?;
        while let Some(part) = reader.next_part()? {
            for (number, line) in (1..).zip(part.lines()) {
                let record = line.ok().and_then(|line| self.record(&line, own, &needed));
                if let Some(record) = record
                    && let Ok(measurement) = scan::measurement(&record)
                {
                    let rows = parts.rows().map_err(failed)?;
                    let number = self.before + records + number;
                    rows.add(number, *record.hash.as_bytes(), &measurement);
                }
            }
            records += part.records;
        }
        Ok((parts, records))
    }

    fn record(
        &self,
        line: &Line<'_>,
        own: &BTreeMap<Fingerprint, Certificate>,
        needed: &[SegmentName],
    ) -> Option<Record> {
        let mut raw = line.with_line_feeds();
        if RecordHash::of(&raw) != line.hash {
            let hash_of = |segment| hash_of(self.snapshot, segment);
            let restored: Result<_, Damage> = restore(&raw, |name| match own.get(&name) {
                Some(own) => Ok(Arc::from(BASE64.encode(own.der()).into_bytes())),
                None => self.snapshot.packs().text(needed, name, hash_of),
            });
            raw = restored.ok()?;
        }
        let receipt = line.receipt().ok().flatten();
        let sound = RecordHash::of(&raw) == line.hash;
        sound.then_some(Record { hash: line.hash, receipt, raw })
    }
}
