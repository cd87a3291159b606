//! Dossiers against the real certificates of `data/state-ca`: every stated fact is recomputed, and
//! each certificate means what its role says.

use std::collections::{BTreeMap, BTreeSet};

use kua::attribution::Basis;
use kua::chain::{Certificate, Chain, Fingerprint};
use kua::measurement::{Handshake, Measurement};
use kua::reference::{Actor, Reference, Role};
use kua::surroundings::Surroundings;
use kua::verdict::{Judgement, Verdict, judge};
use kua_tests::{corpus, files_below, repository, skipped};

/// Facts of a dossier that no certificate of the corpus bears out, because it holds none with the
/// key: the leaf that EGO forged and its authority.
const NOT_IN_CORPUS: [&str; 2] = [EGO_LEAF, EGO];

const EGO_LEAF: &str = "60b35c92f6c7cf23ac6152a8965afe1650b5e0a2a81a9ec2d6dab254f288a04d";
const EGO: &str = "42187727be39faf667aeb92bf0cc4e268f6e2ead2cefbec575bdc90430024f69";
const RCS: &str = "77f3dbfd8067088def93d6fcec5ce91b88400b753601fb68965e3ee4e5236df1";

pub(crate) fn real() -> Option<BTreeMap<Fingerprint, Certificate>> {
    let folder = corpus("state-ca")?;
    let certificates = files_below(&folder, &[".pem"]).into_iter().map(|file| {
        let pem = std::fs::read(&file).unwrap();
        let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).unwrap();
        let certificate = Certificate::from_bytes(&pem.contents).unwrap();
        (certificate.fingerprint(), certificate)
    });
    Some(certificates.collect())
}

fn dossiers() -> impl Iterator<Item = toml::Table> {
    files_below(&repository().join("certs/interceptors"), &[".toml"])
        .into_iter()
        .map(|file| std::fs::read_to_string(file).unwrap().parse().unwrap())
}

fn listed<'a>(dossier: &'a toml::Table, what: &str) -> &'a [toml::Value] {
    dossier.get(what).map_or(&[], |found| found.as_array().unwrap())
}

#[test]
fn every_fact_of_a_dossier_is_recomputed_from_bytes() {
    let Some(real) = real() else { return };
    let (mut keys, mut bare, mut absent) = (0, 0, 0);
    for dossier in dossiers() {
        for key in listed(&dossier, "key") {
            keys += 1;
            let stated = |field: &str| key.get(field).and_then(toml::Value::as_str).unwrap_or("");
            let subject = stated("subject");
            // A key that is published without its certificate; loading the dossier recomputes it.
            if stated("sha256").is_empty() {
                bare += 1;
                continue;
            }
            let name: Fingerprint = stated("sha256").parse().unwrap();
            let Some(certificate) = real.get(&name) else {
                assert!(NOT_IN_CORPUS.contains(&stated("sha256")), "{subject}: no {name}");
                absent += 1;
                continue;
            };
            let fields = certificate.fields().unwrap();
            let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
            let moment = kua::moment::rfc3339;
            assert_eq!(stated("sha1"), certificate.sha1(), "{subject}");
            assert_eq!(stated("spki_sha256"), fields.key_hash.to_string(), "{subject}");
            assert_eq!(stated("public_key"), data_encoding::BASE64.encode(&fields.spki));
            assert_eq!(stated("not_before"), moment(fields.not_before), "{subject}");
            assert_eq!(stated("not_after"), moment(fields.not_after), "{subject}");
            let serial = hex(&fields.serial);
            let serial = serial.trim_start_matches("00");
            assert_eq!(stated("serial").trim_start_matches("00"), serial, "{subject}");
            if let Some(ski) = &fields.ski {
                assert_eq!(stated("ski"), hex(ski), "{subject}");
            }
            let attributes = kua::chain::name::attributes_of(subject);
            assert_eq!(attributes, fields.subject.attributes(), "{subject}");
            if key.get("issuer").is_some() {
                let issuer = kua::chain::name::attributes_of(stated("issuer"));
                assert_eq!(issuer, fields.issuer.attributes(), "{subject}");
            }
        }
    }
    // Trustwave, Cyberoam and one of Hacking Team have a key and no certificate.
    assert!(absent <= NOT_IN_CORPUS.len());
    assert_eq!((keys, bare), (92, 3), "keys in all dossiers");
}

/// What the corpus holds and no dossier lists: an authority of Kazakhstan that e-government sites
/// choose, and a customer of Trustwave against whom nothing speaks.
#[test]
fn every_real_certificate_is_in_a_dossier() {
    let Some(real) = real() else { return };
    let reference = Reference::built_in().unwrap();
    let known: BTreeSet<_> = reference
        .dossiers
        .iter()
        .flat_map(|dossier| dossier.keys.iter().filter_map(|key| key.sha256.clone()))
        .collect();
    let others = real.keys().map(Fingerprint::to_string).filter(|name| !known.contains(name));
    let others: Vec<_> = others.collect();
    assert_eq!(
        others,
        [
            "2ee746858d3feea35cfd15ad8d0fa8ce26b7dce34642abf2e33fe13e709c1cf5",
            "aef2f2907554f12292cb3456d5110062e3581d0a05c0f03540f870f25d5b816c",
        ]
    );
}

#[test]
fn the_authorities_of_dossiers_are_attributed_by_their_keys() {
    let Some(real) = real() else { return };
    let reference = Reference::built_in().unwrap();
    let mut attributed = BTreeMap::new();
    let mut noted = BTreeMap::new();
    for certificate in real.values() {
        let fields = certificate.fields().expect("x509-parser reads every one of them");
        let Some(signer) = reference.signer(fields).map(|key| key.key_hash) else { continue };
        if let Some((dossier, _)) = reference.interceptor_with(signer) {
            *attributed.entry(dossier.id.as_str()).or_insert(0) += 1;
        }
        if let Some((dossier, _)) = reference.public_authority_with(signer) {
            *noted.entry(dossier.id.as_str()).or_insert(0) += 1;
        }
    }
    // EGO's signed a leaf, which not every corpus holds.
    attributed.remove("turktrust");
    // The roots sign themselves; Russia's root signs its sub CA too.
    let expected = [
        ("darkmatter", 4),
        ("edellroot", 2),
        ("hacking-team", 1),
        ("kz-isca", 8),
        ("kz-isca-2020", 1),
        ("kz-qaznet", 1),
        ("ru-trusted-root", 2),
        ("superfish", 1),
        ("uae-global-root", 4),
    ];
    assert_eq!(attributed, expected.into_iter().collect());
    // One root of DigiNotar is a copy with another serial number, made to be distrusted.
    let expected = [
        ("cnnic-mcs", 3),
        ("diginotar", 9),
        ("fina", 1),
        ("fr-dgtresor", 1),
        ("in-nic", 4),
        ("trustcor", 3),
        ("trustwave", 1),
        ("turktrust", 1),
        ("wosign-startcom", 8),
    ];
    assert_eq!(noted, expected.into_iter().collect());
}

/// A key stands in one dossier, so that no order of files decides who is named.
#[test]
fn no_key_is_in_two_dossiers_or_has_two_roles() {
    let reference = Reference::built_in().unwrap();
    let mut seen = BTreeMap::new();
    for dossier in &reference.dossiers {
        for key in &dossier.keys {
            let role = format!("{} as {:?}", dossier.id, key.role);
            let before = seen.insert(key.key_hash, role.clone());
            assert!(before.is_none_or(|before| before == role), "{}: {role}", key.subject);
        }
    }
    assert_eq!(seen.len(), 73);
}

#[test]
fn no_public_root_intercepts() {
    let Some(folder) = corpus("roots") else { return };
    let reference = Reference::built_in().unwrap();
    let pem = std::fs::read(folder.join("all_roots.pem")).unwrap();
    let (mut roots, mut noted) = (0, Vec::new());
    for block in x509_parser::pem::Pem::iter_from_buffer(&pem) {
        let certificate = Certificate::from_bytes(&block.unwrap().contents).unwrap();
        let fields = certificate.fields().unwrap();
        roots += 1;
        if let Some((dossier, key)) = reference.dossier_with(fields.key_hash) {
            assert!(key.role.is_public(), "{}", key.subject);
            noted.push(dossier.id.as_str());
        }
    }
    noted.sort_unstable();
    assert_eq!((roots, noted), (413, vec!["fina"]));
}

/// The forged leaves, as a client of the time would have met them.
#[test]
fn real_forgeries_are_told_by_their_keys() {
    let Some(real) = real() else { return };
    let reference = Reference::built_in().unwrap();
    let mut told = BTreeMap::new();
    for certificate in real.values() {
        let fields = certificate.fields().unwrap();
        let Some(name) = fields.alternative_names.first() else { continue };
        let judgement = presented(&reference, &[certificate], &name.replace('*', "www"));
        if judgement.has("known-forgery") {
            assert_eq!(judgement.verdict, Verdict::Intercepted, "{name}");
            *told.entry(judgement.interceptor.unwrap()).or_insert(0) += 1;
        } else {
            assert_eq!(judgement.interceptor, None, "{name}");
        }
    }
    let count = |id: &str| told.get(id).copied();
    assert_eq!(count("comodo-ra"), Some(9));
    for id in ["google-com-bd", "live-fi", "xs4all"] {
        assert_eq!(count(id), Some(1), "{id}");
    }
    // The key of *.sslip.io is published and its certificate genuine.
    assert_eq!(count("sslip-io"), None);
}

/// The one complete forged chain that is published: TURKTRUST -> EGO -> `*.google.com`.
#[test]
fn the_chain_of_ego() {
    let Some(real) = real() else { return };
    let find = |name: &str| real.get(&name.parse::<Fingerprint>().unwrap());
    let (Some(leaf), Some(authority)) = (find(EGO_LEAF), find(EGO)) else {
        return skipped("the corpus lacks the chain of EGO");
    };
    let reference = Reference::built_in().unwrap();
    let fields = leaf.fields().unwrap();
    assert_eq!(fields.alternative_names.len(), 42);
    assert!(fields.alternative_names.iter().any(|name| name == "*.google.com"));
    assert_eq!(reference.signer(fields).unwrap().key_hash, authority.fields().unwrap().key_hash);
    for chain in [vec![leaf], vec![leaf, authority]] {
        let judgement = presented(&reference, &chain, "www.google.com");
        assert_eq!(judgement.verdict, Verdict::Intercepted);
        assert_eq!(judgement.actor, Some(Actor::PublicCa));
        assert_eq!(judgement.interceptor.as_deref(), Some("turktrust"));
        assert_eq!(judgement.basis, [Basis::SignedByKey, Basis::KeyInChain]);
        let key = judgement.signing_key.as_ref().unwrap();
        assert_eq!(key.key_hash, authority.fields().unwrap().key_hash);
        for detector in ["known-forgery", "known-interceptor", "weak-key"] {
            assert!(judgement.has(detector), "{detector}");
        }
    }
    // The same certificate on its owner's own server is only odd.
    let own = presented(&reference, &[authority], "www.ego.gov.tr");
    assert_eq!((own.interceptor, own.actor), (None, None));
}

/// Chromium blocks keys, Apple and others list certificates: the key is what they share.
#[test]
fn blocked_keys_resolve_to_dossiers_whatever_certificate_carries_them() {
    let Some(real) = real() else { return };
    let reference = Reference::built_in().unwrap();
    let rcs = real[&RCS.parse::<Fingerprint>().unwrap()].fields().unwrap().key_hash;
    let blocked = "c4387d45364a313fbfe79812b35b815d42852ab03b06f11589638021c8f2cb44";
    assert_eq!(rcs, blocked.parse().unwrap());
    assert_eq!(reference.dossier_with(rcs).unwrap().0.id, "hacking-team");

    let of = |year: i32| -> BTreeSet<_> {
        let certificates = real.values().filter_map(Certificate::fields).filter(|fields| {
            let attributes = fields.subject.to_string();
            attributes.starts_with("CN=DarkMatter")
                && fields.issuer.to_string().contains("QuoVadis")
                && fields.not_before.year() == year
        });
        certificates.map(|fields| fields.key_hash).collect()
    };
    assert_eq!((of(2016).len(), of(2016)), (3, of(2017)), "an older certificate, the same key");
    for key in of(2016) {
        let (dossier, key) = reference.dossier_with(key).unwrap();
        assert_eq!((dossier.id.as_str(), key.role), ("darkmatter", Role::PublicAuthority));
    }
}

/// The four roots that OONI found behind intermediates in 2021 to 2024, by their SHA-1.
#[test]
fn ooni_s_roots_resolve_by_their_sha1() {
    let reference = Reference::built_in().unwrap();
    let keys: Vec<_> = reference.dossiers.iter().flat_map(|dossier| &dossier.keys).collect();
    for (sha1, sha256) in [
        ("fabda72fa1f620c160420a496194b61f82a01b4a", "0bd39de4"),
        ("ea5d093c312e1a516937e153c06c2d82127b47d6", "c530fadc"),
        ("1375ebdcf56359aae0423e861ac8fc6231511ce6", "89107c8e"),
        ("bfd7f531eca8e3d65b4738167b160b7a95a8d894", "235150de"),
    ] {
        let key = keys.iter().find(|key| key.sha1.as_deref() == Some(sha1)).unwrap();
        assert!(key.sha256.as_ref().unwrap().starts_with(sha256), "{sha1}");
    }
}

/// What is said of a chain that its holder presented when its leaf became valid.
fn presented(reference: &Reference, chain: &[&Certificate], host: &str) -> Judgement {
    let chain: Vec<_> = chain.iter().map(|certificate| (*certificate).clone()).collect();
    let started = chain[0].fields().map(|fields| fields.not_before + time::Duration::DAY);
    let mut shaken = Handshake {
        server_name: Some(host.into()),
        chain: Some(Chain::new(chain).unwrap()),
        whole: true,
        ..Handshake::default()
    };
    shaken.extra.holds_key = Some(true);
    let seen = Measurement { started, handshakes: vec![shaken], ..Measurement::default() };
    judge(&seen, reference, &Surroundings::none(), None).remove(0)
}
