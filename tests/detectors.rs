//! What the registry of detectors says of itself is what their files say and test.

use kua::detect::DETECTORS;
use kua_tests::repository;

#[test]
fn an_example_is_a_row_of_the_detector_s_table() {
    for detector in DETECTORS {
        let file = format!("src/detect/{}.rs", detector.id.replace('-', "_"));
        let text = std::fs::read_to_string(repository().join(&file)).unwrap();
        let (row, reading) = detector.example.split_once("; ").unwrap();
        assert!(text.contains(&format!("\"{row}\"")), "{file} has no row {row:?}");
        assert!(reading.starts_with("the evidence "), "{file}: {reading}");
    }
}
