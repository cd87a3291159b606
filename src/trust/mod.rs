//! Would a client that trusts this root program have accepted the chain? As strict as that client,
//! and by the program's state of the day.

mod anchor;
mod answer;
mod name;
mod refusal;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use rustls_pki_types::{CertificateDer, UnixTime};
use time::{Date, OffsetDateTime};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

pub use anchor::{Anchor, Distrust};
pub use answer::{Answer, StateOf};
pub use name::fits_name;
pub use refusal::Refusal;

use crate::blocklist::BlockList;
use crate::chain::{Certificate, Chain};
use crate::ct;
use name::server_name;
use refusal::refusal;

/// The TLS trust anchors of one root program, as far back as its history is known.
#[derive(Clone, Debug)]
pub struct TrustStore {
    /// The program's name, such as `Mozilla`.
    pub program: String,
    /// The day of the newest known state, where known.
    pub date: Option<Date>,
    /// The day of the oldest known state; `None` where only the newest is known.
    pub known_since: Option<Date>,
    /// What a reader should know of the list: where it is from, what it does not say.
    pub note: String,
    /// Never empty in a store that was read from a file. A root that left and came back is there
    /// twice.
    pub anchors: Vec<Anchor>,
    /// The lists of blocked certificates and keys that the program's clients follow.
    pub blocked: Vec<Arc<BlockList>>,
    /// A list of the user's own (`stores/<name>.pem`) and no public program's history: a client that
    /// is compared with trusts it besides Mozilla's roots.
    pub own: bool,
    by_subject: BTreeMap<Vec<u8>, Vec<usize>>,
}

/// What is known of a program's state at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// Its state of that day.
    Known,
    /// Only later states, the oldest of this day: it stands in for the unknown one.
    Before(Date),
    /// Only earlier states, the newest of this day: it stands in for the unknown one.
    After(Date),
    /// One state of no stated day.
    Undated,
}

/// Certificates after the leaf that a client is shown.
const MAX_INTERMEDIATES: usize = 64;

impl TrustStore {
    /// A store of one state: every anchor was always held, and nothing is blocked.
    pub fn new(program: impl Into<String>, anchors: Vec<Anchor>) -> Self {
        let mut by_subject: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (position, anchor) in anchors.iter().enumerate() {
            by_subject.entry(anchor.subject_der.clone()).or_default().push(position);
        }
        Self {
            program: program.into(),
            date: None,
            known_since: None,
            note: String::new(),
            anchors,
            blocked: Vec::new(),
            own: true,
            by_subject,
        }
    }

    /// Whether the program's state at a time is known.
    pub fn history(&self, at: OffsetDateTime) -> History {
        let day = at.date();
        match (self.known_since.or(self.date), self.date) {
            (Some(first), _) if day < first => History::Before(first),
            (_, Some(last)) if day > last => History::After(last),
            (None, None) => History::Undated,
            _ => History::Known,
        }
    }

    /// The anchors that the program held at a time: those of the oldest known state before it, of
    /// the newest after it.
    pub fn anchors_at(&self, at: OffsetDateTime) -> impl Iterator<Item = &Anchor> {
        let day = self.known_day(at);
        self.anchors.iter().filter(move |anchor| anchor.held_on(day))
    }

    /// The anchor at the end of a path that a TLS client trusting this store would have accepted
    /// for `name` at `at` (RFC 5280 section 6, RFC 6125; server authentication).
    ///
    /// # Errors
    /// The client's [`Refusal`].
    pub fn accepts(
        &self,
        chain: &Chain,
        name: &str,
        at: Option<OffsetDateTime>,
    ) -> Result<&Anchor, Refusal> {
        let leaf = Presented::read(chain, name, at)?;
        let candidates = self.candidates(&leaf);
        let answer = leaf.path(&candidates, &self.blocked)?;
        Ok(candidates[answer])
    }

    /// The anchors held at the time whose name stands as an issuer in the chain: no other can end
    /// its path.
    fn candidates(&self, leaf: &Presented<'_>) -> Vec<&Anchor> {
        let day = self.known_day(leaf.at);
        let Some(issuers) = &leaf.issuers else {
            return self.anchors.iter().filter(|anchor| anchor.held_on(day)).collect();
        };
        let named = issuers.iter().filter_map(|issuer| self.by_subject.get(*issuer)).flatten();
        let anchors = named.map(|position| &self.anchors[*position]);
        anchors.filter(|anchor| anchor.held_on(day)).collect()
    }

    /// The day whose known state stands for the program at a time.
    pub fn known_day(&self, at: OffsetDateTime) -> Date {
        match self.history(at) {
            History::Before(day) | History::After(day) => day,
            History::Known | History::Undated => at.date(),
        }
    }
}

/// What each of `stores` says of the chain, in their order. Programs that hold the same roots for it
/// are asked once.
pub fn accepting<'a>(
    stores: &'a [TrustStore],
    chain: &Chain,
    name: &str,
    at: Option<OffsetDateTime>,
) -> Vec<(&'a TrustStore, Result<&'a Anchor, Refusal>)> {
    let leaf = match Presented::read(chain, name, at) {
        Ok(leaf) => leaf,
        Err(refusal) => return stores.iter().map(|store| (store, Err(refusal.clone()))).collect(),
    };
    let mut asked: Vec<(Vec<&Anchor>, Result<usize, Refusal>)> = Vec::new();
    let mut answers = Vec::with_capacity(stores.len());
    for store in stores {
        let candidates = store.candidates(&leaf);
        let blocked = store.blocked.iter().any(|list| leaf.is_on(list, &candidates));
        let alike = |(known, _): &&(Vec<&Anchor>, _)| {
            known.len() == candidates.len()
                && known.iter().zip(&candidates).all(|(known, anchor)| known.is_alike(anchor))
        };
        let known = asked.iter().filter(|_| !blocked).find(alike).map(|(_, answer)| answer.clone());
        let answer = known.unwrap_or_else(|| {
            let answer = leaf.path(&candidates, if blocked { &store.blocked } else { &[] });
            if !blocked {
                asked.push((candidates.clone(), answer.clone()));
            }
            answer
        });
        answers.push((store, answer.map(|position| candidates[position])));
    }
    answers
}

/// A chain whose leaf is for the name and within its dates.
struct Presented<'a> {
    chain: &'a Chain,
    der: CertificateDer<'a>,
    at: OffsetDateTime,
    /// DER names of the issuers of the certificates that a client is shown, each once; `None` where
    /// one of them cannot be read here, while a client may still.
    issuers: Option<Vec<&'a [u8]>>,
}

impl<'a> Presented<'a> {
    fn read(chain: &'a Chain, name: &str, at: Option<OffsetDateTime>) -> Result<Self, Refusal> {
        let at = at.ok_or(Refusal::NoTime)?;
        let server = server_name(name)?;
        if let Some(leaf) = chain.first().fields() {
            if at > leaf.not_after {
                return Err(Refusal::Expired);
            }
            if at < leaf.not_before {
                return Err(Refusal::NotYetValid);
            }
        }
        let der = CertificateDer::from(chain.first().der());
        let leaf = EndEntityCert::try_from(&der).map_err(|error| refusal(&error, true))?;
        leaf.verify_is_valid_for_subject_name(&server).map_err(|error| refusal(&error, false))?;
        let sent = chain.certificates().iter().take(MAX_INTERMEDIATES + 1);
        let issuers = sent.map(|sent| Some(sent.fields()?.issuer.der()));
        let mut issuers: Option<Vec<_>> = issuers.collect();
        if let Some(issuers) = &mut issuers {
            issuers.sort_unstable();
            issuers.dedup();
        }
        Ok(Self { chain, der, at, issuers })
    }

    /// Whether a list names any certificate that was sent, or any of the anchors.
    fn is_on(&self, list: &BlockList, candidates: &[&Anchor]) -> bool {
        let at = Some(self.at);
        self.chain.certificates().iter().any(|sent| list.blocks(sent, at).is_some())
            || candidates.iter().any(|anchor| {
                list.blocks_anchor(anchor.key_hash, &anchor.subject_der, anchor.fingerprint, at)
                    .is_some()
            })
    }

    /// The position of the anchor at the end of a path that no list blocks.
    fn path(&self, candidates: &[&Anchor], lists: &[Arc<BlockList>]) -> Result<usize, Refusal> {
        let leaf = EndEntityCert::try_from(&self.der).map_err(|error| refusal(&error, true))?;
        // webpki bounds its own search; the cap keeps a hostile chain from filling it with noise.
        let sent = self.chain.certificates().iter().skip(1).take(MAX_INTERMEDIATES);
        let intermediates: Vec<_> = sent.map(|sent| CertificateDer::from(sent.der())).collect();
        let anchors: Vec<_> = candidates.iter().map(|anchor| anchor.borrowed()).collect();
        let seconds = u64::try_from(self.at.unix_timestamp()).map_err(|_| Refusal::NotYetValid)?;
        let objection = RefCell::new(None);
        let unobjectionable = |path: &VerifiedPath<'_>| {
            let anchor = position_of(path, candidates).map(|position| candidates[position]);
            match anchor.and_then(|anchor| self.objection(path, anchor, lists)) {
                None => Ok(()),
                Some(refusal) => {
                    objection.borrow_mut().get_or_insert(refusal);
                    Err(webpki::Error::CertRevoked)
                }
            }
        };
        let path = leaf.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors,
            &intermediates,
            UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)),
            KeyUsage::server_auth(),
            None,
            Some(&unobjectionable),
        );
        match path {
            Ok(path) => position_of(&path, candidates).ok_or(Refusal::UnknownIssuer),
            Err(error) => {
                Err(objection.borrow_mut().take().unwrap_or_else(|| refusal(&error, false)))
            }
        }
    }

    /// What the program has against a path that is otherwise sound.
    fn objection(
        &self,
        path: &VerifiedPath<'_>,
        anchor: &Anchor,
        lists: &[Arc<BlockList>],
    ) -> Option<Refusal> {
        let at = Some(self.at);
        let between = path.intermediate_certificates().filter_map(|link| self.sent(&link.der()));
        let links: Vec<&Certificate> = std::iter::once(self.chain.first()).chain(between).collect();
        for list in lists {
            for link in &links {
                if let Some(entry) = list.blocks(link, at) {
                    let subject = link.fields().map(|fields| fields.subject.to_string());
                    return Some(blocked(list, subject.unwrap_or_default(), entry.since));
                }
            }
            let (subject, certificate) = (&anchor.subject_der, anchor.fingerprint);
            if let Some(entry) = list.blocks_anchor(anchor.key_hash, subject, certificate, at) {
                return Some(blocked(list, anchor.subject.clone(), entry.since));
            }
        }
        if !anchor.tls_known {
            return Some(Refusal::PurposeUnknown { subject: anchor.subject.clone() });
        }
        let leaf = self.chain.first().fields()?;
        if let Some(day) = anchor.distrust.issued_after
            && leaf.not_before.date() > day
        {
            return Some(Refusal::Distrusted { until: format!("issued until {day}") });
        }
        if let Some(moment) = anchor.distrust.sct_after
            && !ct::timestamps(leaf).any(|promised| promised <= moment)
        {
            let until = format!("with an SCT of {} or before", moment.date());
            return Some(Refusal::Distrusted { until });
        }
        None
    }

    fn sent(&self, der: &[u8]) -> Option<&'a Certificate> {
        self.chain.certificates().iter().find(|sent| sent.der() == der)
    }
}

fn blocked(list: &BlockList, subject: String, since: Option<Date>) -> Refusal {
    Refusal::Blocked { list: list.list.clone(), subject, since }
}

fn position_of(path: &VerifiedPath<'_>, candidates: &[&Anchor]) -> Option<usize> {
    let found = path.anchor();
    candidates.iter().position(|anchor| {
        anchor.webpki.subject == found.subject
            && anchor.webpki.subject_public_key_info == found.subject_public_key_info
            && anchor.webpki.name_constraints == found.name_constraints
    })
}

#[cfg(test)]
mod tests {
    use kua_mint::{Authority, Key, NOW, Template};

    use super::*;

    #[test]
    fn table() {
        let root = Authority::root("Root");
        let middle = root.intermediate("Intermediate");
        let other = Authority::root("Other");
        let key = Key::ecdsa_p256();
        let store =
            TrustStore::new("Test", vec![Anchor::from_certificate(&root.certificate).unwrap()]);
        let leaf = |template: Template| root.leaf_with(&key, template).certificate;
        let plain = || Template::leaf(&["example.com"]);
        let client = || plain().with(kua_mint::extended_key_usage(&[kua_mint::CLIENT_AUTH]));
        for (case, sent, expected) in [
            ("root -> leaf", vec![leaf(plain())], Ok(())),
            ("root -> leaf, root sent", vec![leaf(plain()), root.certificate.clone()], Ok(())),
            (
                "root -> intermediate -> leaf",
                vec![middle.leaf("example.com").certificate, middle.certificate.clone()],
                Ok(()),
            ),
            (
                "[intermediate] -> leaf",
                vec![middle.leaf("example.com").certificate],
                Err("ssl_unknown_authority"),
            ),
            (
                "other root -> leaf, sent",
                vec![other.leaf("example.com").certificate, other.certificate.clone()],
                Err("ssl_unknown_authority"),
            ),
            (
                "root -> expired leaf",
                vec![leaf(plain().valid(NOW - 9, NOW - 1))],
                Err("ssl_invalid_certificate"),
            ),
            (
                "root -> leaf of tomorrow",
                vec![leaf(plain().valid(NOW + 1, NOW + 9))],
                Err("ssl_invalid_certificate"),
            ),
            (
                "root -> leaf for another name",
                vec![leaf(Template::leaf(&["example.org"]))],
                Err("ssl_invalid_hostname"),
            ),
            (
                "other root -> leaf for another name",
                vec![other.leaf("example.org").certificate],
                Err("ssl_invalid_hostname"),
            ),
            ("root -> leaf for clients only", vec![leaf(client())], Err("ssl_invalid_certificate")),
            ("root as its own leaf", vec![root.certificate.clone()], Err("ssl_invalid_hostname")),
            ("garbage", vec![b"\x30\x01\x00".to_vec()], Err("ssl_invalid_certificate")),
        ] {
            let chain = Chain::from_der(&sent).unwrap();
            let at = OffsetDateTime::from_unix_timestamp(NOW).ok();
            let answer = store.accepts(&chain, "example.com", at);
            assert_eq!(answer.map(|_| ()).map_err(|refusal| refusal.failure()), expected, "{case}");
        }
    }

    #[test]
    fn names_and_times_that_cannot_be() {
        let root = Authority::root("Root");
        let anchors = vec![Anchor::from_certificate(&root.certificate).unwrap()];
        let store = TrustStore::new("Test", anchors);
        let chain = Chain::from_der([root.leaf("example.com").certificate]).unwrap();
        assert_eq!(store.accepts(&chain, "example.com", None).unwrap_err(), Refusal::NoTime);
        let at = OffsetDateTime::from_unix_timestamp(NOW).ok();
        let refused = store.accepts(&chain, "not a name", at).unwrap_err();
        assert_eq!(refused, Refusal::BadName { name: "not a name".into() });
    }
}
