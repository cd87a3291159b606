//! A chain to present, with the key that goes with it.

use std::sync::Arc;

use kua_mint::Key;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::error::LabError;

/// A chain to present, with the key that goes with it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// DER, leaf first.
    pub chain: Vec<Vec<u8>>,
    /// The key of the leaf.
    pub key: Key,
}

impl Identity {
    /// A server that presents this chain to everyone and speaks one of `alpn`, most wanted first.
    pub(crate) fn server(&self, alpn: &[&[u8]]) -> Result<Arc<ServerConfig>, LabError> {
        let chain = self.chain.iter().cloned().map(CertificateDer::from).collect();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.pkcs8()));
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_single_cert(chain, key)?;
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        // A resumed session presents no chain, and chains are what visitors come for.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        Ok(Arc::new(config))
    }
}
