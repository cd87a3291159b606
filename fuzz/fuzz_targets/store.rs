//! Trust stores of anybody, and what systems print and browsers are told of them.
#![no_main]

use kua_probes::machine::container::{self, Kind};
use kua_probes::machine::{
    Content, MAX_CERTIFICATES, Trust, environment, macos, pem, pkcs12, policies, windows,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Its passwords are made to be slow to try, which is not what is looked for here.
    if !pkcs12::is_pfx(bytes)
        && let Ok((kind, content)) = container::read(bytes)
    {
        assert!(kind != Kind::Directory && kind != Kind::System);
        each_once(&content);
    }
    let _ = windows::blob(bytes);
    let _ = pem::read(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(content) = windows::listed(text, Trust::Distrusted) {
        each_once(&content);
        assert!(content.held.iter().all(|held| held.trust == Trust::Distrusted));
    }
    let _ = macos::listed(bytes, &macos::settings(text), true);
    let _ = (policies::firefox(text), policies::enterprise_roots(&[text]));
    let _ = (policies::turned_off(text), environment::values(text, "cafile"));
    if let Ok(content) = policies::chromium(text) {
        each_once(&content);
    }
});

fn each_once(content: &Content) {
    assert!(content.held.len() <= MAX_CERTIFICATES);
    let mut names: Vec<_> =
        content.held.iter().map(|held| held.certificate.fingerprint()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), content.held.len(), "each certificate once");
}
