//! Mints the seeds of `certificate`, `log`, `record`, `reference`, `segment` and `store` anew:
//! `cargo run --example seeds` in this folder.
//! Dossiers and suites are in the repository already.

#[path = "../../probes/src/machine/testing.rs"]
mod testing;

use std::error::Error;
use std::fs;
use std::path::Path;

use kua::chain::Chain;
use kua::measurement::{Extra, Failure, Handshake, Measurement, Query, Target, Vantage};
use kua::submission::Acknowledgement;
use kua::tlog::{Checkpoint, Entry, InclusionProof, SigningKey, bundle};
use kua::wire::to_line;
use kua_archive::segment::Encoder;
use kua_archive::{FileHash, Manifest, Receipt, RecordHash, Settled};
use kua_mint::{Algorithm, Authority, Key, Log, NOW, Template, name, san, sct_list, self_signed};
use time::OffsetDateTime;

fn main() -> Result<(), Box<dyn Error>> {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let minted = [
        ("certificate", certificates()),
        ("log", logs()?),
        ("record", records()?),
        ("reference", references()?),
        ("segment", segments()?),
        ("store", stores()),
    ];
    for (folder, files) in minted {
        fs::create_dir_all(seeds.join(folder))?;
        for (file, bytes) in files {
            fs::write(seeds.join(folder).join(file), bytes)?;
        }
    }
    Ok(())
}

type Files = Vec<(&'static str, Vec<u8>)>;

/// One of each kind that a log has, after the byte that chooses its reader.
fn logs() -> Result<Files, Box<dyn Error>> {
    let key = SigningKey::from_seed("log.example", &[1; 32])?;
    let head = Checkpoint { origin: "log.example".into(), size: 9, root: [2; 32] };
    let checkpoint = head.sign(&key);
    let receipt = Acknowledgement {
        log: "log.example".into(),
        submitted: [3; 32],
        kept: [3; 32],
        uid: "uid".into(),
        received: OffsetDateTime::from_unix_timestamp(NOW)?,
        receipt: Some([4; 32]),
        index: 4,
    };
    let receipt = receipt.sign(&key);
    let entries = [
        Entry { record: [5; 32], receipt: None },
        Entry { record: [6; 32], receipt: Some([7; 32]) },
    ];
    let proof =
        InclusionProof { index: 4, path: vec![[8; 32], [9; 32]], checkpoint: checkpoint.clone() };
    let chosen = |choice: u8, bytes: &[u8]| [&[choice], bytes].concat();
    let numbers = [4_u64.to_be_bytes(), 9_u64.to_be_bytes()].concat();
    Ok(vec![
        ("note", chosen(0, checkpoint.to_string().as_bytes())),
        ("checkpoint", chosen(1, checkpoint.text.as_bytes())),
        ("receipt", chosen(1, receipt.text.as_bytes())),
        ("proof", chosen(2, proof.to_string().as_bytes())),
        ("bundle", chosen(3, &bundle(&entries))),
        ("path", chosen(4, b"tile/entries/x001/234.p/5")),
        ("key", chosen(5, key.public().to_string().as_bytes())),
        ("sizes", chosen(6, &numbers)),
        ("answer", chosen(7, b"\x00\xc8120\n{\"measurement_uid\":\"u\"}")),
    ])
}

/// A segment of two records and one of none, and a manifest.
fn segments() -> Result<Files, Box<dyn Error>> {
    let mut encoder = Encoder::new(Encoder::FAST)?;
    let receipt = Receipt { uid: Some("1".into()), ..Receipt::default() };
    for (raw, receipt) in [(&b"{\n}"[..], None), (b"{\"a\":1}", Some(&receipt))] {
        encoder.push(RecordHash::of(raw), receipt, raw)?;
    }
    let empty = Encoder::new(Encoder::FAST)?.finish()?;
    let hash = FileHash::of(b"");
    let settled =
        Settled { first: 1, last: 2, records: 2, bytes: 9, sha256: hash, inventory: hash };
    let manifest = Manifest { version: 1, settled: vec![settled], ..Manifest::default() };
    Ok(vec![
        ("two", encoder.finish()?.to_vec()),
        ("none", empty.to_vec()),
        ("manifest", manifest.to_text().into_bytes()),
    ])
}

/// One store of each kind.
fn stores() -> Files {
    let root = Authority::root("Root").certificate;
    let plain = kua_mint::pem(&root);
    let windows = [b"\0\0\0\0CERT".as_slice(), &property(32, &root), &[0; 12]].concat();
    vec![
        ("pem", format!("# Root\n{plain}").into_bytes()),
        ("p11-kit", format!("[p11-kit-object-v1]\nx-distrusted: true\n{plain}").into_bytes()),
        ("jks", testing::keystore("changeit", &[("root", &root)])),
        ("nss", testing::database(&[("root", &root, Some(testing::TRUSTS))])),
        ("nss-distrust", testing::database(&[("", &root, Some(testing::DISTRUSTS))])),
        ("windows", windows),
        ("policy", b"{\"CACertificates\":[\"MIIB\"]}".to_vec()),
    ]
}

/// A property of a certificate in a store of Windows.
fn property(number: u32, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).expect("a certificate is short");
    [&number.to_le_bytes()[..], &1_u32.to_le_bytes(), &length.to_le_bytes(), value].concat()
}

/// One of each kind of key, signature and oddity, and a chain.
fn certificates() -> Files {
    let root = Authority::root("Root");
    let middle = root.intermediate("Intermediate");
    let leaf = || Template::leaf(&["example.com", "*.example.com", "192.0.2.1", "2001:db8::1"]);
    let own = |key: Key, template: Template| self_signed(&key, template).certificate;
    let issuer = name(&[("C", "KZ"), ("O", "Қазақстан"), ("CN", "a+b, \"c\"")]);
    vec![
        ("chain", [middle.leaf("example.com").certificate, middle.certificate.clone()].concat()),
        ("with-root", [root.leaf("example.com").certificate, root.certificate.clone()].concat()),
        ("names", root.leaf_with(&Key::ecdsa_p256(), leaf()).certificate),
        ("no-names", own(Key::ecdsa_p256(), leaf().without(&san(&["a"]).oid))),
        ("ed25519", own(Key::ed25519(), leaf())),
        ("p384", own(Key::ecdsa_p384(), leaf())),
        ("rsa", own(Key::rsa(2048), leaf())),
        ("rsa-1024-sha1", own(Key::rsa(1024), leaf().algorithm(Algorithm::RsaSha1))),
        ("rsa-exponent-3", own(Key::rsa_with_exponent(1024, 3), leaf())),
        ("rsa-pss", own(Key::rsa(2048), leaf().algorithm(Algorithm::RsaPssSha256))),
        ("version-1", own(Key::ecdsa_p256(), leaf().version_1())),
        ("ber", own(Key::ecdsa_p256(), leaf().explicit_false())),
        ("authority", own(Key::ecdsa_p256(), Template::authority(&issuer))),
        ("scts", promised()),
        ("year-9999", own(Key::ecdsa_p256(), leaf().valid(-2_208_988_800, 253_402_300_799))),
    ]
}

/// A leaf that two logs promised to show.
fn promised() -> Vec<u8> {
    let (root, key) = (Authority::root("Root"), Key::ecdsa_p256());
    let leaf = Template::leaf(&["example.com"]);
    let scts = [Log::new(), Log::new()].map(|log| log.sct(&root, &key, &leaf));
    root.leaf_with(&key, leaf.with(sct_list(&scts))).certificate
}

/// What Kua writes, and the places where OONI's tests put handshakes and controls.
fn records() -> Result<Files, Box<dyn Error>> {
    let root = Authority::root("Root");
    let sent = [root.leaf("example.com").certificate, root.certificate.clone()];
    let whole = Handshake {
        network: "tcp".into(),
        endpoint: Some("192.0.2.1:443".parse()?),
        server_name: Some("example.com".into()),
        failure: Some(Failure::new("ssl_unknown_authority")),
        chain: Some(Chain::from_der(&sent)?),
        whole: true,
        version: "TLSv1.3".into(),
        cipher: "TLS_AES_128_GCM_SHA256".into(),
        alpn: "h2".into(),
        transaction: 1,
        extra: Extra {
            group: Some("x25519".into()),
            holds_key: Some(true),
            staple: Some(vec![0x30, 0]),
            sent: Some(300),
            received: Some(3000),
            ..Extra::default()
        },
        ..Handshake::default()
    };
    let own = Measurement {
        started: OffsetDateTime::from_unix_timestamp(NOW).ok(),
        vantage: Vantage { country: "KZ".into(), asn: 9198, network: "Example".into() },
        input: Some("https://example.com/".into()),
        target: Some(Target { host: "example.com".into(), port: 443 }),
        queries: vec![Query {
            hostname: "example.com".into(),
            kind: "A".into(),
            engine: "system".into(),
            addresses: vec!["192.0.2.1".into(), "2001:db8::1".into()],
            ..Query::default()
        }],
        handshakes: vec![whole],
        ..Measurement::default()
    };
    // The last hours of the year 9999 in a western zone are beyond every UTC time.
    let last = br#"{"test_start_time":"9999-12-31T23:59:59-23:59","test_keys":{}}"#;
    let mut lone = own.clone();
    lone.handshakes[0].whole = false;
    lone.handshakes[0].chain = Some(Chain::from_der(&sent[..1])?);
    Ok(vec![
        ("own", to_line(&own).into_bytes()),
        ("stock-ooni", to_line(&lone).into_bytes()),
        ("web-connectivity", WEB_CONNECTIVITY.into()),
        ("web-connectivity-0.4", WEB_CONNECTIVITY_04.into()),
        ("tlsping", TLSPING.into()),
        ("last-moment", last.to_vec()),
        ("nothing", br#"{"test_keys":null}"#.to_vec()),
    ])
}

const WEB_CONNECTIVITY: &str = r#"{"test_name":"web_connectivity","probe_cc":"KZ","probe_asn":"AS9198","measurement_start_time":"2023-10-16 13:06:00","input":"https://example.com/","annotations":{"engine":"x"},"test_keys":{"queries":[{"hostname":"example.com","query_type":"A","engine":"doh","answers":[{"answer_type":"A","ipv4":"192.0.2.1"}],"failure":null}],"tcp_connect":[{"ip":"192.0.2.1","port":443,"status":{"failure":"connection_reset","success":false}}],"tls_handshakes":[{"server_name":"example.com","address":"192.0.2.1:443","failure":"ssl_unknown_authority","no_tls_verify":false,"tls_version":"TLSv1.2","peer_certificates":[null,{"data":"MAMCAQE=","format":"base64"}],"t0":0.1,"t":0.2}],"control":{"tls_handshake":{"192.0.2.1:443":{"server_name":"example.com","status":true,"failure":null}}}}}"#;

const WEB_CONNECTIVITY_04: &str = r#"{"test_start_time":"2023-10-16T13:06:00.5+06:00","input":"https://example.com/","test_keys":{"control":{"http_request":{"status_code":200}},"tls_handshakes":[{"server_name":"example.com","failure":"eof_error"}]}}"#;

const TLSPING: &str = r#"{"test_name":"tlsping","data_format_version":"0.2.0","test_keys":{"pings":[{"tls_handshake":{"server_name":"example.com","no_tls_verify":true,"peer_certificates":[{"data":"MAMCAQE="}]}},{"quic_handshake":{"network":"udp","x_kua":{"holds_key":false,"alert":"unknown_ca","staple":"MAA="}}},{"iterations":[{"handshake":{"failure":"generic_timeout_error"}}]}]}}"#;

/// One of each kind of file, after the byte that chooses it; and the root that the target knows.
fn references() -> Result<Files, Box<dyn Error>> {
    let root = Authority::root("Root").certificate;
    let (pem, name) = (kua_mint::pem(&root), Chain::from_der([&root])?.first().fingerprint());
    let chosen = |choice: u8, text: &str| [&[choice], text.as_bytes()].concat();
    let history = format!(
        "program = \"Any\"\ndate = \"2026-10-23\"\nknown_since = \"2016-01-01\"\n\
         [[anchor]]\nsha256 = \"{name}\"\nfrom = \"2018-03-01\"\nuntil = \"2022-12-07\"\n\
         tls = \"unknown\"\nissued_after = \"2024-11-30\"\nsct_after = \"2024-11-11T23:59:59Z\"\n"
    );
    let blocked = format!(
        "list = \"Any\"\nprograms = [\"Any\"]\n[[issuer]]\nname = \"MAA=\"\n\
         serials = [{{ serial = \"0a\", since = \"2015-04-01\" }}]\n\
         [[key]]\nspki_sha256 = \"{name}\"\ninterception = true\n[[certificate]]\nsha256 = \"{name}\"\n"
    );
    Ok(vec![
        ("store", chosen(0, &format!("# program: Any\n# date: 2026-10-23\n\n{pem}"))),
        ("history", chosen(1, &history)),
        ("certificates", chosen(2, &pem)),
        ("owners", chosen(3, &format!("sha256,owner,country,state,source\n{name},A,QZ,,b\n"))),
        ("blocked", chosen(4, &blocked)),
        ("root.pem", pem.into_bytes()),
    ])
}
