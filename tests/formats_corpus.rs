//! Records of other people's repositories, by format and test: every handshake in them is read.

use std::collections::BTreeMap;
use std::path::Path;

use kua::measurement::Measurement;
use kua::reference::Reference;
use kua::surroundings::Surroundings;
use kua::verdict::{Verdict, judge};
use kua::wire::from_record;
use kua_tests::{corpus, files_below};

/// Measurements, handshakes, certificates.
type Counts = (usize, usize, usize);

/// By test: every file below `folders`, read as a document or as lines.
fn read(folders: &[&str]) -> Option<Vec<Measurement>> {
    let corpus = corpus("ooni")?;
    let mut read = Vec::new();
    for folder in folders {
        let place = corpus.join(folder);
        let files =
            if place.is_dir() { files_below(&place, &[".json", ".jsonl"]) } else { vec![place] };
        for file in files {
            read.extend(records(&file).iter().filter_map(|text| from_record(text.as_bytes()).ok()));
        }
    }
    Some(read)
}

/// Rows that stand below `row`, as Censored Planet's unit tests have them, by themselves.
fn records(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let values: Vec<serde_json::Value> = match serde_json::from_str(&text) {
        Ok(serde_json::Value::Array(items)) => items,
        Ok(value) => vec![value],
        Err(_) => text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
    };
    let values = values.into_iter();
    values.map(|value| value.get("row").unwrap_or(&value).to_string()).collect()
}

fn counts(measurements: &[Measurement]) -> BTreeMap<String, Counts> {
    let mut counts = BTreeMap::<String, Counts>::new();
    for measurement in measurements {
        let software = &measurement.software;
        let count = counts.entry(format!("{} {}", software.test, software.test_version));
        let count = count.or_default();
        let chains = measurement.handshakes.iter().filter_map(|shaken| shaken.chain.as_ref());
        count.0 += 1;
        count.1 += measurement.handshakes.len();
        count.2 += chains.map(|chain| chain.certificates().len()).sum::<usize>();
    }
    counts
}

fn expected(counts: &[(&str, Counts)]) -> BTreeMap<String, Counts> {
    counts.iter().map(|(test, counts)| ((*test).to_owned(), *counts)).collect()
}

/// The tests of OONI that shake hands at all.
#[test]
fn ooni_by_test() {
    let folders = ["backend-fastpath", "probe-cli", "spec-examples"];
    let Some(measurements) = read(&folders) else { return };
    let mut counts = counts(&measurements);
    counts.retain(|_, (_, handshakes, _)| *handshakes > 0);
    let by_test = [
        ("dnscheck 0.1.0", (1, 4, 8)),
        ("echcheck 0.2.0", (1, 3, 9)),
        ("psiphon 0.3.2", (1, 1, 2)),
        ("riseupvpn 0.2.0", (1, 1, 1)),
        ("signal 0.2.0", (1, 6, 6)),
        ("signal 0.2.2", (2, 11, 22)),
        ("signal 0.2.5", (1, 4, 8)),
        ("simplequicping 0.2.0", (1, 10, 30)),
        ("sni_blocking 0.0.1", (1, 2, 2)),
        ("telegram 0.3.0", (1, 1, 4)),
        ("tlsmiddlebox 0.1.0", (1, 16, 2)),
        ("tlsping 0.2.0", (1, 10, 30)),
        ("tor 0.0.1", (2, 1, 1)),
        ("tor 0.1.0", (1, 34, 10)),
        ("urlgetter 0.1.0", (1, 1, 3)),
        ("web_connectivity 0.4.1", (3, 1, 1)),
        ("web_connectivity 0.5.28", (7, 16, 26)),
        ("whatsapp 0.10.0", (1, 2, 4)),
        ("whatsapp 0.9.0", (1, 2, 4)),
    ];
    assert_eq!(counts, expected(&by_test));
}

#[test]
fn hyperquack_by_version() {
    let Some(rows) = read(&["censoredplanet"]) else { return };
    let by_version = [("hyperquack 1", (9, 8, 8)), ("hyperquack 2", (10, 4, 4))];
    assert_eq!(counts(&rows), expected(&by_version));
    for row in &rows {
        assert_eq!(row.annotations["vantage"], "remote server");
        assert!(row.handshakes.iter().all(|shaken| !shaken.whole && shaken.server_name.is_none()));
    }
}

#[test]
fn ripe_atlas() {
    let Some(results) = read(&["ripe-atlas-sslcert.jsonl"]) else { return };
    assert_eq!(counts(&results), expected(&[("sslcert ", (18, 16, 16))]));
}

/// Servers asked for other people's names, and sites with odd certificates.
#[test]
fn nobody_is_accused() {
    let Some(all) = read(&["censoredplanet", "ripe-atlas-sslcert.jsonl"]) else { return };
    let reference = Reference::built_in().unwrap();
    let mut beside = Surroundings::none();
    for measurement in &all {
        beside.add(measurement, &reference);
    }
    let mut verdicts = BTreeMap::new();
    for measurement in &all {
        for judgement in judge(measurement, &reference, &beside, None) {
            assert_ne!(judgement.verdict, Verdict::Intercepted, "{judgement:?}");
            if !measurement.handshakes.is_empty() {
                *verdicts.entry(judgement.verdict.as_str()).or_insert(0) += 1;
            }
        }
    }
    // What is known of a lone leaf, or of a root that no program holds: not enough, either way.
    assert_eq!(verdicts, BTreeMap::from([("anomaly", 26), ("inconclusive", 2)]));
}
