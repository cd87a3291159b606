//! The same over TLS.

use std::io::Write;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kua_mint::{Authority, Key, Template, pem};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::intake::testing::*;
use crate::intake::{Certificate, IntakeError, Limits, Options};

#[test]
fn records_come_over_tls() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| -> PathBuf {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    // Root -> leaf of the collector.
    let root = Authority::root("Root");
    let leaf = root.leaf_with(
        &Key::ecdsa_p256(),
        Template::leaf(&["collector.example"]).valid(0, 4_000_000_000),
    );
    let chain = file("chain.pem", &pem(&leaf.certificate));
    let key = pem(&leaf.key.pkcs8()).replace("CERTIFICATE", "PRIVATE KEY");
    let key = file("key.pem", &key);
    let certificate = Certificate { chain: chain.clone(), key: key.clone() };
    let options = Options {
        limits: Limits { handshake: Duration::from_millis(300), ..Limits::default() },
        ..Options::default()
    };
    let server = Server::with(options, Shaky::new(WELL), Some(certificate), None);

    let mut roots = RootCertStore::empty();
    roots.add(root.certificate.clone().into()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "collector.example".try_into().unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, server.connect());
    let body = alone(&record(1));
    let length = body.len();
    write!(
        stream,
        "POST {SUBMIT} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    )
    .unwrap();
    stream.write_all(&body).unwrap();
    let answer = Answer::read(&mut stream);
    assert_eq!(answer.status, 200);
    assert!(answer.uid().is_some());

    // Who never shakes hands is sent away.
    let mut silent: TcpStream = server.connect();
    assert_eq!(Answer::read(&mut silent).status, 0);

    let wrong = file("wrong.pem", "nothing");
    for (chain, key) in [(&wrong, &key), (&chain, &wrong), (&chain, &dir.path().join("absent"))] {
        let certificate = Certificate { chain: chain.clone(), key: key.clone() };
        assert!(matches!(
            certificate.acceptor(),
            Err(IntakeError::Pem { .. } | IntakeError::Io { .. })
        ));
    }
}
