//! How a root is taken out of a store and put back, by the kind of place.

use std::path::Path;

use kua::chain::Certificate;

use super::container::Kind;

/// Who looks after a place, and so how it is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remedy {
    /// Android's settings.
    Android,
    /// `update-ca-trust` of Arch.
    Arch,
    /// A browser's policy, which an administrator writes.
    BrowserPolicy,
    /// NSS's own program.
    Certutil,
    /// Chromium's settings.
    Chromium,
    /// `update-ca-certificates` of Debian and Alpine.
    Debian,
    /// A variable of the environment or a setting that names the store.
    Environment,
    /// `update-ca-trust` of Fedora.
    Fedora,
    /// A file that somebody asked about.
    File,
    /// Firefox's settings.
    Firefox,
    /// `certctl` of FreeBSD.
    FreeBsd,
    /// The system makes it from other places.
    Generated,
    /// A keystore that the system makes from other places; `keytool` can change it.
    GeneratedJava,
    /// `keytool`.
    Java,
    /// macOS's keychains.
    MacOs,
    /// `update-ca-certificates` of SUSE.
    Suse,
    /// Thunderbird's settings.
    Thunderbird,
    /// p11-kit's `trust`.
    TrustAnchor,
    /// Windows' `certutil`.
    Windows,
}

impl Remedy {
    /// Whether the system makes the place from others, so that it changes with them.
    pub fn is_generated(self) -> bool {
        matches!(self, Self::Generated | Self::GeneratedJava)
    }

    /// How a store of a kind is changed that somebody asked about.
    pub fn of_asked(kind: Kind) -> Self {
        match kind {
            Kind::Jks | Kind::Pkcs12 => Self::Java,
            Kind::Nss => Self::Certutil,
            Kind::Der | Kind::Directory | Kind::Pem | Kind::System | Kind::Windows => Self::File,
        }
    }
}

/// What to type or where to click, a step a line. Commands begin with `$ `.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Steps {
    /// Takes the root out, with a copy kept.
    pub take_out: Vec<String>,
    /// Puts it back.
    pub put_back: Vec<String>,
}

/// The steps for `certificate`, called `label` in the store at `path`. None for a place that a
/// system makes from others, and where a foreign name does not belong in a command.
pub fn steps(remedy: Remedy, path: &str, label: &str, certificate: &Certificate) -> Option<Steps> {
    let copy = format!("{}.pem", &certificate.fingerprint().to_string()[..16]);
    let sha1 = certificate.sha1();
    let steps = match remedy {
        Remedy::Generated => return None,
        Remedy::Debian => moved(path, label, "update-ca-certificates --fresh")?,
        Remedy::Suse => moved(path, label, "update-ca-certificates")?,
        Remedy::Arch | Remedy::Fedora => moved(path, label, "update-ca-trust")?,
        Remedy::FreeBsd => moved(path, label, "certctl rehash")?,
        Remedy::TrustAnchor => {
            let file = quoted(path)?;
            Steps {
                take_out: vec![format!("$ cp -i {file} ~/"), format!("$ sudo trust anchor --remove {file}")],
                put_back: vec![format!("$ sudo trust anchor {}", in_home(path)?)],
            }
        }
        Remedy::File => {
            let file = quoted(path)?;
            Steps {
                take_out: vec![format!(
                    "if a program reads {file}: keep a copy, and take the certificate out of it"
                )],
                put_back: vec![format!("put the copy back to {file}")],
            }
        }
        Remedy::GeneratedJava | Remedy::Java => keytool(path, label, &copy)?,
        Remedy::Certutil => certutil(path, label, &copy)?,
        Remedy::Firefox | Remedy::Thunderbird | Remedy::Chromium => {
            let menu = menu(remedy);
            let Steps { mut take_out, mut put_back } = certutil(path, label, &copy)?;
            take_out.insert(0, format!("in the program: {menu}: Export, then Delete or Distrust"));
            take_out.insert(1, "or, while the program does not run:".into());
            put_back.insert(0, format!("in the program: {menu}: Import the file"));
            put_back.insert(1, "or, while the program does not run:".into());
            Steps { take_out, put_back }
        }
        Remedy::BrowserPolicy => Steps {
            take_out: vec![format!("an administrator set it in {}; ask them, or take it out there", quoted(path)?)],
            put_back: vec![format!("put the entry back into {}", quoted(path)?)],
        },
        Remedy::Environment => Steps {
            take_out: vec![format!("take {label} out where it is set (your shell's start files, the service, or the file named), and start the program again")],
            put_back: vec![format!("set {label} to {} again", quoted(path)?)],
        },
        Remedy::Android => Steps {
            take_out: vec!["Settings > Security > Encryption & credentials > Trusted credentials: tab User to remove it, tab System to turn it off (the names differ by maker)".into()],
            put_back: vec!["Settings > Security > Encryption & credentials > Install a certificate, or turn it on again in Trusted credentials".into()],
        },
        Remedy::MacOs => {
            let keychain = quoted(path)?;
            Steps {
                take_out: vec![
                    format!("$ security find-certificate -a -Z -p {keychain} > ~/keychain.txt"),
                    format!("$ sudo security delete-certificate -Z {} {keychain}", sha1.to_uppercase()),
                ],
                put_back: vec![format!("with its part of ~/keychain.txt as {copy}: sudo security add-trusted-cert -d -r trustRoot -k {keychain} {copy}")],
            }
        }
        Remedy::Windows => {
            let user = if path.starts_with("HKCU") { "-user " } else { "" };
            Steps {
                take_out: vec![
                    format!("$ certutil {user}-store Root {sha1} {copy}"),
                    format!("$ certutil {user}-delstore Root {sha1}"),
                ],
                put_back: vec![format!("$ certutil {user}-addstore Root {copy}")],
            }
        }
    };
    Some(steps)
}

/// A file of a directory: moved to the home and back.
fn moved(directory: &str, file: &str, update: &str) -> Option<Steps> {
    let from = quoted(&format!("{directory}/{file}"))?;
    let (to, copy) = (quoted(directory)?, in_home(file)?);
    let into = Path::new(file).parent().filter(|parent| !parent.as_os_str().is_empty());
    let to = match into {
        Some(_) => from.clone(),
        None => format!("{to}/"),
    };
    Some(Steps {
        take_out: vec![format!("$ sudo mv -i {from} ~/"), format!("$ sudo {update}")],
        put_back: vec![
            format!("$ sudo mv {copy} {to}"),
            format!("$ sudo {}", update.trim_end_matches(" --fresh")),
        ],
    })
}

fn keytool(path: &str, alias: &str, copy: &str) -> Option<Steps> {
    let (keystore, alias) = (quoted(path)?, quoted(alias)?);
    let common = format!("-alias {alias} -keystore {keystore} -storepass changeit");
    Some(Steps {
        take_out: vec![
            format!("$ keytool -exportcert -rfc -file {copy} {common}"),
            format!("$ sudo keytool -delete {common}"),
        ],
        put_back: vec![format!("$ sudo keytool -importcert -noprompt -file {copy} {common}")],
    })
}

fn certutil(path: &str, nickname: &str, copy: &str) -> Option<Steps> {
    let directory = Path::new(path).parent()?.to_str()?;
    let (database, nickname) = (quoted(&format!("sql:{directory}"))?, quoted(nickname)?);
    Some(Steps {
        take_out: vec![
            format!("$ certutil -L -a -d {database} -n {nickname} > {copy}"),
            format!("$ certutil -D -d {database} -n {nickname}"),
        ],
        put_back: vec![format!("$ certutil -A -d {database} -n {nickname} -t C,, -i {copy}")],
    })
}

fn menu(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::Thunderbird => {
            "Settings > Privacy & Security > Certificates > Manage Certificates > Authorities"
        }
        Remedy::Chromium => "chrome://certificate-manager > Custom",
        _ => "Settings > Privacy & Security > View Certificates > Authorities",
    }
}

/// The file of that name in the home, as a shell reads it.
fn in_home(path: &str) -> Option<String> {
    let name = Path::new(path).file_name()?.to_str()?;
    Some(format!("~/{}", quoted(name)?))
}

/// A word for a shell. Foreign names must not become commands, nor drive a terminal.
fn quoted(word: &str) -> Option<String> {
    if word.is_empty() || word.chars().any(char::is_control) {
        return None;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:~+,=@%".contains(c);
    if word.chars().all(plain) && !word.starts_with(['-', '~']) {
        return Some(word.to_owned());
    }
    Some(format!("'{}'", word.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use kua_mint::Authority;

    use super::*;

    #[test]
    fn foreign_names_become_no_commands() {
        for (word, expected) in [
            ("mkcert-root.pem", Some("mkcert-root.pem")),
            ("My Root", Some("'My Root'")),
            ("x; rm -rf ~", Some("'x; rm -rf ~'")),
            ("$(id)", Some("'$(id)'")),
            ("it's", Some(r"'it'\''s'")),
            ("-rf", Some("'-rf'")),
            ("~/x", Some("'~/x'")),
            ("a\nb", None),
            ("\u{1b}[2J", None),
            ("", None),
        ] {
            assert_eq!(quoted(word).as_deref(), expected, "{word:?}");
        }
    }

    #[test]
    fn every_place_but_a_generated_one_can_be_changed_and_changed_back() {
        let certificate = Certificate::from_bytes(&Authority::root("Root").certificate).unwrap();
        for place in super::super::places::PLACES {
            let steps = steps(place.remedy, "/a/cert9.db", "root.crt", &certificate);
            assert_eq!(steps.is_none(), place.remedy == Remedy::Generated, "{}", place.pattern);
            let whole = |steps: Steps| !steps.take_out.is_empty() && !steps.put_back.is_empty();
            assert!(steps.is_none_or(whole), "{}", place.pattern);
        }
    }

    #[test]
    fn exact_words() {
        let certificate = Certificate::from_bytes(&Authority::root("Root").certificate).unwrap();
        let debian = steps(
            Remedy::Debian,
            "/usr/local/share/ca-certificates",
            "corp/My Root.crt",
            &certificate,
        );
        let debian = debian.unwrap();
        assert_eq!(
            debian.take_out[0],
            "$ sudo mv -i '/usr/local/share/ca-certificates/corp/My Root.crt' ~/"
        );
        assert_eq!(
            debian.put_back[0],
            "$ sudo mv ~/'My Root.crt' '/usr/local/share/ca-certificates/corp/My Root.crt'"
        );
        let nss =
            steps(Remedy::Certutil, "/home/a/.pki/nssdb/cert9.db", "root", &certificate).unwrap();
        assert_eq!(nss.take_out[1], "$ certutil -D -d sql:/home/a/.pki/nssdb -n root");
        assert_eq!(steps(Remedy::Java, "/cacerts", "a\nb", &certificate), None);
    }
}
