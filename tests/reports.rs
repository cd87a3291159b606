//! The programs' reports as they are published: every sample is read, with pinned counts.

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
    let serials: usize = list.issuers.values().map(|serials| serials.len()).sum();
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
