//! Results of RIPE Atlas's `sslcert` measurements.
//!
//! A probe notes the chain and verifies nothing. Which country and network it is in stands in no
//! result; its addresses do, and are not read.

use std::net::IpAddr;

use time::OffsetDateTime;

use super::certificates::of_der;
use super::node::Node;
use super::outcome::failure;
use super::pem::certificates_in;
use super::{Format, WireError, code_points};
use crate::chain::Chain;
use crate::measurement::{
    Extra, Failure, Handshake, Measurement, Query, Software, Span, Target, codes,
};

pub(super) static FORMAT: Format = Format {
    name: "ripe-atlas",
    about: "RIPE Atlas's sslcert results, one a line or an array of them",
    text: None,
    fits: |result| result.at("type").as_str() == Some("sslcert"),
    read: |result, _| read(result),
};

fn read(result: &Node<'_>) -> Result<Measurement, WireError> {
    let address: Option<IpAddr> =
        result.at("dst_addr").as_str().and_then(|address| address.parse().ok());
    let meant = result.text("dst_name").or_else(|| address.map(|address| address.to_string()));
    let name = meant.clone().filter(|name| name.parse::<IpAddr>().is_err());
    let port = port(result.at("dst_port"));
    let seconds = result.at("timestamp").as_i64();
    let probe = result.at("prb_id").as_u64();
    let resolved = result.number("ttr") / 1e3;
    Ok(Measurement {
        // A probe is a vantage point of its own.
        run: probe.map(|probe| format!("ripe-atlas {probe}")),
        started: seconds.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok()),
        runtime: resolved + result.number("rt") / 1e3,
        software: Software {
            name: "ripe-atlas".into(),
            version: result.at("fw").as_u64().map_or_else(String::new, |fw| fw.to_string()),
            test: "sslcert".into(),
            test_version: String::new(),
        },
        input: meant.clone(),
        target: meant.map(|host| Target { host: host.to_ascii_lowercase(), port }),
        queries: query(result, name.as_deref(), address).into_iter().collect(),
        handshakes: handshake(result, name, address.map(|address| (address, port).into()))?
            .into_iter()
            .collect(),
        ..Measurement::default()
    })
}

fn port(value: &Node<'_>) -> u16 {
    let number = value.as_u64().and_then(|port| u16::try_from(port).ok());
    let text = value.as_str().and_then(|port| port.parse().ok());
    // Old firmware writes `https`.
    number.or(text).unwrap_or(443)
}

fn query(result: &Node<'_>, name: Option<&str>, address: Option<IpAddr>) -> Option<Query> {
    let failed = result.at("dnserr").as_str();
    let hostname = name?.to_owned();
    let answered = address.filter(|_| failed.is_none());
    (failed.is_some() || answered.is_some()).then(|| Query {
        hostname,
        engine: "system".into(),
        addresses: answered.map(|address| address.to_string()).into_iter().collect(),
        failure: failed.map(failure),
        span: Span { t0: 0.0, t: result.number("ttr") / 1e3 },
        ..Query::default()
    })
}

/// `None` where no connection was tried.
fn handshake(
    result: &Node<'_>,
    name: Option<String>,
    endpoint: Option<std::net::SocketAddr>,
) -> Result<Option<Handshake>, WireError> {
    let chain = chain(result, name.as_deref().unwrap_or_default())?;
    // The firmware writes `decription`.
    let alert = result.at("alert");
    let alert = alert.find("description").unwrap_or(alert.at("decription")).as_u64();
    let error = result.at("err").as_str().or_else(|| result.at("error").as_str());
    if chain.is_none() && alert.is_none() && (error.is_none() || endpoint.is_none()) {
        return Ok(None);
    }
    let refused = alert.map(|_| Failure::new(codes::SSL_FAILED_HANDSHAKE));
    let version = result.at("ver").as_str().unwrap_or_default();
    let cipher = result.at("server_cipher").as_str().and_then(|cipher| {
        u64::from_str_radix(cipher.strip_prefix("0x").unwrap_or(cipher), 16).ok()
    });
    Ok(Some(Handshake {
        network: "tcp".into(),
        endpoint,
        server_name: name,
        failure: refused.or_else(|| error.map(failure)),
        unverified: true,
        chain,
        whole: true,
        version: match version {
            "" => String::new(),
            "3.0" => "SSLv3".into(),
            "1.0" => "TLSv1".into(),
            other => format!("TLSv{other}"),
        },
        cipher: cipher.map_or_else(String::new, code_points::cipher),
        span: Span {
            t0: (result.number("ttr") + result.number("ttc")) / 1e3,
            t: (result.number("ttr") + result.number("rt")) / 1e3,
        },
        extra: Extra { alert: alert.map(code_points::alert), ..Extra::default() },
        ..Handshake::default()
    }))
}

fn chain(result: &Node<'_>, name: &str) -> Result<Option<Chain>, WireError> {
    let bad = |index, reason| WireError::BadCertificate { server_name: name.into(), index, reason };
    let mut presented = Vec::new();
    for (index, text) in result.at("cert").items().iter().enumerate() {
        let text = text.as_str().unwrap_or_default();
        let ders = certificates_in(text.as_bytes()).map_err(|reason| bad(index, reason))?;
        let [der] = &ders[..] else { return Err(bad(index, "not one PEM certificate".into())) };
        presented.push(of_der(der).map_err(|reason| bad(index, reason))?);
    }
    if presented.is_empty() {
        return Ok(None);
    }
    let count = presented.len();
    Chain::new(presented).map(Some).map_err(|error| bad(count, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::from_record;
    use super::*;

    #[test]
    fn a_result_is_a_whole_chain_that_nobody_verified() {
        let root = kua_mint::Authority::root("Some Root");
        let pem = |der: &[u8]| {
            let certificate = crate::chain::Certificate::from_bytes(der).unwrap();
            serde_json::to_string(&certificate.pem()).unwrap()
        };
        let (leaf, root) = (pem(&root.leaf("a.example").certificate), pem(&root.certificate));
        let result = format!(
            r#"{{"type":"sslcert","af":4,"dst_name":"A.example","dst_port":"https","dst_addr":
            "192.0.2.7","from":"203.0.113.9","src_addr":"198.51.100.9","prb_id":7,"msm_id":1,
            "timestamp":1604694260,"method":"TLS","ver":"1.2","server_cipher":"0xc02f","ttr":1.0,
            "ttc":20.0,"rt":50.0,"fw":5080,"cert":[{leaf},{root}]}}"#
        );
        let read = from_record(result.as_bytes()).unwrap();
        let shaken = &read.handshakes[0];
        assert_eq!(shaken.chain.as_ref().unwrap().certificates().len(), 2);
        assert_eq!(shaken.server_name.as_deref(), Some("A.example"));
        assert_eq!(shaken.endpoint, "192.0.2.7:443".parse().ok());
        assert!(shaken.whole && shaken.unverified && shaken.failure.is_none());
        assert_eq!(shaken.version, "TLSv1.2");
        assert_eq!(shaken.cipher, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
        assert_eq!(read.queries[0].addresses, ["192.0.2.7"]);
        assert_eq!(read.vantage, crate::measurement::Vantage::default());
        let said = format!("{read:?}");
        assert!(!said.contains("203.0.113.9") && !said.contains("198.51.100.9"), "{said}");
    }

    #[test]
    fn what_went_wrong_is_read_in_both_spellings() {
        for (fields, failure, alert, handshakes) in [
            (
                r#""alert":{"level":2,"decription":40}"#,
                "ssl_failed_handshake",
                Some("handshake_failure"),
                1,
            ),
            (
                r#""alert":{"level":2,"description":112}"#,
                "ssl_failed_handshake",
                Some("unrecognized_name"),
                1,
            ),
            (
                r#""err":"connect: Connection refused","dst_addr":"192.0.2.7""#,
                "connection_refused",
                None,
                1,
            ),
            (r#""error":"address not allowed""#, "", None, 0),
            (r#""dnserr":"non-recoverable failure""#, "", None, 0),
        ] {
            let result = format!(r#"{{"type":"sslcert","dst_name":"a.example",{fields}}}"#);
            let read = from_record(result.as_bytes()).unwrap();
            assert_eq!(read.handshakes.len(), handshakes, "{fields}");
            for shaken in &read.handshakes {
                assert_eq!(shaken.failure.as_ref().unwrap().code(), failure, "{fields}");
                assert_eq!(shaken.extra.alert.as_deref(), alert, "{fields}");
            }
            let resolved = fields.contains("dnserr") || fields.contains("dst_addr");
            assert_eq!(read.queries.len(), usize::from(resolved), "{fields}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        for cert in [
            "\"\"",
            "7",
            "\"-----BEGIN CERTIFICATE-----\\nMIIB\"",
            "\"-----BEGIN CERTIFICATE-----\\nMII\\n-----END CERTIFICATE-----\"",
        ] {
            let result = format!(r#"{{"type":"sslcert","cert":[{cert}]}}"#);
            let refused = from_record(result.as_bytes());
            assert!(matches!(refused, Err(WireError::BadCertificate { .. })), "{cert}");
        }
    }
}
