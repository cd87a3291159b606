//! The history of incidents: complete, joined with the dossiers, and written out for readers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use kua::reference::Reference;
use kua_tests::{files_below, repository, skipped};
use serde::Deserialize;

#[derive(Deserialize)]
struct History {
    incident: Vec<Incident>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Incident {
    id: String,
    country: Option<String>,
    years: Vec<u16>,
    kind: String,
    #[serde(default)]
    dossiers: Vec<String>,
    what: String,
    sources: Vec<String>,
}

const KINDS: [&str; 6] =
    ["misissued", "plan", "product", "public-authority", "state-root", "untrusted"];

fn history() -> Vec<Incident> {
    let text = std::fs::read_to_string(repository().join("certs/incidents.toml")).unwrap();
    toml::from_str::<History>(&text).unwrap().incident
}

/// The incidents that each dossier's file says it covers.
fn covered() -> BTreeMap<String, Vec<String>> {
    let files = files_below(&repository().join("certs/interceptors"), &[".toml"]);
    let read = |file| -> toml::Table { std::fs::read_to_string(file).unwrap().parse().unwrap() };
    let text = |value: &toml::Value| value.as_str().unwrap().to_owned();
    let dossiers = files.into_iter().map(read);
    dossiers
        .map(|dossier| {
            let incidents = dossier["incidents"].as_array().unwrap().iter().map(text).collect();
            (text(&dossier["id"]), incidents)
        })
        .collect()
}

#[test]
fn incidents_and_dossiers_name_each_other() {
    let mut named: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for incident in history() {
        assert!(KINDS.contains(&incident.kind.as_str()), "{}: {}", incident.id, incident.kind);
        assert!(!incident.sources.is_empty() && !incident.what.is_empty(), "{}", incident.id);
        assert!(!incident.years.is_empty() && incident.years.is_sorted(), "{}", incident.id);
        for dossier in &incident.dossiers {
            named.entry(dossier.clone()).or_default().push(incident.id.clone());
        }
        assert!(ids.insert(incident.id.clone()), "{} twice", incident.id);
    }
    assert_eq!(named, covered());
    let reference = Reference::built_in().unwrap();
    let built_in: BTreeSet<_> =
        reference.dossiers.iter().map(|dossier| dossier.id.clone()).collect();
    assert_eq!(built_in, named.into_keys().collect());
    assert_eq!((ids.len(), built_in.len()), (41, 26));
}

/// The catalogue that lies beside the repository: no incident is left out, and each key that it
/// states stands in a dossier of that incident.
#[test]
fn every_incident_of_the_catalogue_is_told_and_every_key_is_in_a_dossier() {
    let path = repository().join("../shared/facts/incidents.toml");
    let Ok(text) = std::fs::read_to_string(path) else { return skipped("no corpus") };
    let catalogue: toml::Table = text.parse().unwrap();
    let history = history();
    let reference = Reference::built_in().unwrap();
    let (mut certificates, mut keys, mut told) = (0, 0, Vec::new());
    for known in catalogue["incident"].as_array().unwrap() {
        let id = known["id"].as_str().unwrap();
        let incident = history.iter().find(|incident| incident.id == id);
        let incident = incident.unwrap_or_else(|| panic!("{id} is not told"));
        let dossiers: Vec<_> = reference
            .dossiers
            .iter()
            .filter(|dossier| incident.dossiers.contains(&dossier.id))
            .collect();
        let list = |field: &str| known.get(field).and_then(toml::Value::as_array).cloned();
        for certificate in list("cert").unwrap_or_default() {
            let stated = |field: &str| certificate[field].as_str().unwrap();
            let listed = dossiers.iter().flat_map(|dossier| &dossier.keys);
            let mut listed = listed.filter(|key| key.sha256.as_deref() == Some(stated("sha256")));
            certificates += 1;
            match listed.next() {
                Some(key) => {
                    assert_eq!(key.sha1.as_deref(), Some(stated("sha1")), "{id}");
                    assert_eq!(key.key_hash.to_string(), stated("spki_sha256"), "{id}");
                }
                None => told.push(stated("subject").to_owned()),
            }
        }
        for blocked in list("spki_blocked").unwrap_or_default() {
            let key = blocked.as_str().unwrap().parse().unwrap();
            let (dossier, _) = reference.dossier_with(key).unwrap();
            assert!(incident.dossiers.contains(&dossier.id), "{id}");
            keys += 1;
        }
        for forged in list("sha256_from_filename").unwrap_or_default() {
            let name = forged.as_str().unwrap().parse().unwrap();
            let forged = kua::reference::Forged::Certificate(name);
            assert!(dossiers.iter().any(|dossier| dossier.forged.contains(&forged)), "{id}");
            keys += 1;
        }
    }
    // A customer of Trustwave against whom nothing speaks.
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("CN=Micros CA,"));
    assert_eq!((history.len(), certificates, keys), (41, 90, 13));
}

/// `UPDATE_DOCS=1 cargo test --package kua-tests incidents` writes the page again.
#[test]
fn the_page_about_incidents_says_what_the_history_says() {
    let mut page = PAGE.to_owned();
    for incident in history() {
        let Incident { id, country, years, kind, dossiers, what, sources } = incident;
        let where_and_when = match (country, &years[..]) {
            (Some(country), [first, .., last]) => format!("{country}, {first} to {last}"),
            (Some(country), years) => format!("{country}, {}", years[0]),
            (None, [first, .., last]) => format!("{first} to {last}"),
            (None, years) => years[0].to_string(),
        };
        let key = match &dossiers[..] {
            [] => "No key is known.".to_owned(),
            dossiers => {
                let links = dossiers
                    .iter()
                    .map(|dossier| format!("[{dossier}](../certs/interceptors/{dossier}.toml)"));
                format!("Dossier: {}.", links.collect::<Vec<_>>().join(", "))
            }
        };
        let sources = (1..).zip(&sources).map(|(number, url)| format!("[{number}]({url})"));
        let sources = sources.collect::<Vec<_>>().join(" ");
        writeln!(page, "## {id}\n\n{where_and_when}; {kind}. {what}\n{key} Sources: {sources}\n")
            .unwrap();
    }
    let page = format!("{}\n", page.trim_end());
    let path = repository().join("docs/incidents.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "docs/incidents.md is not what certs/incidents.toml says: UPDATE_DOCS=1");
}

const PAGE: &str = "\
# Incidents

What is known of interception, of certificates that should not have been, and of plans for either. A dossier
holds the keys of an incident and says what each of them shows; without one the incident is history, and
nothing here can recognise it by a key. The page is made from `certs/incidents.toml` by a test:
`UPDATE_DOCS=1 cargo test --package kua-tests incidents`.

Kinds: `state-root`, a root of a state; `public-authority`, a trusted authority that was lent, broken into,
careless or distrusted; `misissued`, a trusted certificate in the wrong hands; `untrusted`, a certificate that
no program trusts; `product`, a program or a box; `plan`.

";
