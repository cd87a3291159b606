//! Distinguished names.

use yasna::models::ObjectIdentifier;

/// How an attribute's value is written.
enum Text {
    Ia5,
    Printable,
    Utf8,
}

const ATTRIBUTES: &[(&str, &[u64], Text)] = &[
    ("C", &[2, 5, 4, 6], Text::Printable),
    ("CN", &[2, 5, 4, 3], Text::Utf8),
    ("DC", &[0, 9, 2342, 19_200_300, 100, 1, 25], Text::Ia5),
    ("E", &[1, 2, 840, 113_549, 1, 9, 1], Text::Ia5),
    ("L", &[2, 5, 4, 7], Text::Utf8),
    ("O", &[2, 5, 4, 10], Text::Utf8),
    ("OU", &[2, 5, 4, 11], Text::Utf8),
    ("ST", &[2, 5, 4, 8], Text::Utf8),
    ("serialNumber", &[2, 5, 4, 5], Text::Printable),
];

/// A DER Name with one attribute an RDN, in the order given; empty for no attributes.
///
/// The types are `C`, `CN`, `DC`, `E`, `L`, `O`, `OU`, `ST` and `serialNumber`. `C` and
/// `serialNumber` become PrintableString, `DC` and `E` IA5String, the others UTF8String.
///
/// # Panics
/// At another type, or a value that its string type does not hold.
pub fn name(rdns: &[(&str, &str)]) -> Vec<u8> {
    yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            for (kind, value) in rdns {
                let (_, oid, text) = ATTRIBUTES
                    .iter()
                    .find(|(known, ..)| known == kind)
                    .unwrap_or_else(|| panic!("no attribute type {kind}"));
                writer.next().write_set(|writer| {
                    writer.next().write_sequence(|writer| {
                        writer.next().write_oid(&ObjectIdentifier::from_slice(oid));
                        match text {
                            Text::Ia5 => writer.next().write_ia5_string(value),
                            Text::Printable => writer.next().write_printable_string(value),
                            Text::Utf8 => writer.next().write_utf8_string(value),
                        }
                    });
                });
            }
        });
    })
}
