//! Drawn chains and what each client would have shown of them, by state.

use data_encoding::BASE64;
use kua_mint::{Algorithm, Authority, Extension, Key, NOW, Template, name};
use time::{Duration, OffsetDateTime};

use super::*;
use crate::detect::testing::measurement;
use crate::measurement::Handshake;
use crate::reference::{File, built_in_files};
use crate::surroundings::Surroundings;
use crate::verdict::judge;

/// A public root, a state's root that clients refuse from some day on, and nobody's root; the rules
/// are the built-in ones.
struct Desk {
    public: Authority,
    state: Authority,
    nobody: Authority,
    reference: Reference,
}

/// How many days after the moment that certificates are minted around the state's root is blocked.
const BLOCK_DAYS: i64 = 30;

impl Desk {
    fn new() -> Self {
        Self::with("", "2025-10-01", |_| Vec::new())
    }

    /// With more rules, stores of that day, and more files made for the state's root.
    fn with(rules: &str, stores: &str, more: impl Fn(&Authority) -> Vec<File>) -> Self {
        let added = rules;
        let authority = |rdns: &[(&str, &str)]| {
            Authority::root_with(Key::ecdsa_p256(), Template::authority(&name(rdns)))
        };
        let public = authority(&[("CN", "Public Root")]);
        let state = authority(&[("C", "QZ"), ("O", "State"), ("CN", "State Root")]);
        let blocked = (now() + Duration::days(BLOCK_DAYS)).date();
        let spki = state.key.spki();
        let hash = crate::chain::KeyHash::of(&spki);
        let key = format!(
            "\n[[key]]\nname = \"State Root\"\nspki_sha256 = \"{hash}\"\nnever_public = \"drawn\"\n\
             blocks = [{{ clients = [\"firefox\", \"chrome\"], since = \"{blocked}\", \
             source = \"drawn\" }}, {{ clients = [\"chrome-android\"], known_by = \"{blocked}\", \
             source = \"drawn\" }}]\n"
        );
        let mut files: Vec<File> = ["Mozilla", "Chrome", "Apple", "Microsoft", "Android"]
            .map(|program| {
                let text = format!(
                    "# program: {program}\n# date: {stores}\n{}",
                    kua_mint::pem(&public.certificate)
                );
                File { path: format!("stores/{program}.pem"), bytes: text.into_bytes() }
            })
            .into();
        let dossier = format!(
            "id = \"some-state\"\ntitle = \"The state\"\ncountry = \"QZ\"\nactor = \"state\"\n\
             [[key]]\nsubject = \"CN=State Root,O=State,C=QZ\"\npublic_key = \"{}\"\n",
            BASE64.encode(&spki)
        );
        files.push(File {
            path: "interceptors/some-state.toml".into(),
            bytes: dossier.into_bytes(),
        });
        let mut rules = built_in_files().find(|file| file.path == "browsers.toml").unwrap();
        rules.bytes.extend(if added.is_empty() { key } else { added.into() }.into_bytes());
        files.push(rules);
        files.extend(more(&state));
        let reference = Reference::from_files(files).unwrap();
        Self { public, state, nobody: authority(&[("CN", "Nobody's Root")]), reference }
    }

    fn shown(&self, sent: &[&Vec<u8>], at: OffsetDateTime) -> Vec<Outcome> {
        let shaken = Handshake {
            network: "tcp".into(),
            server_name: Some("example.com".into()),
            chain: Some(Chain::from_der(sent).unwrap()),
            whole: true,
            ..Handshake::default()
        };
        let mut seen = measurement(&[shaken]);
        seen.started = Some(at);
        let judged = judge(&seen, &self.reference, &Surroundings::none(), None);
        judged[0].browsers.clone()
    }

    /// One letter a state and client: `.` silence, `!` warning, `?` unknown; no letter where a
    /// public root vouches.
    fn drawn(&self, sent: &[&Vec<u8>], at: OffsetDateTime) -> String {
        let outcomes = self.shown(sent, at);
        let clients = self.reference.browsers.clients.iter().map(|client| {
            let own = outcomes.iter().filter(|outcome| outcome.client == client.id);
            own.map(|outcome| match outcome.shows {
                Shows::Silence => '.',
                Shows::Warning => '!',
                Shows::Unknown => '?',
            })
            .collect::<String>()
        });
        clients.collect::<Vec<_>>().join(" ")
    }
}

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW).unwrap()
}

fn leaf(authority: &Authority, template: Template) -> Vec<u8> {
    authority.leaf_with(&Key::ecdsa_p256(), template).certificate
}

fn plain() -> Template {
    Template::leaf(&["example.com"]).valid(NOW - 86_400, NOW + 90 * 86_400)
}

/// Firefox, Chrome, Safari, Edge, Chrome on Android, an Android app, Java; each without the root,
/// with it as the user and as an administrator put it there.
#[test]
fn table() {
    let desk = Desk::new();
    let (state, nobody) = (&desk.state, &desk.nobody);
    let later = now() + Duration::days(BLOCK_DAYS + 1);
    let weak = Authority::root_with(Key::rsa(2048), Template::authority(&name(&[("CN", "Weak")])));
    let day = 86_400;
    let long = plain().valid(NOW - day, NOW + 900 * day);
    let constrained = Authority::root_with(
        Key::ecdsa_p256(),
        Template::authority(&name(&[("CN", "Narrow")])).with(permitted("example.org")),
    );
    let middle = state.intermediate("Security Certificate");
    let expired = state.intermediate_with(
        Key::ecdsa_p256(),
        Template::authority(&name(&[("CN", "Old")])).valid(NOW - 80 * day, NOW - 5 * day),
    );
    let [state_root, nobody_root, weak_root, narrow_root] =
        [state, nobody, &weak, &constrained].map(|authority| &authority.certificate);
    let for_clients = plain().with(kua_mint::extended_key_usage(&[kua_mint::CLIENT_AUTH]));
    let own = kua_mint::self_signed(&Key::ecdsa_p256(), plain()).certificate;
    for (case, sent, at, expected) in [
        (
            "state root -> leaf, root sent, before the block",
            vec![&leaf(state, plain()), state_root],
            now(),
            "!.. !.. !?? !?? !?? !!! !??",
        ),
        (
            "the same, root not sent",
            vec![&leaf(state, plain())],
            now(),
            "!.. !.. !?? !?? !?? !!! !??",
        ),
        (
            "state root -> leaf, after the block",
            vec![&leaf(state, plain()), state_root],
            later,
            "!!! !!! !?? !?? !!! !!! !??",
        ),
        (
            "state root -> intermediate -> leaf",
            vec![&middle.leaf("example.com").certificate, &middle.certificate],
            now(),
            "!.. !.. !?? !?? !?? !!! !??",
        ),
        (
            "state root -> expired intermediate -> leaf",
            vec![&leaf(&expired, plain()), &expired.certificate],
            now(),
            "!!! !!! !!! !!! !!! !!! !!!",
        ),
        (
            "nobody's root -> leaf, root sent",
            vec![&leaf(nobody, plain()), nobody_root],
            now(),
            "!.. !.. !.. !.. !.. !!! ?..",
        ),
        (
            "[nobody's root] -> leaf",
            vec![&leaf(nobody, plain())],
            now(),
            "?.. ?.. ?.. ?.. ?.. ??? ?..",
        ),
        (
            "nobody's root -> expired leaf",
            vec![&leaf(nobody, plain().valid(NOW - 9 * day, NOW - day)), nobody_root],
            now(),
            "!!! !!! !!! !!! !!! !!! !!!",
        ),
        (
            "nobody's root -> leaf of tomorrow",
            vec![&leaf(nobody, plain().valid(NOW + day, NOW + 9 * day)), nobody_root],
            now(),
            "!!! !!! !!! !!! !!! !!! !!!",
        ),
        (
            "nobody's root -> leaf for another name",
            vec![&leaf(nobody, Template::leaf(&["example.org"])), nobody_root],
            now(),
            "!!! !!! !!! !!! !!! !!! !!!",
        ),
        (
            "nobody's root -> leaf of 900 days",
            vec![&leaf(nobody, long), nobody_root],
            now(),
            "!.. !.. !!! !.. !.. !!! ?..",
        ),
        (
            "nobody's root -> leaf that does not say what it is for",
            vec![&leaf(nobody, plain().without(EKU)), nobody_root],
            now(),
            "!.. !.. !!! !.. !.. !!! ?..",
        ),
        (
            "nobody's root -> leaf with SHA-1",
            vec![&leaf(&weak, plain().algorithm(Algorithm::RsaSha1)), weak_root],
            now(),
            "!?? !!? !!! !?? !?? !!! ?..",
        ),
        (
            "nobody's root -> leaf with RSA-1024",
            vec![&nobody.leaf_with(&Key::rsa(1024), plain()).certificate, nobody_root],
            now(),
            "!?? !.. !!! !?? !.. !!! ???",
        ),
        (
            "nobody's root -> leaf with a common name only",
            vec![
                &leaf(nobody, plain().subject(&name(&[("CN", "example.com")])).without(SAN)),
                nobody_root,
            ],
            now(),
            "!?? !!? !!! !?? !!? !!! ???",
        ),
        (
            "root for example.org only -> leaf, root sent",
            vec![&leaf(&constrained, plain()), narrow_root],
            now(),
            "!!! !!! !?? !!! !?? !!! ???",
        ),
        (
            "nobody's root -> leaf for clients only",
            vec![&leaf(nobody, for_clients), nobody_root],
            now(),
            "!?? !?? !?? !?? !?? !!! ???",
        ),
        ("a leaf that signed itself", vec![&own], now(), "!?? !?? !?? !?? !?? !!! ???"),
        ("public root -> expired leaf", vec![&leaf(&desk.public, plain().valid(1, 2))], now(), {
            "!!! !!! !!! !!! !!! !!! !!!"
        }),
        ("garbage", vec![&b"\x30\x01\x00".to_vec()], now(), "??? ??? ??? ??? ??? ??? ???"),
    ] {
        assert_eq!(desk.drawn(&sent, at), expected, "{case}");
    }
}

const SAN: &[u64] = &[2, 5, 29, 17];
const EKU: &[u64] = &[2, 5, 29, 37];

fn permitted(domain: &str) -> Extension {
    let length = u8::try_from(domain.len()).unwrap();
    let mut value = vec![0x30, length + 6, 0xa0, length + 4, 0x30, length + 2, 0x82, length];
    value.extend(domain.as_bytes());
    Extension { oid: vec![2, 5, 29, 30], critical: true, value }
}

/// A client that vouches as it was shipped is asked nothing more; nobody is said to have warned.
#[test]
fn a_public_root_is_silence() {
    let desk = Desk::new();
    let chain = Chain::from_der([&leaf(&desk.public, plain())]).unwrap();
    let path = crate::path::path(&chain, |fields| desk.reference.signer(fields));
    let stores = desk.reference.stores.iter();
    let trust: Vec<_> =
        stores.map(|store| (store, store.accepts(&chain, "example.com", Some(now())))).collect();
    let question = Question {
        chain: &chain,
        holds_leaf: true,
        name: Some("example.com"),
        at: Some(now()),
        path: &path,
        trust: &trust,
        scts: &[],
    };
    let all = outcomes(&question, &desk.reference);
    let of = |id: &str| all.iter().filter(|it| it.client == id).collect::<Vec<_>>();
    assert_eq!(of("firefox").len(), 1);
    assert_eq!(of("firefox")[0].rule.as_deref(), Some("public-root"));
    assert_eq!(of("firefox")[0].shows, Shows::Silence);
    // The reference holds no store of Java.
    assert_eq!(of("java").len(), 3);
    assert_eq!(of("java")[0].shows, Shows::Unknown);
    for (lacks, question) in [
        ("a leaf", Question { holds_leaf: false, ..question }),
        ("a name", Question { name: None, ..question }),
        ("a time", Question { at: None, ..question }),
    ] {
        let all = outcomes(&question, &desk.reference);
        assert_eq!(all.len(), 21, "{lacks}");
        assert!(all.iter().all(|outcome| outcome.shows == Shows::Unknown), "{lacks}");
    }
}

/// The block of August 2019, by the built-in data and the dossier's key alone.
#[test]
fn rules_have_their_days() {
    let reference = Reference::built_in().unwrap();
    let key = reference.browsers.keys.iter().find(|key| key.name.contains("Qaznet")).unwrap();
    assert!(reference.dossier_with(key.key_hash).is_some());
    for client in ["firefox", "chrome", "safari", "chrome-android"] {
        let block = key.blocks.iter().find(|block| block.clients.iter().any(|it| it == client));
        let since = block.unwrap().since.unwrap();
        assert_eq!(since.to_string(), "2019-08-21", "{client}");
    }
    for known in &reference.browsers.keys {
        assert!(reference.dossier_with(known.key_hash).is_some(), "{}", known.name);
    }
    for rule in &reference.browsers.rules {
        assert!(rule.source.starts_with("https://"), "{}", rule.id);
        assert!(rule.from.is_none() || rule.known_by.is_none(), "{}", rule.id);
    }
}

/// Lists of the reference, with and without a day, and the state's root in no list of announcements.
#[test]
fn block_lists() {
    let day = |days: i64| (now() + Duration::days(days)).date();
    let list = |name: &'static str, newest: i64, since: Option<i64>| {
        move |state: &Authority| {
            let hash = crate::chain::KeyHash::of(&state.key.spki());
            let since = since.map(|days| format!("since = \"{}\"\n", day(days)));
            let text = format!(
                "list = \"{name}\"\nprograms = []\ndate = \"{}\"\n[[key]]\n\
                 spki_sha256 = \"{hash}\"\n{}",
                day(newest),
                since.unwrap_or_default()
            );
            vec![File { path: format!("blocklists/{name}.toml"), bytes: text.into_bytes() }]
        }
    };
    for (case, list, expected) in [
        ("on OneCRL since yesterday", list("OneCRL", 0, Some(-1)), "!!!"),
        ("on OneCRL from tomorrow on", list("OneCRL", 9, Some(1)), "!.."),
        ("on OneCRL, no day, newest of yesterday", list("OneCRL", -1, None), "!!!"),
        ("on OneCRL, no day, newest of next week", list("OneCRL", 7, None), "!??"),
        ("on a list that it does not obey", list("Chromium", -1, None), "!??"),
    ] {
        let drawn = Desk::with("# no key\n", "2025-10-01", list);
        let sent = [&leaf(&drawn.state, plain()), &drawn.state.certificate];
        let shown = drawn.drawn(&sent, now());
        let firefox = shown.split(' ').next().unwrap();
        assert_eq!(firefox, expected, "{case}");
    }
}

/// Nobody is said to have been warned by a store whose state of that day is not known.
#[test]
fn stores_of_another_day() {
    for (stores, nobody, state) in [("2025-10-01", "!..", "!.."), ("2025-12-01", "?..", "!..")] {
        let desk = Desk::with("", stores, |_| Vec::new());
        let sent = [&leaf(&desk.nobody, plain()), &desk.nobody.certificate];
        assert!(desk.drawn(&sent, now()).starts_with(nobody), "{stores}");
        let sent = [&leaf(&desk.state, plain()), &desk.state.certificate];
        assert!(desk.drawn(&sent, now()).starts_with(state), "{stores}: never in any store");
    }
}
