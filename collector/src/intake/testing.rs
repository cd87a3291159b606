//! An intake on loopback for tests, and a client that says exactly what it is told.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kua::intake::Record;
use kua_mint::Authority;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::keeping::{Committed, Keep, KeepError};
use super::{Certificate, IntakeError, Options, Serving, Settle, serve};
use kua_archive::{Kept, Receipt};

/// An intake that ends with its test.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) committed: Arc<Mutex<Vec<Committed>>>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), IntakeError>>>,
}

impl Server {
    pub(super) fn start(options: Options, keeper: impl Keep) -> Self {
        Self::with(options, keeper, None, None)
    }

    pub(super) fn with(
        options: Options,
        keeper: impl Keep,
        certificate: Option<Certificate>,
        settle: Option<Settle>,
    ) -> Self {
        let (told, address) = mpsc::channel();
        let (end, ended) = oneshot::channel();
        let committed = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&committed);
        let thread = std::thread::spawn(move || {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            let runtime = builder.worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                told.send(listener.local_addr().unwrap()).unwrap();
                let ledger = options.ledger.clone();
                let on_commit = Box::new(move |lasts: &[Committed]| {
                    ledger.iter().for_each(|ledger| ledger.committed(lasts));
                    seen.lock().unwrap().extend_from_slice(lasts);
                });
                let serving = Serving { listener, certificate, options, on_commit, settle };
                serve(serving, keeper, async { _ = ended.await }).await
            })
        });
        let address = address.recv().unwrap();
        Self { address, committed, end: Some(end), thread: Some(thread) }
    }

    /// Asks it to end, and waits until it has.
    pub(super) fn end(mut self) -> Result<(), IntakeError> {
        drop(self.end.take());
        self.thread.take().unwrap().join().unwrap()
    }

    /// Asks it to end, and does not wait.
    pub(super) fn ask_to_end(&mut self) {
        drop(self.end.take());
    }

    pub(super) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        let mut stream = self.connect();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        Answer::read(&mut stream)
    }

    pub(super) fn post(&self, path: &str, body: &[u8]) -> Answer {
        self.post_with(path, "", body)
    }

    /// `headers` each with its line break.
    pub(super) fn post_with(&self, path: &str, headers: &str, body: &[u8]) -> Answer {
        let mut stream = self.connect();
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        // A refusal may come before the end of the body.
        let _ = stream.write_all(body);
        Answer::read(&mut stream)
    }

    /// Hands a record in by the newer flow.
    pub(super) fn submit(&self, record: &str) -> Answer {
        self.post(SUBMIT, &alone(record))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub(super) const SUBMIT: &str = "/api/v1/submit_measurement";

/// The body of the newer flow.
pub(super) fn alone(record: &str) -> Vec<u8> {
    json!({"format": "json", "content": record, "nym": null, "zkp_request": null,
        "manifest_version": null, "protocol_version": null})
    .to_string()
    .into_bytes()
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    /// 0 where the connection was closed without an answer.
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn read(stream: &mut impl Read) -> Self {
        let mut bytes = Vec::new();
        // A connection that is reset may still have been answered.
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    pub(super) fn uid(&self) -> Option<String> {
        self.json()["measurement_uid"].as_str().map(str::to_owned)
    }
}

/// A record with a chain of its own: "state root -> leaf".
pub(super) fn record(number: u32) -> String {
    let root = Authority::root("State root");
    let leaf = root.leaf("a.example");
    with_chain(number, &[&leaf.certificate, &root.certificate])
}

pub(super) fn with_chain(number: u32, chain: &[&[u8]]) -> String {
    let sent = chain
        .iter()
        .map(|der| json!({"data": data_encoding::BASE64.encode(der), "format": "base64"}));
    json!({
        "annotations": {"number": number.to_string()}, "data_format_version": "0.2.0",
        "input": "https://a.example/", "measurement_start_time": "2026-09-01 10:00:00",
        "probe_asn": "AS9198", "probe_cc": "KZ", "probe_ip": "127.0.0.1", "test_name": "kua",
        "software_name": "kua", "software_version": "0.1.0", "test_version": "1",
        "test_keys": {"tls_handshakes": [{"server_name": "a.example", "address": "192.0.2.1:443",
            "failure": "ssl_unknown_authority", "no_tls_verify": false,
            "peer_certificates": sent.collect::<Vec<_>>(), "x_kua": {}}]},
    })
    .to_string()
}

/// What a [`Shaky`] keeper does.
pub(super) const WELL: u8 = 0;
pub(super) const FULL: u8 = 1;
pub(super) const BROKEN: u8 = 2;
pub(super) const STUCK: u8 = 3;

/// A keeper that fails when it is told to.
pub(super) struct Shaky {
    pub(super) how: Arc<AtomicU8>,
    pub(super) kept: Arc<Mutex<Vec<Record>>>,
    /// Whether a batch was begun to be committed.
    pub(super) begun: Arc<AtomicBool>,
    batch: Vec<Record>,
}

impl Shaky {
    pub(super) fn new(how: u8) -> Self {
        let how = Arc::new(AtomicU8::new(how));
        Self { how, kept: Arc::default(), begun: Arc::default(), batch: Vec::new() }
    }
}

/// Waits until it holds, and fails where it does not in time.
pub(super) fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Keep for Shaky {
    fn keep(&mut self, record: &Record, _: &Receipt) -> Result<(Kept, u64), KeepError> {
        let kept = self.kept.lock().unwrap();
        if let Some(place) = kept.iter().position(|kept| kept.hash == record.hash) {
            return Ok((Kept::AlreadyThere, place as u64));
        }
        self.batch.push(record.clone());
        Ok((Kept::New, (kept.len() + self.batch.len() - 1) as u64))
    }

    fn commit(&mut self) -> Result<(), KeepError> {
        let batch = std::mem::take(&mut self.batch);
        self.begun.store(true, Relaxed);
        let begun = Instant::now();
        while self.how.load(Relaxed) == STUCK {
            // A test that failed does not wait for it for ever.
            if begun.elapsed() > Duration::from_secs(60) {
                return Err(KeepError::Failed { reason: "stuck".into() });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        match self.how.load(Relaxed) {
            FULL => Err(KeepError::Full { reason: "no space left on device".into() }),
            BROKEN => Err(KeepError::Failed { reason: "input/output error".into() }),
            _ => {
                self.kept.lock().unwrap().extend(batch);
                Ok(())
            }
        }
    }
}
