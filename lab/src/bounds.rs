//! What one box bears: how many connections, and how long each step of one may take.

use std::future::Future;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time;

use crate::error::LabError;

/// Connections that one box holds open; further visitors wait in the listener's queue.
pub(crate) const CONNECTIONS: usize = 256;
/// How long a visitor may take for its ClientHello.
pub(crate) const HELLO: Duration = Duration::from_secs(5);
/// How long a connection or a TLS handshake may take.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a connection may carry nothing in either direction.
pub(crate) const IDLE: Duration = Duration::from_secs(30);

/// Runs `meet` for each connection, for ever; dropping the future ends the connections too.
///
/// What goes wrong on one connection is its visitor's to notice and to record: that is what the
/// lab is for.
pub(crate) async fn each_connection<F, M>(listener: TcpListener, meet: F)
where
    F: Fn(TcpStream) -> M,
    M: Future<Output = Result<(), LabError>> + Send + 'static,
{
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if open.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    // Small records go out at once; a box without it still works.
                    let _ = stream.set_nodelay(true);
                    open.spawn(meet(stream));
                }
                // Out of file descriptors, most likely: some come back as connections end.
                Err(_) => time::sleep(Duration::from_millis(100)).await,
            },
            Some(_) = open.join_next() => {}
        }
    }
}

/// Runs `step`, but not for longer than [`HANDSHAKE`].
pub(crate) async fn within<T>(
    name: &'static str,
    step: impl Future<Output = Result<T, LabError>>,
) -> Result<T, LabError> {
    time::timeout(HANDSHAKE, step).await.unwrap_or(Err(LabError::TimedOut { step: name }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_box_holds_so_many_connections_and_no_more() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let address = listener.local_addr().expect("bound");
        let met = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&met);
        tokio::spawn(each_connection(listener, move |_stream| {
            met.fetch_add(1, Ordering::SeqCst);
            std::future::pending()
        }));

        let mut visitors = Vec::new();
        for _ in 0..CONNECTIONS + 10 {
            visitors.push(TcpStream::connect(address).await.expect("the queue has room"));
        }
        time::sleep(Duration::from_millis(200)).await;
        assert_eq!(seen.load(Ordering::SeqCst), CONNECTIONS);
    }
}
