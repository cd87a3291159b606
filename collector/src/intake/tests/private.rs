//! A sender's address is nowhere: not in the archive, not in what is told.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use kua_mint::{Authority, Key, Template};
use serde_json::Value;

use crate::intake::testing::*;
use crate::intake::{Geo, Options};
use kua_archive::{Place, Sender, Writer};

fn behind_a_proxy() -> Options {
    Options { proxies: vec!["127.0.0.1".parse().unwrap()], ..Options::default() }
}

fn post(server: &Server, client: &str, record: &str) -> Answer {
    server.post_with(SUBMIT, &format!("x-forwarded-for: {client}\r\n"), &alone(record))
}

/// Every file below `dir`, unpacked where it is zstd, and every base64 text in it decoded.
fn everything(dir: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            all.extend(path.to_string_lossy().bytes());
            all.extend(everything(&path));
            continue;
        }
        all.extend(path.to_string_lossy().bytes());
        let bytes = std::fs::read(&path).unwrap();
        all.extend(zstd::decode_all(bytes.as_slice()).unwrap_or_default());
        all.extend(bytes);
    }
    let text = String::from_utf8_lossy(&all).into_owned();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/' | '='));
    for word in words.filter(|word| word.len() >= 8) {
        all.extend(BASE64.decode(word.as_bytes()).unwrap_or_default());
    }
    all
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn the_sender_is_nowhere_in_the_archive() {
    let root = Authority::root("State root");
    for (address, other) in [("203.0.113.7", "198.51.100.1"), ("2001:db8:7::9", "2001:db8:8::1")] {
        let names = ["a.example", address];
        let leaf = root.leaf_with(&Key::ecdsa_p256(), Template::leaf(&names));
        let sent = with_chain(1, &[&leaf.certificate, &root.certificate]);
        let page = BASE64.encode(format!("you are {address}").as_bytes());
        let sent = sent
            .replace(r#""probe_ip":"127.0.0.1""#, &format!(r#""probe_ip":"{address}""#))
            .replace("\"x_kua\"", &format!("\"body\":{{\"data\":\"{page}\"}},\"x_kua\""));
        let octets = match address.parse().unwrap() {
            IpAddr::V4(address) => [&[4][..], &address.octets()].concat(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let signature = &leaf.certificate[leaf.certificate.len() - 40..];
        for (client, is_there) in [(address, false), (other, true)] {
            let dir = tempfile::tempdir().unwrap();
            let archive = dir.path().join("archive");
            let server = Server::start(
                behind_a_proxy(),
                Writer::open(&Place::from(archive.as_path())).unwrap(),
            );
            let answer = post(&server, client, &sent);
            assert_eq!(answer.status, 200, "{}", answer.body);
            let told = server.get("/metrics").body;
            let scrubbed = server.committed.lock().unwrap()[0].receipt.scrubbed;
            assert_eq!(scrubbed, !is_there);
            server.end().unwrap();
            let all = everything(&archive);
            // The same search finds it where it was somebody else who sent the record.
            assert_eq!(holds(&all, address.as_bytes()), is_there, "{client}: text");
            assert_eq!(holds(&all, &octets), is_there, "{client}: octets");
            assert_eq!(holds(&all, signature), is_there, "{client}: signature");
            for line in [address, other, client] {
                assert!(!told.contains(line) && !answer.head.contains(line), "{line}");
            }
            let hash = kua::chain::Fingerprint::of(sent.as_bytes()).to_string();
            assert_eq!(holds(&all, hash.as_bytes()), is_there, "{client}: hash");
        }
    }
}

#[test]
fn the_address_is_compared_with_the_claim() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, database: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, database).unwrap();
        path
    };
    // One node: addresses below 128.0.0.0 are of the first row, others of none.
    let asn = file("asn", &database(&[("autonomous_system_number", Row::Number(9198))]));
    let kz = file("kz", &database(&[("country_code", Row::Text("KZ"))]));
    let ru = file("ru", &database(&[("country_code", Row::Text("RU"))]));
    let other = file("other", &database(&[("autonomous_system_number", Row::Number(1))]));
    for (case, files, client, expected) in [
        ("no database", vec![], "1.2.3.4", Sender::Unknown),
        ("its network", vec![&asn, &kz], "1.2.3.4", Sender::Same),
        ("its network, no country known", vec![&asn], "1.2.3.4", Sender::Same),
        ("another network", vec![&kz, &other], "1.2.3.4", Sender::OtherNetwork),
        ("another country", vec![&asn, &ru], "1.2.3.4", Sender::OtherCountry),
        ("its country, no network known", vec![&kz], "1.2.3.4", Sender::Unknown),
        ("nowhere", vec![&asn, &kz], "203.0.113.7", Sender::Unknown),
    ] {
        let files: Vec<_> = files.into_iter().cloned().collect();
        let options = Options { geo: Geo::open(&files).unwrap(), ..behind_a_proxy() };
        let server = Server::start(options, Shaky::new(WELL));
        let answer = post(&server, client, &record(1));
        assert_eq!(answer.status, 200, "{case}: never a refusal");
        let network = server.committed.lock().unwrap()[0].receipt.network;
        assert_eq!(network, Some(expected), "{case}");
    }
    let options = Options { geo: Geo::open(&[asn, kz]).unwrap(), ..behind_a_proxy() };
    let server = Server::start(options, Shaky::new(WELL));
    let asked = server.post_with("/api/v1/check-in", "x-forwarded-for: 1.2.3.4\r\n", b"{}").json();
    assert_eq!((&asked["probe_cc"], &asked["probe_asn"]), (&Value::from("KZ"), &"AS9198".into()));
    assert!(Geo::open(&[file("none", b"nothing")]).is_err());
    assert!(Geo::open(&[dir.path().join("absent")]).is_err());
}

enum Row {
    Number(u32),
    Text(&'static str),
}

/// A database in MaxMind's format with one row, for the lower half of all IPv4 addresses.
fn database(row: &[(&str, Row)]) -> Vec<u8> {
    fn text(text: &str) -> Vec<u8> {
        match text.len() {
            length @ 0..29 => [&[0x40 | length as u8], text.as_bytes()].concat(),
            length => [&[0x40 | 29, (length - 29) as u8], text.as_bytes()].concat(),
        }
    }
    // One node; a record of 17 is the first byte of data, one of 1 is nothing.
    let mut bytes = vec![0, 0, 17, 0, 0, 1];
    bytes.extend([0; 16]);
    bytes.push(0xe0 | row.len() as u8);
    for (key, value) in row {
        bytes.extend(text(key));
        match value {
            Row::Number(number) => bytes.extend([&[0xc4][..], &number.to_be_bytes()].concat()),
            Row::Text(value) => bytes.extend(text(value)),
        }
    }
    bytes.extend(b"\xab\xcd\xefMaxMind.com\xe9");
    for (key, value) in [
        ("binary_format_major_version", &[0xa1, 2][..]),
        ("binary_format_minor_version", &[0xa0]),
        ("build_epoch", &[1, 2, 1]),
        ("database_type", b"\x43one"),
        ("description", &[0xe0]),
        ("ip_version", &[0xa1, 4]),
        ("languages", &[0, 4]),
        ("node_count", &[0xc1, 1]),
        ("record_size", &[0xa1, 24]),
    ] {
        bytes.extend(text(key));
        bytes.extend(value);
    }
    bytes
}
