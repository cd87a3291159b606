//! Handshakes with peers on this machine: whatever happens, what was presented is kept.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use kua::chain::Chain;
use kua_mint::{Algorithm, Authority, Key, NOW, Template, name};

use super::*;
use crate::loopback::{ONLY_TLS12, ONLY_TLS13, Site, answers, drain, peer, read_some};

async fn shake(endpoint: SocketAddr, host: &str) -> Handshake {
    within(endpoint, host, Duration::from_secs(5)).await
}

async fn within(endpoint: SocketAddr, host: &str, limit: Duration) -> Handshake {
    let watch = Stopwatch::start(limit);
    let (_, stream) = crate::steps::connect(endpoint, watch).await;
    handshake(stream.unwrap(), endpoint, host, watch).await
}

fn failure(shaken: &Handshake) -> Option<&str> {
    shaken.failure.as_ref().map(Failure::code)
}

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, 3, 3], length.as_slice(), body].concat()
}

fn vector(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&length[1..], body].concat()
}

/// A TLS 1.2 ServerHello for TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256.
fn server_hello() -> Vec<u8> {
    let body = [&[3, 3], [7; 32].as_slice(), &[0, 0xc0, 0x2b, 0]].concat();
    [&[2], vector(&body).as_slice()].concat()
}

/// ServerHello and a Certificate message with `count` certificates of `length` bytes, in records
/// of at most 16 kB.
fn flight(count: usize, length: usize) -> Vec<u8> {
    let certificates = vector(&vec![b'x'; length]).repeat(count);
    let certificate = [&[11], vector(&vector(&certificates)).as_slice()].concat();
    let messages = [server_hello(), certificate].concat();
    messages.chunks(16_000).flat_map(|part| record(22, part)).collect()
}

#[tokio::test]
async fn the_whole_chain_is_kept() {
    let root = Authority::root("Root");
    let issuing = root.intermediate("Issuing");
    let leaf = issuing.leaf("example.org");
    let old = issuing
        .leaf_with(&leaf.key, Template::leaf(&["example.org"]).valid(NOW - 9_000, NOW - 8_000));
    let v1 = Template::bare(&name(&[("CN", "example.org")])).version_1();
    let v1 = issuing.leaf_with(&leaf.key, v1);
    let (root, issuing) = (&root.certificate, &issuing.certificate);
    for (case, chain) in [
        ("root -> issuing -> leaf", vec![&leaf.certificate, issuing, root]),
        ("leaf alone", vec![&leaf.certificate]),
        ("shuffled, with a duplicate", vec![&leaf.certificate, root, issuing, root]),
        ("expired leaf", vec![&old.certificate, issuing]),
        ("version 1 leaf", vec![&v1.certificate, issuing]),
    ] {
        let chain: Vec<_> = chain.into_iter().map(Vec::as_slice).collect();
        for versions in [ONLY_TLS12, ONLY_TLS13] {
            let site = Site { versions, ..Site::new(&chain, &leaf.key) };
            let shaken = shake(site.serve(), "example.org").await;
            assert_eq!(failure(&shaken), None, "{case}: {shaken:?}");
            assert_eq!(shaken.chain, Some(Chain::from_der(&chain).unwrap()), "{case}");
            assert_eq!(shaken.extra.holds_key, Some(true), "{case}: {:?}", shaken.extra);
        }
    }
}

#[tokio::test]
async fn what_was_negotiated() {
    let key = Key::ecdsa_p256();
    let leaf = kua_mint::self_signed(&key, Template::leaf(&["example.org"]));
    let site = Site { staple: Some(b"staple".to_vec()), ..Site::new(&[&leaf.certificate], &key) };
    let shaken = shake(site.clone().serve(), "other.example").await;
    assert_eq!((shaken.version.as_str(), shaken.alpn.as_str()), ("TLSv1.3", "http/1.1"));
    assert_eq!(shaken.cipher, "TLS_AES_256_GCM_SHA384");
    assert_eq!(shaken.extra.group.as_deref(), Some("X25519MLKEM768"));
    assert_eq!(shaken.extra.staple.as_deref(), Some(b"staple".as_slice()));
    assert_eq!(shaken.server_name.as_deref(), Some("other.example"));
    assert!(shaken.extra.sent > Some(1000) && shaken.extra.received > Some(1000), "{shaken:?}");
    assert!(shaken.whole && !shaken.unverified && shaken.span.t > shaken.span.t0);

    let shaken = shake(Site { versions: ONLY_TLS12, ..site }.serve(), "127.0.0.1").await;
    assert_eq!(shaken.version, "TLSv1.2");
    assert_eq!(shaken.cipher, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    assert_eq!(shaken.extra.group.as_deref(), Some("x25519"));
}

#[tokio::test]
async fn an_address_is_not_sent_as_a_name() {
    let (send, seen) = std::sync::mpsc::channel();
    let endpoint = peer(move |mut stream| {
        let mut hello = vec![0; 16 * 1024];
        let count = std::io::Read::read(&mut stream, &mut hello).unwrap();
        send.send(hello[..count].to_vec()).unwrap();
    });
    for (host, sent) in [("marker.example", true), ("127.0.0.1", false)] {
        shake(endpoint, host).await;
        let hello = seen.recv().unwrap();
        let found = hello.windows(host.len()).any(|window| window == host.as_bytes());
        assert_eq!(found, sent, "{host}");
    }
}

#[tokio::test]
async fn a_peer_that_does_not_hold_the_key() {
    let leaf = Authority::root("Root").leaf("example.org");
    for versions in [ONLY_TLS12, ONLY_TLS13] {
        let site = Site::new(&[&leaf.certificate], &Key::ecdsa_p256());
        let shaken = shake(Site { versions, ..site }.serve(), "example.org").await;
        assert_eq!(failure(&shaken), Some("ssl_failed_handshake"));
        assert_eq!(shaken.extra.holds_key, Some(false));
        assert_eq!(shaken.chain, Some(Chain::from_der([&leaf.certificate]).unwrap()));
    }
}

#[tokio::test]
async fn a_leaf_that_nobody_can_check_is_kept_and_says_why() {
    let root = Authority::root("Root");
    let weak = root.leaf_with(&Key::rsa(1024), Template::leaf(&["example.org"]));
    let strong = Key::rsa(2048);
    for (leaf, detail) in [
        (b"not even DER".as_slice(), "handshake signature not checked: the leaf cannot be read"),
        (
            &weak.certificate,
            "handshake signature not checked: the leaf has an RSA key of 1024 bits",
        ),
    ] {
        let shaken = shake(Site::new(&[leaf], &strong).serve(), "example.org").await;
        assert_eq!(failure(&shaken), None, "{detail}");
        assert_eq!(shaken.chain, Some(Chain::from_der([leaf]).unwrap()), "{detail}");
        assert_eq!(shaken.extra.holds_key, None);
        assert_eq!(shaken.extra.detail.as_deref(), Some(detail));
    }
}

#[tokio::test]
async fn every_kind_of_key() {
    let root = Authority::root_with(
        Key::rsa(2048),
        Template::authority(&name(&[("CN", "Root")])).algorithm(Algorithm::RsaSha256),
    );
    for key in [Key::ecdsa_p384(), Key::ed25519(), Key::rsa(2048)] {
        let leaf = root.leaf_with(&key, Template::leaf(&["example.org"]));
        for versions in [ONLY_TLS12, ONLY_TLS13] {
            let site = Site { versions, ..Site::new(&[&leaf.certificate], &key) };
            let shaken = shake(site.serve(), "example.org").await;
            assert_eq!(shaken.extra.holds_key, Some(true), "{key:?} {:?}", shaken.extra);
        }
    }
}

#[tokio::test]
async fn peers_that_speak_something_else() {
    for (case, answer, code, alert) in [
        ("plain HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "ssl_failed_handshake", None),
        ("garbage", vec![0xa5; 5000], "ssl_failed_handshake", None),
        ("16 MB of garbage", vec![0; 16 * 1024 * 1024], "ssl_failed_handshake", None),
        ("16 MB record", record(22, &[0xff; 65_535]).repeat(256), "ssl_failed_handshake", None),
        (
            "TLS 1.0 only",
            vec![21, 3, 1, 0, 2, 2, 70],
            "ssl_failed_handshake",
            Some("protocol_version"),
        ),
        ("no such name", record(21, &[2, 112]), "ssl_invalid_hostname", Some("unrecognized_name")),
        (
            "internal error",
            record(21, &[2, 80]),
            "unknown_failure: remote error: tls: internal error",
            Some("internal_error"),
        ),
    ] {
        let shaken = shake(answers(answer), "example.org").await;
        assert_eq!(failure(&shaken), Some(code), "{case}: {shaken:?}");
        assert_eq!(shaken.extra.alert.as_deref(), alert, "{case}");
        assert_eq!(shaken.chain, None, "{case}");
        assert!(alert.is_some() || shaken.extra.detail.is_some(), "{case}: {shaken:?}");
    }
}

#[tokio::test]
async fn peers_that_go_away() {
    let leaf = Authority::root("Root").leaf("example.org");
    let chain = [leaf.certificate.as_slice()];
    let presented = [&[11], vector(&vector(&vector(&leaf.certificate))).as_slice()].concat();
    let presented = record(22, &[server_hello(), presented].concat());
    for (case, sent, reset, code) in [
        ("reset after the ClientHello", Vec::new(), true, "connection_reset"),
        ("close after the ClientHello", Vec::new(), false, "eof_error"),
        ("close after the Certificate", presented.clone(), false, "eof_error"),
        ("close_notify", record(21, &[1, 0]), false, "eof_error"),
    ] {
        let answer = sent.clone();
        let endpoint = peer(move |mut stream| {
            if reset {
                // Closing with unread bytes resets the connection.
                stream.peek(&mut [0; 1]).unwrap();
                return;
            }
            read_some(&mut stream);
            stream.write_all(&answer).unwrap();
        });
        let shaken = shake(endpoint, "example.org").await;
        assert_eq!(failure(&shaken), Some(code), "{case}: {shaken:?}");
        let kept = (sent == presented).then(|| Chain::from_der(chain).unwrap());
        assert_eq!(shaken.chain, kept, "{case}");
    }
}

#[tokio::test]
async fn a_peer_that_rustls_gives_up_on_is_heard_out() {
    let chain = [vec![b'x'; 5_000], vec![b'y'; 5_000]];
    let certificates: Vec<_> = chain.iter().flat_map(|sent| vector(sent)).collect();
    let certificate = [&[11], vector(&vector(&certificates)).as_slice()].concat();
    let mut old_hello = server_hello();
    old_hello[5] = 1;
    let answer = [record(22, &old_hello), record(22, &certificate)].concat();
    let shaken = shake(answers(answer), "example.org").await;
    assert_eq!(failure(&shaken), Some("ssl_failed_handshake"));
    assert_eq!(shaken.chain, Some(Chain::from_der(chain).unwrap()));
}

#[tokio::test]
async fn silence_and_drips_end_in_time() {
    let open = TcpListener::bind("127.0.0.1:0").unwrap();
    let dripping = peer(|mut stream| {
        read_some(&mut stream);
        let start = [11, 0, 0xff, 0, 0, 0xfe, 0xfd].as_slice();
        stream.write_all(&record(22, &[server_hello().as_slice(), start].concat())).ok();
        while stream.write_all(&record(22, b"x")).is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    for (case, endpoint) in
        [("silence", open.local_addr().unwrap()), ("Certificate without end", dripping)]
    {
        let began = Instant::now();
        let shaken = within(endpoint, "example.org", Duration::from_secs(1)).await;
        assert_eq!(failure(&shaken), Some("generic_timeout_error"), "{case}");
        assert!(began.elapsed() < Duration::from_secs(3), "{case}");
    }
}

#[tokio::test]
async fn very_many_certificates() {
    // rustls takes no message above 64 kB, and this probe no handshake above 1 MiB.
    for (count, length, code, kept) in [
        (10_000, 2, "eof_error", true),
        (10_000, 60, "ssl_failed_handshake", true),
        (10_000, 600, "ssl_failed_handshake", false),
    ] {
        let answer = flight(count, length);
        let closes = peer(move |mut stream| {
            read_some(&mut stream);
            stream.write_all(&answer).ok();
            stream.shutdown(std::net::Shutdown::Write).ok();
            drain(&mut stream);
        });
        let shaken = shake(closes, "example.org").await;
        assert_eq!(failure(&shaken), Some(code), "{count} x {length}: {:?}", shaken.extra);
        let presented = shaken.chain.map(|chain| chain.certificates().len());
        assert_eq!(presented, kept.then_some(count));
    }
}
