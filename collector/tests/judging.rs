//! However records come to lie in an archive, and whenever they are judged: one account of them.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use kua::campaign::Tally;
use kua::memory::Memory;
use kua::reference::{File, Reference};
use kua::surroundings::Surroundings;
use kua::verdict::judge_with;
use kua::wire::from_line;
use kua_archive::judged::{Version, folder};
use kua_archive::{Archive, Place, Writer};
use kua_collector::judging::{Counted, Difference, Grouping, Judging, Options, Setting, account};
use kua_collector::scope::Scope;
use kua_mint::{Authority, pem};
use proptest::prelude::*;

const OPTIONS: Options = Options { threads: 2, keep: true };

/// Authorities that do not change from test to test would be minted again and again.
struct World {
    public: Authority,
    state: Authority,
    stranger: Authority,
}

impl World {
    fn new() -> Self {
        let [public, state, stranger] = ["Public", "State", "Stranger"].map(Authority::root);
        Self { public, state, stranger }
    }

    /// With `more`, a dossier lists the stranger too.
    fn reference(&self, more: bool) -> Reference {
        let dossier = |id: &str, authority: &Authority| {
            File {
            path: format!("interceptors/{id}.toml"),
            bytes: format!(
                "id = \"{id}\"\ncountry = \"QZ\"\nactor = \"state\"\n[[key]]\nsubject = \"CN={id}\"\n\
                 public_key = \"{}\"\n",
                data_encoding::BASE64.encode(&authority.key.spki())
            )
            .into_bytes(),
        }
        };
        let store = File {
            path: "stores/public.pem".into(),
            bytes: pem(&self.public.certificate).into_bytes(),
        };
        let mut files = vec![store, dossier("some-state", &self.state)];
        files.extend(more.then(|| dossier("another", &self.stranger)));
        Reference::from_files(files).unwrap()
    }

    /// Records of three names in two countries: genuine, intercepted, cut, unexplained, and of nothing.
    fn records(&self) -> Vec<String> {
        let mut records = Vec::new();
        for (number, name) in ["a.example", "b.example", "c.example"].into_iter().enumerate() {
            for (asn, day) in [(64500, 16), (64501, 17), (64501, 18)] {
                let genuine = self.public.leaf(name).certificate;
                let forged = self.state.leaf(name).certificate;
                let strange = self.stranger.leaf(name).certificate;
                let chain = |leaf: &[u8], above: &Authority| {
                    let sent = [leaf, &above.certificate].map(|der| {
                        let text = data_encoding::BASE64.encode(der);
                        format!("{{\"data\":\"{text}\",\"format\":\"base64\"}}")
                    });
                    sent.join(",")
                };
                let place = |cc: &str| format!("{cc}\",\"probe_asn\":\"AS{asn}");
                let at = format!("2023-10-{day} 13:0{number}:00");
                let ssl = "\"ssl_unknown_authority\"";
                records.push(record(
                    &place("QZ"),
                    &at,
                    name,
                    "null",
                    &chain(&genuine, &self.public),
                ));
                records.push(record(&place("QZ"), &at, name, ssl, &chain(&forged, &self.state)));
                records.push(record(
                    &place("XA"),
                    &at,
                    name,
                    ssl,
                    &chain(&strange, &self.stranger),
                ));
                // No time; another record each day all the same.
                let timeless = format!("on day {day}");
                records.push(record(&place("QZ"), &timeless, name, "\"connection_reset\"", ""));
            }
        }
        records.push("{\"probe_cc\":\"QZ\",\"test_keys\":{}}".into());
        records
    }
}

fn record(place: &str, at: &str, name: &str, failure: &str, chain: &str) -> String {
    format!(
        "{{\"probe_cc\":\"{place}\",\"probe_network_name\":\"Net\",\"measurement_start_time\":\"{at}\",\
         \"test_keys\":{{\"tls_handshakes\":[{{\"server_name\":\"{name}\",\"failure\":{failure},\
         \"no_tls_verify\":false,\"peer_certificates\":[{chain}]}}]}}}}"
    )
}

fn keep(dir: &Path, records: &[String]) {
    let mut writer = Writer::open(&Place::from(dir)).unwrap();
    for record in records {
        let raw = record.as_bytes();
        writer.keep(raw, &from_line(raw).unwrap(), None).unwrap();
    }
    writer.commit().unwrap();
}

/// Settles all that is live, and merges `fan` segments into one.
fn settle(dir: &Path, fan: usize) {
    let options = kua_archive::settle::Options {
        fan,
        grace: std::time::Duration::ZERO,
        ..kua_archive::settle::Options::default()
    };
    Writer::open(&Place::from(dir)).unwrap().settle(&options, |_| {}).unwrap();
}

/// An archive in which these records, kept in two batches, are settled.
fn settled(records: &[String]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    keep(dir.path(), &records[..20]);
    keep(dir.path(), &records[20..]);
    settle(dir.path(), 8);
    dir
}

/// All that a report tells of a tally, in words.
fn told(tally: &Tally, reference: &Reference) -> String {
    let campaigns = tally.campaigns(reference);
    let examples: Vec<_> =
        campaigns.iter().flat_map(|campaign| tally.examples_of(campaign)).collect();
    format!(
        "{:?} {:?} {:?} {:?} {:?}\n{}\n{examples:#?}\n{:#?}",
        (tally.measurements(), tally.handshakes(), tally.with_chain()),
        tally.level(),
        tally.verdicts().collect::<Vec<_>>(),
        tally.not_campaigns(),
        tally.per_day().collect::<Vec<_>>(),
        serde_json::to_string(&campaigns).unwrap(),
        tally.other_examples().collect::<Vec<_>>(),
    )
}

/// Every record by itself, without anything stored.
fn directly(records: &[String], reference: &Reference, scope: &Scope) -> (String, u64) {
    let read: Vec<_> = records.iter().map(|raw| from_line(raw.as_bytes()).unwrap()).collect();
    let mut around = Surroundings::none();
    read.iter().for_each(|measurement| around.add(measurement, reference));
    let memory = &mut Memory::new(reference);
    let (mut tally, mut outside) = (Tally::default(), 0);
    for (raw, measurement) in records.iter().zip(&read) {
        if scope.holds(measurement) {
            let hash = kua::chain::Fingerprint::of(raw.as_bytes());
            let judged = judge_with(memory, measurement, &around, None);
            tally.observe_record(Some(hash), measurement, &judged);
        } else {
            outside += 1;
        }
    }
    (told(&tally, reference), outside)
}

fn count(dir: &Path, setting: &Setting<'_>, scope: &Scope, grouping: &Grouping) -> Counted {
    let archive = Archive::open(&Place::from(dir)).unwrap();
    let judging = Judging::of(&archive, setting, OPTIONS, |_| {}).unwrap();
    judging.count(scope, grouping).unwrap()
}

fn scopes() -> [Scope; 4] {
    let at = |text: &str| kua_console::parse_moment(text).unwrap();
    let of = |cc: Option<&str>, since: Option<&str>, until: Option<&str>| Scope {
        cc: cc.map(str::to_owned),
        since: since.map(at),
        until: until.map(at),
    };
    [
        Scope::default(),
        of(Some("QZ"), None, None),
        of(None, Some("2023-10-17T00:00:00Z"), Some("2023-10-17T23:59:59.999999999Z")),
        of(Some("QZ"), Some("2023-10-17T13:01:00Z"), Some("2023-10-18T13:00:00Z")),
    ]
}

/// One step of what may be done to an archive.
#[derive(Clone, Debug)]
enum Step {
    Keep(usize),
    Settle(usize),
    Judge,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (1..6_usize).prop_map(Step::Keep),
        (2..5_usize).prop_map(Step::Settle),
        Just(Step::Judge),
    ];
    proptest::collection::vec(step, 0..10)
}

/// Whatever is imported, settled, merged and judged in between, and in whatever order records come:
/// the account of them is the same, word for word.
#[test]
fn any_interleaving_gives_the_same_account() {
    let world = World::new();
    let reference = world.reference(false);
    let setting = Setting::new(&reference, &[]);
    let records = world.records();
    let expected = scopes().map(|scope| directly(&records, &reference, &scope));
    assert!(expected[0].0.contains("some-state"));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 12,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&(Just(records).prop_shuffle(), steps()), |(records, steps)| {
            let dir = tempfile::tempdir().unwrap();
            let mut left = &records[..];
            keep(dir.path(), &[]);
            for step in steps {
                match step {
                    Step::Keep(most) => {
                        let (now, later) = left.split_at(most.min(left.len()));
                        keep(dir.path(), now);
                        left = later;
                    }
                    Step::Settle(fan) => settle(dir.path(), fan),
                    Step::Judge => {
                        count(dir.path(), &setting, &Scope::default(), &Grouping::Reading);
                    }
                }
            }
            keep(dir.path(), left);
            for (scope, (expected, outside)) in scopes().iter().zip(&expected) {
                for grouping in [Grouping::Reading, Grouping::Query] {
                    let counted = count(dir.path(), &setting, scope, &grouping);
                    prop_assert_eq!(&told(&counted.tally, &reference), expected);
                    prop_assert_eq!((counted.out_of_scope, counted.damaged), (*outside, 0));
                }
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn only_what_is_told_something_else_is_judged_again() {
    let world = World::new();
    let reference = world.reference(false);
    let setting = Setting::new(&reference, &[]);
    let records = world.records();
    let dir = tempfile::tempdir().unwrap();
    let of = |name: &str| -> Vec<String> {
        records.iter().filter(|record| record.contains(name)).cloned().collect()
    };
    // A name in two batches, another in two more: two segments.
    for name in ["a.example", "b.example"] {
        let all = of(name);
        keep(dir.path(), &all[..5]);
        keep(dir.path(), &all[5..]);
        settle(dir.path(), 8);
    }
    let archive = Archive::open(&Place::from(dir.path())).unwrap();
    let judge = |setting| Judging::of(&archive, setting, OPTIONS, |_| {}).unwrap();
    let counts = |judging: &Judging<'_>| (judging.anew, judging.stood, judging.unstored());
    assert_eq!(counts(&judge(&setting)), (24, 0, 0), "all is new");
    assert_eq!(counts(&judge(&setting)), (0, 24, 0), "nothing changed");
    settle(dir.path(), 2);
    assert_eq!(archive.snapshot().unwrap().segments().len(), 1);
    assert_eq!(counts(&judge(&setting)), (0, 24, 0), "merging changes nothing");

    // What is not settled is told of as well, and stored nowhere.
    let more = of("a.example")[1].replace("AS64500", "AS64999");
    keep(dir.path(), std::slice::from_ref(&more));
    let merged = judge(&setting);
    assert_eq!(counts(&merged), (24, 0, 1), "one segment by now, and one of its names has more");
    assert_eq!(counts(&judge(&setting)), (0, 24, 1));
    settle(dir.path(), 8);
    assert_eq!(counts(&judge(&setting)), (1, 24, 0));

    let other = world.reference(true);
    let other = Setting::new(&other, &[]);
    assert_eq!(counts(&judge(&other)), (25, 0, 0), "another reference, another version");
    assert_eq!(Version::all(archive.store()).unwrap().len(), 2);
}

#[test]
fn a_segment_whose_names_have_nothing_new_stands() {
    let world = World::new();
    let reference = world.reference(false);
    let setting = Setting::new(&reference, &[]);
    let records = world.records();
    let dir = tempfile::tempdir().unwrap();
    let of = |name: &str| -> Vec<String> {
        // Runs without a name of their own share a day and a network.
        let own = |record: &String| {
            record.replace("{\"probe_cc\"", &format!("{{\"report_id\":\"{name}\",\"probe_cc\""))
        };
        records.iter().filter(|record| record.contains(name)).map(own).collect()
    };
    for name in ["a.example", "b.example"] {
        let all = of(name);
        keep(dir.path(), &all[..5]);
        keep(dir.path(), &all[5..11]);
        settle(dir.path(), 8);
    }
    let archive = Archive::open(&Place::from(dir.path())).unwrap();
    let judge = || Judging::of(&archive, &setting, OPTIONS, |_| {}).unwrap();
    assert_eq!((judge().anew, judge().stood), (22, 22));
    keep(dir.path(), &[of("b.example")[10].replace("AS64501", "AS64999")]);
    let judging = judge();
    assert_eq!((judging.anew, judging.stood, judging.unstored()), (11, 11, 1));
}

/// What is stored of judgements is lost, cut, or another program's: they are made again.
#[test]
fn nothing_is_believed_of_what_is_damaged() {
    let world = World::new();
    let reference = world.reference(false);
    let setting = Setting::new(&reference, &[]);
    let records = world.records();
    let dir = settled(&records);
    let (expected, _) = directly(&records, &reference, &Scope::default());
    let account = || {
        let archive = Archive::open(&Place::from(dir.path())).unwrap();
        let (_, counted) =
            account(&archive, &setting, OPTIONS, &Scope::default(), &Grouping::Query, |_| {})
                .unwrap();
        told(&counted.tally, &reference)
    };
    assert_eq!(account(), expected);
    let folder = dir.path().join(folder(&setting.version().id));
    let files = || -> Vec<std::path::PathBuf> {
        let below = |dir: &Path| {
            std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
        };
        let mut files = below(&folder);
        files.extend(below(&folder.join("around")));
        files.retain(|path| path.is_file());
        files.sort();
        files
    };
    assert_eq!(files().len(), 5, "{:?}", files());
    for file in files() {
        let bytes = std::fs::read(&file).unwrap();
        let flipped: Vec<u8> = bytes.iter().map(|byte| byte ^ 1).collect();
        let cut = &bytes[..bytes.len() / 2];
        for damage in [None, Some(&b""[..]), Some(b"garbage"), Some(cut), Some(&flipped)] {
            match damage {
                None => std::fs::remove_file(&file).unwrap(),
                Some(damage) => std::fs::write(&file, damage).unwrap(),
            }
            // An index that is gone names nothing.
            let name = file.file_name().unwrap().to_string_lossy();
            let named = name.ends_with(".parquet") || (name == "judged.json" && damage.is_some());
            assert_eq!(faults(dir.path()).contains(&name.into_owned()), named);
            // What was counted before would be believed.
            std::fs::remove_dir_all(folder.join("reports")).unwrap();
            assert_eq!(account(), expected, "{}", file.display());
            assert!(faults(dir.path()).is_empty(), "{}", file.display());
        }
    }
}

/// The names of the files that a check finds damaged.
fn faults(dir: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    let found = |fault: &kua_archive::check::Fault| {
        faults.push(fault.path.rsplit('/').next().unwrap().to_owned());
    };
    kua_archive::check::check(&Place::from(dir), found, |_| ()).unwrap();
    faults
}

/// Where nothing can be written, judgements are made for the one who asks.
#[test]
fn what_cannot_be_stored_is_judged_all_the_same() {
    let world = World::new();
    let reference = world.reference(false);
    let setting = Setting::new(&reference, &[]);
    let records = world.records();
    let dir = settled(&records);
    std::fs::write(dir.path().join("judgements"), "not a directory").unwrap();
    let archive = Archive::open(&Place::from(dir.path())).unwrap();
    let judging = Judging::of(&archive, &setting, OPTIONS, |_| {}).unwrap();
    assert!(judging.unkept.is_some());
    assert_eq!((judging.anew, judging.unstored()), (0, records.len() as u64));
    let counted = judging.count(&Scope::default(), &Grouping::Query).unwrap();
    assert_eq!(
        told(&counted.tally, &reference),
        directly(&records, &reference, &Scope::default()).0
    );
}

#[test]
fn what_changed_between_two_versions_and_why() {
    let world = World::new();
    let (before, after) = (world.reference(false), world.reference(true));
    let (before, after) = (Setting::new(&before, &[]), Setting::new(&after, &[]));
    let records = world.records();
    let dir = settled(&records);
    let archive = Archive::open(&Place::from(dir.path())).unwrap();
    for setting in [&before, &after] {
        Judging::of(&archive, setting, OPTIONS, |_| {}).unwrap();
    }
    let snapshot = archive.snapshot().unwrap();
    let same = Difference::of(&snapshot, before.version(), before.version()).unwrap();
    assert_eq!((same.compared, same.same, same.changes.len()), (37, 37, 0));
    let changed = Difference::of(&snapshot, before.version(), after.version()).unwrap();
    assert_eq!(changed.causes.added, ["interceptors/another.toml"]);
    assert!(!changed.causes.rules);
    assert_eq!((changed.compared, changed.same), (37, 28));
    let change = &changed.changes[0];
    assert_eq!(change.to.verdict, "intercepted");
    assert_eq!(change.to.interceptor.as_deref(), Some("another"));
    assert_eq!(change.from.interceptor, None);
    assert!(change.appeared.contains(&"known-interceptor=confirmed".to_owned()), "{change:?}");
    assert_eq!(changed.changes.iter().map(|change| change.judgements).sum::<u64>(), 9);
    let json = serde_json::to_value(&changed).unwrap();
    assert_eq!(json["schema"], "kua.judgement-diff/1");
}
