//! Would a client that trusts this root program have accepted the chain? As strict as that client.

use rustls_pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use time::{Date, OffsetDateTime};
use webpki::{EndEntityCert, KeyUsage};

use crate::chain::{Chain, KeyHash};

/// The TLS trust anchors of one root program at one date.
#[derive(Clone, Debug)]
pub struct TrustStore {
    /// The program's name, such as `Mozilla`.
    pub program: String,
    /// The day whose state of the program this is, where known.
    pub date: Option<Date>,
    /// Never empty in a store that was read from a file.
    pub anchors: Vec<Anchor>,
}

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
    pub(crate) webpki: TrustAnchor<'static>,
}

/// Why a client would refuse a chain. One refusal is named, in the order in which stock OONI (Go's
/// `x509.Certificate.Verify`) checks: the leaf's dates, then its name, then its path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The target's name cannot be in a certificate.
    #[error("{name:?} is neither a host name nor an IP address")]
    BadName {
        /// The name as given.
        name: String,
    },
    /// A certificate of the path is past its last day.
    #[error("a certificate had expired")]
    Expired,
    /// Any other rule of the client.
    #[error("the client's rules refuse it: {reason}")]
    Invalid {
        /// What rustls-webpki said.
        reason: String,
    },
    /// A certificate of the path is before its first day.
    #[error("a certificate was not yet valid")]
    NotYetValid,
    /// Nobody recorded when the chain was seen.
    #[error("the time of the measurement is not known")]
    NoTime,
    /// No path to an anchor of the store.
    #[error("no root of the program signed it")]
    UnknownIssuer,
    /// The first certificate is not one that a client can read.
    #[error("the leaf cannot be read")]
    Unreadable,
    /// The leaf is for other names.
    #[error("the leaf is not for this name")]
    WrongName,
}

impl Refusal {
    /// The code that OONI's df-007 has for this refusal.
    pub fn failure(&self) -> &'static str {
        match self {
            Self::WrongName | Self::BadName { .. } => "ssl_invalid_hostname",
            Self::UnknownIssuer => "ssl_unknown_authority",
            _ => "ssl_invalid_certificate",
        }
    }
}

impl TrustStore {
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
        self.path(chain, &leaf, at)
    }

    fn path(
        &self,
        chain: &Chain,
        leaf: &EndEntityCert<'_>,
        at: OffsetDateTime,
    ) -> Result<&Anchor, Refusal> {
        // webpki bounds its own search; the cap keeps a hostile chain from filling it with noise.
        let sent = chain.certificates().iter().skip(1).take(MAX_INTERMEDIATES);
        let intermediates: Vec<_> = sent.map(|sent| CertificateDer::from(sent.der())).collect();
        let anchors: Vec<_> = self.anchors.iter().map(Anchor::borrowed).collect();
        let seconds = u64::try_from(at.unix_timestamp()).map_err(|_| Refusal::NotYetValid)?;
        let path = leaf
            .verify_for_usage(
                webpki::ALL_VERIFICATION_ALGS,
                &anchors,
                &intermediates,
                UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)),
                KeyUsage::server_auth(),
                None,
                None,
            )
            .map_err(|error| refusal(&error, false))?;
        let found = path.anchor();
        self.anchors
            .iter()
            .find(|anchor| {
                anchor.webpki.subject == found.subject
                    && anchor.webpki.subject_public_key_info == found.subject_public_key_info
            })
            .ok_or(Refusal::UnknownIssuer)
    }
}

/// Certificates after the leaf that a client is shown.
const MAX_INTERMEDIATES: usize = 64;

impl Anchor {
    /// Takes a root as its program lists it; its own dates and signature do not matter.
    ///
    /// # Errors
    /// What rustls-webpki said where it cannot be a trust anchor.
    pub fn from_certificate(der: &[u8]) -> Result<Self, webpki::Error> {
        let der = CertificateDer::from(der);
        let anchor = webpki::anchor_from_trusted_cert(&der)?.to_owned();
        let certificate = crate::chain::Certificate::from_bytes(&der);
        let certificate = certificate.map_err(|_| webpki::Error::BadDer)?;
        let fields = certificate.fields().ok_or(webpki::Error::BadDer)?;
        Ok(Self {
            spki: fields.spki.clone(),
            key_hash: fields.key_hash,
            subject: fields.subject.to_string(),
            subject_der: fields.subject.der().to_vec(),
            webpki: anchor,
        })
    }

    /// The same without a copy: webpki asks for a slice of anchors at every path.
    fn borrowed(&self) -> TrustAnchor<'_> {
        let constraints = self.webpki.name_constraints.as_ref();
        TrustAnchor {
            subject: self.webpki.subject.as_ref().into(),
            subject_public_key_info: self.webpki.subject_public_key_info.as_ref().into(),
            name_constraints: constraints.map(|constraints| constraints.as_ref().into()),
        }
    }

    /// Adds constraints that the program imposes and the certificate does not carry: the content
    /// of a DER NameConstraints (RFC 5280, section 4.2.1.10).
    pub fn constrained(mut self, name_constraints: Vec<u8>) -> Self {
        self.webpki.name_constraints = Some(name_constraints.into());
        self
    }
}

/// The name in the form that certificates are compared with: an IP address or an ASCII host name.
fn server_name(name: &str) -> Result<ServerName<'_>, Refusal> {
    let trimmed = name.strip_suffix('.').unwrap_or(name);
    ServerName::try_from(trimmed).map_err(|_| Refusal::BadName { name: name.to_owned() })
}

fn refusal(error: &webpki::Error, reading_leaf: bool) -> Refusal {
    match error {
        webpki::Error::CertExpired { .. } => Refusal::Expired,
        webpki::Error::CertNotValidYet { .. } => Refusal::NotYetValid,
        webpki::Error::CertNotValidForName(_) => Refusal::WrongName,
        webpki::Error::UnknownIssuer => Refusal::UnknownIssuer,
        webpki::Error::BadDer | webpki::Error::BadDerTime if reading_leaf => Refusal::Unreadable,
        other => Refusal::Invalid { reason: other.to_string() },
    }
}

/// Whether the first certificate is for `name` (RFC 6125); `None` where nobody can read it.
///
/// One that only a client refuses to read, such as a router's of version 1, is for the names that
/// it states, and where it states none for its common name.
pub fn fits_name(chain: &Chain, name: &str) -> Option<bool> {
    let server = server_name(name).ok()?;
    let der = CertificateDer::from(chain.first().der());
    if let Ok(leaf) = EndEntityCert::try_from(&der) {
        return Some(leaf.verify_is_valid_for_subject_name(&server).is_ok());
    }
    let fields = chain.first().fields()?;
    let stated = &fields.alternative_names;
    let common = fields.subject.attribute("CN").filter(|_| stated.is_empty());
    Some(stated.iter().map(String::as_str).chain(common).any(|stated| covers(stated, name)))
}

/// Whether a name of a certificate, perhaps with a wildcard for its first label, is `name`.
fn covers(stated: &str, name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let beyond = name.split_once('.').map(|(_, beyond)| beyond);
    let wild = stated.strip_prefix("*.").zip(beyond);
    stated.eq_ignore_ascii_case(name)
        || wild.is_some_and(|(suffix, beyond)| suffix.eq_ignore_ascii_case(beyond))
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
        let store = TrustStore {
            program: "Test".into(),
            date: None,
            anchors: vec![Anchor::from_certificate(&root.certificate).unwrap()],
        };
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
        let store = TrustStore { program: "Test".into(), date: None, anchors };
        let chain = Chain::from_der([root.leaf("example.com").certificate]).unwrap();
        assert_eq!(store.accepts(&chain, "example.com", None).unwrap_err(), Refusal::NoTime);
        let at = OffsetDateTime::from_unix_timestamp(NOW).ok();
        let refused = store.accepts(&chain, "not a name", at).unwrap_err();
        assert_eq!(refused, Refusal::BadName { name: "not a name".into() });
    }

    #[test]
    fn names_of_leaves_that_no_client_reads() {
        let root = Authority::root("Root");
        let old = |name: &str| {
            root.leaf_with(&Key::ecdsa_p256(), Template::leaf(&[name]).version_1()).certificate
        };
        for (case, leaf, expected) in [
            ("root -> version 1 leaf", old("www.example.com"), Some(true)),
            ("root -> version 1 leaf, wildcard", old("*.example.com"), Some(true)),
            ("root -> version 1 leaf, wildcard above", old("*.com"), Some(false)),
            ("root -> version 1 leaf for another name", old("example.com"), Some(false)),
            ("garbage", b"\x30\x01\x00".to_vec(), None),
        ] {
            let chain = Chain::from_der([&leaf]).unwrap();
            assert_eq!(fits_name(&chain, "www.example.com"), expected, "{case}");
        }
    }
}
