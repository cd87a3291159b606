//! Certificates as the world has them: each is read or kept unread, none panics; counts pinned.

use kua::chain::Certificate;
use kua_tests::{corpus, files_below};

#[test]
fn odd_certificates() {
    let Some(folder) = corpus("certs_misc") else { return };
    let (mut read, mut kept) = (0, Vec::new());
    for file in files_below(&folder, &[".pem", ".der", ".crt"]) {
        let bytes = std::fs::read(&file).unwrap();
        let pems: Vec<_> = x509_parser::pem::Pem::iter_from_buffer(&bytes)
            .filter_map(Result::ok)
            .map(|pem| pem.contents)
            .collect();
        let certificates = if pems.is_empty() { vec![bytes] } else { pems };
        for der in certificates {
            let certificate = Certificate::from_bytes(&der).unwrap();
            match certificate.fields() {
                Some(_) => read += 1,
                None => kept.push(file.file_name().unwrap().to_string_lossy().into_owned()),
            }
        }
    }
    let kept: Vec<_> = kept.iter().map(String::as_str).collect();
    assert_eq!((read, kept.as_slice()), (ODD_READ, ODD_KEPT));
}

const ODD_READ: usize = 36;

/// Kept without being read: a time that is none, a TBSCertificate alone, and two certificate requests.
const ODD_KEPT: &[&str] = &[
    "badasn1time.pem",
    "cryptography-scts-tbs-precert.der",
    "san_rsa_sha1.der",
    "san_rsa_sha1.pem",
];

#[test]
fn conformance_suite_of_nist() {
    let Some(folder) = corpus("pkits") else { return };
    let (mut read, mut kept) = (0, 0);
    for file in files_below(&folder, &[".crt"]) {
        let certificate = Certificate::from_bytes(&std::fs::read(&file).unwrap()).unwrap();
        match certificate.fields() {
            Some(_) => read += 1,
            None => kept += 1,
        }
    }
    assert_eq!((read, kept), (405, 0));
}
