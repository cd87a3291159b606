//! Minted record lines: normal chains and intercepted ones, and the reference that knows which.

use data_encoding::BASE64;
use kua::chain::Chain;
use kua::measurement::{Extra, Failure, Handshake, Measurement, Target, Vantage};
use kua::reference::{File, Reference, built_in_files};
use kua::wire::to_line;
use kua_mint::{Authority, NOW, pem};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::Result;

/// One record of so many is intercepted.
const INTERCEPTED: usize = 4;

/// Two authorities: one that a root program lists, one that a dossier names.
pub(crate) struct World {
    public: Authority,
    interceptor: Authority,
    public_root: Authority,
    interceptor_root: Authority,
}

/// A line, and whether it shows an interception.
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) intercepted: bool,
}

impl World {
    pub(crate) fn new() -> Self {
        let public_root = Authority::root("Public Root");
        let interceptor_root = Authority::root("State Root");
        Self {
            public: public_root.intermediate("Public Intermediate"),
            interceptor: interceptor_root.intermediate("State Intermediate"),
            public_root,
            interceptor_root,
        }
    }

    /// The built-in reference, and these two.
    pub(crate) fn reference(&self) -> Result<Reference> {
        let dossier = format!(
            "id = \"bench\"\ncountry = \"ZZ\"\nactor = \"state\"\n[[key]]\nsubject = \"CN=State Root\"\npublic_key = \"{}\"\n",
            BASE64.encode(&self.interceptor_root.key.spki())
        );
        let minted = [
            ("stores/bench.pem", pem(&self.public_root.certificate)),
            ("interceptors/bench.toml", dossier),
        ];
        let minted =
            minted.map(|(path, text)| File { path: path.into(), bytes: text.into_bytes() });
        Ok(Reference::from_files(built_in_files().chain(minted))?)
    }

    /// `count` lines about `distinct` chains of three or two certificates, each chain as often as
    /// the others.
    pub(crate) fn lines(&self, count: usize, distinct: usize) -> Result<Vec<Line>> {
        let chains: Vec<_> = (0..distinct).map(|site| self.chain(site)).collect();
        (0..count).map(|number| line(number, number % distinct, &chains)).collect()
    }

    fn chain(&self, site: usize) -> Vec<Vec<u8>> {
        let signer = if intercepted(site) { &self.interceptor } else { &self.public };
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
        started: OffsetDateTime::from_unix_timestamp(NOW).ok(),
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
