//! Speaks HTTP with one collector: over TLS, except on this machine; bounded in size and time, and never
//! led elsewhere.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Error};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(120);

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// Longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 256 * 1024;

/// A collector.
#[derive(Debug)]
pub struct Collector {
    agent: Agent,
    url: String,
    host: String,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) retry_after: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Collector {
    /// The collector at `url`, such as `https://collector.example`.
    ///
    /// # Errors
    /// An address that is none, or not over TLS.
    pub fn at(url: &str) -> Result<Self, ClientError> {
        let url = url.trim_end_matches('/');
        let bad = |reason| ClientError::BadAddress { url: url.to_owned(), reason };
        let uri: Uri = url.parse().map_err(|_| bad("it is no URL"))?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(bad("it names no host"))?;
        let plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        if !plain || url.contains(['?', '#']) {
            return Err(bad("write it as https://HOST or https://HOST/PATH"));
        }
        let here = is_this_machine(host);
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if here => {}
            Some("http") => return Err(bad("without TLS anybody on the way reads and changes it")),
            _ => return Err(bad("write it as https://HOST or https://HOST/PATH")),
        }
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::WebPki)
            .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
            .build();
        let mut config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(TIMEOUT))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .user_agent(concat!("kua/", env!("CARGO_PKG_VERSION")));
        if here {
            config = config.proxy(None);
        }
        let host = host.to_owned();
        Ok(Self { agent: config.build().into(), url: url.to_owned(), host })
    }

    /// Where it is, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Posts JSON, compressed with `encoding` if any.
    pub(super) fn post(
        &self,
        path: &str,
        body: &[u8],
        encoding: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Result<Reply, ClientError> {
        let mut request = self.agent.post(format!("{}/{path}", self.url));
        request = request.header("content-type", "application/json");
        if let Some(encoding) = encoding {
            request = request.header("content-encoding", encoding);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        reply(request.send(body))
    }

    /// What lies at `path`; nothing where nothing does.
    pub(super) fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ClientError> {
        let reply = reply(self.agent.get(format!("{}/{path}", self.url)).call())?;
        match reply.status {
            200 => Ok(Some(reply.body)),
            404 | 410 => Ok(None),
            status => Err(ClientError::Status { path: path.to_owned(), status }),
        }
    }
}

fn reply(answer: Result<ureq::http::Response<ureq::Body>, Error>) -> Result<Reply, ClientError> {
    let failed = |source| ClientError::Failed { source: Box::new(source) };
    let mut answer = answer.map_err(failed)?;
    let status = answer.status().as_u16();
    let retry_after = answer.headers().get("retry-after");
    let retry_after = retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let body = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_vec().map_err(failed)?;
    Ok(Reply { status, retry_after, body })
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    host == "localhost" || address.is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Why a collector could not be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No address of a collector.
    #[error("{url:?} cannot be a collector: {reason}")]
    BadAddress {
        /// What was named.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No connection, no TLS, no HTTP, or no end in time.
    #[error("the connection failed")]
    Failed {
        /// What the client said.
        source: Box<Error>,
    },
    /// An answer that is neither there nor not there.
    #[error("the answer for {path} has status {status}")]
    Status {
        /// What was asked for.
        path: String,
        /// HTTP's number.
        status: u16,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (url, taken) in [
            ("https://collector.example", Some("https://collector.example")),
            ("https://collector.example:8443/kua/", Some("https://collector.example:8443/kua")),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("http://[::1]:8080", Some("http://[::1]:8080")),
            ("http://localhost:8080/", Some("http://localhost:8080")),
            ("http://collector.example", None),
            ("http://127.0.0.1.example", None),
            ("https://user@collector.example", None),
            ("https://collector.example/?a", None),
            ("collector.example", None),
            ("ftp://collector.example", None),
            ("", None),
        ] {
            let found = Collector::at(url);
            assert_eq!(found.as_ref().ok().map(Collector::url), taken, "{url}");
        }
    }
}
