//! What one intake bears, so that no client and no crowd of them decides how much memory, how many
//! descriptors and how much time is used.

use std::time::Duration;

/// Bounds of an intake.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections held open; more wait in the listener's queue.
    pub connections: usize,
    /// Connections, or behind a proxy requests, of one client at a time. Many volunteers share an
    /// address where a provider has too few.
    pub per_client: usize,
    /// Bytes of headers with the request line, and their number.
    pub header_bytes: usize,
    /// Number of headers.
    pub headers: usize,
    /// Bytes of a body as it is sent.
    pub body: usize,
    /// Bytes of a body once it is unpacked.
    pub unpacked: usize,
    /// Bytes of all bodies that are being read, looked at, or wait for the writer.
    pub in_memory: usize,
    /// Records that wait for the writer.
    pub waiting: usize,
    /// Bodies of more than `SMALL` bytes that are looked at at once.
    pub large_at_once: usize,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long headers may take, and how long a connection may be idle.
    pub headers_within: Duration,
    /// How long a body may take, apart from what `slowest` gives it.
    pub body_within: Duration,
    /// Bytes a second below which a body is too slow.
    pub slowest: usize,
    /// How old a connection may become; it may then finish a request.
    pub age: Duration,
    /// How long requests may take to finish once the program is asked to end.
    pub drain: Duration,
    /// How long a record may wait for others to be committed with it.
    pub linger: Duration,
    /// Records that are committed at once.
    pub batch_records: usize,
    /// Bytes that are committed at once.
    pub batch_bytes: usize,
    /// How long nothing must have come before the archive is settled.
    pub idle: Duration,
    /// How long the archive may go unsettled while records keep coming.
    pub unsettled: Duration,
}

impl Limits {
    /// Bodies up to this many bytes are looked at where they were read.
    pub(super) const SMALL: usize = 64 << 10;
    /// Packed bodies up to this many bytes.
    pub(super) const SMALL_PACKED: usize = 16 << 10;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8_000,
            per_client: 256,
            header_bytes: 16 << 10,
            headers: 64,
            body: 16 << 20,
            unpacked: 32 << 20,
            in_memory: 256 << 20,
            waiting: 8_192,
            large_at_once: 2,
            handshake: Duration::from_secs(10),
            headers_within: Duration::from_secs(15),
            body_within: Duration::from_secs(30),
            slowest: 4 << 10,
            age: Duration::from_secs(600),
            drain: Duration::from_secs(20),
            linger: Duration::from_millis(15),
            batch_records: 1_000,
            batch_bytes: 8 << 20,
            idle: Duration::from_secs(5),
            unsettled: Duration::from_secs(60),
        }
    }
}
