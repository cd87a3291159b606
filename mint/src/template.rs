//! What a certificate will say, apart from its key and its issuer.

use crate::NOW;
use crate::extension::{
    Extension, KeyUsage, SERVER_AUTH, basic_constraints, extended_key_usage, key_usage, san,
};
use crate::key::Algorithm;
use crate::name::name;

const DAY: i64 = 86_400;
const YEAR: i64 = 365 * DAY;

/// What a certificate will say, apart from its key and its issuer.
///
/// Nothing is checked: a version 1 certificate with extensions is malformed, and may be wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// 1 (then the field is left out, as DER asks) or 3; 2 is possible.
    pub version: u8,
    /// The content of the INTEGER: two's complement, big-endian, written as it is.
    pub serial: Vec<u8>,
    /// A DER Name.
    pub subject: Vec<u8>,
    /// Seconds since 1970 UTC. UTCTime from 1950 to 2049, GeneralizedTime otherwise.
    pub not_before: i64,
    /// Seconds since 1970 UTC, written like `not_before`.
    pub not_after: i64,
    /// In the order they are written; the field is left out where there are none.
    pub extensions: Vec<Extension>,
    /// How the issuer signs.
    pub algorithm: Algorithm,
    /// Writes `critical` also where it is FALSE, so that the result is BER and not DER.
    pub explicit_false: bool,
}

impl Template {
    /// A server's leaf for `names`: CN the first of them, SAN all of them, serverAuth,
    /// digitalSignature, valid from 30 days before to 60 days after [`NOW`].
    ///
    /// # Panics
    /// Without a name.
    pub fn leaf(names: &[&str]) -> Template {
        let first = names.first().expect("a leaf has a name");
        Template {
            not_before: NOW - 30 * DAY,
            not_after: NOW + 60 * DAY,
            extensions: vec![
                key_usage(&[KeyUsage::DigitalSignature]),
                extended_key_usage(&[SERVER_AUTH]),
                san(names),
            ],
            ..Template::bare(&name(&[("CN", first)]))
        }
    }

    /// A certificate authority named `subject` (a DER Name): basic constraints, keyCertSign and
    /// cRLSign, valid from one year before to ten years after [`NOW`].
    pub fn authority(subject: &[u8]) -> Template {
        Template {
            extensions: vec![
                basic_constraints(true, None),
                key_usage(&[KeyUsage::CertSign, KeyUsage::CrlSign]),
            ],
            ..Template::bare(subject)
        }
    }

    /// A version 3 certificate for `subject` (a DER Name) without extensions, valid like
    /// [`Template::authority`]. Its serial is random, positive and 16 bytes long.
    pub fn bare(subject: &[u8]) -> Template {
        let mut serial = vec![0; 16];
        aws_lc_rs::rand::fill(&mut serial).expect("the system has randomness");
        serial[0] = serial[0] & 0x3f | 0x40;
        Template {
            version: 3,
            serial,
            subject: subject.to_vec(),
            not_before: NOW - YEAR,
            not_after: NOW + 10 * YEAR,
            extensions: Vec::new(),
            algorithm: Algorithm::Usual,
            explicit_false: false,
        }
    }

    /// Sets the validity, both ends in seconds since 1970 UTC.
    #[must_use]
    pub fn valid(self, from: i64, until: i64) -> Template {
        Template { not_before: from, not_after: until, ..self }
    }

    /// Sets the content of the serial number.
    #[must_use]
    pub fn serial(self, content: &[u8]) -> Template {
        Template { serial: content.to_vec(), ..self }
    }

    /// Sets the subject, a DER Name.
    #[must_use]
    pub fn subject(self, subject: &[u8]) -> Template {
        Template { subject: subject.to_vec(), ..self }
    }

    /// Sets the signature algorithm.
    #[must_use]
    pub fn algorithm(self, algorithm: Algorithm) -> Template {
        Template { algorithm, ..self }
    }

    /// Adds `extension` after the others, in place of an earlier one with the same identifier.
    #[must_use]
    pub fn with(self, extension: Extension) -> Template {
        let mut template = self.without(&extension.oid);
        template.extensions.push(extension);
        template
    }

    /// Drops every extension with this identifier.
    #[must_use]
    pub fn without(mut self, oid: &[u64]) -> Template {
        self.extensions.retain(|extension| extension.oid != oid);
        self
    }

    /// Makes it version 1, which has no extensions.
    #[must_use]
    pub fn version_1(self) -> Template {
        Template { version: 1, extensions: Vec::new(), ..self }
    }

    /// Writes `critical` also where it is FALSE: BER, not DER.
    #[must_use]
    pub fn explicit_false(self) -> Template {
        Template { explicit_false: true, ..self }
    }
}
