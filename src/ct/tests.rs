use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use kua_mint::{Authority, Extension, Key, NOW, Template, extended_key_usage, san};
use proptest::prelude::*;
use time::OffsetDateTime;

use super::testing::{TestLog, extension, list, raw_extension};
use super::*;
use crate::chain::Certificate;

const DAY: i64 = 86_400;

fn outcomes(der: &[u8], issuer: Option<&Key>, lists: &[LogList]) -> Vec<Outcome> {
    let certificate = Certificate::from_bytes(der).unwrap();
    let issuer = issuer.map(|key| KeyHash::of(&key.spki()));
    let checked = check(certificate.fields().unwrap(), issuer, lists);
    checked.iter().map(|sct| sct.outcome).collect()
}

/// `template` with `scts` put before the extension at `position`.
fn with_scts(template: &Template, position: usize, scts: &[Vec<u8>]) -> Template {
    let mut template = template.clone();
    template.extensions.insert(position, extension(scts));
    template
}

#[test]
fn scts_verify_wherever_they_stand_and_however_long_the_certificate_is() {
    let (log, root, key) = (TestLog::new("One", "A"), Authority::root("Root"), Key::ecdsa_p256());
    let lists = [list(&[&log])];
    let names = |count: usize| {
        let names: Vec<_> = (0..count).map(|number| format!("{number:06}.example")).collect();
        san(&names.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let bare = Template { extensions: Vec::new(), ..Template::leaf(&["example.com"]) };
    let of = |extensions: Vec<Extension>| Template { extensions, ..bare.clone() };
    for (case, template) in [
        ("nothing else", bare.clone()),
        ("one short", of(vec![extended_key_usage(&[kua_mint::SERVER_AUTH])])),
        ("content below 128 bytes", of(vec![names(5)])),
        ("content above 128 bytes", of(vec![names(7)])),
        ("content above 256 bytes", of(vec![names(20)])),
        ("content above 65536 bytes", of(vec![names(4500)])),
        ("three", Template::leaf(&["example.com"])),
        ("three, not DER", Template::leaf(&["example.com"]).explicit_false()),
    ] {
        let sct = log.sct(&root, &key, &template);
        for position in 0..=template.extensions.len() {
            let leaf =
                root.leaf_with(&key, with_scts(&template, position, std::slice::from_ref(&sct)));
            let found = outcomes(&leaf.certificate, Some(&root.key), &lists);
            assert_eq!(found, [Outcome::Valid], "{case}, before extension {position}");
        }
    }
}

#[test]
fn table() {
    let (log, stranger) = (TestLog::new("One", "A"), TestLog::new("Other", "B"));
    let (root, other) = (Authority::root("Root"), Authority::root("Other Root"));
    let (key, forged) = (Key::ecdsa_p256(), Key::ecdsa_p256());
    let lists = [list(&[&log])];
    let template = Template::leaf(&["example.com"]);
    let sct = log.sct(&root, &key, &template);
    let unknown = stranger.sct(&root, &key, &template);
    let with = |scts: &[&Vec<u8>]| {
        let scts: Vec<_> = scts.iter().map(|sct| (*sct).clone()).collect();
        template.clone().with(extension(&scts))
    };
    let raw = |bytes: &[u8]| template.clone().with(raw_extension(bytes));
    let changed = |position: usize, byte: u8| {
        let mut sct = sct.clone();
        sct[position] = byte;
        sct
    };
    let genuine = |template: Template| root.leaf_with(&key, template).certificate;
    let (issuer, nobody) = (Some(&root.key), None);
    use Outcome::{BadSignature, IssuerUnknown, UnknownLog, Unparsable, Valid};
    for (case, leaf, issuer, expected) in [
        ("no SCT", genuine(template.clone()), issuer, vec![]),
        ("one", genuine(with(&[&sct])), issuer, vec![Valid]),
        (
            "two, of a stranger too",
            genuine(with(&[&unknown, &sct])),
            issuer,
            vec![UnknownLog, Valid],
        ),
        ("nobody knows who signed", genuine(with(&[&sct])), nobody, vec![IssuerUnknown]),
        (
            "one, by its issuer's namesake",
            genuine(with(&[&sct])),
            Some(&other.key),
            vec![BadSignature],
        ),
        (
            "copied onto another key",
            root.leaf_with(&forged, with(&[&sct])).certificate,
            issuer,
            vec![BadSignature],
        ),
        (
            "copied under another root",
            other.leaf_with(&key, with(&[&sct])).certificate,
            Some(&other.key),
            vec![BadSignature],
        ),
        ("another time", genuine(with(&[&changed(36, 0)])), issuer, vec![BadSignature]),
        ("version 2", genuine(with(&[&changed(0, 1)])), issuer, vec![Unparsable]),
        ("SHA-1", genuine(with(&[&changed(43, 2)])), issuer, vec![Unparsable]),
        ("cut", genuine(with(&[&sct[..40].to_vec(), &sct])), issuer, vec![Unparsable, Valid]),
        ("an empty list", genuine(raw(b"\x04\x02\0\0")), issuer, vec![Unparsable]),
        ("no list", genuine(raw(b"\x05\0")), issuer, vec![Unparsable]),
        ("no bytes", genuine(raw(b"")), issuer, vec![Unparsable]),
        ("65 of them", genuine(with(&[&sct; MAX_SCTS + 1])), issuer, vec![Unparsable]),
    ] {
        assert_eq!(outcomes(&leaf, issuer, &lists), expected, "{case}");
    }
}

#[test]
fn the_extension_twice_is_not_read() {
    let (log, root, key) = (TestLog::new("One", "A"), Authority::root("Root"), Key::ecdsa_p256());
    let template = Template::leaf(&["example.com"]);
    let sct = log.sct(&root, &key, &template);
    let twice = with_scts(&with_scts(&template, 0, std::slice::from_ref(&sct)), 2, &[sct]);
    let leaf = root.leaf_with(&key, twice).certificate;
    assert_eq!(outcomes(&leaf, Some(&root.key), &[list(&[&log])]), [Outcome::Unparsable]);
}

#[test]
fn a_log_with_an_rsa_key() {
    let key = Key::rsa(2048);
    let pair = RsaKeyPair::from_pkcs8(&key.pkcs8()).unwrap();
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), b"entry", &mut signature).unwrap();
    let log = LogKey::from_spki(&key.spki()).unwrap();
    assert_eq!(log.verify((4, 1), b"entry", &signature), Some(true));
    assert_eq!(log.verify((4, 1), b"other", &signature), Some(false));
    assert_eq!(log.verify((4, 3), b"entry", &signature), None);
    assert_eq!(LogKey::from_spki(&Key::ecdsa_p384().spki()), None);
    assert_eq!(LogKey::from_spki(b"no key"), None);
}

#[test]
fn what_policies_ask() {
    let logs = ["A", "B", "A", "C"].map(|operator| TestLog::new("Log", operator));
    let [a, b, also_a, test] = &logs;
    let mut known = list(&[a, b, also_a, test]);
    known.logs[3].purpose = Some("test".into());
    let mut rejected = known.clone();
    let early = OffsetDateTime::from_unix_timestamp(NOW - 1).unwrap();
    for log in &mut rejected.logs {
        log.states.push((early, LogState::Rejected));
    }
    let later = {
        let mut later = known.clone();
        let after = OffsetDateTime::from_unix_timestamp(NOW + DAY).unwrap();
        later.logs.iter_mut().for_each(|log| log.states.push((after, LogState::Rejected)));
        later
    };
    let policy = Policy {
        program: "Test".into(),
        stores: Vec::new(),
        from: OffsetDateTime::from_unix_timestamp(NOW - 100 * DAY).unwrap(),
        until: None,
        rules: vec![
            Rule { days: Some(180), scts: 2, operators: 2 },
            Rule { days: None, scts: 3, operators: 2 },
        ],
    };
    let (root, key) = (Authority::root("Root"), Key::ecdsa_p256());
    let lived =
        |days: i64| Template::leaf(&["example.com"]).valid(NOW - DAY, NOW + (days - 1) * DAY);
    let old = Template::leaf(&["example.com"]).valid(NOW - 101 * DAY, NOW + DAY);
    let (none, lists): (Vec<&TestLog>, _) = (vec![], vec![known.clone()]);
    for (case, template, signed, lists, met) in [
        ("short, none", lived(90), none.clone(), lists.clone(), false),
        ("short, two of two", lived(90), vec![a, b], lists.clone(), true),
        ("180 days, two of two", lived(180), vec![a, b], lists.clone(), true),
        ("181 days, two of two", lived(181), vec![a, b], lists.clone(), false),
        ("long, three of two", lived(398), vec![a, b, also_a], lists.clone(), true),
        ("short, two of one operator", lived(90), vec![a, also_a], lists.clone(), false),
        ("short, one log twice", lived(90), vec![a, a], lists.clone(), false),
        ("short, one of them a test", lived(90), vec![a, test], lists.clone(), false),
        ("short, no log known", lived(90), vec![a, b], vec![], true),
        ("short, logs rejected before", lived(90), vec![a, b], vec![rejected.clone()], false),
        ("short, logs rejected since", lived(90), vec![a, b], vec![later], true),
        ("short, rejected by one program", lived(90), vec![a, b], vec![rejected, known], true),
        ("before the policy, none", old, none, lists, true),
    ] {
        let scts: Vec<_> = signed.iter().map(|log| log.sct(&root, &key, &template)).collect();
        let template = if scts.is_empty() { template } else { template.with(extension(&scts)) };
        let leaf = Certificate::from_bytes(&root.sign(&key.spki(), &template)).unwrap();
        let fields = leaf.fields().unwrap();
        let checked = check(fields, Some(KeyHash::of(&root.key.spki())), &lists);
        assert_eq!(policy.unmet(fields, &checked, &lists).is_none(), met, "{case}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = embedded::read(&bytes);
        let _ = embedded::Sct::read(&bytes);
        let _ = precertificate::split(&bytes);
        let _ = LogKey::from_spki(&bytes);
    }

    #[test]
    fn a_changed_byte_never_panics(position in 0_usize..700, byte in any::<u8>()) {
        let (log, root) = (TestLog::new("One", "A"), Authority::root("Root"));
        let (key, template) = (Key::ecdsa_p256(), Template::leaf(&["example.com"]));
        let sct = log.sct(&root, &key, &template);
        let leaf = root.leaf_with(&key, template.with(extension(&[sct]))).certificate;
        let certificate = Certificate::from_bytes(&leaf).unwrap();
        let mut tbs = certificate.fields().unwrap().tbs.clone();
        let length = tbs.len();
        tbs[position % length] = byte;
        let fields = Fields { tbs, ..certificate.fields().unwrap().clone() };
        let _ = check(&fields, Some(KeyHash::of(&root.key.spki())), &[list(&[&log])]);
    }
}
