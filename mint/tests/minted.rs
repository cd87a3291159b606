//! Every kind of certificate parses, says what was asked and verifies.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519,
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    VerificationAlgorithm,
};
use kua_mint::{
    Algorithm, Authority, CLIENT_AUTH, Extension, Key, KeyUsage, NOW, Template, aki,
    basic_constraints, extended_key_usage, key_usage, name, pem, san, self_signed, ski,
};
use x509_parser::prelude::*;

#[test]
fn every_key_signs_what_verifies() {
    let rsa_1024 = Key::rsa(1024);
    let rsa_2048 = Key::rsa(2048);
    let cases: [(&str, &Key, Algorithm, &dyn VerificationAlgorithm); 12] = [
        ("P-256", &Key::ecdsa_p256(), Algorithm::Usual, &ECDSA_P256_SHA256_ASN1),
        ("P-256, named", &Key::ecdsa_p256(), Algorithm::EcdsaSha256, &ECDSA_P256_SHA256_ASN1),
        ("P-384", &Key::ecdsa_p384(), Algorithm::Usual, &ECDSA_P384_SHA384_ASN1),
        ("Ed25519", &Key::ed25519(), Algorithm::Usual, &ED25519),
        ("RSA-1024", &rsa_1024, Algorithm::Usual, &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
        (
            "RSA-1024, SHA-1",
            &rsa_1024,
            Algorithm::RsaSha1,
            &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        ),
        ("RSA-2048", &rsa_2048, Algorithm::Usual, &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
        (
            "RSA-2048, SHA-1",
            &rsa_2048,
            Algorithm::RsaSha1,
            &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        ),
        ("RSA-2048, SHA-384", &rsa_2048, Algorithm::RsaSha384, &RSA_PKCS1_2048_8192_SHA384),
        ("RSA-2048, SHA-512", &rsa_2048, Algorithm::RsaSha512, &RSA_PKCS1_2048_8192_SHA512),
        ("RSA-2048, PSS", &rsa_2048, Algorithm::RsaPssSha256, &RSA_PSS_2048_8192_SHA256),
        (
            "RSA-2048, exponent 3",
            &Key::rsa_with_exponent(2048, 3),
            Algorithm::Usual,
            &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        ),
    ];
    for (case, key, algorithm, verification) in cases {
        let subject = name(&[("CN", case)]);
        let template = Template::authority(&subject).algorithm(algorithm);
        let root = Authority::root_with(key.clone(), template);
        assert_signed(case, &root.certificate, &root, verification);
        assert_eq!(parse(&root.certificate).public_key().raw, key.spki(), "{case}");
    }
}

#[test]
fn short_and_odd_rsa_keys_are_what_they_say() {
    for (key, bits, exponent) in [
        (Key::rsa(1024), 1024, vec![1, 0, 1]),
        (Key::rsa(1536), 1536, vec![1, 0, 1]),
        (Key::rsa_with_exponent(1024, 3), 1024, vec![3]),
    ] {
        let certificate = self_signed(&key, Template::bare(&name(&[]))).certificate;
        let parsed = parse(&certificate);
        let Ok(x509_parser::public_key::PublicKey::RSA(public)) = parsed.public_key().parsed()
        else {
            panic!("not an RSA key");
        };
        assert_eq!((public.key_size(), public.exponent), (bits, exponent.as_slice()));
    }
}

#[test]
fn a_short_key_signs_pss_too() {
    let root = Authority::root_with(
        Key::rsa(1024),
        Template::authority(&name(&[("CN", "short")])).algorithm(Algorithm::RsaPssSha256),
    );
    let parsed = parse(&root.certificate);
    assert_eq!(parsed.signature_algorithm.algorithm.to_id_string(), "1.2.840.113549.1.1.10");
    assert_eq!(parsed.signature_value.data.len(), 128);
}

#[test]
fn chain_links_by_name_and_key_identifier() {
    let root = Authority::root("root");
    let intermediate = root.intermediate("intermediate");
    let leaf = intermediate.leaf("example.org");

    assert_signed("root", &root.certificate, &root, &ECDSA_P256_SHA256_ASN1);
    assert_signed("intermediate", &intermediate.certificate, &root, &ECDSA_P256_SHA256_ASN1);
    assert_signed("leaf", &leaf.certificate, &intermediate, &ECDSA_P256_SHA256_ASN1);

    let parsed = parse(&leaf.certificate);
    assert_eq!(parsed.issuer().as_raw(), intermediate.name);
    assert!(!parsed.is_ca());
    assert!(parse(&intermediate.certificate).is_ca());
    let authority_key_id =
        parsed.iter_extensions().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.clone(),
            _ => None,
        });
    assert_eq!(authority_key_id.map(|id| id.0.to_vec()), Some(intermediate.key.id()));
}

#[test]
fn a_leaf_says_who_and_when() {
    let certificate = Authority::root("root")
        .leaf_with(&Key::ecdsa_p256(), Template::leaf(&["example.org", "192.0.2.1", "2001:db8::1"]))
        .certificate;
    let parsed = parse(&certificate);
    assert_eq!(parsed.subject().to_string(), "CN=example.org");
    assert_eq!(parsed.validity().not_before.timestamp(), NOW - 30 * 86_400);
    assert_eq!(parsed.validity().not_after.timestamp(), NOW + 60 * 86_400);
    let names = parsed.subject_alternative_name().expect("unique").expect("present");
    assert_eq!(names.value.general_names[0], GeneralName::DNSName("example.org"));
    assert_eq!(names.value.general_names[1], GeneralName::IPAddress(&[192, 0, 2, 1]));
    assert!(matches!(names.value.general_names[2], GeneralName::IPAddress(ip) if ip.len() == 16));
    assert!(parsed.extended_key_usage().expect("unique").expect("present").value.server_auth);
    assert!(parsed.key_usage().expect("unique").expect("present").value.digital_signature());
    let has_authority_key_id = parsed.iter_extensions().any(|extension| {
        matches!(extension.parsed_extension(), ParsedExtension::AuthorityKeyIdentifier(_))
    });
    assert!(!has_authority_key_id, "only leaf() and intermediate() add one");
}

#[test]
fn every_extension_parses() {
    let template = Template::bare(&name(&[("CN", "all")]))
        .with(basic_constraints(true, Some(2)))
        .with(key_usage(&[KeyUsage::KeyEncipherment, KeyUsage::CrlSign]))
        .with(key_usage(&[KeyUsage::CertSign]))
        .with(extended_key_usage(&[CLIENT_AUTH]))
        .with(san(&["example.org"]))
        .with(ski(&[1; 20]))
        .with(aki(&[2; 20]))
        .with(Extension { oid: vec![1, 2, 3, 4], critical: true, value: b"not DER".to_vec() });
    let certificate = self_signed(&Key::ecdsa_p256(), template.clone()).certificate;
    let parsed = parse(&certificate);
    assert_eq!(parsed.extensions().len(), 7, "the later key usage replaced the earlier one");
    for (written, read) in template.extensions.iter().zip(parsed.extensions()) {
        assert_eq!((written.critical, written.value.as_slice()), (read.critical, read.value));
    }
    let constraints = parsed.basic_constraints().expect("unique").expect("present").value;
    assert_eq!((constraints.ca, constraints.path_len_constraint), (true, Some(2)));
    let usage = parsed.key_usage().expect("unique").expect("present").value;
    assert!(usage.key_cert_sign() && !usage.crl_sign());
}

#[test]
fn version_1_has_no_version_and_no_extensions() {
    let key = Key::rsa(1024);
    let template = Template::authority(&name(&[("CN", "old")])).version_1();
    let root = Authority::root_with(key, template.algorithm(Algorithm::RsaSha1));
    let parsed = parse(&root.certificate);
    assert_eq!(parsed.version(), X509Version::V1);
    assert!(parsed.extensions().is_empty());
    assert_signed("v1", &root.certificate, &root, &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY);
}

#[test]
fn explicit_false_is_longer_and_still_verifies() {
    let key = Key::ed25519();
    let template = Template::leaf(&["example.org"]);
    let der = self_signed(&key, template.clone()).certificate;
    let ber = self_signed(&key, template.explicit_false());
    // Two of a leaf's three extensions are not critical; each FALSE takes three bytes.
    assert_eq!(ber.certificate.len(), der.len() + 6);
    let issuer = Authority { key, name: Vec::new(), certificate: Vec::new() };
    assert_signed("BER", &ber.certificate, &issuer, &ED25519);
}

#[test]
fn dates_change_their_form_in_1950_and_2050() {
    const START_OF_1950: i64 = -631_152_000;
    const START_OF_2050: i64 = 2_524_608_000;
    for (moment, written) in [
        (START_OF_1950 - 1, &b"\x18\x0f19491231235959Z"[..]),
        (START_OF_1950, b"\x17\x0d500101000000Z"),
        (START_OF_2050 - 1, b"\x17\x0d491231235959Z"),
        (START_OF_2050, b"\x18\x0f20500101000000Z"),
    ] {
        let template = Template::leaf(&["example.org"]).valid(moment, moment);
        let certificate = self_signed(&Key::ecdsa_p256(), template).certificate;
        assert_eq!(parse(&certificate).validity().not_after.timestamp(), moment);
        let count = certificate.windows(written.len()).filter(|bytes| bytes == &written).count();
        assert_eq!(count, 2, "{moment}");
    }
}

#[test]
fn serials_are_written_as_they_are() {
    for serial in [&[0][..], &[0x80], &[0, 0, 1], &[0xff; 21]] {
        let template = Template::leaf(&["example.org"]).serial(serial);
        let certificate = self_signed(&Key::ecdsa_p256(), template).certificate;
        assert_eq!(parse(&certificate).raw_serial(), serial);
    }
    let serial = Template::leaf(&["example.org"]).serial;
    assert!(serial.len() == 16 && (0x40..0x80).contains(&serial[0]));
}

#[test]
fn names_keep_their_order_and_string_types() {
    let subject = name(&[
        ("C", "KZ"),
        ("O", "ISCA"),
        ("CN", "Information Security Certification Authority \u{4d8}"),
        ("DC", "lab"),
        ("E", "ca@example.org"),
        ("serialNumber", "1"),
    ]);
    let (rest, parsed) = X509Name::from_der(&subject).expect("a name");
    assert!(rest.is_empty());
    let tags: Vec<_> =
        parsed.iter_attributes().map(|attribute| attribute.attr_value().tag().0).collect();
    assert_eq!(tags, [19, 12, 12, 22, 22, 19]);
    assert_eq!(parsed.iter_country().next().and_then(|value| value.as_str().ok()), Some("KZ"));
    assert_eq!(name(&[]), [0x30, 0]);
}

#[test]
fn pem_reads_back() {
    let certificate = Authority::root("root").certificate;
    let (rest, read) = x509_parser::pem::parse_x509_pem(pem(&certificate).as_bytes())
        .map(|(rest, pem)| (rest.to_vec(), pem))
        .expect("PEM");
    assert!(rest.is_empty());
    assert_eq!((read.label.as_str(), &read.contents), ("CERTIFICATE", &certificate));
}

#[test]
#[should_panic(expected = "does not sign with")]
fn a_key_refuses_a_foreign_algorithm() {
    let template = Template::leaf(&["example.org"]).algorithm(Algorithm::RsaSha1);
    self_signed(&Key::ecdsa_p256(), template);
}

fn parse(der: &[u8]) -> X509Certificate<'_> {
    let (rest, certificate) = X509Certificate::from_der(der).expect("a certificate");
    assert!(rest.is_empty(), "nothing follows the certificate");
    certificate
}

fn assert_signed(
    case: &str,
    certificate: &[u8],
    issuer: &Authority,
    algorithm: &dyn VerificationAlgorithm,
) {
    let parsed = parse(certificate);
    assert_eq!(parsed.signature_algorithm, parsed.tbs_certificate.signature, "{case}");
    let spki = issuer.key.spki();
    let (_, spki) = SubjectPublicKeyInfo::from_der(&spki).expect("an SPKI");
    algorithm
        .verify_sig(
            &spki.subject_public_key.data,
            parsed.tbs_certificate.as_ref(),
            &parsed.signature_value.data,
        )
        .unwrap_or_else(|_| panic!("{case} does not verify"));
}
