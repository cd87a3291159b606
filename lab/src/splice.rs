//! Bytes passed on in both directions, untouched.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{self, Instant};

use crate::bounds::IDLE;
use crate::error::LabError;
use crate::route::Route;

/// Connects `visitor` with the next hop, which first gets `read`, what the box has already taken.
pub(crate) async fn forward(
    mut visitor: TcpStream,
    read: &[u8],
    route: Route,
) -> Result<(), LabError> {
    let mut next = route.connect().await?;
    let passed = async {
        next.write_all(read).await?;
        relay(&mut visitor, &mut next).await
    };
    let passed = passed.await;
    if passed.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset) {
        // Who is behind this box must see the reset too, not a clean end.
        reset(visitor);
        reset(next);
    }
    passed.map_err(LabError::Splice)
}

/// Ends a connection with a RST in place of a FIN.
pub(crate) fn reset(stream: TcpStream) {
    // Where the system refuses, the connection ends with a FIN; there is no one to tell.
    let _ = stream.set_zero_linger();
    drop(stream);
}

/// Passes bytes on until both directions have ended, one has failed, or nothing came for [`IDLE`].
pub(crate) async fn relay<A, B>(mut left: A, mut right: B) -> io::Result<()>
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    let activity = Activity { started: Instant::now(), last: AtomicU64::new(0) };
    let (mut left_reader, mut left_writer) = tokio::io::split(&mut left);
    let (mut right_reader, mut right_writer) = tokio::io::split(&mut right);
    let both = async {
        tokio::try_join!(
            pump(&mut left_reader, &mut right_writer, &activity),
            pump(&mut right_reader, &mut left_writer, &activity),
        )
    };
    tokio::select! {
        ended = both => ended.map(|_| ()),
        () = activity.idle() => Err(io::ErrorKind::TimedOut.into()),
    }
}

async fn pump(
    reader: &mut (impl AsyncRead + Unpin),
    writer: &mut (impl AsyncWrite + Unpin),
    activity: &Activity,
) -> io::Result<()> {
    let mut piece = vec![0; 16 * 1024];
    loop {
        let count = reader.read(&mut piece).await?;
        if count == 0 {
            return writer.shutdown().await;
        }
        activity.note();
        writer.write_all(&piece[..count]).await?;
        // A TLS stream keeps what it is given until it is flushed.
        writer.flush().await?;
        activity.note();
    }
}

/// When bytes last moved in either direction.
struct Activity {
    started: Instant,
    /// Milliseconds since `started`.
    last: AtomicU64,
}

impl Activity {
    fn note(&self) {
        let elapsed = self.started.elapsed().as_millis();
        self.last.store(u64::try_from(elapsed).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Ends once nothing has moved for [`IDLE`].
    async fn idle(&self) {
        loop {
            let last = self.last.load(Ordering::Relaxed);
            time::sleep_until(self.started + time::Duration::from_millis(last) + IDLE).await;
            if self.last.load(Ordering::Relaxed) == last {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_direction_ends_on_its_own() {
        let (mut visitor, left) = tokio::io::duplex(64);
        let (mut origin, right) = tokio::io::duplex(64);
        let relayed = tokio::spawn(relay(left, right));

        visitor.write_all(b"question").await.expect("open");
        visitor.shutdown().await.expect("open");
        let mut question = String::new();
        origin.read_to_string(&mut question).await.expect("ended");
        origin.write_all(b"answer").await.expect("still open");
        drop(origin);
        let mut answer = String::new();
        visitor.read_to_string(&mut answer).await.expect("ended");

        assert_eq!((question.as_str(), answer.as_str()), ("question", "answer"));
        relayed.await.expect("no panic").expect("a clean end");
    }

    #[tokio::test(start_paused = true)]
    async fn idleness_ends_it_and_bytes_put_that_off() {
        let started = Instant::now();
        let (mut visitor, left) = tokio::io::duplex(64);
        let (_origin, right) = tokio::io::duplex(64);
        let relayed = tokio::spawn(relay(left, right));

        time::sleep(IDLE / 2).await;
        visitor.write_all(b"still here").await.expect("open");
        let error = relayed.await.expect("no panic").expect_err("idle");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed().as_secs(), (IDLE + IDLE / 2).as_secs());
    }
}
