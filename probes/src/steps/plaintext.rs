//! The chain in a handshake's plaintext, for peers that rustls gives up on before it verifies.

use kua::chain::Chain;

/// What the plaintext of a handshake holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Presented {
    /// A chain.
    Chain(Chain),
    /// No chain yet; more bytes may complete one.
    Incomplete,
    /// No chain, whatever follows.
    Nothing,
}

/// Looks in what the peer sent for the first Certificate message of TLS 1.2 and below (RFC 5246,
/// section 7.4.2).
pub(super) fn presented(sent: &[u8]) -> Presented {
    let (messages, more) = handshake_messages(sent);
    let mut rest = messages.as_slice();
    while let Some((&kind, after)) = rest.split_first() {
        let Some((body, after)) = vector(after) else { break };
        if kind == CERTIFICATE {
            return certificates(body).map_or(Presented::Nothing, Presented::Chain);
        }
        rest = after;
    }
    if more { Presented::Incomplete } else { Presented::Nothing }
}

const CERTIFICATE: u8 = 11;
const HANDSHAKE_RECORD: u8 = 22;
const ALERT_RECORD: u8 = 21;

/// The handshake messages in the plaintext records, put together (RFC 5246, section 6.2.1), and
/// whether more of them may follow.
fn handshake_messages(mut sent: &[u8]) -> (Vec<u8>, bool) {
    let mut messages = Vec::new();
    while let [kind, 3, _, high, low, rest @ ..] = sent {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (fragment, rest) = rest.split_at(length);
        match *kind {
            HANDSHAKE_RECORD => messages.extend_from_slice(fragment),
            ALERT_RECORD => {}
            // ChangeCipherSpec: what follows is encrypted. Anything else is not TLS.
            _ => return (messages, false),
        }
        sent = rest;
    }
    (messages, sent.len() < 5)
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
        let chain = || Presented::Chain(Chain::from_der([b"a", b"b"]).unwrap());
        for (case, sent, found) in [
            ("hello, certificate", whole.as_slice(), chain()),
            ("hello, half a certificate, warning, other half", &split, chain()),
            ("cut in the certificate", &whole[..whole.len() - 1], Presented::Incomplete),
            ("cut in a record's header", &whole[..2], Presented::Incomplete),
            (
                "hello, encrypted",
                &[record(22, &hello), record(20, &[1])].concat(),
                Presented::Nothing,
            ),
            ("encrypted", &record(23, &certificate), Presented::Nothing),
            ("not TLS", b"HTTP/1.1 400 Bad Request\r\n", Presented::Nothing),
            ("empty list", &record(22, &[11, 0, 0, 3, 0, 0, 0]), Presented::Nothing),
            ("nothing", &[], Presented::Incomplete),
        ] {
            assert_eq!(presented(sent), found, "{case}");
        }
    }
    #[test]
    fn every_cut_waits_for_more() {
        let certificate = [11, 0, 0, 11, 0, 0, 8, 0, 0, 1, b'a', 0, 0, 1, b'b'];
        let sent = certificate.map(|byte| record(22, &[byte])).concat();
        for cut in 0..sent.len() {
            assert_eq!(presented(&sent[..cut]), Presented::Incomplete, "{cut}");
        }
        assert!(matches!(presented(&sent), Presented::Chain(_)));
    }
}
