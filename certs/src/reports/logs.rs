//! The Certificate Transparency logs that a program knows, from the list (version 3) that it
//! publishes, and what becomes of it in `certs/logs/<program>.toml`.

use std::collections::BTreeMap;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use data_encoding::BASE64;
use serde::Deserialize;
use time::Date;

use super::{ReportError, day, limited, sha256};

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

/// A program's list, checked.
#[derive(Debug)]
pub struct LogList {
    /// Whose list it is: `Chrome` or `Apple`.
    pub program: &'static str,
    /// Its version, as the program counts.
    pub version: String,
    /// Its day; Apple's list states none, and then it is that of its newest change.
    pub date: Date,
    list: List,
}

/// As far as judgements need it.
#[derive(Debug, Deserialize)]
struct List {
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
    logs: Vec<Log>,
    #[serde(default)]
    tiled_logs: Vec<Log>,
}

#[derive(Debug, Deserialize)]
struct Log {
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

/// Reads a list; every log's id is the hash of its key.
///
/// # Errors
/// Bytes that are not such a list, or a log whose id is not of its key.
pub fn from_bytes(bytes: &[u8]) -> Result<LogList, ReportError> {
    let list: List = serde_json::from_slice(limited(bytes)?)?;
    let (program, moment) = match (&list.log_list_timestamp, &list.schema) {
        (Some(moment), _) => ("Chrome", Some(moment.as_str())),
        (None, Some(schema)) if schema.contains("apple.com") => ("Apple", newest(&list)),
        _ => return Err(damaged("it is neither Chrome's list nor Apple's".into())),
    };
    let date = moment.and_then(|moment| day(moment.get(..10)?));
    for (row, (_, log)) in (1..).zip(list.operators.iter().flat_map(logs)) {
        let key = BASE64.decode(log.key.as_bytes()).unwrap_or_default();
        if key.is_empty() || BASE64.encode(&sha256(&key)) != log.log_id {
            let reason = format!("the id of {} is not of its key", log.description);
            return Err(ReportError::BadRow { row, reason });
        }
    }
    if list.operators.iter().all(|operator| logs(operator).next().is_none()) {
        return Err(ReportError::Empty { what: "log" });
    }
    Ok(LogList {
        program,
        version: list.version.clone(),
        date: date.ok_or_else(|| damaged("the list has no date".into()))?,
        list,
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

impl LogList {
    /// How many logs it has.
    pub fn len(&self) -> usize {
        self.list.operators.iter().map(|operator| logs(operator).count()).sum()
    }

    /// Never: a list without a log is refused.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text of `certs/logs/<program>.toml`.
    pub fn toml(&self) -> String {
        let mut text = format!("program = \"{}\"\n", self.program);
        text.push_str(&format!("version = {}\n", quoted(&self.version)));
        text.push_str(&format!("date = \"{}\"\n", self.date));
        for operator in &self.list.operators {
            for (kind, log) in logs(operator) {
                write_log(&mut text, &operator.name, kind, log);
            }
        }
        text
    }
}

/// An operator's logs, each with its kind.
fn logs(operator: &Operator) -> impl Iterator<Item = (&'static str, &Log)> {
    let rfc6962 = operator.logs.iter().map(|log| ("rfc6962", log));
    rfc6962.chain(operator.tiled_logs.iter().map(|log| ("static", log)))
}

fn newest(list: &List) -> Option<&str> {
    let states = list.operators.iter().flat_map(logs).flat_map(|(_, log)| log.state.values());
    states.map(|since| since.timestamp.as_str()).max()
}

fn write_log(text: &mut String, operator: &str, kind: &str, log: &Log) {
    text.push_str("\n[[log]]\n");
    let mut pair = |name: &str, value: &str| text.push_str(&format!("{name} = {value}\n"));
    pair("description", &quoted(&log.description));
    pair("operator", &quoted(operator));
    pair("kind", &quoted(kind));
    if let Some(purpose) = &log.log_type {
        pair("purpose", &quoted(&purpose.replace('_', "-")));
    }
    pair("id", &quoted(&log.log_id));
    pair("key", &quoted(&log.key));
    let states: Vec<_> = log.state.iter().map(state).collect();
    if !states.is_empty() {
        pair("states", &format!("[{}]", states.join(", ")));
    }
}

fn state((name, since): (&String, &Since)) -> String {
    format!("{{ state = {}, since = {} }}", quoted(name), quoted(&since.timestamp))
}

/// A TOML basic string; JSON's rules for quotes are a part of TOML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn damaged(reason: String) -> ReportError {
    ReportError::Damaged { reason }
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
            assert_eq!((list.program, list.date.to_string().as_str()), (program, date));
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
