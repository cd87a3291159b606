//! Looks at every place where a machine may keep roots, and at what changes them.

use std::path::{Path, PathBuf};

use super::container::Kind;
use super::environment::{self, Setting};
use super::places::PLACES;
use super::read::{Failed, Found, Machine, Store, file};
use super::remedy::Remedy;
use super::{Content, Held, StoreError, Trust, policies, system};

/// Looks at every place that is known.
pub fn search(machine: &Machine) -> Found {
    let mut found = Found::default();
    for place in PLACES {
        for path in machine.expand(place.pattern) {
            found.open(machine, &path, place.what, place.remedy, place.trust);
        }
    }
    if machine.root.is_none() {
        for listed in system::listed(machine.homes.first().map(PathBuf::as_path)) {
            let (what, remedy) = (listed.what.to_owned(), listed.remedy);
            match listed.content {
                Ok(content) => {
                    let kind = Kind::System;
                    found.stores.push(Store { path: listed.path, what, kind, remedy, content });
                }
                Err(error) => found.failed.push(Failed { path: listed.path, error }),
            }
        }
    }
    browsers(machine, &mut found);
    debian(machine, &mut found);
    overrides(machine, &mut found);
    found
}

/// What browsers are told: preferences of each profile, and policies.
fn browsers(machine: &Machine, found: &mut Found) {
    for place in
        PLACES.iter().filter(|place| matches!(place.remedy, Remedy::Firefox | Remedy::Thunderbird))
    {
        for profile in machine.expand(place.pattern) {
            let texts: Vec<_> = ["prefs.js", "user.js"]
                .iter()
                .filter_map(|name| found.text(machine, &profile.join(name)))
                .collect();
            let texts: Vec<_> = texts.iter().map(String::as_str).collect();
            if let Some(on) = policies::enterprise_roots(&texts) {
                found.settings.push(policies::enterprise_setting(&profile.to_string_lossy(), on));
            }
        }
    }
    for pattern in policies::FIREFOX {
        for path in machine.expand(pattern) {
            let Some(text) = found.text(machine, &path) else { continue };
            let shown = path.to_string_lossy().into_owned();
            match policies::firefox(&text) {
                Ok((roots, install)) => {
                    if let Some(on) = roots {
                        found.settings.push(policies::enterprise_setting(&shown, on));
                    }
                    for name in install {
                        installed(machine, found, &name);
                    }
                }
                Err(error) => {
                    found.fail(shown, StoreError::Unreadable(std::io::Error::other(error)));
                }
            }
        }
    }
    for (pattern, browser) in policies::CHROMIUM {
        for path in machine.expand(pattern) {
            let Some(text) = found.text(machine, &path) else { continue };
            let shown = path.to_string_lossy().into_owned();
            match policies::chromium(&text) {
                Ok(content) if content == Content::default() => {}
                Ok(content) => found.stores.push(Store {
                    path: shown,
                    what: format!("policy of {browser}"),
                    kind: Kind::Pem,
                    remedy: Remedy::BrowserPolicy,
                    content,
                }),
                Err(error) => {
                    found.fail(shown, StoreError::Unreadable(std::io::Error::other(error)));
                }
            }
        }
    }
}

/// A certificate that a policy installs: a whole path, or a name in one of a few folders.
fn installed(machine: &Machine, found: &mut Found, name: &str) {
    let what = "installed by Firefox's policy";
    if name.starts_with('/') || name.contains(":\\") {
        return found.open(machine, Path::new(name), what, Remedy::BrowserPolicy, Trust::Trusted);
    }
    for folder in policies::FIREFOX_CERTIFICATES {
        for folder in machine.expand(folder) {
            let path = folder.join(name);
            if machine.real(&path).is_file() {
                found.open(machine, &path, what, Remedy::BrowserPolicy, Trust::Trusted);
            }
        }
    }
}

/// Certificates that Debian's list turns off.
fn debian(machine: &Machine, found: &mut Found) {
    let Some(list) = found.text(machine, Path::new(policies::DEBIAN)) else { return };
    let mut content = Content::default();
    for name in policies::turned_off(&list) {
        let path = Path::new("/usr/share/ca-certificates").join(name);
        if let Ok((_, read)) = file(&machine.real(&path)) {
            let off =
                |held: Held| Held { trust: Trust::Distrusted, label: name.to_owned(), ..held };
            content.held.extend(read.held.into_iter().map(off));
        }
    }
    if !content.held.is_empty() {
        let (path, kind) = (policies::DEBIAN.to_owned(), Kind::Pem);
        let what = "turned off on this machine".to_owned();
        found.stores.push(Store { path, what, kind, remedy: Remedy::Generated, content });
    }
}

/// Stores that variables and settings name, and what turns verification off.
fn overrides(machine: &Machine, found: &mut Found) {
    let mut named = environment::named(&machine.environment);
    for (pattern, setting, reader) in environment::FILES {
        for path in machine.expand(pattern) {
            let Some(text) = found.text(machine, &path) else { continue };
            let name = format!("{setting} of {}", path.display());
            let values = environment::values(&text, setting);
            named.extend(
                values.into_iter().map(|value| (name.clone(), (*reader).to_owned(), value)),
            );
        }
    }
    for (name, readers, value) in named {
        let path = match (value.strip_prefix("~/"), machine.homes.first()) {
            (Some(below), Some(home)) => home.join(below),
            _ => PathBuf::from(&value),
        };
        let means = format!("these roots count for {readers}");
        let usual = found.is_generated(machine, &path);
        found.settings.push(Setting { place: name.clone(), says: value, means, usual });
        let before = found.stores.len();
        found.open(
            machine,
            &path,
            &format!("named by {name}"),
            Remedy::Environment,
            Trust::Trusted,
        );
        for store in &mut found.stores[before..] {
            store.content.held.iter_mut().for_each(|held| held.label.clone_from(&name));
        }
    }
    found.settings.extend(environment::switches(&machine.environment));
}

#[cfg(all(test, unix))]
mod tests;
