//! The Kazakh family, learnt from its real roots: every sibling is known without its key, and no
//! other authority in the world is taken for one.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use kua::chain::{Certificate, Chain, Fingerprint};
use kua::family::{Serial, learn, matches};
use kua::measurement::{Failure, Handshake, Measurement, codes};
use kua::reference::{Family, File, Reference, built_in_files};
use kua::surroundings::Surroundings;
use kua::verdict::{Verdict, judge};
use kua_tests::{corpus, files_below};

use kua_tests::ccadb::disclosed;

const QAZNET: &str = "00309c736dd661da6f1eb24173aa849944c168a43a15bffd192eecfdb6f8dbd2";
const NUR_SULTAN: &str = "0230a604d99220e5612ee7862ab9f7a6e18e4f1ac4c9e27075788cc5220169ab";

fn roots() -> Option<BTreeMap<String, Certificate>> {
    let files = files_below(&corpus("state-ca")?.join("kazakhstan"), &[".pem"]);
    let certificates =
        files.into_iter().flat_map(|file| pems(&std::fs::read_to_string(file).unwrap()));
    Some(certificates.map(|found| (found.fingerprint().to_string(), found)).collect())
}

/// Every certificate between PEM lines, whatever stands around them.
fn pems(text: &str) -> Vec<Certificate> {
    let blocks = text.split("-----BEGIN CERTIFICATE-----").skip(1).map(|block| {
        let inside = block.split("-----END CERTIFICATE-----").next().unwrap();
        let base64: String = inside.split_whitespace().collect();
        Certificate::from_bytes(&BASE64.decode(base64.as_bytes()).unwrap()).unwrap()
    });
    blocks.collect()
}

fn family(reference: &Reference) -> &Family {
    let dossier = reference.dossiers.iter().find(|dossier| dossier.id == "kz-isca").unwrap();
    dossier.family.as_ref().unwrap()
}

#[test]
fn the_template_is_what_its_certificates_teach() {
    let Some(roots) = roots() else { return };
    let reference = Reference::built_in().unwrap();
    let family = family(&reference);
    assert_eq!(roots.len(), 10);
    assert_eq!(family.learnt_from.len(), 8);
    let from: Vec<_> =
        family.learnt_from.iter().map(|name| roots[name].fields().unwrap()).collect();
    assert_eq!(learn(&from).as_ref(), Some(&family.template));
    let everybody: Vec<_> = roots.values().map(|root| root.fields().unwrap()).collect();
    assert!(!learn(&everybody).unwrap().is_distinctive(), "all ten share no rule");
}

#[test]
fn any_of_the_eight_is_known_by_the_seven_others_and_the_two_others_are_not() {
    let Some(roots) = roots() else { return };
    let reference = Reference::built_in().unwrap();
    let family = family(&reference);
    let mut known = 0;
    for left_out in &family.learnt_from {
        let others = family.learnt_from.iter().filter(|name| *name != left_out);
        let others: Vec<_> = others.map(|name| roots[name].fields().unwrap()).collect();
        assert_eq!(others.len(), 7);
        let template = learn(&others).unwrap();
        assert!(template.is_distinctive());
        assert!(matches(&template, roots[left_out].fields().unwrap()).is_whole(), "{left_out}");
        for stranger in [QAZNET, NUR_SULTAN] {
            let fit = matches(&template, roots[stranger].fields().unwrap());
            assert!(!fit.is_same_program(), "{stranger}: {fit:?}");
        }
        // Seven teach what eight do, so the dossier's template stands for each of them.
        assert_eq!(template, family.template, "without {left_out}");

        let without = without(&[left_out]);
        let (verdict, sibling_of) = told(&without, &roots[left_out]);
        assert_eq!(sibling_of.as_deref(), Some("kz-isca"), "{left_out}");
        assert_eq!(verdict, Verdict::Anomaly, "{left_out}: a root alone signed nothing");
        known += 1;
    }
    assert_eq!(known, 8);
    let without = without(&[QAZNET, NUR_SULTAN]);
    for stranger in [QAZNET, NUR_SULTAN] {
        assert_eq!(told(&without, &roots[stranger]).1, None, "{stranger}");
    }
}

/// How few teach enough: the two that were in use first (December 2020 and June 2021).
#[test]
fn the_first_two_would_have_told_of_all_later_ones() {
    let Some(roots) = roots() else { return };
    let reference = Reference::built_in().unwrap();
    let first = [
        "61c0fc2e38b5b6f9071b42cee54a9013d858b6697c68b460948551b3249576a1",
        "0bd39de4793cdc117138f47708aa4d583acf67adb059a0d91f668d1803bf6489",
    ];
    let template = learn(&first.map(|name| roots[name].fields().unwrap())).unwrap();
    let fits = family(&reference).learnt_from.iter().map(|name| {
        let fit = matches(&template, roots[name].fields().unwrap());
        (fit.is_whole(), fit.is_same_program())
    });
    let fits: Vec<_> = fits.collect();
    assert_eq!(fits.iter().filter(|(_, program)| *program).count(), 8);
    // The three others are for 30 years, which the first two do not teach.
    assert_eq!(fits.iter().filter(|(whole, _)| *whole).count(), 5);
}

#[test]
fn no_other_state_s_authority_is_taken_for_a_sibling() {
    let Some(folder) = corpus("state-ca") else { return };
    let files = files_below(&folder, &[".pem"]).into_iter();
    let others = files.filter(|file| !file.starts_with(folder.join("kazakhstan")));
    let others = others.flat_map(|file| pems(&std::fs::read_to_string(file).unwrap()));
    let others: Vec<_> = others.collect();
    assert_eq!(hits(&others), Hits { read: 79, of_rule: 0, siblings: 0 });
}

#[test]
fn no_public_root_is_taken_for_a_sibling() {
    let Some(folder) = corpus("roots") else { return };
    let certificates = pems(&std::fs::read_to_string(folder.join("all_roots.pem")).unwrap());
    assert_eq!(hits(&certificates), Hits { read: 413, of_rule: 0, siblings: 0 });
}

#[test]
fn no_authority_of_the_ccadb_is_taken_for_a_sibling() {
    let Some(disclosed) = disclosed() else { return };
    let certificates: Vec<_> = disclosed.into_iter().map(|row| row.certificate).collect();
    assert_eq!(hits(&certificates), Hits { read: 3701, of_rule: 0, siblings: 0 });
}

#[derive(Debug, PartialEq, Eq)]
struct Hits {
    read: usize,
    /// Those whose serial number follows the family's rule, whatever else they do.
    of_rule: usize,
    siblings: usize,
}

fn hits(certificates: &[Certificate]) -> Hits {
    let reference = Reference::built_in().unwrap();
    let template = &family(&reference).template;
    assert_eq!(template.serial, Some(Serial::SkiTopBitCleared));
    let mut hits = Hits { read: 0, of_rule: 0, siblings: 0 };
    for certificate in certificates {
        let Some(fields) = certificate.fields() else { continue };
        hits.read += 1;
        hits.of_rule += usize::from(matches(template, fields).fits.contains(&"serial"));
        hits.siblings += usize::from(reference.sibling(fields).is_some());
    }
    hits
}

/// The built-in reference without some keys, as it was before anybody knew them.
fn without(keys: &[&str]) -> Reference {
    let files = built_in_files().map(|file| {
        let Ok(text) = std::str::from_utf8(&file.bytes) else { return file };
        if !file.path.starts_with("interceptors/") {
            return file;
        }
        let mut blocks = text.split("[[key]]");
        let mut kept = blocks.next().unwrap().to_owned();
        for block in blocks {
            if keys.iter().any(|key| block.contains(&format!("sha256 = \"{key}\""))) {
                // What stands behind the last key stays.
                let rest = block.find("\n[").map_or("", |position| &block[position..]);
                kept.push_str(rest);
            } else {
                kept.push_str("[[key]]");
                kept.push_str(block);
            }
        }
        File { bytes: kept.into_bytes(), ..file }
    });
    let files: Vec<_> = files.collect();
    let reference = Reference::from_files(files).unwrap();
    for key in keys {
        let listed = reference.dossiers.iter().flat_map(|dossier| &dossier.keys);
        assert!(listed.clone().all(|known| known.sha256.as_deref() != Some(*key)));
    }
    reference
}

/// What is said of a record that kept one certificate.
fn told(reference: &Reference, root: &Certificate) -> (Verdict, Option<String>) {
    let name: Fingerprint = root.fingerprint();
    let shaken = Handshake {
        network: "tcp".into(),
        server_name: Some("example.com".into()),
        failure: Some(Failure::new(codes::SSL_UNKNOWN_AUTHORITY)),
        chain: Some(Chain::new(vec![root.clone()]).unwrap()),
        ..Handshake::default()
    };
    let record = Measurement { handshakes: vec![shaken], ..Measurement::default() };
    let judgement = judge(&record, reference, &Surroundings::none(), None).remove(0);
    assert_eq!(judgement.interceptor, None, "{name}");
    let of = judgement.finding("interceptor-family").map(|found| {
        assert_eq!(found.evidence["certificate"], name.to_string());
        assert_eq!(found.evidence["misfits"], serde_json::json!([]), "{name}");
        found.evidence["sibling_of"].as_str().unwrap().to_owned()
    });
    (judgement.verdict, of)
}
