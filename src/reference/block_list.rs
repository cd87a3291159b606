//! Certificates and keys that clients refuse: `blocklists/<list>.toml`.

use data_encoding::HEXLOWER_PERMISSIVE;
use serde::Deserialize;
use time::Date;

use super::ReferenceError;
use super::store_pem::{day, decoded};
use crate::blocklist::{BlockList, Entry};

pub(super) fn parse(path: &str, text: &str) -> Result<BlockList, ReferenceError> {
    let written: Written = toml::from_str(text)
        .map_err(|source| ReferenceError::NotToml { path: path.into(), source })?;
    read(written).map_err(|reason| ReferenceError::BadBlockList { path: path.into(), reason })
}

fn read(written: Written) -> Result<BlockList, String> {
    let date = optional(written.date.as_deref())?;
    let mut list = BlockList::new(written.list, written.programs, date);
    for issuer in written.issuer {
        let name = decoded(&issuer.name)?;
        for listed in issuer.serials {
            let serial = HEXLOWER_PERMISSIVE
                .decode(listed.serial.as_bytes())
                .map_err(|error| format!("the serial {:?}: {error}", listed.serial))?;
            let since = optional(listed.since.as_deref())?;
            list.add_serial(name.clone(), &serial, Entry { since, ..Entry::default() });
        }
    }
    for listed in written.key {
        let hash = &listed.spki_sha256;
        let key = hash.parse().map_err(|_| format!("{hash:?} is no SHA-256"))?;
        let subject = listed.subject.as_deref().map(decoded).transpose()?;
        let since = optional(listed.since.as_deref())?;
        let entry = Entry { since, why: listed.why, interception: listed.interception };
        list.add_key(key, subject, entry);
    }
    for listed in written.certificate {
        let hash = &listed.sha256;
        let name = hash.parse().map_err(|_| format!("{hash:?} is no SHA-256"))?;
        let since = optional(listed.since.as_deref())?;
        list.add_certificate(name, Entry { since, why: listed.why, interception: false });
    }
    if list.is_empty() {
        return Err("it blocks nothing".into());
    }
    Ok(list)
}

fn optional(text: Option<&str>) -> Result<Option<Date>, String> {
    text.map(day).transpose()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    list: String,
    programs: Vec<String>,
    date: Option<String>,
    #[serde(default)]
    issuer: Vec<WrittenIssuer>,
    #[serde(default)]
    key: Vec<WrittenKey>,
    #[serde(default)]
    certificate: Vec<WrittenCertificate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenIssuer {
    name: String,
    serials: Vec<WrittenSerial>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSerial {
    serial: String,
    since: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenKey {
    spki_sha256: String,
    subject: Option<String>,
    since: Option<String>,
    why: Option<String>,
    #[serde(default)]
    interception: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCertificate {
    sha256: String,
    since: Option<String>,
    why: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "list = \"List\"\nprograms = [\"Program\"]\n";

    #[test]
    fn every_form_of_entry() {
        let zeros = "0".repeat(64);
        let text = format!(
            "{HEAD}date = \"2026-10-28\"\n\
             [[issuer]]\nname = \"MAA=\"\nserials = [{{ serial = \"0a0B\", since = \"2015-04-01\" }}]\n\
             [[key]]\nspki_sha256 = \"{zeros}\"\ninterception = true\n\
             [[key]]\nspki_sha256 = \"{zeros}\"\nsubject = \"MAA=\"\nwhy = \"words\"\n\
             [[certificate]]\nsha256 = \"{zeros}\"\n"
        );
        let list = parse("blocklists/list.toml", &text).unwrap();
        assert_eq!((list.len(), list.programs.len()), (4, 1));
        assert_eq!(list.date.unwrap().to_string(), "2026-10-28");
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for text in [
            String::new(),
            HEAD.into(),
            format!("{HEAD}[[key]]\nspki_sha256 = \"12\"\n"),
            format!("{HEAD}[[certificate]]\nsha256 = \"12\"\n"),
            format!("{HEAD}[[issuer]]\nname = \"!\"\nserials = [{{ serial = \"0a\" }}]\n"),
            format!("{HEAD}[[issuer]]\nname = \"MAA=\"\nserials = [{{ serial = \"0\" }}]\n"),
            format!("{HEAD}date = \"soon\"\n[[issuer]]\nname = \"MAA=\"\nserials = []\n"),
        ] {
            assert!(parse("blocklists/list.toml", &text).is_err(), "{text}");
        }
    }
}
