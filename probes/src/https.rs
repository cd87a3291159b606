//! The probe of one site over HTTPS: resolve, connect, shake hands, and nothing after it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;
use kua::measurement::{Failure, Handshake, Measurement, Query, Software, Target, Vantage};
use kua::reference::Reference;
use time::OffsetDateTime;

use crate::MAX_ADDRESSES;
use crate::family::Family;
use crate::resolver::Resolver;
use crate::route::Route;
use crate::steps::{self, Stopwatch};
use crate::target::url;

/// How the sites of one run are probed.
pub struct Https {
    /// Who is asked for addresses.
    pub resolver: Resolver,
    /// Where connections go instead; the first that matches counts.
    pub routes: Vec<Route>,
    /// Families that names are resolved to, in this order.
    pub families: Vec<Family>,
    /// How long each step may take.
    pub limit: Duration,
    /// Where the probe is.
    pub vantage: Vantage,
}

impl Https {
    /// Probes `target`: one measurement for each family that has addresses, at most
    /// [`MAX_ADDRESSES`] of them, one after the other. Where there is no address at all, one
    /// measurement says why. Never empty.
    ///
    /// A query that found nothing goes into the first measurement, so that nothing seen is lost.
    /// `started` is the moment at which a client would have looked at the chain.
    pub async fn measure(
        &self,
        target: &Target,
        started: OffsetDateTime,
        reference: &Reference,
    ) -> Vec<Measurement> {
        let watch = Stopwatch::start(self.limit);
        let route = self.routes.iter().find_map(|route| route.destination(target));
        let destination = route.as_ref().unwrap_or(target);

        // 1. resolve
        let found = self.resolve(&destination.host, watch).await;
        let (found, empty): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|found| !found.addresses.is_empty());
        let mut unanswered: Vec<Query> = empty.into_iter().filter_map(|none| none.query).collect();

        // 2. connect and shake hands, the families side by side
        let each = found
            .into_iter()
            .map(|found| self.family(target, destination.port, found, started, watch, reference));
        let mut measurements = join_all(each).await;

        if measurements.is_empty() {
            let mut seen = self.blank(target, started);
            seen.runtime = watch.seconds();
            measurements.push(seen);
        }
        measurements[0].queries.append(&mut unanswered);
        if route.is_some() {
            for seen in &mut measurements {
                seen.annotations.insert("connect_to".into(), destination.to_string());
            }
        }
        measurements
    }

    /// An address is its own answer, whichever families are probed.
    async fn resolve(&self, host: &str, watch: Stopwatch) -> Vec<Found> {
        if let Ok(address) = host.parse::<IpAddr>() {
            let family = Family::of(address);
            return vec![Found { family, query: None, addresses: vec![address] }];
        }
        join_all(self.families.iter().map(|&family| async move {
            let (query, addresses) = steps::resolve(host, family, &self.resolver, watch).await;
            Found { family, query: Some(query), addresses }
        }))
        .await
    }

    async fn family(
        &self,
        target: &Target,
        port: u16,
        found: Found,
        started: OffsetDateTime,
        watch: Stopwatch,
        reference: &Reference,
    ) -> Measurement {
        let mut seen = self.blank(target, started);
        seen.annotations.insert("address_family".into(), found.family.name().into());
        seen.queries.extend(found.query);
        for address in found.addresses.iter().take(MAX_ADDRESSES) {
            attempt(target, SocketAddr::new(*address, port), watch, reference, &mut seen).await;
        }
        seen.runtime = watch.seconds();
        seen
    }

    fn blank(&self, target: &Target, started: OffsetDateTime) -> Measurement {
        Measurement {
            // Records hold whole seconds: judging one again must see the same moment.
            started: Some(started.replace_nanosecond(0).unwrap_or(started)),
            vantage: self.vantage.clone(),
            software: Software {
                name: "kua".into(),
                version: env!("CARGO_PKG_VERSION").into(),
                test: "kua".into(),
                test_version: "0.1.0".into(),
            },
            input: Some(url(target)),
            target: Some(target.clone()),
            ..Measurement::default()
        }
    }
}

/// What one family of a name has.
struct Found {
    family: Family,
    query: Option<Query>,
    addresses: Vec<IpAddr>,
}

/// The first failure ends the address; what was seen stays.
async fn attempt(
    target: &Target,
    endpoint: SocketAddr,
    watch: Stopwatch,
    reference: &Reference,
    seen: &mut Measurement,
) {
    let (connect, stream) = steps::connect(endpoint, watch).await;
    seen.connects.push(connect);
    let Some(stream) = stream else { return };
    let mut shaken = steps::handshake(stream, endpoint, &target.host, watch).await;
    if shaken.failure.is_none() {
        shaken.failure = client_failure(&shaken, &target.host, seen.started, reference);
    }
    shaken.transaction = i64::try_from(seen.connects.len()).unwrap_or_default();
    seen.handshakes.push(shaken);
}

/// What a client with Mozilla's roots and the user's own would have said of the chain: nothing if it
/// accepts it, else what it has against it.
fn client_failure(
    shaken: &Handshake,
    host: &str,
    at: Option<OffsetDateTime>,
    reference: &Reference,
) -> Option<Failure> {
    let chain = shaken.chain.as_ref()?;
    let mut first = None;
    for store in reference.client_stores() {
        match store.accepts(chain, host, at) {
            Ok(_) => return None,
            Err(refusal) => first = first.or(Some(Failure::new(refusal.failure()))),
        }
    }
    first
}

#[cfg(test)]
mod tests;
