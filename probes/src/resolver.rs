//! Which resolver answers, and by which protocol: `--resolver`.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;

use crate::target::authority;

/// A resolver as the command line names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Server {
    /// What the machine is configured with, its hosts file included.
    #[default]
    System,
    /// DNS over UDP, and over TCP for answers that do not fit.
    Udp(SocketAddr),
    /// DNS over TCP.
    Tcp(SocketAddr),
    /// DNS over TLS (RFC 7858), verified with Mozilla's roots.
    Tls {
        /// Host name or address, also the name in its certificate.
        host: String,
        /// Port, usually 853.
        port: u16,
    },
    /// DNS over HTTPS (RFC 8484), verified with Mozilla's roots.
    Https {
        /// Host name or address, also the name in its certificate.
        host: String,
        /// Port, usually 443.
        port: u16,
        /// Path with its `/`.
        path: String,
    },
}

impl Server {
    /// OONI's name for the protocol.
    pub fn engine(&self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Udp(_) => "udp",
            Self::Tcp(_) => "tcp",
            Self::Tls { .. } => "dot",
            Self::Https { .. } => "doh",
        }
    }

    /// What is recorded as the resolver's address; empty for the system's, which is the
    /// volunteer's own business.
    pub fn address(&self) -> String {
        match self {
            Self::System => String::new(),
            Self::Udp(address) | Self::Tcp(address) => address.to_string(),
            Self::Tls { host, port } => in_authority(host, *port, 0),
            Self::Https { .. } => self.to_string(),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Udp(address) => write!(f, "udp://{address}"),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::Tls { host, port } => write!(f, "tls://{}", in_authority(host, *port, 0)),
            Self::Https { host, port, path } => {
                write!(f, "https://{}{path}", in_authority(host, *port, 443))
            }
        }
    }
}

impl FromStr for Server {
    type Err = ResolverError;

    fn from_str(text: &str) -> Result<Self, ResolverError> {
        if text == "system" {
            return Ok(Self::System);
        }
        let unknown = || ResolverError::NotUnderstood { text: text.into() };
        let (scheme, rest) = text.split_once("://").ok_or_else(unknown)?;
        let (place, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = authority(place).ok_or_else(unknown)?;
        let socket = |usual: u16| {
            let ip: IpAddr = host.parse().map_err(|_| unknown())?;
            Ok(SocketAddr::new(ip, port.unwrap_or(usual)))
        };
        match (scheme, path) {
            ("udp", "") => Ok(Self::Udp(socket(53)?)),
            ("tcp", "") => Ok(Self::Tcp(socket(53)?)),
            ("tls", "") => Ok(Self::Tls { host: host.into(), port: port.unwrap_or(853) }),
            ("https", path) => {
                let path = if path.len() > 1 { path } else { "/dns-query" };
                let port = port.unwrap_or(443);
                Ok(Self::Https { host: host.into(), port, path: path.into() })
            }
            _ => Err(unknown()),
        }
    }
}

fn in_authority(host: &str, port: u16, usual: u16) -> String {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    if port == usual { host } else { format!("{host}:{port}") }
}

/// A resolver that is ready to be asked.
pub struct Resolver {
    server: Server,
    client: Result<TokioResolver, NetError>,
}

impl Resolver {
    /// Makes ready to ask `server`; each question may take `limit`, retries included.
    ///
    /// A machine without resolver configuration is a fact about its network: each query fails
    /// with it. So it is no error here.
    ///
    /// # Errors
    /// [`ResolverError::NoAddress`] where the name of a DNS over TLS or HTTPS server has none.
    pub async fn open(server: Server, limit: Duration) -> Result<Self, ResolverError> {
        let connection = match &server {
            Server::System => {
                let client = TokioResolver::builder_tokio().and_then(|mut builder| {
                    bound(builder.options_mut(), limit);
                    builder.build()
                });
                return Ok(Self { server, client });
            }
            Server::Udp(_) => vec![ConnectionConfig::udp(), ConnectionConfig::tcp()],
            Server::Tcp(_) => vec![ConnectionConfig::tcp()],
            Server::Tls { host, .. } => vec![ConnectionConfig::tls(host.as_str().into())],
            Server::Https { host, path, .. } => {
                let path = path.as_str().into();
                vec![ConnectionConfig::https(host.as_str().into(), Some(path))]
            }
        };
        let address = socket_address(&server).await?;
        let mut name_server = NameServerConfig::new(address.ip(), true, connection);
        for connection in &mut name_server.connections {
            connection.port = address.port();
        }
        let config = ResolverConfig::from_name_servers(vec![name_server]);
        let provider = TokioRuntimeProvider::default();
        let mut builder = TokioResolver::builder_with_config(config, provider);
        builder.options_mut().use_hosts_file = ResolveHosts::Never;
        bound(builder.options_mut(), limit);
        Ok(Self { server, client: builder.build() })
    }

    /// What it asks.
    pub fn server(&self) -> &Server {
        &self.server
    }

    pub(crate) fn client(&self) -> Result<&TokioResolver, &NetError> {
        self.client.as_ref()
    }
}

/// Lost packets are asked for twice more, every question is really asked, and all of it fits into
/// `limit`.
fn bound(options: &mut ResolverOpts, limit: Duration) {
    options.timeout = limit / 3;
    options.attempts = 2;
    options.cache_size = 0;
    options.max_active_requests = 4096;
}

async fn socket_address(server: &Server) -> Result<SocketAddr, ResolverError> {
    let (host, port) = match server {
        Server::Udp(address) | Server::Tcp(address) => return Ok(*address),
        Server::Tls { host, port } | Server::Https { host, port, .. } => (host.as_str(), *port),
        Server::System => ("", 0),
    };
    let no_address = |source| ResolverError::NoAddress { host: host.into(), source };
    let mut found = tokio::net::lookup_host((host, port)).await.map_err(no_address)?;
    found.next().ok_or_else(|| no_address(std::io::ErrorKind::NotFound.into()))
}

/// Why a resolver cannot be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolverError {
    /// The machine does not know the server's own address.
    #[error("cannot find the address of {host}")]
    NoAddress {
        /// The server's name.
        host: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not one of the forms that are known.
    #[error(
        "{text:?} is none of system, udp://ADDRESS:PORT, tcp://ADDRESS:PORT, tls://HOST:PORT, https://HOST/PATH"
    )]
    NotUnderstood {
        /// What was read.
        text: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (text, engine, address) in [
            ("system", "system", ""),
            ("udp://192.0.2.1", "udp", "192.0.2.1:53"),
            ("udp://[2001:db8::1]:5353", "udp", "[2001:db8::1]:5353"),
            ("tcp://192.0.2.1:53", "tcp", "192.0.2.1:53"),
            ("tls://192.0.2.1", "dot", "192.0.2.1:853"),
            ("tls://dns.example:8853", "dot", "dns.example:8853"),
            ("https://dns.example", "doh", "https://dns.example/dns-query"),
            ("https://dns.example/", "doh", "https://dns.example/dns-query"),
            ("https://[2001:db8::1]:8443/q", "doh", "https://[2001:db8::1]:8443/q"),
        ] {
            let server: Server = text.parse().unwrap();
            assert_eq!((server.engine(), server.address().as_str()), (engine, address), "{text}");
        }
        for text in [
            "",
            "192.0.2.1",
            "udp://dns.example",
            "udp://192.0.2.1/x",
            "quic://192.0.2.1",
            "tls://:1",
        ] {
            assert!(text.parse::<Server>().is_err(), "{text}");
        }
    }
}
