//! A scenario's chains with the record that a probe makes of them, and its judgement.

use kua::chain::Chain;
use kua::control::Controls;
use kua::measurement::{Failure, Handshake, Measurement, Target};
use kua::verdict::{Judgement, judge};
use kua::wire;
use kua_mint::{NOW, Oddity, Presented};
use time::OffsetDateTime;

use super::world::World;

/// Where the site answers on the clean path, and where another server does.
const SITE: &str = "192.0.2.1:443";
const ELSEWHERE: &str = "198.51.100.1:443";

/// What was presented to whom, and what was kept of it.
#[derive(Clone, Debug)]
pub(super) struct Built {
    /// The name that was asked for.
    pub(super) host: &'static str,
    /// What the probe was shown.
    pub(super) presented: Presented,
    /// When, by the probe's clock, in seconds since 1970 UTC.
    pub(super) at: i64,
    /// The probe was led to another address than controls are.
    moved: bool,
    kept: Kept,
    /// Names for which the probe was shown the same chain in the same measurement.
    also: Vec<&'static str>,
    /// What clean vantage points were shown for the name.
    pub(super) controls: Vec<Vec<Vec<u8>>>,
}

/// What the record holds of a handshake.
#[derive(Clone, Copy, Debug)]
enum Kept {
    /// Everything, by a probe that verifies nothing.
    Whole,
    /// One certificate, by stock OONI, which refused the chain.
    One { position: usize, failure: &'static str },
    /// Everything, by a client that accepted the chain.
    Accepted,
    /// Everything, from a peer that does not hold the leaf's key.
    Replayed,
}

impl Built {
    /// A probe asked for `host` and kept what it was shown.
    pub(super) fn new(host: &'static str, presented: Presented) -> Self {
        Self {
            host,
            presented,
            at: NOW,
            moved: false,
            kept: Kept::Whole,
            also: Vec::new(),
            controls: Vec::new(),
        }
    }

    /// A clean vantage point was shown this.
    pub(super) fn control(mut self, shown: &Presented) -> Self {
        self.controls.push(shown.sent());
        self
    }

    /// The root is sent as well.
    pub(super) fn root_sent(mut self) -> Self {
        self.presented.root_sent = true;
        self
    }

    pub(super) fn at(self, at: i64) -> Self {
        Self { at, ..self }
    }

    pub(super) fn moved(self) -> Self {
        Self { moved: true, ..self }
    }

    pub(super) fn also(self, also: &[&'static str]) -> Self {
        Self { also: also.to_vec(), ..self }
    }

    /// Only the certificate at `position` was recorded.
    pub(super) fn stock(self, position: usize, failure: &'static str) -> Self {
        Self { kept: Kept::One { position, failure }, ..self }
    }

    pub(super) fn accepted(self) -> Self {
        Self { kept: Kept::Accepted, ..self }
    }

    pub(super) fn replayed(self) -> Self {
        Self { kept: Kept::Replayed, ..self }
    }

    /// Whether a server can be started that shows this chain, and shows nothing else.
    pub(super) fn can_be_served(&self) -> bool {
        matches!(self.kept, Kept::Whole) && self.also.is_empty() && !self.moved
    }

    /// Recorded, written as a line, read again and judged.
    pub(super) fn judge(&self, world: &World, oddity: Oddity) -> Judgement {
        let line = wire::to_line(&self.measurement(&oddity.send(&self.presented, &world.decoys)));
        let read = wire::from_line(line.as_bytes()).unwrap();
        let controls = Controls::new(&self.clean(), &world.reference);
        let mut judgements = judge(&read, &world.reference, &controls, Some(1));
        judgements.remove(0)
    }

    /// What clean vantage points recorded, at the moment that certificates are minted around.
    pub(super) fn clean(&self) -> Vec<Measurement> {
        let seen = self.controls.iter().map(|chain| {
            let shaken = Handshake { endpoint: SITE.parse().ok(), ..whole(self.host, chain) };
            measurement(self.host, NOW, vec![shaken])
        });
        seen.collect()
    }

    fn measurement(&self, sent: &[Vec<u8>]) -> Measurement {
        let names = std::iter::once(self.host).chain(self.also.iter().copied());
        let handshakes = names.map(|host| self.handshake(host, sent));
        let mut made = measurement(self.host, self.at, handshakes.collect());
        made.vantage.country = "QZ".into();
        made.vantage.asn = 64_500;
        made
    }

    fn handshake(&self, host: &str, sent: &[Vec<u8>]) -> Handshake {
        let mut shaken = whole(host, sent);
        shaken.endpoint = if self.moved { ELSEWHERE } else { SITE }.parse().ok();
        match self.kept {
            Kept::Whole => {}
            Kept::One { position, failure } => {
                // What the client found on the way up, whatever else was sent.
                let own = self.presented.sent();
                shaken.chain = Chain::from_der([&own[position.min(own.len() - 1)]]).ok();
                shaken.whole = false;
                shaken.extra.holds_key = None;
                shaken.failure = Some(Failure::new(failure));
            }
            Kept::Accepted => {
                shaken.extra.holds_key = None;
                shaken.unverified = false;
            }
            Kept::Replayed => shaken.extra.holds_key = Some(false),
        }
        shaken
    }
}

fn whole(host: &str, sent: &[Vec<u8>]) -> Handshake {
    let mut shaken = Handshake {
        network: "tcp".into(),
        server_name: Some(host.into()),
        chain: Some(Chain::from_der(sent).unwrap()),
        whole: true,
        ..Handshake::default()
    };
    shaken.extra.holds_key = Some(true);
    shaken
}

fn measurement(host: &str, at: i64, handshakes: Vec<Handshake>) -> Measurement {
    let mut made = Measurement {
        started: OffsetDateTime::from_unix_timestamp(at).ok(),
        input: Some(host.into()),
        target: Some(Target { host: host.into(), port: 443 }),
        handshakes,
        ..Measurement::default()
    };
    made.software.name = "kua".into();
    made.software.test = "kua".into();
    made
}
