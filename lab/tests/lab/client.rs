//! A visitor that accepts every chain and records it.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme, SupportedProtocolVersion,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What a visitor got to see; a handshake that fails after the chain keeps the chain.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) alpn: Option<Vec<u8>>,
    pub(crate) stream: io::Result<TlsStream<TcpStream>>,
}

pub(crate) async fn visit(entry: SocketAddr, name: &str) -> Seen {
    visit_with(entry, name, rustls::ALL_VERSIONS, &["h2", "http/1.1"]).await
}

pub(crate) async fn visit_with(
    entry: SocketAddr,
    name: &str,
    versions: &[&'static SupportedProtocolVersion],
    alpn: &[&str],
) -> Seen {
    let recorder = Arc::new(Recorder::default());
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(recorder.clone())
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let socket = TcpStream::connect(entry).await.expect("the lab listens");
    let shaken = TlsConnector::from(Arc::new(config)).connect(name, socket);
    let stream =
        tokio::time::timeout(Duration::from_secs(20), shaken).await.expect("a bounded handshake");
    let alpn = stream.as_ref().ok().and_then(|stream| stream.get_ref().1.alpn_protocol());
    Seen {
        alpn: alpn.map(<[u8]>::to_vec),
        chain: recorder.seen.get().cloned().unwrap_or_default(),
        stream,
    }
}

/// Sends `bytes` and returns all that comes until the end, which is asserted to be a clean one.
pub(crate) async fn say(entry: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(entry).await.expect("the lab listens");
    socket.write_all(bytes).await.expect("open");
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_secs(8), socket.read_to_end(&mut answer))
        .await
        .expect("a bounded connection")
        .expect("a clean end");
    answer
}

#[derive(Debug, Default)]
struct Recorder {
    seen: OnceLock<Vec<Vec<u8>>>,
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(leaf).chain(rest).map(|certificate| certificate.to_vec());
        let _ = self.seen.set(chain.collect());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
        verify_tls12_signature(message, leaf, signed, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
        verify_tls13_signature(message, leaf, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
