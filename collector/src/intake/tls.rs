//! The server's certificate and key.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::IntakeError;

/// Files in PEM: the certificate with its intermediates, and its key.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The chain, leaf first.
    pub chain: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl Certificate {
    pub(super) fn acceptor(&self) -> Result<TlsAcceptor, IntakeError> {
        let pem = |file: &PathBuf| {
            std::fs::read(file).map_err(IntakeError::io(format!("read {}", file.display())))
        };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem(&self.chain)?)
            .collect::<Result<_, _>>()
            .ok()
            .filter(|chain: &Vec<_>| !chain.is_empty())
            .ok_or_else(|| IntakeError::Pem { file: self.chain.clone(), what: "certificate" })?;
        let key = PrivateKeyDer::from_pem_slice(&pem(&self.key)?)
            .map_err(|_| IntakeError::Pem { file: self.key.clone(), what: "private key" })?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        // One protocol: what HTTP/2 adds is of no use to who hands in a record.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}
