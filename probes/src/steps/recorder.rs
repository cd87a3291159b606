//! The verifier that records what a server presents and refuses nothing but a wrong signature.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kua::chain::Chain;
use kua::chain::fields::Key;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use webpki::RawPublicKeyEntity;

/// Records one handshake.
#[derive(Debug)]
pub(super) struct Recorder {
    algorithms: WebPkiSupportedAlgorithms,
    seen: Mutex<Seen>,
}

/// What was presented in one handshake.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The whole chain, leaf first.
    pub(super) chain: Option<Chain>,
    /// The stapled OCSP response.
    pub(super) staple: Option<Vec<u8>>,
    /// Whether the peer proved that it holds the leaf's key; `None` where nobody could tell.
    pub(super) holds_key: Option<bool>,
    /// Why something could not be recorded or checked.
    pub(super) detail: Option<String>,
}

impl Recorder {
    pub(super) fn new(provider: &CryptoProvider) -> Arc<Self> {
        let algorithms = provider.signature_verification_algorithms;
        Arc::new(Self { algorithms, seen: Mutex::default() })
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records whether `dss` is the signature of the leaf's key on `message`.
    ///
    /// Only a signature that is wrong ends the handshake. A key or an algorithm that nobody here
    /// can check is not a wrong signature, and what the peer does next is worth seeing.
    fn check(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
        algorithms: Algorithms,
    ) -> Result<HandshakeSignatureValid, Error> {
        let answer = self.holds_key(message, leaf, dss, algorithms);
        let mut seen = self.seen();
        match answer {
            Ok(true) => seen.holds_key = Some(true),
            Ok(false) => {
                seen.holds_key = Some(false);
                return Err(Error::InvalidCertificate(CertificateError::BadSignature));
            }
            Err(reason) => seen.detail = Some(format!("handshake signature not checked: {reason}")),
        }
        Ok(HandshakeSignatureValid::assertion())
    }

    fn holds_key(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
        algorithms: Algorithms,
    ) -> Result<bool, String> {
        let certificate = kua::chain::Certificate::from_bytes(leaf).map_err(|e| e.to_string())?;
        // Kua's parser reads the version 1 certificates that rustls-webpki refuses.
        let fields = certificate.fields().ok_or("the leaf cannot be read")?;
        if let Key::Rsa { bits } = fields.key
            && bits < MIN_RSA_BITS
        {
            return Err(format!("the leaf has an RSA key of {bits} bits"));
        }
        let spki = SubjectPublicKeyInfoDer::from(fields.spki.as_slice());
        let key = RawPublicKeyEntity::try_from(&spki).map_err(|e| e.to_string())?;
        let known = self.algorithms.mapping.iter().find(|(scheme, _)| *scheme == dss.scheme);
        let (_, known) = known.ok_or_else(|| format!("{:?} is not supported", dss.scheme))?;
        let tried = match algorithms {
            Algorithms::All => known.len(),
            Algorithms::First => 1,
        };
        let mut unsuited = String::new();
        for algorithm in known.iter().take(tried) {
            match key.verify_signature(*algorithm, message, dss.signature()) {
                Ok(()) => return Ok(true),
                Err(webpki::Error::InvalidSignatureForPublicKey) => return Ok(false),
                Err(error) => unsuited = error.to_string(),
            }
        }
        // The peer signed with an algorithm that is not for the key in its own certificate.
        match key_is_known(&fields.key) {
            true => Ok(false),
            false => Err(unsuited),
        }
    }
}

/// Which algorithms a signature scheme stands for: TLS 1.2 does not bind a curve, TLS 1.3 does.
#[derive(Clone, Copy)]
enum Algorithms {
    All,
    First,
}

/// Shortest RSA key with which rustls' provider checks signatures.
const MIN_RSA_BITS: usize = 2048;

/// Whether the provider has algorithms for this kind of key at all.
fn key_is_known(key: &Key) -> bool {
    match key {
        Key::Ec { curve } => {
            ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"].contains(&curve.as_str())
        }
        Key::Ed25519 | Key::Rsa { .. } => true,
        Key::Other { .. } => false,
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        staple: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut seen = self.seen();
        match Chain::from_der(std::iter::once(leaf).chain(rest)) {
            Ok(chain) => seen.chain = Some(chain),
            Err(error) => seen.detail = Some(error.to_string()),
        }
        seen.staple = (!staple.is_empty()).then(|| staple.to_vec());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check(message, leaf, dss, Algorithms::All)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // RFC 8446, section 4.4.3: offered for certificates only.
        if [
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA512,
        ]
        .contains(&dss.scheme)
        {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        }
        self.check(message, leaf, dss, Algorithms::First)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
