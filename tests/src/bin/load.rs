//! `make load`: how many records a second the intake makes durable, how long each takes, and how
//! much memory many connections take. Ends by itself.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use kua_archive::{Archive, ArchiveError, Place};
use kua_mint::Authority;
use kua_tests::{program, repository};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Barrier;

type Failure = Box<dyn Error + Send + Sync>;

/// Connections that hand in one record after the other, and for how long.
const BUSY: usize = 128;
const SECONDS: u64 = 15;

/// Connections that are open at once, each of which has handed a record in.
const MANY: usize = 5_000;

/// Connections from one of loopback's addresses: the intake takes so many of one client.
const OF_ONE_ADDRESS: usize = 200;

/// Records of about this length.
const LENGTH: usize = 20_000;

/// Different records, apart from their numbers.
const KINDS: usize = 64;

/// Stands where the number of a record goes.
const NUMBER: &str = "NNNNNNNNNNNN";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    // On the disk that holds the repository, not in memory.
    let folder = tempfile::tempdir_in(repository().join("target"))?;
    let archive = folder.path().join("archive");
    let (mut collector, address) = start(&archive, folder.path())?;
    let kinds: Arc<[Request]> = (0..KINDS).map(|_| Request::new()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let next = Arc::new(AtomicU64::new(0));
    let busy = runtime.block_on(hand_in(address, &kinds, &next))?;
    let after_busy = memory(&collector)?;
    let many = runtime.block_on(open_many(address, &kinds, &next))?;
    let after_many = memory(&collector)?;
    drop(runtime);
    let code = end(&mut collector)?;
    let acknowledged = busy.latencies.len() as u64 + many;
    let mut kept = 0;
    Archive::open(&Place::from(archive.as_path()))?.scan_raw(|_, _| {
        kept += 1;
        Ok::<_, ArchiveError>(())
    })?;

    let rate = busy.latencies.len() as f64 / busy.took.as_secs_f64();
    let millis = |part: f64| busy.quantile(part).as_secs_f64() * 1e3;
    let lines = [
        format!("records of {} bytes, {BUSY} connections, {SECONDS} s", kinds[0].length),
        format!("  acknowledged, fsynced    {rate:>8.0} /s   goal 3,000"),
        format!("  half within              {:>8.1} ms", millis(0.5)),
        format!("  99 of 100 within         {:>8.1} ms   goal 100", millis(0.99)),
        format!("  refused                  {:>8}", busy.refused),
        format!("  most memory so far       {after_busy:>8} MB"),
        format!("{MANY} connections at once, records handed in: {many}"),
        format!("  most memory              {after_many:>8} MB   goal 500"),
        format!(
            "acknowledged {acknowledged}, in the archive {kept}, the collector ended with {code}"
        ),
    ];
    writeln!(std::io::stdout(), "{}", lines.join("\n"))?;
    if kept != acknowledged || code != 0 {
        return Err("what was acknowledged is not what is in the archive".into());
    }
    Ok(())
}

/// The collector; it ends with this value at the latest.
struct Collector(Child);

impl Drop for Collector {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(archive: &Path, folder: &Path) -> Result<(Collector, SocketAddr), Failure> {
    let mut command = Command::new(program("kua-collector"));
    command.arg("serve").arg("--archive").arg(archive).args(["--listen", "127.0.0.1:0"]);
    // Where it makes the key of its log.
    command.env("XDG_DATA_HOME", folder);
    let mut child = Collector(command.stderr(Stdio::piped()).spawn()?);
    let mut lines = BufReader::new(child.0.stderr.take().ok_or("no standard error")?).lines();
    for line in lines.by_ref() {
        if let Some((_, address)) = line?.split_once("listening on http://") {
            let address = address.parse()?;
            std::thread::spawn(move || lines.count());
            return Ok((child, address));
        }
    }
    Err("the collector does not listen".into())
}

fn end(Collector(collector): &mut Collector) -> Result<i32, Failure> {
    Command::new("kill").args(["-TERM", &collector.id().to_string()]).status()?;
    Ok(collector.wait()?.code().unwrap_or(-1))
}

/// The most memory that the process has had, in MB.
fn memory(Collector(process): &Collector) -> Result<u64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id()))?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).ok_or("no VmHWM")?;
    let kilobytes: u64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kilobytes / 1_000)
}

/// A submission whose number can be changed in place.
struct Request {
    bytes: Vec<u8>,
    number: usize,
    length: usize,
}

impl Request {
    fn new() -> Self {
        let record = record();
        let body = json!({"format": "json", "content": record}).to_string();
        let head = format!(
            "POST /api/v1/submit_measurement HTTP/1.1\r\nhost: load\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let bytes = [head.as_bytes(), body.as_bytes()].concat();
        let number = bytes.windows(NUMBER.len()).position(|part| part == NUMBER.as_bytes());
        Self { number: number.unwrap_or(0), length: record.len(), bytes }
    }

    fn numbered(&self, number: u64) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        let digits = format!("{number:012}");
        bytes[self.number..self.number + digits.len()].copy_from_slice(digits.as_bytes());
        bytes
    }
}

/// A record as long as a web page's: handshakes with chains of their own, and events.
fn record() -> String {
    let root = Authority::root("Load root");
    let between = root.intermediate("Load intermediate");
    let shaken = |at: usize| {
        let leaf = between.leaf(&format!("site-{at}.example"));
        let chain = [&leaf.certificate, &between.certificate, &root.certificate];
        let sent =
            chain.map(|der| json!({"data": data_encoding::BASE64.encode(der), "format": "base64"}));
        json!({"network": "tcp", "address": "192.0.2.1:443", "cipher_suite": "TLS_AES_128_GCM_SHA256",
            "failure": null, "negotiated_protocol": "h2", "no_tls_verify": false,
            "peer_certificates": sent, "server_name": format!("site-{at}.example"), "t0": 0.1,
            "t": 0.2, "tags": [], "tls_version": "TLSv1.3", "transaction_id": at})
    };
    let mut record = json!({
        "annotations": {"number": NUMBER, "platform": "linux"}, "data_format_version": "0.2.0",
        "input": "https://site-0.example/", "measurement_start_time": "2026-09-01 10:00:00",
        "probe_asn": "AS9198", "probe_cc": "KZ", "probe_ip": "127.0.0.1", "report_id": "",
        "probe_network_name": "A network", "software_name": "load", "software_version": "1",
        "test_name": "web_connectivity", "test_runtime": 1.5, "test_version": "0.5.28",
        "test_keys": {"network_events": [], "tls_handshakes": (0..4).map(shaken).collect::<Vec<_>>()},
    });
    let mut length = record.to_string().len();
    let mut events = Vec::new();
    while length < LENGTH {
        let at = events.len();
        let one = json!({"address": "192.0.2.1:443", "failure": null, "num_bytes": at * 37 % 1_400,
            "operation": "read", "proto": "tcp", "t0": at as f64 / 977.0, "t": at as f64 / 967.0,
            "tags": [], "transaction_id": at % 4});
        length += one.to_string().len() + 1;
        events.push(one);
    }
    record["test_keys"]["network_events"] = events.into();
    record.to_string()
}

struct Busy {
    latencies: Vec<Duration>,
    refused: u64,
    took: Duration,
}

impl Busy {
    fn quantile(&self, part: f64) -> Duration {
        let at = (self.latencies.len() as f64 * part) as usize;
        self.latencies.get(at).copied().unwrap_or_default()
    }
}

async fn hand_in(
    address: SocketAddr,
    kinds: &Arc<[Request]>,
    next: &Arc<AtomicU64>,
) -> Result<Busy, Failure> {
    let over = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    let begun = Instant::now();
    for _ in 0..BUSY {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (kinds, next, over) = (Arc::clone(kinds), Arc::clone(next), Arc::clone(&over));
        tasks.push(tokio::spawn(async move {
            let (mut latencies, mut refused) = (Vec::new(), 0);
            while !over.load(Relaxed) {
                let sent = Instant::now();
                if submit(&mut stream, &kinds, &next).await? {
                    latencies.push(sent.elapsed());
                } else {
                    refused += 1;
                }
            }
            Ok::<_, Failure>((latencies, refused))
        }));
    }
    tokio::time::sleep(Duration::from_secs(SECONDS)).await;
    over.store(true, Relaxed);
    let mut busy = Busy { latencies: Vec::new(), refused: 0, took: Duration::ZERO };
    for task in tasks {
        let (latencies, refused) = task.await??;
        busy.latencies.extend(latencies);
        busy.refused += refused;
    }
    busy.took = begun.elapsed();
    busy.latencies.sort_unstable();
    Ok(busy)
}

/// Opens all, hands in over each, and holds them until the last is answered; gives how many were.
async fn open_many(
    address: SocketAddr,
    kinds: &Arc<[Request]>,
    next: &Arc<AtomicU64>,
) -> Result<u64, Failure> {
    let all = Arc::new(Barrier::new(MANY));
    let mut tasks = Vec::new();
    for at in 0..MANY {
        let own = [127, 0, 1, u8::try_from(1 + at / OF_ONE_ADDRESS)?];
        let mut stream = connect(own, address).await?;
        let (kinds, next, all) = (Arc::clone(kinds), Arc::clone(next), Arc::clone(&all));
        tasks.push(tokio::spawn(async move {
            all.wait().await;
            let mut answered = false;
            // Who is told to come again comes again; the refusal has closed the connection.
            for _ in 0..20 {
                answered = submit(&mut stream, &kinds, &next).await.unwrap_or(false);
                if answered {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
                if let Ok(again) = connect(own, address).await {
                    stream = again;
                }
            }
            all.wait().await;
            answered
        }));
    }
    let mut many = 0;
    for task in tasks {
        many += u64::from(task.await?);
    }
    Ok(many)
}

async fn connect(own: [u8; 4], address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((own, 0)))?;
    socket.connect(address).await
}

/// Whether the record got a name.
async fn submit(
    stream: &mut TcpStream,
    kinds: &[Request],
    next: &AtomicU64,
) -> Result<bool, Failure> {
    let number = next.fetch_add(1, Relaxed);
    let request = kinds[number as usize % kinds.len()].numbered(number);
    stream.write_all(&request).await?;
    let (mut answer, mut part) = (Vec::new(), [0; 1024]);
    loop {
        let length = stream.read(&mut part).await?;
        if length == 0 {
            return Err("closed without an answer".into());
        }
        answer.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_lowercase();
        let expected = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        if expected.and_then(|length| length.parse().ok()) != Some(body.len()) {
            continue;
        }
        let value: Value = serde_json::from_str(body)?;
        return Ok(head.starts_with("http/1.1 200") && value["measurement_uid"].is_string());
    }
}
