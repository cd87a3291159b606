//! Dossiers against the real certificates of `data/state-ca`: every stated fact is recomputed.

use std::collections::BTreeMap;

use kua::chain::{Certificate, Fingerprint};
use kua::reference::Reference;
use kua_tests::{corpus, files_below, repository};

fn real() -> Option<BTreeMap<Fingerprint, Certificate>> {
    let folder = corpus("state-ca")?;
    let certificates = files_below(&folder, &[".pem"]).into_iter().map(|file| {
        let pem = std::fs::read(&file).unwrap();
        let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).unwrap();
        let certificate = Certificate::from_bytes(&pem.contents).unwrap();
        (certificate.fingerprint(), certificate)
    });
    Some(certificates.collect())
}

#[test]
fn every_fact_of_a_dossier_is_recomputed_from_bytes() {
    let Some(real) = real() else { return };
    let mut keys = 0;
    for file in files_below(&repository().join("certs/interceptors"), &[".toml"]) {
        let text = std::fs::read_to_string(&file).unwrap();
        let dossier: toml::Table = text.parse().unwrap();
        let no_keys = toml::Value::Array(Vec::new());
        for key in dossier.get("key").unwrap_or(&no_keys).as_array().unwrap() {
            let stated = |field: &str| key.get(field).and_then(toml::Value::as_str).unwrap_or("");
            let subject = stated("subject");
            let name: Fingerprint = stated("sha256").parse().unwrap();
            let certificate = real.get(&name).unwrap_or_else(|| panic!("{subject}: no {name}"));
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
            keys += 1;
        }
    }
    assert_eq!(keys, 12, "keys in all dossiers");
}

#[test]
fn the_authorities_of_dossiers_are_attributed_by_their_keys() {
    let Some(real) = real() else { return };
    let reference = Reference::built_in().unwrap();
    let mut attributed = BTreeMap::new();
    for certificate in real.values() {
        let fields = certificate.fields().expect("x509-parser reads every one of them");
        if let Some((dossier, _)) =
            reference.signer(fields).and_then(|key| reference.dossier_with(key.key_hash))
        {
            *attributed.entry(dossier.id.as_str()).or_insert(0) += 1;
        }
    }
    // The roots sign themselves; Russia's root signs its sub CA too.
    let expected = [("kz-isca", 8), ("kz-isca-2020", 1), ("kz-qaznet", 1), ("ru-trusted-root", 2)];
    assert_eq!(attributed, expected.into_iter().collect());
}

#[test]
fn no_public_root_is_attributed_to_a_dossier() {
    let Some(folder) = corpus("roots") else { return };
    let reference = Reference::built_in().unwrap();
    let pem = std::fs::read(folder.join("all_roots.pem")).unwrap();
    let mut roots = 0;
    for block in x509_parser::pem::Pem::iter_from_buffer(&pem) {
        let certificate = Certificate::from_bytes(&block.unwrap().contents).unwrap();
        let fields = certificate.fields().unwrap();
        assert_eq!(reference.dossier_with(fields.key_hash).map(|(dossier, _)| &dossier.id), None);
        roots += 1;
    }
    assert_eq!(roots, 413);
}
