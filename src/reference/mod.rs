//! What chains are compared with: root programs and what they block, dossiers of interceptors, logs of
//! certificates, known products and the owners of networks, parsed from files laid out like `certs/`.

mod block_list;
mod browser;
mod built_in;
mod dossier;
mod error;
mod forged;
mod listed_key;
mod log;
mod owner;
mod private_pki;
mod product;
mod role;
mod root_owner;
mod source;
mod store_history;
mod store_pem;

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use time::OffsetDateTime;

pub use browser::{
    About, Block, Browsers, Client, ClientKind, Followed, Installed, KnownKey, Rule, Shows,
};
pub use built_in::built_in_files;
pub use dossier::{Actor, Conduct, Dossier, Family, Period};
pub use error::ReferenceError;
pub use forged::{Forged, Forgery, Likeness};
pub use listed_key::{ListedKey, Role};
pub use owner::Owner;
pub use private_pki::PrivatePki;
pub use product::{Class, Product};
pub use root_owner::{RootOwner, StateTie};
pub use source::{Holds, Source};

use crate::blocklist::BlockList;
use crate::chain::fields::Fields;
use crate::chain::{Certificate, Fingerprint, KeyHash};
use crate::ct::{LogList, Policy};
use crate::family::{Fit, matches};
use crate::forgery::Grammar;
use crate::path::SigningKey;
use crate::signature::{Signed, signed_by};
use crate::trust::{Anchor, TrustStore};

/// Longest reference file, in bytes.
pub const MAX_FILE: usize = 32 * 1024 * 1024;

/// What can only be put together when all files were read.
#[derive(Default)]
struct Unresolved {
    histories: Vec<store_history::Listed>,
    certificates: BTreeMap<Fingerprint, Certificate>,
}

/// A reference file, not yet parsed.
#[derive(Clone, Debug)]
pub struct File {
    /// Path below the reference directory, with `/`, such as `interceptors/kz-isca.toml`.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Everything that judgements are made with. Never without a root program.
#[derive(Debug)]
pub struct Reference {
    /// Root programs: Mozilla's first, because clients are compared with Mozilla's, then in the order
    /// of their files.
    pub stores: Vec<TrustStore>,
    /// Certificates and keys that clients refuse; the stores of those clients hold them too.
    pub blocklists: Vec<Arc<BlockList>>,
    /// Who owns the roots of the programs, where known.
    pub roots: BTreeMap<Fingerprint, RootOwner>,
    /// Known interceptors, in the order of their files.
    pub dossiers: Vec<Dossier>,
    /// Logs of certificates, one list a program, in the order of their files; may be empty, and then
    /// nothing is said of SCTs.
    pub logs: Vec<LogList>,
    /// What programs ask of the SCTs in a certificate.
    pub policies: Vec<Policy>,
    /// Authorities that the owners of names run for themselves.
    pub private_pkis: Vec<PrivatePki>,
    /// Products that intercept on the machine or network of their owner.
    pub products: Vec<Product>,
    /// What clients do with chains whose root was installed; may be empty, and then nothing is said.
    pub browsers: Browsers,
    /// Keys of captive portals' certificates.
    pub portals: Vec<KeyHash>,
    /// Networks that states own, by AS number.
    pub owners: BTreeMap<u32, Owner>,
    /// What was read, in that order.
    pub sources: Vec<Source>,
    /// Position of store and anchor by the DER of the anchor's subject.
    by_subject: BTreeMap<Vec<u8>, Vec<(usize, usize)>>,
    /// The same by the anchor's key.
    by_key: BTreeMap<KeyHash, Vec<(usize, usize)>>,
}

/// An authority that is made as those of a known interceptor are.
#[derive(Clone, Debug)]
pub struct Sibling<'a> {
    /// The interceptor.
    pub dossier: &'a Dossier,
    /// Its family.
    pub family: &'a Family,
    /// Which features the authority has.
    pub fit: Fit,
}

impl Reference {
    /// What this program was built with.
    ///
    /// # Errors
    /// None that a test of this crate would not have met.
    pub fn built_in() -> Result<Self, ReferenceError> {
        Self::from_files(built_in_files())
    }

    /// Parses `files` and nothing else.
    ///
    /// # Errors
    /// [`ReferenceError::NoStore`] without a root program; the file's error otherwise. Nothing is
    /// skipped: a reference that is not understood gives no verdict.
    pub fn from_files(files: impl IntoIterator<Item = File>) -> Result<Self, ReferenceError> {
        let mut reference = Self {
            stores: Vec::new(),
            blocklists: Vec::new(),
            roots: BTreeMap::new(),
            dossiers: Vec::new(),
            logs: Vec::new(),
            policies: Vec::new(),
            private_pkis: Vec::new(),
            products: Vec::new(),
            browsers: Browsers::default(),
            portals: Vec::new(),
            owners: BTreeMap::new(),
            sources: Vec::new(),
            by_subject: BTreeMap::new(),
            by_key: BTreeMap::new(),
        };
        let mut unresolved = Unresolved::default();
        for file in files {
            reference.add(&file, &mut unresolved)?;
        }
        for listed in unresolved.histories {
            reference.stores.push(listed.store(&unresolved.certificates)?);
        }
        if reference.stores.is_empty() {
            return Err(ReferenceError::NoStore);
        }
        reference.stores.sort_by_key(|store| store.program != "Mozilla");
        for store in &mut reference.stores {
            let follows = |list: &&Arc<BlockList>| list.programs.contains(&store.program);
            store.blocked = reference.blocklists.iter().filter(follows).cloned().collect();
        }
        for (store, program) in reference.stores.iter().enumerate() {
            for (position, anchor) in program.anchors.iter().enumerate() {
                let same_name = reference.by_subject.entry(anchor.subject_der.clone());
                same_name.or_default().push((store, position));
                reference.by_key.entry(anchor.key_hash).or_default().push((store, position));
            }
        }
        Ok(reference)
    }

    fn add(&mut self, file: &File, unresolved: &mut Unresolved) -> Result<(), ReferenceError> {
        let path = file.path.as_str();
        let text = text(file)?;
        let mut date = None;
        let holds = match path.rsplit_once('/').unwrap_or(("", path)) {
            ("stores", name) if name.ends_with(".pem") => {
                let store = store_pem::parse(path, text)?;
                date = store.date.map(|date| date.to_string());
                let what = format!("what {} trusts", store.program);
                let holds = Holds::new(what, store.anchors.len(), "roots");
                self.stores.push(store);
                holds
            }
            ("stores", name) if name.ends_with(".toml") => {
                let listed = store_history::parse(path, text)?;
                date = listed.date();
                let holds = listed.holds();
                unresolved.histories.push(listed);
                holds
            }
            ("", "roots.pem") => {
                let certificates = store_pem::certificates(path, text)?;
                let count = certificates.len();
                let named = certificates.into_iter().map(|read| (read.fingerprint(), read));
                unresolved.certificates.extend(named);
                Holds::new("the certificates that stores name", count, "roots")
            }
            ("", "roots.csv") => {
                let count = source::extend(&mut self.roots, root_owner::parse(path, text)?);
                Holds::new("who owns roots, and which state holds them", count, "roots")
            }
            ("blocklists", name) if name.ends_with(".toml") => {
                let list = block_list::parse(path, text)?;
                date = list.date.map(|date| date.to_string());
                let holds = Holds::new(format!("what {} blocks", list.list), list.len(), "entries");
                self.blocklists.push(Arc::new(list));
                holds
            }
            ("interceptors", name) if name.ends_with(".toml") => {
                let dossier = dossier::parse(path, text)?;
                if self.dossiers.iter().any(|known| known.id == dossier.id) {
                    let id = dossier.id;
                    return Err(ReferenceError::TwoDossiers { path: path.into(), id });
                }
                let holds = Holds::new(dossier.title.clone(), dossier.keys.len(), "keys");
                self.dossiers.push(dossier);
                holds
            }
            ("logs", "policies.toml") => {
                let count = source::extend(&mut self.policies, log::policies(path, text)?);
                Holds::new("what programs ask of SCTs", count, "policies")
            }
            ("logs", name) if name.ends_with(".toml") => {
                let list = log::list(path, text)?;
                date = list.date.map(|date| date.to_string());
                let what = format!("the logs that {} knows", list.program);
                let holds = Holds::new(what, list.logs.len(), "logs");
                self.logs.push(list);
                holds
            }
            ("", "browsers.toml") => {
                self.browsers = browser::parse(path, text)?;
                Holds::new("what browsers would have done", self.browsers.rules.len(), "rules")
            }
            ("", "private_pki.toml") => {
                let count = source::extend(&mut self.private_pkis, private_pki::parse(path, text)?);
                Holds::new("authorities that owners of names run", count, "authorities")
            }
            ("", "products.toml") => {
                let (products, portals) = product::parse(path, text)?;
                self.portals.extend(portals);
                let count = source::extend(&mut self.products, products);
                Holds::new("products that open TLS", count, "products")
            }
            ("networks", "state_owned.csv") => {
                let count = source::extend(&mut self.owners, owner::parse(path, text)?);
                Holds::new("networks that states own", count, "networks")
            }
            // Notes for people (SOURCES.md, ...) and what later versions add.
            _ => return Ok(()),
        };
        self.sources.push(Source::new(file, date, holds));
        Ok(())
    }

    /// One hash over all files: two reports with the same one were judged alike.
    pub fn digest(&self) -> String {
        let mut all = String::new();
        for source in &self.sources {
            all.push_str(&source.path);
            all.push(' ');
            all.push_str(&source.sha256);
            all.push('\n');
        }
        HEXLOWER.encode(digest::digest(&digest::SHA256, all.as_bytes()).as_ref())
    }

    /// The key in the reference that signed `certificate`, whether or not it is expired: a public
    /// anchor of the issuer's name, else a key that a dossier or a private PKI lists, whatever name
    /// the issuer has.
    pub fn signer(&self, certificate: &Fields) -> Option<SigningKey> {
        let anchors = self.by_subject.get(certificate.issuer.der()).into_iter().flatten();
        let public = anchors.map(|(store, anchor)| &self.stores[*store].anchors[*anchor]);
        let public = public.map(|anchor| (&anchor.spki, anchor.key_hash, &anchor.subject));
        let issuer = LazyCell::new(|| certificate.issuer.attributes());
        let dossiers = self.dossiers.iter().flat_map(|dossier| &dossier.keys);
        let dossiers = dossiers.filter(|key| key.may_sign_for(&issuer));
        let listed = dossiers.chain(self.private_pkis.iter().flat_map(|pki| &pki.keys));
        let listed = listed.map(|key| (&key.spki, key.key_hash, &key.subject));
        let (_, key_hash, subject) = public
            .chain(listed)
            .find(|(spki, _, _)| signed_by(certificate, spki) == Signed::Yes)?;
        Some(SigningKey { key_hash, subject: subject.clone() })
    }

    /// The stores of the client that handshakes are compared with: Mozilla's, and the user's own.
    pub fn client_stores(&self) -> impl Iterator<Item = &TrustStore> {
        self.stores.iter().filter(|store| store.own || store.program == "Mozilla")
    }

    /// The private PKI that lists a key.
    pub fn private_pki_with(&self, key: KeyHash) -> Option<&PrivatePki> {
        let lists = |pki: &&PrivatePki| pki.keys.iter().any(|known| known.key_hash == key);
        self.private_pkis.iter().find(lists)
    }

    /// The dossier that lists a key.
    pub fn dossier_with(&self, key: KeyHash) -> Option<(&Dossier, &ListedKey)> {
        self.dossiers.iter().find_map(|dossier| {
            dossier.keys.iter().find(|known| known.key_hash == key).map(|known| (dossier, known))
        })
    }

    /// The known interceptor whose authorities are made as `certificate` is, by a key that no
    /// dossier lists; at least by the same program, if not on the same days.
    pub fn sibling(&self, certificate: &Fields) -> Option<Sibling<'_>> {
        if !certificate.is_ca || self.dossier_with(certificate.key_hash).is_some() {
            return None;
        }
        let intercepting = |dossier: &&Dossier| dossier.conduct == Conduct::Interception;
        let fits = self.dossiers.iter().filter(intercepting).filter_map(|dossier| {
            let family = dossier.family.as_ref()?;
            let fit = matches(&family.template, certificate);
            fit.is_same_program().then_some(Sibling { dossier, family, fit })
        });
        fits.min_by_key(|sibling| sibling.fit.misfits.len())
    }

    /// The known interceptor whose box forges in this grammar.
    pub fn box_with(&self, grammar: &Grammar) -> Option<&Dossier> {
        let fits =
            |dossier: &&Dossier| dossier.grammar.as_ref().is_some_and(|rule| rule.fits(grammar));
        self.dossiers.iter().find(fits)
    }

    /// The anchors of this key with their programs, also those that a program held in former years.
    pub fn anchors_with(&self, key: KeyHash) -> impl Iterator<Item = (&TrustStore, &Anchor)> {
        let places = self.by_key.get(&key).into_iter().flatten();
        places.map(|(store, anchor)| {
            let store = &self.stores[*store];
            (store, &store.anchors[*anchor])
        })
    }

    /// Whether a program held the key as a trust anchor at a time, for whatever purpose; without a
    /// time, at any.
    pub fn is_public(&self, key: KeyHash, at: Option<OffsetDateTime>) -> bool {
        self.anchors_with(key)
            .any(|(store, anchor)| at.is_none_or(|at| anchor.held_on(store.known_day(at))))
    }
}

/// Parses one dossier as `interceptors/<name>.toml` holds it.
///
/// # Errors
/// [`ReferenceError::BadDossier`], [`ReferenceError::BadKey`], [`ReferenceError::NotToml`] or [`ReferenceError::NotText`].
pub fn dossier_from(path: &str, bytes: &[u8]) -> Result<Dossier, ReferenceError> {
    dossier::parse(path, text(&File { path: path.into(), bytes: bytes.to_vec() })?)
}

/// Whether `host` is one of the suffixes or a name below one.
fn is_below(host: &str, suffixes: &[String]) -> bool {
    let host = host.to_ascii_lowercase();
    suffixes.iter().any(|suffix| {
        host == *suffix
            || host.strip_suffix(suffix.as_str()).is_some_and(|rest| rest.ends_with('.'))
    })
}

fn text(file: &File) -> Result<&str, ReferenceError> {
    if file.bytes.len() > MAX_FILE {
        return Err(ReferenceError::TooLong { path: file.path.clone(), length: file.bytes.len() });
    }
    std::str::from_utf8(&file.bytes)
        .map_err(|source| ReferenceError::NotText { path: file.path.clone(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_data_is_all_of_certs() {
        let reference = Reference::built_in().unwrap();
        assert_eq!(reference.stores[0].program, "Mozilla");
        assert!(reference.stores[0].date.is_some());
        let read: Vec<_> = reference.sources.iter().map(|source| source.path.clone()).collect();
        for folder in ["blocklists", "interceptors", "logs", "stores"] {
            let dir = format!("{}/certs/{folder}", env!("CARGO_MANIFEST_DIR"));
            for entry in std::fs::read_dir(dir).into_iter().flatten() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                assert!(read.contains(&format!("{folder}/{name}")), "{name} is not built in");
            }
        }
    }

    #[test]
    fn no_root_program_is_an_error() {
        let dossiers = built_in_files().filter(|file| file.path.starts_with("interceptors/"));
        assert!(matches!(Reference::from_files(dossiers), Err(ReferenceError::NoStore)));
    }

    #[test]
    fn two_dossiers_of_one_id_are_an_error() {
        let dossiers = || built_in_files().filter(|file| file.path.starts_with("interceptors/"));
        let twice = built_in_files().chain(dossiers().take(1));
        assert!(matches!(Reference::from_files(twice), Err(ReferenceError::TwoDossiers { .. })));
    }
}
