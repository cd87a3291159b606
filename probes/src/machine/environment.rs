//! Variables and settings that give programs roots of their own, or none at all.

use std::collections::BTreeMap;

/// A variable of the environment that names a store.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Who reads it.
    pub readers: &'static str,
    /// Whether it names several, separated as in `PATH`.
    pub several: bool,
}

const fn one(name: &'static str, readers: &'static str) -> Variable {
    Variable { name, readers, several: false }
}

/// Variables that name a file or directory with roots.
pub const VARIABLES: &[Variable] = &[
    one("SSL_CERT_FILE", "OpenSSL and what uses it: curl, wget, Python, Ruby; Go"),
    Variable {
        name: "SSL_CERT_DIR",
        readers: "OpenSSL and what uses it: curl, wget, Python, Ruby; Go",
        several: true,
    },
    one("AWS_CA_BUNDLE", "the tools of AWS"),
    one("BUNDLE_SSL_CA_CERT", "Ruby's Bundler"),
    one("CARGO_HTTP_CAINFO", "Rust's cargo"),
    one("CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "gcloud"),
    one("COMPOSER_CAFILE", "PHP's Composer"),
    one("CURL_CA_BUNDLE", "curl and Python's requests"),
    one("DENO_CERT", "Deno"),
    one("GIT_SSL_CAINFO", "git"),
    one("GIT_SSL_CAPATH", "git"),
    one("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "programs with gRPC"),
    one("HTTPLIB2_CA_CERTS", "Python's httplib2"),
    one("NIX_SSL_CERT_FILE", "programs from Nix"),
    one("NODE_EXTRA_CA_CERTS", "Node.js, in addition to its own roots"),
    one("NPM_CONFIG_CAFILE", "npm"),
    one("npm_config_cafile", "npm"),
    one("PIP_CERT", "Python's pip"),
    one("REQUESTS_CA_BUNDLE", "Python's requests and pip"),
    one("SYSTEM_CERTIFICATE_PATH", "programs in Haskell"),
];

/// Variables whose options may name a Java keystore.
pub const JAVA_OPTIONS: &[&str] = &[
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "_JAVA_OPTIONS",
    "JAVA_OPTS",
    "MAVEN_OPTS",
    "GRADLE_OPTS",
];

const JAVA_TRUST_STORE: &str = "-Djavax.net.ssl.trustStore=";

/// Variables that turn verification off: name, the values that do (none: any), and for whom.
const SWITCHES: &[(&str, &[&str], &str)] = &[
    ("NODE_TLS_REJECT_UNAUTHORIZED", &["0"], "Node.js"),
    ("GIT_SSL_NO_VERIFY", &[], "git"),
    ("PYTHONHTTPSVERIFY", &["0"], "old versions of Python"),
];

/// Settings in files that name a store: pattern of the file as in [`places`](super::places), the
/// setting in lower case, and who reads it.
pub const FILES: &[(&str, &str, &str)] = &[
    ("~/.gitconfig", "sslcainfo", "git"),
    ("~/.config/git/config", "sslcainfo", "git"),
    ("/etc/gitconfig", "sslcainfo", "git"),
    ("~/.npmrc", "cafile", "npm"),
    ("~/.pip/pip.conf", "cert", "Python's pip"),
    ("~/.config/pip/pip.conf", "cert", "Python's pip"),
    ("/etc/pip.conf", "cert", "Python's pip"),
    ("~/.curlrc", "cacert", "curl"),
    ("~/.config/.curlrc", "cacert", "curl"),
];

/// A setting that changes what this machine trusts.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Setting {
    /// The variable or file.
    pub place: String,
    /// What it says.
    pub says: String,
    /// What that means, in a sentence.
    pub means: String,
    /// Whether it only names a store that the system makes, as it would be without it.
    pub usual: bool,
}

/// The stores that variables name: what the variable is, who reads it, and the path.
pub fn named(environment: &BTreeMap<String, String>) -> Vec<(String, String, String)> {
    let mut named = Vec::new();
    for variable in VARIABLES {
        let Some(value) = environment.get(variable.name).filter(|value| !value.is_empty()) else {
            continue;
        };
        let separator = if cfg!(windows) { ';' } else { ':' };
        let several = variable.several.then(|| value.split(separator).collect::<Vec<_>>());
        for path in several.unwrap_or_else(|| vec![value]) {
            if !path.is_empty() {
                named.push((variable.name.into(), variable.readers.into(), path.into()));
            }
        }
    }
    for name in JAVA_OPTIONS {
        let options = environment.get(*name).map(String::as_str).unwrap_or_default();
        for option in options.split_whitespace() {
            if let Some(path) = option.strip_prefix(JAVA_TRUST_STORE) {
                named.push(((*name).into(), JAVA_READERS.into(), path.trim_matches('"').into()));
            }
        }
    }
    named
}

const JAVA_READERS: &str = "programs in Java";

/// Variables that turn verification off.
pub fn switches(environment: &BTreeMap<String, String>) -> Vec<Setting> {
    let on = SWITCHES.iter().filter_map(|(name, values, reader)| {
        let value = environment.get(*name)?;
        let fits = values.is_empty() && !value.is_empty() || values.contains(&value.as_str());
        fits.then(|| Setting {
            place: (*name).into(),
            usual: false,
            says: value.clone(),
            means: format!(
                "{reader} does not check certificates at all: anybody on the way can answer"
            ),
        })
    });
    on.collect()
}

/// The values of a setting in a file of lines such as `name = value` or `name value`.
pub fn values(text: &str, setting: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';', '/']));
    let split = lines.filter_map(|line| line.split_once(|c: char| c == '=' || c.is_whitespace()));
    let wanted = split
        .filter(|(name, _)| name.trim().trim_start_matches("--").eq_ignore_ascii_case(setting));
    let value = |value: &str| {
        value.trim_matches(|c: char| c == '=' || c == '"' || c.is_whitespace()).to_owned()
    };
    wanted.map(|(_, rest)| value(rest)).filter(|value| !value.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    #[cfg(unix)]
    fn stores_that_variables_name() {
        let environment = environment(&[
            ("SSL_CERT_DIR", "/a:/b"),
            ("NODE_EXTRA_CA_CERTS", "/c.pem"),
            ("PIP_CERT", ""),
            ("MAVEN_OPTS", "-Xmx1g -Djavax.net.ssl.trustStore=\"/d.jks\" -Dx=y"),
            ("HOME", "/home/someone"),
        ]);
        let named = named(&environment);
        let paths: Vec<_> =
            named.iter().map(|(name, _, path)| (name.as_str(), path.as_str())).collect();
        let expected = [
            ("SSL_CERT_DIR", "/a"),
            ("SSL_CERT_DIR", "/b"),
            ("NODE_EXTRA_CA_CERTS", "/c.pem"),
            ("MAVEN_OPTS", "/d.jks"),
        ];
        assert_eq!(paths, expected);
    }

    #[test]
    fn only_values_that_turn_verification_off() {
        let off = |pairs| switches(&environment(pairs)).len();
        assert_eq!(off(&[("NODE_TLS_REJECT_UNAUTHORIZED", "0"), ("GIT_SSL_NO_VERIFY", "true")]), 2);
        assert_eq!(off(&[("NODE_TLS_REJECT_UNAUTHORIZED", "1"), ("GIT_SSL_NO_VERIFY", "")]), 0);
    }

    #[test]
    fn settings_in_files() {
        for (text, setting, expected) in [
            ("[http]\n\tsslCAInfo = /a b.pem\n", "sslcainfo", Some("/a b.pem")),
            ("[http]\n\tsslcainfo=\"/a.pem\"\n", "sslcainfo", Some("/a.pem")),
            ("# cafile=/a.pem\n", "cafile", None),
            ("cafile=/a.pem", "cafile", Some("/a.pem")),
            ("--cacert /a.pem", "cacert", Some("/a.pem")),
            ("cacerts /a.pem", "cacert", None),
            ("", "cert", None),
        ] {
            assert_eq!(values(text, setting).first().map(String::as_str), expected, "{text}");
        }
    }
}
