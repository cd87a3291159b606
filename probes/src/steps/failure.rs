//! What the system and rustls say, as codes of OONI's df-007.

use std::io::{self, ErrorKind};

use kua::measurement::{Failure, codes};
use rustls::AlertDescription;

/// The code for an error of a socket.
pub(super) fn of_socket(error: &io::Error) -> Failure {
    Failure::new(match error.kind() {
        ErrorKind::AddrNotAvailable => codes::ADDRESS_NOT_AVAILABLE,
        ErrorKind::ConnectionAborted => codes::CONNECTION_ABORTED,
        ErrorKind::ConnectionRefused => codes::CONNECTION_REFUSED,
        // Writing to a connection that the peer has already reset.
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => codes::CONNECTION_RESET,
        ErrorKind::HostUnreachable => codes::HOST_UNREACHABLE,
        ErrorKind::Interrupted => codes::INTERRUPTED,
        ErrorKind::NetworkUnreachable => codes::NETWORK_UNREACHABLE,
        ErrorKind::PermissionDenied => codes::PERMISSION_DENIED,
        ErrorKind::TimedOut => codes::TIMED_OUT,
        ErrorKind::UnexpectedEof => codes::EOF,
        _ => return unknown(error),
    })
}

/// The code for anything that df-007 has no word for.
pub(super) fn unknown(text: impl std::fmt::Display) -> Failure {
    Failure::new(format!("unknown_failure: {text}"))
}

/// The code for a handshake that the peer ended with `alert`.
pub(super) fn of_alert(alert: AlertDescription) -> Failure {
    match alert {
        AlertDescription::UnrecognisedName => Failure::new(codes::SSL_INVALID_HOSTNAME),
        AlertDescription::DecryptError
        | AlertDescription::HandshakeFailure
        | AlertDescription::IllegalParameter
        | AlertDescription::InsufficientSecurity
        | AlertDescription::MissingExtension
        | AlertDescription::NoApplicationProtocol
        | AlertDescription::ProtocolVersion
        | AlertDescription::UnsupportedExtension => Failure::new(codes::SSL_FAILED_HANDSHAKE),
        // The words of Go, and so of stock OONI.
        other => unknown(format!("remote error: tls: {}", alert_name(other).replace('_', " "))),
    }
}

/// The name of an alert as RFC 8446, section 6, spells it; `alert_<number>` for unassigned ones.
pub(super) fn alert_name(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::Unknown(number) => return format!("alert_{number}"),
        AlertDescription::UnrecognisedName => return "unrecognized_name".into(),
        AlertDescription::UnknownPSKIdentity => return "unknown_psk_identity".into(),
        AlertDescription::UnknownCA => return "unknown_ca".into(),
        _ => {}
    }
    let mut name = String::new();
    for letter in format!("{alert:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_sockets() {
        for (kind, code) in [
            (ErrorKind::ConnectionRefused, "connection_refused"),
            (ErrorKind::ConnectionReset, "connection_reset"),
            (ErrorKind::HostUnreachable, "host_unreachable"),
            (ErrorKind::NetworkUnreachable, "network_unreachable"),
            (ErrorKind::PermissionDenied, "permission_denied"),
            (ErrorKind::AddrNotAvailable, "address_not_available"),
            (ErrorKind::TimedOut, "timed_out"),
            (ErrorKind::OutOfMemory, "unknown_failure: out of memory"),
        ] {
            assert_eq!(of_socket(&kind.into()).code(), code);
        }
    }

    #[test]
    fn alerts() {
        for (number, name, code) in [
            (0, "close_notify", "unknown_failure: remote error: tls: close notify"),
            (40, "handshake_failure", "ssl_failed_handshake"),
            (48, "unknown_ca", "unknown_failure: remote error: tls: unknown ca"),
            (70, "protocol_version", "ssl_failed_handshake"),
            (80, "internal_error", "unknown_failure: remote error: tls: internal error"),
            (112, "unrecognized_name", "ssl_invalid_hostname"),
            (
                115,
                "unknown_psk_identity",
                "unknown_failure: remote error: tls: unknown psk identity",
            ),
            (120, "no_application_protocol", "ssl_failed_handshake"),
            (200, "alert_200", "unknown_failure: remote error: tls: alert 200"),
        ] {
            let alert = AlertDescription::from(number);
            assert_eq!(alert_name(alert), name);
            assert_eq!(of_alert(alert).code(), code);
        }
    }
}
