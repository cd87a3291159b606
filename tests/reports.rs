//! The programs' reports as they are published: every sample is read, with pinned counts.

use std::collections::BTreeMap;

use kua_certs::layout::Roots;
use kua_certs::read;
use kua_certs::refresh::{Inputs, Made, REFRESHABLE, RefreshError};
use kua_certs::reports::{self, ReportError, Status};
use kua_tests::{corpus, repository};

#[test]
fn samples_of_ccadb() {
    let Some(folder) = corpus("ccadb") else { return };
    let bytes = std::fs::read(folder.join("AllCertificateRecordsCSVFormatV5.sample.csv")).unwrap();
    let records = reports::ccadb::from_bytes(&bytes).unwrap();
    let statuses: Vec<_> =
        records.iter().map(|record| (record.is_root, record.microsoft)).collect();
    assert_eq!(
        statuses,
        [(true, Status::Disabled), (true, Status::Removed), (true, Status::Disabled)]
    );
    assert_eq!(records[0].country, "Austria");
    // The version before has other columns.
    let bytes = std::fs::read(folder.join("AllCertificateRecordsCSVFormat.test.csv")).unwrap();
    let refused = reports::ccadb::from_bytes(&bytes);
    assert!(matches!(refused, Err(ReportError::NoColumn { .. })), "{refused:?}");

    let bytes = std::fs::read(folder.join("IncludedCACertificateReportPEMCSV.test.csv")).unwrap();
    let roots = reports::mozilla::from_bytes(&bytes).unwrap();
    assert_eq!(roots.len(), 1);
    assert_eq!(roots[0].owner, "Internet Security Research Group");
    assert!(roots[0].websites && roots[0].distrust_after.is_none());
    assert_eq!(reports::certificates::from_bytes(&bytes).unwrap().len(), 1);
    for length in (0..bytes.len()).step_by(97) {
        assert!(reports::mozilla::from_bytes(&bytes[..length]).is_err(), "{length}");
    }
}

#[test]
fn onecrl_of_october_2026() {
    let Some(folder) = corpus("blocklists") else { return };
    let bytes = std::fs::read(folder.join("onecrl.json")).unwrap();
    let list = reports::onecrl::from_bytes(&bytes).unwrap();
    let serials: usize = list.issuers.values().map(BTreeMap::len).sum();
    // 1,909 records by issuer and serial number, four of which say what others say.
    assert_eq!((serials, list.keys.len(), list.date.to_string().as_str()), (1905, 9, "2026-10-28"));
}

#[test]
fn lists_of_logs_and_their_signature() {
    let Some(folder) = corpus("ct") else { return };
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let (list, signature) =
        (read("gstatic_v3_all_logs_list.json"), read("gstatic_v3_all_logs_list.sig"));
    let chrome = reports::logs::signed(&list, &signature).unwrap();
    let apple = reports::logs::from_bytes(&read("apple_current_log_list.json")).unwrap();
    for (list, name) in [(&chrome, "chrome"), (&apple, "apple")] {
        let built_in = repository().join(format!("certs/logs/{name}.toml"));
        assert_eq!(list.toml(), std::fs::read_to_string(built_in).unwrap(), "{name}");
    }
    let mut changed = list.clone();
    changed[1000] ^= 1;
    let refused = reports::logs::signed(&changed, &signature);
    assert!(matches!(refused, Err(ReportError::BadSignature { .. })));
    let refused = reports::logs::signed(&list, &signature[..511]);
    assert!(matches!(refused, Err(ReportError::BadSignature { .. })));
}

#[test]
fn roots_that_lie_in_a_row_are_all_found() {
    let Some(folder) = corpus("roots") else { return };
    let bytes = std::fs::read(folder.join("all_roots.pem")).unwrap();
    assert_eq!(reports::certificates::from_bytes(&bytes).unwrap().len(), 413);
}

/// The built-in file as reports of 2026-11-23 make it anew.
fn refreshed(file: &str, reports: &[(&'static str, Vec<u8>)]) -> Result<Made, RefreshError> {
    let previous = std::fs::read_to_string(repository().join("certs").join(file)).unwrap();
    let reports: BTreeMap<_, _> =
        reports.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    let refreshable = REFRESHABLE.iter().find(|refreshable| refreshable.file == file).unwrap();
    let roots = Roots::new();
    let day = time::macros::date!(2026 - 11 - 23);
    refreshable.make(&Inputs { reports: &reports, day, previous: Some(&previous), roots: &roots })
}

/// What packages and what reports make of one state is the same.
#[test]
fn reports_of_a_known_state_change_nothing() {
    let built_in =
        |file: &str| std::fs::read_to_string(repository().join("certs").join(file)).unwrap();
    let Some(data) = corpus("") else { return };
    let read = |path: &str| std::fs::read(data.join(path)).unwrap();

    let made =
        refreshed("blocklists/onecrl.toml", &[("onecrl.json", read("blocklists/onecrl.json"))]);
    assert_eq!(made.unwrap().text, built_in("blocklists/onecrl.toml"));

    let (list, signature) = ("ct/gstatic_v3_all_logs_list.json", "ct/gstatic_v3_all_logs_list.sig");
    let reports = [("all_logs_list.json", read(list)), ("all_logs_list.sig", read(signature))];
    assert_eq!(refreshed("logs/chrome.toml", &reports).unwrap().text, built_in("logs/chrome.toml"));

    let written: serde_json::Value =
        serde_json::from_slice(&read("roots/chrome_root_store_v40.json")).unwrap();
    let certificates = ("root_store.certs", read("roots/all_roots.pem"));
    for (version, anchors, accepted) in [(40, 115, true), (39, 115, false), (41, 50, false)] {
        let text = chrome(&written, version, anchors);
        let made = refreshed(
            "stores/chrome.toml",
            &[("root_store.textproto", text), certificates.clone()],
        );
        assert_eq!(made.is_ok(), accepted, "version {version} with {anchors} anchors");
        let Ok(made) = made else { continue };
        let (made, known) = (read::store(&made.text).unwrap(), built_in("stores/chrome.toml"));
        assert_eq!(made.anchors, read::store(&known).unwrap().anchors);
        assert_eq!(made.anchors.len(), 115);
    }
}

/// Chrome's root store as its sources write it.
fn chrome(written: &serde_json::Value, version: u32, anchors: usize) -> Vec<u8> {
    let mut text = format!("# A comment.\n\nversion_major: {version}\n");
    for anchor in written.as_array().unwrap().iter().take(anchors) {
        let (field, more) = match anchor["kind"].as_str().unwrap() {
            "Root" => ("trust_anchors", ""),
            _ => ("additional_certs", "  tls_trust_anchor: true\n"),
        };
        let sha256 = anchor["sha256"].as_str().unwrap();
        text.push_str(&format!("\n{field} {{\n  sha256_hex: \"{sha256}\"\n{more}"));
        for set in anchor["constraints"].as_array().unwrap() {
            text.push_str("  constraints: {\n");
            for (name, value) in set.as_object().unwrap() {
                let value = value.as_str().unwrap().replace('_', "").replace("i64", "");
                text.push_str(&format!("    {name}: {value}\n"));
            }
            text.push_str("  }\n");
        }
        text.push_str("}\n");
    }
    text.into_bytes()
}
