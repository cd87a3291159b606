//! The replay over real TLS on loopback: openssl shows each chain, `kua probe` records and judges it.

use std::path::{Path, PathBuf};
use std::process::Command;

use kua::wire;
use kua_mint::pem;
use serde_json::Value;
use tempfile::TempDir;
use time::OffsetDateTime;

use super::replay::{Replayed, Told, share};
use super::report::Section;
use super::world::World;
use crate::{Peer, free_port, program, tool, wait_for};

/// Probe and library say the same of every chain that a server can show.
pub(super) fn section(world: &World, replayed: &Replayed) -> Section {
    let title = "The same over TLS on loopback: openssl shows the chain, `kua probe` judges it";
    let mut section = Section::new(title);
    let Some(openssl) = tool("openssl") else { return section.skip("no openssl") };
    let bench = Bench::new(world, openssl);
    let (mut served, mut alike) = (0, 0);
    for told in replayed.0.iter().filter(|told| told.built.can_be_served()) {
        served += 1;
        match bench.probe(told) {
            Ok(found) if found == words(told) => alike += 1,
            Ok(found) => section.fail(format!("{}: the probe says {found:?}", told.id)),
            Err(why) => section.fail(format!("{}: {why}", told.id)),
        }
    }
    section.line(format!("judged alike          {}", share(alike, served)));
    section
}

/// Verdict, actor, level and interceptor.
fn words(told: &Told) -> [String; 4] {
    fields(&serde_json::to_value(&told.judgement).unwrap())
}

fn fields(judgement: &Value) -> [String; 4] {
    ["verdict", "actor", "level", "interceptor"]
        .map(|field| judgement[field].as_str().unwrap_or("-").to_owned())
}

struct Bench {
    dir: TempDir,
    openssl: PathBuf,
}

impl Bench {
    fn new(world: &World, openssl: PathBuf) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for file in &world.files {
            write(&dir.path().join("reference").join(&file.path), &file.bytes);
        }
        Self { dir, openssl }
    }

    /// What `kua probe` says of the chain.
    fn probe(&self, told: &Told) -> Result<[String; 4], String> {
        let built = &told.built;
        let (_peer, port) = self.serve(told)?;
        let now = OffsetDateTime::from_unix_timestamp(built.at).unwrap();
        let mut command = Command::new(program("kua"));
        command
            .env("KUA_NOW", kua::moment::rfc3339(now))
            .args(["probe", "--format", "json", "--timeout", "10", built.host, "--reference"])
            .arg(self.dir.path().join("reference"))
            .args(["--connect-to", &format!("{}:443:127.0.0.1:{port}", built.host)]);
        let clean: Vec<_> = built.clean().iter().map(wire::to_line).collect();
        if !clean.is_empty() {
            let control = self.dir.path().join(format!("{port}.control.jsonl"));
            write(&control, format!("{}\n", clean.join("\n")).as_bytes());
            command.arg("--control").arg(control);
        }
        let output = command.output().map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stdout);
        let judgement = said.lines().next().and_then(|line| serde_json::from_str(line).ok());
        let judgement: Value =
            judgement.ok_or_else(|| String::from_utf8_lossy(&output.stderr).trim().to_owned())?;
        Ok(fields(&judgement))
    }

    fn serve(&self, told: &Told) -> Result<(Peer, u16), String> {
        let sent = told.built.presented.sent();
        let port = free_port();
        let path = |ending: &str| self.dir.path().join(format!("{port}.{ending}"));
        let key = data_encoding::BASE64.encode(&told.built.presented.key.pkcs8());
        let key = format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n");
        write(&path("key"), key.as_bytes());
        write(&path("pem"), pem(&sent[0]).as_bytes());
        let mut command = Command::new(&self.openssl);
        command.args(["s_server", "-quiet", "-accept", &format!("127.0.0.1:{port}"), "-cert"]);
        command.arg(path("pem")).arg("-key").arg(path("key"));
        // openssl itself would refuse to show weak keys and SHA-1.
        command.args(["-cipher", "DEFAULT:@SECLEVEL=0"]);
        if sent.len() > 1 {
            let above: String = sent[1..].iter().map(|der| pem(der)).collect();
            write(&path("above"), above.as_bytes());
            command.arg("-cert_chain").arg(path("above"));
        }
        let peer = Peer::start(&mut command);
        if wait_for(port) { Ok((peer, port)) } else { Err("openssl does not listen".into()) }
    }
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}
