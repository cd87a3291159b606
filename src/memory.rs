//! What was worked out of a chain, so that a chain that comes again is not worked out again.
//!
//! An archive shows few chains many times: one interceptor has one intermediate, one site one leaf.
//! What is remembered depends on nothing but its key and the reference, so a judgement is the same
//! with and without a memory. It holds a bounded number of chains, and forgets the oldest first.

use std::collections::HashMap;

use time::OffsetDateTime;

use crate::chain::{Certificate, Chain, Fingerprint, KeyHash};
use crate::ct::{self, Checked};
use crate::path::{Path, path};
use crate::reference::Reference;
use crate::trust::{Anchor, Refusal, TrustStore, accepting};

/// What each root program says of a chain.
pub type Answers<'a> = Vec<(&'a TrustStore, Result<&'a Anchor, Refusal>)>;

/// Chains that a memory holds unless it is told otherwise: some tens of megabytes.
const ROOM: usize = 8192;

/// The longest chain, in certificates and bytes, and the longest name that are worth it. Others are
/// worked out each time, so that no peer decides how much is kept.
const MAX_CERTIFICATES: usize = 16;
const MAX_BYTES: usize = 32 * 1024;
const MAX_NAME: usize = 253;

/// What was worked out with one reference.
#[derive(Debug)]
pub struct Memory<'a> {
    reference: &'a Reference,
    paths: Shelf<Path>,
    answers: Shelf<Answers<'a>>,
    scts: Shelf<Vec<Checked<'a>>>,
}

impl<'a> Memory<'a> {
    /// A memory for judgements with `reference`.
    pub fn new(reference: &'a Reference) -> Self {
        Self::with_room(reference, ROOM)
    }

    /// The same for `chains` chains; for none it remembers nothing.
    pub fn with_room(reference: &'a Reference, chains: usize) -> Self {
        let (paths, answers, scts) = (Shelf::new(chains), Shelf::new(chains), Shelf::new(chains));
        Self { reference, paths, answers, scts }
    }

    /// The reference that judgements are made with.
    pub fn reference(&self) -> &'a Reference {
        self.reference
    }

    /// Who signed whom, as far as the chain and the reference tell.
    pub(crate) fn path(&mut self, chain: &Chain) -> Path {
        let reference = self.reference;
        let key = self.paths.is_used().then(|| name_of(chain)).flatten();
        self.paths.recall(key, || path(chain, |fields| reference.signer(fields)))
    }

    /// What each root program says of the chain for `name` at `at`.
    pub(crate) fn answers(
        &mut self,
        chain: &Chain,
        name: &str,
        at: Option<OffsetDateTime>,
    ) -> Answers<'a> {
        let reference = self.reference;
        let key = self.answers.is_used().then(|| moment_of(chain, name, at)).flatten();
        self.answers.recall(key, || accepting(&reference.stores, chain, name, at))
    }

    /// The SCTs of `leaf`, which a key signed, checked.
    pub(crate) fn scts(&mut self, leaf: &Certificate, signer: Option<KeyHash>) -> Vec<Checked<'a>> {
        let reference = self.reference;
        let Some(fields) = leaf.fields().filter(|_| !reference.logs.is_empty()) else {
            return Vec::new();
        };
        let key = (self.scts.is_used() && leaf.der().len() <= MAX_BYTES).then(|| {
            let mut key = leaf.fingerprint().as_bytes().to_vec();
            key.extend(signer.iter().flat_map(KeyHash::as_bytes));
            Fingerprint::of(&key)
        });
        self.scts.recall(key, || ct::check(fields, signer, &reference.logs))
    }
}

/// One name for all certificates of a chain in their order; `None` for one that is not kept.
fn name_of(chain: &Chain) -> Option<Fingerprint> {
    let certificates = chain.certificates();
    let bytes: usize = certificates.iter().map(|sent| sent.der().len()).sum();
    if certificates.len() > MAX_CERTIFICATES || bytes > MAX_BYTES {
        return None;
    }
    let names = certificates.iter().flat_map(|sent| *sent.fingerprint().as_bytes());
    Some(Fingerprint::of(&names.collect::<Vec<_>>()))
}

/// Chain, name, and all of a moment that an answer can depend on: the day, by which programs' states
/// and lists go, and on which side of each validity's ends it lies.
fn moment_of(chain: &Chain, name: &str, at: Option<OffsetDateTime>) -> Option<Fingerprint> {
    let at = at?.to_offset(time::UtcOffset::UTC);
    if name.len() > MAX_NAME {
        return None;
    }
    let mut key = name_of(chain)?.as_bytes().to_vec();
    key.extend(at.date().to_julian_day().to_be_bytes());
    for sent in chain.certificates() {
        let fields = sent.fields()?;
        // A client compares whole seconds, and stock OONI instants.
        let whole = at.unix_timestamp();
        let sides = [
            at < fields.not_before,
            at > fields.not_after,
            whole > fields.not_after.unix_timestamp(),
        ];
        key.extend(sides.map(u8::from));
    }
    key.extend(name.as_bytes());
    Some(Fingerprint::of(&key))
}

/// A bounded map: what was not asked for while half of it was filled anew is forgotten.
#[derive(Debug)]
struct Shelf<V> {
    half: usize,
    young: HashMap<Fingerprint, V>,
    old: HashMap<Fingerprint, V>,
}

impl<V: Clone> Shelf<V> {
    fn new(room: usize) -> Self {
        Self { half: room.div_ceil(2), young: HashMap::new(), old: HashMap::new() }
    }

    fn is_used(&self) -> bool {
        self.half > 0
    }

    /// What is known by this key, else what `work` gives, which is then known by it.
    fn recall(&mut self, key: Option<Fingerprint>, work: impl FnOnce() -> V) -> V {
        let Some(key) = key.filter(|_| self.is_used()) else { return work() };
        if let Some(known) = self.young.get(&key) {
            return known.clone();
        }
        let value = self.old.remove(&key).unwrap_or_else(work);
        if self.young.len() == self.half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value.clone());
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shelf_is_bounded_and_forgets_the_oldest_first() {
        let mut shelf = Shelf::new(8);
        let mut worked = 0;
        let mut ask = |shelf: &mut Shelf<u32>, number: u32| {
            let before = worked;
            let key = Fingerprint::of(&number.to_be_bytes());
            let value = shelf.recall(Some(key), || {
                worked += 1;
                number
            });
            assert_eq!(value, number);
            worked > before
        };
        assert!(ask(&mut shelf, 0));
        for number in 1..1000 {
            assert!(ask(&mut shelf, number), "{number} is new");
            assert!(!ask(&mut shelf, 0), "what is asked for again and again stays");
            assert!(shelf.young.len() + shelf.old.len() <= 8);
        }
        assert!(!ask(&mut shelf, 999));
        assert!(ask(&mut shelf, 1), "long forgotten");
    }

    #[test]
    fn without_room_nothing_is_kept() {
        let mut shelf = Shelf::new(0);
        let key = Some(Fingerprint::of(b"key"));
        assert_eq!((shelf.recall(key, || 1), shelf.recall(key, || 2)), (1, 2));
        assert!(shelf.young.is_empty() && shelf.old.is_empty());
    }
}
