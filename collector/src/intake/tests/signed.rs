//! Submissions that are signed, the receipts for them, and the log that holds the collector to these.

use std::path::Path;
use std::sync::Arc;

use data_encoding::BASE64;
use kua::submission::{Acknowledgement, SubmissionKey, is_signed_by};
use kua::tlog::{Checkpoint, Entry, InclusionProof, VerifyingKey, entries, sha256};
use kua_archive::{Archive, Place, Receipt, Writer};

use crate::intake::testing::*;
use crate::intake::{Ledger, LogOptions, Options};

/// An intake over a real archive, with its log.
fn start(dir: &Path, options: Options) -> Server {
    let place = Place::from(dir.join("archive").as_path());
    let mut writer = Writer::open(&place).unwrap();
    let kept = writer.commit().unwrap().first;
    let log = LogOptions { key: dir.join("log.key"), name: "collector.example".into() };
    let ledger = Ledger::start(writer.store(), log, kept, |_| {}).unwrap();
    Server::start(Options { ledger: Some(Arc::new(ledger)), ..options }, writer)
}

fn headers(key: &SubmissionKey, record: &str) -> String {
    let signature = BASE64.encode(&key.sign(&sha256(record.as_bytes())));
    format!("kua-key: {}\r\nkua-signature: {signature}\r\n", BASE64.encode(key.public()))
}

fn post(server: &Server, headers: &str, record: &str) -> Answer {
    server.post_with(SUBMIT, headers, &alone(record))
}

/// The signed word in an answer, with the key that it names.
fn word(answer: &Answer) -> Option<(VerifyingKey, Acknowledgement)> {
    let said = answer.json();
    let key: VerifyingKey = said["x_kua"]["key"].as_str()?.parse().unwrap();
    let note = said["x_kua"]["receipt"].as_str()?.to_owned();
    Some((key.clone(), Acknowledgement::open(note.as_bytes(), &key).unwrap()))
}

fn receipts(dir: &Path) -> Vec<Receipt> {
    let archive = Archive::open(&Place::from(dir.join("archive").as_path())).unwrap();
    let snapshot = archive.snapshot().unwrap();
    let segments = snapshot.segments().iter();
    let records = segments.flat_map(|segment| snapshot.records(segment).unwrap());
    records.map(|record| record.unwrap().receipt.unwrap()).collect()
}

#[test]
fn a_signed_record_gets_a_receipt_that_the_log_keeps() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), Options::default());
    let key = SubmissionKey::from_seed(&[1; 32]).unwrap();
    let (first, second) = (record(1), record(2));
    assert!(word(&server.submit(&first)).is_none(), "OONI's clients get what they expect");
    let answer = post(&server, &headers(&key, &second), &second);
    let (log, said) = word(&answer).unwrap();
    let hash = sha256(second.as_bytes());
    assert_eq!((said.submitted, said.kept, said.index), (hash, hash, 1));
    assert_eq!(Some(said.uid.clone()), answer.uid());
    // Sent again: the same place; what its receipt was, the log knows.
    let again = word(&post(&server, &headers(&key, &second), &second)).unwrap().1;
    assert_eq!((again.index, again.receipt), (1, None));
    let shown = format!("{log}\n");
    assert_eq!(server.get("/log/key").body, shown);
    let metric = |line: &str| server.get("/metrics").body.lines().any(|told| told == line);
    wait_for("both are in the log", || metric("kua_log_entries 2"));
    assert!(metric("kua_log_stopped 0"));
    server.end().unwrap();

    // Everything is in the log when it has ended.
    let server = start(dir.path(), Options::default());
    let checkpoint = server.get("/log/checkpoint");
    let head = Checkpoint::open(checkpoint.body.as_bytes(), &log).unwrap();
    assert_eq!(head.size, 2);
    assert!(checkpoint.head.contains("content-type: text/plain"), "{}", checkpoint.head);
    let receipts = receipts(dir.path());
    let entry = Entry { record: hash, receipt: said.receipt };
    assert_eq!(said.receipt, Some(sha256(receipts[1].text().as_bytes())));
    assert!(said.is_of(&entry) && again.is_of(&entry));
    let proof = server.get("/log/proof/1").body;
    let proof = InclusionProof::parse(proof.as_bytes()).unwrap();
    assert_eq!(proof.verify(&entry, &log), Ok(head));
    for path in ["/log/proof/2", "/log/proof/x", "/log/", "/log/../archive.json", "/log/tile/0/001"]
    {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
    assert_eq!(server.get("/log/tile/0/000.p/2").status, 200);
    let signed = &receipts[1];
    let (key, signature) = (signed.key.as_ref().unwrap(), signed.sig.as_ref().unwrap());
    assert!(is_signed_by(key, signature, &hash), "anybody can check it later");
    assert_eq!((&receipts[0].key, &receipts[0].sig), (&None, &None));
}

#[test]
fn a_signature_that_does_not_verify_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), Options::default());
    let key = SubmissionKey::from_seed(&[1; 32]).unwrap();
    let record = record(1);
    let good = headers(&key, &record);
    for (case, headers) in [
        ("of another record", headers(&key, "{}")),
        ("without its key", good.split_once("\r\n").unwrap().1.to_owned()),
        ("without a signature", good.split_once("kua-signature").unwrap().0.to_owned()),
        ("no base64", good.replace("kua-signature: ", "kua-signature: *")),
    ] {
        assert_eq!(post(&server, &headers, &record).status, 400, "{case}");
    }
    assert_eq!(post(&server, &good, &record).status, 200);
    server.end().unwrap();
    assert_eq!(receipts(dir.path()).len(), 1);
}

/// Neither signature nor hash of what was taken out is kept: by trying addresses, either would find it.
#[test]
fn of_a_record_that_is_scrubbed_nothing_signed_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let proxies = vec!["127.0.0.1".parse().unwrap()];
    let server = start(dir.path(), Options { proxies, ..Options::default() });
    let key = SubmissionKey::from_seed(&[1; 32]).unwrap();
    let sent = record(1).replace(r#""probe_ip":"127.0.0.1""#, r#""probe_ip":"203.0.113.7""#);
    let client = "x-forwarded-for: 203.0.113.7\r\n";
    let answer = post(&server, &(headers(&key, &sent) + client), &sent);
    let (_, said) = word(&answer).unwrap();
    let unscrubbed = sha256(sent.as_bytes());
    assert_eq!(said.submitted, unscrubbed, "the sender knows what was sent");
    assert_ne!(said.kept, unscrubbed);
    server.end().unwrap();
    let receipts = receipts(dir.path());
    assert!(receipts[0].scrubbed);
    assert_eq!((&receipts[0].key, &receipts[0].sig), (&None, &None));
    let logged = std::fs::read(dir.path().join("archive/log/tile/entries/000.p/1")).unwrap();
    assert_eq!(entries(&logged).unwrap()[0].record, said.kept);
}

/// What came while nobody made a log, as by import, is in it before anybody is served.
#[test]
fn a_log_begins_with_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let server = {
        let place = Place::from(dir.path().join("archive").as_path());
        Server::start(Options::default(), Writer::open(&place).unwrap())
    };
    for number in 0..3 {
        assert_eq!(server.submit(&record(number)).status, 200);
    }
    server.end().unwrap();
    let server = start(dir.path(), Options::default());
    let key: VerifyingKey = server.get("/log/key").body.trim().parse().unwrap();
    let head = Checkpoint::open(server.get("/log/checkpoint").body.as_bytes(), &key).unwrap();
    assert_eq!(head.size, 3);
}
