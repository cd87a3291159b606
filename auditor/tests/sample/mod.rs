//! An archive minted for tests: a state with two keys of one name, an interceptor that nobody
//! knows, a product at home, cut connections and sites that are at fault themselves.

use data_encoding::BASE64;
use kua::chain::{Chain, KeyHash};
use kua::measurement::{Failure, Handshake, HelperHandshake, Measurement, Vantage, codes};
use kua::reference::File;
use kua_mint::{Authority, Key, NOW, Template, aki, name, ski};
use time::{Duration, OffsetDateTime};

const DAY: i64 = 86_400;

/// The first day of the archive, in days before the moment that certificates are minted around.
const FIRST: i64 = -1500;

/// Reference files and records.
pub(crate) struct Sample {
    pub(crate) files: Vec<File>,
    pub(crate) records: Vec<Measurement>,
}

/// How much there is, and what foreign text says.
#[derive(Clone, Copy)]
pub(crate) struct Plan<'a> {
    /// Networks in which the state intercepts.
    pub(crate) networks: u32,
    /// Names that it intercepts.
    pub(crate) targets: &'a [&'a str],
    /// Months that the archive spans, up to 48.
    pub(crate) months: i64,
    /// Common name of the interceptor that nobody knows.
    pub(crate) stranger: &'a str,
    /// What records call every network, before its number.
    pub(crate) network: &'a str,
    /// Whether anybody intercepts.
    pub(crate) interception: bool,
}

impl Default for Plan<'_> {
    fn default() -> Self {
        Self {
            networks: 3,
            targets: &["news.example", "video.example", "mail.example"],
            months: 12,
            stranger: "Gateway CA",
            network: "Net",
            interception: true,
        }
    }
}

impl Sample {
    pub(crate) fn of(plan: &Plan<'_>) -> Self {
        let mint = Mint::new(plan);
        let mut records = Vec::new();
        if plan.interception {
            mint.state(plan, &mut records);
            mint.stranger(plan, &mut records);
        }
        mint.otherwise(plan, &mut records);
        mint.genuine(plan, &mut records);
        for (position, record) in records.iter_mut().enumerate() {
            record.uid = Some(format!("sample-{position:05}"));
        }
        Self { files: mint.files(), records }
    }
}

struct Mint {
    public: Authority,
    state: [Authority; 2],
    chosen: Authority,
    shield: Authority,
    stranger: Authority,
}

impl Mint {
    fn new(plan: &Plan<'_>) -> Self {
        let root = |rdns: &[(&str, &str)]| {
            let key = Key::ecdsa_p256();
            let template = Template::authority(&name(rdns)).with(ski(&key.id()));
            Authority::root_with(key, template.valid(NOW - 3000 * DAY, NOW + 3000 * DAY))
        };
        let state = || root(&[("C", "QZ"), ("O", "Security"), ("CN", "National Root")]);
        Self {
            public: root(&[("CN", "Public Root")]),
            state: [state(), state()],
            chosen: root(&[("C", "QZ"), ("O", "Ministry"), ("CN", "Ministry Root")]),
            shield: root(&[("O", "Vendor"), ("CN", "Shield Root")]),
            stranger: root(&[("CN", plan.stranger)]),
        }
    }

    fn files(&self) -> Vec<File> {
        let key = |subject: &str, authority: &Authority| {
            let spki = BASE64.encode(&authority.key.spki());
            format!("[[key]]\nsubject = \"{subject}\"\npublic_key = \"{spki}\"\n")
        };
        let subject = "CN=National Root,O=Security,C=QZ";
        let state = format!(
            "id = \"qz-national\"\ntitle = \"The national interception of Quartzia\"\n\
             country = \"QZ\"\nactor = \"state\"\noperator = \"Government of Quartzia\"\n\
             summary = \"Records of volunteers show forged certificates for news sites.\"\n\
             {}{}[[source]]\nurl = \"https://example.org/report?a=1&b=2\"\n",
            key(subject, &self.state[0]),
            key(subject, &self.state[1]),
        );
        let chosen = format!(
            "id = \"qz-ministry\"\ntitle = \"The ministry's authority\"\ncountry = \"QZ\"\n\
             actor = \"state\"\nconduct = \"capability\"\nchosen_by = [\"gov.example\"]\n{}",
            key("CN=Ministry Root,O=Ministry,C=QZ", &self.chosen),
        );
        let products = "[[product]]\nname = \"Shield\"\nclass = \"antivirus\"\n\
                        issuer_cn = 'Shield Root'\nissuer_o = 'Vendor'\n";
        let owners =
            "asn,operator,country\n64500,\"Quartz Telecom, JSC\",QZ\n64502,Quartz Mobile,QZ\n";
        let store = kua_mint::pem(&self.public.certificate);
        // Firefox blocks both of the state's keys while it goes on, Chrome when it is long over.
        let blocked = self.state.iter().map(|root| {
            let key = KeyHash::of(&root.key.spki());
            format!(
                "[[key]]\nname = \"National Root\"\nspki_sha256 = \"{key}\"\n\
                 never_public = \"drawn\"\nblocks = [\n\
                 {{ clients = [\"firefox\"], since = \"2022-06-01\", source = \"drawn\" }},\n\
                 {{ clients = [\"chrome\"], since = \"2026-01-01\", source = \"drawn\" }},\n]\n"
            )
        });
        let rules = include_str!("../../../certs/browsers.toml");
        let browsers = format!("{rules}{}", blocked.collect::<String>());
        [
            ("browsers.toml", browsers),
            ("interceptors/qz-ministry.toml", chosen),
            ("interceptors/qz-national.toml", state),
            ("networks/state_owned.csv", owners.into()),
            ("products.toml", products.into()),
            ("stores/public.pem", format!("# program: Public\n# date: 2025-10-01\n{store}")),
        ]
        .into_iter()
        .map(|(path, text)| File { path: path.into(), bytes: text.into_bytes() })
        .collect()
    }

    /// Intermediates of 75 days, each used on for a while after its end, as in Kazakhstan.
    fn state(&self, plan: &Plan<'_>, records: &mut Vec<Measurement>) {
        let days = plan.months * 30;
        let step = 110;
        for (round, begin) in (0..days).step_by(step).enumerate() {
            let begin = begin + FIRST;
            let key = Key::ecdsa_p256();
            let root = &self.state[round % 2];
            let template = Template::authority(&name(&[("CN", "Security Certificate")]))
                .valid(NOW + begin * DAY, NOW + (begin + 75) * DAY)
                .with(aki(&root.key.id()));
            let middle = root.intermediate_with(key, template);
            let overrun = if round % 3 == 2 { 70 } else { 97 };
            let uses = (begin..begin + overrun).step_by(6).enumerate();
            for (count, day) in uses {
                let target = plan.targets[(count * 5 + round) % plan.targets.len()];
                let asn = 64500 + (count as u32 * count as u32 + round as u32) % plan.networks;
                let shaken = whole(target, &[&leaf(&middle, target), &middle.certificate]);
                records.push(plan.record(shaken, day, asn));
            }
        }
    }

    /// Controls see a public chain, the probe one of a key in no list.
    fn stranger(&self, plan: &Plan<'_>, records: &mut Vec<Measurement>) {
        for count in 0..9 {
            let target = plan.targets[count % plan.targets.len()];
            let mut shaken =
                whole(target, &[&leaf(&self.stranger, target), &self.stranger.certificate]);
            shaken.failure = Some(Failure::new(codes::SSL_UNKNOWN_AUTHORITY));
            let day = FIRST + 40 + 3 * count as i64;
            records.push(helped(plan.record(shaken, day, 64700), target));
        }
    }

    fn otherwise(&self, plan: &Plan<'_>, records: &mut Vec<Measurement>) {
        let shield =
            whole("shop.example", &[&leaf(&self.shield, "shop.example"), &self.shield.certificate]);
        records.push(plan.record(shield, FIRST + 11, 64500));
        for day in [20, 21, 25] {
            let cut = Handshake {
                network: "tcp".into(),
                endpoint: "192.0.2.7:443".parse().ok(),
                server_name: Some("forum.example".into()),
                failure: Some(Failure::new(codes::CONNECTION_RESET)),
                ..Handshake::default()
            };
            records.push(helped(plan.record(cut, FIRST + day, 64501), "forum.example"));
        }
        let old = Template::leaf(&["old.example"]).valid(NOW - 2900 * DAY, NOW - 2800 * DAY);
        let old = self.public.leaf_with(&Key::ecdsa_p256(), old).certificate;
        records.push(plan.record(whole("old.example", &[&old]), FIRST + 30, 64500));
        let bank = "tax.gov.example";
        let bank = whole(bank, &[&leaf(&self.chosen, bank)]);
        records.push(plan.record(bank, FIRST + 31, 64500));
        let odd = Authority::root("Somebody");
        let odd = whole("odd.example", &[&leaf(&odd, "odd.example")]);
        records.push(plan.record(odd, FIRST + 32, 64500));
        let silent = Handshake {
            failure: Some(Failure::new(codes::GENERIC_TIMEOUT)),
            server_name: Some("silent.example".into()),
            ..Handshake::default()
        };
        records.push(plan.record(silent, FIRST + 33, 64500));
    }

    fn genuine(&self, plan: &Plan<'_>, records: &mut Vec<Measurement>) {
        for (count, target) in plan.targets.iter().enumerate() {
            let chain = leaf(&self.public, target);
            for asn in 0..plan.networks {
                for day in (FIRST..FIRST + plan.months * 30).step_by(17 + count) {
                    // A winter in which nobody measured.
                    if (day - FIRST) % 365 < 300 {
                        let shaken = whole(target, &[&chain]);
                        records.push(plan.record(shaken, day, 64500 + asn));
                    }
                }
            }
        }
    }
}

impl Plan<'_> {
    fn record(&self, shaken: Handshake, day: i64, asn: u32) -> Measurement {
        let at = OffsetDateTime::from_unix_timestamp(NOW).unwrap() + Duration::days(day);
        Measurement {
            started: Some(at),
            vantage: Vantage {
                country: "QZ".into(),
                asn,
                network: format!("{} {asn}", self.network),
            },
            handshakes: vec![shaken],
            ..Measurement::default()
        }
    }
}

fn leaf(authority: &Authority, target: &str) -> Vec<u8> {
    let template = Template::leaf(&[target]).valid(NOW - 2000 * DAY, NOW + 2000 * DAY);
    authority.leaf_with(&Key::ecdsa_p256(), template).certificate
}

fn whole(target: &str, chain: &[&Vec<u8>]) -> Handshake {
    let mut shaken = Handshake {
        network: "tcp".into(),
        endpoint: "192.0.2.1:443".parse().ok(),
        server_name: Some(target.into()),
        chain: Chain::from_der(chain).ok(),
        whole: true,
        ..Handshake::default()
    };
    shaken.extra.holds_key = Some(true);
    shaken
}

fn helped(mut record: Measurement, target: &str) -> Measurement {
    record.seen_by_helper = vec![HelperHandshake { server_name: target.into(), failure: None }];
    record
}
