//! The files of root programs and block lists, from the packages and the tables kept by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use crate::history::{self, Lack, State};
use crate::layout::{Anchor, BlockList, Purpose, Roots, Sha256, Store};
use crate::lists::{chromium, onecrl, refused};
use crate::sources::{certifi, chrome, debian, java, observatory, webpki, x509roots};
use crate::tables::{self, Microsoft};
use crate::text::{blocklist_toml, roots_csv, roots_pem, store_toml};

/// Texts of files by their path in `certs/`.
pub type Files = BTreeMap<&'static str, String>;

const MOZILLA: &str = "Roots for TLS servers, with the days after which new certificates were refused \
    and with name constraints. Absent: that older certificates of CNNIC were allowed one by one, and \
    what Firefox did in 2018 against Symantec's roots before they went.";
const CHROME: &str = "Chrome Root Store 40 as Chrome 154 applies it; fifteen anchors are \
    intermediates. Its SCTNotAfter days bind since Chrome 153 of September 2026, one since 139. What it \
    held earlier is not known.";
const APPLE: &str = "Apple lists roots for all purposes, its own services among them, and does not say \
    for what each is: those that neither Mozilla nor Chrome took for TLS are marked.";
const MICROSOFT: &str = "Roots with the status Included; those that Microsoft's report of 2025 allows \
    for other purposes alone are left out. A root whose new certificates alone are refused \
    (NotBefore) ends here on the day of that copy, because the report does not give the day it means. \
    Some copies have gaps, which count as held.";
const ANDROID: &str = "The list in Android's source on the days of the copies; devices get it with \
    their system, or since Android 14 with a system update.";
const DEBIAN: &str = "Debian installs Mozilla's roots for servers and mail together, and programs on it \
    trust all of them for TLS; days after which Mozilla refuses new certificates are not applied.";
const JAVA: &str = "The roots in Eclipse Temurin, which takes Mozilla's list on each release. OpenJDK's \
    own list, which Oracle ships, is shorter and is not known since 2022.";

/// Every file that is made from packages.
///
/// # Errors
/// When a package or a table is not as expected.
pub fn files(packages: &Path, certs: &Path) -> io::Result<Files> {
    let mut roots = Roots::new();
    let purposes = tables::microsoft(certs)?;
    let mozilla = mozilla(packages, certs, &mut roots)?;
    let chrome = chrome(packages, &mut roots)?;
    let for_tls: BTreeSet<Sha256> =
        mozilla.anchors.iter().chain(&chrome.anchors).map(|anchor| anchor.sha256).collect();

    let names = &["apple", "apple_macos"];
    let (states, refused_by_apple) =
        observatory::states(packages, names, Lack::Untrusted, &mut roots)?;
    let mut apple = store("Apple", APPLE, &states);
    for anchor in apple.anchors.iter_mut().filter(|anchor| !for_tls.contains(&anchor.sha256)) {
        anchor.tls = Purpose::Unknown;
    }

    let names = &["microsoft_windows"];
    let (states, refused_by_microsoft) =
        observatory::states(packages, names, Lack::Doubtful, &mut roots)?;
    let mut microsoft = store("Microsoft", MICROSOFT, &states);
    microsoft.anchors = microsoft
        .anchors
        .into_iter()
        .filter_map(|anchor| {
            let report = purposes.get(&anchor.sha256);
            purposed(anchor, &for_tls, report)
        })
        .collect();

    let (states, _) = observatory::states(packages, &["google_aosp"], Lack::Untrusted, &mut roots)?;
    let android = store("Android", ANDROID, &states);
    let debian = store("Debian", DEBIAN, &debian::states(packages, &mut roots)?);
    let java = store("Java", JAVA, &java::states(packages, &mut roots)?);

    let stores = [
        ("stores/mozilla.toml", mozilla),
        ("stores/chrome.toml", chrome),
        ("stores/apple.toml", apple),
        ("stores/microsoft.toml", microsoft),
        ("stores/android.toml", android),
        ("stores/debian.toml", debian),
        ("stores/java.toml", java),
    ];
    let disabled = |sha256: &Sha256| purposes.get(sha256).is_some_and(|root| root.disabled);
    let lists = [
        ("blocklists/onecrl.toml", onecrl::read(&packages.join("onecrl.json"))?),
        (
            "blocklists/chromium.toml",
            chromium::read(&packages.join("chromium"), &tables::chromium(certs)?)?,
        ),
        ("blocklists/apple.toml", some(refused::list("Apple", &refused_by_apple, |_| true))?),
        (
            "blocklists/microsoft.toml",
            some(refused::list("Microsoft", &refused_by_microsoft, disabled))?,
        ),
    ];

    let anchors = stores.iter().flat_map(|(_, store)| &store.anchors);
    let named: BTreeSet<Sha256> = anchors.map(|anchor| anchor.sha256).collect();
    roots.retain(|sha256, _| named.contains(sha256));
    let mut files: Files = stores.iter().map(|(path, store)| (*path, store_toml(store))).collect();
    files.extend(lists.iter().map(|(path, list)| (*path, blocklist_toml(list))));
    files.insert("roots.csv", roots_csv(&tables::owners(certs, &roots)?));
    files.insert("roots.pem", roots_pem(&roots));
    Ok(files)
}

fn some(list: Option<BlockList>) -> io::Result<BlockList> {
    list.ok_or_else(|| io::Error::other("no copy refuses anything"))
}

fn mozilla(packages: &Path, certs: &Path, roots: &mut Roots) -> io::Result<Store> {
    let mut states = certifi::states(packages, roots)?;
    let (copies, _) = observatory::states(packages, &["mozilla_nss"], Lack::Untrusted, roots)?;
    states.extend(copies);
    let (bundles, distrusts) = x509roots::states(packages, roots)?;
    states.extend(bundles);
    let (newest, constraints) = webpki::state(roots)?;
    states.push(newest);
    states.sort_by(|one, other| one.snapshot.cmp(&other.snapshot));
    let in_code = tables::mozilla(certs)?;
    let mut store = store("Mozilla", MOZILLA, &states);
    for anchor in &mut store.anchors {
        let code = in_code.get(&anchor.sha256);
        anchor.issued_after = distrusts.get(&anchor.sha256).copied();
        anchor.issued_after = anchor.issued_after.or(code.and_then(|code| code.issued_after));
        anchor.name_constraints = constraints.get(&anchor.sha256).cloned();
        if let Some(imposed) = code.and_then(|code| code.name_constraints.as_ref()) {
            anchor.name_constraints = Some(imposed.clone());
        }
    }
    Ok(store)
}

fn chrome(packages: &Path, roots: &mut Roots) -> io::Result<Store> {
    let (state, distrusts) = chrome::state(packages, roots)?;
    let mut store = store("Chrome", CHROME, &[state]);
    for anchor in &mut store.anchors {
        anchor.sct_after = distrusts.get(&anchor.sha256).copied();
    }
    Ok(store)
}

/// A program's store, by its states sorted by day.
fn store(program: &str, note: &str, states: &[State]) -> Store {
    let days = || states.iter().filter(|it| it.lack != Lack::Nothing).map(|it| it.snapshot.date);
    let (oldest, newest) = (days().min(), days().max());
    Store {
        program: program.to_owned(),
        date: newest.unwrap_or(time::Date::MIN),
        known_since: oldest.filter(|_| states.len() > 1),
        note: note.to_owned(),
        snapshots: states.iter().map(|state| state.snapshot.clone()).collect(),
        anchors: history::anchors(states),
    }
}

/// What Microsoft's report says of an anchor's purpose. Where it says other purposes and another
/// program took the root for TLS, Microsoft may have done so too at the time.
fn purposed(
    anchor: Anchor,
    for_tls: &BTreeSet<Sha256>,
    report: Option<&Microsoft>,
) -> Option<Anchor> {
    let said = report.map(|report| report.tls);
    let tls = match (said, for_tls.contains(&anchor.sha256)) {
        (Some(Some(true)), _) | (None | Some(None), true) => Purpose::Tls,
        (None | Some(None), false) | (Some(Some(false)), true) => Purpose::Unknown,
        (Some(Some(false)), false) => return None,
    };
    Some(Anchor { tls, ..anchor })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_of_other_purposes_leaves_a_root_out_unless_another_program_took_it_for_tls() {
        use Purpose::{Tls, Unknown};
        let anchor = Anchor {
            sha256: [1; 32],
            from: None,
            until: None,
            tls: Tls,
            name_constraints: None,
            issued_after: None,
            sct_after: None,
        };
        let said = |tls| Some(Microsoft { disabled: false, tls });
        for (report, elsewhere, expected) in [
            (said(Some(true)), false, Some(Tls)),
            (said(Some(false)), false, None),
            (said(Some(false)), true, Some(Unknown)),
            (said(None), false, Some(Unknown)),
            (said(None), true, Some(Tls)),
            (None, false, Some(Unknown)),
            (None, true, Some(Tls)),
        ] {
            let for_tls = elsewhere.then_some([1; 32]).into_iter().collect();
            let found = purposed(anchor.clone(), &for_tls, report.as_ref()).map(|it| it.tls);
            assert_eq!(found, expected, "{report:?}, elsewhere {elsewhere}");
        }
    }
}
