//! Distinguished names (RFC 5280, section 4.1.2.4): their bytes, their text, and what they share.

use std::collections::BTreeSet;
use std::fmt;

use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

/// A distinguished name. Two names are equal when their DER is.
#[derive(Clone, Debug)]
pub struct Name {
    der: Vec<u8>,
    attributes: Vec<(String, String)>,
}

impl Name {
    pub(crate) fn from_parsed(name: &X509Name<'_>) -> Self {
        let attributes = name.iter_attributes().map(|attribute| {
            (attribute_type(&attribute.attr_type().to_id_string()), attribute_value(attribute))
        });
        Self { der: name.as_raw().to_vec(), attributes: attributes.collect() }
    }

    /// Reads a DER Name; `None` where it is not one.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let (rest, name) = X509Name::from_der(der).ok()?;
        rest.is_empty().then(|| Self::from_parsed(&name))
    }

    /// The name as encoded.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// First value of the attribute `kind`, such as `CN` or `O`.
    pub fn attribute(&self, kind: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(found, _)| found == kind);
        found.map(|(_, value)| value.as_str())
    }

    /// The attributes without their order, to compare with a name known only as text.
    pub fn attributes(&self) -> BTreeSet<(String, String)> {
        self.attributes.iter().cloned().collect()
    }

    /// The types of its attributes, such as `CN` and `O`, in the order of encoding.
    pub fn kinds(&self) -> Vec<String> {
        self.attributes.iter().map(|(kind, _)| kind.clone()).collect()
    }

    /// What a person would call it: common name, else organisation, else the whole name.
    pub fn short(&self) -> String {
        self.attribute("CN").or(self.attribute("O")).map_or_else(|| self.to_string(), str::to_owned)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Name {}

/// RFC 4514 text: most specific attribute last encoded comes first, no spaces.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (kind, value)) in self.attributes.iter().rev().enumerate() {
            if position > 0 {
                f.write_str(",")?;
            }
            write!(f, "{kind}={}", escaped(value))?;
        }
        Ok(())
    }
}

/// The attributes of a name written as text, in any order of RDNs: `CN=Root,O=Some\, Inc.,C=KZ`.
pub fn attributes_of(text: &str) -> BTreeSet<(String, String)> {
    let mut attributes = BTreeSet::new();
    let mut current = String::new();
    let mut characters = text.chars();
    let mut keep = |part: &mut String| {
        if let Some((kind, value)) = part.trim().split_once('=') {
            attributes.insert((kind.trim().to_owned(), value.trim().to_owned()));
        }
        part.clear();
    };
    while let Some(character) = characters.next() {
        match character {
            '\\' => current.extend(characters.next()),
            ',' => keep(&mut current),
            _ => current.push(character),
        }
    }
    keep(&mut current);
    attributes
}

fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => text.extend(['\\', character]),
            // Foreign text must not drive a terminal.
            control if control.is_control() => text.push('\u{fffd}'),
            plain => text.push(plain),
        }
    }
    text
}

fn attribute_type(oid: &str) -> String {
    let short = match oid {
        "2.5.4.3" => "CN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "street",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.97" => "organizationIdentifier",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        _ => oid,
    };
    short.to_owned()
}

fn attribute_value(attribute: &x509_parser::x509::AttributeTypeAndValue<'_>) -> String {
    if let Ok(text) = attribute.as_str() {
        return text.to_owned();
    }
    let bytes = attribute.attr_value().data;
    match attribute.attr_value().tag().0 {
        // BMPString: UTF-16, big-endian.
        30 => {
            let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect()
        }
        // TeletexString is read as Latin-1, as everybody does.
        20 => bytes.iter().map(|byte| char::from(*byte)).collect(),
        _ => format!("#{}", data_encoding::HEXLOWER.encode(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_in_any_order_compares_equal() {
        let left = attributes_of("CN=Information Security Certification Authority,O=ISCA,C=KZ");
        let right = attributes_of("C=KZ, O=ISCA, CN=Information Security Certification Authority");
        assert_eq!(left, right);
        assert_eq!(left.len(), 3);
    }

    #[test]
    fn escaped_commas_stay_in_the_value() {
        let attributes = attributes_of(r"O=Micros Systems\, Inc.,C=US");
        assert!(attributes.contains(&("O".into(), "Micros Systems, Inc.".into())));
    }
}
