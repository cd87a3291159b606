//! Publishers on this machine, good and bad ones.

use kua_mint::{Authority, Key, Leaf, Template};
use ureq::tls::Certificate;

use super::*;
use crate::loopback::Site;

const LIMIT: usize = 100_000;

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// The client reads the clock.
fn leaf(root: &Authority) -> Leaf {
    let template = Template::leaf(&["127.0.0.1"]).valid(0, 4_000_000_000);
    root.leaf_with(&Key::ecdsa_p256(), template)
}

/// What comes of the answer of a publisher that `Public Root` vouches for.
fn fetched(answer: &[u8]) -> Result<Vec<u8>, DownloadError> {
    let root = Authority::root("Public Root");
    let leaf = leaf(&root);
    let site = Site::new(&[&leaf.certificate], &leaf.key).serve_http(answer.to_vec());
    let certificate = Certificate::from_der(&root.certificate).to_owned();
    let downloader = Downloader::trusting([certificate].into(), LIMIT, false);
    downloader.fetch(&format!("https://{site}/report.csv"))
}

fn answer(length: usize, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

#[test]
fn a_whole_file() {
    assert_eq!(fetched(&answer(5, b"hello")).unwrap(), b"hello");
    let chunked = [CHUNKED, b"5\r\nhello\r\n0\r\n\r\n"].concat();
    assert_eq!(fetched(&chunked).unwrap(), b"hello");
}

#[test]
fn a_file_that_is_refused_cut_or_too_long_is_none() {
    let redirect = |to: &str| {
        format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").into_bytes()
    };
    for (case, answer, expected) in [
        ("absent", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(), "status 404"),
        ("forbidden", b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno".to_vec(), "status 403"),
        ("announced too long", answer(LIMIT + 1, b""), "more than 100000 bytes"),
        (
            "too long without announcement",
            [CHUNKED, b"20000\r\n", &[b'x'; 0x20000], b"\r\n0\r\n\r\n"].concat(),
            "more than 100000 bytes",
        ),
        ("cut", answer(500, b"only this"), "the connection failed"),
        ("cut in a chunk", [CHUNKED, b"50\r\nonly this"].concat(), "the connection failed"),
        ("no length", b"HTTP/1.1 200 OK\r\n\r\nonly".to_vec(), "did not say how long"),
        ("nothing", Vec::new(), "the connection failed"),
        ("no HTTP", b"SSH-2.0-OpenSSH\r\n".to_vec(), "the connection failed"),
        ("led away from TLS", redirect("http://127.0.0.1:9/report.csv"), "is not over TLS"),
        ("led in a circle", redirect("/report.csv"), "the connection failed"),
    ] {
        let error = fetched(&answer).expect_err(case).to_string();
        assert!(error.contains(expected), "{case}: {error}");
    }
}

#[test]
fn a_publisher_that_no_public_root_vouches_for_is_not_heard() {
    let root = Authority::root("Interceptor");
    let leaf = leaf(&root);
    let site = Site::new(&[&leaf.certificate], &leaf.key).serve_http(answer(5, b"hello"));
    let downloader = Downloader::trusting(RootCerts::WebPki, LIMIT, false);
    let error = downloader.fetch(&format!("https://{site}/")).unwrap_err();
    assert!(matches!(error, DownloadError::Failed { .. }), "{error}");
    let plain = format!("http://{site}/");
    assert!(matches!(downloader.fetch(&plain), Err(DownloadError::NotTls { .. })));
}
