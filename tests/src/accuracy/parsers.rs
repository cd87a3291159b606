//! Certificates and revocation lists as the world has them: read, or kept with a reason; no panic.

use std::collections::BTreeMap;

use kua::chain::Certificate;

use super::report::Section;
use crate::{ccadb, data, files_below};

/// Why a certificate that is kept was not read, by the file's name.
const KEPT: &[(&str, &str)] = &[
    ("badasn1time.pem", "a time that is none"),
    ("cryptography-scts-tbs-precert.der", "a TBSCertificate alone"),
    ("san_rsa_sha1.der", "a certificate request"),
    ("san_rsa_sha1.pem", "a certificate request"),
];

pub(super) fn section() -> Section {
    let mut section = Section::new("Parsers: is everything read, or kept with a reason?");
    let folders = [data("pkits/certs"), data("pkits/crls"), data("certs_misc"), data("state-ca")];
    let [Some(pkits), Some(crls), Some(misc), Some(states)] = folders else {
        return section.skip("no corpus");
    };
    for (what, folder, endings) in [
        ("PKITS, certificates", pkits, &[".crt"][..]),
        ("PKITS, revocation lists as certificates", crls, &[".crl"][..]),
        ("certs_misc", misc, &[".pem", ".der", ".crt"][..]),
        ("state-ca", states, &[".pem"][..]),
    ] {
        let mut read = 0;
        let mut kept: BTreeMap<String, usize> = BTreeMap::new();
        for file in files_below(&folder, endings) {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            for bytes in blocks(&std::fs::read(&file).unwrap()) {
                // What no parser takes is kept byte for byte.
                let certificate = Certificate::from_bytes(&bytes).unwrap();
                assert_eq!(certificate.der(), bytes, "{name}");
                if certificate.fields().is_some() {
                    read += 1;
                    continue;
                }
                let known = KEPT.iter().find(|(file, _)| *file == name);
                let reason = match known {
                    Some((_, reason)) => format!("{name}: {reason}"),
                    None if name.ends_with(".crl") => "no certificate".into(),
                    None => {
                        section.fail(format!("{name} is not read, and nobody says why"));
                        continue;
                    }
                };
                *kept.entry(reason).or_default() += 1;
            }
        }
        let all: usize = kept.values().sum();
        section.line(format!("{what}: read {read}, kept unread {all}"));
        for (reason, count) in kept {
            section.line(format!("  {count:>3} {reason}"));
        }
    }
    section
}

/// The authorities of the CCADB, and those among them that cannot be a trust anchor.
pub(super) fn authorities() -> Section {
    let mut section = Section::new("CCADB, twenty years of public authorities: is each read?");
    let Some(all) = ccadb::disclosed() else { return section.skip("no corpus, tar or xz") };
    let read = all.iter().filter(|one| one.certificate.fields().is_some()).count();
    section.line(format!("read {read}, kept unread {}", all.len() - read));
    let mut no_anchors: BTreeMap<String, usize> = BTreeMap::new();
    for one in &all {
        if let Err(error) = kua::trust::Anchor::from_certificate(one.certificate.der()) {
            *no_anchors.entry(error.to_string()).or_default() += 1;
        }
    }
    for (reason, count) in no_anchors {
        section.line(format!("  {count:>3} cannot be a trust anchor: {reason}"));
    }
    section
}

/// The blocks of a PEM file, or the bytes themselves.
fn blocks(bytes: &[u8]) -> Vec<Vec<u8>> {
    let pems = x509_parser::pem::Pem::iter_from_buffer(bytes).filter_map(Result::ok);
    let pems: Vec<_> = pems.map(|pem| pem.contents).collect();
    if pems.is_empty() { vec![bytes.to_vec()] } else { pems }
}
