//! Queries to a resolver on this machine.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use super::*;
use crate::loopback::resolver;

async fn asked(server: &str, host: &str, family: Family) -> (Query, Vec<IpAddr>) {
    let limit = Duration::from_secs(1);
    let resolver = Resolver::open(server.parse().unwrap(), limit).await.unwrap();
    resolve(host, family, &resolver, Stopwatch::start(limit)).await
}

#[tokio::test]
async fn every_answer_has_one_code() {
    let server = resolver();
    for (host, family, addresses, failure) in [
        ("here.example", Family::V4, vec!["127.0.0.1", "127.0.0.2"], None),
        ("here.example", Family::V6, vec!["::1"], None),
        ("v4.example", Family::V4, vec!["127.0.0.1"], None),
        ("v4.example", Family::V6, vec![], Some("dns_no_answer")),
        ("nxdomain.example", Family::V4, vec![], Some("dns_nxdomain_error")),
        ("servfail.example", Family::V4, vec![], Some("dns_servfail_error")),
        ("refused.example", Family::V6, vec![], Some("dns_refused_error")),
        ("notimp.example", Family::V4, vec![], Some("dns_server_misbehaving")),
        ("silent.example", Family::V4, vec![], Some("generic_timeout_error")),
    ] {
        let began = Instant::now();
        let (query, found) = asked(&format!("udp://{server}"), host, family).await;
        assert_eq!(query.failure, failure.map(Failure::new), "{host} {family:?}");
        assert_eq!(query.addresses, addresses, "{host} {family:?}");
        assert_eq!(found.len(), addresses.len());
        assert_eq!((query.hostname.as_str(), query.engine.as_str()), (host, "udp"));
        assert_eq!(query.kind, if family == Family::V4 { "A" } else { "AAAA" });
        assert_eq!(query.resolver, server.to_string());
        assert!(began.elapsed() < Duration::from_secs(3), "{host}");
    }
}

#[tokio::test]
async fn resolvers_that_are_not_there() {
    let closed = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // A server that is there but cannot prove its name.
    let root = kua_mint::Authority::root("Root");
    let leaf = root.leaf("localhost");
    let unverified = crate::loopback::Site::new(&[&leaf.certificate], &leaf.key).serve();
    for (server, code) in [
        // The system tells nobody that a datagram was refused.
        (format!("udp://{closed}"), "generic_timeout_error"),
        (format!("tcp://{closed}"), "unknown_failure: no connections available"),
        (format!("tls://{unverified}"), "unknown_failure: "),
        (format!("https://{unverified}/dns-query"), "unknown_failure: "),
    ] {
        let (query, found) = asked(&server, "here.example", Family::V4).await;
        let failure = query.failure.unwrap();
        assert!(failure.code().starts_with(code), "{server}: {failure}");
        assert!(found.is_empty());
    }
}
