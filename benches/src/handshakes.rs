//! Handshakes that keep the certificates, beside clients that keep nothing.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use kua::measurement::Handshake;
use kua_mint::{Algorithm, Key};
use kua_probes::steps::{self, Stopwatch};
use tokio::runtime::Runtime;

use crate::openssl::{self, NAME, Server, Timed};
use crate::table::{Table, count, ratio, share};
use crate::{Result, bare, cpu, cryptography};

/// The clients take turns, so that what else runs here meets all of them.
const ROUNDS: u32 = 3;

/// How long each turn takes; `openssl s_time` counts whole seconds and adds up to one.
const TURN: u32 = 1;

/// All clients meet the same server, in a process of its own.
pub(crate) fn bench() -> Result<Table> {
    let title = "Full handshakes, one after the other, TLS 1.3, leaf and intermediate, on loopback";
    let columns = ["a second", "us of CPU each", "a CPU second", "beside Kua", "in cryptography"];
    let mut table = Table::new(title, &columns);
    if openssl::version().is_none() {
        table.note("skipped: openssl is not installed");
        return Ok(table);
    }
    for (kind, key, algorithm) in [
        ("ECDSA P-256", Key::ecdsa_p256(), Algorithm::EcdsaSha256),
        ("RSA-2048", Key::rsa(2048), Algorithm::RsaPssSha256),
    ] {
        one_kind(&mut table, kind, &key, algorithm)?;
    }
    table.note("a CPU second: how many one core makes when it need not wait; user and system time");
    table.note("a second: waits for the server's half too");
    table
        .note("Kua: the probe's connect and handshake; keeps every certificate, says close_notify");
    table.note("rustls and Kua offer X25519MLKEM768 besides x25519; openssl before 3.5 does not");
    table.note("rustls: blocking, one configuration for all, keeps nothing, hangs up");
    table.note("openssl: keeps nothing, hangs up; its start, some 20 ms, is counted");
    table.note("nobody checks the chain against roots; everybody checks the handshake signature");
    table.note("in cryptography: key shares, agreement, signature, transcript hash, key schedule;");
    table.note(
        "the same operations by the same provider in a loop, so with warm caches: a lower bound",
    );
    Ok(table)
}

fn one_kind(table: &mut Table, kind: &str, key: &Key, algorithm: Algorithm) -> Result<()> {
    let server = Server::start(key)?;
    let turn = Duration::from_secs(TURN.into());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let config = bare::config()?;
    let (mut ours, mut bare, mut theirs) = (Total::default(), Total::default(), Total::default());
    let mut last = None;
    let mut cryptography = f64::INFINITY;
    for _ in 0..ROUNDS {
        ours.add(&timed(turn, || {
            last = Some(capture(server.endpoint, &runtime)?);
            Ok(())
        })?);
        bare.add(&timed(turn, || bare::shake(server.endpoint, &config))?);
        theirs.add(&openssl::s_time(server.endpoint, TURN)?);
        let shaken = last.as_ref().ok_or("no handshake was made")?;
        // A busy machine only ever makes it longer.
        cryptography = cryptography.min(cryptography::of(shaken, key, algorithm)?.as_secs_f64());
    }
    let shaken = last.ok_or("no handshake was made")?;
    let group = shaken.extra.group.as_deref().unwrap_or("unknown");
    let part = |total: &Total| share(cryptography * total.a_cpu_second());
    let rows = [
        (format!("{kind}, {group}: Kua"), &ours, part(&ours)),
        ("  rustls, keeping nothing".into(), &bare, part(&bare)),
        ("  openssl s_time -new".into(), &theirs, String::new()),
    ];
    for (what, total, cryptography) in rows {
        let figures = [
            count(total.a_second()),
            count(1e6 / total.a_cpu_second()),
            count(total.a_cpu_second()),
            ratio(total.a_cpu_second(), ours.a_cpu_second()),
            cryptography,
        ];
        table.row(what, &figures);
    }
    Ok(())
}

#[derive(Default)]
struct Total {
    handshakes: f64,
    elapsed: f64,
    cpu: f64,
}

impl Total {
    fn add(&mut self, timed: &Timed) {
        self.handshakes += timed.handshakes as f64;
        self.elapsed += timed.elapsed.as_secs_f64();
        self.cpu += timed.cpu.as_secs_f64();
    }

    fn a_second(&self) -> f64 {
        self.handshakes / self.elapsed
    }

    fn a_cpu_second(&self) -> f64 {
        self.handshakes / self.cpu
    }
}

/// Runs `shake` on this thread for `time`.
fn timed(time: Duration, mut shake: impl FnMut() -> Result<()>) -> Result<Timed> {
    let clock = cpu::Clock::start();
    let began = Instant::now();
    let mut handshakes = 0;
    while began.elapsed() < time {
        shake()?;
        handshakes += 1;
    }
    Ok(Timed { handshakes, elapsed: began.elapsed(), cpu: clock.spent() })
}

/// As the probe does it for each address.
fn capture(endpoint: SocketAddr, runtime: &Runtime) -> Result<Handshake> {
    let watch = Stopwatch::start(Duration::from_secs(5));
    let shaken = runtime.block_on(async {
        let (connect, stream) = steps::connect(endpoint, watch).await;
        let stream = stream.ok_or_else(|| format!("cannot connect: {:?}", connect.failure))?;
        Ok::<_, String>(steps::handshake(stream, endpoint, NAME, watch).await)
    })?;
    let kept = shaken.chain.as_ref().map_or(0, |chain| chain.certificates().len());
    match (kept, shaken.extra.holds_key, &shaken.failure) {
        (2, Some(true), None) => Ok(shaken),
        _ => Err(format!("not the handshake that was to be timed: {shaken:?}").into()),
    }
}
