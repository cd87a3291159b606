//! Measurement to record line.

use data_encoding::BASE64;
use serde_json::{Value, json};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::chain::Chain;
use crate::measurement::{Connect, Extra, Failure, Handshake, Measurement, Query};

/// OONI's `measurement_start_time`, always UTC.
pub(super) const START_TIME: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");

pub(super) fn measurement(measurement: &Measurement) -> Value {
    let started = measurement.started.and_then(|started| started.format(START_TIME).ok());
    let asn = format!("AS{}", measurement.vantage.asn);
    let mut record = json!({
        "annotations": measurement.annotations,
        "data_format_version": "0.2.0",
        "extensions": {"dnst": 0, "netevents": 0, "tcpconnect": 0, "tlshandshake": 0},
        "input": measurement.input,
        "measurement_start_time": started,
        "test_start_time": started,
        "probe_asn": asn,
        "probe_cc": measurement.vantage.country,
        // Never the real one: OONI's scrubbed value.
        "probe_ip": "127.0.0.1",
        "probe_network_name": measurement.vantage.network,
        "report_id": measurement.run.as_deref().unwrap_or_default(),
        "resolver_asn": asn,
        "resolver_ip": "127.0.0.2",
        "resolver_network_name": measurement.vantage.network,
        "software_name": measurement.software.name,
        "software_version": measurement.software.version,
        "test_helpers": {},
        "test_name": measurement.software.test,
        "test_version": measurement.software.test_version,
        "test_runtime": measurement.runtime,
        "test_keys": {
            "queries": measurement.queries.iter().map(query).collect::<Vec<_>>(),
            "tcp_connect": measurement.connects.iter().map(connect).collect::<Vec<_>>(),
            "tls_handshakes": measurement.handshakes.iter().map(handshake).collect::<Vec<_>>(),
            "network_events": events(measurement),
        },
    });
    if let Some(uid) = &measurement.uid {
        record["measurement_uid"] = json!(uid);
    }
    if let Some(target) = &measurement.target {
        record["x_kua"] = json!({"target": {"host": target.host, "port": target.port}});
    }
    if !measurement.seen_by_helper.is_empty() {
        let seen = measurement.seen_by_helper.iter().enumerate().map(|(position, seen)| {
            let shaken = json!({
                "server_name": seen.server_name,
                "status": seen.failure.is_none(),
                "failure": code(seen.failure.as_ref()),
            });
            (format!("{position:06}"), shaken)
        });
        let seen: serde_json::Map<_, _> = seen.collect();
        record["test_keys"]["control"] = json!({"tls_handshake": seen});
    }
    record
}

fn query(query: &Query) -> Value {
    let answers = query.addresses.iter().map(|address| {
        if address.contains(':') {
            json!({"answer_type": "AAAA", "ipv6": address, "ttl": null})
        } else {
            json!({"answer_type": "A", "ipv4": address, "ttl": null})
        }
    });
    json!({
        "answers": answers.collect::<Vec<_>>(),
        "engine": query.engine,
        "failure": code(query.failure.as_ref()),
        "hostname": query.hostname,
        "query_type": query.kind,
        "resolver_hostname": null,
        "resolver_port": null,
        "resolver_address": query.resolver,
        "t0": query.span.t0,
        "t": query.span.t,
        "tags": [],
    })
}

fn connect(connect: &Connect) -> Value {
    json!({
        "ip": connect.endpoint.ip().to_string(),
        "port": connect.endpoint.port(),
        "status": {
            "failure": code(connect.failure.as_ref()),
            "success": connect.failure.is_none(),
        },
        "t0": connect.span.t0,
        "t": connect.span.t,
        "tags": [],
    })
}

fn handshake(handshake: &Handshake) -> Value {
    let mut record = json!({
        "network": handshake.network,
        "address": handshake.endpoint.map(|endpoint| endpoint.to_string()).unwrap_or_default(),
        "cipher_suite": handshake.cipher,
        "failure": code(handshake.failure.as_ref()),
        "negotiated_protocol": handshake.alpn,
        "no_tls_verify": handshake.unverified,
        "peer_certificates": certificates(handshake.chain.as_ref()),
        "server_name": handshake.server_name.as_deref().unwrap_or_default(),
        "t0": handshake.span.t0,
        "t": handshake.span.t,
        "tags": handshake.tags,
        "tls_version": handshake.version,
    });
    if handshake.transaction != 0 {
        record["transaction_id"] = json!(handshake.transaction);
    }
    // Its presence says that the chain is whole.
    if handshake.whole {
        record["x_kua"] = extra(&handshake.extra);
    }
    record
}

fn certificates(chain: Option<&Chain>) -> Vec<Value> {
    let certificates = chain.into_iter().flat_map(Chain::certificates);
    certificates
        .map(|sent| json!({"format": "base64", "data": BASE64.encode(sent.der())}))
        .collect()
}

fn extra(extra: &Extra) -> Value {
    let staple = extra.staple.as_ref().map(|staple| BASE64.encode(staple));
    let mut facts = json!({
        "group": extra.group,
        "alert": extra.alert,
        "holds_key": extra.holds_key,
        "staple": staple,
        "bytes_sent": extra.sent,
        "bytes_received": extra.received,
        "detail": extra.detail,
    });
    if let Some(facts) = facts.as_object_mut() {
        facts.retain(|_, fact| !fact.is_null());
    }
    facts
}

/// df-008: begin and end of each handshake, and the bytes it took.
fn events(measurement: &Measurement) -> Vec<Value> {
    let mut events = Vec::new();
    for shaken in &measurement.handshakes {
        let address = shaken.endpoint.map(|endpoint| endpoint.to_string());
        let failure = code(shaken.failure.as_ref());
        let event = |operation: &str, t: f64, failure: Option<&str>, bytes: Option<u64>| {
            let mut event = json!({
                "address": address, "failure": failure, "operation": operation, "proto": "tcp",
                "t0": t, "t": t, "tags": [],
            });
            if let Some(bytes) = bytes {
                event["num_bytes"] = json!(bytes);
            }
            event
        };
        events.push(event("tls_handshake_start", shaken.span.t0, None, None));
        if let Some(received) = shaken.extra.received {
            events.push(event("bytes_received_cumulative", shaken.span.t, None, Some(received)));
        }
        events.push(event("tls_handshake_done", shaken.span.t, failure, None));
    }
    events
}

fn code(failure: Option<&Failure>) -> Option<&str> {
    failure.map(Failure::code)
}
