//! What Mozilla's, Chrome's, Microsoft's and Apple's clients refuse, as they publish it.

use std::collections::BTreeMap;

use time::Date;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{
    CCADB, CRLSET, Inputs, MICROSOFT, Made, ONECRL, RefreshError, Report, not_older, plausible,
};
use crate::layout::{BlockList, BlockedKey, Sha256, Why};
use crate::read;
use crate::reports::crlset::{self, CrlSet};
use crate::reports::{ReportError, Status, ccadb, microsoft, onecrl, sha256};
use crate::text::blocklist_toml;

pub(super) fn onecrl(inputs: &Inputs<'_>) -> Result<Made, RefreshError> {
    made(inputs, inputs.report(&ONECRL, onecrl::from_bytes)?)
}

pub(super) fn crlset(inputs: &Inputs<'_>) -> Result<Made, RefreshError> {
    let set = inputs.report(&CRLSET, |bytes| crlset::from_bytes(bytes, crlset::COMPONENT))?;
    made(inputs, of_crlset(inputs, &set))
}

/// A set names issuers by key and Kua by name: only serial numbers of known roots can be told. Keys
/// that are bound to a subject are left out.
pub(super) fn of_crlset(inputs: &Inputs<'_>, set: &CrlSet) -> BlockList {
    let mut list = empty("CRLSet", "Chrome", inputs.day);
    let intercept =
        |key| set.known_interception.contains(key) || set.blocked_interception.contains(key);
    let refused = |key| set.blocked.contains(key) || set.blocked_interception.contains(key);
    let all = set.blocked.iter().chain(&set.blocked_interception).chain(&set.known_interception);
    for key in all {
        let words = (!refused(key)).then(|| "the browser warns and does not refuse".to_owned());
        let why = Why { interception: intercept(key), words, ..seen(inputs.day) };
        list.keys.insert(BlockedKey { spki_sha256: *key, subject: None }, why);
    }
    for root in inputs.roots.values() {
        let Ok((_, root)) = X509Certificate::from_der(&root.der) else { continue };
        let Some(serials) = set.revoked.get(&sha256(root.public_key().raw)) else { continue };
        let serials = serials.iter().map(|serial| (serial.clone(), Some(inputs.day)));
        let name = root.subject().as_raw().to_vec();
        list.issuers.entry(name).or_default().extend(serials);
    }
    list.issuers.retain(|_, serials| !serials.is_empty());
    list
}

pub(super) fn microsoft(inputs: &Inputs<'_>) -> Result<Made, RefreshError> {
    let roots = inputs.report(&MICROSOFT, microsoft::from_bytes)?;
    let statuses = roots.iter().map(|root| (root.sha256, root.status));
    statuses_made(inputs, "Microsoft", &MICROSOFT, &[Status::Disabled], &statuses.collect())
}

pub(super) fn apple(inputs: &Inputs<'_>) -> Result<Made, RefreshError> {
    let records = inputs.report(&CCADB, ccadb::from_bytes)?;
    let statuses = records.iter().map(|record| (record.sha256, record.apple));
    statuses_made(inputs, "Apple", &CCADB, &[Status::Blocked], &statuses.collect())
}

/// What a program refuses now, and what it once refused and has not taken back: reports leave out what
/// is long gone.
fn statuses_made(
    inputs: &Inputs<'_>,
    program: &str,
    report: &Report,
    refusing: &[Status],
    statuses: &BTreeMap<Sha256, Status>,
) -> Result<Made, RefreshError> {
    let mut list = empty(program, program, inputs.day);
    let refused = statuses.iter().filter(|(_, status)| refusing.contains(status));
    list.certificates.extend(refused.map(|(sha256, _)| (*sha256, seen(inputs.day))));
    if let Some(previous) = inputs.previous.map(read::block_list).transpose()? {
        let trusted = |sha256: &Sha256| {
            matches!(statuses.get(sha256), Some(Status::Included | Status::NotBefore))
        };
        let once = previous.certificates.into_iter().filter(|(sha256, _)| !trusted(sha256));
        list.certificates.extend(once);
        list.keys = previous.keys;
        list.issuers = previous.issuers;
    }
    match list.certificates.is_empty() {
        true => Err(RefreshError::BadReport {
            file: report.file,
            source: ReportError::Empty { what: "certificate that is blocked" },
        }),
        false => made(inputs, list),
    }
}

fn empty(list: &str, program: &str, date: Date) -> BlockList {
    BlockList {
        list: list.into(),
        programs: vec![program.into()],
        date,
        issuers: BTreeMap::new(),
        keys: BTreeMap::new(),
        certificates: BTreeMap::new(),
    }
}

/// Nobody says since when: it counts from the day on which it was first seen.
fn seen(day: Date) -> Why {
    Why { since: Some(day), ..Why::default() }
}

fn made(inputs: &Inputs<'_>, list: BlockList) -> Result<Made, RefreshError> {
    let previous = inputs.previous.map(read::block_list).transpose()?;
    let list = match previous {
        Some(previous) => dated(&previous, list)?,
        None => list,
    };
    Ok(Made { text: blocklist_toml(&list), ..Made::default() })
}

/// What was listed before keeps its day and words.
pub(super) fn dated(previous: &BlockList, mut list: BlockList) -> Result<BlockList, RefreshError> {
    not_older(Some(previous.date), list.date)?;
    let mut kept = 0;
    for (name, serials) in &mut list.issuers {
        for (serial, since) in serials {
            if let Some(known) = previous.issuers.get(name).and_then(|known| known.get(serial)) {
                kept += 1;
                *since = earlier(*known, *since);
            }
        }
    }
    let keys = list.keys.iter_mut().map(|(key, why)| (why, previous.keys.get(key)));
    let certificates = list.certificates.iter_mut();
    let certificates = certificates.map(|(name, why)| (why, previous.certificates.get(name)));
    for (why, known) in keys.chain(certificates) {
        let Some(known) = known else { continue };
        kept += 1;
        why.since = earlier(known.since, why.since);
        why.words = why.words.take().or_else(|| known.words.clone());
        why.interception |= known.interception;
    }
    let serials: usize = previous.issuers.values().map(BTreeMap::len).sum();
    let known = serials + previous.keys.len() + previous.certificates.len();
    plausible("blocked certificates", known, kept)?;
    list.programs.clone_from(&previous.programs);
    Ok(list)
}

/// No day means that it holds at any time.
fn earlier(known: Option<Date>, found: Option<Date>) -> Option<Date> {
    Some(known?.min(found?))
}
