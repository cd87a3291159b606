//! Who may import whom, in `src/` and among the crates; read from the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kua_tests::{files_below, repository};

/// The rooms of `src/` and what each may use besides itself.
const ROOMS: &[(&str, &[&str])] = &[
    ("chain", &[]),
    ("moment", &[]),
    ("tlog", &[]),
    ("submission", &["moment", "tlog"]),
    ("family", &["chain"]),
    ("forgery", &["chain"]),
    ("signature", &["chain"]),
    ("ct", &["chain"]),
    ("path", &["chain", "signature"]),
    ("blocklist", &["chain"]),
    ("trust", &["blocklist", "chain", "ct"]),
    ("measurement", &["chain"]),
    ("wire", &["chain", "measurement"]),
    ("intake", &["chain", "measurement", "signature", "wire"]),
    ("reference", &["blocklist", "chain", "ct", "family", "forgery", "path", "signature", "trust"]),
    ("memory", &["chain", "ct", "path", "reference", "trust"]),
    ("sighting", &["chain", "measurement", "memory", "path", "reference", "trust"]),
    ("control", &["chain", "ct", "measurement", "path", "reference", "sighting"]),
    ("browser", &["blocklist", "chain", "ct", "path", "reference", "trust"]),
    ("surroundings", &["chain", "control", "measurement", "memory", "reference", "sighting"]),
    (
        "detect",
        &[
            "blocklist",
            "chain",
            "control",
            "ct",
            "forgery",
            "measurement",
            "memory",
            "moment",
            "path",
            "reference",
            "sighting",
            "signature",
            "surroundings",
            "trust",
        ],
    ),
    ("attribution", &["detect", "path", "reference"]),
    (
        "verdict",
        &[
            "attribution",
            "browser",
            "chain",
            "detect",
            "measurement",
            "memory",
            "moment",
            "path",
            "reference",
            "surroundings",
            "trust",
        ],
    ),
    (
        "campaign",
        &[
            "attribution",
            "browser",
            "chain",
            "detect",
            "measurement",
            "moment",
            "path",
            "reference",
            "verdict",
        ],
    ),
];

/// The crates and what each may depend on, tests aside.
const CRATES: &[(&str, &[&str])] = &[
    ("kua", &[]),
    ("kua-mint", &[]),
    ("kua-lab", &["kua-mint"]),
    ("kua-console", &["kua"]),
    ("kua-probes", &["kua", "kua-certs", "kua-console"]),
    ("kua-archive", &["kua"]),
    ("kua-query", &["kua-archive"]),
    ("kua-cluster", &["kua-archive", "kua-console", "kua-query"]),
    ("kua-collector", &["kua", "kua-archive", "kua-console", "kua-query"]),
    ("kua-auditor", &["kua", "kua-archive", "kua-collector", "kua-console", "kua-query"]),
    ("kua-certs", &[]),
];

/// What the pure library never does: input, output, clocks, threads, async.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::io",
    "std::net::Tcp",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant",
    "now_utc",
    "std::env::",
    "println!",
    "tokio",
];

#[test]
fn rooms_of_the_library() {
    let violations = room_violations(&repository().join("src"));
    assert_eq!(violations, Vec::<String>::new());
}

#[test]
fn the_library_is_pure() {
    for file in files_below(&repository().join("src"), &[".rs"]) {
        let text = code(&std::fs::read_to_string(&file).unwrap());
        for word in IMPURE {
            assert!(!text.contains(word), "{} uses {word}", file.display());
        }
    }
}

#[test]
fn crates() {
    let allowed: BTreeMap<_, _> = CRATES.iter().copied().collect();
    let root = repository();
    let folders = [
        "",
        "archive",
        "auditor",
        "certs",
        "cluster",
        "collector",
        "console",
        "lab",
        "mint",
        "probes",
        "query",
    ];
    for folder in folders {
        let text = std::fs::read_to_string(root.join(folder).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        let name = manifest["package"]["name"].as_str().unwrap();
        let dependencies = manifest["dependencies"].as_table().unwrap();
        for dependency in dependencies.keys().filter(|name| name.starts_with("kua")) {
            assert!(allowed[name].contains(&dependency.as_str()), "{name} imports {dependency}");
        }
    }
}

/// The test above can fail: it finds the one forbidden import of a small library.
#[test]
fn a_forbidden_import_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("chain.rs", "use crate::verdict::judge;\n");
    write(
        "trust.rs",
        "use crate::chain::Chain;\n#[cfg(test)]\nmod tests { use crate::verdict; }\n",
    );
    assert_eq!(room_violations(dir.path()), ["chain imports verdict"]);
}

fn room_violations(source: &Path) -> Vec<String> {
    let allowed: BTreeMap<_, _> = ROOMS.iter().copied().collect();
    let mut violations = BTreeSet::new();
    for file in files_below(source, &[".rs"]) {
        let below = file.strip_prefix(source).unwrap().to_string_lossy().into_owned();
        let room = below.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        // Tables and benches of tests may reach up.
        let of_tests = ["/tests.rs", "/testing.rs"].iter().any(|ending| below.ends_with(ending));
        if room == "lib" || of_tests || below.contains("/tests/") {
            continue;
        }
        let text = code(&std::fs::read_to_string(&file).unwrap());
        for import in text.split("crate::").skip(1) {
            let used: String =
                import.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let known = allowed.get(room.as_str()).unwrap_or_else(|| panic!("{room} is no room"));
            if used != room && !known.contains(&used.as_str()) {
                violations.insert(format!("{room} imports {used}"));
            }
        }
    }
    violations.into_iter().collect()
}

/// The file without its tests and without comments.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}
