//! A real S3 server on loopback, over a folder of the test's own.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Peer, free_port, repository, skipped, wait_for};

/// The bucket that it has.
const BUCKET: &str = "kua-test";

/// Name and secret of its one account.
const ACCOUNT: (&str, &str) = ("kua", "kua-kua-kua");

/// The server; it ends with this value.
pub struct Server {
    _peer: Peer,
    _folder: tempfile::TempDir,
    port: u16,
    objects: PathBuf,
}

impl Server {
    /// Starts it; `None`, and a line that says so, where it cannot be had.
    pub fn start() -> Option<Self> {
        let Some(program) = program() else {
            skipped("no S3 server");
            return None;
        };
        let folder = tempfile::tempdir().ok()?;
        let objects = folder.path().join(BUCKET);
        std::fs::create_dir(&objects).ok()?;
        let port = free_port();
        let mut command = Command::new(program);
        command.env("ROOT_ACCESS_KEY", ACCOUNT.0).env("ROOT_SECRET_KEY", ACCOUNT.1);
        command.args(["--quiet", "--port"]).arg(format!("127.0.0.1:{port}"));
        let peer = Peer::start(command.arg("posix").arg(folder.path()));
        if !wait_for(port) {
            skipped("no S3 server: it does not listen");
            return None;
        }
        Some(Self { _peer: peer, _folder: folder, port, objects })
    }

    /// The address of an archive of this name.
    pub fn place(&self, name: &str) -> String {
        format!("s3://{BUCKET}/{name}")
    }

    /// The folder in which its objects lie.
    pub fn objects(&self) -> &Path {
        &self.objects
    }

    /// What a program's environment has to say to reach it.
    pub fn environment(&self) -> [(&'static str, String); 5] {
        [
            ("AWS_ACCESS_KEY_ID", ACCOUNT.0.into()),
            ("AWS_SECRET_ACCESS_KEY", ACCOUNT.1.into()),
            ("AWS_REGION", "us-east-1".into()),
            ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_ALLOW_HTTP", "true".into()),
        ]
    }
}

fn program() -> Option<PathBuf> {
    let output = Command::new(repository().join("tests/s3-server")).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(path.trim()))
}
