//! Shakes hands and keeps whatever chain is presented.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use kua::measurement::{Extra, Failure, Handshake, codes};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{CipherSuite, ClientConfig, ClientConnection, NamedGroup, ProtocolVersion};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::plaintext::Presented;
use super::recorder::Recorder;
use super::{Stopwatch, failure, plaintext};

/// Most bytes that a handshake may receive. rustls takes no message above 64 kB; this bounds
/// endless small ones.
const MAX_RECEIVED: u64 = 1024 * 1024;

/// How long the peer may take to hear that the connection is over.
const CLOSING: Duration = Duration::from_secs(1);

/// Runs a TLS handshake with `host` as SNI (none for an IP address) and keeps whatever chain is
/// presented, also when the handshake fails after it.
///
/// Any chain is accepted, because the untrusted ones are the ones worth keeping; so `failure` is
/// about the connection, and what a client would say of the chain is added by the caller. The
/// handshake signature is checked: it proves that the peer holds the leaf's key. No application
/// data is sent.
pub async fn handshake(
    mut stream: TcpStream,
    endpoint: SocketAddr,
    host: &str,
    watch: Stopwatch,
) -> Handshake {
    let t0 = watch.seconds();
    let mut shaken = Handshake {
        network: "tcp".into(),
        endpoint: Some(endpoint),
        server_name: Some(host.into()),
        whole: true,
        ..Handshake::default()
    };
    let recorder = Recorder::new(&PROVIDER);
    let mut connection = match begin(host, recorder.clone()) {
        Ok(connection) => connection,
        Err(reason) => {
            shaken.failure = Some(failure::unknown(reason));
            shaken.span = watch.span(t0);
            return shaken;
        }
    };

    let mut traffic = Traffic::default();
    let deadline = Instant::now() + watch.limit();
    let driven = drive(&mut connection, &mut stream, &mut traffic);
    let end = timeout_at(deadline, driven).await.unwrap_or(Err(End::Late));
    if end.as_ref().is_err_and(End::is_ours) && recorder.seen().chain.is_none() {
        // Whatever ends this, what came until then is at hand.
        let _ = timeout_at(deadline, listen_on(&mut stream, &mut traffic)).await;
    }
    shaken.span = watch.span(t0);

    let seen = recorder.seen().clone();
    shaken.chain = seen.chain.or_else(|| match plaintext::presented(&traffic.received) {
        Presented::Chain(chain) => Some(chain),
        Presented::Incomplete | Presented::Nothing => None,
    });
    shaken.extra.staple = seen.staple;
    shaken.extra.holds_key = seen.holds_key;
    shaken.extra.detail = seen.detail;
    shaken.extra.sent = Some(traffic.sent);
    shaken.extra.received = Some(traffic.received.len() as u64);
    negotiated(&connection, &mut shaken);
    shaken.failure = end.err().map(|end| end.into_failure(&mut shaken.extra));

    // Nothing that happens from here on is part of what was seen.
    let _ = timeout(CLOSING, close(&mut connection, &mut stream)).await;
    shaken
}

static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));

fn begin(
    host: &str,
    recorder: Arc<Recorder>,
) -> Result<ClientConnection, Box<dyn std::error::Error>> {
    let name = ServerName::try_from(host.to_owned())?;
    let mut config = ClientConfig::builder_with_provider(PROVIDER.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(recorder)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // A resumed session presents no certificate.
    config.resumption = Resumption::disabled();
    Ok(ClientConnection::new(Arc::new(config), name)?)
}

/// What crossed the wire.
#[derive(Default)]
struct Traffic {
    sent: u64,
    received: Vec<u8>,
}

/// What ended a handshake before its time.
enum End {
    Closed,
    Late,
    Refused(String),
    Socket(io::Error),
    Tls(rustls::Error),
}

impl End {
    /// This side gave up; the peer may still have something to say.
    fn is_ours(&self) -> bool {
        match self {
            Self::Closed | Self::Late | Self::Socket(_) => false,
            Self::Tls(error) => !matches!(error, rustls::Error::AlertReceived(_)),
            Self::Refused(_) => true,
        }
    }

    /// The code; the details go to `extra`.
    fn into_failure(self, extra: &mut Extra) -> Failure {
        match self {
            Self::Closed => Failure::new(codes::EOF),
            Self::Late => Failure::new(codes::GENERIC_TIMEOUT),
            Self::Socket(error) => failure::of_socket(&error),
            Self::Refused(reason) => {
                extra.detail.get_or_insert(reason);
                Failure::new(codes::SSL_FAILED_HANDSHAKE)
            }
            Self::Tls(rustls::Error::AlertReceived(alert)) => {
                extra.alert = Some(failure::alert_name(alert));
                failure::of_alert(alert)
            }
            Self::Tls(error) => {
                extra.detail.get_or_insert(error.to_string());
                Failure::new(codes::SSL_FAILED_HANDSHAKE)
            }
        }
    }
}

/// Moves bytes until both sides are done. rustls is driven by hand, so that what was negotiated
/// and received is at hand also when it fails.
async fn drive(
    connection: &mut ClientConnection,
    stream: &mut TcpStream,
    traffic: &mut Traffic,
) -> Result<(), End> {
    let mut buffer = [0; 4096];
    loop {
        flush(connection, stream, traffic).await.map_err(End::Socket)?;
        if !connection.is_handshaking() {
            return Ok(());
        }
        let count = stream.read(&mut buffer).await.map_err(End::Socket)?;
        if count == 0 {
            return Err(End::Closed);
        }
        traffic.received.extend_from_slice(&buffer[..count]);
        feed(connection, &buffer[..count])?;
        if traffic.received.len() as u64 > MAX_RECEIVED {
            return Err(End::Refused(format!("handshake of more than {MAX_RECEIVED} bytes")));
        }
    }
}

fn feed(connection: &mut ClientConnection, mut received: &[u8]) -> Result<(), End> {
    // What follows the handshake is not ours to read.
    while !received.is_empty() && connection.is_handshaking() {
        let taken = connection.read_tls(received.by_ref());
        let taken = taken.map_err(|full| End::Refused(full.to_string()))?;
        connection.process_new_packets().map_err(End::Tls)?;
        if taken == 0 {
            // The peer has said close_notify.
            return Err(End::Closed);
        }
    }
    Ok(())
}

/// Reads on where rustls has given up while the peer may still be presenting a chain.
async fn listen_on(stream: &mut TcpStream, traffic: &mut Traffic) -> io::Result<()> {
    let mut buffer = [0; 4096];
    while traffic.received.len() as u64 <= MAX_RECEIVED
        && plaintext::presented(&traffic.received) == Presented::Incomplete
    {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        traffic.received.extend_from_slice(&buffer[..count]);
    }
    Ok(())
}

async fn flush(
    connection: &mut ClientConnection,
    stream: &mut TcpStream,
    traffic: &mut Traffic,
) -> io::Result<()> {
    while connection.wants_write() {
        let mut records = Vec::new();
        connection.write_tls(&mut records)?;
        stream.write_all(&records).await?;
        traffic.sent += records.len() as u64;
    }
    Ok(())
}

/// Sends close_notify, or the alert that rustls has ready, and closes.
async fn close(connection: &mut ClientConnection, stream: &mut TcpStream) -> io::Result<()> {
    if !connection.is_handshaking() {
        connection.send_close_notify();
    }
    flush(connection, stream, &mut Traffic::default()).await?;
    stream.shutdown().await
}

fn negotiated(connection: &ClientConnection, shaken: &mut Handshake) {
    shaken.version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
        _ => "",
    }
    .into();
    let suite = connection.negotiated_cipher_suite();
    shaken.cipher = suite.map(|suite| cipher_name(suite.suite())).unwrap_or_default();
    let alpn = connection.alpn_protocol().unwrap_or_default();
    shaken.alpn = String::from_utf8_lossy(alpn).into_owned();
    let group = connection.negotiated_key_exchange_group();
    shaken.extra.group = group.map(|group| group_name(group.name()));
}

/// The IANA name; rustls has its own spelling for those of TLS 1.3.
fn cipher_name(suite: CipherSuite) -> String {
    let name = format!("{suite:?}");
    match name.strip_prefix("TLS13_") {
        Some(rest) => format!("TLS_{rest}"),
        None => name,
    }
}

/// The IANA name.
fn group_name(group: NamedGroup) -> String {
    match group {
        NamedGroup::X25519 => "x25519".into(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests;
