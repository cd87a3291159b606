//! How many executors a scheduler knows, as it tells who asks over HTTP.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The whole of such an answer, and what it may take.
const MOST: u64 = 4096;
const WITHIN: Duration = Duration::from_secs(5);

/// How many executors are registered with the scheduler at `HOST:PORT`; `None` where it gives no such answer.
pub(crate) async fn executors(scheduler: &str) -> Option<usize> {
    let asked = async {
        let mut stream = TcpStream::connect(scheduler).await?;
        let request =
            format!("GET /readyz HTTP/1.1\r\nHost: {scheduler}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(MOST).read_to_end(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let answer = tokio::time::timeout(WITHIN, asked).await.ok()?.ok()?;
    says(&answer)
}

fn says(answer: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    match head.split(' ').nth(1)? {
        "200" => {
            let words = body.split(|letter: char| !letter.is_ascii_alphanumeric());
            words.filter_map(|word| word.parse().ok()).find(|count| *count > 0)
        }
        "503" => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::says;

    #[test]
    fn only_its_two_answers_are_answers() {
        let cases: &[(&[u8], Option<usize>)] = &[
            (b"HTTP/1.1 200 OK\r\n\r\nready: 2 executors registered\n", Some(2)),
            (b"HTTP/1.1 503 Service Unavailable\r\n\r\nnot ready", Some(0)),
            (b"HTTP/1.1 404 Not Found\r\n\r\n", None),
            (b"HTTP/1.1", None),
            (b"SSH-2.0-x", None),
            (b"\xff\xfe 200", None),
            (b"", None),
        ];
        for (answer, expected) in cases {
            assert_eq!(says(answer), *expected, "{}", String::from_utf8_lossy(answer));
        }
    }
}
