//! Networks that states own: `networks/state_owned.csv`, rows of AS number, operator, country.

use std::collections::BTreeMap;

use super::ReferenceError;

/// The owner of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The company that runs it.
    pub operator: String,
    /// ISO 3166-1 alpha-2 of the state that owns the company.
    pub country: String,
}

pub(super) fn parse(path: &str, text: &str) -> Result<BTreeMap<u32, Owner>, ReferenceError> {
    let rows = (1..).zip(text.lines()).skip(1).filter(|(_, row)| !row.is_empty());
    rows.map(|(line, row)| {
        read(row).ok_or_else(|| ReferenceError::BadOwner { path: path.into(), line })
    })
    .collect()
}

/// The operator may be quoted (RFC 4180) and hold commas.
fn read(row: &str) -> Option<(u32, Owner)> {
    let (asn, rest) = row.split_once(',')?;
    let (operator, country) = rest.rsplit_once(',')?;
    let quoted = operator.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let operator = quoted.map_or_else(|| operator.to_owned(), |inner| inner.replace("\"\"", "\""));
    Some((asn.parse().ok()?, Owner { operator, country: country.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_operators() {
        let rows =
            parse("x", "asn,operator,country\n9198,\"Some \"\"Tele\"\", Inc\",KZ\n").unwrap();
        let owner = Owner { operator: "Some \"Tele\", Inc".into(), country: "KZ".into() };
        assert_eq!(rows.get(&9198), Some(&owner));
        assert!(parse("x", "asn,operator,country\nnine,a,KZ\n").is_err());
    }
}
