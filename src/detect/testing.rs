//! A bench for detectors' tables: a public root, a state's root, an authority that sites choose, an
//! owner's own,
//! and one handshake for `example.com` at the moment that certificates are minted around.

use data_encoding::{BASE64, HEXLOWER};
use kua_mint::{Authority, Key, Leaf, NOW, Template, name};
use time::OffsetDateTime;

use crate::chain::Chain;
use crate::measurement::{Handshake, Measurement};
use crate::reference::{File, Reference};
use crate::surroundings::Surroundings;
use crate::verdict::{Judgement, judge};

pub(crate) struct Bench {
    pub(crate) public: Authority,
    pub(crate) state: Authority,
    pub(crate) chosen: Authority,
    pub(crate) owner: Authority,
    pub(crate) reference: Reference,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let authority = |rdns: &[(&str, &str)]| {
            Authority::root_with(Key::ecdsa_p256(), Template::authority(&name(rdns)))
        };
        let public = authority(&[("CN", "Public Root")]);
        let state = authority(&[("C", "QZ"), ("O", "State"), ("CN", "State Root")]);
        let chosen = authority(&[("C", "QZ"), ("O", "Ministry"), ("CN", "Ministry Root")]);
        let owner = authority(&[("O", "Owner"), ("CN", "Owner Root")]);
        let private = format!(
            "[[pki]]\nowner = \"Owner\"\nsuffixes = [\"owner.example\"]\n\
             [[pki.key]]\nsubject = \"CN=Owner Root,O=Owner\"\npublic_key = \"{}\"\n",
            BASE64.encode(&owner.key.spki())
        );
        let dossier = |id: &str, more: &str, subject: &str, authority: &Authority| File {
            path: format!("interceptors/{id}.toml"),
            bytes: format!(
                "id = \"{id}\"\ntitle = \"The {id}\"\ncountry = \"QZ\"\nactor = \"state\"\n{more}\n\
                 [[key]]\nsubject = \"{subject}\"\npublic_key = \"{}\"\n",
                BASE64.encode(&authority.key.spki())
            )
            .into_bytes(),
        };
        let products = "[[product]]\nname = \"Shield\"\nclass = \"antivirus\"\n\
                        issuer_cn = 'Shield Root'\nissuer_o = 'Vendor'\n\
                        [[product]]\nname = \"Box\"\nclass = \"device\"\nissuer_o = 'Box'\n";
        let files = [
            File {
                path: "stores/public.pem".into(),
                bytes: kua_mint::pem(&public.certificate).into_bytes(),
            },
            dossier("some-state", "", "CN=State Root,O=State,C=QZ", &state),
            dossier(
                "some-ministry",
                "conduct = \"capability\"\nchosen_by = [\"qz\"]",
                "CN=Ministry Root,O=Ministry,C=QZ",
                &chosen,
            ),
            File { path: "private_pki.toml".into(), bytes: private.into() },
            File { path: "products.toml".into(), bytes: products.into() },
        ];
        let reference = Reference::from_files(files).unwrap();
        Self { public, state, chosen, owner, reference }
    }

    pub(crate) fn judge(&self, shaken: &Handshake) -> Judgement {
        self.judge_with(shaken, &[])
    }

    /// `controls` are handshakes of one clean vantage point.
    pub(crate) fn judge_with(&self, shaken: &Handshake, controls: &[Handshake]) -> Judgement {
        let controls = Surroundings::of_controls(&[measurement(controls)], &self.reference);
        let seen = measurement(std::slice::from_ref(shaken));
        let mut judgements = judge(&seen, &self.reference, &controls, None);
        assert_eq!(judgements.len(), 1, "one judgement a handshake");
        judgements.remove(0)
    }
}

/// What all of `measurements` together are the surroundings of.
pub(crate) fn surroundings(bench: &Bench, measurements: &[Measurement]) -> Surroundings {
    let mut surroundings = Surroundings::none();
    for measurement in measurements {
        surroundings.add(measurement, &bench.reference);
    }
    surroundings
}

/// A chain that was presented for `name` at `address`.
pub(crate) fn presented(name: &str, address: &str, chain: &[&Vec<u8>]) -> Handshake {
    let mut shaken = certificates(chain);
    shaken.server_name = Some(name.into());
    shaken.endpoint = address.parse().ok().map(|address: std::net::IpAddr| (address, 443).into());
    shaken
}

/// One handshake that was made in a network, on a day after the first.
pub(crate) fn seen_in(country: &str, asn: u32, day: i64, shaken: &Handshake) -> Measurement {
    let mut seen = measurement(std::slice::from_ref(shaken));
    seen.vantage.country = country.into();
    seen.vantage.asn = asn;
    seen.started = OffsetDateTime::from_unix_timestamp(NOW + day * 86_400).ok();
    seen
}

pub(crate) fn measurement(handshakes: &[Handshake]) -> Measurement {
    Measurement {
        started: OffsetDateTime::from_unix_timestamp(NOW).ok(),
        handshakes: handshakes.to_vec(),
        ..Measurement::default()
    }
}

/// A handshake for `example.com` in which `chain` was presented, leaf first, by its holder.
pub(crate) fn certificates(chain: &[&Vec<u8>]) -> Handshake {
    let mut shaken = Handshake {
        network: "tcp".into(),
        server_name: Some("example.com".into()),
        chain: Some(Chain::from_der(chain).unwrap()),
        whole: true,
        ..Handshake::default()
    };
    shaken.extra.holds_key = Some(true);
    shaken
}

/// The same as seen by a control.
pub(crate) fn control(chain: &[&Vec<u8>]) -> Handshake {
    let mut shaken = certificates(chain);
    let leaf = shaken.chain.as_ref().and_then(|chain| chain.first().fields()).unwrap();
    shaken.server_name = leaf.alternative_names.first().cloned();
    shaken
}

/// The level at which a detector spoke, if it did.
pub(crate) fn level_of(judgement: &Judgement, detector: &str) -> Option<String> {
    let finding = judgement.findings.iter().find(|finding| finding.detector == detector);
    finding.map(|finding| finding.level.to_string())
}

/// In seconds.
pub(crate) const DAY: i64 = 86_400;

/// A world with one dossier of each kind. Its misused authority was misused for ten days until now,
/// for `victim.example` and others.
pub(crate) struct World {
    pub(crate) bench: Bench,
    pub(crate) misused: Authority,
    pub(crate) distrusted: Authority,
    pub(crate) rogue: Authority,
    pub(crate) planted: Authority,
    pub(crate) forged: Key,
    pub(crate) leaked: Key,
}

impl World {
    /// `trusted`: whether the root program still has the misused authority.
    pub(crate) fn new(trusted: bool) -> Self {
        let mut bench = Bench::new();
        let misused = Authority::root("Misused Root");
        let distrusted = Authority::root("Distrusted Root");
        let rogue = misused.intermediate("*.rogue.example");
        let planted = Authority::root("Planted Root");
        let (forged, leaked) = (Key::ecdsa_p256(), Key::ecdsa_p256());
        let key = |role: &str, subject: &str, spki: &[u8]| {
            format!(
                "[[key]]\nrole = \"{role}\"\nsubject = \"{subject}\"\npublic_key = \"{}\"\n",
                BASE64.encode(spki)
            )
        };
        let active = |from: i64, until: i64| {
            let day = |at: i64| OffsetDateTime::from_unix_timestamp(at).unwrap().date();
            format!("active = [{{ from = \"{}\", until = \"{}\" }}]\n", day(from), day(until))
        };
        let dossier = |id: &str, actor: &str, more: &str| File {
            path: format!("interceptors/{id}.toml"),
            bytes: format!("id = \"{id}\"\ncountry = \"QZ\"\nactor = \"{actor}\"\n{more}")
                .into_bytes(),
        };
        let spki = |authority: &Authority| authority.key.spki();
        let known = [
            active(NOW - 10 * DAY, NOW),
            "targets = [\"victim.example\"]\n".into(),
            key("misused-authority", "CN=Misused Root", &spki(&misused)),
            key("interception-authority", "CN=*.rogue.example", &spki(&rogue)),
            key("forged-leaf", "CN=example.com", &forged.spki()),
            format!("[[forged]]\nserial = \"{}\"\n", HEXLOWER.encode(&[0x5e; 16])),
        ];
        let mut store = kua_mint::pem(&bench.public.certificate);
        if trusted {
            store.push_str(&kua_mint::pem(&misused.certificate));
        }
        bench.reference = Reference::from_files([
            File { path: "stores/public.pem".into(), bytes: store.into_bytes() },
            dossier("misused", "public-ca", &known.concat()),
            dossier(
                "distrusted",
                "public-ca",
                &format!(
                    "conduct = \"capability\"\n{}",
                    key("public-authority", "CN=Distrusted Root", &spki(&distrusted))
                ),
            ),
            dossier("planted", "local", &key("planted-root", "CN=Planted Root", &spki(&planted))),
            dossier(
                "leaked",
                "unknown",
                &format!(
                    "conduct = \"capability\"\n{}",
                    key("leaked-leaf", "CN=example.com", &leaked.spki())
                ),
            ),
        ])
        .unwrap();
        Self { bench, misused, distrusted, rogue, planted, forged, leaked }
    }

    pub(crate) fn genuine(&self, name: &str) -> Handshake {
        control(&[&self.bench.public.leaf(name).certificate])
    }

    pub(crate) fn told(&self, name: &str, chain: &[&Vec<u8>], controls: &[Handshake]) -> Judgement {
        let mut shaken = certificates(chain);
        shaken.server_name = Some(name.into());
        self.bench.judge_with(&shaken, controls)
    }
}

/// A leaf of `name` that became valid `days` ago.
pub(crate) fn leaf_of_days(of: &Authority, name: &str, days: i64) -> Leaf {
    of.leaf_with(&Key::ecdsa_p256(), Template::leaf(&[name]).valid(NOW - days * DAY, NOW + DAY))
}
