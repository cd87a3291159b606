//! How the files of root programs and block lists are written: the same values always make the same
//! bytes.

use std::fmt::Write;

use data_encoding::{BASE64, HEXLOWER};
use time::{Date, OffsetDateTime};

use crate::layout::{Anchor, BlockList, Owners, Purpose, Roots, Serial, Snapshot, Store, Why};

/// Text of `roots.pem`.
pub fn roots_pem(roots: &Roots) -> String {
    let blocks = roots.iter().map(|(sha256, root)| {
        let subject = root.subject.replace(char::is_control, " ");
        let mut block = format!("# {subject}\n# sha256: {}\n", HEXLOWER.encode(sha256));
        block.push_str("-----BEGIN CERTIFICATE-----\n");
        let mut base64 = BASE64.encode(&root.der);
        while !base64.is_empty() {
            let rest = base64.split_off(base64.len().min(64));
            block.push_str(&base64);
            block.push('\n');
            base64 = rest;
        }
        block.push_str("-----END CERTIFICATE-----\n");
        block
    });
    blocks.collect::<Vec<_>>().join("\n")
}

/// Text of `roots.csv`.
pub fn roots_csv(owners: &Owners) -> String {
    let mut text = String::from("sha256,owner,country,state,source\n");
    for (sha256, owner) in owners {
        let state = owner.state.map(|tie| tie.to_string()).unwrap_or_default();
        let fields = [&owner.owner, &owner.country, &state, &owner.source].map(|it| field(it));
        text.push_str(&format!("{},{}\n", HEXLOWER.encode(sha256), fields.join(",")));
    }
    text
}

/// Text of `stores/<program>.toml`.
pub fn store_toml(store: &Store) -> String {
    let mut text = Toml::default();
    text.pair("program", &quoted(&store.program));
    text.pair("date", &quoted(&store.date));
    text.optional("known_since", store.known_since.as_ref().map(quoted));
    text.pair("note", &quoted(&store.note));
    let mut snapshots: Vec<&Snapshot> = store.snapshots.iter().collect();
    snapshots.sort();
    for snapshot in snapshots {
        text.table("snapshot");
        text.pair("date", &quoted(&snapshot.date));
        text.pair("source", &quoted(&snapshot.source));
    }
    let mut anchors: Vec<&Anchor> = store.anchors.iter().collect();
    anchors.sort();
    for anchor in anchors {
        text.table("anchor");
        text.pair("sha256", &quoted(&HEXLOWER.encode(&anchor.sha256)));
        text.optional("from", anchor.from.as_ref().map(quoted));
        text.optional("until", anchor.until.as_ref().map(quoted));
        text.optional("tls", (anchor.tls == Purpose::Unknown).then(|| quoted(&"unknown")));
        let constraints = anchor.name_constraints.as_ref();
        text.optional("name_constraints", constraints.map(|der| quoted(&BASE64.encode(der))));
        text.optional("issued_after", anchor.issued_after.as_ref().map(quoted));
        text.optional("sct_after", anchor.sct_after.map(|moment| quoted(&seconds(moment))));
    }
    text.0
}

/// Text of `blocklists/<list>.toml`.
pub fn blocklist_toml(list: &BlockList) -> String {
    let mut text = Toml::default();
    text.pair("list", &quoted(&list.list));
    let programs: Vec<String> = list.programs.iter().map(quoted).collect();
    text.pair("programs", &format!("[{}]", programs.join(", ")));
    text.pair("date", &quoted(&list.date));
    for (name, serials) in &list.issuers {
        text.table("issuer");
        text.pair("name", &quoted(&BASE64.encode(name)));
        text.pair("serials", &format!("[\n{}]", serials.iter().map(serial).collect::<String>()));
    }
    for (key, why) in &list.keys {
        text.table("key");
        text.pair("spki_sha256", &quoted(&HEXLOWER.encode(&key.spki_sha256)));
        let subject = key.subject.as_ref();
        text.optional("subject", subject.map(|der| quoted(&BASE64.encode(der))));
        text.why(why);
    }
    for (sha256, why) in &list.certificates {
        text.table("certificate");
        text.pair("sha256", &quoted(&HEXLOWER.encode(sha256)));
        text.why(why);
    }
    text.0
}

fn serial((serial, since): (&Serial, &Option<Date>)) -> String {
    let since = since.map(|day| format!(", since = {}", quoted(&day))).unwrap_or_default();
    format!("    {{ serial = {}{since} }},\n", quoted(&HEXLOWER.encode(serial.bytes())))
}

#[derive(Default)]
struct Toml(String);

impl Toml {
    fn table(&mut self, name: &str) {
        self.0.push_str(&format!("\n[[{name}]]\n"));
    }

    fn pair(&mut self, name: &str, value: &str) {
        self.0.push_str(&format!("{name} = {value}\n"));
    }

    fn optional(&mut self, name: &str, value: Option<String>) {
        if let Some(value) = value {
            self.pair(name, &value);
        }
    }

    fn why(&mut self, why: &Why) {
        self.optional("since", why.since.as_ref().map(quoted));
        self.optional("why", why.words.as_ref().map(quoted));
        self.optional("interception", why.interception.then(|| "true".to_owned()));
    }
}

fn seconds(moment: OffsetDateTime) -> String {
    let utc = moment.to_offset(time::UtcOffset::UTC);
    let (hour, minute, second) = utc.time().as_hms();
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", utc.date())
}

/// A TOML basic string.
fn quoted(value: &impl ToString) -> String {
    let mut text = String::from("\"");
    for letter in value.to_string().chars() {
        match letter {
            '"' | '\\' => text.extend(['\\', letter]),
            control if control.is_control() => {
                // Writing into a String cannot fail.
                let _ = write!(text, "\\u{:04X}", u32::from(control));
            }
            _ => text.push(letter),
        }
    }
    text.push('"');
    text
}

/// A CSV field, in quotes only where it needs them.
fn field(text: &str) -> String {
    let line = text.replace(char::is_control, " ");
    match line.contains([',', '"']) {
        true => format!("\"{}\"", line.replace('"', "\"\"")),
        false => line,
    }
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::*;
    use crate::layout::{BlockedKey, Owner, RootCertificate, StateTie};

    #[test]
    fn a_store_is_written_sorted_and_only_with_what_it_states() {
        let anchor = |first: u8, from, until| Anchor {
            sha256: [first; 32],
            from,
            until,
            tls: Purpose::Tls,
            name_constraints: None,
            issued_after: None,
            sct_after: None,
        };
        let store = Store {
            program: "Some \"program\"".to_owned(),
            date: date!(2026 - 10 - 23),
            known_since: Some(date!(2015 - 02 - 05)),
            note: "Two\nlines.".to_owned(),
            snapshots: vec![
                Snapshot { date: date!(2026 - 10 - 23), source: "new 2".to_owned() },
                Snapshot { date: date!(2015 - 02 - 05), source: "old 1".to_owned() },
            ],
            anchors: vec![
                Anchor {
                    tls: Purpose::Unknown,
                    name_constraints: Some(vec![0xA0]),
                    issued_after: Some(date!(2024 - 11 - 30)),
                    sct_after: Some(datetime!(2024-11-12 01:59:59 +02:00)),
                    ..anchor(2, None, None)
                },
                anchor(1, Some(date!(2020 - 01 - 01)), None),
                anchor(1, None, Some(date!(2019 - 01 - 01))),
            ],
        };
        let (one, two) = ("01".repeat(32), "02".repeat(32));
        let expected = format!(
            r#"program = "Some \"program\""
date = "2026-10-23"
known_since = "2015-02-05"
note = "Two\u000Alines."

[[snapshot]]
date = "2015-02-05"
source = "old 1"

[[snapshot]]
date = "2026-10-23"
source = "new 2"

[[anchor]]
sha256 = "{one}"
until = "2019-01-01"

[[anchor]]
sha256 = "{one}"
from = "2020-01-01"

[[anchor]]
sha256 = "{two}"
tls = "unknown"
name_constraints = "oA=="
issued_after = "2024-11-30"
sct_after = "2024-11-11T23:59:59Z"
"#
        );
        assert_eq!(store_toml(&store), expected);
    }

    #[test]
    fn a_block_list_is_written_by_issuer_key_and_certificate() {
        let since = Some(date!(2015 - 04 - 01));
        let serials = [(Serial::new(&[0, 0x82]), since), (Serial::new(&[0]), None)];
        let key = BlockedKey { spki_sha256: [3; 32], subject: Some(vec![0x30, 0]) };
        let list = BlockList {
            list: "Some list".to_owned(),
            programs: vec!["Mozilla".to_owned()],
            date: date!(2026 - 10 - 28),
            issuers: [(vec![0x30, 0], serials.into())].into(),
            keys: [(key, Why { interception: true, ..Why::default() })].into(),
            certificates: [([4; 32], Why { words: Some("a \\".to_owned()), ..Why::default() })]
                .into(),
        };
        let expected = format!(
            r#"list = "Some list"
programs = ["Mozilla"]
date = "2026-10-28"

[[issuer]]
name = "MAA="
serials = [
    {{ serial = "00" }},
    {{ serial = "82", since = "2015-04-01" }},
]

[[key]]
spki_sha256 = "{}"
subject = "MAA="
interception = true

[[certificate]]
sha256 = "{}"
why = "a \\"
"#,
            "03".repeat(32),
            "04".repeat(32)
        );
        assert_eq!(blocklist_toml(&list), expected);
    }

    #[test]
    fn roots_and_their_owners_keep_to_one_line_each() {
        let root = RootCertificate { subject: "CN=a\nb".to_owned(), der: vec![0; 49] };
        let text = roots_pem(&[([1; 32], root.clone()), ([2; 32], root)].into());
        assert!(text.starts_with("# CN=a b\n# sha256: 0101"));
        assert!(text.contains("\nAA==\n-----END CERTIFICATE-----\n\n# CN=a b\n"), "{text}");
        let owner = Owner {
            owner: "A, \"B\"".to_owned(),
            country: "QZ".to_owned(),
            state: Some(StateTie::StateOwned),
            source: "first-curation".to_owned(),
        };
        let line = format!("{},\"A, \"\"B\"\"\",QZ,state-owned,first-curation", "01".repeat(32));
        assert_eq!(roots_csv(&[([1; 32], owner)].into()).lines().nth(1), Some(line.as_str()));
    }
}
