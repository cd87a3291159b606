//! OONI's records, which are also Kua's own.

use data_encoding::BASE64;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::certificates::Certificates;
use super::node::Node;
use super::write::START_TIME;
use super::{Format, WireError};
use crate::chain::Chain;
use crate::measurement::{
    Connect, Extra, Failure, Handshake, HelperHandshake, Measurement, Query, Software, Span,
    Target, Vantage,
};

pub(super) static FORMAT: Format = Format {
    name: "ooni",
    about: "OONI's data format 0.2.0, one JSON object a line; Kua's own records are the same",
    text: None,
    fits: |record| {
        let known = ["test_keys", "test_name", "data_format_version"];
        known.iter().any(|key| record.find(key).is_some())
    },
    read: measurement,
};

/// In place of a certificate that held the address of the record's sender.
const SCRUBBED: &str = "x_kua_scrubbed";

/// Deepest nesting in which handshakes are looked for.
const MAX_DEPTH: usize = 8;

fn measurement(
    record: &Node<'_>,
    certificates: &mut Certificates,
) -> Result<Measurement, WireError> {
    let keys = record.at("test_keys");
    let mut handshakes = Vec::new();
    collect_handshakes(keys, 0, certificates, &mut handshakes)?;
    Ok(Measurement {
        uid: record.text("measurement_uid"),
        run: record.text("report_id").filter(|run| !run.is_empty()),
        started: time(record, "measurement_start_time").or_else(|| time(record, "test_start_time")),
        runtime: record.number("test_runtime"),
        vantage: vantage(record),
        software: Software {
            name: record.text("software_name").unwrap_or_default(),
            version: record.text("software_version").unwrap_or_default(),
            test: record.text("test_name").unwrap_or_default(),
            test_version: record.text("test_version").unwrap_or_default(),
        },
        input: record.text("input"),
        target: target(record.at("x_kua").at("target")),
        annotations: annotations(record.at("annotations")),
        queries: keys.objects("queries").map(query).collect(),
        connects: keys.objects("tcp_connect").filter_map(connect).collect(),
        handshakes,
        seen_by_helper: helper(keys.at("control"), record),
    })
}

fn vantage(record: &Node<'_>) -> Vantage {
    let country = record
        .text("probe_cc")
        .filter(|cc| cc.len() == 2 && cc.bytes().all(|byte| byte.is_ascii_uppercase()));
    let asn = record.text("probe_asn");
    let asn = asn.as_deref().and_then(|asn| asn.strip_prefix("AS")?.parse().ok());
    Vantage {
        country: country.unwrap_or_else(|| "ZZ".into()),
        asn: asn.unwrap_or(0),
        network: record.text("probe_network_name").unwrap_or_default(),
    }
}

fn annotations(notes: &Node<'_>) -> std::collections::BTreeMap<String, String> {
    let notes = notes.fields().iter();
    notes.filter_map(|(key, value)| Some((key.to_string(), value.as_str()?.to_owned()))).collect()
}

fn target(value: &Node<'_>) -> Option<Target> {
    let port = value.at("port").as_u64().and_then(|port| u16::try_from(port).ok())?;
    Some(Target { host: value.text("host")?, port })
}

fn query(value: &Node<'_>) -> Query {
    let addresses = value
        .objects("answers")
        .filter_map(|answer| answer.text("ipv4").or_else(|| answer.text("ipv6")));
    Query {
        hostname: value.text("hostname").unwrap_or_default(),
        kind: value.text("query_type").unwrap_or_default(),
        engine: value.text("engine").unwrap_or_default(),
        resolver: value.text("resolver_address").unwrap_or_default(),
        addresses: addresses.collect(),
        failure: failure(value),
        span: span(value),
    }
}

fn connect(value: &Node<'_>) -> Option<Connect> {
    let address: std::net::IpAddr = value.at("ip").as_str()?.parse().ok()?;
    let port = value.at("port").as_u64().and_then(|port| u16::try_from(port).ok())?;
    Some(Connect {
        endpoint: (address, port).into(),
        failure: failure(value.at("status")),
        span: span(value),
    })
}

/// Handshakes under the names that OONI's tests give them (web_connectivity, urlgetter, tlsping,
/// simplequicping, tlsmiddlebox, ...), in the order of the document.
fn collect_handshakes(
    value: &Node<'_>,
    depth: usize,
    certificates: &mut Certificates,
    found: &mut Vec<Handshake>,
) -> Result<(), WireError> {
    if depth > MAX_DEPTH {
        return Ok(());
    }
    for item in value.items() {
        collect_handshakes(item, depth + 1, certificates, found)?;
    }
    for (key, value) in value.fields() {
        match &**key {
            // Another's handshakes: read by `helper`.
            "control" if value.find("tls_handshake").is_some() => {}
            "tls_handshakes" | "quic_handshakes" => {
                for shaken in value.items() {
                    found.push(handshake(shaken, certificates)?);
                }
            }
            "tls_handshake" | "quic_handshake" | "handshake" if value.is_object() => {
                found.push(handshake(value, certificates)?);
            }
            _ => collect_handshakes(value, depth + 1, certificates, found)?,
        }
    }
    Ok(())
}

fn handshake(value: &Node<'_>, certificates: &mut Certificates) -> Result<Handshake, WireError> {
    let server_name = value.text("server_name").filter(|name| !name.is_empty());
    let failure = failure(value);
    let unverified = value.at("no_tls_verify").as_bool().unwrap_or(false);
    let ours = value.at("x_kua");
    let chain = chain(value, server_name.as_deref().unwrap_or_default(), certificates)?;
    // Stock OONI keeps one certificate where its verification fails, whatever it calls the failure.
    let refused = failure.as_ref().is_some_and(|failure| {
        let lone = chain.as_ref().is_some_and(|chain| chain.certificates().len() == 1);
        failure.is_about_certificate() || lone
    });
    Ok(Handshake {
        network: value.text("network").unwrap_or_default(),
        endpoint: value.at("address").as_str().and_then(|address| address.parse().ok()),
        chain,
        whole: (ours.is_object() || unverified || !refused) && !scrubbed(value),
        server_name,
        failure,
        unverified,
        version: value.text("tls_version").unwrap_or_default(),
        cipher: value.text("cipher_suite").unwrap_or_default(),
        alpn: value.text("negotiated_protocol").unwrap_or_default(),
        tags: strings(value.at("tags")),
        transaction: value.at("transaction_id").as_i64().unwrap_or(0),
        span: span(value),
        extra: extra(ours),
    })
}

/// Whether a collector took a certificate out: what is left does not begin with the leaf, perhaps.
fn scrubbed(value: &Node<'_>) -> bool {
    let sent = value.at("peer_certificates").items();
    sent.iter().any(|certificate| certificate.at(SCRUBBED).is_object())
}

fn chain(
    value: &Node<'_>,
    server_name: &str,
    certificates: &mut Certificates,
) -> Result<Option<Chain>, WireError> {
    let bad = |index, reason: String| WireError::BadCertificate {
        server_name: server_name.to_owned(),
        index,
        reason,
    };
    let sent = value.at("peer_certificates").items();
    let mut kept = Vec::with_capacity(sent.len().min(16));
    for (index, certificate) in sent.iter().enumerate() {
        // An empty BinaryData is written as null (df-001).
        if certificate.is_null() || certificate.at(SCRUBBED).is_object() {
            continue;
        }
        let text = certificate.at("data").as_str().ok_or_else(|| bad(index, "no data".into()))?;
        kept.push(certificates.of(text).map_err(|reason| bad(index, reason))?);
    }
    if kept.is_empty() {
        return Ok(None);
    }
    let count = kept.len();
    Chain::new(kept).map(Some).map_err(|error| bad(count, error.to_string()))
}

fn extra(ours: &Node<'_>) -> Extra {
    Extra {
        group: ours.text("group"),
        alert: ours.text("alert"),
        holds_key: ours.at("holds_key").as_bool(),
        staple: ours.text("staple").and_then(|text| BASE64.decode(text.as_bytes()).ok()),
        sent: ours.at("bytes_sent").as_u64(),
        received: ours.at("bytes_received").as_u64(),
        detail: ours.text("detail"),
    }
}

/// What OONI's test helper saw: handshakes by endpoint (web_connectivity 0.5), else its HTTPS
/// request for the input (0.4), which verified as a browser does.
fn helper(control: &Node<'_>, record: &Node<'_>) -> Vec<HelperHandshake> {
    let shaken = control.at("tls_handshake").fields().iter();
    let seen: Vec<_> = shaken
        .filter_map(|(_, shaken)| {
            let succeeded = shaken.at("status").as_bool()?;
            let failure = failure(shaken);
            (succeeded || failure.is_some())
                .then_some(HelperHandshake { server_name: shaken.text("server_name")?, failure })
        })
        .collect();
    if !seen.is_empty() {
        return seen;
    }
    let url = record.text("input").filter(|input| input.starts_with("https://"));
    let answered =
        control.at("http_request").at("status_code").as_i64().is_some_and(|code| code > 0);
    let host = url.as_deref().and_then(crate::measurement::host_of).filter(|_| answered);
    host.map(|server_name| HelperHandshake { server_name, failure: None }).into_iter().collect()
}

fn failure(value: &Node<'_>) -> Option<Failure> {
    value.text("failure").filter(|code| !code.is_empty()).map(Failure::new)
}

fn span(value: &Node<'_>) -> Span {
    Span { t0: value.number("t0"), t: value.number("t") }
}

fn time(value: &Node<'_>, key: &str) -> Option<OffsetDateTime> {
    let text = value.at(key).as_str()?;
    let plain = time::PrimitiveDateTime::parse(text, START_TIME);
    plain.map(time::PrimitiveDateTime::assume_utc).ok().or_else(|| {
        let parsed = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        parsed.checked_to_offset(time::UtcOffset::UTC)
    })
}

fn strings(value: &Node<'_>) -> Vec<String> {
    value.items().iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}
