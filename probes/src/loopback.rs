//! Peers on this machine for tests to probe: sites with minted chains, and peers that misbehave.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;

use kua_mint::Key;
use rustls::crypto::aws_lc_rs;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Versions of TLS that a site speaks.
pub(crate) type Versions = &'static [&'static SupportedProtocolVersion];

pub(crate) static ONLY_TLS12: Versions = &[&TLS12];
pub(crate) static ONLY_TLS13: Versions = &[&TLS13];

/// A site that presents `chain`, leaf first, and signs with `key`.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) key: Key,
    pub(crate) staple: Option<Vec<u8>>,
    pub(crate) versions: Versions,
}

impl Site {
    pub(crate) fn new(chain: &[&[u8]], key: &Key) -> Self {
        let chain = chain.iter().map(|der| der.to_vec()).collect();
        Self { chain, key: key.clone(), staple: None, versions: rustls::ALL_VERSIONS }
    }

    /// Serves on 127.0.0.1 until the test ends.
    pub(crate) fn serve(self) -> SocketAddr {
        self.serve_on("127.0.0.1:0")
    }

    pub(crate) fn serve_on(self, address: &str) -> SocketAddr {
        let config = Arc::new(self.config());
        peer_on(address, move |mut stream| {
            let mut connection = ServerConnection::new(config.clone()).unwrap();
            while connection.is_handshaking() {
                if connection.complete_io(&mut stream).is_err() {
                    return;
                }
            }
            connection.complete_io(&mut stream).ok();
        })
    }

    /// Answers every request with `answer` and cuts the connection, without TLS's own goodbye.
    pub(crate) fn serve_http(self, answer: Vec<u8>) -> SocketAddr {
        let config = Arc::new(self.config());
        peer(move |mut stream| {
            let mut connection = ServerConnection::new(config.clone()).unwrap();
            let mut tls = rustls::Stream::new(&mut connection, &mut stream);
            let (mut request, mut byte) = (Vec::new(), [0; 1]);
            while !request.ends_with(b"\r\n\r\n") {
                if tls.read_exact(&mut byte).is_err() {
                    return;
                }
                request.extend(byte);
            }
            tls.write_all(&answer).and_then(|()| tls.flush()).ok();
        })
    }

    fn config(self) -> ServerConfig {
        let chain = self.chain.into_iter().map(CertificateDer::from).collect();
        let key = PrivateKeyDer::Pkcs8(self.key.pkcs8().into());
        let key = aws_lc_rs::sign::any_supported_type(&key).unwrap();
        let mut certified = CertifiedKey::new(chain, key);
        certified.ocsp = self.staple;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(self.versions)
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config
    }
}

/// A peer that does `behave` with each connection, on 127.0.0.1.
pub(crate) fn peer(behave: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    peer_on("127.0.0.1:0", behave)
}

fn peer_on(address: &str, behave: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind(address).unwrap();
    let endpoint = listener.local_addr().unwrap();
    let behave = Arc::new(behave);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let behave = behave.clone();
            std::thread::spawn(move || behave(stream));
        }
    });
    endpoint
}

/// Reads one ClientHello, sends `answer`, and waits until the probe closes.
pub(crate) fn answers(answer: Vec<u8>) -> SocketAddr {
    peer(move |mut stream| {
        read_some(&mut stream);
        stream.write_all(&answer).ok();
        drain(&mut stream);
    })
}

/// Reads what comes first, at least one byte.
pub(crate) fn read_some(stream: &mut TcpStream) -> usize {
    stream.read(&mut [0; 16 * 1024]).unwrap_or_default()
}

/// Reads until the other side closes.
pub(crate) fn drain(stream: &mut TcpStream) {
    let mut buffer = [0; 16 * 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// A resolver over UDP that has answers for some names of `.example` and says what their first
/// label is for all others: `nxdomain`, `servfail`, `refused`, `notimp`, `silent`.
pub(crate) fn resolver() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 1500];
        while let Ok((count, from)) = socket.recv_from(&mut buffer) {
            if let Some(answer) = dns_answer(&buffer[..count]) {
                socket.send_to(&answer, from).unwrap();
            }
        }
    });
    address
}

/// RFC 1035, section 4: header, the question again, the answers.
fn dns_answer(query: &[u8]) -> Option<Vec<u8>> {
    let first = usize::from(query[12]);
    let label = std::str::from_utf8(&query[13..13 + first]).unwrap().to_owned();
    let end = 13 + query[12..].iter().position(|byte| *byte == 0).unwrap() + 4;
    let ipv6 = query[end - 3] == 28;
    let (code, answers): (u8, Vec<Vec<u8>>) = match (label.as_str(), ipv6) {
        ("here", false) => (0, vec![vec![127, 0, 0, 1], vec![127, 0, 0, 2], vec![127, 0, 0, 1]]),
        ("here", true) => (0, vec![std::net::Ipv6Addr::LOCALHOST.octets().to_vec()]),
        ("v4", false) => (0, vec![vec![127, 0, 0, 1]]),
        ("many", false) => (0, (1..=9).map(|last| vec![127, 0, 0, last]).collect()),
        ("v4" | "many", true) => (0, vec![]),
        ("servfail", _) => (2, vec![]),
        ("nxdomain", _) => (3, vec![]),
        ("notimp", _) => (4, vec![]),
        ("refused", _) => (5, vec![]),
        _ => return None,
    };
    let count = u8::try_from(answers.len()).unwrap();
    let mut message = [&query[..2], &[0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0]].concat();
    message.extend_from_slice(&query[12..end]);
    for address in answers {
        let kind = if ipv6 { 28 } else { 1 };
        let length = u8::try_from(address.len()).unwrap();
        message.extend_from_slice(&[0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, length]);
        message.extend_from_slice(&address);
    }
    Some(message)
}
