//! Records of OONI's shape with chains that are minted for them.

use kua_mint::Authority;

/// Chains "private root -> leaf" of four sites under two roots, in two countries on two days.
pub fn records(count: usize) -> Vec<String> {
    let [one, other] = ["One", "Other"].map(Authority::root);
    let record = |number: usize| {
        let root = if number.is_multiple_of(3) { &one } else { &other };
        let name = format!("site-{}.example", number % 4);
        let sent = [root.leaf(&name).certificate, root.certificate.clone()].map(|der| {
            let text = data_encoding::BASE64.encode(&der);
            format!(r#"{{"data":"{text}","format":"base64"}}"#)
        });
        format!(
            r#"{{"measurement_uid":"{number}","probe_cc":"{}","probe_asn":"AS{}","measurement_start_time":"2023-10-{} 13:06:00","test_keys":{{"tls_handshakes":[{{"server_name":"{name}","failure":"ssl_unknown_authority","no_tls_verify":false,"peer_certificates":[{}]}}]}}}}"#,
            ["KZ", "DE"][number % 2],
            64500 + number % 3,
            16 + number % 2,
            sent.join(",")
        )
    };
    (0..count).map(record).collect()
}
