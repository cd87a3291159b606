//! The genuine sites: one TLS server for many names.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time;
use tokio_rustls::TlsAcceptor;

use crate::bounds;
use crate::error::LabError;
use crate::hello;
use crate::identity::Identity;

const ALPN: &[&[u8]] = &[b"h2", b"http/1.1"];
/// A fatal alert, unrecognized_name (RFC 6066, section 3).
const UNRECOGNIZED_NAME: &[u8] = b"\x15\x03\x03\x00\x02\x02\x70";
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlab\n";

/// Which chain is presented for which name.
#[derive(Clone, Debug)]
pub struct Sites {
    servers: HashMap<String, Arc<ServerConfig>>,
}

impl Sites {
    /// Sets up one server for each name, which is written in lower case.
    ///
    /// # Errors
    /// [`LabError::Tls`] where a chain and its key do not go together.
    pub fn new(sites: &[(String, Identity)]) -> Result<Sites, LabError> {
        let servers = sites
            .iter()
            .map(|(name, identity)| Ok((name.clone(), identity.server(ALPN)?)))
            .collect::<Result<_, LabError>>()?;
        Ok(Sites { servers })
    }
}

/// Serves the sites until dropped.
///
/// Whoever asks for another name, for none, or in no TLS gets an alert and a clean end. After the
/// handshake the server waits for the visitor to leave; one that speaks HTTP/1.1 gets a short
/// answer.
pub async fn serve(listener: TcpListener, sites: Sites) {
    bounds::each_connection(listener, |visitor| meet(visitor, sites.clone())).await;
}

async fn meet(mut visitor: TcpStream, sites: Sites) -> Result<(), LabError> {
    let hello = hello::read(&mut visitor).await?;
    let Some(server) = hello.name.as_ref().and_then(|name| sites.servers.get(name)) else {
        visitor.write_all(UNRECOGNIZED_NAME).await.map_err(LabError::Splice)?;
        return visitor.shutdown().await.map_err(LabError::Splice);
    };
    let acceptor = TlsAcceptor::from(Arc::clone(server));
    let mut stream = bounds::within("shake hands with the visitor", async {
        acceptor.accept(hello::rewound(visitor, hello.bytes)).await.map_err(LabError::Handshake)
    })
    .await?;
    let speaks_http_2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    time::timeout(bounds::IDLE, attend(&mut stream, speaks_http_2))
        .await
        .unwrap_or(Err(LabError::TimedOut { step: "hear from the visitor" }))
}

async fn attend(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    speaks_http_2: bool,
) -> Result<(), LabError> {
    let mut question = [0; 4096];
    let answer = async {
        let count = stream.read(&mut question).await?;
        if count > 0 && !speaks_http_2 {
            stream.write_all(ANSWER).await?;
        }
        stream.shutdown().await
    };
    answer.await.map_err(LabError::Splice)
}
