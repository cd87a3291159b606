//! Records survive the way out and back; foreign records are read for what they hold.

use proptest::prelude::*;
use time::OffsetDateTime;

use super::{FORMATS, Reader, WireError, from_line, to_line};
use crate::chain::Chain;
use crate::measurement::*;

fn seconds() -> impl Strategy<Value = f64> {
    (0u32..20_000_000).prop_map(|micros| f64::from(micros) / 1e6)
}

fn span() -> impl Strategy<Value = Span> {
    (seconds(), seconds()).prop_map(|(t0, t)| Span { t0, t })
}

fn failure() -> impl Strategy<Value = Option<Failure>> {
    let code = prop_oneof![
        Just("ssl_unknown_authority".to_owned()),
        Just("connection_reset".to_owned()),
        "[a-z_: ]{1,40}",
    ];
    proptest::option::of(code.prop_map(Failure::new))
}

fn chain() -> impl Strategy<Value = Option<Chain>> {
    let certificate = proptest::collection::vec(any::<u8>(), 2..60).prop_map(|mut bytes| {
        bytes.insert(0, 0x30);
        bytes
    });
    proptest::option::of(
        proptest::collection::vec(certificate, 1..5).prop_map(|der| Chain::from_der(der).unwrap()),
    )
}

fn endpoint() -> impl Strategy<Value = std::net::SocketAddr> {
    (any::<std::net::IpAddr>(), any::<u16>()).prop_map(std::net::SocketAddr::from)
}

prop_compose! {
    fn extra()(
        group in proptest::option::of("[A-Za-z0-9]{1,20}"),
        alert in proptest::option::of("[a-z_]{1,20}"),
        holds_key in any::<Option<bool>>(),
        staple in proptest::option::of(proptest::collection::vec(any::<u8>(), 1..50)),
        sent in any::<Option<u64>>(),
        received in any::<Option<u64>>(),
        detail in proptest::option::of(".{1,40}"),
    ) -> Extra {
        Extra { group, alert, holds_key, staple, sent, received, detail }
    }
}

prop_compose! {
    fn handshake()(
        endpoint in proptest::option::of(endpoint()),
        server_name in proptest::option::of("[a-z.]{1,30}"),
        failure in failure(),
        unverified in any::<bool>(),
        chain in chain(),
        version in "(TLSv1.2|TLSv1.3|)",
        cipher in "(TLS_AES_128_GCM_SHA256|)",
        alpn in "(h2|http/1.1|)",
        tags in proptest::collection::vec("[a-z=0-9]{1,8}", 0..3),
        transaction in 0i64..9,
        span in span(),
        extra in extra(),
    ) -> Handshake {
        Handshake {
            network: "tcp".into(), endpoint, server_name, failure, unverified, chain, whole: true,
            version, cipher, alpn, tags, transaction, span, extra,
        }
    }
}

prop_compose! {
    fn measurement()(
        run in proptest::option::of("[0-9a-zA-Z_]{1,40}"),
        uid in proptest::option::of("[0-9A-Z_.]{1,40}"),
        started in proptest::option::of(0i64..4_000_000_000),
        runtime in seconds(),
        country in "[A-Z]{2}",
        asn in any::<u32>(),
        network in ".{0,20}",
        input in proptest::option::of(".{0,40}"),
        target in proptest::option::of(("[a-z.]{1,30}", any::<u16>())),
        annotations in proptest::collection::btree_map("[a-z_]{1,10}", ".{0,10}", 0..3),
        queries in proptest::collection::vec((".{0,20}", proptest::collection::vec(
            any::<std::net::IpAddr>(), 0..3), failure(), span()), 0..3),
        connects in proptest::collection::vec((endpoint(), failure(), span()), 0..3),
        handshakes in proptest::collection::vec(handshake(), 0..3),
        helper in proptest::collection::vec(("[a-z.]{1,20}", failure()), 0..3),
    ) -> Measurement {
        Measurement {
            run,
            uid,
            started: started.map(|at| OffsetDateTime::from_unix_timestamp(at).unwrap()),
            runtime,
            vantage: Vantage { country, asn, network },
            software: Software {
                name: "kua".into(), version: "1".into(), test: "kua".into(),
                test_version: "0.1.0".into(),
            },
            input,
            target: target.map(|(host, port)| Target { host, port }),
            annotations,
            queries: queries.into_iter().map(|(hostname, addresses, failure, span)| Query {
                hostname, kind: "A".into(), engine: "udp".into(), resolver: "192.0.2.1:53".into(),
                addresses: addresses.iter().map(ToString::to_string).collect(), failure, span,
            }).collect(),
            connects: connects.into_iter().map(|(endpoint, failure, span)| Connect {
                endpoint, failure, span,
            }).collect(),
            handshakes,
            seen_by_helper: helper.into_iter().map(|(server_name, failure)| HelperHandshake {
                server_name, failure,
            }).collect(),
        }
    }
}

proptest! {
    #[test]
    fn record_to_wire_to_record(measurement in measurement()) {
        let line = to_line(&measurement);
        prop_assert!(!line.contains('\n'), "one record is one line");
        prop_assert_eq!(from_line(line.as_bytes()).unwrap(), measurement);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = from_line(&bytes);
    }
}

#[test]
fn any_field_may_be_null_or_of_another_type() {
    for line in [
        r#"{"test_keys":null}"#,
        r#"{"test_keys":[],"probe_asn":7,"probe_cc":"kz","input":{}}"#,
        r#"{"test_name":"x","test_keys":{"tls_handshakes":null,"queries":3,"tcp_connect":[null]}}"#,
        r#"{"test_keys":{"tls_handshakes":[{"peer_certificates":null,"address":"here","t":"x"}]}}"#,
        r#"{"test_keys":{},"test_start_time":"9999-12-31T23:59:59-23:59"}"#,
        r#"{"data_format_version":"0.2.0","annotations":["a"],"measurement_start_time":"soon"}"#,
    ] {
        let read = from_line(line.as_bytes()).unwrap();
        assert_eq!(read.vantage, Vantage::default(), "{line}");
    }
}

#[test]
fn lines_that_are_no_measurement() {
    for line in ["", "{", "[]", "7", "null", "{}", r#"{"hello":1}"#] {
        assert!(from_line(line.as_bytes()).is_err(), "{line}");
    }
}

#[test]
fn bytes_that_are_no_certificate_set_the_line_aside() {
    for (data, kept) in [
        (r#"{"format":"base64","data":"MAMCAQE="}"#, true),
        (r#"{"format":"base64","data":"aGVsbG8="}"#, false),
        (r#"{"format":"base64","data":"not base64"}"#, false),
        (r#"{"format":"base64"}"#, false),
        ("null", true),
    ] {
        let line = format!(
            r#"{{"test_keys":{{"tls_handshakes":[{{"server_name":"a","peer_certificates":[{data}]}}]}}}}"#
        );
        let read = from_line(line.as_bytes());
        assert_eq!(read.is_ok(), kept, "{data}");
        if let Err(error) = read {
            assert!(matches!(error, WireError::BadCertificate { index: 0, .. }), "{data}");
        }
    }
}

#[test]
fn a_record_that_kept_one_authority_has_no_leaf() {
    let root = kua_mint::Authority::root("Some Root");
    let data = data_encoding::BASE64.encode(&root.certificate);
    let line = |failure: &str| {
        format!(
            r#"{{"test_keys":{{"tls_handshakes":[{{"server_name":"a.example","failure":{failure},
            "peer_certificates":[{{"format":"base64","data":"{data}"}}]}}]}}}}"#
        )
    };
    let stock = from_line(line(r#""ssl_unknown_authority""#).as_bytes()).unwrap();
    assert!(!stock.handshakes[0].whole);
    assert_eq!(stock.handshakes[0].leaf(), None);
    // Older and other programs have their own words for it.
    let other = from_line(line(r#""unknown_failure: x509: odd""#).as_bytes()).unwrap();
    assert_eq!(other.handshakes[0].leaf(), None);
    let accepted = from_line(line("null").as_bytes()).unwrap();
    assert!(accepted.handshakes[0].leaf().is_some());
}

#[test]
fn handshakes_are_found_wherever_a_test_puts_them() {
    for keys in [
        r#"{"tls_handshakes":[X]}"#,
        r#"{"quic_handshakes":[X]}"#,
        r#"{"pings":[{"tls_handshake":X}]}"#,
        r#"{"pings":[{"quic_handshake":X}]}"#,
        r#"{"iterative_trace":[{"target_trace":{"iterations":[{"ttl":1,"handshake":X}]}}]}"#,
        r#"{"control":{"tls_handshakes":[X]},"target":{"tls_handshakes":[]}}"#,
        r#"{"targets":{"192.0.2.1:443":{"tls_handshakes":[X]}}}"#,
        r#"{"lookups":{"dot://192.0.2.1:853":{"tls_handshakes":[X]}}}"#,
        r#"{"x_doh":{"tls_handshakes":[X]}}"#,
    ] {
        let keys = keys.replace('X', r#"{"server_name":"a.example","failure":null}"#);
        let read = from_line(format!(r#"{{"test_keys":{keys}}}"#).as_bytes()).unwrap();
        assert_eq!(read.handshakes.len(), 1, "{keys}");
    }
}

#[test]
fn a_reader_reads_what_was_allowed_and_says_what_it_is_instead() {
    let mut reader = Reader::new(&[FORMATS[0], FORMATS[1]]);
    assert!(reader.read(br#"{"test_keys":{}}"#).is_ok());
    assert!(reader.read(br#"{"vp":"","service":"","test_url":"","response":[]}"#).is_ok());
    let said =
        |record: &str, reader: &mut Reader| reader.read(record.as_bytes()).unwrap_err().to_string();
    assert_eq!(
        said(r#"{"type":"sslcert"}"#, &mut reader),
        "not a record of ooni or hyperquack, but of ripe-atlas"
    );
    assert_eq!(said("[]", &mut reader), "not a record of ooni or hyperquack");
    let mut any = Reader::of_any_format();
    assert!(any.read(br#"{"type":"sslcert"}"#).is_ok());
}
