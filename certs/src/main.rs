//! `build PACKAGES CERTS` writes the root programs and block lists from unpacked packages into
//! `certs/`; `logs FILE` prints what a downloaded list of Certificate Transparency logs becomes
//! there.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

fn main() -> io::Result<()> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut out = BufWriter::new(io::stdout().lock());
    match arguments.as_slice() {
        [command, packages, certs] if command == "build" => {
            build(packages.as_ref(), certs.as_ref())?;
        }
        [command, file] if command == "logs" => out.write_all(logs(file)?.as_bytes())?,
        _ => return Err(io::Error::other("usage: kua-certs build PACKAGES CERTS | logs FILE")),
    }
    out.flush()
}

fn logs(file: &OsStr) -> io::Result<String> {
    let list = kua_certs::reports::logs::from_bytes(&fs::read(file)?);
    Ok(list.map_err(io::Error::other)?.toml())
}

/// Writes nothing before all is read, so that a broken package changes no file.
fn build(packages: &Path, certs: &Path) -> io::Result<()> {
    for (path, text) in kua_certs::assemble::files(packages, certs)? {
        let path = certs.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, text)?;
    }
    Ok(())
}
