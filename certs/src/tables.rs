//! The tables that people keep by hand, and that no package holds: purposes and statuses of
//! Microsoft's roots, what Mozilla asked in code, days of
//! Chromium's lists, owners.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use data_encoding::HEXLOWER;
use time::Date;

use crate::der::name_constraints;
use crate::layout::{Owner, Owners, Roots, Sha256, StateTie};
use crate::packages::{broken, day};

/// The word in `roots.csv` for an owner that is only what the certificate itself says.
const SUBJECT: &str = "subject";

/// What Microsoft's report says of a root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Microsoft {
    /// Disabled: refused whatever its age. Others may be refused for new certificates alone.
    pub disabled: bool,
    /// Whether TLS servers are among its purposes; `None` where the report names none at all.
    pub tls: Option<bool>,
}

/// `inputs/microsoft.csv`: `sha256,status,tls`.
///
/// # Errors
/// When a line is not as expected.
pub fn microsoft(certs: &Path) -> io::Result<BTreeMap<Sha256, Microsoft>> {
    table(&certs.join("inputs/microsoft.csv"), |fields| {
        let [sha256, status, tls] = fields else { return None };
        let tls = match tls.as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            "" => None,
            _ => return None,
        };
        let disabled = match status.as_str() {
            "Disabled" => true,
            "Included" | "NotBefore" => false,
            _ => return None,
        };
        Some((hash(sha256)?, Microsoft { disabled, tls }))
    })
}

/// What Mozilla asked of a root's certificates in code, and its own list does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mozilla {
    /// Leaves whose validity begins after this day were refused.
    pub issued_after: Option<Date>,
    /// Contents of the NameConstraints for the names that were allowed.
    pub name_constraints: Option<Vec<u8>>,
}

/// `inputs/mozilla.csv`: `sha256,issued_after,names,source`; names are DNS suffixes between spaces.
///
/// # Errors
/// When a line is not as expected.
pub fn mozilla(certs: &Path) -> io::Result<BTreeMap<Sha256, Mozilla>> {
    table(&certs.join("inputs/mozilla.csv"), |fields| {
        let [sha256, issued_after, names, _] = fields else { return None };
        let issued_after = match issued_after.as_str() {
            "" => None,
            text => Some(day(text).ok()?),
        };
        let permitted = |names: &str| name_constraints(names.split(' '));
        let name_constraints = (!names.is_empty()).then(|| permitted(names));
        Some((hash(sha256)?, Mozilla { issued_after, name_constraints }))
    })
}

/// `inputs/chromium.csv`: `spki_sha256,since,source`, the first day on which a key is known to have
/// been on Chromium's lists.
///
/// # Errors
/// When a line is not as expected.
pub fn chromium(certs: &Path) -> io::Result<BTreeMap<Sha256, Date>> {
    table(&certs.join("inputs/chromium.csv"), |fields| {
        let [spki_sha256, since, _] = fields else { return None };
        Some((hash(spki_sha256)?, day(since).ok()?))
    })
}

/// `roots.csv` for these roots: what people wrote stays, and of the rest the certificates' subjects
/// say to whom they belong.
///
/// # Errors
/// When a line is not as expected, or a certificate is none.
pub fn owners(certs: &Path, roots: &Roots) -> io::Result<Owners> {
    let mut owners: Owners = table(&certs.join("roots.csv"), |fields| {
        let [sha256, owner, country, state, source] = fields else { return None };
        let state = match state.as_str() {
            "" => None,
            word => Some(
                [StateTie::Government, StateTie::StateOwned, StateTie::StateMinority]
                    .into_iter()
                    .find(|tie| tie.to_string() == word)?,
            ),
        };
        let (owner, country, source) = (owner.clone(), country.clone(), source.clone());
        Some((hash(sha256)?, Owner { owner, country, state, source }))
    })?;
    owners.retain(|sha256, owner| owner.source != SUBJECT && roots.contains_key(sha256));
    for (sha256, root) in roots {
        if !owners.contains_key(sha256) {
            owners.insert(*sha256, subject(&root.der)?);
        }
    }
    Ok(owners)
}

fn subject(der: &[u8]) -> io::Result<Owner> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).map_err(io::Error::other)?;
    let subject = certificate.subject();
    let organization = subject.iter_organization().chain(subject.iter_common_name());
    let owner = organization.filter_map(|name| name.as_str().ok()).next();
    let country = subject.iter_country().filter_map(|name| name.as_str().ok()).next();
    let country = country.map(str::to_uppercase).filter(|country| country.len() == 2);
    Ok(Owner {
        owner: owner.unwrap_or_default().to_owned(),
        country: country.unwrap_or_default(),
        state: None,
        source: SUBJECT.to_owned(),
    })
}

fn table<T>(
    path: &Path,
    read: impl Fn(&[String]) -> Option<(Sha256, T)>,
) -> io::Result<BTreeMap<Sha256, T>> {
    let mut table =
        csv::Reader::from_path(path).map_err(|error| broken(path, &error.to_string()))?;
    let rows = table.deserialize::<Vec<String>>().map(|row| {
        let row = row?;
        read(&row).ok_or_else(|| broken(path, &row.join(",")))
    });
    rows.collect()
}

fn hash(hex: &str) -> Option<Sha256> {
    HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok()
}
