//! What browsers and systems are told about roots: preferences, policies and lists, as text.

use data_encoding::BASE64;
use serde_json::Value;

use super::environment::Setting;
use super::{Content, StoreError, Trust, pem};

/// Files with policies of Firefox.
pub const FIREFOX: &[&str] = &[
    "/etc/firefox/policies/policies.json",
    "/etc/firefox-esr/policies/policies.json",
    "/usr/lib/firefox/distribution/policies.json",
    "/usr/lib/firefox-esr/distribution/policies.json",
    "/usr/lib64/firefox/distribution/policies.json",
    "/opt/firefox/distribution/policies.json",
    "/etc/thunderbird/policies/policies.json",
    "/usr/lib/thunderbird/distribution/policies.json",
    "/Applications/Firefox.app/Contents/Resources/distribution/policies.json",
    "$ProgramFiles/Mozilla Firefox/distribution/policies.json",
];

/// Folders in which Firefox looks for certificates that a policy names without a folder.
pub const FIREFOX_CERTIFICATES: &[&str] = &[
    "~/.mozilla/certificates",
    "/usr/lib/mozilla/certificates",
    "/usr/lib64/mozilla/certificates",
    "/Library/Application Support/Mozilla/Certificates",
    "~/Library/Application Support/Mozilla/Certificates",
    "$LOCALAPPDATA/Mozilla/Certificates",
    "$APPDATA/Mozilla/Certificates",
];

/// Files with policies of Chromium and what is made from it.
pub const CHROMIUM: &[(&str, &str)] = &[
    ("/etc/opt/chrome/policies/*/*.json", "Chrome"),
    ("/etc/chromium/policies/*/*.json", "Chromium"),
    ("/etc/chromium-browser/policies/*/*.json", "Chromium"),
    ("/etc/opt/edge/policies/*/*.json", "Edge"),
    ("/etc/brave/policies/*/*.json", "Brave"),
];

/// Where Debian lists its certificates; one that begins with `!` is not trusted.
pub const DEBIAN: &str = "/etc/ca-certificates.conf";

const ENTERPRISE_ROOTS: &str = "security.enterprise_roots.enabled";

/// What the preferences of a Firefox profile say of the system's roots: the last of several, and
/// `user.js` after `prefs.js`.
pub fn enterprise_roots(preferences: &[&str]) -> Option<bool> {
    let lines = preferences.iter().flat_map(|text| text.lines());
    let said = lines.filter_map(|line| {
        let inner = line.trim().strip_prefix("user_pref(")?.split_once(')')?.0;
        let (name, value) = inner.split_once(',')?;
        (name.trim().trim_matches('"') == ENTERPRISE_ROOTS).then(|| value.trim() == "true")
    });
    said.fold(None, |_, value| Some(value))
}

/// What that means.
pub fn enterprise_setting(place: &str, on: bool) -> Setting {
    let means = if on {
        "this browser also trusts roots that were added to the system (Mozilla documents it for Windows and macOS)"
    } else {
        "this browser does not trust roots that were added to the system"
    };
    Setting {
        place: place.into(),
        usual: false,
        says: format!("{ENTERPRISE_ROOTS} is {on}"),
        means: means.into(),
    }
}

/// What a policy file of Firefox says: whether the system's roots count, and certificates to install.
///
/// # Errors
/// What is wrong with the JSON.
pub fn firefox(text: &str) -> Result<(Option<bool>, Vec<String>), serde_json::Error> {
    let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))?;
    let certificates = &value["policies"]["Certificates"];
    let install = certificates["Install"].as_array().into_iter().flatten();
    let install = install.filter_map(Value::as_str).map(str::to_owned).collect();
    Ok((certificates["ImportEnterpriseRoots"].as_bool(), install))
}

/// The certificates that a policy file of Chromium adds and distrusts, in base64 or PEM.
///
/// # Errors
/// What is wrong with the JSON is [`StoreError::Pem`] of number 0 in no case: it is returned as text.
pub fn chromium(text: &str) -> Result<Content, String> {
    let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| error.to_string())?;
    let mut content = Content::default();
    for (policy, trust) in [
        ("CACertificates", Trust::Trusted),
        ("CACertificatesWithConstraints", Trust::Trusted),
        ("CAHintCertificates", Trust::Unsaid),
        ("CADistrustedCertificates", Trust::Distrusted),
    ] {
        for entry in value[policy].as_array().into_iter().flatten() {
            let Some(text) = entry.as_str().or_else(|| entry["certificate"].as_str()) else {
                content.passed_over += 1;
                continue;
            };
            one(text, policy, trust, &mut content).map_err(|error| error.to_string())?;
        }
    }
    Ok(content.each_once())
}

fn one(text: &str, policy: &str, trust: Trust, content: &mut Content) -> Result<(), StoreError> {
    if pem::has_blocks(text.as_bytes()) {
        for held in pem::read(text.as_bytes())?.held {
            content.add_with(held.certificate.der(), policy, trust, None)?;
        }
        return Ok(());
    }
    let bare: String = text.split_whitespace().collect();
    match BASE64.decode(bare.as_bytes()) {
        Ok(der) => content.add_with(&der, policy, trust, None),
        Err(_) => {
            content.passed_over += 1;
            Ok(())
        }
    }
}

/// The files, below `/usr/share/ca-certificates`, that Debian's list turns off.
pub fn turned_off(list: &str) -> Vec<&str> {
    list.lines().filter_map(|line| line.trim().strip_prefix('!')).map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use kua_mint::Authority;

    use super::*;

    #[test]
    fn preferences_of_firefox() {
        let pref =
            |value: &str| format!("// a comment\nuser_pref(\"{ENTERPRISE_ROOTS}\", {value});\n");
        for (preferences, expected) in [
            (vec![pref("true")], Some(true)),
            (vec![pref("true"), pref("false")], Some(false)),
            (vec!["user_pref(\"other\", true);\n".into()], None),
            (vec![], None),
        ] {
            let texts: Vec<&str> = preferences.iter().map(String::as_str).collect();
            assert_eq!(enterprise_roots(&texts), expected);
        }
    }

    #[test]
    fn policies_of_firefox() {
        let text = r#"{"policies": {"Certificates": {"ImportEnterpriseRoots": true, "Install": ["corp.pem", 7]}}}"#;
        assert_eq!(firefox(text).unwrap(), (Some(true), vec!["corp.pem".to_owned()]));
        assert_eq!(firefox("{}").unwrap(), (None, vec![]));
        assert!(firefox("{").is_err());
    }

    #[test]
    fn policies_of_chromium() {
        let roots = ["One", "Two", "Three"].map(|name| Authority::root(name).certificate);
        let text = serde_json::json!({
            "CACertificates": [BASE64.encode(&roots[0]), "%%%", 7],
            "CACertificatesWithConstraints": [{"certificate": kua_mint::pem(&roots[1]), "constraints": {}}],
            "CADistrustedCertificates": [BASE64.encode(&roots[2])],
        });
        let content = chromium(&text.to_string()).unwrap();
        let trust: Vec<_> = content.held.iter().map(|held| held.trust).collect();
        assert_eq!(trust, [Trust::Trusted, Trust::Trusted, Trust::Distrusted]);
        assert_eq!(content.passed_over, 2);
        assert!(chromium("[").is_err());
    }

    #[test]
    fn debian_turns_off_by_line() {
        assert_eq!(turned_off("# !no\nmozilla/A.crt\n!mozilla/B.crt\n"), ["mozilla/B.crt"]);
    }
}
