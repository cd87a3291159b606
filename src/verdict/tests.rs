//! The order of reasoning, on drawn chains: whom a judgement accuses, and above all whom it does not.

mod hostile;
mod memory;
mod roles;

use kua_mint::{Authority, Key, NOW, Template, name, self_signed};

use super::Verdict::{Anomaly, Blocked, Inconclusive, Intercepted, Misconfigured, Normal};
use super::*;
use crate::detect::testing::{Bench, certificates, control, measurement};
use crate::measurement::codes;
use crate::surroundings::Surroundings;

fn told(judgement: &Judgement) -> (Verdict, Option<Actor>, Option<Level>) {
    (judgement.verdict, judgement.actor, judgement.level)
}

#[test]
fn chains() {
    let bench = Bench::new();
    let key = Key::ecdsa_p256();
    let leaf = |authority: &Authority, host: &str| authority.leaf(host).certificate;
    let aged = Template::leaf(&["example.com"]).valid(NOW - 200, NOW - 100);
    let shield = Authority::root_with(
        Key::ecdsa_p256(),
        Template::authority(&name(&[("O", "Vendor"), ("CN", "Shield Root")])),
    );
    let router =
        Authority::root_with(Key::ecdsa_p256(), Template::authority(&name(&[("O", "Box")])));
    let unlisted = Authority::root("Unlisted Root");
    let genuine = leaf(&bench.public, "example.com");
    let alone = self_signed(&key, Template::leaf(&["example.com"])).certificate;
    let expired = bench.public.leaf_with(&key, aged.clone()).certificate;
    let state_expired = bench.state.leaf_with(&key, aged).certificate;
    let seen = || Some(control(&[&genuine]));
    let (state, local, unknown) = (Some(Actor::State), Some(Actor::Local), Some(Actor::Unknown));
    let (possible, probable, confirmed) =
        (Some(Level::Possible), Some(Level::Probable), Some(Level::Confirmed));
    for (case, chain, seen, expected) in [
        ("public root -> leaf", &genuine, None, (Normal, None, None)),
        (
            "public root -> leaf of another key, control: public root",
            &leaf(&bench.public, "example.com"),
            seen(),
            (Normal, None, None),
        ),
        ("public root -> expired leaf", &expired, None, (Misconfigured, None, None)),
        (
            "public root -> expired leaf, control: a good one of the same root",
            &expired,
            seen(),
            (Misconfigured, None, None),
        ),
        (
            "public root -> leaf for another name",
            &leaf(&bench.public, "example.org"),
            None,
            (Anomaly, None, possible),
        ),
        (
            "state root -> leaf",
            &leaf(&bench.state, "example.com"),
            None,
            (Intercepted, state, confirmed),
        ),
        ("state root -> expired leaf", &state_expired, None, (Intercepted, state, confirmed)),
        (
            "state root -> leaf for another name",
            &leaf(&bench.state, "example.org"),
            None,
            (Intercepted, state, confirmed),
        ),
        (
            "product root -> leaf",
            &leaf(&shield, "example.com"),
            None,
            (Intercepted, local, possible),
        ),
        (
            "product root -> leaf, control: public root",
            &leaf(&shield, "example.com"),
            seen(),
            (Intercepted, local, probable),
        ),
        ("router's own leaf", &leaf(&router, "example.com"), None, (Anomaly, None, possible)),
        (
            "router's own leaf, control: public root",
            &leaf(&router, "example.com"),
            seen(),
            (Anomaly, None, possible),
        ),
        ("unlisted root -> leaf", &leaf(&unlisted, "example.com"), None, (Anomaly, None, possible)),
        (
            "unlisted root -> leaf, control: public root",
            &leaf(&unlisted, "example.com"),
            seen(),
            (Intercepted, unknown, probable),
        ),
        (
            "unlisted root -> leaf for another name, control: public root",
            &leaf(&unlisted, "example.org"),
            seen(),
            (Anomaly, None, possible),
        ),
        (
            "a leaf that nobody can read, control: public root",
            &b"\x30\x03\x02\x01\x01".to_vec(),
            seen(),
            (Anomaly, None, possible),
        ),
        ("self-signed leaf", &alone, None, (Anomaly, None, possible)),
        (
            "self-signed leaf, control: the same",
            &alone,
            Some(control(&[&alone])),
            (Misconfigured, None, None),
        ),
    ] {
        let controls: Vec<_> = seen.into_iter().collect();
        let judgement = bench.judge_with(&certificates(&[chain]), &controls);
        assert_eq!(told(&judgement), expected, "{case}");
    }
}

#[test]
fn nobody_is_accused_by_what_a_server_sends_along() {
    let bench = Bench::new();
    let genuine = bench.public.leaf("example.com").certificate;
    let private = Authority::root("Private Root").leaf("example.com").certificate;
    let root = &bench.state.certificate;
    let middle = bench.state.intermediate("State Intermediate").certificate;
    for (case, chain, verdict) in [
        ("public root -> leaf, state root sent along", vec![&genuine, root], Normal),
        (
            "public root -> leaf, state intermediate and root sent along",
            vec![&genuine, &middle, root],
            Normal,
        ),
        (
            "private root -> leaf, state intermediate and root sent along",
            vec![&private, &middle, root],
            Anomaly,
        ),
    ] {
        let judgement = bench.judge(&certificates(&chain));
        assert_eq!(judgement.verdict, verdict, "{case}");
        assert_eq!(judgement.interceptor, None, "{case}");
        assert_eq!(judgement.actor, None, "{case}");
    }
}

/// Under one public root stand sites and those who pretend to be them.
#[test]
fn what_a_shared_authority_says_of_a_chain() {
    let bench = Bench::new();
    let key = Key::ecdsa_p256();
    let middle = bench.public.intermediate("Public Intermediate");
    let rogue = bench.public.intermediate("Somebody's Intermediate");
    let genuine = middle.leaf("example.com").certificate;
    let seen = control(&[&genuine, &middle.certificate, &bench.public.certificate]);
    let other = middle.leaf("example.com").certificate;
    let old = Template::leaf(&["example.com"]).valid(NOW - 200, NOW - 100);
    let old = middle.leaf_with(&key, old).certificate;
    let version_1 = Template::leaf(&["example.com"]).version_1();
    let odd = rogue.leaf_with(&key, version_1).certificate;
    let unlisted = Authority::root("Unlisted Root");
    let namesake = unlisted.intermediate("Public Intermediate").leaf("example.com").certificate;
    for (case, chain, expected) in [
        (
            "[public root -> intermediate ->] leaf, control: another leaf of that intermediate",
            vec![&other],
            (Misconfigured, None, None),
        ),
        (
            "[public root ->] intermediate -> expired leaf, control: a good one",
            vec![&old, &middle.certificate],
            (Misconfigured, None, None),
        ),
        (
            "[public root ->] another intermediate -> leaf that no client takes, control: a good one",
            vec![&odd, &rogue.certificate],
            (Anomaly, None, Some(Level::Possible)),
        ),
        (
            "[namesake of the intermediate ->] leaf, control: public root",
            vec![&namesake],
            (Intercepted, Some(Actor::Unknown), Some(Level::Probable)),
        ),
    ] {
        let judgement = bench.judge_with(&certificates(&chain), std::slice::from_ref(&seen));
        assert_eq!(told(&judgement), expected, "{case}");
    }
}

#[test]
fn handshakes_that_ended_early() {
    let bench = Bench::new();
    let genuine = bench.public.leaf("example.com").certificate;
    let cut = |code: &str| Handshake {
        server_name: Some("example.com".into()),
        failure: Some(Failure::new(code)),
        ..Handshake::default()
    };
    let mut cut_after_chain = certificates(&[&genuine]);
    cut_after_chain.extra.holds_key = None;
    cut_after_chain.failure = Some(Failure::new(codes::CONNECTION_RESET));
    let mut impostor = certificates(&[&genuine]);
    impostor.extra.holds_key = Some(false);
    impostor.failure = Some(Failure::new(codes::SSL_FAILED_HANDSHAKE));
    for (case, shaken, with_control, verdict) in [
        ("reset, control: public root", cut(codes::CONNECTION_RESET), true, Blocked),
        ("reset", cut(codes::CONNECTION_RESET), false, Inconclusive),
        ("silence, control: public root", cut(codes::GENERIC_TIMEOUT), true, Blocked),
        ("alert, control: public root", cut(codes::SSL_FAILED_HANDSHAKE), true, Anomaly),
        (
            "public root -> leaf, then reset, control: public root",
            cut_after_chain.clone(),
            true,
            Blocked,
        ),
        ("public root -> leaf, then reset", cut_after_chain, false, Inconclusive),
        ("public root -> leaf sent by somebody without its key", impostor, false, Anomaly),
    ] {
        let controls = if with_control { vec![control(&[&genuine])] } else { vec![] };
        assert_eq!(bench.judge_with(&shaken, &controls).verdict, verdict, "{case}");
    }
}

#[test]
fn what_ooni_s_helper_saw_is_a_control() {
    let bench = Bench::new();
    let unlisted = Authority::root("Unlisted Root");
    for (case, helper, verdict) in [
        ("unlisted root -> leaf, helper accepted what it saw", None, Intercepted),
        (
            "unlisted root -> leaf, helper refused it too",
            Some(codes::SSL_UNKNOWN_AUTHORITY),
            Misconfigured,
        ),
        ("unlisted root -> leaf, helper could not connect", Some(codes::GENERIC_TIMEOUT), Anomaly),
    ] {
        let mut shaken = certificates(&[&unlisted.leaf("example.com").certificate]);
        shaken.failure = Some(Failure::new(codes::SSL_UNKNOWN_AUTHORITY));
        let mut seen = measurement(&[shaken]);
        seen.seen_by_helper = vec![crate::measurement::HelperHandshake {
            server_name: "example.com".into(),
            failure: helper.map(Failure::new),
        }];
        let judgements = judge(&seen, &bench.reference, &Surroundings::none(), None);
        assert_eq!(judgements[0].verdict, verdict, "{case}");
    }
}

/// A record of 2019 under a root that its client's store had and today's store has no more.
#[test]
fn a_root_that_only_the_recording_client_knew_accuses_nobody() {
    let bench = Bench::new();
    let genuine = bench.public.leaf("example.com").certificate;
    let old = Authority::root("Root That Was Removed").leaf("example.com").certificate;
    let mut shaken = certificates(&[&old]);
    shaken.extra.holds_key = None;
    let judgement = bench.judge_with(&shaken, &[control(&[&genuine])]);
    assert_eq!(told(&judgement), (Inconclusive, None, None));
}

/// Somebody looks at a file that holds a state's root: nobody was intercepted.
#[test]
fn a_certificate_that_was_presented_for_no_site() {
    let bench = Bench::new();
    let mut shaken = certificates(&[&bench.state.certificate]);
    shaken.server_name = None;
    shaken.extra.holds_key = None;
    let judgement = bench.judge(&shaken);
    assert_eq!(told(&judgement), (Anomaly, None, Some(Level::Possible)));
    assert!(judgement.has("known-interceptor"));
}

#[test]
fn without_a_time_there_is_no_good_news() {
    let bench = Bench::new();
    let mut seen = measurement(&[certificates(&[&bench.public.leaf("example.com").certificate])]);
    seen.started = None;
    let judgements = judge(&seen, &bench.reference, &Surroundings::none(), None);
    assert_ne!(judgements[0].verdict, Normal);
    assert_eq!(judgements[0].actor, None);
}

#[test]
fn the_same_input_gives_the_same_judgement() {
    let bench = Bench::new();
    let middle = bench.state.intermediate("Security Certificate");
    let shaken = certificates(&[&middle.leaf("example.com").certificate, &middle.certificate]);
    let text = || serde_json::to_string(&bench.judge(&shaken)).unwrap();
    assert_eq!(text(), text());
}

#[test]
fn a_judgement_has_the_fields_of_its_schema() {
    let bench = Bench::new();
    let judgement = bench.judge(&certificates(&[&bench.state.leaf("example.com").certificate]));
    let json = serde_json::to_value(&judgement).unwrap();
    let mut fields: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
    fields.sort();
    let mut schema = [
        "schema",
        "measurement_uid",
        "line",
        "target",
        "endpoint",
        "probe_cc",
        "probe_asn",
        "started",
        "verdict",
        "actor",
        "level",
        "interceptor",
        "basis",
        "signing_key",
        "chain",
        "failure",
        "programs",
        "findings",
        "browsers",
    ];
    schema.sort_unstable();
    assert_eq!(fields, schema);
    assert_eq!(json["schema"], "kua.judgement/1");
    assert_eq!(json["actor"], "state");
    assert_eq!(json["basis"], serde_json::json!(["signed-by-key"]));
    let finding = &json["findings"][0];
    assert_eq!(finding["detector"], "known-interceptor");
    assert_eq!(finding["innocent"][0]["state"], "ruled-out");
    assert!(finding["innocent"][0]["how"].is_string());
    let open =
        finding["innocent"].as_array().unwrap().iter().find(|cause| cause["state"] == "open");
    assert!(open.unwrap()["how"].is_null());
}
