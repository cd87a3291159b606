//! What other programs say of a failure, in OONI's codes.

use crate::measurement::{Failure, codes};

/// Texts of operating systems and of Go, and the codes that they mean.
const MEANINGS: &[(&str, &str)] = &[
    ("connection reset", codes::CONNECTION_RESET),
    ("connection refused", codes::CONNECTION_REFUSED),
    ("broken pipe", codes::CONNECTION_ABORTED),
    ("no route to host", codes::HOST_UNREACHABLE),
    ("network is unreachable", codes::NETWORK_UNREACHABLE),
    ("handshake failure", codes::SSL_FAILED_HANDSHAKE),
    ("timeout", codes::GENERIC_TIMEOUT),
    ("timed out", codes::GENERIC_TIMEOUT),
    ("deadline exceeded", codes::GENERIC_TIMEOUT),
    ("eof", codes::EOF),
];

/// The failure that `text` speaks of. Of a text that nobody knows only the part after the last
/// colon is taken: addresses stand before it.
pub(super) fn failure(text: &str) -> Failure {
    let lower = text.to_ascii_lowercase();
    match MEANINGS.iter().find(|(part, _)| lower.contains(part)) {
        Some((_, code)) => Failure::new(*code),
        None => {
            let reason = text.rsplit(": ").next().unwrap_or(text);
            Failure::new(format!("unknown_failure: {reason}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_texts_have_codes_and_others_keep_no_address() {
        for (text, code) in [
            (
                "read tcp 192.0.2.1:5->198.51.100.2:443: read: connection reset by peer",
                "connection_reset",
            ),
            ("Get \"https://192.0.2.7/\": EOF", "eof_error"),
            ("dial tcp 192.0.2.7:443: i/o timeout", "generic_timeout_error"),
            ("connect: timeout", "generic_timeout_error"),
            ("remote error: handshake failure", "ssl_failed_handshake"),
            ("dial tcp 192.0.2.7:443: odd", "unknown_failure: odd"),
            ("address not allowed", "unknown_failure: address not allowed"),
        ] {
            assert_eq!(failure(text).code(), code, "{text}");
        }
    }
}
