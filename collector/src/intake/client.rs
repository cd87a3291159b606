//! Who asks: an address in memory, for as long as a request or a connection lasts.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderMap;

use super::reply::Refused;

/// The address at the other end of a connection.
#[derive(Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// The address of who asks. A proxy that is believed says it in `X-Forwarded-For`, to whose end each
/// proxy adds whom it heard; what stands before the last address that is no proxy's, anybody may
/// have written.
///
/// A proxy that says nothing is a mistake of whoever set it up, and is refused: records could not
/// be scrubbed.
pub(super) fn client(
    peer: IpAddr,
    headers: &HeaderMap,
    proxies: &[IpAddr],
) -> Result<IpAddr, Refused> {
    let peer = peer.to_canonical();
    if !proxies.contains(&peer) {
        return Ok(peer);
    }
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    for line in lines {
        let line = line.to_str().map_err(|_| Refused::Proxy)?;
        for part in line.rsplit(',') {
            let address = address(part.trim()).ok_or(Refused::Proxy)?;
            if !proxies.contains(&address) {
                return Ok(address);
            }
        }
    }
    Err(Refused::Proxy)
}

/// Some proxies write the port too.
fn address(text: &str) -> Option<IpAddr> {
    let plain = text.parse().ok();
    let with_port = || text.parse().ok().map(|address: std::net::SocketAddr| address.ip());
    plain.or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

/// How often each client is here. Clients are named by a hash under a key that lives and dies with
/// the process; of IPv6, by the first 64 bits.
#[derive(Clone, Debug)]
pub(super) struct Visitors {
    here: Arc<Mutex<HashMap<u64, usize>>>,
    key: RandomState,
    limit: usize,
}

/// Dropped when the client goes.
#[derive(Debug)]
pub(super) struct Visit {
    visitors: Visitors,
    name: u64,
}

impl Visitors {
    pub(super) fn new(limit: usize) -> Self {
        Self { here: Arc::default(), key: RandomState::new(), limit }
    }

    /// `None` where it is here too often already.
    pub(super) fn enter(&self, client: IpAddr) -> Option<Visit> {
        let name = match client {
            IpAddr::V4(address) => self.key.hash_one(address.octets()),
            IpAddr::V6(address) => self.key.hash_one(&address.octets()[..8]),
        };
        let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        let count = here.entry(name).or_default();
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(Visit { visitors: self.clone(), name })
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut here = self.visitors.here.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = here.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                here.remove(&self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let lines = lines.iter().map(|line| {
            (axum::http::HeaderName::from_static("x-forwarded-for"), line.parse().unwrap())
        });
        lines.collect()
    }

    #[test]
    fn only_proxies_are_believed() {
        let proxies = ["127.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        for (case, peer, lines, expected) in [
            ("nobody's proxy", "198.51.100.9", &["203.0.113.7"][..], Some("198.51.100.9")),
            ("a proxy", "127.0.0.1", &["203.0.113.7"], Some("203.0.113.7")),
            ("mapped", "::ffff:127.0.0.1", &["::ffff:203.0.113.7"], Some("203.0.113.7")),
            ("two proxies", "127.0.0.1", &["203.0.113.7, 10.0.0.2"], Some("203.0.113.7")),
            ("two lines", "127.0.0.1", &["1.1.1.1", "203.0.113.7"], Some("203.0.113.7")),
            ("a lie before it", "127.0.0.1", &["1.1.1.1, 203.0.113.7"], Some("203.0.113.7")),
            ("with a port", "127.0.0.1", &["203.0.113.7:50000"], Some("203.0.113.7")),
            ("IPv6 with a port", "127.0.0.1", &["[2001:db8::7]:5"], Some("2001:db8::7")),
            ("silence", "127.0.0.1", &[], None),
            ("no address", "127.0.0.1", &["unknown"], None),
            ("proxies only", "127.0.0.1", &["10.0.0.2"], None),
        ] {
            let found = client(peer.parse().unwrap(), &headers(lines), &proxies).ok();
            assert_eq!(found, expected.map(|address| address.parse().unwrap()), "{case}");
        }
    }

    #[test]
    fn one_client_is_here_so_often_and_another_too() {
        let visitors = Visitors::new(2);
        let enter = |address: &str| visitors.enter(address.parse().unwrap());
        let first = (enter("203.0.113.7"), enter("203.0.113.7"));
        assert!(first.0.is_some() && first.1.is_some() && enter("203.0.113.7").is_none());
        assert!(enter("203.0.113.8").is_some());
        let house = (enter("2001:db8::1"), enter("2001:db8::2"));
        assert!(house.0.is_some() && house.1.is_some() && enter("2001:db8::3").is_none());
        assert!(enter("2001:db8:0:1::1").is_some());
        drop(first);
        assert!(enter("203.0.113.7").is_some());
        drop(house);
        assert_eq!(visitors.here.lock().unwrap().len(), 0, "nobody is remembered");
    }
}
