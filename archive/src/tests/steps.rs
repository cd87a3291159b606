//! Any sequence of keeping, committing and being stopped.

use std::fs;

use proptest::prelude::*;

use super::{certificate, record, served, take};
use crate::{Kept, Place, Writer};

#[derive(Clone, Debug)]
enum Step {
    Keep(u8),
    Commit,
    /// The process ends: what was not committed is lost.
    Crash,
    /// And a file on its way is cut.
    CrashWriting(u8),
    LoseIndex,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0u8..12).prop_map(Step::Keep),
        3 => Just(Step::Commit),
        1 => Just(Step::Crash),
        1 => any::<u8>().prop_map(Step::CrashWriting),
        1 => Just(Step::LoseIndex),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_was_acknowledged_is_there_once(steps in proptest::collection::vec(step(), 1..30)) {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::from(dir.path());
        let mut writer = Some(Writer::open(&place).unwrap());
        let (mut acknowledged, mut waiting) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Keep(seed) => {
                    let raw = record(&seed.to_string(), &[certificate(seed % 4)]);
                    let raw = raw.replace(": ", [":", ": ", ":\n"][usize::from(seed % 3)]);
                    let known = acknowledged.contains(&raw) || waiting.contains(&raw);
                    let expected = if known { Kept::AlreadyThere } else { Kept::New };
                    prop_assert_eq!(take(writer.as_mut().unwrap(), &raw), expected);
                    if !known {
                        waiting.push(raw);
                    }
                }
                Step::Commit => {
                    writer.as_mut().unwrap().commit().unwrap();
                    acknowledged.append(&mut waiting);
                }
                other => {
                    drop(writer.take());
                    waiting.clear();
                    match other {
                        Step::CrashWriting(length) => {
                            let half = vec![0x28; usize::from(length)];
                            fs::write(dir.path().join("incoming/.tmpX"), half).unwrap();
                        }
                        Step::LoseIndex => fs::remove_dir_all(dir.path().join("index")).unwrap(),
                        _ => {}
                    }
                    writer = Some(Writer::open(&place).unwrap());
                }
            }
            let (raw, scanned) = served(dir.path());
            prop_assert_eq!((&raw, scanned.damaged), (&acknowledged, 0));
        }
    }
}
