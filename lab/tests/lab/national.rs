//! One whole network: what the national entry does to each name, beside the clean one.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::Instant;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm};
use data_encoding::BASE64;
use kua_lab::Network;
use kua_lab::hosts::{Fate, HOSTS, with_fate};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use x509_parser::prelude::*;
use x509_parser::public_key::PublicKey;

use crate::client::{say, visit, visit_with};

/// One network for every test of this file; it runs until the tests end.
struct Lab {
    clean: SocketAddr,
    national: SocketAddr,
    /// The SPKI of the dossier's one key.
    dossier_key: Vec<u8>,
}

static LAB: LazyLock<Lab> = LazyLock::new(|| {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let out = tempfile::tempdir().expect("a directory");
            let network = Network::start(out.path()).await.expect("a network");
            let dossier =
                fs::read_to_string(out.path().join("reference/interceptors/lab-state.toml"))
                    .expect("a dossier");
            let dossier: toml::Table = dossier.parse().expect("TOML");
            let key = dossier["key"][0]["public_key"].as_str().expect("a key").as_bytes();
            let lab = Lab {
                clean: network.clean,
                national: network.national,
                dossier_key: BASE64.decode(key).expect("base64"),
            };
            out.close().expect("nobody reads it any more");
            sender.send(lab).expect("somebody waits");
            std::future::pending::<()>().await;
        });
    });
    receiver.recv().expect("the network starts")
});

#[tokio::test]
async fn listed_names_get_leaves_forged_after_the_origins() {
    for name in with_fate(Fate::ListedInterceptor) {
        let genuine = visit(LAB.clean, name).await.chain;
        let seen = visit(LAB.national, name).await;
        assert!(seen.stream.is_ok(), "{name}: {:?}", seen.stream);
        assert_eq!(seen.alpn.as_deref(), Some(&b"h2"[..]), "as the origin chose");
        assert_eq!(seen.chain.len(), 2, "leaf and intermediate, no root");

        let (genuine, forged) = (parse(&genuine[0]), parse(&seen.chain[0]));
        let intermediate = parse(&seen.chain[1]);
        assert_eq!(forged.issuer().as_raw(), intermediate.subject().as_raw());
        assert!(signed_by(&forged, intermediate.public_key().raw));
        assert!(signed_by(&intermediate, &LAB.dossier_key));

        assert_eq!(forged.subject().as_raw(), genuine.subject().as_raw());
        let (earlier, current) = (forged.validity(), genuine.validity());
        for (earlier, current) in
            [(earlier.not_before, current.not_before), (earlier.not_after, current.not_after)]
        {
            assert_eq!(current.timestamp() - earlier.timestamp(), 6 * 3600);
        }
        let (similar, original) = (forged.raw_serial(), genuine.raw_serial());
        assert_eq!(similar[..12], original[..12]);
        assert_ne!(similar[12..], original[12..]);
        assert_eq!(forged.extensions().len(), 1);
        let names = genuine.extensions().iter().find(|kept| kept.oid == forged.extensions()[0].oid);
        assert_eq!(names.map(|names| names.value), Some(forged.extensions()[0].value));
        let Ok(PublicKey::RSA(key)) = forged.public_key().parsed() else {
            panic!("not an RSA key");
        };
        assert_eq!((key.key_size(), key.exponent), (2048, &[3][..]));
    }
}

#[tokio::test]
async fn each_forged_name_has_one_key_and_keeps_it() {
    let mut keys = Vec::new();
    for name in with_fate(Fate::ListedInterceptor) {
        let first = visit(LAB.national, name).await.chain;
        assert_eq!(first, visit(LAB.national, name).await.chain);
        keys.push(parse(&first[0]).public_key().raw.to_vec());
    }
    assert_eq!(keys.len(), 2);
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test]
async fn the_unlisted_root_is_another_one() {
    for name in with_fate(Fate::UnlistedInterceptor) {
        let chain = visit(LAB.national, name).await.chain;
        let intermediate = parse(&chain[1]);
        assert_eq!(
            intermediate.issuer().to_string(),
            "C=QZ, O=Lab State, CN=Lab State Security Root 2"
        );
        assert!(signed_by(&parse(&chain[0]), intermediate.public_key().raw));
        assert!(!signed_by(&intermediate, &LAB.dossier_key));
    }
}

#[tokio::test]
async fn what_nobody_opens_passes_byte_for_byte() {
    for host in HOSTS {
        if !matches!(host.fate, Fate::Normal | Fate::Expired | Fate::SelfSigned) {
            continue;
        }
        let clean = visit(LAB.clean, host.name).await.chain;
        assert_eq!(clean, visit(LAB.national, host.name).await.chain, "{}", host.name);
        let leaf = parse(&clean[0]);
        assert_eq!(clean.len(), if host.fate == Fate::SelfSigned { 1 } else { 2 });
        assert_eq!(leaf.issuer() == leaf.subject(), host.fate == Fate::SelfSigned);
        assert_eq!(leaf.validity().is_valid(), host.fate != Fate::Expired, "{}", host.name);
    }
}

#[tokio::test]
async fn the_antivirus_sends_its_own_leaf_and_root() {
    for name in with_fate(Fate::Product) {
        let chain = visit(LAB.national, name).await.chain;
        assert_eq!(chain.len(), 2);
        let (leaf, root) = (parse(&chain[0]), parse(&chain[1]));
        assert_eq!(root.subject().to_string(), "O=Lab Antivirus, CN=Lab Shield Root");
        assert_eq!(root.issuer().as_raw(), root.subject().as_raw());
        assert!(signed_by(&leaf, root.public_key().raw));
        let names = leaf.subject_alternative_name().expect("unique").expect("present");
        assert_eq!(names.value.general_names, [GeneralName::DNSName(name)]);
        assert_eq!(chain, visit(LAB.national, name).await.chain, "the same leaf again");
    }
}

#[tokio::test]
async fn the_censor_resets_and_the_boxes_before_it_pass_that_on() {
    for name in with_fate(Fate::Reset) {
        let seen = visit(LAB.national, name).await;
        let error = seen.stream.expect_err("reset");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}");
        assert!(seen.chain.is_empty());
        assert!(visit(LAB.clean, name).await.stream.is_ok());
    }
}

#[tokio::test]
async fn content_passes_through_every_kind_of_path() {
    for name in ["www.instagram.com", "github.com", "www.wikipedia.org"] {
        for version in rustls::ALL_VERSIONS {
            let seen = visit_with(LAB.national, name, &[version], &["http/1.1"]).await;
            let mut stream = seen.stream.expect("open");
            stream.write_all(b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n").await.expect("open");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("a clean end");
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{name} {version:?}: {answer}");
            assert!(answer.ends_with("\r\n\r\nlab\n"));
        }
    }
}

#[tokio::test]
async fn unknown_names_end_cleanly_with_an_alert() {
    for entry in [LAB.clean, LAB.national] {
        for name in ["unknown.example", "192.0.2.1"] {
            let error = visit(entry, name).await.stream.expect_err("an alert").to_string();
            assert!(error.contains("UnrecognisedName"), "{error}");
        }
    }
}

#[tokio::test]
async fn garbage_and_silence_are_bounded() {
    let started = Instant::now();
    for entry in [LAB.clean, LAB.national] {
        let alert = say(entry, b"GET / HTTP/1.1\r\n\r\n").await;
        assert_eq!(alert, b"\x15\x03\x03\x00\x02\x02\x70");
    }
    assert!(started.elapsed().as_secs() < 2);
    let (clean, national) = tokio::join!(say(LAB.clean, b""), say(LAB.national, b"\x16\x03\x01"));
    assert_eq!((clean.len(), national.len()), (0, 0));
}

fn parse(der: &[u8]) -> X509Certificate<'_> {
    X509Certificate::from_der(der).expect("a certificate").1
}

/// Whether the RSA key in `spki` made the signature.
fn signed_by(certificate: &X509Certificate<'_>, spki: &[u8]) -> bool {
    let (_, spki) = SubjectPublicKeyInfo::from_der(spki).expect("an SPKI");
    RSA_PKCS1_2048_8192_SHA256
        .verify_sig(
            &spki.subject_public_key.data,
            certificate.tbs_certificate.as_ref(),
            &certificate.signature_value.data,
        )
        .is_ok()
}
