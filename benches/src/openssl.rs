//! The reference: `openssl s_server`, which both clients meet, and `openssl s_time`.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use kua_mint::{Authority, Key, Template, aki, pem};

use crate::{Result, cpu};

/// The name that leaves are for.
pub(crate) const NAME: &str = "bench.example";

/// What the installed openssl calls itself; `None` where there is none.
pub(crate) fn version() -> Option<String> {
    let output = Command::new("openssl").arg("version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// A server in a process of its own, on a port of its own, until dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) endpoint: SocketAddr,
    _files: tempfile::TempDir,
}

impl Server {
    /// Presents a leaf with `key` and the intermediate that signed it.
    pub(crate) fn start(key: &Key) -> Result<Self> {
        let files = tempfile::tempdir()?;
        let intermediate = Authority::root("Root").intermediate("Intermediate");
        let leaf = Template::leaf(&[NAME]).with(aki(&intermediate.key.id()));
        let leaf = intermediate.leaf_with(key, leaf);
        let write = |name: &str, text: String| -> Result<_> {
            let path = files.path().join(name);
            std::fs::write(&path, text)?;
            Ok(path)
        };
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let process = Command::new("openssl")
            .args(["s_server", "-www", "-quiet", "-accept", &format!("127.0.0.1:{port}")])
            .arg("-cert")
            .arg(write("leaf.pem", pem(&leaf.certificate))?)
            .arg("-key")
            .arg(write("key.pem", private_key(key))?)
            .arg("-cert_chain")
            .arg(write("chain.pem", pem(&intermediate.certificate))?)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let endpoint = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut server = Self { process, endpoint, _files: files };
        server.wait_until_it_listens()?;
        Ok(server)
    }

    fn wait_until_it_listens(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            if let Some(status) = self.process.try_wait()? {
                return Err(format!("openssl s_server ended at once: {status}").into());
            }
            match TcpStream::connect_timeout(&self.endpoint, Duration::from_secs(1)) {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() > deadline => return Err(error.into()),
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; either way nobody is left behind.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Full handshakes that a client made.
pub(crate) struct Timed {
    pub(crate) handshakes: u64,
    pub(crate) elapsed: Duration,
    /// What the client used; where the system does not count it, `elapsed`.
    pub(crate) cpu: Duration,
}

/// Lets `openssl s_time` shake hands for `seconds`, one connection after the other.
pub(crate) fn s_time(endpoint: SocketAddr, seconds: u32) -> Result<Timed> {
    let before = cpu::of_ended_children();
    let began = Instant::now();
    let mut process = Command::new("openssl")
        .args(["s_time", "-new", "-time", &seconds.to_string()])
        // It builds a path whatever the outcome: without roots it ends at once.
        .args(["-no-CAfile", "-no-CApath", "-no-CAstore"])
        .args(["-connect", &endpoint.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut said = String::new();
    process.stdout.take().expect("it is piped").read_to_string(&mut said)?;
    process.wait()?;
    let elapsed = began.elapsed();
    let cpu = before.zip(cpu::of_ended_children());
    let cpu = cpu.map_or(elapsed, |(before, after)| after.saturating_sub(before));
    let handshakes =
        connections(&said).ok_or_else(|| format!("openssl s_time said only: {said}"))?;
    Ok(Timed { handshakes, elapsed, cpu })
}

/// From the line `1234 connections in 2 real seconds, 0 bytes read per connection`.
fn connections(said: &str) -> Option<u64> {
    let line = said.lines().find(|line| line.contains("real seconds"))?;
    line.split(' ').next()?.parse().ok().filter(|count| *count > 0)
}

fn private_key(key: &Key) -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", wrapped(&key.pkcs8()))
}

fn wrapped(der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
    lines.collect::<Vec<_>>().join("\n")
}
