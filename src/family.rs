//! How the certificates of one interceptor are made: a template learnt from two or more of them.
//!
//! Whoever makes many roots makes them alike: with one program, one configuration, on one day. A
//! template says how, so that a sibling is recognised before any list knows its key. It names
//! nobody: two parties can use one program, and an issuer chooses its dates.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use time::{Date, Month, OffsetDateTime};

use crate::chain::fields::{Fields, without_zeros};

const AUTHORITY_KEY_ID: &str = "2.5.29.35";

/// Fewest bytes of a serial number that was drawn at random.
const RANDOM: usize = 8;

/// How the certificates of a family are made. What they do not share is `None` and not asked for.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// How the serial number was chosen.
    pub serial: Option<Serial>,
    /// What the Authority Key Identifier holds.
    pub authority_key_id: Option<AuthorityKeyId>,
    /// Attribute types of the name in the Authority Key Identifier, in order.
    pub authority_name: Option<Vec<String>>,
    /// Dotted OIDs of the extensions in order, with ` critical` behind those that are.
    pub extensions: Option<Vec<String>>,
    /// As [`Fields::key_word`].
    pub key: Option<String>,
    /// Dotted OID of the signature algorithm.
    pub signature: Option<String>,
    /// Attribute types of the subject, in order.
    pub subject: Option<Vec<String>>,
    /// Lifetimes, in whole years to the second.
    pub years: Option<BTreeSet<i32>>,
    /// The days on which validity begins.
    pub made: Days,
}

/// How a serial number was chosen.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Serial {
    /// The Subject Key Identifier with its top bit cleared.
    SkiTopBitCleared,
    /// Eight bytes or more without a rule.
    Random,
    /// Shorter.
    Other,
}

/// What an Authority Key Identifier (RFC 5280, section 4.2.1.1) holds.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum AuthorityKeyId {
    /// There is none.
    Absent,
    /// A key identifier and nothing else.
    KeyId,
    /// Key identifier, directory name and serial number.
    Full,
    /// Another selection.
    Other,
}

/// Days in UTC, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub from: Date,
    /// The last.
    pub until: Date,
}

/// Which features of a template a certificate has, by the names of the template's fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fit {
    /// Those it has.
    pub fits: Vec<&'static str>,
    /// Those it has not.
    pub misfits: Vec<&'static str>,
}

impl Fit {
    /// Every feature that the template asks for.
    pub fn is_whole(&self) -> bool {
        self.misfits.is_empty()
    }

    /// Every feature but the dates: the same program made it, perhaps for somebody else.
    pub fn is_same_program(&self) -> bool {
        self.misfits.iter().all(|feature| ["years", "made"].contains(feature))
    }

    fn note(&mut self, feature: &'static str, fits: Option<bool>) {
        match fits {
            Some(true) => self.fits.push(feature),
            Some(false) => self.misfits.push(feature),
            None => {}
        }
    }
}

impl Template {
    /// The template of one certificate.
    fn of(certificate: &Fields) -> Self {
        let bodies = certificate.extensions.iter().zip(&certificate.extension_bodies);
        let extension = bodies
            .map(|(oid, body)| if body.critical { format!("{oid} critical") } else { oid.clone() });
        let day = certificate.not_before.date();
        Self {
            serial: Some(serial(certificate)),
            authority_key_id: Some(authority_key_id(certificate)),
            authority_name: certificate.aki_name.as_ref().map(crate::chain::name::Name::kinds),
            extensions: Some(extension.collect()),
            key: Some(certificate.key_word()),
            signature: Some(certificate.signature_algorithm.clone()),
            subject: Some(certificate.subject.kinds()),
            years: whole_years(certificate.not_before, certificate.not_after)
                .map(|years| BTreeSet::from([years])),
            made: Days { from: day, until: day },
        }
    }

    /// What both say.
    fn meet(self, other: Self) -> Self {
        Self {
            serial: same(self.serial, other.serial),
            authority_key_id: same(self.authority_key_id, other.authority_key_id),
            authority_name: same(self.authority_name, other.authority_name),
            extensions: same(self.extensions, other.extensions),
            key: same(self.key, other.key),
            signature: same(self.signature, other.signature),
            subject: same(self.subject, other.subject),
            years: self.years.zip(other.years).map(|(left, right)| &left | &right),
            made: Days {
                from: self.made.from.min(other.made.from),
                until: self.made.until.max(other.made.until),
            },
        }
    }

    /// Whether it is more than what strangers share: a rule for serial numbers or a full Authority
    /// Key Identifier, and everything that the program decides. Only such a template may accuse.
    pub fn is_distinctive(&self) -> bool {
        let rule = self.serial == Some(Serial::SkiTopBitCleared)
            || self.authority_key_id == Some(AuthorityKeyId::Full);
        let program = self.extensions.is_some() && self.key.is_some() && self.subject.is_some();
        rule && program
    }
}

/// The template that all `certificates` share; `None` for fewer than two, which are no family.
pub fn learn(certificates: &[&Fields]) -> Option<Template> {
    let templates = certificates.iter().map(|certificate| Template::of(certificate));
    templates.reduce(Template::meet).filter(|_| certificates.len() > 1)
}

/// Which features of `template` the certificate has.
pub fn matches(template: &Template, certificate: &Fields) -> Fit {
    let seen = Template::of(certificate);
    let mut fit = Fit::default();
    fit.note("serial", asked(&template.serial, &seen.serial));
    fit.note("authority_key_id", asked(&template.authority_key_id, &seen.authority_key_id));
    fit.note("authority_name", asked(&template.authority_name, &seen.authority_name));
    fit.note("extensions", asked(&template.extensions, &seen.extensions));
    fit.note("key", asked(&template.key, &seen.key));
    fit.note("signature", asked(&template.signature, &seen.signature));
    fit.note("subject", asked(&template.subject, &seen.subject));
    let years = template.years.as_ref();
    fit.note("years", years.map(|years| seen.years.is_some_and(|seen| seen.is_subset(years))));
    let Days { from, until } = template.made;
    fit.note("made", Some(from <= seen.made.from && seen.made.until <= until));
    fit
}

fn asked<T: PartialEq>(asked: &Option<T>, seen: &Option<T>) -> Option<bool> {
    asked.as_ref().map(|asked| Some(asked) == seen.as_ref())
}

fn same<T: PartialEq>(left: Option<T>, right: Option<T>) -> Option<T> {
    left.zip(right).filter(|(left, right)| left == right).map(|(left, _)| left)
}

fn serial(certificate: &Fields) -> Serial {
    let number = without_zeros(&certificate.serial);
    let mut cleared = certificate.ski.clone().unwrap_or_default();
    if let Some(first) = cleared.first_mut() {
        *first &= 0x7f;
    }
    if !number.is_empty() && number == without_zeros(&cleared) {
        return Serial::SkiTopBitCleared;
    }
    if number.len() >= RANDOM { Serial::Random } else { Serial::Other }
}

fn authority_key_id(certificate: &Fields) -> AuthorityKeyId {
    if certificate.extension(AUTHORITY_KEY_ID).is_none() {
        return AuthorityKeyId::Absent;
    }
    let name = certificate.aki_name.is_some();
    match (certificate.aki.is_some(), name, certificate.aki_serial.is_some()) {
        (true, false, false) => AuthorityKeyId::KeyId,
        (true, true, true) => AuthorityKeyId::Full,
        _ => AuthorityKeyId::Other,
    }
}

fn whole_years(from: OffsetDateTime, until: OffsetDateTime) -> Option<i32> {
    let years = until.year().checked_sub(from.year())?;
    (from.replace_year(until.year()) == Ok(until)).then_some(years)
}

impl<'de> Deserialize<'de> for Days {
    /// Two days: `["2020-02-28", "2020-02-28"]`.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let [from, until] = <[String; 2]>::deserialize(deserializer)?;
        let read = |text: &str| {
            day(text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not a day")))
        };
        Ok(Self { from: read(&from)?, until: read(&until)? })
    }
}

fn day(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-').map(str::parse::<u16>);
    let mut next = || parts.next()?.ok();
    let (year, month, day) = (next()?, next()?, next()?);
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use kua_mint::{
        Algorithm, Authority, Extension, Key, KeyUsage, NOW, Template as Mint, basic_constraints,
        key_usage, name, ski,
    };

    use super::*;
    use crate::chain::Certificate;

    const YEARS: i64 = 3652 * 86_400;

    /// A root as the Kazakh family is made, but on P-256 and for ten years.
    pub(crate) fn sibling(key: &Key, subject: &[u8]) -> Mint {
        let id = key.id();
        let mut serial = id.clone();
        serial[0] &= 0x7f;
        while serial[0] == 0 && serial[1] < 0x80 {
            serial.remove(0);
        }
        Mint::bare(subject)
            .serial(&serial)
            .valid(NOW, NOW + YEARS)
            .with(basic_constraints(true, None))
            .with(key_usage(&[KeyUsage::CertSign, KeyUsage::CrlSign]))
            .with(ski(&id))
            .with(full_aki(&id, subject, &serial))
    }

    /// An Authority Key Identifier with key identifier, directory name and serial number.
    pub(crate) fn full_aki(id: &[u8], name: &[u8], serial: &[u8]) -> Extension {
        let tagged = |tag: u8, content: &[u8]| {
            [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
        };
        let named = tagged(0xa1, &tagged(0xa4, name));
        let value = [tagged(0x80, id), named, tagged(0x82, serial)].concat();
        Extension { oid: vec![2, 5, 29, 35], critical: false, value: tagged(0x30, &value) }
    }

    pub(crate) fn subject(common_name: &str) -> Vec<u8> {
        name(&[("CN", common_name), ("O", "QA"), ("C", "QZ")])
    }

    fn read(key: Key, template: Mint) -> Certificate {
        Certificate::from_bytes(&Authority::root_with(key, template).certificate).unwrap()
    }

    fn root(common_name: &str) -> Certificate {
        let key = Key::ecdsa_p256();
        let template = sibling(&key, &subject(common_name));
        read(key, template)
    }

    fn learnt() -> Template {
        let (one, two) = (root("Root"), root("Root"));
        learn(&[one.fields().unwrap(), two.fields().unwrap()]).unwrap()
    }

    #[test]
    fn two_roots_teach_what_they_share() {
        let template = learnt();
        assert_eq!(template.serial, Some(Serial::SkiTopBitCleared));
        assert_eq!(template.authority_key_id, Some(AuthorityKeyId::Full));
        assert_eq!(template.authority_name, Some(vec!["CN".into(), "O".into(), "C".into()]));
        let critical = ["2.5.29.19 critical", "2.5.29.15 critical", "2.5.29.14", "2.5.29.35"];
        assert_eq!(template.extensions, Some(critical.map(str::to_owned).to_vec()));
        assert_eq!(template.key.as_deref(), Some("ec-p256"));
        assert!(template.is_distinctive());
        assert_eq!(learn(&[root("Root").fields().unwrap()]), None, "one is no family");
    }

    #[test]
    fn strangers_teach_nothing_that_accuses() {
        let one = Authority::root("One").certificate;
        let one = Certificate::from_bytes(&one).unwrap();
        let two = read(Key::ecdsa_p384(), Mint::authority(&name(&[("O", "Two")])));
        let template = learn(&[one.fields().unwrap(), two.fields().unwrap()]).unwrap();
        assert_eq!((template.key.clone(), template.subject.clone()), (None, None));
        assert!(!template.is_distinctive());
    }

    #[test]
    fn table() {
        let template = learnt();
        let made = |change: fn(Mint) -> Mint| {
            let key = Key::ecdsa_p256();
            let template = change(sibling(&key, &subject("Another")));
            read(key, template)
        };
        let none: &[&str] = &[];
        for (case, certificate, misfits) in [
            ("a sibling of another name", made(|same| same), none),
            ("a random serial", made(|root| root.serial(&[0x41; 16])), &["serial"]),
            ("a short serial", made(|root| root.serial(&[1])), &["serial"]),
            (
                "no authority key id",
                made(|root| root.without(&[2, 5, 29, 35])),
                &["authority_key_id", "authority_name", "extensions"],
            ),
            (
                "another order of the subject",
                made(|root| root.subject(&name(&[("C", "QZ"), ("O", "QA"), ("CN", "Root")]))),
                &["subject"],
            ),
            (
                "key usage that is not critical",
                made(|mut root| {
                    root.extensions[1].critical = false;
                    root
                }),
                &["extensions"],
            ),
            ("a day later", made(|root| root.valid(NOW + 86_400, NOW + 86_400 + YEARS)), &["made"]),
            ("for a year", made(|root| root.valid(NOW, NOW + 366 * 86_400)), &["years"]),
            (
                "another key",
                {
                    let key = Key::ecdsa_p384();
                    let template = sibling(&key, &subject("Root"));
                    read(key, template.algorithm(Algorithm::Usual))
                },
                &["key", "signature"],
            ),
        ] {
            let fit = matches(&template, certificate.fields().unwrap());
            assert_eq!(fit.misfits, misfits, "{case}");
            assert_eq!(fit.fits.len() + fit.misfits.len(), 9, "{case}");
        }
    }
}
