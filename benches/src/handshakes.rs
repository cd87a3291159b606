//! Handshakes that keep the certificates, beside `openssl s_time`, which keeps nothing.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use kua::measurement::Handshake;
use kua_mint::{Algorithm, Key};
use kua_probes::steps::{self, Stopwatch};

use crate::openssl::{self, NAME, Server, Timed};
use crate::table::{Table, count, ratio, share};
use crate::{Result, cpu, cryptography};

/// The two clients take turns, so that what else runs here meets both.
const ROUNDS: u32 = 2;

/// How long each turn takes; `openssl s_time` counts whole seconds and adds up to one.
const TURN: u32 = 1;

/// Both clients meet the same server, in a process of its own.
pub(crate) fn bench() -> Result<Table> {
    let title = "Handshakes one after the other, full, TLS 1.3, leaf and intermediate, on loopback";
    let columns = ["a second", "us of CPU each", "a CPU second", "in cryptography"];
    let mut table = Table::new(title, &columns);
    if openssl::version().is_none() {
        table.note("skipped: openssl is not installed");
        return Ok(table);
    }
    for (kind, key, algorithm) in [
        ("ECDSA P-256", Key::ecdsa_p256(), Algorithm::EcdsaSha256),
        ("RSA-2048", Key::rsa(2048), Algorithm::RsaPssSha256),
    ] {
        let server = Server::start(&key)?;
        let (mut ours, mut theirs) = (Total::default(), Total::default());
        let mut last = None;
        for _ in 0..ROUNDS {
            let (timed, shaken) = capture(server.endpoint, Duration::from_secs(TURN.into()))?;
            ours.add(&timed);
            theirs.add(&openssl::s_time(server.endpoint, TURN)?);
            last = Some(shaken);
        }
        let shaken = last.ok_or("no round was made")?;
        let cryptography = cryptography::of(&shaken, &key, algorithm)?;
        let group = shaken.extra.group.as_deref().unwrap_or("unknown");
        ours.row(&mut table, &format!("{kind}, {group}: connect and handshake"), |each| {
            share(cryptography.as_secs_f64() / each)
        });
        theirs.row(&mut table, &format!("{kind}: openssl s_time -new"), |_| String::new());
        table.row("  Kua beside openssl", &ours.beside(&theirs));
    }
    table.note(
        "Kua keeps every certificate, offers X25519MLKEM768 besides x25519, says close_notify",
    );
    table.note("openssl s_time keeps nothing and hangs up; neither checks the chain against roots");
    table.note("\"a second\" waits for the server's half too; CPU is user and system, client only");
    table.note("cryptography: the same operations by the same provider, timed in a loop (warm, so");
    table.note("at the low end): key shares, agreement, signature, transcript hash, key schedule");
    Ok(table)
}

#[derive(Default)]
struct Total {
    handshakes: f64,
    elapsed: f64,
    cpu: Option<f64>,
}

impl Total {
    fn add(&mut self, timed: &Timed) {
        self.handshakes += timed.handshakes as f64;
        self.elapsed += timed.elapsed.as_secs_f64();
        if let Some(cpu) = timed.cpu {
            *self.cpu.get_or_insert(0.0) += cpu.as_secs_f64();
        }
    }

    fn a_second(&self) -> f64 {
        self.handshakes / self.elapsed
    }

    /// Seconds of CPU for one handshake.
    fn each(&self) -> Option<f64> {
        self.cpu.map(|cpu| cpu / self.handshakes)
    }

    fn row(&self, table: &mut Table, what: &str, last: impl Fn(f64) -> String) {
        let unknown = || "unknown".to_owned();
        let each = self.each();
        let figures = [
            count(self.a_second()),
            each.map_or_else(unknown, |each| count(each * 1e6)),
            each.map_or_else(unknown, |each| count(1.0 / each)),
            each.map_or_else(unknown, last),
        ];
        table.row(what, &figures);
    }

    fn beside(&self, reference: &Self) -> [String; 3] {
        let each = self.each().zip(reference.each());
        let unknown = || "unknown".to_owned();
        [
            ratio(self.a_second(), reference.a_second()),
            each.map_or_else(unknown, |(ours, theirs)| ratio(ours, theirs)),
            each.map_or_else(unknown, |(ours, theirs)| ratio(theirs, ours)),
        ]
    }
}

/// Runs the probe's own steps on this one thread for `time`; gives the last handshake too.
fn capture(endpoint: SocketAddr, time: Duration) -> Result<(Timed, Handshake)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let before = cpu::of_this_thread();
        let began = Instant::now();
        let mut handshakes = 0;
        loop {
            let shaken = shake(endpoint).await?;
            handshakes += 1;
            if began.elapsed() >= time {
                let elapsed = began.elapsed();
                let cpu = before.zip(cpu::of_this_thread()).map(|(before, after)| after - before);
                return Ok((Timed { handshakes, elapsed, cpu }, shaken));
            }
        }
    })
}

/// As the probe does it for each address.
async fn shake(endpoint: SocketAddr) -> Result<Handshake> {
    let watch = Stopwatch::start(Duration::from_secs(5));
    let (connect, stream) = steps::connect(endpoint, watch).await;
    let stream = stream.ok_or_else(|| format!("cannot connect: {:?}", connect.failure))?;
    let shaken = steps::handshake(stream, endpoint, NAME, watch).await;
    let kept = shaken.chain.as_ref().map_or(0, |chain| chain.certificates().len());
    match (kept, shaken.extra.holds_key, &shaken.failure) {
        (2, Some(true), None) => Ok(shaken),
        _ => Err(format!("not the handshake that was to be timed: {shaken:?}").into()),
    }
}
