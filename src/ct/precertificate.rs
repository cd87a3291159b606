//! What a log signed of a certificate: its TBSCertificate without the list of SCTs, every other
//! byte kept (RFC 6962, section 3.2).

/// Dotted OID of the extension that holds a list of SCTs.
pub(super) const SCT_LIST: &str = "1.3.6.1.4.1.11129.2.4.2";

/// The same as a DER value.
const SCT_LIST_OID: &[u8] = b"\x06\x0a\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x02";

const SEQUENCE: u8 = 0x30;
const OCTET_STRING: u8 = 0x04;
const EXTENSIONS: u8 = 0xa3;

/// A TBSCertificate taken apart.
pub(super) struct Parts<'a> {
    /// Content of the extension's OCTET STRING, where the extension is there.
    pub(super) sct_list: Option<&'a [u8]>,
    /// The TBSCertificate without that extension, DER.
    pub(super) without_scts: Vec<u8>,
}

/// Finds the extension and takes it out. `None` where the TBSCertificate is not DER as far as that
/// needs, or has the extension twice.
pub(super) fn split(tbs: &[u8]) -> Option<Parts<'_>> {
    let (body, rest) = value(SEQUENCE, tbs)?;
    if !rest.is_empty() {
        return None;
    }
    let Some((before, extensions)) = extensions(body)? else {
        return Some(Parts { sct_list: None, without_scts: tbs.to_vec() });
    };
    let (mut rest, after) = value(SEQUENCE, extensions)?;
    if !after.is_empty() {
        return None;
    }
    let mut kept = Vec::with_capacity(rest.len());
    let mut sct_list = None;
    while !rest.is_empty() {
        let (extension, after) = any(rest)?;
        match extension.content.strip_prefix(SCT_LIST_OID) {
            Some(_) if extension.tag != SEQUENCE || sct_list.is_some() => return None,
            Some(rest) => sct_list = Some(octets(rest)?),
            None => kept.extend(extension.whole),
        }
        rest = after;
    }
    if sct_list.is_none() {
        return Some(Parts { sct_list, without_scts: tbs.to_vec() });
    }
    let mut spliced = before.to_vec();
    // A field without an extension is not there at all (RFC 5280, section 4.1.2.9).
    if !kept.is_empty() {
        spliced.extend(encoded(EXTENSIONS, &encoded(SEQUENCE, &kept)));
    }
    Some(Parts { sct_list, without_scts: encoded(SEQUENCE, &spliced) })
}

/// What stands before the extensions, and the content of their field, which comes last.
#[expect(clippy::option_option, reason = "not DER, and no extensions, are two answers")]
fn extensions(body: &[u8]) -> Option<Option<(&[u8], &[u8])>> {
    let mut rest = body;
    while !rest.is_empty() {
        let (field, after) = any(rest)?;
        if field.tag == EXTENSIONS {
            let before = body.len() - rest.len();
            return after.is_empty().then(|| Some((&body[..before], field.content)));
        }
        rest = after;
    }
    Some(None)
}

/// The content of an Extension's OCTET STRING, from what follows its OID.
fn octets(rest: &[u8]) -> Option<&[u8]> {
    // `critical`, where somebody writes it.
    let rest = match any(rest)? {
        (flag, after) if flag.tag == 0x01 => after,
        _ => rest,
    };
    let (content, after) = value(OCTET_STRING, rest)?;
    after.is_empty().then_some(content)
}

/// One DER value.
struct Value<'a> {
    tag: u8,
    whole: &'a [u8],
    content: &'a [u8],
}

/// The content of the value with this tag that `bytes` begin with, and what follows it.
pub(super) fn value(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, rest) = any(bytes)?;
    (found.tag == tag).then_some((found.content, rest))
}

/// The value that `bytes` begin with, and what follows it: tags of one byte, definite lengths of up
/// to four bytes.
fn any(bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    if tag & 0x1f == 0x1f {
        return None;
    }
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        short @ 0..0x80 => (usize::from(*short), rest),
        long => {
            let count = usize::from(long & 0x7f);
            let (digits, rest) = rest.split_at_checked(count)?;
            if !(1..=4).contains(&count) {
                return None;
            }
            let length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
            (length, rest)
        }
    };
    let (content, after) = rest.split_at_checked(length)?;
    let whole = &bytes[..bytes.len() - after.len()];
    Some((Value { tag: *tag, whole, content }, after))
}

fn encoded(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut der = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short @ 0..0x80) => der.push(short),
        _ => {
            let length = content.len().to_be_bytes();
            let zeros = length.iter().take_while(|digit| **digit == 0).count();
            let digits = &length[zeros..];
            der.push(0x80 | digits.len() as u8);
            der.extend(digits);
        }
    }
    der.extend(content);
    der
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_around_every_border() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000] {
            let content = vec![0x05; length];
            let der = encoded(0x30, &content);
            assert_eq!(value(0x30, &der), Some((&content[..], &[][..])), "{length}");
        }
        assert_eq!(encoded(0x30, &[0; 0x80])[..3], [0x30, 0x81, 0x80]);
        assert_eq!(encoded(0x30, &[0; 0x100])[..4], [0x30, 0x82, 1, 0]);
    }
}
