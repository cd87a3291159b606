//! Targets as people write them: a host, an address, a URL.

use std::net::IpAddr;

use kua::measurement::Target;
use rustls_pki_types::ServerName;

/// The port of HTTPS.
pub const HTTPS: u16 = 443;

/// Reads `HOST`, `HOST:PORT`, `ADDRESS`, `[V6]:PORT` or an `https://` URL, of which only host and
/// port count. International names become ASCII (UTS 46).
///
/// # Errors
/// A [`TargetError`] that says which part is not understood.
pub fn parse(text: &str) -> Result<Target, TargetError> {
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => rest,
        Some((scheme, _)) => return Err(TargetError::Scheme { scheme: scheme.into() }),
        None => text,
    };
    let place = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    let (name, port) =
        authority(place).ok_or_else(|| TargetError::NotUnderstood { text: text.into() })?;
    Ok(Target { host: host(name)?, port: port.unwrap_or(HTTPS) })
}

/// The form in which a host is compared, resolved and sent as SNI: ASCII, lower case, without the
/// final dot; an address in its shortest form.
///
/// # Errors
/// [`TargetError::NotAHost`].
pub fn host(text: &str) -> Result<String, TargetError> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    let refused = || TargetError::NotAHost { host: text.into() };
    let ascii = idna::domain_to_ascii(text).map_err(|_| refused())?;
    let ascii = ascii.strip_suffix('.').unwrap_or(&ascii);
    match ServerName::try_from(ascii) {
        Ok(ServerName::DnsName(_)) => Ok(ascii.into()),
        _ => Err(refused()),
    }
}

/// The URL that records carry as their input.
pub fn url(target: &Target) -> String {
    let written = target.to_string();
    let place = if target.port == HTTPS { written.trim_end_matches(":443") } else { &written };
    format!("https://{place}/")
}

/// Splits `HOST`, `HOST:PORT`, `V6`, `[V6]` or `[V6]:PORT`; the host is not empty, the port not 0.
pub(crate) fn authority(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            match rest.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if rest.is_empty() => (host, None),
                None => return None,
            }
        }
        None if text.matches(':').count() > 1 => {
            text.parse::<std::net::Ipv6Addr>().ok()?;
            (text, None)
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        Some(digits) => Some(port_number(digits)?),
        None => None,
    };
    (!host.is_empty()).then_some((host, port))
}

/// 1 to 65535, digits only.
fn port_number(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

/// Why a target is not one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// Not a name that TLS could ask for.
    #[error("{host:?} is neither a host name nor an address")]
    NotAHost {
        /// What was read.
        host: String,
    },
    /// Host and port cannot be told apart.
    #[error("{text:?} is none of HOST, HOST:PORT, [V6]:PORT, https://HOST")]
    NotUnderstood {
        /// What was read.
        text: String,
    },
    /// A URL of another scheme.
    #[error("{scheme}:// is not probed: only https:// is")]
    Scheme {
        /// The scheme.
        scheme: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_in_many_ways() {
        for (text, host, port) in [
            ("example.org", "example.org", 443),
            ("Example.ORG.", "example.org", 443),
            ("example.org:8443", "example.org", 8443),
            ("https://user@example.org:444/path?q#f", "example.org", 444),
            ("HTTPS://example.org", "example.org", 443),
            ("192.0.2.1", "192.0.2.1", 443),
            ("2001:DB8::1", "2001:db8::1", 443),
            ("[2001:db8:0::1]:853", "2001:db8::1", 853),
            ("https://[2001:db8::1]/", "2001:db8::1", 443),
            ("bücher.example", "xn--bcher-kva.example", 443),
            ("қазақстан.қаз", "xn--80aaa0a6awh12ed.xn--80ao21a", 443),
            ("under_score.example", "under_score.example", 443),
        ] {
            assert_eq!(parse(text), Ok(Target { host: host.into(), port }), "{text}");
        }
    }

    #[test]
    fn refused() {
        for text in [
            "",
            ":443",
            "a b",
            "example.org:0",
            "example.org:65536",
            "example.org:+1",
            "example.org:",
            "http://example.org",
            "ftp://example.org",
            "[2001:db8::1",
            "[::1]x",
            "1:2:3",
            "a..b",
            "-",
            "exa\u{0}mple.org",
            &"a".repeat(64),
            &"a.".repeat(130),
        ] {
            assert!(parse(text).is_err(), "{text:?}: {:?}", parse(text));
        }
    }

    #[test]
    fn inputs_of_records() {
        for (text, input) in [
            ("example.org", "https://example.org/"),
            ("example.org:444", "https://example.org:444/"),
            ("2001:db8::443", "https://[2001:db8::443]/"),
        ] {
            assert_eq!(url(&parse(text).unwrap()), input);
        }
    }
}
