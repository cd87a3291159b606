//! Rows of Censored Planet's HyperQuack, versions 1 and 2: servers that were asked, from outside,
//! for names that are not theirs.
//!
//! The vantage point is a server, not a volunteer: `annotations` say so. What it presents is its
//! own certificate, whatever name it was asked for. So the server is the target, the name that was
//! sent is the input and a tag (`sni=`), and nothing is verified against it. A row holds one
//! certificate, the leaf, and only where the answer was not the expected one.

use std::collections::BTreeMap;
use std::net::IpAddr;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::certificates::Certificates;
use super::node::Node;
use super::outcome::failure;
use super::{Format, WireError, code_points};
use crate::chain::Chain;
use crate::measurement::{Handshake, Measurement, Software, Span, Target, Vantage, host_of};

pub(super) static FORMAT: Format = Format {
    name: "hyperquack",
    about: "Censored Planet's HyperQuack rows, v1 and v2, one a line",
    text: None,
    fits: |row| version(row).is_some(),
    read,
};

const HTTPS: u16 = 443;

/// The names of a version's fields.
struct Version {
    number: &'static str,
    server: &'static str,
    asked: &'static str,
    results: &'static str,
    start: &'static str,
    end: &'static str,
    error: &'static str,
    /// What rows of Satellite, which are about names, do not have.
    own: &'static str,
}

const V1: Version = Version {
    number: "1",
    server: "Server",
    asked: "Keyword",
    results: "Results",
    start: "StartTime",
    end: "EndTime",
    error: "Error",
    own: "Retries",
};

const V2: Version = Version {
    number: "2",
    server: "vp",
    asked: "test_url",
    results: "response",
    start: "start_time",
    end: "end_time",
    error: "error",
    own: "service",
};

fn version(row: &Node<'_>) -> Option<&'static Version> {
    [&V1, &V2].into_iter().find(|version| {
        let keys = [version.server, version.asked, version.results, version.own];
        keys.iter().all(|key| row.find(key).is_some())
    })
}

fn read(row: &Node<'_>, certificates: &mut Certificates) -> Result<Measurement, WireError> {
    let version = version(row).unwrap_or(&V2);
    let server = row.text(version.server);
    let address: Option<IpAddr> = server.as_deref().and_then(|server| server.parse().ok());
    let results = || row.objects(version.results);
    let started = results().find_map(|result| moment(result, version.start));
    let last = results().filter_map(|result| moment(result, version.end)).max();
    let runtime = started.zip(last).map_or(0.0, |(start, end)| (end - start).as_seconds_f64());
    let asked = row.text(version.asked);
    let mut handshakes = Vec::new();
    for result in results() {
        let asked = result.text("control_url").or_else(|| result.text("Sent"));
        let asked = asked.or_else(|| row.text(version.asked)).unwrap_or_default();
        let https = row.at("service").as_str() == Some("https");
        let name = host_of(&asked).unwrap_or(asked);
        let mut found = handshake(result, https, version, &name, certificates)?;
        if let Some(shaken) = &mut found {
            shaken.endpoint = address.map(|address| (address, HTTPS).into());
            shaken.span = span(result, version, started);
        }
        handshakes.extend(found);
    }
    Ok(Measurement {
        // What one server answered belongs together, and with nothing else.
        run: server.as_ref().map(|server| format!("hyperquack {server}")),
        started,
        runtime,
        vantage: vantage(row),
        software: Software {
            name: "hyperquack".into(),
            version: version.number.into(),
            test: "hyperquack".into(),
            test_version: version.number.into(),
        },
        input: asked,
        target: address.map(|address| Target { host: address.to_string(), port: HTTPS }),
        annotations: annotations(row),
        handshakes,
        ..Measurement::default()
    })
}

/// A row of version 2 says in which country its server stands.
fn vantage(row: &Node<'_>) -> Vantage {
    let code = row.at("location").text("country_code");
    let code = code.filter(|code| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()));
    Vantage { country: code.unwrap_or_else(|| "ZZ".into()), ..Vantage::default() }
}

fn annotations(row: &Node<'_>) -> BTreeMap<String, String> {
    let mut notes = BTreeMap::from([("vantage".into(), "remote server".into())]);
    for (key, note) in [
        ("Blocked", "anomaly"),
        ("anomaly", "anomaly"),
        ("FailSanity", "controls_failed"),
        ("controls_failed", "controls_failed"),
        ("StatefulBlock", "stateful_block"),
        ("stateful_block", "stateful_block"),
    ] {
        if let Some(value) = row.at(key).as_bool() {
            notes.insert(note.into(), value.to_string());
        }
    }
    notes
}

/// `None` where the result tells nothing of a handshake: it was plain HTTP, or as expected.
fn handshake(
    result: &Node<'_>,
    https: bool,
    version: &Version,
    name: &str,
    certificates: &mut Certificates,
) -> Result<Option<Handshake>, WireError> {
    let old = result.at("Received").at("tls");
    let new = result.at("response");
    let answer = if old.is_object() { old } else { new };
    let either = |old: &str, new: &str| answer.find(old).unwrap_or(answer.at(new)).as_u64();
    let mut presented = Vec::new();
    let text = answer.find("cert").unwrap_or(answer.at("Certificate"));
    for (index, text) in std::iter::once(text).chain(text.items()).enumerate() {
        // Rows of plain HTTP, and answers without TLS, have an empty text or none.
        let Some(text) = text.as_str().filter(|text| !text.is_empty()) else { continue };
        presented.push(certificates.of(text).map_err(|reason| WireError::BadCertificate {
            server_name: name.to_owned(),
            index,
            reason,
        })?);
    }
    let chain = Chain::new(presented).ok();
    // After an answer, the error is about the page.
    let answered = answer.is_object() || result.at("Received").is_object();
    let error = result.at(version.error).as_str().filter(|text| !answered && !text.is_empty());
    if chain.is_none() && !(https && error.is_some()) {
        return Ok(None);
    }
    Ok(Some(Handshake {
        network: "tcp".into(),
        failure: error.map(failure),
        // It compares with what the server gave before, and trusts nobody.
        unverified: true,
        chain,
        whole: false,
        version: either("version", "TlsVersion").map_or("", code_points::version).into(),
        cipher: either("cipher_suite", "CipherSuite").map_or_else(String::new, code_points::cipher),
        tags: vec![format!("sni={name}")],
        ..Handshake::default()
    }))
}

fn moment(result: &Node<'_>, key: &str) -> Option<OffsetDateTime> {
    let parsed = OffsetDateTime::parse(result.at(key).as_str()?, &Rfc3339).ok()?;
    parsed.checked_to_offset(time::UtcOffset::UTC)
}

fn span(result: &Node<'_>, version: &Version, started: Option<OffsetDateTime>) -> Span {
    let since = |key| {
        let moment = moment(result, key)?;
        Some((moment - started?).as_seconds_f64())
    };
    Span { t0: since(version.start).unwrap_or(0.0), t: since(version.end).unwrap_or(0.0) }
}

#[cfg(test)]
mod tests {
    use super::super::from_record;
    use super::*;

    fn leaf() -> String {
        let root = kua_mint::Authority::root("Some Root");
        data_encoding::BASE64.encode(&root.leaf("server.example").certificate)
    }

    #[test]
    fn a_row_is_what_a_server_presented_and_nothing_about_the_name_it_was_asked_for() {
        let leaf = leaf();
        for (version, row) in [
            (
                "1",
                format!(
                    r#"{{"Server":"192.0.2.7","Keyword":"a.example","Retries":1,"Results":[
                    {{"Sent":"a.example","Received":{{"status_line":"403 Forbidden","tls":{{
                    "version":771,"cipher_suite":49199,"cert":"{leaf}"}}}},"Success":false,
                    "Error":"Incorrect web response","StartTime":"2020-11-06T15:24:20.5-05:00",
                    "EndTime":"2020-11-06T15:24:22-05:00"}},{{"Sent":"a.example","Success":true}}],
                    "Blocked":true,"FailSanity":false,"StatefulBlock":false}}"#
                ),
            ),
            (
                "2",
                format!(
                    r#"{{"vp":"192.0.2.7","location":{{"country_code":"KZ"}},"service":"https",
                    "test_url":"a.example","response":[{{"matches_template":false,"response":{{
                    "status_line":"403 Forbidden","TlsVersion":771,"CipherSuite":49199,
                    "Certificate":"{leaf}"}},"error":"Certificates do not match",
                    "start_time":"2020-11-06T15:24:20.5-05:00",
                    "end_time":"2020-11-06T15:24:22-05:00"}},
                    {{"matches_template":true,"control_url":"b.example"}}],"anomaly":true,
                    "controls_failed":false,"stateful_block":false}}"#
                ),
            ),
        ] {
            let read = from_record(row.as_bytes()).unwrap();
            let [shaken] = &read.handshakes[..] else { panic!("{read:?}") };
            assert_eq!(shaken.server_name, None, "{version}");
            assert_eq!(shaken.tags, ["sni=a.example"], "{version}");
            assert_eq!(shaken.endpoint, "192.0.2.7:443".parse().ok(), "{version}");
            assert_eq!(shaken.version, "TLSv1.2", "{version}");
            assert_eq!(shaken.cipher, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "{version}");
            assert_eq!(shaken.span, Span { t0: 0.0, t: 1.5 }, "{version}");
            assert!(!shaken.whole && shaken.unverified && shaken.failure.is_none(), "{version}");
            assert!(shaken.leaf().is_some(), "{version}");
            assert_eq!(read.target_host().as_deref(), Some("192.0.2.7"), "{version}");
            assert_eq!(read.input.as_deref(), Some("a.example"), "{version}");
            assert_eq!(read.annotations["vantage"], "remote server", "{version}");
            assert_eq!(read.annotations["anomaly"], "true", "{version}");
            assert_eq!(read.vantage.country, if version == "2" { "KZ" } else { "ZZ" });
            assert_eq!(read.started.unwrap().unix_timestamp(), 1_604_694_260, "{version}");
        }
    }

    #[test]
    fn a_failure_is_a_handshake_only_of_a_row_that_is_about_tls() {
        let row = |service: &str| {
            format!(
                r#"{{"vp":"192.0.2.7","service":"{service}","test_url":"a.example","response":[
                {{"matches_template":false,"error":"read tcp 192.0.2.1:1->192.0.2.7:443: read:
                connection reset by peer"}}]}}"#
            )
            .replace("\n                connection", " connection")
        };
        let https = from_record(row("https").as_bytes()).unwrap();
        assert_eq!(https.handshakes[0].failure.as_ref().unwrap().code(), "connection_reset");
        assert!(from_record(row("http").as_bytes()).unwrap().handshakes.is_empty());
    }

    #[test]
    fn a_row_with_something_else_for_a_certificate_is_refused() {
        let row = r#"{"vp":"192.0.2.7","service":"https","test_url":"a.example","response":[
            {"response":{"Certificate":"bm90IERFUg=="}}]}"#;
        let refused = from_record(row.as_bytes());
        assert!(matches!(refused, Err(WireError::BadCertificate { index: 0, .. })), "{refused:?}");
    }
}
