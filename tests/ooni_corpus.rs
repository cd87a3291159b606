//! Real OONI records: read without loss of what is used, and nobody accused who is innocent.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kua::measurement::Measurement;
use kua::reference::{Reference, built_in_files};
use kua::surroundings::Surroundings;
use kua::verdict::{Judgement, Verdict, judge};
use kua::wire;
use kua_tests::{corpus, files_below};

/// Records by file: every document, and of arrays every element.
fn records(folder: &str) -> Option<Vec<(PathBuf, serde_json::Value)>> {
    let folder = corpus("ooni")?.join(folder);
    let mut records = Vec::new();
    for file in files_below(&folder, &[".json"]) {
        let text = std::fs::read(&file).unwrap();
        match serde_json::from_slice(&text) {
            Ok(serde_json::Value::Array(items)) => {
                records.extend(items.into_iter().map(|item| (file.clone(), item)));
            }
            Ok(record) => records.push((file, record)),
            Err(_) => {}
        }
    }
    Some(records)
}

fn read(folder: &str) -> Option<Vec<(String, Measurement)>> {
    let records = records(folder)?.into_iter().filter_map(|(file, record)| {
        let measurement = wire::from_line(record.to_string().as_bytes()).ok()?;
        Some((file.file_name()?.to_string_lossy().into_owned(), measurement))
    });
    Some(records.collect())
}

/// Measurements, handshakes, handshakes with certificates, certificates.
fn counts(measurements: &[(String, Measurement)]) -> (usize, usize, usize, usize) {
    let handshakes = || measurements.iter().flat_map(|(_, measurement)| &measurement.handshakes);
    let chains = || handshakes().filter_map(|shaken| shaken.chain.as_ref());
    let certificates = chains().map(|chain| chain.certificates().len()).sum();
    (measurements.len(), handshakes().count(), chains().count(), certificates)
}

/// The counts of `SOURCES.md` beside the data, less the two handshakes of a test helper, which are
/// read as what the helper saw.
#[test]
fn nothing_that_is_used_is_lost() {
    for (folder, expected) in [
        ("backend-fastpath", (43, 22, 22, 35)),
        ("probe-cli/generated-with-certs", (7, 16, 15, 26)),
        ("spec-examples", (34, 88, 48, 112)),
    ] {
        let Some(measurements) = read(folder) else { return };
        assert_eq!(counts(&measurements), expected, "{folder}");
    }
}

#[test]
fn records_survive_a_second_writing() {
    for folder in ["backend-fastpath", "probe-cli/generated-with-certs", "spec-examples"] {
        let Some(measurements) = read(folder) else { return };
        for (file, measurement) in measurements {
            let again = wire::from_line(wire::to_line(&measurement).as_bytes()).unwrap();
            let certificates = |measurement: &Measurement| -> Vec<_> {
                measurement.handshakes.iter().map(|shaken| shaken.chain.clone()).collect()
            };
            assert_eq!(certificates(&again), certificates(&measurement), "{file}");
            assert_eq!(again.started, measurement.started, "{file}");
            assert_eq!(again.vantage, measurement.vantage, "{file}");
            assert_eq!(again.queries, measurement.queries, "{file}");
            assert_eq!(again.connects, measurement.connects, "{file}");
        }
    }
}

/// None of these records shows an interception by anybody: Signal's private root, expired sites
/// and badssl.com's test sites are what their owners made them.
#[test]
fn nobody_is_accused() {
    let reference = Reference::built_in().unwrap();
    let mut all = Vec::new();
    for folder in ["backend-fastpath", "probe-cli/generated-with-certs", "spec-examples"] {
        let Some(measurements) = read(folder) else { return };
        all.extend(measurements);
    }
    let alone = verdicts(&all, &reference, &Surroundings::none());
    let mut beside = Surroundings::none();
    for (_, measurement) in &all {
        beside.add(measurement, &reference);
    }
    assert_eq!(verdicts(&all, &reference, &beside), alone, "what else was seen changes none");
    // Inconclusive: five chains of Signal's own root among them. Anomalies: two expired sites, one
    // chain without a control. Ten of the normal ones, of 2020 to 2022, lead to roots that Mozilla
    // has let go since.
    let expected = [
        ("anomaly", 3),
        ("blocked", 1),
        ("inconclusive", 85),
        ("misconfigured", 4),
        ("normal", 33),
    ];
    assert_eq!(alone, expected.into_iter().collect());
}

/// Handshakes by verdict; nobody is accused in any.
fn verdicts(
    all: &[(String, Measurement)],
    reference: &Reference,
    surroundings: &Surroundings,
) -> BTreeMap<&'static str, u64> {
    let mut verdicts = BTreeMap::new();
    for (file, measurement) in all {
        for judgement in judge(measurement, reference, surroundings, None) {
            assert_ne!(judgement.verdict, Verdict::Intercepted, "{file}: {judgement:?}");
            assert_eq!(judgement.interceptor, None, "{file}");
            if !measurement.handshakes.is_empty() {
                *verdicts.entry(judgement.verdict.as_str()).or_insert(0) += 1;
            }
        }
    }
    verdicts
}

/// The record of ooni/probe 2627 as an archive would hold it, without knowing that Signal runs an
/// authority of its own: one version of the program refuses what another accepts, everywhere.
#[test]
fn a_defect_of_the_program_is_known_by_its_versions() {
    let Some(records) = read("backend-fastpath") else { return };
    let files = built_in_files().filter(|file| file.path != "private_pki.toml");
    let reference = Reference::from_files(files).unwrap();
    let named = |name: &str| records.iter().find(|(file, _)| file == name).unwrap().1.clone();
    let (old, new) = (named("signal_2627.json"), named("signal_679.json"));
    let mut all = Vec::new();
    for (country, asn) in [("AM", 44395), ("AM", 64500), ("GE", 64501)] {
        for measurement in [&old, &new, &old, &new] {
            let mut seen = measurement.clone();
            seen.vantage.country = country.into();
            seen.vantage.asn = asn;
            seen.started = old.started;
            all.push(seen);
        }
    }
    let mut beside = Surroundings::none();
    for measurement in &all {
        beside.add(measurement, &reference);
    }
    let judged = |around: &_| judge(&old, &reference, around, None);
    let refused = |judgement: &Judgement| judgement.failure.is_some();
    let alone = judged(&Surroundings::none());
    assert!(alone.iter().filter(|judgement| refused(judgement)).all(|judgement| {
        judgement.verdict == Verdict::Anomaly && !judgement.has("instrument-defect")
    }));
    let beside = judged(&beside);
    let defects = beside.iter().filter(|judgement| judgement.has("instrument-defect"));
    let defects: Vec<_> = defects.map(|found| (found.verdict, found.level)).collect();
    assert_eq!(defects, [(Verdict::Inconclusive, None); 5]);
}
