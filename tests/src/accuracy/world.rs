//! The reference data that this program is built with, and stand-ins for keys that nobody here holds.

use data_encoding::BASE64;
use kua::chain::KeyHash;
use kua::reference::{File, Reference, built_in_files};
use kua_mint::{
    Authority, Key, Log, NOW, Presented, Template, aki, name, pem, sct_list, self_signed, ski,
};

/// A key that stands in for one of a dossier's.
struct StandIn {
    dossier: &'static str,
    role: &'static str,
    name: &'static [(&'static str, &'static str)],
    made: Made,
}

/// What certificate the key has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    /// A root of its own.
    Root,
    /// One that the public root signed.
    Below,
}

const STAND_INS: &[StandIn] = &[
    StandIn {
        dossier: "kz-qaznet",
        role: "root",
        name: &[("C", "KZ"), ("CN", "Qaznet Trust Network")],
        made: Made::Root,
    },
    StandIn {
        dossier: "kz-isca-2020",
        role: "root",
        name: &[
            ("CN", "Information Security Certification Authority CA"),
            ("O", "ISCA"),
            ("C", "KZ"),
        ],
        made: Made::Root,
    },
    StandIn { dossier: "kz-isca", role: "root", name: ISCA, made: Made::Root },
    StandIn {
        dossier: "ru-trusted-root",
        role: "root",
        name: &[
            ("C", "RU"),
            ("O", "The Ministry of Digital Development and Communications"),
            ("CN", "Russian Trusted Root CA"),
        ],
        made: Made::Root,
    },
    StandIn {
        dossier: "turktrust",
        role: "interception-authority",
        name: &[("C", "TR"), ("O", "EGO"), ("CN", "*.EGO.GOV.TR")],
        made: Made::Below,
    },
    StandIn {
        dossier: "diginotar",
        role: "misused-authority",
        name: &[("C", "NL"), ("O", "DigiNotar"), ("CN", "DigiNotar Public CA 2025")],
        made: Made::Below,
    },
    StandIn {
        dossier: "comodo-ra",
        role: "forged-leaf",
        name: &[("CN", "login.yahoo.com")],
        made: Made::Root,
    },
    StandIn {
        dossier: "superfish",
        role: "planted-root",
        name: &[("O", "Superfish, Inc."), ("CN", "Superfish, Inc.")],
        made: Made::Root,
    },
    StandIn {
        dossier: "edellroot",
        role: "planted-root",
        name: &[("CN", "eDellRoot")],
        made: Made::Root,
    },
];

/// The name that seven Kazakh roots share.
pub(super) const ISCA: &[(&str, &str)] =
    &[("CN", "Information Security Certification Authority"), ("O", "ISCA"), ("C", "KZ")];

/// 2007-01-01.
const YEAR_2007: i64 = 1_167_609_600;

/// Everything that scenarios are built from.
pub(super) struct World {
    pub(super) reference: Reference,
    /// What the reference was read from.
    pub(super) files: Vec<File>,
    /// A root that a root program holds, and an intermediate of it.
    pub(super) public: Authority,
    pub(super) public_ca: Authority,
    /// Another of its intermediates.
    pub(super) other_ca: Authority,
    /// The root that Signal's programs carry.
    pub(super) signal: Authority,
    /// The key of a captive portal that is listed.
    pub(super) portal: Key,
    stand_ins: Vec<(&'static str, Authority)>,
    logs: [Log; 2],
    /// Certificates of everybody, to be sent along.
    pub(super) decoys: Vec<Vec<u8>>,
}

impl World {
    pub(super) fn new() -> Self {
        let public = root(&[("O", "Public Authority"), ("CN", "Public Root")]);
        let signal = root(&[("O", "Signal Messenger, LLC"), ("CN", "Signal Messenger")]);
        let [public_ca, other_ca] =
            ["Public CA 1", "Public CA 2"].map(|name| public.intermediate(name));
        let stand_ins = STAND_INS.iter().map(|key| (key.dossier, key.authority(&public)));
        let stand_ins: Vec<_> = stand_ins.collect();
        let logs = [Log::new(), Log::new()];
        let mut files: Vec<_> = built_in_files().collect();
        for (known, (_, authority)) in STAND_INS.iter().zip(&stand_ins) {
            let path = format!("interceptors/{}.toml", known.dossier);
            extend(&mut files, &path, &known.listed(authority));
        }
        let key = BASE64.encode(&signal.key.spki());
        let owner = format!(
            "\n[[pki]]\nowner = \"Signal\"\nsuffixes = [\"signal.org\"]\n\
             [[pki.key]]\nsubject = \"CN=Signal Messenger\"\npublic_key = \"{key}\"\n"
        );
        extend(&mut files, "private_pki.toml", &owner);
        let portal = Key::ecdsa_p256();
        let listed = BASE64.encode(KeyHash::of(&portal.spki()).as_bytes());
        let listed = format!(
            "\n[[captive_portal]]\nsource = \"stand-in\"\nspki_sha256_base64 = [\"{listed}\"]\n"
        );
        extend(&mut files, "products.toml", &listed);
        let policy = "\n[[policy]]\nprogram = \"Stand-in\"\nstores = [\"Stand-in\"]\n\
                      from = \"2018-05-01\"\nrules = [{ scts = 2, operators = 2 }]\n";
        extend(&mut files, "logs/policies.toml", policy);
        files.push(File { path: "logs/stand-in.toml".into(), bytes: list(&logs).into_bytes() });
        let store = format!("# program: Stand-in\n{}", pem(&public.certificate));
        files.push(File { path: "stores/stand-in.pem".into(), bytes: store.into_bytes() });
        let reference = Reference::from_files(files.clone()).unwrap();
        let mut decoys: Vec<_> =
            stand_ins.iter().map(|(_, root)| root.certificate.clone()).collect();
        decoys.extend([&public, &public_ca, &signal].map(|known| known.certificate.clone()));
        decoys.extend((decoys.len()..50).map(|_| Authority::root("Decoy").certificate));
        Self {
            reference,
            files,
            public,
            public_ca,
            other_ca,
            signal,
            portal,
            stand_ins,
            logs,
            decoys,
        }
    }

    /// The stand-in for a key of a dossier.
    pub(super) fn dossier(&self, id: &str) -> &Authority {
        let found = self.stand_ins.iter().find(|(known, _)| *known == id);
        &found.expect("the dossier has a stand-in").1
    }

    /// What the site `host` shows to everybody: a public authority's leaf that is in two logs.
    pub(super) fn genuine(&self, host: &str) -> Presented {
        self.genuine_by(&self.public_ca, Template::leaf(&[host, &format!("www.{host}")]))
    }

    /// A leaf of `authority`, an intermediate of the public root, that says what `template` says
    /// and is in two logs.
    pub(super) fn genuine_by(&self, authority: &Authority, template: Template) -> Presented {
        let key = Key::ecdsa_p256();
        let template = template.with(aki(&authority.key.id()));
        let scts = [0, 1].map(|log: usize| self.logs[log].sct(authority, &key, &template));
        let template = template.with(sct_list(&scts));
        Presented { key, ..self.unlogged_by(authority, template) }
    }

    /// The same in no log.
    pub(super) fn unlogged_by(&self, authority: &Authority, template: Template) -> Presented {
        under(&[authority, &self.public], template)
    }
}

impl StandIn {
    fn authority(&self, public: &Authority) -> Authority {
        if self.made == Made::Root {
            return root(self.name);
        }
        let template = Template::authority(&name(self.name)).valid(YEAR_2007, NOW + 365 * 86_400);
        public.intermediate_with(Key::rsa(2048), template)
    }

    /// The key as the dossier lists it.
    fn listed(&self, authority: &Authority) -> String {
        let subject = self.name.iter().rev();
        let subject: Vec<_> =
            subject.map(|(kind, value)| format!("{kind}={}", value.replace(',', r"\\,"))).collect();
        format!(
            "\n[[key]]\nrole = \"{}\"\nsubject = \"{}\"\npublic_key = \"{}\"\n",
            self.role,
            subject.join(","),
            BASE64.encode(&authority.key.spki())
        )
    }
}

/// A root named by `rdns`.
pub(super) fn root(rdns: &[(&str, &str)]) -> Authority {
    let key = Key::ecdsa_p256();
    let template = Template::authority(&name(rdns)).with(ski(&key.id()));
    Authority::root_with(key, template)
}

/// A leaf below `authorities`, the root last, which is not sent.
pub(super) fn under(authorities: &[&Authority], template: Template) -> Presented {
    Presented {
        signer: authorities[0].clone(),
        key: Key::ecdsa_p256(),
        template,
        above: authorities.iter().map(|authority| authority.certificate.clone()).collect(),
        root_sent: false,
    }
}

/// A leaf that signed itself.
pub(super) fn alone(template: Template) -> Presented {
    let key = Key::ecdsa_p256();
    let certificate = self_signed(&key, template.clone()).certificate;
    let signer = Authority { key: key.clone(), name: template.subject.clone(), certificate };
    Presented { signer, key, template, above: Vec::new(), root_sent: false }
}

fn extend(files: &mut [File], path: &str, more: &str) {
    let file = files.iter_mut().find(|file| file.path == path);
    file.expect("it is built in").bytes.extend(more.as_bytes());
}

fn list(logs: &[Log]) -> String {
    let mut text = format!("program = \"Stand-in\"\ndate = \"{}\"\n", day(NOW));
    for (number, log) in logs.iter().enumerate() {
        text += &format!(
            "[[log]]\ndescription = \"log {number}\"\noperator = \"operator {number}\"\n\
             kind = \"rfc6962\"\nid = \"{}\"\nkey = \"{}\"\n\
             states = [{{ state = \"usable\", since = \"2018-01-01T00:00:00Z\" }}]\n",
            BASE64.encode(&log.id()),
            BASE64.encode(&log.key.spki())
        );
    }
    text
}

fn day(seconds: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp(seconds).unwrap().date().to_string()
}
