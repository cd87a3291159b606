//! `kua roots` word for word, on a machine made for the test and with stores of real programs.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

#[path = "../src/machine/testing.rs"]
mod testing;

mod said;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use data_encoding::BASE64;
use kua::chain::Chain;
use kua::measurement::{Handshake, Measurement, Vantage};
use kua_mint::{Authority, Key, NOW, Template, name, pem};
use said::said;
use tempfile::TempDir;
use testing::{DISTRUSTS, TRUSTS, database, keystore};

/// A machine with roots of every kind, and reference data that knows some.
struct World {
    folder: TempDir,
    public: Authority,
    state: Authority,
    employer: Authority,
}

const ADDED: &str = "machine/usr/local/share/ca-certificates";

impl World {
    fn new() -> Self {
        let root = |common_name: &str| {
            let subject = name(&[("C", "QZ"), ("CN", common_name)]);
            Authority::root_with(Key::ecdsa_p256(), Template::authority(&subject))
        };
        let world = Self {
            folder: tempfile::tempdir().unwrap(),
            public: root("Public Root"),
            state: root("State Root"),
            employer: root("Employer Root"),
        };
        let public = pem(&world.public.certificate);
        let head = "# program: Test\n# date: 2025-10-01\n";
        world.write("reference/stores/test.pem", format!("{head}{public}"));
        world
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        let written = UNIX_EPOCH + Duration::from_secs(u64::try_from(NOW - 9 * 86_400).unwrap());
        File::options().write(true).open(path).unwrap().set_modified(written).unwrap();
    }

    fn dossier(&self, id: &str, title: &str, actor: &str, conduct: &str, root: &Authority) {
        let key = BASE64.encode(&root.key.spki());
        let subject = kua::chain::name::Name::from_der(&root.name).unwrap();
        let role = if actor == "local" { "planted-root" } else { "interception-authority" };
        let text = format!(
            "id = \"{id}\"\ntitle = \"{title}\"\ncountry = \"QZ\"\nactor = \"{actor}\"\n\
             conduct = \"{conduct}\"\n[[key]]\nsubject = \"{subject}\"\nrole = \"{role}\"\n\
             public_key = \"{key}\"\n"
        );
        self.write(&format!("reference/interceptors/{id}.toml"), text);
    }

    /// Reference and stores with everything that a page tells of.
    fn furnish(&self) {
        let made = |common_name: &str| {
            let subject = name(&[("C", "QZ"), ("CN", common_name)]);
            Authority::root_with(Key::ecdsa_p256(), Template::authority(&subject))
        };
        let (shared, could) = (made("Shared Root"), made("Ministry Root"));
        let namesake = made("State Root").certificate;
        let leaf = self.employer.leaf("printer.example").certificate;
        let middle = self.state.intermediate("State Middle").certificate;
        self.dossier("qz-state", "The interception of QZ", "state", "interception", &self.state);
        self.dossier("qz-shop", "Shopping Helper", "local", "interception", &shared);
        self.dossier("qz-ministry", "The Ministry of QZ", "state", "capability", &could);
        let [public, state, employer] =
            [&self.public, &self.state, &self.employer].map(|root| root.certificate.as_slice());
        let mkcert = name(&[("O", "Vendor"), ("CN", "Shield")]);
        let mkcert = Authority::root_with(Key::ecdsa_p256(), Template::authority(&mkcert));
        self.write(
            "reference/products.toml",
            "[[product]]\nname = \"Shield\"\nclass = \"antivirus\"\nissuer_cn = 'Shield'\n",
        );

        self.write(&format!("{ADDED}/state.crt"), pem(state));
        self.write(&format!("{ADDED}/corp/employer root.crt"), pem(employer));
        self.write(&format!("{ADDED}/printer.crt"), pem(&leaf));
        let bundled = made("Old Root").certificate;
        let bundle: String = [public, state, employer, &bundled].map(pem).concat();
        self.write("machine/etc/ssl/certs/ca-certificates.crt", bundle);
        let java = keystore("changeit", &[("public", public), ("shop", &shared.certificate)]);
        self.write("machine/usr/lib/jvm/java-17/lib/security/cacerts", java);
        let firefox = database(&[
            ("Ministry Root", &could.certificate, Some(TRUSTS)),
            ("Not the State Root", &namesake, Some(TRUSTS)),
            ("Shield\u{1b}[2J", &mkcert.certificate, Some(TRUSTS)),
            ("State Middle", &middle, Some(TRUSTS)),
            ("Other", &made("Other Root").certificate, Some(DISTRUSTS)),
            ("Cached", &made("Cached Root").certificate, None),
        ]);
        let profile = "machine/home/ana/.mozilla/firefox/abc.default";
        self.write(&format!("{profile}/cert9.db"), firefox);
        let preference = "user_pref(\"security.enterprise_roots.enabled\", true);\n";
        self.write(&format!("{profile}/user.js"), preference);
        let chromium = database(&[("", state, Some(DISTRUSTS))]);
        self.write("machine/home/ana/snap/chromium/current/.pki/nssdb/cert9.db", chromium);
        self.write("machine/home/ana/.thunderbird/old/cert8.db", [0, 6, 0x15, 0x61, 0, 0, 0, 2]);
        self.write("machine/data/misc/user/0/cacerts-added/5ed36f99.0", pem(employer));
        let cut = keystore("changeit", &[("public", public)]);
        self.write("machine/etc/pki/java/cacerts", &cut[..cut.len() / 2]);
    }

    fn roots(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_kua"))
            .current_dir(self.folder.path())
            .env_clear()
            .env("KUA_NOW", "2025-10-09T08:53:20Z")
            .args(["roots", "--reference", "reference"])
            .args(arguments)
            .output()
            .unwrap()
    }

    /// What the store at `path` is told to hold, as JSON.
    fn told(&self, path: &Path) -> serde_json::Value {
        let output = self.roots(&["--store", path.to_str().unwrap(), "--format", "json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

macro_rules! assert_said {
    ($name:literal, $output:expr) => {
        let output = $output;
        let said = said(&output);
        insta::with_settings!({
            filters => vec![
                (r"[0-9a-f]{64}", "SHA256"),
                (r"\b[0-9a-f]{16}\.pem", "COPY.pem"),
                (r"\([0-9a-f]{12}\)", "(SHA256)"),
            ],
            omit_expression => true,
        }, {
            insta::assert_snapshot!($name, said);
        });
    };
}

#[test]
fn a_machine_with_roots_of_every_kind() {
    let world = World::new();
    world.furnish();
    assert_said!("machine", world.roots(&["--root", "machine"]));
    let json = world.roots(&["--root", "machine", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let groups: Vec<_> =
        value["roots"].as_array().unwrap().iter().map(|root| &root["group"]).collect();
    let expected = [
        "known-interceptor",
        "known-interceptor",
        "shared-key",
        "capability",
        "local",
        "local",
        "local",
        "single",
        "bundled",
        "distrusted",
        "held",
        "public",
    ];
    assert_eq!(groups, expected);
    assert_eq!(value["schema"], "kua.roots/1");
    let mut employer = value["roots"][4].clone();
    for hash in ["sha256", "spki_sha256"] {
        assert_eq!(employer[hash].as_str().map(str::len), Some(64));
        employer[hash] = "SHA256".into();
    }
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!("one_root", serde_json::to_string_pretty(&employer).unwrap());
    });
}

#[test]
fn a_machine_where_all_is_well() {
    let world = World::new();
    world.write("machine/etc/ssl/cert.pem", pem(&world.public.certificate));
    assert_said!("all_is_well", world.roots(&["--root", "machine"]));
    assert_said!("listed", world.roots(&["--root", "machine", "-v"]));
    fs::create_dir(world.path("empty")).unwrap();
    assert_said!("nothing", world.roots(&["--root", "empty"]));
}

/// A store that was asked for and cannot be read is a failure; the others are told all the same.
#[test]
fn stores_that_were_asked_for() {
    let world = World::new();
    world.write("root.der", &world.employer.certificate);
    let mut store = keystore("changeit", &[("public", &world.public.certificate)]);
    let within = store.len() - 60;
    store[within] ^= 1;
    world.write("changed.jks", store);
    world.write("nothing.txt", "hello");
    let asked = ["root.der", "changed.jks", "nothing.txt", "none.pem"];
    let arguments: Vec<_> = asked.iter().flat_map(|path| ["--store", path]).collect();
    assert_said!("asked", world.roots(&arguments));
    assert_eq!(world.roots(&["--store", "root.der"]).status.code(), Some(0));
    assert_said!("no_machine", world.roots(&["--root", "nowhere"]));
}

#[test]
fn what_roots_of_this_machine_signed() {
    let world = World::new();
    world.furnish();
    let middle = world.state.intermediate("State Middle");
    let seen = |authority: &Authority, name: &str, days: i64, sent: &[&[u8]]| {
        let leaf = authority.leaf(name).certificate;
        let chain = [&[leaf.as_slice()], sent].concat();
        let shaken = Handshake {
            server_name: Some(name.into()),
            chain: Some(Chain::from_der(chain).unwrap()),
            whole: true,
            unverified: true,
            ..Handshake::default()
        };
        let measurement = Measurement {
            started: time::OffsetDateTime::from_unix_timestamp(NOW - days * 86_400).ok(),
            vantage: Vantage { country: "QZ".into(), asn: 64_500, ..Vantage::default() },
            handshakes: vec![shaken],
            ..Measurement::default()
        };
        format!("{}\n", kua::wire::to_line(&measurement).trim_end())
    };
    // Firefox holds a root of the state's name with another key: it signed none of these.
    let records = [
        seen(&world.public, "genuine.example", 3, &[]),
        seen(&middle, "forged.example", 2, &[&middle.certificate]),
        seen(&world.state, "other.example", 1, &[&world.state.certificate]),
        seen(&world.employer, "forged.example", 1, &[]),
    ];
    world.write("records.jsonl", records.concat());
    let output = world.roots(&["--root", "machine", "--records", "records.jsonl"]);
    let page = String::from_utf8(output.stdout).unwrap();
    let story = page.split_once("What they signed").unwrap().1;
    let story = story.split_once("\nWhat to do").unwrap().0;
    let filters = vec![(r"\([0-9a-f]{12}\)", "(SHA256)")];
    insta::with_settings!({ filters => filters, omit_expression => true }, {
        insta::assert_snapshot!("story", story);
    });
}

/// Whether a program is there; a test without it says so.
fn has(program: &str) -> bool {
    let found =
        Command::new(program).arg("-help").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        eprintln!("skipped: no {program}");
    }
    found.is_ok()
}

fn run(program: &str, folder: &Path, arguments: &[&str]) {
    let output = Command::new(program).current_dir(folder).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
}

#[test]
fn databases_of_certutil() {
    if !has("certutil") {
        return;
    }
    let world = World::new();
    let folder = world.folder.path();
    fs::create_dir(folder.join("nss")).unwrap();
    run("certutil", folder, &["-N", "-d", "sql:nss", "--empty-password"]);
    for (nickname, flags, root) in [
        ("Trusted", "C,,", &world.employer),
        ("Distrusted", "p,p,p", &world.state),
        ("Held", ",,", &world.public),
    ] {
        world.write("root.pem", pem(&root.certificate));
        run(
            "certutil",
            folder,
            &["-A", "-d", "sql:nss", "-n", nickname, "-t", flags, "-i", "root.pem"],
        );
    }
    let before = fs::read(folder.join("nss/cert9.db")).unwrap();
    let told = world.told(Path::new("nss"));
    let mut places: Vec<_> = told["roots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|root| {
            let place = &root["places"][0];
            format!("{} {}", place["label"].as_str().unwrap(), place["trust"].as_str().unwrap())
        })
        .collect();
    places.sort();
    assert_eq!(places, ["Distrusted distrusted", "Held unsaid", "Trusted trusted"]);
    // What the page says to type does what it says.
    let employer = &told["roots"][0]["places"][0];
    for (step, left) in [("take_out", 2), ("put_back", 3)] {
        for line in employer[step].as_array().unwrap() {
            run("sh", folder, &["-c", line.as_str().unwrap().strip_prefix("$ ").unwrap()]);
        }
        assert_eq!(world.told(Path::new("nss"))["roots"].as_array().unwrap().len(), left, "{step}");
    }
    assert_ne!(before, Vec::<u8>::new());
}

#[test]
fn keystores_of_keytool() {
    if !has("keytool") {
        return;
    }
    let world = World::new();
    let folder = world.folder.path();
    world.write("root.pem", pem(&world.employer.certificate));
    for kind in ["JKS", "PKCS12", "JCEKS"] {
        let file = format!("store.{kind}");
        let common =
            ["-alias", "My Root", "-file", "root.pem", "-keystore", &file, "-storetype", kind];
        let new = ["-importcert", "-noprompt", "-storepass", "changeit"];
        run("keytool", folder, &[&new[..], &common].concat());
        let told = world.told(Path::new(&file));
        let place = &told["roots"][0]["places"][0];
        assert_eq!(place["label"].as_str().unwrap().to_lowercase(), "my root", "{kind}");
        assert_eq!(place["trust"], "trusted", "{kind}");
        assert_eq!(place["since"].is_null(), kind == "PKCS12", "only JKS keeps a date");
    }
}

#[test]
fn files_of_openssl() {
    if !has("openssl") {
        return;
    }
    let world = World::new();
    let folder = world.folder.path();
    world.write("root.pem", pem(&world.employer.certificate));
    for (case, arguments, trust) in [
        (
            "rejected",
            &["x509", "-in", "root.pem", "-addreject", "serverAuth", "-trustout"][..],
            "distrusted",
        ),
        (
            "trusted",
            &["x509", "-in", "root.pem", "-addtrust", "serverAuth", "-trustout"],
            "trusted",
        ),
        (
            "mail",
            &["x509", "-in", "root.pem", "-addtrust", "emailProtection", "-trustout"],
            "unsaid",
        ),
        ("der", &["x509", "-in", "root.pem", "-outform", "DER"], "trusted"),
        (
            "pkcs12",
            &["pkcs12", "-export", "-nokeys", "-in", "root.pem", "-passout", "pass:changeit"],
            "unsaid",
        ),
    ] {
        run("openssl", folder, &[arguments, &["-out", case]].concat());
        let told = world.told(Path::new(case));
        assert_eq!(told["roots"][0]["places"][0]["trust"], trust, "{case}");
    }
}
