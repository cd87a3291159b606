//! Real records of others: none of them shows an interception, and nobody is accused.

use std::collections::BTreeMap;

use kua::chain::Chain;
use kua::measurement::{Handshake, Measurement};
use kua::reference::Reference;
use kua::surroundings::Surroundings;
use kua::verdict::{Verdict, judge};
use kua::wire;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::expected::told;
use super::replay::share;
use super::report::Section;
use crate::{data, files_below};

/// A probe with an old root of Signal took Signal's own chains for failures.
const STALE_PROBE: &str = "signal_2627.json";

/// Records of one source.
struct Corpus {
    name: &'static str,
    records: Vec<(String, Measurement)>,
}

pub(super) fn section() -> Section {
    let title = "Genuine records of others: is anybody accused?";
    let mut section = Section::new(title);
    let Some(corpora) = read() else { return section.skip("no corpus") };
    let reference = Reference::built_in().unwrap();
    let (mut judged, mut accused) = (0, 0);
    for corpus in &corpora {
        let (mut handshakes, mut certificates) = (0, 0);
        let mut verdicts: BTreeMap<Verdict, usize> = BTreeMap::new();
        for (file, measurement) in &corpus.records {
            let chains = measurement.handshakes.iter().filter_map(|shaken| shaken.chain.as_ref());
            certificates += chains.map(|chain| chain.certificates().len()).sum::<usize>();
            handshakes += measurement.handshakes.len();
            if measurement.handshakes.is_empty() {
                continue;
            }
            for judgement in judge(measurement, &reference, &Surroundings::none(), None) {
                judged += 1;
                *verdicts.entry(judgement.verdict).or_default() += 1;
                let intercepted = judgement.verdict == Verdict::Intercepted;
                let suspicious = file == STALE_PROBE && judgement.verdict == Verdict::Anomaly;
                if intercepted || judgement.interceptor.is_some() || suspicious {
                    accused += 1;
                    section.fail(format!("{file}: {}", told(&judgement)));
                }
            }
        }
        let records = corpus.records.len();
        section.line(format!(
            "{}: {records} records, {handshakes} handshakes, {certificates} certificates",
            corpus.name
        ));
        let counts: Vec<_> =
            verdicts.iter().map(|(verdict, count)| format!("{verdict} {count}")).collect();
        section.line(format!("  {}", counts.join(", ")));
    }
    section.line(format!("false accusations {}", share(accused, judged)));
    section.line(format!("{STALE_PROBE}: not one suspicion"));
    section
}

fn read() -> Option<Vec<Corpus>> {
    let ooni = data("ooni")?;
    let mut corpora = Vec::new();
    for (name, folder) in [
        ("OONI, fastpath", "backend-fastpath"),
        ("OONI, probe-cli", "probe-cli/generated-with-certs"),
        ("OONI, spec", "spec-examples"),
    ] {
        let mut records = Vec::new();
        for file in files_below(&ooni.join(folder), &[".json"]) {
            let name = file.file_name()?.to_string_lossy().into_owned();
            let text = std::fs::read(&file).unwrap();
            let items = match serde_json::from_slice(&text) {
                Ok(Value::Array(items)) => items,
                Ok(item) => vec![item],
                Err(_) => continue,
            };
            let read = items.iter().map(|item| wire::from_line(item.to_string().as_bytes()));
            records.extend(read.filter_map(Result::ok).map(|record| (name.clone(), record)));
        }
        corpora.push(Corpus { name, records });
    }
    let mut records = Vec::new();
    for file in files_below(&ooni.join("censoredplanet"), &[".json", ".jsonl"]) {
        let name = file.file_name()?.to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        for row in text.lines().filter_map(|line| serde_json::from_str(line).ok()) {
            let found = hyperquack(&row, &Asked::default());
            records.extend(found.into_iter().map(|record| (name.clone(), record)));
        }
    }
    corpora.push(Corpus { name: "Censored Planet, one leaf each", records });
    let text = std::fs::read_to_string(ooni.join("ripe-atlas-sslcert.jsonl")).unwrap();
    let rows = text.lines().filter_map(|line| serde_json::from_str(line).ok());
    let records = rows.filter_map(|row: Value| Some(("sslcert".to_owned(), atlas(&row)?)));
    corpora.push(Corpus { name: "RIPE Atlas, sslcert", records: records.collect() });
    Some(corpora)
}

/// What was asked for where, as far as the objects around a certificate tell.
#[derive(Clone, Debug, Default)]
struct Asked {
    name: Option<String>,
    at: Option<OffsetDateTime>,
}

/// Every leaf in a row of HyperQuack or Satellite, wherever their versions put it.
fn hyperquack(value: &Value, asked: &Asked) -> Vec<Measurement> {
    let mut asked = asked.clone();
    let text = |key: &str| value[key].as_str();
    let names = ["Sent", "control_url", "Keyword", "keyword", "test_url"];
    if let Some(name) = names.iter().find_map(|key| text(key)) {
        asked.name = kua::measurement::host_of(name);
    }
    if let Some(at) = ["StartTime", "start_time"].iter().find_map(|key| text(key)) {
        asked.at = OffsetDateTime::parse(at, &Rfc3339).ok().or(asked.at);
    }
    let mut found = Vec::new();
    for key in ["cert", "Certificate"] {
        let der = text(key).and_then(|text| data_encoding::BASE64.decode(text.as_bytes()).ok());
        let chain = der.filter(|der| der.first() == Some(&0x30));
        let chain = chain.and_then(|der| Chain::from_der([der]).ok());
        if let Some((chain, name)) = chain.zip(asked.name.clone()) {
            found.push(measurement(asked.at, leaf_of(&name, chain, false)));
        }
    }
    let inner: Vec<&Value> = match value {
        Value::Object(fields) => fields.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    found.extend(inner.into_iter().flat_map(|inner| hyperquack(inner, &asked)));
    found
}

/// One result of RIPE Atlas' `sslcert`, which verifies nothing and keeps all that was sent.
fn atlas(row: &Value) -> Option<Measurement> {
    let at = OffsetDateTime::from_unix_timestamp(row["timestamp"].as_i64()?).ok();
    let pems = row["cert"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let sent =
        pems.map(|pem| Some(x509_parser::pem::parse_x509_pem(pem.as_bytes()).ok()?.1.contents));
    let chain = Chain::from_der(sent.collect::<Option<Vec<_>>>()?).ok();
    let Some(chain) = chain else {
        return Some(Measurement { started: at, ..Measurement::default() });
    };
    Some(measurement(at, leaf_of(row["dst_name"].as_str()?, chain, true)))
}

fn leaf_of(name: &str, chain: Chain, whole: bool) -> Handshake {
    Handshake {
        network: "tcp".into(),
        server_name: Some(name.into()),
        unverified: true,
        chain: Some(chain),
        whole,
        ..Handshake::default()
    }
}

fn measurement(started: Option<OffsetDateTime>, shaken: Handshake) -> Measurement {
    Measurement { started, handshakes: vec![shaken], ..Measurement::default() }
}
