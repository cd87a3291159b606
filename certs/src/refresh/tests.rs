//! What reports make of what was known: nothing is lost, and nothing bad gets in.

use time::macros::date;

use super::store::{State, Terms, advance};
use super::*;
use crate::layout::{Anchor, Purpose, Store};
use crate::{read, reports};

fn state(day: Date, anchors: &[(u8, Terms)]) -> State {
    State {
        program: "Program",
        date: day,
        source: format!("report of {day}"),
        anchors: anchors.iter().map(|(byte, terms)| ([*byte; 32], terms.clone())).collect(),
        states_terms: true,
    }
}

fn days(store: &Store) -> Vec<(u8, Option<Date>, Option<Date>)> {
    let anchors = store.anchors.iter();
    anchors.map(|anchor| (anchor.sha256[0], anchor.from, anchor.until)).collect()
}

const FIRST: Date = date!(2026 - 01 - 01);
const SECOND: Date = date!(2026 - 02 - 01);
const THIRD: Date = date!(2026 - 03 - 01);

#[test]
fn roots_come_and_go_and_come_back() {
    let all = |bytes: &[u8]| bytes.iter().map(|byte| (*byte, Terms::TLS)).collect::<Vec<_>>();
    let first = advance(None, state(FIRST, &all(&[1, 2, 3]))).unwrap();
    assert_eq!((first.known_since, first.date), (None, FIRST));
    let second = advance(Some(first), state(SECOND, &all(&[1, 2, 4]))).unwrap();
    let expected =
        [(1, None, None), (2, None, None), (3, None, Some(SECOND)), (4, Some(FIRST), None)];
    assert_eq!(days(&second), expected);
    assert_eq!((second.known_since, second.date), (Some(FIRST), SECOND));
    let third = advance(Some(second), state(THIRD, &all(&[1, 2, 3, 4]))).unwrap();
    let expected = [
        (1, None, None),
        (2, None, None),
        (3, None, Some(SECOND)),
        (3, Some(SECOND), None),
        (4, Some(FIRST), None),
    ];
    assert_eq!(days(&third), expected);
    assert_eq!(third.snapshots.len(), 3);
    let again = advance(Some(third.clone()), state(THIRD, &all(&[1, 2, 3, 4]))).unwrap();
    assert_eq!(again, third);
}

#[test]
fn terms_that_a_report_does_not_state_stay_as_they_were() {
    let strict =
        Terms { issued_after: Some(FIRST), name_constraints: Some(vec![0xa0]), ..Terms::TLS };
    let unknown = Terms { tls: Purpose::Unknown, ..Terms::TLS };
    let first = advance(None, state(FIRST, &[(1, strict.clone()), (2, Terms::TLS)])).unwrap();
    let next = [(1, Terms::TLS), (2, unknown)];
    for (states_terms, kept) in [(true, false), (false, true)] {
        let state = State { states_terms, ..state(SECOND, &next) };
        let store = advance(Some(first.clone()), state).unwrap();
        assert_eq!(store.anchors[0].issued_after.is_some(), kept);
        assert_eq!(store.anchors[0].name_constraints.is_some(), kept);
        assert_eq!(store.anchors[1].tls, Purpose::Tls);
    }
}

#[test]
fn half_a_program_and_an_older_state_are_refused() {
    let all: Vec<_> = (0..10).map(|byte| (byte, Terms::TLS)).collect();
    let known = advance(None, state(SECOND, &all)).unwrap();
    let refused = advance(Some(known.clone()), state(THIRD, &all[..4]));
    assert!(matches!(refused, Err(RefreshError::Implausible { known: 10, kept: 4, .. })));
    assert!(advance(Some(known.clone()), state(THIRD, &all[..5])).is_ok());
    let refused = advance(Some(known), state(FIRST, &all));
    assert!(matches!(refused, Err(RefreshError::Older { .. })));
}

#[test]
fn what_was_blocked_keeps_its_day() {
    let list = |date: Date, entries: &[(u8, Option<Date>)]| {
        let certificates = entries.iter().map(|(byte, since)| {
            ([*byte; 32], crate::layout::Why { since: *since, ..Default::default() })
        });
        crate::layout::BlockList {
            list: "List".into(),
            programs: vec!["Program".into()],
            date,
            issuers: BTreeMap::new(),
            keys: BTreeMap::new(),
            certificates: certificates.collect(),
        }
    };
    let known = list(FIRST, &[(1, Some(FIRST)), (2, None), (3, Some(FIRST))]);
    let now = list(SECOND, &[(1, Some(SECOND)), (2, Some(SECOND)), (4, Some(SECOND))]);
    let merged = block_list::dated(&known, now.clone()).unwrap();
    let expected = list(SECOND, &[(1, Some(FIRST)), (2, None), (4, Some(SECOND))]);
    assert_eq!(merged, expected);
    assert!(block_list::dated(&now, known.clone()).is_err());
    let other = list(SECOND, &[(9, None)]);
    assert!(matches!(block_list::dated(&known, other), Err(RefreshError::Implausible { .. })));
}

#[test]
fn a_set_names_the_serials_of_known_roots() {
    let root = kua_mint::Authority::root("Root");
    let serial = crate::layout::Serial::new(&[7]);
    let set = reports::crlset::CrlSet {
        sequence: 1,
        blocked: [[1; 32], [2; 32]].into(),
        limited: BTreeMap::new(),
        known_interception: [[2; 32], [3; 32]].into(),
        blocked_interception: [[4; 32]].into(),
        revoked: [
            (reports::sha256(&root.key.spki()), [serial.clone()].into()),
            ([9; 32], [serial.clone()].into()),
        ]
        .into(),
    };
    let der = root.certificate.clone();
    let certificate = crate::layout::RootCertificate { subject: "CN=Root".into(), der };
    let roots = [(reports::sha256(&root.certificate), certificate)].into();
    let reports = BTreeMap::new();
    let inputs = Inputs { reports: &reports, day: FIRST, previous: None, roots: &roots };
    let list = block_list::of_crlset(&inputs, &set);
    let keys: Vec<_> = list
        .keys
        .iter()
        .map(|(key, why)| (key.spki_sha256[0], why.interception, why.words.is_some()))
        .collect();
    let expected = [(1, false, false), (2, true, false), (3, true, true), (4, true, false)];
    assert_eq!(keys, expected);
    assert_eq!(list.issuers, [(root.name, [(serial, Some(FIRST))].into())].into());
}

fn csv(header: &str, rows: &[String]) -> Vec<u8> {
    format!("{header}\n{}", rows.concat()).into_bytes()
}

fn hex(byte: u8) -> String {
    data_encoding::HEXUPPER.encode(&[byte; 32])
}

fn store_file(program: &str, held: &[u8]) -> String {
    let anchors: Vec<_> = held.iter().map(|byte| (*byte, Terms::TLS)).collect();
    let store = Store { program: program.into(), ..advance(None, state(FIRST, &anchors)).unwrap() };
    crate::text::store_toml(&store)
}

fn make(file: &str, reports: &[(&str, Vec<u8>)], previous: &str) -> Result<Made, RefreshError> {
    let refreshable = REFRESHABLE.iter().find(|it| it.file == file).unwrap();
    let named =
        |name: &str| REFRESHABLE.iter().flat_map(|it| it.reports).find(|it| it.file == name);
    let reports = reports.iter().map(|(name, bytes)| (named(name).unwrap().file, bytes.as_slice()));
    let reports = reports.collect();
    let roots = Roots::new();
    refreshable.make(&Inputs {
        reports: &reports,
        day: SECOND,
        previous: Some(previous).filter(|text| !text.is_empty()),
        roots: &roots,
    })
}

fn anchors(made: &Made) -> Vec<Anchor> {
    read::store(&made.text).unwrap().anchors
}

#[test]
fn microsofts_statuses() {
    let header = "Microsoft Status,SHA-256 Fingerprint,CA Owner,Microsoft EKUs";
    let row =
        |status: &str, byte: u8, purpose: &str| format!("{status},{},Owner,{purpose}\n", hex(byte));
    let tls = "Server Authentication";
    let rows = [
        row("Included", 1, tls),
        row("NotBefore", 2, tls),
        row("NotBefore", 3, tls),
        row("Disabled", 4, tls),
        row("Included", 5, "Code Signing"),
    ];
    let certificate = kua_mint::pem(&kua_mint::Authority::root("Root").certificate);
    let reports =
        [(MICROSOFT.file, csv(header, &rows)), (MICROSOFT_CERTIFICATES.file, certificate.into())];
    let made =
        make("stores/microsoft.toml", &reports, &store_file("Microsoft", &[1, 2, 4])).unwrap();
    let read: Vec<_> = anchors(&made)
        .into_iter()
        .map(|it| (it.sha256[0], it.until, it.tls, it.issued_after))
        .collect();
    let expected = [
        (1, None, Purpose::Tls, None),
        (2, None, Purpose::Tls, Some(SECOND)),
        (4, Some(SECOND), Purpose::Tls, None),
    ];
    assert_eq!(read, expected);
    let blocked = make("blocklists/microsoft.toml", &reports, "").unwrap();
    let blocked = read::block_list(&blocked.text).unwrap();
    assert_eq!(blocked.certificates.keys().collect::<Vec<_>>(), [&[4; 32]]);
}

#[test]
fn apples_statuses() {
    let header = "SHA-256 Fingerprint,Parent SHA-256 Fingerprint,CA Owner,Country,Certificate Name,\
                  Certificate Record Type,Apple Status,Chrome Status,Microsoft Status,Mozilla Status,\
                  Trust Bits for Root Cert,Revocation Status,Valid From (GMT),Valid To (GMT)";
    let row = |byte: u8, kind: &str, status: &str, bits: &str| {
        format!(
            "{},,Owner,Austria,Name,{kind} Certificate,{status},,,,{bits},,2013-09-23,\n",
            hex(byte)
        )
    };
    let rows = [
        row(1, "Root", "Included", "Server Authentication"),
        row(2, "Root", "Included", ""),
        row(3, "Root", "Included", "Secure Email"),
        row(4, "Root", "Included", "Secure Email"),
        row(5, "Root", "Blocked", ""),
        row(6, "Intermediate", "Blocked", ""),
        row(7, "Intermediate", "Included", "Server Authentication"),
    ];
    let reports = [(CCADB.file, csv(header, &rows))];
    let made = make("stores/apple.toml", &reports, &store_file("Apple", &[1, 3, 5])).unwrap();
    let read: Vec<_> =
        anchors(&made).into_iter().map(|it| (it.sha256[0], it.until, it.tls)).collect();
    let expected = [
        (1, None, Purpose::Tls),
        (2, None, Purpose::Unknown),
        (3, None, Purpose::Tls),
        (5, Some(SECOND), Purpose::Tls),
    ];
    assert_eq!(read, expected);
    let blocked = make("blocklists/apple.toml", &reports, "").unwrap();
    let blocked = read::block_list(&blocked.text).unwrap();
    assert_eq!(blocked.certificates.keys().collect::<Vec<_>>(), [&[5; 32], &[6; 32]]);
    // One that the report no longer names stays; one that is trusted again goes.
    let known = format!(
        "list = \"Apple\"\nprograms = [\"Apple\"]\ndate = \"{FIRST}\"\n{}",
        [1, 5, 9].map(|byte| format!("[[certificate]]\nsha256 = \"{}\"\n", hex(byte))).concat()
    );
    let blocked = make("blocklists/apple.toml", &reports, &known).unwrap();
    let blocked = read::block_list(&blocked.text).unwrap();
    let since: Vec<_> =
        blocked.certificates.iter().map(|(sha256, why)| (sha256[0], why.since)).collect();
    assert_eq!(since, [(5, None), (6, Some(SECOND)), (9, None)]);
    assert_eq!(years_of(&made, &Roots::new(), &reports[0].1), [2013].into());
    let error = additional(&made, &Roots::new(), &BTreeMap::new()).unwrap_err();
    assert!(matches!(error, RefreshError::NoCertificate { count: 4, .. }), "{error}");
}

#[test]
fn an_older_root_store_of_chrome_is_refused() {
    let root = kua_mint::Authority::root("Root").certificate;
    let hash = data_encoding::HEXLOWER.encode(&reports::sha256(&root));
    let store = |version: u8| {
        let text = format!("version_major: {version}\ntrust_anchors {{ sha256_hex: \"{hash}\" }}");
        let certificates = kua_mint::pem(&root).into_bytes();
        [(CHROME.file, text.into_bytes()), (CHROME_CERTIFICATES.file, certificates)]
    };
    let made = make("stores/chrome.toml", &store(41), "").unwrap();
    let (roots, _) = additional(&made, &Roots::new(), &BTreeMap::new()).unwrap();
    assert_eq!(roots.len(), 1);
    let again = make("stores/chrome.toml", &store(41), &made.text).unwrap();
    assert_eq!(again.text, made.text);
    let refused = make("stores/chrome.toml", &store(40), &made.text);
    assert!(matches!(refused, Err(RefreshError::Older { .. })));
}

#[test]
fn every_report_comes_from_a_named_host_over_tls() {
    let mut files = BTreeSet::new();
    for refreshable in REFRESHABLE {
        assert!(files.insert(refreshable.file), "{} is there twice", refreshable.file);
        for report in refreshable.reports {
            assert!(report.url.starts_with("https://"), "{}", report.url);
        }
        let absent = make(refreshable.file, &[], "");
        assert!(matches!(absent, Err(RefreshError::Absent { .. })), "{}", refreshable.file);
    }
}
