//! What an audit of a machine's stores tells, as values: `kua.roots/1`.

use kua::chain::{Fingerprint, KeyHash};
use kua::reference::{Conduct, RootOwner};
use serde::Serialize;

use super::Trust;
use super::container::Kind;
use super::environment::Setting;
use super::remedy::Steps;
use super::signed::Signed;

/// The version of [`Report`] as JSON.
pub const SCHEMA: &str = "kua.roots/1";

/// What was found on a machine.
#[derive(Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// As of when.
    pub at: String,
    /// The root programs that it was compared with, and the day of the newest known state.
    pub programs: Vec<Program>,
    /// The stores that were read.
    pub stores: Vec<Summary>,
    /// Those that could not be read.
    pub unread: Vec<Unread>,
    /// Settings that change what is trusted.
    pub settings: Vec<Setting>,
    /// Every certificate of every store, by group and then by name.
    pub roots: Vec<Root>,
    /// Which records were looked at for chains that a root signed; absent where none were given.
    pub records: Option<Records>,
}

/// A root program.
#[derive(Debug, Serialize)]
pub struct Program {
    /// Its name.
    pub program: String,
    /// The day of its newest known state.
    pub date: Option<String>,
}

/// A store in numbers.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// Where it lies.
    pub path: String,
    /// What it is, in words.
    pub what: String,
    /// Its form.
    pub kind: Kind,
    /// Certificates in it.
    pub certificates: usize,
    /// Those that it trusts for TLS servers.
    pub trusted: usize,
    /// Those of the trusted ones whose key a root program holds.
    pub in_programs: usize,
    /// Those that it holds and says nothing of.
    pub held: usize,
    /// Certificates that it distrusts, held or not.
    pub distrusted: usize,
    /// Entries that are no certificate or cannot be read.
    pub passed_over: usize,
}

/// A store that could not be read.
#[derive(Debug, Serialize)]
pub struct Unread {
    /// Where it lies.
    pub path: String,
    /// Why.
    pub because: String,
}

/// The records that were looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Records {
    /// Measurements.
    pub measurements: u64,
    /// Presented chains in them.
    pub chains: u64,
    /// Those that a root of this machine signed which is in no root program.
    pub signed_here: u64,
}

/// What a root is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// A dossier lists its key, or the key that signed it, as one of an interceptor.
    KnownInterceptor,
    /// A dossier lists its key as one whose private half many people have.
    SharedKey,
    /// Made as the authorities of a known interceptor are, by a key that no list knows.
    Sibling,
    /// Clients of a root program block it.
    Blocked,
    /// A dossier lists its key; no source says that it intercepted.
    Capability,
    /// Every root program that held it has removed it.
    Removed,
    /// In no root program, and in a place that a person or a program adds to.
    Local,
    /// In no root program, and not able to sign others: one site or service that is trusted by itself.
    Single,
    /// In no root program, and only in stores that the system makes.
    Bundled,
    /// Every store here that says anything of it distrusts it.
    Distrusted,
    /// No store here says that it is trusted.
    Held,
    /// Bytes that no parser accepts.
    Unreadable,
    /// A root program holds its key, or signed it with one that it holds.
    Public,
}

/// A certificate of the machine.
#[derive(Debug, Serialize)]
pub struct Root {
    /// What it is.
    pub group: Group,
    /// Its subject; empty where nobody can read it.
    pub subject: String,
    /// SHA-256 of the certificate.
    pub sha256: Fingerprint,
    /// SHA-256 of its key.
    pub spki_sha256: Option<KeyHash>,
    /// Its first and last moment.
    pub valid: Option<[String; 2]>,
    /// Whether that is over.
    pub expired: bool,
    /// The root programs that hold its key today.
    pub programs: Vec<String>,
    /// The root programs that held it, and the day from which they do not.
    pub removed: Vec<Removed>,
    /// Lists that block it.
    pub blocked: Vec<Blocked>,
    /// Who owns it, where the reference says so.
    pub owner: Option<RootOwner>,
    /// The key above, of a root program or a dossier, where it is no root itself.
    pub signed_by: Option<String>,
    /// The dossier that lists its key or the key above as an interceptor's, or as one that others have.
    pub dossier: Option<Known>,
    /// The dossier that tells of its key as a public authority's, which accuses nobody.
    pub noted_in: Option<Known>,
    /// The interceptor whose authorities are made like it.
    pub sibling_of: Option<Known>,
    /// A dossier whose name it bears with a key that is not listed. Names are nobody's.
    pub bears_name_of: Option<String>,
    /// A product whose name it bears. Names are nobody's.
    pub named_like: Option<String>,
    /// Where it lies.
    pub places: Vec<Location>,
    /// The chains that it signed in the records.
    pub signed: Option<Signed>,
}

/// That a program removed a root.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Removed {
    /// The program.
    pub program: String,
    /// The first known day without it.
    pub until: String,
}

/// That a list blocks a certificate.
#[derive(Debug, Serialize)]
pub struct Blocked {
    /// The list.
    pub list: String,
    /// Since when, where the list says so.
    pub since: Option<String>,
    /// Why, where the list says so.
    pub why: Option<String>,
}

/// An interceptor of a dossier.
#[derive(Debug, Serialize)]
pub struct Known {
    /// The dossier.
    pub id: String,
    /// What a person calls it.
    pub title: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// What it is known to have done.
    pub conduct: Conduct,
    /// The features that fit, of a sibling.
    pub fits: Vec<&'static str>,
    /// Those that do not.
    pub misfits: Vec<&'static str>,
}

/// Where a certificate lies.
#[derive(Debug, Serialize)]
pub struct Location {
    /// The store.
    pub store: String,
    /// What that is, in words.
    pub what: String,
    /// What the store calls the certificate.
    pub label: String,
    /// What the store says of it.
    pub trust: Trust,
    /// Whether the system makes the store from other places.
    pub generated: bool,
    /// The date of the entry or file; absent where the store keeps none.
    pub since: Option<String>,
    /// How to change that.
    #[serde(flatten)]
    pub steps: Option<Steps>,
}

impl Root {
    /// Whether it is trusted in a place that the system does not make from others.
    pub fn is_added(&self) -> bool {
        self.places.iter().any(|place| place.trust == Trust::Trusted && !place.generated)
    }
}
