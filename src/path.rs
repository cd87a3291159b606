//! Who signed whom in a presented chain: by key, never by name.

use crate::chain::fields::Fields;
use crate::chain::{Certificate, Chain, KeyHash};
use crate::signature::{Signed, signed_by};

/// The signatures that lead upwards from the certificate presented first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Positions in the chain, from the first certificate upwards; each was signed by the next.
    /// Empty only where the first certificate cannot be read.
    pub links: Vec<usize>,
    /// What stands above the last link.
    pub top: Top,
}

/// Where a path ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Top {
    /// The last link is signed by its own key.
    SelfSigned,
    /// The last link is signed by a key that is not in the chain but in the reference.
    Signed(SigningKey),
    /// Its signer is not in the chain and not in the reference.
    Unknown,
    /// It cannot be read.
    Unreadable,
}

/// A key that signs certificates, by its hash and the name that goes with it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SigningKey {
    /// SHA-256 of the SubjectPublicKeyInfo.
    #[serde(rename = "spki_sha256")]
    pub key_hash: KeyHash,
    /// The subject that goes with it.
    pub subject: String,
}

/// Most signatures checked for one chain, so that decoys cost bounded time.
const MAX_CHECKS: usize = 256;

/// Most readable certificates of a chain among which signers are looked for: about as many as the
/// longest message that a client takes can hold (Go: 256 kB, rustls: 64 kB), so that decoys sent
/// before a signer do not hide it.
const MAX_CANDIDATES: usize = 1024;

/// Climbs from the first certificate, through presented certificates first and then to the key
/// that `outside` knows to have signed the last link.
pub fn path(chain: &Chain, outside: impl Fn(&Fields) -> Option<SigningKey>) -> Path {
    let certificates = chain.certificates();
    let mut links = Vec::new();
    let mut checks = 0;
    let mut at = 0;
    loop {
        let Some(fields) = certificates[at].fields() else {
            return Path { links, top: Top::Unreadable };
        };
        links.push(at);
        if fields.self_issued() && signed_by(fields, &fields.spki) == Signed::Yes {
            return Path { links, top: Top::SelfSigned };
        }
        match presented_signer(fields, certificates, &links, &mut checks) {
            Some(next) => at = next,
            None => {
                let top = outside(fields).map_or(Top::Unknown, Top::Signed);
                return Path { links, top };
            }
        }
    }
}

/// The position of the certificate whose key signed `fields`: those with the issuer's name first,
/// because they almost always are it, then all others.
fn presented_signer(
    fields: &Fields,
    certificates: &[Certificate],
    links: &[usize],
    checks: &mut usize,
) -> Option<usize> {
    let candidates = || {
        certificates
            .iter()
            .enumerate()
            .filter_map(|(position, candidate)| Some((position, candidate.fields()?)))
            .take(MAX_CANDIDATES)
            .filter(|(position, _)| !links.contains(position))
    };
    let by_name = candidates().filter(|(_, candidate)| candidate.subject == fields.issuer);
    let others = candidates().filter(|(_, candidate)| candidate.subject != fields.issuer);
    for (position, candidate) in by_name.chain(others) {
        // The same key again would climb in circles.
        if candidate.key_hash == fields.key_hash || *checks == MAX_CHECKS {
            continue;
        }
        *checks += 1;
        if signed_by(fields, &candidate.spki) == Signed::Yes {
            return Some(position);
        }
    }
    None
}

impl Path {
    /// The key at the top and the name that goes with it, where a key is known.
    pub fn anchor(&self, chain: &Chain) -> Option<SigningKey> {
        match &self.top {
            Top::Signed(key) => Some(key.clone()),
            Top::SelfSigned => {
                let fields = chain.certificates()[*self.links.last()?].fields()?;
                Some(SigningKey { key_hash: fields.key_hash, subject: fields.subject.to_string() })
            }
            Top::Unknown | Top::Unreadable => None,
        }
    }

    /// The keys that signed something on this path: those of all links but the first, and the one
    /// above. A certificate that was sent beside the path has no part in it.
    pub fn signers(&self, chain: &Chain) -> Vec<KeyHash> {
        let links = self.links.iter().skip(1);
        let fields = links.filter_map(|link| chain.certificates()[*link].fields());
        let mut keys: Vec<_> = fields.map(|fields| fields.key_hash).collect();
        keys.extend(self.anchor(chain).map(|key| key.key_hash));
        keys.dedup();
        keys
    }
}

#[cfg(test)]
mod tests {
    use kua_mint::{Authority, Key, Template};

    use super::*;

    fn links(sent: &[&Vec<u8>]) -> (Vec<usize>, Top) {
        let found = path(&Chain::from_der(sent).unwrap(), |_| None);
        (found.links, found.top)
    }

    #[test]
    fn table() {
        let root = Authority::root("Root");
        let middle = root.intermediate("Intermediate");
        let leaf = middle.leaf("example.com").certificate;
        let namesake = Authority::root_with(Key::ecdsa_p256(), Template::authority(&middle.name));
        let stranger = Authority::root("Stranger").certificate;
        let garbage = b"\x30\x00\x00".to_vec();
        let (middle, root, namesake) =
            (&middle.certificate, &root.certificate, &namesake.certificate);
        for (case, sent, expected) in [
            (
                "root -> intermediate -> leaf",
                vec![&leaf, middle, root],
                (vec![0, 1, 2], Top::SelfSigned),
            ),
            ("the same, shuffled", vec![&leaf, root, middle], (vec![0, 2, 1], Top::SelfSigned)),
            (
                "the same, every one twice",
                vec![&leaf, &leaf, middle, middle, root, root],
                (vec![0, 2, 4], Top::SelfSigned),
            ),
            (
                "the same with strangers and garbage between",
                vec![&leaf, &stranger, &garbage, middle, root],
                (vec![0, 3, 4], Top::SelfSigned),
            ),
            (
                "a namesake of the intermediate first",
                vec![&leaf, namesake, middle, root],
                (vec![0, 2, 3], Top::SelfSigned),
            ),
            ("[root ->] intermediate -> leaf", vec![&leaf, middle], (vec![0, 1], Top::Unknown)),
            ("namesake beside leaf", vec![&leaf, namesake], (vec![0], Top::Unknown)),
            ("root alone", vec![root], (vec![0], Top::SelfSigned)),
            ("garbage", vec![&garbage, root], (vec![], Top::Unreadable)),
        ] {
            assert_eq!(links(&sent), expected, "{case}");
        }
    }

    #[test]
    fn ten_thousand_decoys_end() {
        let leaf = Authority::root("Root").leaf("example.com").certificate;
        let decoy = Authority::root("Decoy").certificate;
        let mut sent = vec![&leaf];
        sent.extend(std::iter::repeat_n(&decoy, 10_000));
        assert_eq!(links(&sent), (vec![0], Top::Unknown));
    }

    #[test]
    fn a_key_outside_the_chain_is_asked_last() {
        let root = Authority::root("Root");
        let middle = root.intermediate("Intermediate");
        let chain = Chain::from_der([&middle.leaf("example.com").certificate, &middle.certificate])
            .unwrap();
        let key = SigningKey { key_hash: KeyHash::of(&root.key.spki()), subject: "CN=Root".into() };
        let found = path(&chain, |fields| {
            (signed_by(fields, &root.key.spki()) == Signed::Yes).then(|| key.clone())
        });
        assert_eq!(found.top, Top::Signed(key.clone()));
        assert_eq!(found.signers(&chain), [KeyHash::of(&middle.key.spki()), key.key_hash]);
    }
}
