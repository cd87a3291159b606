//! The chain in a handshake's plaintext, for peers that rustls gives up on before it verifies.

use kua::chain::Chain;

/// The chain of the first complete Certificate message of TLS 1.2 and below (RFC 5246, section
/// 7.4.2) in what the peer sent, `None` where there is none.
pub(super) fn chain(sent: &[u8]) -> Option<Chain> {
    let messages = handshake_messages(sent);
    let mut rest = messages.as_slice();
    while let Some((&kind, after)) = rest.split_first() {
        let (body, after) = vector(after)?;
        if kind == CERTIFICATE {
            return certificates(body);
        }
        rest = after;
    }
    None
}

const CERTIFICATE: u8 = 11;
const HANDSHAKE_RECORD: u8 = 22;
const ALERT_RECORD: u8 = 21;

/// The handshake messages in the plaintext records, put together (RFC 5246, section 6.2.1).
fn handshake_messages(mut sent: &[u8]) -> Vec<u8> {
    let mut messages = Vec::new();
    while let [kind, _, _, high, low, rest @ ..] = sent {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (fragment, rest) = rest.split_at(length);
        match *kind {
            HANDSHAKE_RECORD => messages.extend_from_slice(fragment),
            ALERT_RECORD => {}
            // ChangeCipherSpec: what follows is encrypted. Anything else is not TLS.
            _ => break,
        }
        sent = rest;
    }
    messages
}

fn certificates(body: &[u8]) -> Option<Chain> {
    let (mut list, _) = vector(body)?;
    let mut certificates = Vec::new();
    while !list.is_empty() {
        let (certificate, rest) = vector(list)?;
        certificates.push(certificate);
        list = rest;
    }
    Chain::from_der(certificates).ok()
}

/// A vector with a length of three bytes, and what follows it.
fn vector(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let [a, b, c, rest @ ..] = bytes else { return None };
    let length = u32::from_be_bytes([0, *a, *b, *c]);
    rest.split_at_checked(usize::try_from(length).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&[kind, 3, 3], length.as_slice(), body].concat()
    }

    #[test]
    fn messages_across_records() {
        let certificate = [11, 0, 0, 11, 0, 0, 8, 0, 0, 1, b'a', 0, 0, 1, b'b'];
        let hello = [2, 0, 0, 1, 0xff];
        let whole = [record(22, &hello), record(22, &certificate)].concat();
        let split = [
            record(22, &[&hello, &certificate[..6]].concat()),
            record(21, &[1, 112]),
            record(22, &certificate[6..]),
        ]
        .concat();
        let expected = Chain::from_der([b"a", b"b"]).unwrap();
        for (case, sent, found) in [
            ("hello, certificate", whole.as_slice(), true),
            ("hello, half a certificate, warning, other half", &split, true),
            ("cut in the certificate", &whole[..whole.len() - 1], false),
            ("encrypted", &record(23, &certificate), false),
            ("not TLS", b"HTTP/1.1 400 Bad Request\r\n", false),
            ("empty list", &record(22, &[11, 0, 0, 3, 0, 0, 0]), false),
            ("nothing", &[], false),
        ] {
            assert_eq!(chain(sent), found.then(|| expected.clone()), "{case}");
        }
    }
}
