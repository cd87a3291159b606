//! A box's own TLS connection to the origin: it accepts any chain, keeps it and judges it after.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::bounds;
use crate::error::LabError;
use crate::route::Route;

/// An open connection to the origin.
pub(crate) struct Upstream {
    pub(crate) stream: TlsStream<TcpStream>,
    /// As the origin presented it: leaf first, never empty.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    /// The protocol that the origin chose among those the visitor offered.
    pub(crate) alpn: Option<Vec<u8>>,
}

/// Connects to the next hop and shakes hands for `name`, offering the visitor's `alpn`.
pub(crate) async fn open(route: Route, name: &str, alpn: &[Vec<u8>]) -> Result<Upstream, LabError> {
    let asked = ServerName::try_from(name.to_owned())
        .map_err(|_| LabError::BadName { name: name.to_owned() })?;
    let connector = TlsConnector::from(Arc::new(client(alpn)?));
    let socket = route.connect().await?;
    let stream = bounds::within("shake hands with the origin", async {
        connector.connect(asked, socket).await.map_err(LabError::Handshake)
    })
    .await?;
    let (_, session) = stream.get_ref();
    let chain = session.peer_certificates().unwrap_or_default();
    let chain = chain.iter().map(|certificate| certificate.clone().into_owned()).collect();
    let alpn = session.alpn_protocol().map(<[u8]>::to_vec);
    Ok(Upstream { stream, chain, alpn })
}

/// Whether one of `roots` vouches for `chain` now, for whatever name.
pub(crate) fn vouched(roots: &RootCertStore, chain: &[CertificateDer<'_>]) -> bool {
    let Some((leaf, intermediates)) = chain.split_first() else {
        return false;
    };
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms.all;
    ParsedCertificate::try_from(leaf)
        .and_then(|leaf| {
            let now = UnixTime::now();
            verify_server_cert_signed_by_trust_anchor(&leaf, roots, intermediates, now, algorithms)
        })
        .is_ok()
}

fn client(alpn: &[Vec<u8>]) -> Result<ClientConfig, LabError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyChain { provider }))
        .with_no_client_auth();
    config.alpn_protocols = alpn.to_vec();
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Accepts every chain, but not a peer that lacks the leaf's key.
#[derive(Debug)]
struct AnyChain {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyChain {
    fn verify_server_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _rest: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, leaf, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, leaf, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
