//! The accuracy of judgements, pinned: the page that `make accuracy` prints, word for word.

use kua_tests::accuracy::{Report, measure};
use kua_tests::{repository, told};

/// What was measured when this was last looked at. `UPDATE_ACCURACY=1` writes it anew.
const EXPECTED: &str = "tests/accuracy.txt";

#[test]
fn is_what_it_was() {
    let report = measure();
    let failures: Vec<_> = report.failures().collect();
    assert!(failures.is_empty(), "{failures:#?}");
    let path = repository().join(EXPECTED);
    if std::env::var_os("UPDATE_ACCURACY").is_some() {
        std::fs::write(&path, report.to_string()).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    for section in &report.sections {
        if section.skipped {
            told(&format!("{}: {}", section.title, section.lines[0]));
        } else {
            let section = section.to_string();
            assert!(expected.contains(&section), "not in {EXPECTED}:\n{section}");
        }
    }
    assert_eq!(titles(&report), 7);
}

fn titles(report: &Report) -> usize {
    report.sections.len()
}
