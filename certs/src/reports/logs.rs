//! The Certificate Transparency logs that a program knows, from the list (version 3) that it
//! publishes.

use std::collections::BTreeMap;

use super::{ReportError, day, limited, sha256};
use crate::logs::{Log, LogList, State};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use data_encoding::BASE64;
use serde::Deserialize;

/// The key that signs Chrome's list: a DER SubjectPublicKeyInfo, published at
/// <https://www.gstatic.com/ct/log_list/v3/log_list_pubkey.pem>.
const CHROME_KEY: &str = "\
    MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAsu0BHGnQ++W2CTdyZyxvHHRALOZPlnu/VMVgo2m+JZ8M\
    NbAOH2cgXb8mvOj8flsX/qPMuKIaauO+PwROMjiqfUpcFm80Kl7i97ZQyBDYKm3MkEYYpGN+skAR2OebX9G2DfDq\
    FY8+jUpOOWtBNr3LrmVcwx+FcFdMjGDlrZ5JRmoJ/SeGKiORkbbu9eY1Wd0uVhz/xI5bQb0OgII7hEj+i/IPbJqO\
    HgB8xQ5zWAJJ0DmG+FM6o7gk403v6W3S8qRYiR84c50KppGwe4YqSMkFbLDleGQWLoaDSpEWtESisb4JiLaY4H+K\
    k0EyAhPSb+49JfUozYl+lf7iFN3qRq/SIXXTh6z0S7Qa8EYDhKGCrpI03/+qprwy+my6fpWHi6aUIk4holUCmWvF\
    xZDfixoxK0RlqbFDl2JXMBquwlQpm8u5wrsic1ksIv9z8x9zh4PJqNpCah0ciemI3YGRQqSe/mRRXBiSn9YQBUPc\
    aeqCYan+snGADFwHuXCd9xIAdFBolw9R9HTedHGUfVXPJDiF4VusfX6BRR/qaadB+bqEArF/TzuDUr6FvOR4o8lU\
    UxgLuZ/7HO+bHnaPFKYHHSm++z1lVDhhYuSZ8ax3T0C3FZpb7HMjZtpEorSV5ElKJEJwrhrBCMOD8L01EoSPrGlS\
    1w22i9uGHMn/uGQKo28u7AsCAwEAAQ==";

/// As far as judgements need it.
#[derive(Debug, Deserialize)]
struct Written {
    version: String,
    log_list_timestamp: Option<String>,
    #[serde(rename = "$schema")]
    schema: Option<String>,
    operators: Vec<Operator>,
}

#[derive(Debug, Deserialize)]
struct Operator {
    name: String,
    #[serde(default)]
    logs: Vec<WrittenLog>,
    #[serde(default)]
    tiled_logs: Vec<WrittenLog>,
}

#[derive(Debug, Deserialize)]
struct WrittenLog {
    description: String,
    log_id: String,
    key: String,
    log_type: Option<String>,
    /// One state and when it began: lists tell the present only.
    #[serde(default)]
    state: BTreeMap<String, Since>,
}

#[derive(Debug, Deserialize)]
struct Since {
    timestamp: String,
}

/// Reads a list; every log's id is the hash of its key. Apple's list states no day: then it is that
/// of its newest change.
///
/// # Errors
/// Bytes that are not such a list, or a log whose id is not of its key.
pub fn from_bytes(bytes: &[u8]) -> Result<LogList, ReportError> {
    let list: Written = serde_json::from_slice(limited(bytes)?)?;
    let program = match (&list.log_list_timestamp, &list.schema) {
        (Some(_), _) => "Chrome",
        (None, Some(schema)) if schema.contains("apple.com") => "Apple",
        _ => return Err(damaged("it is neither Chrome's list nor Apple's")),
    };
    let mut logs: Vec<Log> = Vec::new();
    for operator in list.operators {
        let rfc6962 = operator.logs.into_iter().map(|log| ("rfc6962", log));
        for (kind, log) in rfc6962.chain(operator.tiled_logs.into_iter().map(|log| ("static", log)))
        {
            let row = logs.len() + 1;
            let log = self::log(&operator.name, kind, log);
            logs.push(log.map_err(|reason| ReportError::BadRow { row, reason })?);
        }
    }
    let newest = logs.iter().flat_map(|log| &log.states).map(|state| &state.since).max();
    let moment = list.log_list_timestamp.as_ref().or(newest);
    let date = moment.and_then(|moment| day(moment.get(..10)?));
    match (logs.is_empty(), date) {
        (true, _) => Err(ReportError::Empty { what: "log" }),
        (false, None) => Err(damaged("the list has no date")),
        (false, Some(date)) => {
            Ok(LogList { program: program.into(), version: list.version, date, logs })
        }
    }
}

fn log(operator: &str, kind: &str, written: WrittenLog) -> Result<Log, String> {
    let key = BASE64.decode(written.key.as_bytes()).unwrap_or_default();
    if key.is_empty() || BASE64.encode(&sha256(&key)) != written.log_id {
        return Err(format!("the id of {} is not of its key", written.description));
    }
    let states = written.state.into_iter();
    let mut states: Vec<_> =
        states.map(|(state, since)| State { since: since.timestamp, state }).collect();
    states.sort();
    Ok(Log {
        description: written.description,
        operator: operator.to_owned(),
        kind: kind.to_owned(),
        purpose: written.log_type.map(|purpose| purpose.replace('_', "-")),
        id: written.log_id,
        key: written.key,
        states,
    })
}

/// Reads Chrome's list where Chrome's key signed it.
///
/// # Errors
/// [`ReportError::BadSignature`], and what [`from_bytes`] says.
pub fn signed(bytes: &[u8], signature: &[u8]) -> Result<LogList, ReportError> {
    let bad = ReportError::BadSignature { signer: "Chrome's key for lists of logs" };
    let Ok(key) = BASE64.decode(CHROME_KEY.as_bytes()) else { return Err(bad) };
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
    match key.verify(limited(bytes)?, signature) {
        Ok(()) => from_bytes(bytes),
        Err(_) => Err(bad),
    }
}

fn damaged(reason: &str) -> ReportError {
    ReportError::Damaged { reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(head: &str) -> String {
        let key = kua_mint::Key::ecdsa_p256().spki();
        let (id, key) = (BASE64.encode(&sha256(&key)), BASE64.encode(&key));
        format!(
            "{{{head}, \"operators\": [{{\"name\": \"A \\\"B\\\"\", \"tiled_logs\": [{{\
             \"description\": \"One\", \"log_id\": \"{id}\", \"key\": \"{key}\", \
             \"log_type\": \"test_log\", \"state\": {{\"usable\": \
             {{\"timestamp\": \"2025-01-02T00:00:00Z\"}}}}}}]}}]}}"
        )
    }

    const CHROME: &str = "\"version\": \"89.25\", \"log_list_timestamp\": \"2026-08-20T12:00:00Z\"";
    const APPLE: &str = "\"version\": \"511\", \"$schema\": \"https://valid.apple.com/s.json\"";

    #[test]
    fn lists_of_both_programs() {
        for (head, program, date) in
            [(CHROME, "Chrome", "2026-08-20"), (APPLE, "Apple", "2025-01-02")]
        {
            let list = from_bytes(list(head).as_bytes()).unwrap();
            assert_eq!((list.program.as_str(), list.date.to_string().as_str()), (program, date));
            let text = list.toml();
            assert!(
                text.contains(
                    "operator = \"A \\\"B\\\"\"\nkind = \"static\"\npurpose = \"test-log\""
                ),
                "{text}"
            );
            assert!(
                text.contains("states = [{ state = \"usable\", since = \"2025-01-02T"),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let good = list(CHROME);
        for text in [
            String::new(),
            good[..good.len() - 1].to_owned(),
            good.replace("log_id\": \"", "log_id\": \"A"),
            good.replace("2026-08-20", "yesterday"),
            good.replace("log_list_timestamp", "timestamp"),
            format!("{{{CHROME}, \"operators\": []}}"),
        ] {
            assert!(from_bytes(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_without_its_signature_is_refused() {
        for signature in [&[][..], &[0; 512]] {
            let refused = signed(list(CHROME).as_bytes(), signature);
            assert!(matches!(refused, Err(ReportError::BadSignature { .. })));
        }
    }
}
