//! What the files of root programs and block lists hold.

use std::collections::BTreeMap;
use std::fmt;

use time::{Date, OffsetDateTime};

/// SHA-256 of a DER certificate or of a DER SubjectPublicKeyInfo.
pub type Sha256 = [u8; 32];

/// `roots.pem`: DER certificates, each under its own SHA-256.
pub type Roots = BTreeMap<Sha256, RootCertificate>;

/// A certificate that some store names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootCertificate {
    /// For readers of the file; control characters are written as spaces.
    pub subject: String,
    /// The whole certificate.
    pub der: Vec<u8>,
}

/// `roots.csv`: to whom roots belong.
pub type Owners = BTreeMap<Sha256, Owner>;

/// To whom a root belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The organisation's name.
    pub owner: String,
    /// Two letters (ISO 3166-1), or empty where it is not known.
    pub country: String,
    /// The state's part in it; `None` where none is known.
    pub state: Option<StateTie>,
    /// A word that `certs/SOURCES.md` explains.
    pub source: String,
}

/// What a state has to do with a root's owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateTie {
    /// A ministry, an agency or a public body.
    Government,
    /// A company that a state controls.
    StateOwned,
    /// A company in which a state holds the smaller part.
    StateMinority,
}

/// `stores/<program>.toml`: what a root program trusted, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The program's name.
    pub program: String,
    /// Day of the newest state.
    pub date: Date,
    /// Day of the oldest state; `None` where only the newest is known.
    pub known_since: Option<Date>,
    /// What was read and what is not known, in one or two sentences.
    pub note: String,
    /// The dated states from which the history was read.
    pub snapshots: Vec<Snapshot>,
    /// Certificates and when they were trusted; a root that came back stands here twice.
    pub anchors: Vec<Anchor>,
}

/// A dated state of a store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Snapshot {
    /// Of which day it is.
    pub date: Date,
    /// Package and version, or the report's name.
    pub source: String,
}

/// One time in which a program trusted a certificate.
///
/// The order is that of the file: by certificate, then by beginning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Anchor {
    /// Which certificate of `roots.pem`.
    pub sha256: Sha256,
    /// Day of the last snapshot without it; `None` where the oldest snapshot already has it.
    pub from: Option<Date>,
    /// Day of the first snapshot without it; `None` where the newest still has it.
    pub until: Option<Date>,
    /// Whether the program's list says that the root is for TLS servers.
    pub tls: Purpose,
    /// Contents of a DER NameConstraints that the program imposes, without the outer SEQUENCE.
    pub name_constraints: Option<Vec<u8>>,
    /// The program refuses leaves whose validity begins after this day.
    pub issued_after: Option<Date>,
    /// The program refuses leaves that have no SCT of this moment or before.
    pub sct_after: Option<OffsetDateTime>,
}

/// What a list says of a root's purpose. Roots that are not for TLS servers are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// For TLS servers.
    Tls,
    /// The list does not say for what.
    Unknown,
}

/// `blocklists/<list>.toml`: what clients refuse, whatever it chains to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockList {
    /// The list's name.
    pub list: String,
    /// Programs whose clients follow it.
    pub programs: Vec<String>,
    /// Day of the newest entry, or of the copy where entries have no days.
    pub date: Date,
    /// Certificates by DER issuer name, then by serial number.
    pub issuers: BTreeMap<Vec<u8>, BTreeMap<Serial, Option<Date>>>,
    /// Public keys.
    pub keys: BTreeMap<BlockedKey, Why>,
    /// Whole certificates.
    pub certificates: BTreeMap<Sha256, Why>,
}

/// A serial number's INTEGER content without leading zero bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Serial(Vec<u8>);

/// A key that is refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockedKey {
    /// Of its DER SubjectPublicKeyInfo.
    pub spki_sha256: Sha256,
    /// The DER name that must match too, where the list states one.
    pub subject: Option<Vec<u8>>,
}

/// What a list says of an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Why {
    /// Since which day it is listed.
    pub since: Option<Date>,
    /// A few words.
    pub words: Option<String>,
    /// The list itself calls it a known interception.
    pub interception: bool,
}

impl Serial {
    /// Drops the leading zeros of an INTEGER's content.
    pub fn new(content: &[u8]) -> Self {
        let zeros = content.iter().take_while(|byte| **byte == 0).count();
        Self(content[zeros.min(content.len().saturating_sub(1))..].to_vec())
    }

    /// The bytes that are left.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for StateTie {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Government => "government",
            Self::StateOwned => "state-owned",
            Self::StateMinority => "state-minority",
        })
    }
}
