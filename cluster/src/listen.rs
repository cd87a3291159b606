//! Where a part of a cluster listens, and who may reach it there.

use std::net::SocketAddr;

use crate::ClusterError;

/// An address to listen on.
#[derive(Clone, Debug)]
pub struct Listen {
    address: SocketAddr,
    advertised: Option<String>,
}

impl Listen {
    /// `advertised` is the name or address by which the others reach it, where that is another one.
    ///
    /// # Errors
    /// [`ClusterError::NotLoopback`] for an address that other machines can reach, unless the network is
    /// said to be trusted: nothing here asks who somebody is.
    pub fn new(
        address: SocketAddr,
        advertised: Option<String>,
        trusted_network: bool,
    ) -> Result<Self, ClusterError> {
        if !address.ip().is_loopback() && !trusted_network {
            return Err(ClusterError::NotLoopback(address));
        }
        Ok(Self { address, advertised })
    }

    /// The address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The host as it stands before `:port`.
    pub(crate) fn host(&self) -> String {
        match self.address {
            SocketAddr::V4(address) => address.ip().to_string(),
            SocketAddr::V6(address) => format!("[{}]", address.ip()),
        }
    }

    /// By which host the others reach it; `None` where only they can see.
    pub(crate) fn advertised(&self) -> Option<String> {
        let own = || (!self.address.ip().is_unspecified()).then(|| self.host());
        self.advertised.clone().or_else(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_network_may_reach_it() {
        let cases = [
            ("127.0.0.1:1", false, Some("127.0.0.1")),
            ("127.9.9.9:1", false, Some("127.9.9.9")),
            ("[::1]:1", false, Some("[::1]")),
            ("192.0.2.1:1", true, Some("192.0.2.1")),
            ("0.0.0.0:1", true, None),
            ("[::]:1", true, None),
        ];
        for (address, trusted, host) in cases {
            let address = address.parse().unwrap();
            let listen = Listen::new(address, None, trusted).unwrap();
            assert_eq!(listen.advertised().as_deref(), host, "{address}");
            assert_eq!(listen.host() + ":1", address.to_string());
            if trusted {
                let refused = Listen::new(address, None, false);
                assert!(matches!(refused, Err(ClusterError::NotLoopback(_))), "{address}");
            }
        }
        let every = "0.0.0.0:1".parse().unwrap();
        let named = Listen::new(every, Some("node-1".into()), true).unwrap();
        assert_eq!(named.advertised().as_deref(), Some("node-1"));
    }
}
