//! Names and addresses: which names belong together, and which are not for the open network.

use std::net::IpAddr;

/// The part of a host name that one owner is likely to hold: its last two labels, or three where
/// the last but one is as short as `co` in `co.uk`. It errs towards calling names related.
pub(crate) fn site(name: &str) -> &str {
    if name.parse::<IpAddr>().is_ok() {
        return name;
    }
    let mut dots = name.rmatch_indices('.').map(|(position, _)| position);
    let (Some(last), Some(second)) = (dots.next(), dots.next()) else { return name };
    let third = dots.next();
    let short = last - second - 1 <= 3 && name.len() - last - 1 == 2;
    match (short, third) {
        (true, Some(third)) => &name[third + 1..],
        (true, None) => name,
        (false, _) => &name[second + 1..],
    }
}

/// Whether a name is one that the public DNS would answer for.
pub(crate) fn is_public(name: &str) -> bool {
    const LOCAL: &[&str] = &["local", "localhost", "lan", "home", "internal", "test", "arpa"];
    let last = name.rsplit_once('.').map(|(_, last)| last);
    name.parse::<IpAddr>().is_err() && last.is_some_and(|last| !LOCAL.contains(&last))
}

/// Whether an address is one that only a machine or its own network can hold.
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                // Shared by customers of one provider (RFC 6598), and for benches (RFC 2544).
                || (first == 100 && second & 0xc0 == 64)
                || (first == 198 && second & 0xfe == 18)
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites() {
        for (name, expected) in [
            ("www.example.com", "example.com"),
            ("example.com", "example.com"),
            ("a.b.example.co.uk", "example.co.uk"),
            ("example.co.uk", "example.co.uk"),
            ("www.bbc.uk", "www.bbc.uk"),
            ("com", "com"),
            ("", ""),
            ("192.0.2.1", "192.0.2.1"),
            ("..", "."),
        ] {
            assert_eq!(site(name), expected, "{name}");
        }
    }

    #[test]
    fn names_and_addresses_of_the_open_network() {
        for (name, public) in [
            ("example.com", true),
            ("printer.local", false),
            ("printer", false),
            ("192.0.2.1", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_public(name), public, "{name}");
        }
        for (address, private) in [
            ("10.10.34.35", true),
            ("192.168.1.1", true),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("169.254.1.1", true),
            ("127.0.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("fd00::1", true),
            ("fe80::1", true),
            ("192.0.2.1", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_private(address.parse().unwrap()), private, "{address}");
        }
    }
}
