//! The program as people run it, with all that it prints.

use std::path::Path;
use std::process::Command;

/// Runs the program in `dir`; gives its exit code, standard output and standard error.
pub(crate) fn run(dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_kua-collector"))
        .args(arguments)
        .current_dir(dir)
        .env_remove("COLUMNS")
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let code = output.status.code().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    format!("exit {code}\n{out}--- stderr\n{err}")
}
