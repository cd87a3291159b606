//! What a hostile peer does to a chain before it sends it.

use aws_lc_rs::digest::{SHA256, digest};
use yasna::models::ObjectIdentifier;

use crate::authority::Authority;
use crate::encoding::long_length;
use crate::key::{Algorithm, Key};
use crate::template::Template;

/// A chain as its maker means it, before anything is done to it.
#[derive(Clone, Debug)]
pub struct Presented {
    /// Who signs the leaf; for a self-signed leaf the leaf's own key under its own name.
    pub signer: Authority,
    /// The leaf's key.
    pub key: Key,
    /// What the leaf says.
    pub template: Template,
    /// DER of all that stands above the leaf, the root last.
    pub above: Vec<Vec<u8>>,
    /// Whether the root is sent.
    pub root_sent: bool,
}

/// How the leaf is written. The signer's signature over it can be checked in all but
/// [`OddLeaf::GostSignature`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OddLeaf {
    /// As its template says.
    #[default]
    Plain,
    /// `critical` is written also where it is FALSE.
    Ber,
    /// The outer length takes a byte more than DER allows.
    LongLength,
    /// The serial number is below zero.
    NegativeSerial,
    /// Valid until the last second that UTCTime holds.
    Until2049,
    /// Valid until the first second that needs GeneralizedTime.
    Until2050,
    /// Valid from 2050 to 2060.
    From2050,
    /// Version 1, which has no extensions.
    Version1,
    /// The last extension ends in the middle.
    TruncatedExtension,
    /// For a key of GOST R 34.10-2012.
    GostKey,
    /// The signature is called one of GOST R 34.10-2012.
    GostSignature,
}

/// What is done to a chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oddity {
    /// How the leaf is written.
    pub leaf: OddLeaf,
    /// The root is sent, or not, whatever the chain's maker does.
    pub root: Option<bool>,
    /// The order of all that follows the leaf; as it should be without one.
    pub shuffled: Option<u64>,
    /// Every certificate twice.
    pub twice: bool,
    /// Others' certificates between the leaf and the rest.
    pub decoys_before: bool,
    /// Others' certificates behind the rest.
    pub decoys_behind: bool,
    /// A thousand certificates and two thousand pieces of garbage between the leaf and the rest.
    pub huge: bool,
    /// A namesake of the leaf's signer, signed in an unknown way, right after the leaf.
    pub gost_namesake: bool,
    /// What is no certificate right after the leaf.
    pub garbage: bool,
}

/// 2050-01-01, from which on RFC 5280 wants GeneralizedTime, and ten years later.
const YEAR_2050: i64 = 2_524_608_000;
const YEAR_2060: i64 = 2_840_140_800;

impl Oddity {
    /// Nothing is done.
    pub const NONE: Oddity = Oddity {
        leaf: OddLeaf::Plain,
        root: None,
        shuffled: None,
        twice: false,
        decoys_before: false,
        decoys_behind: false,
        huge: false,
        gost_namesake: false,
        garbage: false,
    };

    /// One at a time, with what to call it.
    pub const EACH: &[(&str, Oddity)] = &[
        ("as it is", Oddity::NONE),
        ("root omitted", Oddity { root: Some(false), ..Oddity::NONE }),
        ("root sent", Oddity { root: Some(true), ..Oddity::NONE }),
        ("order shuffled", Oddity { shuffled: Some(1), root: Some(true), ..Oddity::NONE }),
        ("every certificate twice", Oddity { twice: true, ..Oddity::NONE }),
        ("fifty decoys before", Oddity { decoys_before: true, ..Oddity::NONE }),
        ("fifty decoys behind", Oddity { decoys_behind: true, ..Oddity::NONE }),
        ("three thousand decoys and garbage", Oddity { huge: true, ..Oddity::NONE }),
        ("garbage between", Oddity { garbage: true, ..Oddity::NONE }),
        ("a namesake of the signer under GOST", Oddity { gost_namesake: true, ..Oddity::NONE }),
        ("leaf in BER: explicit FALSE", Oddity { leaf: OddLeaf::Ber, ..Oddity::NONE }),
        ("leaf in BER: long length", Oddity { leaf: OddLeaf::LongLength, ..Oddity::NONE }),
        ("negative serial", Oddity { leaf: OddLeaf::NegativeSerial, ..Oddity::NONE }),
        ("leaf until 2049", Oddity { leaf: OddLeaf::Until2049, ..Oddity::NONE }),
        ("leaf until 2050", Oddity { leaf: OddLeaf::Until2050, ..Oddity::NONE }),
        ("leaf from 2050 on", Oddity { leaf: OddLeaf::From2050, ..Oddity::NONE }),
        ("leaf of version 1", Oddity { leaf: OddLeaf::Version1, ..Oddity::NONE }),
        ("truncated extension", Oddity { leaf: OddLeaf::TruncatedExtension, ..Oddity::NONE }),
        ("leaf with a GOST key", Oddity { leaf: OddLeaf::GostKey, ..Oddity::NONE }),
        ("leaf signed with GOST", Oddity { leaf: OddLeaf::GostSignature, ..Oddity::NONE }),
    ];

    /// The chain as it is sent, DER, leaf first.
    pub fn send(self, presented: &Presented, decoys: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let leaf = presented.leaf_as(self.leaf);
        let mut rest = Vec::new();
        if self.garbage {
            rest.push(b"\x30\x82\xff\xff garbage".to_vec());
        }
        if self.gost_namesake {
            let namesake = Template::authority(&presented.signer.name).algorithm(Algorithm::Gost);
            rest.push(Authority::root_with(Key::ecdsa_p256(), namesake).certificate);
        }
        if self.huge {
            rest.extend(std::iter::repeat_n(b"\x30\x01\x00".to_vec(), 2000));
            rest.extend(decoys.iter().cycle().take(1000).cloned());
        }
        if self.decoys_before {
            rest.extend(decoys.iter().cloned());
        }
        let root_sent = self.root.unwrap_or(presented.root_sent);
        let omitted = usize::from(!root_sent).min(presented.above.len());
        rest.extend(presented.above[..presented.above.len() - omitted].iter().cloned());
        if self.decoys_behind {
            rest.extend(decoys.iter().cloned());
        }
        if let Some(order) = self.shuffled {
            rest.sort_by_key(|sent| {
                digest(&SHA256, &[&order.to_be_bytes(), sent.as_slice()].concat()).as_ref().to_vec()
            });
        }
        let copies = if self.twice { 2 } else { 1 };
        let all = std::iter::once(leaf).chain(rest);
        all.flat_map(|certificate| std::iter::repeat_n(certificate, copies)).collect()
    }
}

impl Presented {
    /// The chain as its maker means it.
    pub fn sent(&self) -> Vec<Vec<u8>> {
        Oddity::NONE.send(self, &[])
    }

    /// The leaf, DER.
    pub fn leaf_as(&self, odd: OddLeaf) -> Vec<u8> {
        let template = self.template.clone();
        let from = template.not_before;
        let mut spki = self.key.spki();
        let template = match odd {
            OddLeaf::Plain | OddLeaf::LongLength => template,
            OddLeaf::Ber => template.explicit_false(),
            OddLeaf::NegativeSerial => template.serial(&[0xff, 0x01]),
            OddLeaf::Until2049 => template.valid(from, YEAR_2050 - 1),
            OddLeaf::Until2050 => template.valid(from, YEAR_2050),
            OddLeaf::From2050 => template.valid(YEAR_2050, YEAR_2060),
            OddLeaf::Version1 => template.version_1(),
            OddLeaf::TruncatedExtension => truncated(template),
            OddLeaf::GostKey => {
                spki = gost_spki();
                template
            }
            OddLeaf::GostSignature => template.algorithm(Algorithm::Gost),
        };
        let leaf = self.signer.sign(&spki, &template);
        if odd == OddLeaf::LongLength { long_length(&leaf) } else { leaf }
    }
}

/// The same with half of its last extension's content.
fn truncated(mut template: Template) -> Template {
    if let Some(last) = template.extensions.last_mut() {
        last.value.truncate(last.value.len() / 2);
    }
    template
}

/// A SubjectPublicKeyInfo of GOST R 34.10-2012 with 256 bits (RFC 9215), whose point is none.
fn gost_spki() -> Vec<u8> {
    let oid = |components: &[u64]| ObjectIdentifier::from_slice(components);
    let point = yasna::construct_der(|writer| writer.write_bytes(&[0x42; 64]));
    yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_sequence(|writer| {
                writer.next().write_oid(&oid(&[1, 2, 643, 7, 1, 1, 1, 1]));
                writer.next().write_sequence(|writer| {
                    writer.next().write_oid(&oid(&[1, 2, 643, 7, 1, 2, 1, 1, 1]));
                });
            });
            writer.next().write_bitvec_bytes(&point, 8 * point.len());
        });
    })
}
