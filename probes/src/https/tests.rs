//! Whole measurements of sites on this machine.

use kua::reference::{File, Reference};
use kua_mint::{Authority, NOW, Template, pem};

use super::*;
use crate::loopback::{Site, resolver};
use crate::resolver::Server;

/// A reference whose only root program trusts `root`.
fn trusting(root: &Authority) -> Reference {
    let text = format!("# program: Test\n# date: 2025-10-01\n{}", pem(&root.certificate));
    let store = File { path: "stores/test.pem".into(), bytes: text.into_bytes() };
    Reference::from_files([store]).unwrap()
}

async fn probe(server: Server, routes: &[&str]) -> Https {
    let limit = Duration::from_secs(2);
    Https {
        resolver: Resolver::open(server, limit).await.unwrap(),
        routes: routes.iter().map(|route| route.parse().unwrap()).collect(),
        families: vec![Family::V4, Family::V6],
        limit,
        vantage: Vantage { country: "KZ".into(), asn: 9198, network: String::new() },
    }
}

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW).unwrap()
}

fn site(host: &str, port: u16) -> Target {
    Target { host: host.into(), port }
}

#[tokio::test]
async fn the_failure_is_what_a_client_would_say() {
    let root = Authority::root("Public Root");
    let issuing = root.intermediate("Public Issuing");
    let leaf = issuing.leaf("here.example");
    let other = issuing.leaf("other.example");
    let old = Template::leaf(&["here.example"]).valid(NOW - 9_000, NOW - 8_000);
    let old = issuing.leaf_with(&leaf.key, old);
    let state = Authority::root("State Root").leaf("here.example");
    let reference = trusting(&root);
    let issuing = issuing.certificate.as_slice();
    for (case, chain, key, failure) in [
        ("public root -> issuing -> leaf", vec![&leaf.certificate, issuing], &leaf.key, None),
        (
            "public root -> (issuing omitted) -> leaf",
            vec![leaf.certificate.as_slice()],
            &leaf.key,
            Some("ssl_unknown_authority"),
        ),
        ("state root -> leaf", vec![&state.certificate], &state.key, Some("ssl_unknown_authority")),
        (
            "public root -> issuing -> expired leaf",
            vec![&old.certificate, issuing],
            &old.key,
            Some("ssl_invalid_certificate"),
        ),
        (
            "public root -> issuing -> leaf of another name",
            vec![&other.certificate, issuing],
            &other.key,
            Some("ssl_invalid_hostname"),
        ),
    ] {
        let endpoint = Site::new(&chain, key).serve();
        let probe = probe(Server::System, &[&format!("::127.0.0.1:{}", endpoint.port())]).await;
        let seen = probe.measure(&site("here.example", 443), now(), &reference).await;
        let [seen] = seen.as_slice() else { panic!("{case}: {seen:?}") };
        let [shaken] = seen.handshakes.as_slice() else { panic!("{case}: {seen:?}") };
        assert_eq!(shaken.failure.as_ref().map(Failure::code), failure, "{case}");
        assert_eq!(shaken.server_name.as_deref(), Some("here.example"), "{case}");
        let kept = shaken.chain.as_ref().unwrap().certificates();
        assert!(kept.iter().map(kua::chain::Certificate::der).eq(chain), "{case}");
        assert!(seen.queries.is_empty(), "{case}: an address needs no query");
        assert_eq!(seen.annotations["connect_to"], endpoint.to_string());

        let line = kua::wire::to_line(seen);
        assert_eq!(&kua::wire::from_line(line.as_bytes()).unwrap(), seen, "{case}: wire");
    }
}

#[tokio::test]
async fn each_family_is_a_measurement() {
    let root = Authority::root("Root");
    let leaf = root.leaf("here.example");
    let reference = trusting(&root);
    let endpoint = Site::new(&[&leaf.certificate], &leaf.key).serve();
    let server = Server::Udp(resolver());
    let probe = probe(server, &[]).await;
    let seen = probe.measure(&site("here.example", endpoint.port()), now(), &reference).await;
    let [v4, v6] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!((v4.queries[0].kind.as_str(), v6.queries[0].kind.as_str()), ("A", "AAAA"));
    assert_eq!(v4.annotations["address_family"], "ipv4");
    assert_eq!(v6.annotations["address_family"], "ipv6");
    // 127.0.0.1 answers; nobody listens on 127.0.0.2 and ::1.
    assert_eq!((v4.connects.len(), v4.handshakes.len()), (2, 1));
    assert_eq!(v4.handshakes[0].failure, None);
    assert_eq!(v4.handshakes[0].transaction, 1);
    assert_eq!((v6.connects.len(), v6.handshakes.len()), (1, 0));
    assert!(v6.connects[0].failure.is_some());
    assert_eq!(
        v4.input.as_deref(),
        Some(format!("https://here.example:{}/", endpoint.port()).as_str())
    );

    let seen = probe.measure(&site("v4.example", endpoint.port()), now(), &reference).await;
    let [only] = seen.as_slice() else { panic!("{seen:?}") };
    let kinds: Vec<_> = only.queries.iter().map(|query| query.kind.as_str()).collect();
    assert_eq!(kinds, ["A", "AAAA"], "the empty answer is not lost");
    assert_eq!(
        only.handshakes[0].failure.as_ref().map(Failure::code),
        Some("ssl_invalid_hostname")
    );

    let seen = probe.measure(&site("many.example", endpoint.port()), now(), &reference).await;
    assert_eq!(seen[0].queries[0].addresses.len(), 9);
    assert_eq!(seen[0].connects.len(), MAX_ADDRESSES);

    let seen = probe.measure(&site("nxdomain.example", 443), now(), &reference).await;
    let [none] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!((none.queries.len(), none.connects.len()), (2, 0));
    assert!(none.queries.iter().all(|query| query.failure.is_some()));
}

#[tokio::test]
async fn ipv6_and_addresses_as_targets() {
    let root = Authority::root("Root");
    let leaf = root.leaf_with(&kua_mint::Key::ecdsa_p256(), Template::leaf(&["127.0.0.1"]));
    let reference = trusting(&root);
    let probe = probe(Server::System, &[]).await;
    let v4 = Site::new(&[&leaf.certificate], &leaf.key).serve();
    let mut endpoints = vec![v4];
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        endpoints.push(Site::new(&[&leaf.certificate], &leaf.key).serve_on("[::1]:0"));
    }
    for endpoint in endpoints {
        let target = site(&endpoint.ip().to_string(), endpoint.port());
        let seen = probe.measure(&target, now(), &reference).await;
        let [only] = seen.as_slice() else { panic!("{seen:?}") };
        assert!(only.queries.is_empty());
        assert_eq!(only.handshakes[0].endpoint, Some(endpoint));
        assert_eq!(only.handshakes[0].server_name, Some(target.host));
    }
}

#[tokio::test]
async fn moments_have_whole_seconds() {
    let probe = probe(Server::System, &["::127.0.0.1:1"]).await;
    let reference = trusting(&Authority::root("Root"));
    let exact = now() + Duration::from_millis(123);
    let seen = probe.measure(&site("here.example", 443), exact, &reference).await;
    assert_eq!(seen[0].started, Some(now()));
}
