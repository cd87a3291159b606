//! Products that intercept for the owner of a machine or network, by issuer name: `products.toml`.

use data_encoding::BASE64;
use regex_lite::Regex;
use serde::{Deserialize, Serialize};

use super::ReferenceError;
use crate::chain::KeyHash;
use crate::chain::name::Name;

/// A product, recognised by the name it gives its issuer. Names are free text that anybody can
/// copy: a match speaks against a state, and never clears anybody by itself.
#[derive(Clone, Debug)]
pub struct Product {
    /// What it is called.
    pub name: String,
    /// What kind of product it is.
    pub class: Class,
    /// Which list it comes from.
    pub source: String,
    common_name: Option<Regex>,
    organisation: Option<Regex>,
}

/// What a product is for.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Antivirus on the machine.
    Antivirus,
    /// A gateway of an employer, a school, an airline.
    Corporate,
    /// A developer's proxy.
    Developer,
    /// A router or appliance that answers with its own certificate.
    Device,
    /// Malicious software on the machine.
    Malware,
    /// Parental control on the machine.
    Parental,
    /// A test.
    Test,
    /// Anything that the list does not class.
    #[serde(other)]
    Other,
}

impl Product {
    /// Whether the issuer's common name and organisation both fit, as far as the list states them.
    pub fn matches(&self, issuer: &Name) -> bool {
        let fits = |pattern: &Option<Regex>, value: Option<&str>| {
            pattern
                .as_ref()
                .is_none_or(|pattern| value.is_some_and(|value| pattern.is_match(value)))
        };
        fits(&self.common_name, issuer.attribute("CN"))
            && fits(&self.organisation, issuer.attribute("O"))
    }
}

/// The products, and the keys of captive portals.
pub(super) fn parse(
    path: &str,
    text: &str,
) -> Result<(Vec<Product>, Vec<KeyHash>), ReferenceError> {
    let written: Written = toml::from_str(text)
        .map_err(|source| ReferenceError::NotToml { path: path.into(), source })?;
    let listed = written.captive_portal.iter().flat_map(|list| &list.spki_sha256_base64);
    let portals = listed.map(|text| {
        let hash = BASE64.decode(text.as_bytes()).ok();
        let hash = hash.and_then(|hash| <[u8; 32]>::try_from(hash).ok());
        let bad = || ReferenceError::BadPortal { path: path.into(), text: text.clone() };
        hash.map(KeyHash::from).ok_or_else(bad)
    });
    let portals = portals.collect::<Result<_, _>>()?;
    Ok((products(path, written.product)?, portals))
}

fn products(path: &str, written: Vec<WrittenProduct>) -> Result<Vec<Product>, ReferenceError> {
    // A product without a pattern would match every issuer.
    let named = written.into_iter();
    let named = named.filter(|product| product.issuer_cn.is_some() || product.issuer_o.is_some());
    named
        .map(|product| {
            let regex = |pattern: &Option<String>| {
                let whole = pattern.as_ref().map(|pattern| Regex::new(&format!("^(?:{pattern})$")));
                whole.transpose().map_err(|source| ReferenceError::BadPattern {
                    path: path.into(),
                    product: product.name.clone(),
                    source,
                })
            };
            Ok(Product {
                common_name: regex(&product.issuer_cn)?,
                organisation: regex(&product.issuer_o)?,
                name: product.name,
                class: product.class,
                source: product.source.unwrap_or_default(),
            })
        })
        .collect()
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    product: Vec<WrittenProduct>,
    #[serde(default)]
    captive_portal: Vec<WrittenPortals>,
}

#[derive(Deserialize)]
struct WrittenPortals {
    #[serde(default)]
    spki_sha256_base64: Vec<String>,
}

#[derive(Deserialize)]
struct WrittenProduct {
    name: String,
    class: Class,
    issuer_cn: Option<String>,
    issuer_o: Option<String>,
    source: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_portals_are_hashes() {
        let text = |key: &str| format!("[[captive_portal]]\nspki_sha256_base64 = [\"{key}\"]\n");
        let hash = BASE64.encode(KeyHash::of(b"a key").as_bytes());
        let (_, portals) = parse("products.toml", &text(&hash)).unwrap();
        assert_eq!(portals, [KeyHash::of(b"a key")]);
        for wrong in ["", "AAAA", "not base64"] {
            let refused = parse("products.toml", &text(wrong));
            assert!(matches!(refused, Err(ReferenceError::BadPortal { .. })), "{wrong}");
        }
    }

    #[test]
    fn patterns_match_whole_values() {
        let text = "[[product]]\nname = \"Shield\"\nclass = \"antivirus\"\nissuer_cn = 'Shield( \\d+)?'\nissuer_o = 'Vendor'\n";
        let (products, _) = parse("products.toml", text).unwrap();
        for (rdns, matches) in [
            (&[("O", "Vendor"), ("CN", "Shield")][..], true),
            (&[("O", "Vendor"), ("CN", "Shield 7")], true),
            (&[("O", "Vendor"), ("CN", "Shield of others")], false),
            (&[("CN", "Shield")], false),
        ] {
            let name = Name::from_der(&kua_mint::name(rdns)).unwrap();
            assert_eq!(products[0].matches(&name), matches, "{name}");
        }
    }
}
