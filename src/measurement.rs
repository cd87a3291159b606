//! What a probe saw: facts, never opinions.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use time::OffsetDateTime;

use crate::chain::Chain;

/// One measurement of one input from one vantage point. Any part may be missing: records come
/// from many programs and many years.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measurement {
    /// The name a collector gave it.
    pub uid: Option<String>,
    /// What its program calls the run that it belongs to, where it says (OONI's `report_id`).
    pub run: Option<String>,
    /// When it began, UTC.
    pub started: Option<OffsetDateTime>,
    /// How long it took, in seconds.
    pub runtime: f64,
    /// Where it was made.
    pub vantage: Vantage,
    /// The program that made it.
    pub software: Software,
    /// What it was given: a URL or a host, as its test defines.
    pub input: Option<String>,
    /// Which site it is about, where the record says so itself.
    pub target: Option<Target>,
    /// Free notes of the probe.
    pub annotations: BTreeMap<String, String>,
    /// DNS look-ups, in order.
    pub queries: Vec<Query>,
    /// TCP connections, in order.
    pub connects: Vec<Connect>,
    /// TLS and QUIC handshakes, in order.
    pub handshakes: Vec<Handshake>,
    /// What the record's own control saw, where it carries one (OONI's test helper).
    pub seen_by_helper: Vec<HelperHandshake>,
}

/// Where a measurement was made; nothing finer is known or kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vantage {
    /// ISO 3166-1 alpha-2; `ZZ` when unknown.
    pub country: String,
    /// Autonomous system; 0 when unknown.
    pub asn: u32,
    /// The network's name as the probe gave it; may be empty.
    pub network: String,
}

impl Default for Vantage {
    fn default() -> Self {
        Self { country: "ZZ".into(), asn: 0, network: String::new() }
    }
}

/// The program behind a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Software {
    /// `software_name`.
    pub name: String,
    /// `software_version`.
    pub version: String,
    /// `test_name`.
    pub test: String,
    /// `test_version`.
    pub test_version: String,
}

/// A site under test.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// ASCII host name, lower case, or an IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// One DNS look-up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// What was asked for.
    pub hostname: String,
    /// `A`, `AAAA`, ...
    pub kind: String,
    /// `system`, `udp`, `tcp`, `dot`, `doh`, ...
    pub engine: String,
    /// Which resolver, where the engine has one.
    pub resolver: String,
    /// Addresses in the answer, as text, in order.
    pub addresses: Vec<String>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// When.
    pub span: Span,
}

/// One TCP connection attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Connect {
    /// To where.
    pub endpoint: SocketAddr,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// When.
    pub span: Span,
}

/// One TLS or QUIC handshake: what was presented, whatever became of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Handshake {
    /// `tcp`, or `udp` for QUIC.
    pub network: String,
    /// To where.
    pub endpoint: Option<SocketAddr>,
    /// The name in the SNI, which is also the name to verify.
    pub server_name: Option<String>,
    /// What a client with Mozilla's roots would have said, or what ended the handshake.
    pub failure: Option<Failure>,
    /// The probe had been told not to verify.
    pub unverified: bool,
    /// What was presented, where anything was.
    pub chain: Option<Chain>,
    /// Whether `chain` is all that was presented. Stock OONI keeps one certificate, and not
    /// always the leaf, exactly when verification fails.
    pub whole: bool,
    /// `TLSv1.2`, ...; empty when unknown.
    pub version: String,
    /// IANA name; empty when unknown.
    pub cipher: String,
    /// Negotiated ALPN; empty for none.
    pub alpn: String,
    /// Free tags of the probe.
    pub tags: Vec<String>,
    /// Groups the records of one connection; 0 when unknown.
    pub transaction: i64,
    /// When.
    pub span: Span,
    /// What OONI's format has no field for.
    pub extra: Extra,
}

/// Facts of a handshake beyond OONI's format. Our own probe fills them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    /// Key exchange group, IANA name.
    pub group: Option<String>,
    /// Alert that the peer sent.
    pub alert: Option<String>,
    /// The peer proved that it holds the leaf's key (`Some(false)`: it failed to).
    pub holds_key: Option<bool>,
    /// Stapled OCSP response.
    pub staple: Option<Vec<u8>>,
    /// Bytes sent on the connection.
    pub sent: Option<u64>,
    /// Bytes received on the connection.
    pub received: Option<u64>,
    /// The library's own words for what went wrong.
    pub detail: Option<String>,
}

/// A handshake that the record's own control made for the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelperHandshake {
    /// The name in its SNI.
    pub server_name: String,
    /// How it failed; `None` means that a client with Mozilla's roots accepted what it saw.
    pub failure: Option<Failure>,
}

/// When a step ran, in seconds since the measurement began.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Span {
    /// Begin.
    pub t0: f64,
    /// End.
    pub t: f64,
}

/// How a step failed: a code of OONI's df-007, or any other text that a record holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure(String);

impl Failure {
    /// Any code; those that this program gives itself are the constants of [`codes`].
    pub fn new(code: impl Into<String>) -> Self {
        Self(code.into())
    }

    /// The code.
    pub fn code(&self) -> &str {
        &self.0
    }

    /// The failure is a client's refusal of what was presented, not of the network.
    pub fn is_about_certificate(&self) -> bool {
        let about = [codes::SSL_UNKNOWN_AUTHORITY, codes::SSL_INVALID_HOSTNAME];
        about.contains(&self.code()) || self.code() == codes::SSL_INVALID_CERTIFICATE
    }

    /// The connection was cut or went silent: what a censor on the path does.
    pub fn is_cut(&self) -> bool {
        [
            codes::CONNECTION_RESET,
            codes::CONNECTION_ABORTED,
            codes::EOF,
            codes::GENERIC_TIMEOUT,
            codes::TIMED_OUT,
        ]
        .contains(&self.code())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The codes of OONI's df-007 that Kua gives.
pub mod codes {
    #![allow(missing_docs, reason = "each constant is its own text")]
    pub const ADDRESS_NOT_AVAILABLE: &str = "address_not_available";
    pub const CONNECTION_ABORTED: &str = "connection_aborted";
    pub const CONNECTION_REFUSED: &str = "connection_refused";
    pub const CONNECTION_RESET: &str = "connection_reset";
    pub const DNS_NO_ANSWER: &str = "dns_no_answer";
    pub const DNS_NXDOMAIN: &str = "dns_nxdomain_error";
    pub const DNS_REFUSED: &str = "dns_refused_error";
    pub const DNS_SERVER_MISBEHAVING: &str = "dns_server_misbehaving";
    pub const DNS_SERVFAIL: &str = "dns_servfail_error";
    pub const EOF: &str = "eof_error";
    pub const GENERIC_TIMEOUT: &str = "generic_timeout_error";
    pub const HOST_UNREACHABLE: &str = "host_unreachable";
    pub const INTERRUPTED: &str = "interrupted";
    pub const NETWORK_UNREACHABLE: &str = "network_unreachable";
    pub const PERMISSION_DENIED: &str = "permission_denied";
    pub const SSL_FAILED_HANDSHAKE: &str = "ssl_failed_handshake";
    pub const SSL_INVALID_CERTIFICATE: &str = "ssl_invalid_certificate";
    pub const SSL_INVALID_HOSTNAME: &str = "ssl_invalid_hostname";
    pub const SSL_UNKNOWN_AUTHORITY: &str = "ssl_unknown_authority";
    pub const TIMED_OUT: &str = "timed_out";
}

impl Measurement {
    /// The site that the measurement is about: what it says itself, else its first handshake's
    /// name, else the host of its input.
    pub fn target_host(&self) -> Option<String> {
        let own = self.target.as_ref().map(|target| target.host.clone());
        let shaken = || self.handshakes.iter().find_map(|shaken| shaken.server_name.clone());
        own.or_else(shaken).or_else(|| self.input.as_deref().and_then(host_of))
    }
}

impl Handshake {
    /// The leaf, if it is among what was recorded: a lone authority certificate from a record
    /// that kept only one is not it.
    pub fn leaf(&self) -> Option<&crate::chain::Certificate> {
        let first = self.chain.as_ref()?.first();
        let authority = first.fields().is_some_and(|fields| fields.is_ca);
        (self.whole || !authority).then_some(first)
    }
}

/// The host of a URL or `host[:port]`, lower case; `None` where there is none.
pub fn host_of(input: &str) -> Option<String> {
    let rest = input.split_once("://").map_or(input, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None if authority.matches(':').count() > 1 => authority,
        None => authority.split(':').next()?,
    };
    (!host.is_empty()).then(|| host.trim_end_matches('.').to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_inputs() {
        for (input, host) in [
            ("https://www.Example.com/a?b", Some("www.example.com")),
            ("tlstrace://1337x.be", Some("1337x.be")),
            ("example.com:8443", Some("example.com")),
            ("https://user@example.com:1/", Some("example.com")),
            ("https://[2001:db8::1]:443/", Some("2001:db8::1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("example.com.", Some("example.com")),
            ("https:///", None),
            ("", None),
        ] {
            assert_eq!(host_of(input).as_deref(), host, "{input}");
        }
    }
}
