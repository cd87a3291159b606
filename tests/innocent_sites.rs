//! Sites that look like interception and are none, and their guilty neighbours, against all that is
//! built in.

use data_encoding::BASE64;
use kua::chain::{Certificate, Chain};
use kua::intake::{BOUNDS, Sender, examine};
use kua::measurement::{Handshake, Measurement};
use kua::reference::{Actor, File, Reference, built_in_files};
use kua::surroundings::Surroundings;
use kua::verdict::{Judgement, Verdict, judge};
use kua::wire::from_record;
use kua_mint::{Authority, NOW, Template, name};
use kua_tests::skipped;
use serde_json::json;
use time::OffsetDateTime;

/// What is built in, and one root program of ours.
fn reference(public: &Authority) -> Reference {
    let store = File {
        path: "stores/ours.pem".into(),
        bytes: kua_mint::pem(&public.certificate).into_bytes(),
    };
    Reference::from_files(built_in_files().chain([store])).unwrap()
}

fn seen(host: &str, chain: Vec<Certificate>) -> Measurement {
    let mut shaken = Handshake {
        server_name: Some(host.into()),
        chain: Some(Chain::new(chain).unwrap()),
        whole: true,
        ..Handshake::default()
    };
    shaken.extra.holds_key = Some(true);
    let started = OffsetDateTime::from_unix_timestamp(NOW).ok();
    Measurement { started, handshakes: vec![shaken], ..Measurement::default() }
}

fn told(
    reference: &Reference,
    host: &str,
    chain: Vec<Certificate>,
    controls: &[Measurement],
) -> Judgement {
    let controls = Surroundings::of_controls(controls, reference);
    judge(&seen(host, chain), reference, &controls, None).remove(0)
}

fn read(der: &[u8]) -> Certificate {
    Certificate::from_bytes(der).unwrap()
}

/// A vendor of antivirus runs web sites too: its name in a subject, or as the name of a public
/// authority's customer, is no interception.
#[test]
fn a_vendor_s_own_site_is_not_its_product() {
    let public = Authority::root("Public Root");
    let reference = reference(&public);
    let host = "support.kaspersky.ru";
    let vendor = name(&[("O", "AO Kaspersky Lab"), ("CN", host)]);
    let template = Template::leaf(&[host]).subject(&vendor);
    let leaf = public.leaf_with(&kua_mint::Key::ecdsa_p256(), template).certificate;
    let judgement = told(&reference, host, vec![read(&leaf)], &[]);
    assert_eq!((judgement.verdict, judgement.actor), (Verdict::Normal, None));
    for detector in ["known-product", "interceptor-name", "known-interceptor", "noted-authority"] {
        assert!(!judgement.has(detector), "{detector}");
    }
}

/// The real sub CA of Russia. What it signs is played by its own certificate, which its root signed.
#[test]
fn a_site_may_choose_russia_s_root_and_google_did_not() {
    let Some(real) = crate::state_ca::real() else { return };
    let name = "bbbde2103e790b999ec62bd03cf625a5a2e7c316e10afe6a490eedead8b3fd9b";
    let Some(sub) = real.get(&name.parse().unwrap()) else {
        return skipped("the corpus lacks Russia's sub CA");
    };
    let public = Authority::root("Public Root");
    let reference = reference(&public);
    let control = |host: &str| {
        let leaf = public.leaf(host).certificate;
        seen(host, vec![read(&leaf)])
    };
    for (case, host, controls, verdict, chosen) in [
        ("x.ru", "x.ru", vec![], Verdict::Misconfigured, true),
        ("google.com", "google.com", vec![], Verdict::Anomaly, false),
        (
            "google.com, control: public root",
            "google.com",
            vec![control("google.com")],
            Verdict::Intercepted,
            false,
        ),
        ("x.ru, control: public root", "x.ru", vec![control("x.ru")], Verdict::Intercepted, false),
    ] {
        let judgement = told(&reference, host, vec![sub.clone()], &controls);
        assert_eq!(judgement.verdict, verdict, "{case}");
        assert_eq!(judgement.has("site-chose-state-ca"), chosen, "{case}");
        let accused = verdict == Verdict::Intercepted;
        assert_eq!(judgement.actor, accused.then_some(Actor::State), "{case}");
        let named = accused.then_some("ru-trusted-root");
        assert_eq!(judgement.interceptor.as_deref(), named, "{case}");
    }
}

/// A Dutch notary's site under DigiNotar, before and while the intruder was there.
#[test]
fn an_honest_customer_of_diginotar() {
    let Some(real) = crate::state_ca::real() else { return };
    let public = Authority::root("Public Root");
    let reference = reference(&public);
    let name = "1685ba27fdf24cece203fd829ac3fed5c85460ed0735b2d15751019e951540c0";
    let signed = &real[&name.parse().unwrap()];
    let judgement = told(&reference, "notaris.example", vec![signed.clone()], &[]);
    assert_eq!((judgement.verdict, judgement.actor), (Verdict::Anomaly, None));
    assert_eq!(judgement.interceptor, None);
    let finding = judgement.finding("noted-authority").unwrap();
    assert_eq!(finding.evidence["dossier"], "diginotar");
    assert_eq!(finding.evidence["signed_while_misused"], false);
}

/// A collector took the leaf out of a record, because the sender's address was in it: what is left of the
/// chain accuses no site and no router, and calls a product at home no more than that.
#[test]
fn a_chain_whose_leaf_a_collector_took_out_names_no_state() {
    let public = Authority::root("Public Root");
    let reference = reference(&public);
    let vendor = name(&[("O", "AO Kaspersky Lab"), ("CN", "Kaspersky Anti-Virus Personal Root")]);
    let product = Authority::root_with(kua_mint::Key::ecdsa_p256(), Template::authority(&vendor));
    let router = Authority::root("Router");
    let between = public.intermediate("Public Intermediate");
    for (case, signer, above, failure, actor) in [
        ("public root -> intermediate -> (leaf)", &between, &between, None, None),
        (
            "antivirus -> (leaf)",
            &product,
            &product,
            Some("ssl_unknown_authority"),
            Some(Actor::Local),
        ),
        ("router -> (leaf)", &router, &router, Some("ssl_unknown_authority"), None),
        (
            "router -> (leaf), intermediate unrelated",
            &router,
            &between,
            Some("ssl_invalid_hostname"),
            None,
        ),
    ] {
        let leaf = signer.leaf_with(
            &kua_mint::Key::ecdsa_p256(),
            Template::leaf(&["home.example", "203.0.113.7"]),
        );
        let sent = [&leaf.certificate, &above.certificate]
            .map(|der| json!({"data": BASE64.encode(der), "format": "base64"}));
        let record = json!({
            "data_format_version": "0.2.0", "measurement_start_time": "2025-10-09 09:00:00",
            "probe_asn": "AS9198", "probe_cc": "KZ", "test_name": "kua",
            "test_keys": {"tls_handshakes": [{
                "server_name": "home.example", "failure": failure, "no_tls_verify": false,
                "peer_certificates": sent,
            }]},
        });
        let sender = Sender::new("203.0.113.7".parse().unwrap()).unwrap();
        let kept = examine(record.to_string().as_bytes(), Some(&sender), &BOUNDS).unwrap();
        assert!(kept.scrubbed, "{case}");
        let measurement = from_record(&kept.raw).unwrap();
        assert!(!measurement.handshakes[0].whole, "{case}");
        let judgement = judge(&measurement, &reference, &Surroundings::none(), None).remove(0);
        assert_eq!((judgement.actor, judgement.interceptor.as_deref()), (actor, None), "{case}");
        assert_eq!(judgement.verdict == Verdict::Intercepted, actor.is_some(), "{case}");
    }
}
