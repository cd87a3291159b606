//! The least client: one record by OONI's new flow, over plain HTTP on loopback.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

/// Sends a record; whether it was acknowledged.
pub fn submit(port: u16, record: &str) -> bool {
    status(port, record) == Some(200)
}

/// Sends a record; the status of the answer, where there is a whole one.
pub fn status(port: u16, record: &str) -> Option<u16> {
    let body = json!({ "format": "json", "content": record }).to_string();
    let request = format!(
        "POST /api/v1/submit_measurement HTTP/1.1\r\nHost: localhost\r\nContent-Type: \
         application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    // A name is given to what is kept; without one it was not.
    (status != 200 || body.contains("measurement_uid")).then_some(status)
}
