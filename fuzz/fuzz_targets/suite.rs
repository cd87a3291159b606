//! Suites of anybody: lists of names to probe.
#![no_main]

use std::collections::BTreeSet;

use kua_probes::suite::{MAX_TARGETS, Suite};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(suite) = Suite::parse(bytes) else { return };
    let count = suite.targets.len();
    assert!((1..=MAX_TARGETS).contains(&count));
    let distinct: BTreeSet<_> = suite.targets.iter().map(|listed| &listed.target).collect();
    assert_eq!(distinct.len(), count, "no target is listed twice");
    for listed in &suite.targets {
        let host = &listed.target.host;
        assert!(!host.is_empty() && host.is_ascii() && listed.target.port != 0, "{host:?}");
    }
});
