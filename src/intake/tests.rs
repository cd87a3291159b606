//! What is kept, what is refused, and what is left of an address.

use std::net::IpAddr;

use kua_mint::{Authority, Key, Template, name, san};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::chain::KeyHash;

fn sender(address: &str) -> Sender {
    Sender::new(address.parse().unwrap()).unwrap()
}

fn record() -> Value {
    json!({
        "annotations": {"note": "a \"quoted\" text"}, "data_format_version": "0.2.0",
        "measurement_start_time": "2026-09-01 10:00:00", "probe_asn": "AS9198", "probe_cc": "KZ",
        "probe_ip": "127.0.0.1", "test_name": "web_connectivity", "test_keys": {},
    })
}

/// The record with another value for one field; `null` takes it out.
fn with(field: &str, value: Value) -> String {
    let mut record = record();
    if value.is_null() {
        record.as_object_mut().unwrap().remove(field);
    } else {
        record[field] = value;
    }
    record.to_string()
}

#[test]
fn the_same_record_is_found_in_both_forms() {
    let record = r#"{ "a" : 1.50, "b":"\u00e9\n" }"#;
    let object = format!("{{\"format\":\"json\",\"content\": {record} ,\"nym\":null}}");
    let text = json!({"content": format!("{record}\n"), "format": "json", "nym": null}).to_string();
    for body in [&object, &text] {
        assert_eq!(content(body.as_bytes(), &BOUNDS).unwrap(), record.as_bytes());
    }
}

#[test]
fn bodies_without_a_record_are_refused() {
    for (case, body) in [
        ("nothing", ""),
        ("no JSON", "{\"content\":"),
        ("no object", "[]"),
        ("no content", r#"{"format":"json"}"#),
        ("content is null", r#"{"content":null}"#),
        ("content is a list", r#"{"content":[]}"#),
        ("content is a number", r#"{"content":1}"#),
        ("content is text of a list", r#"{"content":"[1]"}"#),
        ("content is text of nothing", r#"{"content":" "}"#),
        ("two contents", r#"{"content":{},"content":{}}"#),
        ("YAML", r#"{"format":"yaml","content":{}}"#),
        ("two bodies", r#"{"content":{}}{"content":{}}"#),
    ] {
        assert!(content(body.as_bytes(), &BOUNDS).is_err(), "{case}");
    }
    assert!(content(b"{\"content\":{\"a\":\"\xff\"}}", &BOUNDS).is_err(), "not UTF-8");
}

#[test]
fn what_ooni_takes_is_taken() {
    for (case, text) in [
        ("as it is", record().to_string()),
        ("a country with a digit", with("probe_cc", json!("A1"))),
        ("no country", with("probe_cc", Value::Null)),
        ("no network", with("probe_asn", Value::Null)),
        ("AS0", with("probe_asn", json!("AS0"))),
        ("the longest network", with("probe_asn", json!("AS4294967295"))),
        ("the shortest test", with("test_name", json!("ab"))),
        ("the longest test", with("test_name", json!("a".repeat(30)))),
        ("no times", with("measurement_start_time", Value::Null)),
        ("a time that is none", with("measurement_start_time", json!("yesterday"))),
        ("a field nobody knows", with("x_field", json!({"a": [null]}))),
    ] {
        assert!(examine(text.as_bytes(), None, &BOUNDS).is_ok(), "{case}");
    }
}

#[test]
fn what_ooni_refuses_is_refused() {
    for (case, text) in [
        ("a country in small letters", with("probe_cc", json!("kz"))),
        ("a long country", with("probe_cc", json!("KAZ"))),
        ("a country of other letters", with("probe_cc", json!("É"))),
        ("a country that is a number", with("probe_cc", json!(7))),
        ("a network without AS", with("probe_asn", json!("9198"))),
        ("a network without number", with("probe_asn", json!("AS"))),
        ("a network with a leading 0", with("probe_asn", json!("AS0123"))),
        ("a long network", with("probe_asn", json!("AS12345678901"))),
        ("a network with letters", with("probe_asn", json!("AS12x"))),
        ("no test", with("test_name", Value::Null)),
        ("a short test", with("test_name", json!("a"))),
        ("a long test", with("test_name", json!("a".repeat(31)))),
        ("a test in capitals", with("test_name", json!("Web"))),
        ("a test with a dot", with("test_name", json!("a.b"))),
        ("a test of underscores", with("test_name", json!("___"))),
        ("two countries", with("x", json!(1)).replace("\"x\":1", "\"probe_cc\":\"DE\"")),
        ("no measurement", r#"{"test_name":1}"#.into()),
        ("a certificate that is none", with("test_keys", chain(&[b"none"]))),
        ("nested too deep", with("x", json!("D")).replace("\"D\"", &"[".repeat(100))),
    ] {
        assert!(examine(text.as_bytes(), None, &BOUNDS).is_err(), "{case}");
    }
}

fn chain(certificates: &[&[u8]]) -> Value {
    let sent = certificates
        .iter()
        .map(|der| json!({"data": data_encoding::BASE64.encode(der), "format": "base64"}));
    json!({"tls_handshakes": [{"server_name": "a.example", "failure": "ssl_unknown_authority",
        "no_tls_verify": true, "peer_certificates": sent.collect::<Vec<_>>()}]})
}

#[test]
fn bounds_are_counted_before_anything_is_built() {
    let bounds = Bounds { depth: 4, values: 10, handshakes: 1, certificates: 1 };
    for (case, text, taken) in [
        ("ten values", r#"[1,2,3,4,5,6,7,8,9]"#, true),
        ("eleven values", r#"[1,2,3,4,5,6,7,8,9,0]"#, false),
        ("commas in a text", r#"["1,2,3,4,5,6,7,8,9,0\",1"]"#, true),
        ("four deep", "[[[[]]]]", true),
        ("five deep", "[[[[[", false),
        ("side by side", "[[],[],[]]", true),
        ("a text that does not end", "[\"\\", true),
    ] {
        assert_eq!(shape::within(text.as_bytes(), &bounds).is_ok(), taken, "{case}");
    }
    let root = Authority::root("Root");
    let leaf = root.leaf("a.example").certificate;
    let one = with("test_keys", chain(&[&leaf]));
    let two = with("test_keys", chain(&[&leaf, &root.certificate]));
    let bounds = Bounds { values: 100, depth: 10, ..bounds };
    assert!(examine(one.as_bytes(), None, &bounds).is_ok());
    assert!(examine(two.as_bytes(), None, &bounds).is_err());
}

#[test]
fn a_record_has_one_name() {
    let read = |text: &str| examine(text.as_bytes(), None, &BOUNDS).unwrap();
    let (one, other) = (read(&record().to_string()), read(&with("x", json!(1))));
    let hash = one.hash.to_string();
    assert_eq!(one.uid(), format!("20260901100000.000000_KZ_webconnectivity_{}", &hash[..16]));
    assert_ne!(one.uid(), other.uid());
    let report = ReportId::of(&one).unwrap();
    assert_eq!(report, ReportId::parse(&report.to_string()).unwrap());
    assert!(same_origin(&report, &one.meta).is_ok());
    let undated = read(&with("measurement_start_time", Value::Null));
    assert!(undated.uid().starts_with("19700101000000.000000_KZ_webconnectivity_"));
}

#[test]
fn reports_are_named_as_ooni_names_them() {
    let at = time::macros::datetime!(2026-05-01 10:00 UTC);
    for (test, country, asn, expected) in [
        ("urlgetter", "IT", "AS30722", "20260501T100000Z_urlgetter_IT_30722_n1_AAAAAAAAAAAAAAAA"),
        ("Web_Test", "it", "as1", "20260501T100000Z_webtest_IT_1_n1_AAAAAAAAAAAAAAAA"),
        ("tor", "ITA", "1", "20260501T100000Z_tor_ZZ_0_n1_AAAAAAAAAAAAAAAA"),
        ("tor", "I_", "AS99999999999", "20260501T100000Z_tor_ZZ_0_n1_AAAAAAAAAAAAAAAA"),
    ] {
        let id = ReportId::new(at, test, country, asn, &[0; 12]).unwrap();
        assert_eq!(id.to_string(), expected);
        assert_eq!(ReportId::parse(expected).unwrap(), id);
    }
    for test in ["", "a", "a.b", "a b", &"a".repeat(30)] {
        assert!(ReportId::new(at, test, "IT", "AS1", &[0; 12]).is_err(), "{test}");
    }
    for id in [
        "",
        "a_b",
        "t_ab_IT_1_n1",
        "t_ab_IT_1_n1_x_y",
        "t_a_IT_1_n1_x",
        "t_ab_ITA_1_n1_x",
        "t_ab_IT_x_n1_x",
        "t_ab_IT_-1_n1_x",
        "t_a.b_IT_1_n1_x",
    ] {
        assert!(ReportId::parse(id).is_err(), "{id}");
    }
}

#[test]
fn a_record_of_another_report_is_inconsistent() {
    let meta = examine(record().to_string().as_bytes(), None, &BOUNDS).unwrap().meta;
    for (id, fits) in [
        ("t_webconnectivity_KZ_9198_n1_x", true),
        ("t_webconnectivity_kz_9198_n1_x", true),
        ("t_webconnectivity_RU_9198_n1_x", false),
        ("t_webconnectivity_KZ_9199_n1_x", false),
        ("t_urlgetter_KZ_9198_n1_x", false),
    ] {
        assert_eq!(same_origin(&ReportId::parse(id).unwrap(), &meta).is_ok(), fits, "{id}");
    }
}

#[test]
fn the_sender_is_taken_out_of_texts() {
    for (address, text, left) in [
        ("203.0.113.7", "is 203.0.113.7.", "is [scrubbed]."),
        ("203.0.113.7", "203.0.113.7:443", "[scrubbed]:443"),
        ("203.0.113.7", "203.0.113.70 and 1203.0.113.7", "203.0.113.70 and 1203.0.113.7"),
        ("203.0.113.7", "host-203-0-113-7.kz", "host-[scrubbed].kz"),
        ("203.0.113.7", "7.113.0.203.in-addr.arpa", "[scrubbed].arpa"),
        ("203.0.113.7", "::ffff:203.0.113.7", "::ffff:[scrubbed]"),
        ("::ffff:203.0.113.7", "203.0.113.7", "[scrubbed]"),
        ("2001:db8::7", "[2001:db8::7]:443", "[[scrubbed]]:443"),
        ("2001:db8::7", "2001:DB8:0:0:0:0:0:7", "[scrubbed]"),
        ("2001:db8::7", "2001:0db8:0000:0000:0000:0000:0000:0007 x", "[scrubbed] x"),
        (
            "2001:db8::7",
            "another of the house: 2001:db8::aaaa:1",
            "another of the house: [scrubbed]",
        ),
        ("2001:db8::7", "2001:db8:0:1::7 2001:db9::7", "2001:db8:0:1::7 2001:db9::7"),
        ("2001:db8::7", "at 10:15:20 2001:2001:2001", "at 10:15:20 2001:2001:2001"),
        ("2001:db8:1::7", "0.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "[scrubbed].ip6.arpa"),
    ] {
        let sent = json!({"a": text}).to_string();
        let kept = scrub::scrub(&sent, &sender(address), std::iter::empty());
        let kept = kept.map_or(sent.clone(), |kept| String::from_utf8(kept).unwrap());
        assert_eq!(kept, json!({"a": left}).to_string(), "{address} in {text}");
    }
    for nobody in ["127.0.0.1", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1"] {
        assert!(Sender::new(nobody.parse().unwrap()).is_none(), "{nobody}");
    }
    assert_eq!(format!("{:?}", sender("203.0.113.7")), "Sender");
}

#[test]
fn the_sender_is_taken_out_of_packed_bytes() {
    let base64 = |bytes: &[u8]| data_encoding::BASE64.encode(bytes);
    for (case, bytes, left) in [
        ("a page", &b"you are 203.0.113.7!"[..], &b"you are xxxxxxxxxxx!"[..]),
        ("a DNS answer", b"..\x00\x04\xcb\x00\x71\x07..", b"..\x00\x04xxxx.."),
        (
            "the same octets by chance",
            b"..\x00\x05\xcb\x00\x71\x07..",
            b"..\x00\x05\xcb\x00\x71\x07..",
        ),
    ] {
        let text = |bytes| json!({"data": base64(bytes), "format": "base64"}).to_string();
        let kept = scrub::scrub(&text(bytes), &sender("203.0.113.7"), std::iter::empty());
        let kept = kept.unwrap_or(text(bytes).into_bytes());
        assert_eq!(String::from_utf8(kept).unwrap(), text(left), "{case}");
    }
}

/// "state root -> leaf with the client's address": the leaf is out, and no hash or signature of it
/// is left by which the address could be found again by trying all.
#[test]
fn a_certificate_with_the_sender_in_it_is_taken_out_whole() {
    let root = Authority::root("State root");
    let named = |names: &[&str]| root.leaf_with(&Key::ecdsa_p256(), Template::leaf(names));
    let subject = name(&[("CN", "client 203.0.113.7")]);
    let in_subject = Template::leaf(&["a.example"]).subject(&subject);
    let v6 = Template::leaf(&["a.example"]).without(&[2, 5, 29, 17]).with(san(&["2001:db8::7"]));
    for (case, address, leaf) in [
        ("an alternative name", "203.0.113.7", named(&["a.example", "203.0.113.7"])),
        ("an IPv6 one", "2001:db8::9", root.leaf_with(&Key::ecdsa_p256(), v6)),
        ("the subject", "203.0.113.7", root.leaf_with(&Key::ecdsa_p256(), in_subject)),
    ] {
        let chain = chain(&[&leaf.certificate, &root.certificate]);
        for escaped in [false, true] {
            let mut sent = with("test_keys", chain.clone());
            if escaped {
                sent = sent.replace('/', "\\/");
            }
            let kept = examine(sent.as_bytes(), Some(&sender(address)), &BOUNDS).unwrap();
            assert!(kept.scrubbed, "{case}");
            let value: Value = serde_json::from_slice(&kept.raw).unwrap();
            let left = &value["test_keys"]["tls_handshakes"][0]["peer_certificates"];
            assert_eq!(left[0]["data"], "", "{case}");
            assert_eq!(left[0]["format"], "base64", "{case}");
            let said = &left[0]["x_kua_scrubbed"];
            let hash = |key: &Key| KeyHash::of(&key.spki()).to_string();
            assert_eq!(said["spki_sha256"], hash(&leaf.key), "{case}");
            assert_eq!(said["signed_by"], hash(&root.key), "{case}");
            assert_eq!(said.as_object().unwrap().len(), 3, "{case}");
            let shaken = &kept.measurement.handshakes[0];
            assert!(!shaken.whole, "{case}: what is left does not begin with the leaf");
            assert_eq!(shaken.chain.as_ref().unwrap().first().der(), root.certificate, "{case}");
            // Another's record is as it was.
            let other = examine(sent.as_bytes(), Some(&sender("198.51.100.1")), &BOUNDS).unwrap();
            assert_eq!((other.scrubbed, other.raw.as_slice()), (false, sent.as_bytes()), "{case}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = content(&bytes, &BOUNDS);
        let _ = examine(&bytes, Some(&sender("203.0.113.7")), &BOUNDS);
    }

    #[test]
    fn no_text_of_the_address_is_left(
        address in any::<IpAddr>(),
        texts in proptest::collection::vec("[0-9a-f:. \"\\\\]{0,20}", 0..6),
    ) {
        let Some(sender) = Sender::new(address) else { return Ok(()) };
        let texts: Vec<_> = texts.iter().flat_map(|text| [text.clone(), format!(" {address} ")]).collect();
        let sent = json!({"a": texts}).to_string();
        let kept = scrub::scrub(&sent, &sender, std::iter::empty()).unwrap_or(sent.into_bytes());
        prop_assert!(serde_json::from_slice::<Value>(&kept).is_ok());
        prop_assert!(sender.texts_in(str::from_utf8(&kept).unwrap()).is_empty());
    }
}
