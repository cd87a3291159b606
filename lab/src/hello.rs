//! What a visitor asks for in its first bytes, and those bytes, kept to pass on.

use std::io::{self, Cursor};

use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time;

use crate::bounds;

/// The most bytes a ClientHello may take.
pub const LIMIT: usize = 16 * 1024;

/// A visitor's first bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    /// Everything read so far, as it came; may reach beyond the ClientHello.
    pub bytes: Vec<u8>,
    /// The SNI, in lower case. Absent where there is none, or where the bytes are no ClientHello:
    /// a box can then only pass them on.
    pub name: Option<String>,
    /// The protocols offered by ALPN, most wanted first.
    pub alpn: Vec<Vec<u8>>,
}

/// Why there is no first flight to look at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HelloError {
    /// The visitor left before its ClientHello was whole.
    #[error("the visitor left")]
    Left,
    /// The connection broke.
    #[error("the connection broke")]
    Read(#[source] io::Error),
    /// The visitor took more than 5 seconds.
    #[error("the visitor is too slow")]
    Slow,
    /// More than [`LIMIT`] bytes came and the ClientHello was still not whole.
    #[error("the ClientHello is longer than {LIMIT} bytes")]
    TooLong,
}

/// Reads up to the end of the ClientHello, in however many pieces it comes.
///
/// Bytes that are no ClientHello are returned too, without a name.
///
/// # Errors
/// Each [`HelloError`], as it says.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Hello, HelloError> {
    time::timeout(bounds::HELLO, read_pieces(stream)).await.unwrap_or(Err(HelloError::Slow))
}

/// `stream` as if nothing had been read from it.
pub(crate) fn rewound(
    stream: TcpStream,
    bytes: Vec<u8>,
) -> impl AsyncRead + AsyncWrite + Send + Unpin {
    let (reader, writer) = stream.into_split();
    tokio::io::join(Cursor::new(bytes).chain(reader), writer)
}

async fn read_pieces(stream: &mut (impl AsyncRead + Unpin)) -> Result<Hello, HelloError> {
    let mut hello = Hello::default();
    let mut acceptor = Acceptor::default();
    let mut piece = vec![0; LIMIT];
    loop {
        let room = LIMIT - hello.bytes.len();
        if room == 0 {
            return Err(HelloError::TooLong);
        }
        let count = stream.read(&mut piece[..room]).await.map_err(HelloError::Read)?;
        if count == 0 {
            return Err(HelloError::Left);
        }
        hello.bytes.extend_from_slice(&piece[..count]);

        let mut fresh = &piece[..count];
        while !fresh.is_empty() {
            if acceptor.read_tls(&mut fresh).is_err() {
                return Ok(hello);
            }
            match acceptor.accept() {
                Ok(None) => {}
                Ok(Some(accepted)) => {
                    let asked = accepted.client_hello();
                    hello.name = asked.server_name().map(str::to_ascii_lowercase);
                    hello.alpn = asked.alpn().into_iter().flatten().map(<[u8]>::to_vec).collect();
                    return Ok(hello);
                }
                Err(_) => return Ok(hello),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, ClientConnection, RootCertStore};
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn name_and_protocols_are_found_in_any_number_of_pieces() {
        let bytes = client_hello("WWW.Example.com");
        for size in [1, 7, 200, bytes.len()] {
            let hello = read_in_pieces(&bytes, size).await.expect("a ClientHello");
            assert_eq!(hello.name.as_deref(), Some("www.example.com"), "pieces of {size}");
            assert_eq!(hello.alpn, [b"h2".to_vec(), b"http/1.1".to_vec()]);
            assert_eq!(hello.bytes, bytes);
        }
    }

    #[tokio::test]
    async fn an_address_is_no_name() {
        let hello = read_in_pieces(&client_hello("192.0.2.1"), 4096).await.expect("a ClientHello");
        assert_eq!(hello.name, None);
    }

    #[tokio::test]
    async fn what_is_no_client_hello_is_kept_without_a_name() {
        for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 64], b"\x16\x03\x01\x00\x04\x02aaa"] {
            let hello = read_in_pieces(garbage, 4096).await.expect("bytes");
            assert_eq!(hello, Hello { bytes: garbage.to_vec(), ..Hello::default() });
        }
    }

    #[tokio::test]
    async fn a_client_hello_without_end_is_too_long() {
        // A handshake record of 16,384 bytes, announcing a longer message.
        let mut endless = b"\x16\x03\x01\x40\x00\x01\x00\xff\xff".to_vec();
        endless.resize(2 * LIMIT, 0);
        let refused = read_in_pieces(&endless, 4096).await;
        assert!(matches!(refused, Err(HelloError::TooLong)), "{refused:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_and_absence_are_bounded() {
        let (mut near, far) = tokio::io::duplex(64);
        assert!(matches!(read(&mut near).await, Err(HelloError::Slow)));
        drop(far);
        assert!(matches!(read(&mut near).await, Err(HelloError::Left)));
    }

    async fn read_in_pieces(bytes: &[u8], size: usize) -> Result<Hello, HelloError> {
        let (mut near, mut far) = tokio::io::duplex(size);
        let bytes = bytes.to_vec();
        let writer = tokio::spawn(async move { far.write_all(&bytes).await });
        let hello = read(&mut near).await;
        writer.abort();
        hello
    }

    fn client_hello(name: &str) -> Vec<u8> {
        let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let mut client = ClientConnection::new(config.into(), name).expect("a client");
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).expect("memory");
        bytes
    }
}
