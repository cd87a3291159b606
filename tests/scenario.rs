//! A site, a reference in which its root is public, and the probe's judgement of what it is shown.

use std::path::{Path, PathBuf};
use std::process::Command;

use kua_mint::{Authority, Leaf, pem};
use kua_tests::{Peer, free_port, program, tool, wait_for};
use serde_json::Value;
use tempfile::TempDir;

/// A folder for one test, with a public root of its own.
pub(crate) struct Scenario {
    pub(crate) dir: TempDir,
    pub(crate) public: Authority,
}

pub(crate) const HOST: &str = "example.com";

impl Scenario {
    pub(crate) fn new() -> Self {
        let public = Authority::root("Public Root");
        let scenario = Self { dir: tempfile::tempdir().unwrap(), public };
        scenario.write("reference/stores/public.pem", &pem(&scenario.public.certificate));
        scenario
    }

    pub(crate) fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Adds a dossier of a state that holds `spki`.
    pub(crate) fn accuse(&self, spki: &[u8]) {
        let key = data_encoding::BASE64.encode(spki);
        let dossier = format!(
            "id = \"some-state\"\ncountry = \"QZ\"\nactor = \"state\"\n\
             [[key]]\nsubject = \"CN=State Root\"\npublic_key = \"{key}\"\n"
        );
        self.write("reference/interceptors/some-state.toml", &dossier);
    }

    /// A genuine site on loopback: openssl serves the leaf and what is sent along with it.
    pub(crate) fn serve(&self, openssl: &Path, leaf: &Leaf, along: &[Vec<u8>]) -> (Peer, u16) {
        self.serve_with(openssl, leaf, along, &[])
    }

    pub(crate) fn serve_with(
        &self,
        openssl: &Path,
        leaf: &Leaf,
        along: &[Vec<u8>],
        options: &[&str],
    ) -> (Peer, u16) {
        let port = free_port();
        let certificate = self.write(&format!("{port}.pem"), &pem(&leaf.certificate));
        let key = data_encoding::BASE64.encode(&leaf.key.pkcs8());
        let key = format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n");
        let key = self.write(&format!("{port}.key"), &key);
        let along: String = along.iter().map(|der| pem(der)).collect();
        let mut command = Command::new(openssl);
        command.args(["s_server", "-quiet", "-accept", &format!("127.0.0.1:{port}"), "-cert"]);
        command.arg(certificate).arg("-key").arg(key).args(options);
        if !along.is_empty() {
            command.arg("-cert_chain").arg(self.write(&format!("{port}.along.pem"), &along));
        }
        let peer = Peer::start(&mut command);
        assert!(wait_for(port), "openssl s_server listens");
        (peer, port)
    }

    /// The judgement of what is shown on `port` for [`HOST`].
    pub(crate) fn probe(&self, port: u16, options: &[&str]) -> Value {
        let minted = time::OffsetDateTime::from_unix_timestamp(kua_mint::NOW).unwrap();
        let output = Command::new(program("kua"))
            .env("KUA_NOW", kua::moment::rfc3339(minted))
            .args(["probe", "--format", "json", "--timeout", "5", HOST, "--reference-add"])
            .arg(self.dir.path().join("reference"))
            .args(["--connect-to", &format!("{HOST}:443:127.0.0.1:{port}")])
            .args(options)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        let lines = String::from_utf8(output.stdout).unwrap();
        assert_eq!(lines.lines().count(), 1, "one judgement: {lines}{errors}");
        serde_json::from_str(&lines).unwrap()
    }
}

/// openssl, unless the machine has none.
pub(crate) fn openssl() -> Option<PathBuf> {
    let found = tool("openssl");
    if found.is_none() {
        kua_tests::skipped("no openssl");
    }
    found
}

/// Verdict, actor, level and interceptor of a judgement.
pub(crate) fn told(judgement: &Value) -> [&str; 4] {
    ["verdict", "actor", "level", "interceptor"]
        .map(|field| judgement[field].as_str().unwrap_or("-"))
}
