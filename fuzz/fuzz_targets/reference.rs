//! Files of reference data of anybody: root programs with and without history, their certificates and
//! owners, block lists, rules of browsers. The first byte chooses the file.
#![no_main]

use kua::reference::{File, Reference, built_in_files};
use libfuzzer_sys::fuzz_target;

const PATHS: [&str; 6] = [
    "stores/any.pem",
    "stores/any.toml",
    "roots.pem",
    "roots.csv",
    "blocklists/any.toml",
    "browsers.toml",
];

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else { return };
    let path = PATHS[usize::from(*choice) % PATHS.len()];
    let file = File { path: path.into(), bytes: bytes.to_vec() };
    // A root for a history to name, and a store, because nothing is judged without one.
    let known = built_in_files().filter(|file| file.path == "private_pki.toml");
    let root = |path: &str| File { path: path.into(), bytes: ROOT.into() };
    let known = known.chain([root("stores/known.pem"), root("roots.pem"), file]);
    let Ok(reference) = Reference::from_files(known) else { return };
    assert!(!reference.stores.is_empty(), "no verdict without a root program");
    for store in &reference.stores {
        assert!(!store.anchors.is_empty(), "a store that was read holds a root");
    }
});

const ROOT: &[u8] = include_bytes!("../seeds/reference/root.pem");
