//! Record line to measurement.

use data_encoding::BASE64;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::WireError;
use super::write::START_TIME;
use crate::chain::{Certificate, Chain};
use crate::measurement::{
    Connect, Extra, Failure, Handshake, HelperHandshake, Measurement, Query, Software, Span,
    Target, Vantage,
};

/// In place of a certificate that held the address of the record's sender.
const SCRUBBED: &str = "x_kua_scrubbed";

/// Deepest nesting in which handshakes are looked for.
const MAX_DEPTH: usize = 8;

pub(super) fn measurement(record: &Value) -> Result<Measurement, WireError> {
    let known = ["test_keys", "test_name", "data_format_version"];
    let Some(base) =
        record.as_object().filter(|base| known.iter().any(|key| base.contains_key(*key)))
    else {
        return Err(WireError::NotMeasurement);
    };
    let keys = &record["test_keys"];
    let mut handshakes = Vec::new();
    collect_handshakes(keys, 0, &mut handshakes)?;
    Ok(Measurement {
        uid: text(record, "measurement_uid"),
        run: text(record, "report_id").filter(|run| !run.is_empty()),
        started: time(record, "measurement_start_time").or_else(|| time(record, "test_start_time")),
        runtime: number(record, "test_runtime"),
        vantage: vantage(record),
        software: Software {
            name: text(record, "software_name").unwrap_or_default(),
            version: text(record, "software_version").unwrap_or_default(),
            test: text(record, "test_name").unwrap_or_default(),
            test_version: text(record, "test_version").unwrap_or_default(),
        },
        input: text(record, "input"),
        target: target(&record["x_kua"]["target"]),
        annotations: annotations(base),
        queries: objects(keys, "queries").map(query).collect(),
        connects: objects(keys, "tcp_connect").filter_map(connect).collect(),
        handshakes,
        seen_by_helper: helper(&keys["control"], record),
    })
}

fn vantage(record: &Value) -> Vantage {
    let country = text(record, "probe_cc")
        .filter(|cc| cc.len() == 2 && cc.bytes().all(|byte| byte.is_ascii_uppercase()));
    let asn = text(record, "probe_asn");
    let asn = asn.as_deref().and_then(|asn| asn.strip_prefix("AS")?.parse().ok());
    Vantage {
        country: country.unwrap_or_else(|| "ZZ".into()),
        asn: asn.unwrap_or(0),
        network: text(record, "probe_network_name").unwrap_or_default(),
    }
}

fn annotations(base: &Map<String, Value>) -> std::collections::BTreeMap<String, String> {
    let notes = base.get("annotations").and_then(Value::as_object).into_iter().flatten();
    notes.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

fn target(value: &Value) -> Option<Target> {
    let port = value["port"].as_u64().and_then(|port| u16::try_from(port).ok())?;
    Some(Target { host: text(value, "host")?, port })
}

fn query(value: &Value) -> Query {
    let addresses = objects(value, "answers")
        .filter_map(|answer| text(answer, "ipv4").or_else(|| text(answer, "ipv6")));
    Query {
        hostname: text(value, "hostname").unwrap_or_default(),
        kind: text(value, "query_type").unwrap_or_default(),
        engine: text(value, "engine").unwrap_or_default(),
        resolver: text(value, "resolver_address").unwrap_or_default(),
        addresses: addresses.collect(),
        failure: failure(value),
        span: span(value),
    }
}

fn connect(value: &Value) -> Option<Connect> {
    let address: std::net::IpAddr = text(value, "ip")?.parse().ok()?;
    let port = value["port"].as_u64().and_then(|port| u16::try_from(port).ok())?;
    Some(Connect {
        endpoint: (address, port).into(),
        failure: failure(&value["status"]),
        span: span(value),
    })
}

/// Handshakes under the names that OONI's tests give them (web_connectivity, urlgetter, tlsping,
/// simplequicping, tlsmiddlebox, ...), in the order of the document.
fn collect_handshakes(
    value: &Value,
    depth: usize,
    found: &mut Vec<Handshake>,
) -> Result<(), WireError> {
    if depth > MAX_DEPTH {
        return Ok(());
    }
    match value {
        Value::Array(items) => {
            items.iter().try_for_each(|item| collect_handshakes(item, depth + 1, found))
        }
        Value::Object(fields) => fields.iter().try_for_each(|(key, value)| match key.as_str() {
            // Another's handshakes: read by `helper`.
            "control" if value.get("tls_handshake").is_some() => Ok(()),
            "tls_handshakes" => value.as_array().into_iter().flatten().try_for_each(|shaken| {
                found.push(handshake(shaken)?);
                Ok(())
            }),
            "tls_handshake" | "quic_handshake" | "handshake" if value.is_object() => {
                found.push(handshake(value)?);
                Ok(())
            }
            _ => collect_handshakes(value, depth + 1, found),
        }),
        _ => Ok(()),
    }
}

fn handshake(value: &Value) -> Result<Handshake, WireError> {
    let server_name = text(value, "server_name").filter(|name| !name.is_empty());
    let failure = failure(value);
    let unverified = value["no_tls_verify"].as_bool().unwrap_or(false);
    let ours = &value["x_kua"];
    let about_certificate = failure.as_ref().is_some_and(Failure::is_about_certificate);
    Ok(Handshake {
        network: text(value, "network").unwrap_or_default(),
        endpoint: text(value, "address").and_then(|address| address.parse().ok()),
        chain: chain(value, server_name.as_deref().unwrap_or_default())?,
        whole: (ours.is_object() || unverified || !about_certificate) && !scrubbed(value),
        server_name,
        failure,
        unverified,
        version: text(value, "tls_version").unwrap_or_default(),
        cipher: text(value, "cipher_suite").unwrap_or_default(),
        alpn: text(value, "negotiated_protocol").unwrap_or_default(),
        tags: strings(value, "tags"),
        transaction: value["transaction_id"].as_i64().unwrap_or(0),
        span: span(value),
        extra: extra(ours),
    })
}

fn chain(value: &Value, server_name: &str) -> Result<Option<Chain>, WireError> {
    let bad = |index, reason: String| WireError::BadCertificate {
        server_name: server_name.to_owned(),
        index,
        reason,
    };
    let sent = sent(value);
    let mut certificates = Vec::with_capacity(sent.len().min(16));
    for (index, certificate) in sent.iter().enumerate() {
        // An empty BinaryData is written as null (df-001).
        if certificate.is_null() || certificate[SCRUBBED].is_object() {
            continue;
        }
        let text = certificate["data"].as_str().ok_or_else(|| bad(index, "no data".into()))?;
        let der = BASE64.decode(text.as_bytes()).map_err(|error| bad(index, error.to_string()))?;
        if !is_one_sequence(&der) {
            return Err(bad(index, "no ASN.1 SEQUENCE".into()));
        }
        let kept = Certificate::from_bytes(&der).map_err(|error| bad(index, error.to_string()))?;
        certificates.push(kept);
    }
    if certificates.is_empty() {
        return Ok(None);
    }
    let count = certificates.len();
    Chain::new(certificates).map(Some).map_err(|error| bad(count, error.to_string()))
}

fn sent(value: &Value) -> &[Value] {
    value["peer_certificates"].as_array().map_or(&[][..], Vec::as_slice)
}

/// Whether a collector took a certificate out: what is left does not begin with the leaf, perhaps.
fn scrubbed(value: &Value) -> bool {
    sent(value).iter().any(|certificate| certificate[SCRUBBED].is_object())
}

/// Whether the bytes have the outer shape of a certificate. Whether a parser accepts what is
/// inside is no matter: it is kept.
fn is_one_sequence(der: &[u8]) -> bool {
    der.len() > 2 && der[0] == 0x30
}

fn extra(ours: &Value) -> Extra {
    Extra {
        group: text(ours, "group"),
        alert: text(ours, "alert"),
        holds_key: ours["holds_key"].as_bool(),
        staple: text(ours, "staple").and_then(|text| BASE64.decode(text.as_bytes()).ok()),
        sent: ours["bytes_sent"].as_u64(),
        received: ours["bytes_received"].as_u64(),
        detail: text(ours, "detail"),
    }
}

/// What OONI's test helper saw: handshakes by endpoint (web_connectivity 0.5), else its HTTPS
/// request for the input (0.4), which verified as a browser does.
fn helper(control: &Value, record: &Value) -> Vec<HelperHandshake> {
    let shaken = control["tls_handshake"].as_object().into_iter().flatten();
    let seen: Vec<_> = shaken
        .filter_map(|(_, shaken)| {
            let succeeded = shaken["status"].as_bool()?;
            let failure = failure(shaken);
            (succeeded || failure.is_some())
                .then_some(HelperHandshake { server_name: text(shaken, "server_name")?, failure })
        })
        .collect();
    if !seen.is_empty() {
        return seen;
    }
    let url = text(record, "input").filter(|input| input.starts_with("https://"));
    let answered = control["http_request"]["status_code"].as_i64().is_some_and(|code| code > 0);
    let host = url.as_deref().and_then(crate::measurement::host_of).filter(|_| answered);
    host.map(|server_name| HelperHandshake { server_name, failure: None }).into_iter().collect()
}

fn failure(value: &Value) -> Option<Failure> {
    text(value, "failure").filter(|code| !code.is_empty()).map(Failure::new)
}

fn span(value: &Value) -> Span {
    Span { t0: number(value, "t0"), t: number(value, "t") }
}

fn time(value: &Value, key: &str) -> Option<OffsetDateTime> {
    let text = value[key].as_str()?;
    let plain = time::PrimitiveDateTime::parse(text, START_TIME);
    plain.map(time::PrimitiveDateTime::assume_utc).ok().or_else(|| {
        let parsed = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        parsed.checked_to_offset(time::UtcOffset::UTC)
    })
}

fn text(value: &Value, key: &str) -> Option<String> {
    value[key].as_str().map(str::to_owned)
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or(0.0)
}

fn strings(value: &Value, key: &str) -> Vec<String> {
    let items = value[key].as_array().into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn objects<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten().filter(|item| item.is_object())
}
