//! The few DER values that reference data needs and no package holds.

/// A DER value of a tag and content.
pub fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = &length[content.len().leading_zeros() as usize / 8..];
    let mut der = vec![tag];
    match content.len() {
        short @ 0..0x80 => der.push(short as u8),
        _ => {
            der.push(0x80 | significant.len() as u8);
            der.extend_from_slice(significant);
        }
    }
    der.extend_from_slice(content);
    der
}

/// The content of a NameConstraints (RFC 5280, section 4.2.1.10) that permits the DNS names below
/// these suffixes and nothing else of DNS.
pub fn name_constraints<'a>(suffixes: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let subtrees = suffixes.flat_map(|name| der(0x30, &der(0x82, name.as_bytes())));
    der(0xa0, &subtrees.collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_as_permitted_subtrees() {
        let constraints = name_constraints(["fr", "re"].into_iter());
        assert_eq!(constraints, b"\xA0\x0C0\x04\x82\x02fr0\x04\x82\x02re");
    }

    #[test]
    fn long_values_state_how_long_their_length_is() {
        for (length, head) in
            [(0x7f, &[4, 0x7f][..]), (0x80, &[4, 0x81, 0x80]), (0x100, &[4, 0x82, 1, 0])]
        {
            assert!(der(4, &vec![0; length]).starts_with(head), "{length}");
        }
    }
}
