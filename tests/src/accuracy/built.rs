//! A scenario's chains with the record that a probe makes of them, and its judgement.

use kua::chain::Chain;
use kua::measurement::{Failure, Handshake, Measurement, Target};
use kua::surroundings::Surroundings;
use kua::verdict::{Judgement, judge};
use kua::wire;
use kua_mint::{NOW, Oddity, Presented};
use time::OffsetDateTime;

use super::world::World;

/// Where the site answers on the clean path, where another server does, and a box on the network.
const SITE: &str = "192.0.2.1:443";
const ELSEWHERE: &str = "198.51.100.1:443";
const PRIVATE: &str = "10.0.0.1:443";

/// Other networks, in three countries.
const NETWORKS: [(u32, &str); 6] = [
    (64_501, "QA"),
    (64_502, "QA"),
    (64_503, "QB"),
    (64_504, "QB"),
    (64_505, "QC"),
    (64_506, "QC"),
];
/// A probe's own network.
const OWN: (u32, &str) = (64_500, "QZ");
const HOUR: i64 = 3600;

/// What was presented to whom, and what was kept of it.
#[derive(Clone, Debug)]
pub(super) struct Built {
    /// The name that was asked for.
    pub(super) host: &'static str,
    /// What the probe was shown.
    pub(super) presented: Presented,
    /// When, by the probe's clock, in seconds since 1970 UTC.
    pub(super) at: i64,
    /// Where the probe was led to.
    endpoint: &'static str,
    kept: Kept,
    /// Other names that the same run asked for, and what it was shown.
    also: Vec<(&'static str, Presented)>,
    /// What other networks were shown for the name, in turns, an hour before and after.
    others: Vec<Presented>,
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
            endpoint: SITE,
            kept: Kept::Whole,
            also: Vec::new(),
            others: Vec::new(),
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

    /// DNS led to another server.
    pub(super) fn moved(self) -> Self {
        Self { endpoint: ELSEWHERE, ..self }
    }

    /// DNS led to a box on the network.
    pub(super) fn inside(self) -> Self {
        Self { endpoint: PRIVATE, ..self }
    }

    pub(super) fn also(mut self, name: &'static str, shown: Presented) -> Self {
        self.also.push((name, shown));
        self
    }

    /// Other networks were shown these.
    pub(super) fn others(self, shown: &[&Presented]) -> Self {
        Self { others: shown.iter().map(|shown| (*shown).clone()).collect(), ..self }
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
        let alone = self.also.is_empty() && self.others.is_empty();
        matches!(self.kept, Kept::Whole) && alone && self.endpoint == SITE
    }

    /// Recorded, written as a line, read again and judged beside what else was seen.
    pub(super) fn judge(&self, world: &World, oddity: Oddity) -> Judgement {
        let sent = oddity.send(&self.presented, &world.decoys);
        let own = read(&self.measurement(&sent, self.at));
        let mut surroundings = Surroundings::of_controls(&self.clean(), &world.reference);
        for minutes in [-1, 0, 1] {
            surroundings.add(&self.measurement(&sent, self.at + 60 * minutes), &world.reference);
        }
        for elsewhere in self.elsewhere() {
            surroundings.add(&read(&elsewhere), &world.reference);
        }
        let mut judgements = judge(&own, &world.reference, &surroundings, Some(1));
        judgements.remove(0)
    }

    /// What other networks recorded.
    fn elsewhere(&self) -> Vec<Measurement> {
        let mut made = Vec::new();
        for (turn, (network, at)) in
            NETWORKS.iter().flat_map(|network| [(network, -HOUR), (network, HOUR)]).enumerate()
        {
            let Some(shown) = self.others.get(turn / 2 % self.others.len().max(1)) else { break };
            let mut shaken = whole(self.host, &shown.sent());
            shaken.endpoint = SITE.parse().ok();
            made.push(measurement(self.host, self.at + at, *network, vec![shaken]));
        }
        made
    }

    /// What clean vantage points recorded, at the moment that certificates are minted around.
    pub(super) fn clean(&self) -> Vec<Measurement> {
        let seen = self.controls.iter().map(|chain| {
            let shaken = Handshake { endpoint: SITE.parse().ok(), ..whole(self.host, chain) };
            measurement(self.host, NOW, (0, "ZZ"), vec![shaken])
        });
        seen.collect()
    }

    fn measurement(&self, sent: &[Vec<u8>], at: i64) -> Measurement {
        let also = self.also.iter().map(|(host, shown)| self.handshake(host, &shown.sent()));
        let handshakes = std::iter::once(self.handshake(self.host, sent)).chain(also);
        measurement(self.host, at, OWN, handshakes.collect())
    }

    fn handshake(&self, host: &str, sent: &[Vec<u8>]) -> Handshake {
        let mut shaken = whole(host, sent);
        shaken.endpoint = self.endpoint.parse().ok();
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

fn measurement(
    host: &str,
    at: i64,
    (asn, country): (u32, &str),
    handshakes: Vec<Handshake>,
) -> Measurement {
    let mut made = Measurement {
        started: OffsetDateTime::from_unix_timestamp(at).ok(),
        input: Some(host.into()),
        target: Some(Target { host: host.into(), port: 443 }),
        handshakes,
        ..Measurement::default()
    };
    made.vantage.country = country.into();
    made.vantage.asn = asn;
    made.software.name = "kua".into();
    made.software.test = "kua".into();
    made
}

/// Written as a line and read again.
fn read(measurement: &Measurement) -> Measurement {
    wire::from_line(wire::to_line(measurement).as_bytes()).unwrap()
}
