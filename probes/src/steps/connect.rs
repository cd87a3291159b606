//! Opens a TCP connection.

use std::net::SocketAddr;

use kua::measurement::{Connect, Failure, codes};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Stopwatch, failure};

/// Connects to `endpoint`. There is a stream exactly when the step did not fail.
pub async fn connect(endpoint: SocketAddr, watch: Stopwatch) -> (Connect, Option<TcpStream>) {
    let t0 = watch.seconds();
    let (stream, failure) = match timeout(watch.limit(), TcpStream::connect(endpoint)).await {
        Ok(Ok(stream)) => (Some(stream), None),
        Ok(Err(error)) => (None, Some(failure::of_socket(&error))),
        Err(_) => (None, Some(Failure::new(codes::GENERIC_TIMEOUT))),
    };
    (Connect { endpoint, failure, span: watch.span(t0) }, stream)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn open_and_closed_ports() {
        let watch = Stopwatch::start(Duration::from_secs(5));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = listener.local_addr().unwrap();
        let (seen, stream) = connect(endpoint, watch).await;
        assert_eq!((seen.failure, seen.endpoint), (None, endpoint));
        assert!(stream.is_some());

        drop((listener, stream));
        let (seen, stream) = connect(endpoint, watch).await;
        assert_eq!(seen.failure, Some(Failure::new("connection_refused")));
        assert!(stream.is_none());
        assert!(seen.span.t >= seen.span.t0);
    }
}
