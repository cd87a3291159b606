//! One key that a root program trusts: since when, until when, and for which leaves.

use rustls_pki_types::{CertificateDer, TrustAnchor};
use time::{Date, OffsetDateTime};
use x509_parser::asn1_rs::{Any, FromDer};

use crate::chain::name::Name;
use crate::chain::{Certificate, Fingerprint, KeyHash};

/// One key that a root program trusts.
#[derive(Clone, Debug)]
pub struct Anchor {
    /// DER SubjectPublicKeyInfo.
    pub spki: Vec<u8>,
    /// SHA-256 of `spki`.
    pub key_hash: KeyHash,
    /// The subject as text, for people.
    pub subject: String,
    /// DER Name of the subject.
    pub subject_der: Vec<u8>,
    /// The certificate by which the program lists it, where it lists one.
    pub fingerprint: Option<Fingerprint>,
    /// Last day on which the program was seen without it; `None` where the oldest known state has it.
    pub from: Option<Date>,
    /// First day on which the program was seen without it again; `None` while it holds it.
    pub until: Option<Date>,
    /// The program is known to trust it for TLS servers; some lists do not say for what.
    pub tls_known: bool,
    /// What the program asks of leaves under it beyond its usual rules.
    pub distrust: Distrust,
    pub(crate) webpki: TrustAnchor<'static>,
}

/// Leaves that a program refuses although it holds their root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distrust {
    /// Those whose validity begins after this day.
    pub issued_after: Option<Date>,
    /// Those that no log promised to show at this moment or before.
    pub sct_after: Option<OffsetDateTime>,
}

impl Anchor {
    /// Takes a root as its program lists it; its own dates and signature do not matter.
    ///
    /// # Errors
    /// What rustls-webpki said where it cannot be a trust anchor.
    pub fn from_certificate(der: &[u8]) -> Result<Self, webpki::Error> {
        let certificate = Certificate::from_bytes(der).map_err(|_| webpki::Error::BadDer)?;
        Self::of(&certificate)
    }

    /// The same of a certificate that was read already.
    pub(crate) fn of(certificate: &Certificate) -> Result<Self, webpki::Error> {
        let der = CertificateDer::from(certificate.der());
        let anchor = webpki::anchor_from_trusted_cert(&der)?.to_owned();
        let fields = certificate.fields().ok_or(webpki::Error::BadDer)?;
        Ok(Self {
            spki: fields.spki.clone(),
            key_hash: fields.key_hash,
            subject: fields.subject.to_string(),
            subject_der: fields.subject.der().to_vec(),
            fingerprint: Some(certificate.fingerprint()),
            from: None,
            until: None,
            tls_known: true,
            distrust: Distrust::default(),
            webpki: anchor,
        })
    }

    /// A key that is trusted under a name, where its certificate is not in evidence: `spki` and
    /// `subject_der` as certificates encode them. `None` where one of them is not DER.
    pub fn from_key(spki: &[u8], subject_der: &[u8]) -> Option<Self> {
        let content = |der| Some(Any::from_der(der).ok()?.1.data.to_vec());
        let subject = Name::from_der(subject_der)?;
        let webpki = TrustAnchor {
            subject: content(subject_der)?.into(),
            subject_public_key_info: content(spki)?.into(),
            name_constraints: None,
        };
        Some(Self {
            spki: spki.to_vec(),
            key_hash: KeyHash::of(spki),
            subject: subject.to_string(),
            subject_der: subject_der.to_vec(),
            fingerprint: None,
            from: None,
            until: None,
            tls_known: true,
            distrust: Distrust::default(),
            webpki,
        })
    }

    /// Adds constraints that the program imposes and the certificate does not carry: the content
    /// of a DER NameConstraints (RFC 5280, section 4.2.1.10).
    #[must_use]
    pub fn constrained(mut self, name_constraints: Vec<u8>) -> Self {
        self.webpki.name_constraints = Some(name_constraints.into());
        self
    }

    /// Whether the program held it on `day`.
    pub fn held_on(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day < until)
    }

    /// The same without a copy: webpki asks for a slice of anchors at every path.
    pub(super) fn borrowed(&self) -> TrustAnchor<'_> {
        let constraints = self.webpki.name_constraints.as_ref();
        TrustAnchor {
            subject: self.webpki.subject.as_ref().into(),
            subject_public_key_info: self.webpki.subject_public_key_info.as_ref().into(),
            name_constraints: constraints.map(|constraints| constraints.as_ref().into()),
        }
    }

    /// Whether every chain that is judged under one is judged alike under the other.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        self.webpki == other.webpki
            && self.tls_known == other.tls_known
            && self.distrust == other.distrust
    }
}
