//! The reference data that this program was built with.

use super::File;

/// The files that this program was built with, to be extended by a user's own.
pub fn built_in_files() -> impl Iterator<Item = File> {
    BUILT_IN.iter().map(|(path, bytes)| File { path: (*path).into(), bytes: bytes.to_vec() })
}

/// The files of `certs/` that are built in: one line a file.
const BUILT_IN: &[(&str, &[u8])] = &[
    ("blocklists/apple.toml", include_bytes!("../../certs/blocklists/apple.toml")),
    ("blocklists/chromium.toml", include_bytes!("../../certs/blocklists/chromium.toml")),
    ("blocklists/microsoft.toml", include_bytes!("../../certs/blocklists/microsoft.toml")),
    ("blocklists/onecrl.toml", include_bytes!("../../certs/blocklists/onecrl.toml")),
    ("browsers.toml", include_bytes!("../../certs/browsers.toml")),
    ("interceptors/cnnic-mcs.toml", include_bytes!("../../certs/interceptors/cnnic-mcs.toml")),
    ("interceptors/comodo-ra.toml", include_bytes!("../../certs/interceptors/comodo-ra.toml")),
    ("interceptors/cyberoam.toml", include_bytes!("../../certs/interceptors/cyberoam.toml")),
    ("interceptors/darkmatter.toml", include_bytes!("../../certs/interceptors/darkmatter.toml")),
    ("interceptors/diginotar.toml", include_bytes!("../../certs/interceptors/diginotar.toml")),
    ("interceptors/edellroot.toml", include_bytes!("../../certs/interceptors/edellroot.toml")),
    ("interceptors/fina.toml", include_bytes!("../../certs/interceptors/fina.toml")),
    ("interceptors/fr-dgtresor.toml", include_bytes!("../../certs/interceptors/fr-dgtresor.toml")),
    (
        "interceptors/google-com-bd.toml",
        include_bytes!("../../certs/interceptors/google-com-bd.toml"),
    ),
    ("interceptors/google-tg.toml", include_bytes!("../../certs/interceptors/google-tg.toml")),
    (
        "interceptors/hacking-team.toml",
        include_bytes!("../../certs/interceptors/hacking-team.toml"),
    ),
    ("interceptors/in-nic.toml", include_bytes!("../../certs/interceptors/in-nic.toml")),
    ("interceptors/kz-2015.toml", include_bytes!("../../certs/interceptors/kz-2015.toml")),
    (
        "interceptors/kz-isca-2020.toml",
        include_bytes!("../../certs/interceptors/kz-isca-2020.toml"),
    ),
    ("interceptors/kz-isca.toml", include_bytes!("../../certs/interceptors/kz-isca.toml")),
    ("interceptors/kz-qaznet.toml", include_bytes!("../../certs/interceptors/kz-qaznet.toml")),
    ("interceptors/live-fi.toml", include_bytes!("../../certs/interceptors/live-fi.toml")),
    (
        "interceptors/ru-trusted-root.toml",
        include_bytes!("../../certs/interceptors/ru-trusted-root.toml"),
    ),
    ("interceptors/sslip-io.toml", include_bytes!("../../certs/interceptors/sslip-io.toml")),
    ("interceptors/superfish.toml", include_bytes!("../../certs/interceptors/superfish.toml")),
    ("interceptors/trustcor.toml", include_bytes!("../../certs/interceptors/trustcor.toml")),
    ("interceptors/trustwave.toml", include_bytes!("../../certs/interceptors/trustwave.toml")),
    ("interceptors/turktrust.toml", include_bytes!("../../certs/interceptors/turktrust.toml")),
    (
        "interceptors/uae-global-root.toml",
        include_bytes!("../../certs/interceptors/uae-global-root.toml"),
    ),
    (
        "interceptors/wosign-startcom.toml",
        include_bytes!("../../certs/interceptors/wosign-startcom.toml"),
    ),
    ("interceptors/xs4all.toml", include_bytes!("../../certs/interceptors/xs4all.toml")),
    ("logs/apple.toml", include_bytes!("../../certs/logs/apple.toml")),
    ("logs/chrome.toml", include_bytes!("../../certs/logs/chrome.toml")),
    ("logs/policies.toml", include_bytes!("../../certs/logs/policies.toml")),
    ("networks/state_owned.csv", include_bytes!("../../certs/networks/state_owned.csv")),
    ("private_pki.toml", include_bytes!("../../certs/private_pki.toml")),
    ("products.toml", include_bytes!("../../certs/products.toml")),
    ("roots.csv", include_bytes!("../../certs/roots.csv")),
    ("roots.pem", include_bytes!("../../certs/roots.pem")),
    ("stores/android.toml", include_bytes!("../../certs/stores/android.toml")),
    ("stores/apple.toml", include_bytes!("../../certs/stores/apple.toml")),
    ("stores/chrome.toml", include_bytes!("../../certs/stores/chrome.toml")),
    ("stores/debian.toml", include_bytes!("../../certs/stores/debian.toml")),
    ("stores/java.toml", include_bytes!("../../certs/stores/java.toml")),
    ("stores/microsoft.toml", include_bytes!("../../certs/stores/microsoft.toml")),
    ("stores/mozilla.toml", include_bytes!("../../certs/stores/mozilla.toml")),
];
