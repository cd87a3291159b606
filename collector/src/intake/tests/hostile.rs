//! What a hostile network sends: each is refused, and others are served meanwhile.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::intake::testing::*;
use crate::intake::{Limits, Options};

fn start(limits: Limits) -> Server {
    Server::start(Options { limits, ..Options::default() }, Shaky::new(WELL))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packing = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packing.write_all(bytes).unwrap();
    packing.finish().unwrap()
}

#[test]
fn slow_headers_end_the_connection() {
    let limits = Limits { headers_within: Duration::from_millis(200), ..Limits::default() };
    let server = start(limits);
    let mut silent = server.connect();
    let mut slow = server.connect();
    slow.write_all(b"POST /report HTTP/1.1\r\nhost: x\r\nx-a: ").unwrap();
    let mut kept_alive = server.connect();
    kept_alive.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let (mut rest, dripping) = (Vec::new(), std::time::Instant::now());
    while slow.write_all(b"a").is_ok() && dripping.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(server.get("/health").status, 200, "others are served");
    }
    assert!(dripping.elapsed() < Duration::from_secs(10), "the slow one is cut off");
    assert_eq!(silent.read_to_end(&mut rest).unwrap_or(0), 0);
    assert_eq!(Answer::read(&mut kept_alive).status, 200, "answered, then closed when idle");
}

#[test]
fn slow_bodies_are_ended() {
    let limits =
        Limits { body_within: Duration::from_millis(200), slowest: 1 << 20, ..Limits::default() };
    let server = start(limits);
    let mut slow = server.connect();
    write!(slow, "POST {SUBMIT} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n").unwrap();
    let begun = std::time::Instant::now();
    while slow.write_all(b"{").is_ok() && begun.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "it is cut off");
    assert!(server.get("/metrics").body.contains("result=\"slow\"} 1"));
    let mut chunked = server.connect();
    write!(
        chunked,
        "POST {SUBMIT} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{{\r\n"
    )
    .unwrap();
    assert_eq!(Answer::read(&mut chunked).status, 408);
}

#[test]
fn bombs_do_not_go_off() {
    let limits = Limits { body: 1 << 20, unpacked: 8 << 20, ..Limits::default() };
    let server = start(limits);
    let blanks = vec![b' '; 64 << 20];
    let twice = gzip(&gzip(&blanks));
    // A frame that asks for a window of 2 GiB: magic, descriptor, window of 2^31.
    let window = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0x00, 0x00];
    for (case, encoding, body, status) in [
        ("gzip of 64 MiB", "gzip", gzip(&blanks), &[400, 413][..]),
        ("zstd of 64 MiB", "zstd", zstd::encode_all(blanks.as_slice(), 19).unwrap(), &[400, 413]),
        ("gzip of 7 MiB of blanks", "gzip", gzip(&blanks[..7 << 20]), &[400]),
        ("gzip of gzip", "gzip", twice, &[400]),
        ("a window of 2 GiB", "zstd", window.to_vec(), &[400]),
        ("a cut gzip", "gzip", gzip(b"{}")[..12].to_vec(), &[400]),
        ("nothing in gzip", "gzip", Vec::new(), &[400]),
    ] {
        let header = format!("content-encoding: {encoding}\r\n");
        let answer = server.post_with(SUBMIT, &header, &body);
        assert!(status.contains(&answer.status), "{case}: {answer:?}");
    }
    assert_eq!(server.post(SUBMIT, &blanks[..2 << 20]).status, 413);
    let endless = "post_with says its length; this one does not";
    let mut stream = server.connect();
    write!(stream, "POST {SUBMIT} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        .unwrap();
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    while stream.write_all(chunk.as_bytes()).is_ok() {}
    assert!([0, 413].contains(&Answer::read(&mut stream).status), "{endless}");
    assert_eq!(server.submit(&record(1)).status, 200);
}

#[test]
fn a_record_of_a_million_certificates_is_refused_before_it_is_built() {
    let server = start(Limits::default());
    let mut many = String::with_capacity(30 << 20);
    many.push_str(r#"{"test_name":"kua","test_keys":{"tls_handshakes":[{"peer_certificates":["#);
    for number in 0..1_000_000 {
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(many, "{comma}{{\"data\":\"MAA=\"}}");
    }
    many.push_str("]}]}}");
    let body = format!(r#"{{"format":"json","content":{many}}}"#);
    let packed = zstd::encode_all(body.as_bytes(), 1).unwrap();
    let answer = server.post_with(SUBMIT, "content-encoding: zstd\r\n", &packed);
    assert!([400, 413].contains(&answer.status), "{answer:?}");
    let answer = server.post(SUBMIT, &body.as_bytes()[..10 << 20]);
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("more than 300000 values"), "{}", answer.body);
    let deep = format!(r#"{{"content":{}"#, "[".repeat(1_000_000));
    assert!(server.post(SUBMIT, deep.as_bytes()).body.contains("nested deeper"));
    assert_eq!(server.submit(&record(1)).status, 200);
}

#[test]
fn headers_are_few_and_short() {
    let server = start(Limits::default());
    let many: String = (0..200).map(|number| format!("x-{number}: 1\r\n")).collect();
    assert_eq!(server.post_with("/report", &many, b"{}").status, 431);
    let long = format!("x-a: {}\r\n", "a".repeat(64 << 10));
    assert_eq!(server.post_with("/report", &long, b"{}").status, 431);
    let mut stream = server.connect();
    stream.write_all(b"\x16\x03\x01\x02\x00\x01\x00nonsense\r\n\r\n").unwrap();
    assert!([0, 400].contains(&Answer::read(&mut stream).status));
}

#[test]
fn one_client_has_so_many_connections() {
    let server = start(Limits { per_client: 3, ..Limits::default() });
    let open: Vec<_> = (0..3).map(|_| server.connect()).collect();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(Answer::read(&mut server.connect()).status, 0, "closed at once");
    drop(open);
    let begun = std::time::Instant::now();
    while server.get("/health").status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(10), "room again");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn behind_a_proxy_each_client_has_so_many_requests() {
    let options = Options {
        proxies: vec!["127.0.0.1".parse().unwrap()],
        limits: Limits { per_client: 1, ..Limits::default() },
        ..Options::default()
    };
    let shaky = Shaky::new(STUCK);
    let (how, committing) = (shaky.how.clone(), shaky.begun.clone());
    let server = Server::start(options, shaky);
    let post = |client: &str, number| {
        server.post_with(SUBMIT, &format!("x-forwarded-for: {client}\r\n"), &alone(&record(number)))
    };
    std::thread::scope(|scope| {
        let first = scope.spawn(|| post("203.0.113.7", 1).status);
        wait_for("the first is being committed", || committing.load(Ordering::Relaxed));
        assert_eq!(post("203.0.113.7", 2).status, 429);
        let other = scope.spawn(|| post("203.0.113.8", 3).status);
        let waits = |line: &str| line == "kua_waiting_records 1";
        wait_for("the other waits", || server.get("/metrics").body.lines().any(waits));
        how.store(WELL, Ordering::Relaxed);
        assert_eq!((first.join().unwrap(), other.join().unwrap()), (200, 200));
    });
    assert_eq!(server.submit(&record(4)).status, 502, "the proxy says nothing");
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn bodies_share_a_memory() {
    let server = start(Limits { in_memory: 256 << 10, ..Limits::default() });
    let mut held = server.connect();
    write!(held, "POST {SUBMIT} HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n").unwrap();
    held.write_all(&[b' '; 90_000]).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(server.post(SUBMIT, &[b' '; 120_000]).status, 429);
    drop(held);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(server.post(SUBMIT, &[b' '; 120_000]).status, 400);
}

#[test]
fn no_more_connections_than_there_is_room_for() {
    let server = start(Limits {
        connections: 2,
        headers_within: Duration::from_millis(300),
        ..Limits::default()
    });
    let _open = [server.connect(), server.connect()];
    std::thread::sleep(Duration::from_millis(100));
    // It waits in the listener's queue until an idle one is sent away.
    assert_eq!(server.get("/health").status, 200);
}
