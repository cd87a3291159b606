//! Where a connection goes instead of where DNS says: `--connect-to`, as curl has it.

use std::str::FromStr;

use kua::measurement::Target;

use crate::target::host;

/// `HOST:PORT:ADDR:PORT`: connections for the first pair go to the second. SNI, and the name that
/// the chain is judged for, stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// `None` matches every host.
    from_host: Option<String>,
    /// `None` matches every port.
    from_port: Option<u16>,
    /// `None` keeps the target's host.
    to_host: Option<String>,
    /// `None` keeps the target's port.
    to_port: Option<u16>,
}

impl Route {
    /// Where connections for `target` go, if this route is about it.
    pub fn destination(&self, target: &Target) -> Option<Target> {
        let about_host = self.from_host.as_ref().is_none_or(|host| *host == target.host);
        let about_port = self.from_port.is_none_or(|port| port == target.port);
        (about_host && about_port).then(|| Target {
            host: self.to_host.clone().unwrap_or_else(|| target.host.clone()),
            port: self.to_port.unwrap_or(target.port),
        })
    }
}

impl FromStr for Route {
    type Err = RouteError;

    fn from_str(text: &str) -> Result<Self, RouteError> {
        let bad = |reason: &str| RouteError { text: text.into(), reason: reason.into() };
        let [from_host, from_port, to_host, to_port] =
            parts(text).ok_or_else(|| bad("it is not HOST:PORT:ADDR:PORT"))?;
        let name = |part: &str| match part {
            "" => Ok(None),
            part => host(part).map(Some).map_err(|error| bad(&error.to_string())),
        };
        let port = |part: &str| match part {
            "" => Ok(None),
            part => match part.parse() {
                Ok(port) if port != 0 => Ok(Some(port)),
                _ => Err(bad(&format!("{part:?} is not a port"))),
            },
        };
        Ok(Self {
            from_host: name(from_host)?,
            from_port: port(from_port)?,
            to_host: name(to_host)?,
            to_port: port(to_port)?,
        })
    }
}

/// Four parts between colons; an IPv6 address stands in brackets.
fn parts(mut text: &str) -> Option<[&str; 4]> {
    let mut parts = [""; 4];
    for (position, part) in parts.iter_mut().enumerate() {
        if position > 0 {
            text = text.strip_prefix(':')?;
        }
        (*part, text) = match text.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
    }
    text.is_empty().then_some(parts)
}

/// A `--connect-to` that is not understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not understood: {reason}")]
#[non_exhaustive]
pub struct RouteError {
    /// What was read.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_curl_has_it() {
        let target = Target { host: "example.org".into(), port: 443 };
        for (route, goes_to) in [
            ("example.org:443:192.0.2.1:8443", Some("192.0.2.1:8443")),
            ("EXAMPLE.org:443:[2001:db8::1]:8443", Some("[2001:db8::1]:8443")),
            ("::192.0.2.1:8443", Some("192.0.2.1:8443")),
            (":443:localhost:8443", Some("localhost:8443")),
            ("example.org::192.0.2.1:", Some("192.0.2.1:443")),
            ("example.org:443::8443", Some("example.org:8443")),
            ("example.org:444:192.0.2.1:8443", None),
            ("example.com::192.0.2.1:8443", None),
        ] {
            let found = route.parse::<Route>().unwrap().destination(&target);
            assert_eq!(found.map(|to| to.to_string()).as_deref(), goes_to, "{route}");
        }
        for bad in ["", "a:b", "a:1:b:2:c", "a:x:b:2", "a:1:b:0", "a:1:[::1:2", "a b:1:c:2"] {
            assert!(bad.parse::<Route>().is_err(), "{bad}");
        }
    }
}
