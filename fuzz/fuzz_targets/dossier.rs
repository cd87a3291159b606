//! Dossiers of anybody: reference data that a user adds.
#![no_main]

use kua::reference::{Actor, dossier_from};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(dossier) = dossier_from("interceptors/any.toml", bytes) else { return };
    assert_ne!(dossier.id, "", "a dossier has a name");
    let _ = (dossier.chosen_for("example.com"), dossier.actor == Actor::State);
});
