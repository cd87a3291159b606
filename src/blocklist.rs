//! Certificates and keys that a root program's clients refuse whoever signed them.

use std::collections::BTreeMap;

use time::{Date, OffsetDateTime};

use crate::chain::fields::without_zeros;
use crate::chain::{Certificate, Fingerprint, KeyHash};

/// One list, such as Mozilla's OneCRL.
#[derive(Clone, Debug, Default)]
pub struct BlockList {
    /// The list's name.
    pub list: String,
    /// The root programs whose clients follow it.
    pub programs: Vec<String>,
    /// The day of its newest known state.
    pub date: Option<Date>,
    by_issuer: BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, Entry>>,
    by_key: BTreeMap<KeyHash, Vec<OfKey>>,
    by_certificate: BTreeMap<Fingerprint, Entry>,
}

/// A key that is listed, under one subject (DER Name) or under any.
#[derive(Clone, Debug)]
struct OfKey {
    subject: Option<Vec<u8>>,
    entry: Entry,
}

/// What a list says of one certificate or key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Since when it is blocked, where the list says so.
    pub since: Option<Date>,
    /// Why, in few words, where the list says so.
    pub why: Option<String>,
    /// The list itself calls it the key of an interception.
    pub interception: bool,
}

impl BlockList {
    /// A list without entries.
    pub fn new(list: impl Into<String>, programs: Vec<String>, date: Option<Date>) -> Self {
        Self { list: list.into(), programs, date, ..Self::default() }
    }

    /// Adds the certificate that `issuer` (DER Name) made under `serial` (content of the INTEGER;
    /// leading zeros do not count).
    pub fn add_serial(&mut self, issuer: Vec<u8>, serial: &[u8], entry: Entry) {
        let serial = without_zeros(serial).to_vec();
        self.by_issuer.entry(issuer).or_default().insert(serial, entry);
    }

    /// Adds a key, with `subject` (DER Name) only under that name.
    pub fn add_key(&mut self, key: KeyHash, subject: Option<Vec<u8>>, entry: Entry) {
        self.by_key.entry(key).or_default().push(OfKey { subject, entry });
    }

    /// Adds a certificate.
    pub fn add_certificate(&mut self, certificate: Fingerprint, entry: Entry) {
        self.by_certificate.insert(certificate, entry);
    }

    /// How many certificates and keys it names.
    pub fn len(&self) -> usize {
        let serials = self.by_issuer.values().map(BTreeMap::len).sum::<usize>();
        serials + self.by_key.values().map(Vec::len).sum::<usize>() + self.by_certificate.len()
    }

    /// Whether it names nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the list has against a certificate at a time: itself, its key, or its key under its
    /// subject. An entry of no stated day holds at any time, and without a time every entry holds.
    pub fn blocks(&self, certificate: &Certificate, at: Option<OffsetDateTime>) -> Option<&Entry> {
        let fingerprint = certificate.fingerprint();
        let Some(fields) = certificate.fields() else {
            return self.certificate(fingerprint, at);
        };
        let serials = self.by_issuer.get(fields.issuer.der());
        let listed = serials.and_then(|serials| serials.get(without_zeros(&fields.serial)));
        let subject = fields.subject.der();
        listed
            .filter(|entry| entry.holds(at))
            .or_else(|| self.blocks_anchor(fields.key_hash, subject, Some(fingerprint), at))
    }

    /// The same for a trust anchor, which need not have been sent.
    pub fn blocks_anchor(
        &self,
        key: KeyHash,
        subject: &[u8],
        certificate: Option<Fingerprint>,
        at: Option<OffsetDateTime>,
    ) -> Option<&Entry> {
        let keys = self.by_key.get(&key).into_iter().flatten();
        let mut keys = keys
            .filter(|of| of.subject.as_ref().is_none_or(|named| named.as_slice() == subject))
            .map(|of| &of.entry);
        keys.find(|entry| entry.holds(at))
            .or_else(|| certificate.and_then(|certificate| self.certificate(certificate, at)))
    }

    fn certificate(&self, name: Fingerprint, at: Option<OffsetDateTime>) -> Option<&Entry> {
        self.by_certificate.get(&name).filter(|entry| entry.holds(at))
    }
}

impl Entry {
    /// Whether clients followed it at that time.
    pub fn holds(&self, at: Option<OffsetDateTime>) -> bool {
        match (self.since, at) {
            (Some(since), Some(at)) => since <= at.date(),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use kua_mint::{Authority, Key, NOW, Template};

    use super::*;

    #[test]
    fn table() {
        let root = Authority::root("Root");
        let other = Authority::root("Other Root");
        let leaf = |authority: &Authority| {
            let der = authority.leaf_with(&Key::ecdsa_p256(), Template::leaf(&["example.com"]));
            Certificate::from_bytes(&der.certificate).unwrap()
        };
        let (listed, stranger) = (leaf(&root), leaf(&other));
        let fields = listed.fields().unwrap();
        let at = OffsetDateTime::from_unix_timestamp(NOW).ok();
        let tomorrow = at.unwrap().date().next_day();
        let entry = |since| Entry { since, ..Entry::default() };
        let list = |add: &dyn Fn(&mut BlockList)| {
            let mut list = BlockList::new("List", vec![], None);
            add(&mut list);
            assert_eq!(list.len(), 1);
            list
        };
        let serial = fields.serial.clone();
        let padded = [&[0, 0], serial.as_slice()].concat();
        let issuer = fields.issuer.der().to_vec();
        let subject = fields.subject.der().to_vec();
        let key = fields.key_hash;
        for (case, list, found) in [
            (
                "issuer and serial",
                list(&|list| list.add_serial(issuer.clone(), &serial, entry(None))),
                true,
            ),
            (
                "issuer and serial with leading zeros",
                list(&|list| list.add_serial(issuer.clone(), &padded, entry(None))),
                true,
            ),
            (
                "the same serial of another issuer",
                list(&|list| list.add_serial(subject.clone(), &serial, entry(None))),
                issuer == subject,
            ),
            ("its key", list(&|list| list.add_key(key, None, entry(None))), true),
            (
                "its key under its subject",
                list(&|list| list.add_key(key, Some(subject.clone()), entry(None))),
                true,
            ),
            (
                "its key under another subject",
                list(&|list| list.add_key(key, Some(issuer.clone()), entry(None))),
                issuer == subject,
            ),
            ("itself", list(&|list| list.add_certificate(listed.fingerprint(), entry(None))), true),
            ("from tomorrow", list(&|list| list.add_key(key, None, entry(tomorrow))), false),
        ] {
            assert_eq!(list.blocks(&listed, at).is_some(), found, "{case}");
            assert!(list.blocks(&stranger, at).is_none(), "{case}: a stranger");
        }
    }

    #[test]
    fn bytes_that_nobody_can_read_are_blocked_by_their_hash() {
        let garbage = Certificate::from_bytes(b"garbage").unwrap();
        let mut list = BlockList::new("List", vec![], None);
        assert!(list.is_empty() && list.blocks(&garbage, None).is_none());
        list.add_certificate(garbage.fingerprint(), Entry::default());
        assert!(list.blocks(&garbage, None).is_some());
    }
}
