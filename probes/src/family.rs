//! Families of addresses, and which of them this machine can reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both, in the order in which they are probed.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// The family of `address`.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// `ipv4` or `ipv6`.
    pub fn name(self) -> &'static str {
        match self {
            Self::V4 => "ipv4",
            Self::V6 => "ipv6",
        }
    }

    /// Whether this machine has a way to the rest of the world in this family. Sends nothing:
    /// connecting a datagram socket only asks the routing table.
    pub fn is_routed(self) -> bool {
        let (own, far) = match self {
            Self::V4 => (SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), IpAddr::V4(FAR_V4)),
            Self::V6 => (SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)), IpAddr::V6(FAR_V6)),
        };
        UdpSocket::bind(own).and_then(|socket| socket.connect((far, 443))).is_ok()
    }
}

/// The first addresses of IANA's blocks for documentation (RFC 5737, RFC 3849).
const FAR_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const FAR_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_of_addresses() {
        let name = |text: &str| Family::of(text.parse().unwrap()).name();
        assert_eq!((name("127.0.0.1"), name("::1")), ("ipv4", "ipv6"));
        assert_eq!(Family::ALL.map(Family::name), ["ipv4", "ipv6"]);
    }
}
