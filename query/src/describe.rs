//! What each table and each column holds, in a few words: for people who are about to ask.

use arrow::datatypes::{DataType, SchemaRef};
use kua_archive::tables::{certificates, handshakes, judgements};

/// What a table holds, and its columns by name, in the order of the table.
pub struct Description {
    /// The table.
    pub table: &'static str,
    /// One row of it.
    pub row: &'static str,
    /// Its columns, each with what it holds.
    pub columns: &'static [(&'static str, &'static str)],
    /// The columns that are in its files.
    schema: fn() -> SchemaRef,
}

impl Description {
    /// For each column, what kind of values it has.
    pub fn kinds(&self) -> impl Iterator<Item = &'static str> {
        let schema = (self.schema)();
        self.columns.iter().map(move |(name, _)| match schema.field_with_name(name) {
            Ok(column) => kind(column.data_type()),
            Err(_) if *name == "day" => kind(&DataType::Date32),
            Err(_) => kind(&DataType::Utf8),
        })
    }
}

fn kind(of: &DataType) -> &'static str {
    match of {
        DataType::Boolean => "boolean",
        DataType::Date32 => "date",
        DataType::List(_) => "list",
        DataType::Timestamp(_, _) => "timestamp",
        DataType::Binary | DataType::FixedSizeBinary(_) => "bytes",
        of if of.is_integer() => "integer",
        _ => "text",
    }
}

/// Every table; docs/spec/archive.md says more.
pub const DESCRIPTIONS: &[Description] = &[HANDSHAKES, JUDGEMENTS, CERTIFICATES];

const HANDSHAKES: Description = Description {
    table: "handshakes",
    schema: handshakes::schema,
    row: "a TLS or QUIC handshake of a record",
    columns: &[
        ("record", "number of the record in the archive, from 1"),
        ("hash", "SHA-256 of the record as received"),
        ("handshake", "which of the record's handshakes, from 0"),
        ("measurement", "the name that a collector gave the record"),
        ("run", "what its program calls the run"),
        ("started", "when the measurement began"),
        ("asn", "the vantage point's autonomous system; 0: unknown"),
        ("network", "that network's name, as the probe gave it"),
        ("software", "the program that made the record"),
        ("software_version", "its version"),
        ("test", "the test that it ran"),
        ("test_version", "its version"),
        ("input", "what the test was given: a URL, a host"),
        ("target_host", "the site that the measurement is about"),
        ("target_port", "its port"),
        ("server_name", "the name in the SNI"),
        ("address", "to which address the handshake was made"),
        ("port", "and to which port"),
        ("transport", "tcp; udp for QUIC"),
        ("failure", "what a client with Mozilla's roots would have said, or what ended it"),
        ("tls_version", "TLSv1.3, ..."),
        ("cipher", "IANA's name"),
        ("alpn", "the protocol agreed on"),
        ("whole", "chain is all that was presented"),
        ("unverified", "the probe had been told not to verify"),
        ("chain", "SHA-256 of each certificate, as presented"),
        ("leaf", "SHA-256 of the leaf"),
        ("leaf_key", "SHA-256 of the leaf's public key"),
        ("intermediate_key", "that of the key which signed the leaf"),
        (
            "anchor_key",
            "that of the self-signed certificate at the end of the path, where presented",
        ),
        ("begun_us", "when the handshake began after the measurement, in microseconds"),
        ("took_us", "how long it took, in microseconds"),
        ("day", "the day of started, UTC"),
        ("cc", "the vantage point's country; ZZ: unknown"),
    ],
};

const JUDGEMENTS: Description = Description {
    table: "judgements",
    schema: judgements::schema,
    row: "what was judged of a handshake, with one version of the reference data",
    columns: &[
        ("record", "number of the record in the archive, from 1"),
        ("handshake", "which of the record's handshakes, from 0; null: it reached none"),
        ("first", "the first judgement of its measurement"),
        ("started", "when the measurement began"),
        ("day", "the day of started, UTC"),
        ("cc", "the vantage point's country; ZZ: unknown"),
        ("asn", "the vantage point's autonomous system; 0: unknown"),
        ("network", "that network's name, as the probe gave it"),
        ("target", "the site"),
        ("verdict", "normal, intercepted, blocked, misconfigured, anomaly, inconclusive"),
        ("level", "possible, probable, confirmed"),
        ("actor", "who, where intercepted: state, public-ca, network, local, portal, unknown"),
        ("interceptor", "the dossier whose key signed"),
        ("class", "why it is in no campaign"),
        ("signing_key", "SHA-256 of the key that proves it"),
        ("basis", "the lines of evidence"),
        ("findings", "the detectors that spoke"),
        ("failure", "how the handshake failed"),
        ("shape", "judgements of one shape are counted together"),
        ("position", "orders what a report shows as an example"),
    ],
};

const CERTIFICATES: Description = Description {
    table: "certificates",
    schema: certificates::schema,
    row: "a certificate, once",
    columns: &[
        ("sha256", "its name: SHA-256 of der"),
        ("der", "the certificate as it was presented"),
        ("subject", "as it says, RFC 4514"),
        ("issuer", "as it says"),
        ("serial", "content of the INTEGER"),
        ("not_before", "valid from"),
        ("not_after", "valid until"),
        ("spki_sha256", "SHA-256 of its public key"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_described() {
        for (description, schema, of_path) in [
            (&HANDSHAKES, handshakes::schema(), &["day", "cc"][..]),
            (&JUDGEMENTS, judgements::schema(), &[]),
            (&CERTIFICATES, certificates::schema(), &[]),
        ] {
            let columns = schema.fields().iter().map(|field| field.name().as_str());
            let expected: Vec<_> = columns.chain(of_path.iter().copied()).collect();
            let described: Vec<_> = description.columns.iter().map(|column| column.0).collect();
            assert_eq!(described, expected, "{}", description.table);
        }
    }
}
