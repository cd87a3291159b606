//! The authorities that this machine trusts and no root program ever held, for live measurements to be
//! compared with. They stay on the machine.

use std::collections::{BTreeMap, BTreeSet};

use kua::chain::{Certificate, KeyHash};
use kua::reference::Reference;

use super::Trust;
use super::read::Found;

/// Authorities that a store trusts for TLS servers. A store that distrusts one outvotes the
/// others; stores that could not be read give nothing.
pub fn local_anchors(found: &Found, reference: &Reference) -> BTreeMap<KeyHash, Certificate> {
    let held = || found.stores.iter().flat_map(|store| &store.content.held);
    let keys = |wanted: Trust| {
        let held = held().filter(move |held| held.trust == wanted);
        held.filter_map(|held| Some((held.certificate.fields()?.key_hash, &held.certificate)))
    };
    let distrusted: BTreeSet<_> = keys(Trust::Distrusted).map(|(key, _)| key).collect();
    let own = keys(Trust::Trusted).filter(|(key, _)| {
        !distrusted.contains(key) && reference.anchors_with(*key).next().is_none()
    });
    own.map(|(key, certificate)| (key, certificate.clone())).collect()
}

#[cfg(test)]
mod tests {
    use kua::reference::File;
    use kua_mint::{Authority, pem};

    use super::*;
    use crate::machine::read::{Machine, asked};

    #[test]
    fn what_somebody_added_and_no_program_holds() {
        let [public, added] = ["Public Root", "Added Root"].map(Authority::root);
        let store =
            File { path: "stores/public.pem".into(), bytes: pem(&public.certificate).into_bytes() };
        let reference = Reference::from_files([store]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let bundle = folder.path().join("bundle.pem");
        let both = [pem(&public.certificate), pem(&added.certificate)].concat();
        std::fs::write(&bundle, both).unwrap();
        let found = asked(&Machine::this(), &[bundle]);
        let keys: Vec<_> = local_anchors(&found, &reference).into_keys().collect();
        assert_eq!(keys, [KeyHash::of(&added.key.spki())]);
    }
}
