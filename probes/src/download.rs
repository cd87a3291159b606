//! Fetches a published file: over TLS only, bounded in size, time and redirects, whole or not at all.

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Error};

/// Redirects that are followed; the publishers need one.
const MAX_REDIRECTS: u32 = 4;

/// How long one file may take.
const TIMEOUT: Duration = Duration::from_secs(180);

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// A client of publishers.
#[derive(Debug)]
pub struct Downloader {
    agent: Agent,
    max_length: u64,
}

impl Downloader {
    /// Trusts the public roots that the program was built with, and reads no more than `max_length`
    /// bytes.
    pub fn new(max_length: usize) -> Self {
        Self::trusting(RootCerts::WebPki, max_length, true)
    }

    fn trusting(roots: RootCerts, max_length: usize, proxies: bool) -> Self {
        let tls = TlsConfig::builder()
            .root_certs(roots)
            .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
            .build();
        let mut config = Agent::config_builder()
            .tls_config(tls)
            .https_only(true)
            .max_redirects(MAX_REDIRECTS)
            .timeout_global(Some(TIMEOUT))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .user_agent(concat!("kua/", env!("CARGO_PKG_VERSION")));
        if !proxies {
            config = config.proxy(None);
        }
        Self { agent: config.build().into(), max_length: max_length as u64 }
    }

    /// The file at `url`.
    ///
    /// # Errors
    /// An answer that is no success, not over TLS, too long, or cut.
    pub fn fetch(&self, url: &str) -> Result<Vec<u8>, DownloadError> {
        let failed = |source| match source {
            Error::StatusCode(status) => DownloadError::Refused { status },
            Error::BodyExceedsLimit(limit) => DownloadError::TooLong { limit },
            Error::RequireHttpsOnly(url) => DownloadError::NotTls { url },
            source => DownloadError::Failed { source: Box::new(source) },
        };
        let mut answer = self.agent.get(url).call().map_err(failed)?;
        let stated = answer.body().content_length();
        if stated.is_none() && !answer.headers().contains_key("transfer-encoding") {
            return Err(DownloadError::Endless);
        }
        if stated.is_some_and(|length| length > self.max_length) {
            return Err(DownloadError::TooLong { limit: self.max_length });
        }
        let body = answer.body_mut().with_config().limit(self.max_length).read_to_vec();
        let body = body.map_err(failed)?;
        match stated {
            Some(length) if length != body.len() as u64 => {
                Err(DownloadError::Cut { length, received: body.len() })
            }
            _ => Ok(body),
        }
    }
}

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// Less than was announced.
    #[error("{received} of {length} bytes came")]
    Cut {
        /// What was announced.
        length: u64,
        /// What came.
        received: usize,
    },
    /// An answer that tells neither its length nor its end: a cut one looks like a whole one.
    #[error("the server did not say how long it is")]
    Endless,
    /// No connection, no TLS, no HTTP, or no end in time.
    #[error("the connection failed")]
    Failed {
        /// What the client said.
        source: Box<Error>,
    },
    /// A redirect that leaves TLS.
    #[error("{url} is not over TLS")]
    NotTls {
        /// Where it leads.
        url: String,
    },
    /// An answer that is no success.
    #[error("the server answered with status {status}")]
    Refused {
        /// HTTP's number.
        status: u16,
    },
    /// Above the limit.
    #[error("it has more than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: u64,
    },
}

#[cfg(test)]
mod tests;
