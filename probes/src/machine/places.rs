//! Where stores lie, by system and program: paths with `*` for any one name, `~` for a home and
//! `$NAME` for a variable of the environment. A path that is not there is no error.

use super::Trust;
use super::remedy::Remedy;

/// A place where a store may lie.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Where.
    pub pattern: &'static str,
    /// What a store there is, in words.
    pub what: &'static str,
    /// How a root is taken out of it and put back.
    pub remedy: Remedy,
    /// What it means that a certificate lies there.
    pub trust: Trust,
}

const fn trusted(pattern: &'static str, what: &'static str, remedy: Remedy) -> Place {
    Place { pattern, what, remedy, trust: Trust::Trusted }
}

const fn distrusted(pattern: &'static str, what: &'static str, remedy: Remedy) -> Place {
    Place { pattern, what, remedy, trust: Trust::Distrusted }
}

const BUNDLE: &str = "the system's bundle";
const DIRECTORY: &str = "the system's directory";
const ADDED: &str = "added on this machine";
const BLOCKED: &str = "distrusted on this machine";
const JAVA: &str = "Java";

/// Every place, those that a person adds to before those that are made from them.
pub const PLACES: &[Place] = &[
    // Debian, Ubuntu, Alpine.
    trusted("/usr/local/share/ca-certificates", ADDED, Remedy::Debian),
    // Fedora, Red Hat.
    trusted("/etc/pki/ca-trust/source/anchors", ADDED, Remedy::Fedora),
    trusted("/etc/pki/ca-trust/source/*.p11-kit", ADDED, Remedy::TrustAnchor),
    trusted("/usr/share/pki/ca-trust-source/anchors", "added by a package", Remedy::Fedora),
    distrusted("/etc/pki/ca-trust/source/blocklist", BLOCKED, Remedy::Fedora),
    distrusted("/etc/pki/ca-trust/source/blacklist", BLOCKED, Remedy::Fedora),
    // Arch.
    trusted("/etc/ca-certificates/trust-source/anchors", ADDED, Remedy::Arch),
    trusted("/etc/ca-certificates/trust-source/*.p11-kit", ADDED, Remedy::TrustAnchor),
    trusted("/usr/share/ca-certificates/trust-source/anchors", "added by a package", Remedy::Arch),
    distrusted("/etc/ca-certificates/trust-source/blocklist", BLOCKED, Remedy::Arch),
    // SUSE.
    trusted("/etc/pki/trust/anchors", ADDED, Remedy::Suse),
    trusted("/usr/share/pki/trust/anchors", "added by a package", Remedy::Suse),
    distrusted("/etc/pki/trust/blocklist", BLOCKED, Remedy::Suse),
    // FreeBSD.
    trusted("/usr/local/etc/ssl/certs", ADDED, Remedy::FreeBsd),
    trusted("/usr/share/certs/trusted", DIRECTORY, Remedy::Generated),
    distrusted("/usr/share/certs/untrusted", BLOCKED, Remedy::FreeBsd),
    // What systems make from these.
    trusted("/etc/ssl/certs/ca-certificates.crt", BUNDLE, Remedy::Generated),
    trusted("/etc/pki/tls/certs/ca-bundle.crt", BUNDLE, Remedy::Generated),
    trusted("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", BUNDLE, Remedy::Generated),
    trusted("/etc/ca-certificates/extracted/tls-ca-bundle.pem", BUNDLE, Remedy::Generated),
    trusted("/var/lib/ca-certificates/ca-bundle.pem", BUNDLE, Remedy::Generated),
    trusted("/etc/ssl/ca-bundle.pem", BUNDLE, Remedy::Generated),
    trusted("/etc/ssl/cert.pem", BUNDLE, Remedy::Generated),
    trusted("/etc/ssl/certs/ca-bundle.crt", BUNDLE, Remedy::Generated),
    trusted("/usr/local/share/certs/ca-root-nss.crt", BUNDLE, Remedy::Generated),
    trusted("$PREFIX/etc/tls/cert.pem", "Termux", Remedy::Generated),
    trusted("/etc/ssl/certs", DIRECTORY, Remedy::Generated),
    // Android. Version 14 moved the system's directory.
    trusted("/data/misc/user/*/cacerts-added", "added by the user", Remedy::Android),
    trusted("/data/misc/keychain/cacerts-added", "added by the user", Remedy::Android),
    distrusted("/data/misc/user/*/cacerts-removed", "distrusted by the user", Remedy::Android),
    distrusted("/data/misc/keychain/cacerts-removed", "distrusted by the user", Remedy::Android),
    trusted("/apex/com.android.conscrypt/cacerts", DIRECTORY, Remedy::Android),
    trusted("/system/etc/security/cacerts", DIRECTORY, Remedy::Android),
    // NSS databases: a directory with cert9.db.
    trusted("/etc/pki/nssdb", "NSS for all users", Remedy::Certutil),
    trusted("~/.pki/nssdb", "Chromium and Chrome", Remedy::Chromium),
    trusted("~/.local/share/pki/nssdb", "Chromium and Chrome", Remedy::Chromium),
    trusted("~/snap/chromium/*/.pki/nssdb", "Chromium (snap)", Remedy::Chromium),
    trusted("~/snap/chromium/*/.local/share/pki/nssdb", "Chromium (snap)", Remedy::Chromium),
    trusted("~/.var/app/*/.pki/nssdb", "a browser (flatpak)", Remedy::Chromium),
    trusted("~/.var/app/*/data/pki/nssdb", "a browser (flatpak)", Remedy::Chromium),
    trusted("~/.mozilla/firefox/*", "Firefox", Remedy::Firefox),
    trusted("~/.config/mozilla/firefox/*", "Firefox", Remedy::Firefox),
    trusted("~/snap/firefox/common/.mozilla/firefox/*", "Firefox (snap)", Remedy::Firefox),
    trusted("~/snap/firefox/common/.config/mozilla/firefox/*", "Firefox (snap)", Remedy::Firefox),
    trusted(
        "~/.var/app/org.mozilla.firefox/.mozilla/firefox/*",
        "Firefox (flatpak)",
        Remedy::Firefox,
    ),
    trusted(
        "~/.var/app/org.mozilla.firefox/config/mozilla/firefox/*",
        "Firefox (flatpak)",
        Remedy::Firefox,
    ),
    trusted("~/.librewolf/*", "LibreWolf", Remedy::Firefox),
    trusted(
        "~/.var/app/io.gitlab.librewolf-community/.librewolf/*",
        "LibreWolf (flatpak)",
        Remedy::Firefox,
    ),
    trusted("~/Library/Application Support/Firefox/Profiles/*", "Firefox", Remedy::Firefox),
    trusted("$APPDATA/Mozilla/Firefox/Profiles/*", "Firefox", Remedy::Firefox),
    trusted("~/.thunderbird/*", "Thunderbird", Remedy::Thunderbird),
    trusted("~/snap/thunderbird/common/.thunderbird/*", "Thunderbird (snap)", Remedy::Thunderbird),
    trusted(
        "~/.var/app/org.mozilla.Thunderbird/.thunderbird/*",
        "Thunderbird (flatpak)",
        Remedy::Thunderbird,
    ),
    trusted("~/Library/Thunderbird/Profiles/*", "Thunderbird", Remedy::Thunderbird),
    trusted("$APPDATA/Thunderbird/Profiles/*", "Thunderbird", Remedy::Thunderbird),
    // Java. Where both lie side by side, it reads jssecacerts and not cacerts.
    trusted("$JAVA_HOME/lib/security/*cacerts", "Java of JAVA_HOME", Remedy::Java),
    trusted("$JAVA_HOME/jre/lib/security/*cacerts", "Java of JAVA_HOME", Remedy::Java),
    trusted("/etc/ssl/certs/java/cacerts", JAVA, Remedy::GeneratedJava),
    trusted("/etc/pki/ca-trust/extracted/java/cacerts", JAVA, Remedy::GeneratedJava),
    trusted("/etc/pki/java/cacerts", JAVA, Remedy::GeneratedJava),
    trusted("/etc/ca-certificates/extracted/java-cacerts.jks", JAVA, Remedy::GeneratedJava),
    trusted("/var/lib/ca-certificates/java-cacerts", JAVA, Remedy::GeneratedJava),
    trusted("/usr/lib/jvm/*/lib/security/*cacerts", JAVA, Remedy::Java),
    trusted("/usr/lib/jvm/*/jre/lib/security/*cacerts", JAVA, Remedy::Java),
    trusted("~/.sdkman/candidates/java/*/lib/security/*cacerts", JAVA, Remedy::Java),
    trusted("~/.java/deployment/security/trusted.*cacerts", "Java's plug-in", Remedy::Java),
    trusted(
        "/Library/Java/JavaVirtualMachines/*/Contents/Home/lib/security/*cacerts",
        JAVA,
        Remedy::Java,
    ),
    trusted("$ProgramFiles/Java/*/lib/security/*cacerts", JAVA, Remedy::Java),
    trusted("$ProgramFiles/Eclipse Adoptium/*/lib/security/*cacerts", JAVA, Remedy::Java),
];

/// Whether a name fits one part of a pattern.
pub fn fits(part: &str, name: &str) -> bool {
    match part.split_once('*') {
        Some((before, after)) => {
            let rest = name.strip_prefix(before);
            // `*` is for visible names, as in a shell.
            let hidden = before.is_empty() && name.starts_with('.');
            !hidden && rest.is_some_and(|rest| rest.ends_with(after))
        }
        None => part == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_patterns() {
        for (part, name, expected) in [
            ("*", "abc.default", true),
            ("*", ".hidden", false),
            ("*cacerts", "jssecacerts", true),
            ("*cacerts", "cacerts", true),
            ("*cacerts", "cacerts.bak", false),
            ("trusted.*cacerts", "trusted.cacerts", true),
            ("aa*aa", "aa", false),
            ("nssdb", "nssdb", true),
        ] {
            assert_eq!(fits(part, name), expected, "{part} {name}");
        }
    }

    #[test]
    fn patterns_begin_where_something_is_known() {
        let mut seen = std::collections::BTreeSet::new();
        for place in PLACES {
            let start = place.pattern.split('/').next().unwrap();
            assert!(
                start.is_empty() || start == "~" || start.starts_with('$'),
                "{}",
                place.pattern
            );
            assert!(seen.insert(place.pattern), "{} is there twice", place.pattern);
        }
    }
}
