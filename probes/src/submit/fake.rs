//! A collector of one test: it fails in every way it is told to.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use data_encoding::BASE64;
use kua::submission::{Acknowledgement, is_signed_by};
use kua::tlog::{Checkpoint, Entry, Growing, Hash, SigningKey, Tile, bundle, sha256, tile_bytes};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::loopback::peer;

/// What the collector does with the next record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    /// Takes it.
    Takes,
    /// Takes it, and the line is cut before its answer.
    IsCut,
    /// Takes it, and its receipt is of another record.
    Confuses,
    /// Takes it and gives no receipt, as OONI's.
    IsOoni,
    /// Says this status, with this `Retry-After` in seconds.
    Refuses(u16, Option<u64>),
    /// A captive portal's page.
    IsPortal,
}

pub(crate) struct Inner {
    pub(crate) key: SigningKey,
    pub(crate) does: Vec<Does>,
    pub(crate) takes_zstd: bool,
    pub(crate) says_receipt: bool,
    pub(crate) kept: BTreeMap<Hash, u64>,
    pub(crate) posts: usize,
    pub(crate) growing: Growing,
    pub(crate) entries: Vec<Entry>,
    pub(crate) leaves: Vec<Acknowledgement>,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

/// A collector of one test.
#[derive(Clone)]
pub(crate) struct Fake {
    inner: Arc<Mutex<Inner>>,
    address: SocketAddr,
}

impl Fake {
    /// Does this with one record after the other, then takes them.
    pub(crate) fn new(does: &[Does]) -> Self {
        let mut does = does.to_vec();
        does.reverse();
        let inner = Arc::new(Mutex::new(Inner {
            key: SigningKey::from_seed("collector.example/log", &[1; 32]).unwrap(),
            does,
            takes_zstd: true,
            says_receipt: true,
            kept: BTreeMap::new(),
            posts: 0,
            growing: Growing::default(),
            entries: Vec::new(),
            leaves: Vec::new(),
            files: BTreeMap::new(),
        }));
        let shared = inner.clone();
        let address = peer(move |stream| serve(stream, &shared));
        Self { inner, address }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.inner.lock().unwrap());
    }

    pub(crate) fn kept(&self) -> usize {
        self.inner.lock().unwrap().kept.len()
    }

    pub(crate) fn posts(&self) -> usize {
        self.inner.lock().unwrap().posts
    }
}

/// One request a connection.
fn serve(mut stream: TcpStream, inner: &Mutex<Inner>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    if reader.read_line(&mut first).unwrap_or(0) == 0 {
        return;
    }
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut parts = first.split(' ');
    let answer = match (parts.next(), parts.next()) {
        (Some("POST"), Some("/api/v1/submit_measurement")) => {
            inner.lock().unwrap().post(&headers, &body)
        }
        (Some("GET"), Some(path)) => Some(inner.lock().unwrap().file(path)),
        _ => panic!("{first}"),
    };
    let Some((status, extra, body)) = answer else { return };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{extra}\r\n"
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).ok();
}

type Answered = (u16, String, Vec<u8>);

impl Inner {
    fn post(&mut self, headers: &BTreeMap<String, String>, body: &[u8]) -> Option<Answered> {
        self.posts += 1;
        let does = self.does.pop().unwrap_or(Does::Takes);
        match does {
            Does::Refuses(status, after) => {
                let after = after.map(|after| format!("retry-after: {after}\r\n"));
                return Some((status, after.unwrap_or_default(), b"{\"error\":\"no\"}".to_vec()));
            }
            Does::IsPortal => return Some((200, String::new(), b"<html>Log in</html>".to_vec())),
            _ => {}
        }
        let body = match headers.get("content-encoding").map(String::as_str) {
            Some("zstd") if self.takes_zstd => zstd::decode_all(body).unwrap(),
            Some(_) => return Some((415, String::new(), b"{}".to_vec())),
            None => body.to_vec(),
        };
        let body: Value = serde_json::from_slice(&body).unwrap();
        let hash = sha256(body["content"].as_str().unwrap().as_bytes());
        let decoded = |name: &str| BASE64.decode(headers[name].as_bytes()).unwrap();
        assert!(is_signed_by(&decoded("kua-key"), &decoded("kua-signature"), &hash));
        let kept = self.keep(hash);
        let uid = kept.uid.clone();
        let submitted = if does == Does::Confuses { [0; 32] } else { hash };
        let receipt = kept.receipt.filter(|_| self.says_receipt);
        let receipt = Acknowledgement { submitted, receipt, ..kept }.sign(&self.key).to_string();
        let key = self.key.public().to_string();
        let answer = match does {
            Does::IsCut => return None,
            Does::IsOoni => json!({"measurement_uid": uid}),
            _ => json!({"measurement_uid": uid, "x_kua": {"key": key, "receipt": receipt}}),
        };
        Some((200, String::new(), answer.to_string().into_bytes()))
    }

    /// Each record once.
    pub(crate) fn keep(&mut self, hash: Hash) -> Acknowledgement {
        if let Some(index) = self.kept.get(&hash) {
            return self.leaves[*index as usize].clone();
        }
        let index = self.growing.size();
        let kept = Acknowledgement {
            log: self.key.public().name().to_owned(),
            submitted: hash,
            kept: hash,
            uid: format!("uid-{index}"),
            received: OffsetDateTime::UNIX_EPOCH,
            receipt: Some(sha256(&index.to_be_bytes())),
            index,
        };
        self.kept.insert(hash, index);
        let entry = Entry { record: kept.kept, receipt: kept.receipt };
        for (tile, hashes) in self.growing.push(entry.leaf_hash()) {
            self.files.insert(tile.path(), tile_bytes(&hashes));
        }
        self.entries.push(entry);
        let tile = Tile::bundle_of(index, index + 1);
        self.files.insert(tile.path(), bundle(&self.entries));
        for (tile, hashes) in self.growing.partial() {
            self.files.insert(tile.path(), tile_bytes(hashes));
        }
        self.leaves.push(kept.clone());
        kept
    }

    fn checkpoint(&self) -> Checkpoint {
        let (size, root) = (self.growing.size(), self.growing.root());
        Checkpoint { origin: self.key.public().name().into(), size, root }
    }

    fn file(&self, path: &str) -> Answered {
        let path = path.strip_prefix("/log/").unwrap();
        let found = match path {
            "checkpoint" => Some(self.checkpoint().sign(&self.key).to_string().into_bytes()),
            _ => self.files.get(path).cloned(),
        };
        found.map_or((404, String::new(), Vec::new()), |body| (200, String::new(), body))
    }
}
