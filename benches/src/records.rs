//! Minted record lines: normal chains and intercepted ones, and the reference that knows which.

use data_encoding::BASE64;
use kua::chain::Chain;
use kua::measurement::{Extra, Failure, Handshake, Measurement, Target, Vantage};
use kua::reference::{File, Reference, built_in_files};
use kua::wire::to_line;
use kua_mint::{Authority, Key, NOW, Template, name, pem};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::Result;

/// One record of so many is intercepted.
const INTERCEPTED: usize = 4;

/// Authorities that a root program lists, and authorities that a dossier names: of each kind one
/// with RSA and one with ECDSA.
pub(crate) struct World {
    public: [Signer; 2],
    interceptor: [Signer; 2],
}

struct Signer {
    root: Authority,
    intermediate: Authority,
}

impl Signer {
    fn both(common_name: &str) -> [Self; 2] {
        let signer = |new_key: fn() -> Key| {
            let template = Template::authority(&name(&[("CN", common_name)]));
            let root = Authority::root_with(new_key(), template.clone());
            let template = template.subject(&name(&[("CN", "Intermediate"), ("O", common_name)]));
            let intermediate = root.intermediate_with(new_key(), template);
            Self { root, intermediate }
        };
        [signer(|| Key::rsa(2048)), signer(Key::ecdsa_p256)]
    }
}

/// A line, and whether it shows an interception.
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) intercepted: bool,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { public: Signer::both("Public Root"), interceptor: Signer::both("State Root") }
    }

    /// How many certificates the lines of many chains have besides their leaves.
    pub(crate) fn intermediates(&self) -> usize {
        self.public.len() + self.interceptor.len()
    }

    /// The built-in reference, and these.
    pub(crate) fn reference(&self) -> Result<Reference> {
        let store = self.public.iter().map(|signer| pem(&signer.root.certificate)).collect();
        let mut dossier = "id = \"bench\"\ncountry = \"ZZ\"\nactor = \"state\"\n".to_owned();
        for signer in &self.interceptor {
            let key = BASE64.encode(&signer.root.key.spki());
            dossier += &format!("[[key]]\nsubject = \"CN=State Root\"\npublic_key = \"{key}\"\n");
        }
        let minted = [("stores/bench.pem", store), ("interceptors/bench.toml", dossier)];
        let minted = minted
            .map(|(path, text): (_, String)| File { path: path.into(), bytes: text.into_bytes() });
        Ok(Reference::from_files(built_in_files().chain(minted))?)
    }

    /// `count` lines about `distinct` chains of leaf and intermediate, each chain as often as the
    /// others.
    pub(crate) fn lines(&self, count: usize, distinct: usize) -> Result<Vec<Line>> {
        let chains: Vec<_> = (0..distinct).map(|site| self.chain(site)).collect();
        (0..count).map(|number| line(number, number % distinct, &chains)).collect()
    }

    fn chain(&self, site: usize) -> Vec<Vec<u8>> {
        let signers = if intercepted(site) { &self.interceptor } else { &self.public };
        let signer = &signers[site / INTERCEPTED % 2].intermediate;
        vec![signer.leaf(&host(site)).certificate, signer.certificate.clone()]
    }
}

fn intercepted(site: usize) -> bool {
    site.is_multiple_of(INTERCEPTED)
}

fn host(site: usize) -> String {
    format!("site-{site}.example")
}

fn line(number: usize, site: usize, chains: &[Vec<Vec<u8>>]) -> Result<Line> {
    let intercepted = intercepted(site);
    // Each chain is seen on each day, where it is seen often enough.
    let day = (number / chains.len() % 7) as i64;
    let shaken = Handshake {
        network: "tcp".into(),
        endpoint: Some("192.0.2.1:443".parse()?),
        server_name: Some(host(site)),
        failure: intercepted.then(|| Failure::new("ssl_unknown_authority")),
        chain: Some(Chain::from_der(&chains[site])?),
        whole: true,
        version: "TLSv1.3".into(),
        cipher: "TLS_AES_128_GCM_SHA256".into(),
        extra: Extra { holds_key: Some(true), ..Extra::default() },
        ..Handshake::default()
    };
    let measurement = Measurement {
        uid: Some(format!("bench-{number}")),
        started: OffsetDateTime::from_unix_timestamp(NOW + day * 86_400).ok(),
        vantage: Vantage { country: "ZZ".into(), asn: 64_496, network: "Example".into() },
        input: Some(format!("https://{}/", host(site))),
        target: Some(Target { host: host(site), port: 443 }),
        handshakes: vec![shaken],
        ..Measurement::default()
    };
    Ok(Line { text: to_line(&measurement), intercepted })
}

/// The line with a page and network events, as OONI's web_connectivity has them: about `length`
/// bytes.
pub(crate) fn as_ooni(line: &str, length: usize) -> Result<String> {
    let mut record: Value = serde_json::from_str(line)?;
    let events: Vec<_> = (0..30)
        .map(|number| {
            json!({
                "address": "192.0.2.1:443", "failure": null, "num_bytes": 517 + number,
                "operation": "read", "proto": "tcp", "t0": 0.1, "t": 0.1 + f64::from(number) / 1e3,
                "tags": [], "transaction_id": 1,
            })
        })
        .collect();
    record["test_keys"]["network_events"] = json!(events);
    record["test_keys"]["blocking"] = json!(false);
    let room = length.saturating_sub(record.to_string().len() + 200);
    let page = "<p class=\"a\">Новости, news & more</p>\n";
    let mut body = page.repeat(room / serde_json::to_string(page)?.len());
    body.push_str(&record["measurement_uid"].to_string());
    record["test_keys"]["requests"] = json!([{
        "failure": null, "request": {"method": "GET", "url": record["input"]},
        "response": {"body": body, "body_is_truncated": false, "code": 200},
    }]);
    Ok(record.to_string())
}
