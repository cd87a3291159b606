//! Records that differ, over chains of which some are shared and some are new.

use kua::chain::Chain;
use kua::measurement::{Extra, Handshake, Measurement, Software, Target, Vantage};
use kua::wire::to_line;
use kua_mint::{Authority, Key, NOW, Template, name};
use time::OffsetDateTime;

/// Sites whose chains everybody is shown.
const SITES: usize = 12;

/// One record of so many has a chain that nobody was shown before.
const NEW_CHAIN: u64 = 20;

/// Countries and networks of the records, in turn.
const VANTAGES: [(&str, u32); 3] = [("QZ", 64_500), ("QZ", 64_501), ("QY", 64_502)];

/// Makes records, each another.
pub struct Records {
    intermediate: Authority,
    chains: Vec<Chain>,
    made: u64,
}

impl Default for Records {
    fn default() -> Self {
        Self::new()
    }
}

impl Records {
    /// Over chains that are minted anew.
    pub fn new() -> Self {
        let root = Authority::root_with(
            Key::ecdsa_p256(),
            Template::authority(&name(&[("CN", "Torture Root")])),
        );
        let template = Template::authority(&name(&[("CN", "Torture Intermediate")]));
        let intermediate = root.intermediate_with(Key::ecdsa_p256(), template);
        let chains = (0..SITES).map(|site| chain(&intermediate, &host(site))).collect();
        Self { intermediate, chains, made: 0 }
    }

    /// `count` lines that were not made before.
    pub fn next(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.one()).collect()
    }

    fn one(&mut self) -> String {
        self.made += 1;
        let site = self.made as usize % SITES;
        let chain = if self.made.is_multiple_of(NEW_CHAIN) {
            chain(&self.intermediate, &host(site))
        } else {
            self.chains[site].clone()
        };
        let (country, asn) = VANTAGES[self.made as usize % VANTAGES.len()];
        let day = (self.made % 5) as i64;
        let shaken = Handshake {
            network: "tcp".into(),
            endpoint: "192.0.2.1:443".parse().ok(),
            server_name: Some(host(site)),
            chain: Some(chain),
            whole: true,
            version: "TLSv1.3".into(),
            cipher: "TLS_AES_128_GCM_SHA256".into(),
            extra: Extra { holds_key: Some(true), ..Extra::default() },
            ..Handshake::default()
        };
        to_line(&Measurement {
            started: OffsetDateTime::from_unix_timestamp(NOW + day * 86_400).ok(),
            vantage: Vantage { country: country.into(), asn, network: "Example".into() },
            software: Software {
                name: "kua".into(),
                version: "0.1.0".into(),
                test: "kua".into(),
                test_version: "0.1.0".into(),
            },
            input: Some(format!("https://{}/{}", host(site), self.made)),
            target: Some(Target { host: host(site), port: 443 }),
            handshakes: vec![shaken],
            ..Measurement::default()
        })
    }
}

fn host(site: usize) -> String {
    format!("site-{site}.example")
}

fn chain(intermediate: &Authority, host: &str) -> Chain {
    let certificates = [intermediate.leaf(host).certificate, intermediate.certificate.clone()];
    Chain::from_der(&certificates).unwrap_or_else(|error| unreachable!("minted: {error}"))
}
