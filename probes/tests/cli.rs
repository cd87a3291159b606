//! `kua` word for word: what it says, where it says it, and how it ends.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../src/loopback.rs"]
#[allow(dead_code, reason = "shared with the unit tests")]
mod loopback;

mod said;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use kua_mint::{Authority, NOW, Template, pem};
use loopback::{Site, answers, peer, resolver};
use said::said;
use tempfile::TempDir;

/// A network with one public authority, one known interceptor and a few sites.
struct World {
    folder: TempDir,
    routes: Vec<String>,
    public: Authority,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let public = Authority::root("Public Root");
        let state = Authority::root("State Root");
        let issuing = public.intermediate("Public Issuing");
        let write = |path: &str, text: String| {
            let path = folder.path().join("reference").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let root = pem(&public.certificate);
        write("stores/test.pem", format!("# program: Test\n# date: 2025-10-01\n{root}"));
        let key = BASE64.encode(&state.key.spki());
        write(
            "interceptors/xx-state.toml",
            format!(
                "id = \"xx-state\"\ntitle = \"The state of XX\"\ncountry = \"XX\"\nactor = \"state\"\n\
                 [[key]]\nsubject = \"CN=State Root\"\npublic_key = \"{key}\"\n"
            ),
        );

        let genuine = issuing.leaf("genuine.example");
        let forged = state.leaf("forged.example");
        let unknown = Authority::root("Nobody").leaf("unknown.example");
        let expired = Template::leaf(&["expired.example"]).valid(NOW - 9_000, NOW - 8_000);
        let expired = issuing.leaf_with(&genuine.key, expired);
        let issuing = issuing.certificate.as_slice();
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let reset = peer(|stream| {
            stream.peek(&mut [0; 1]).unwrap();
        });
        let routes = [
            ("genuine.example", Site::new(&[&genuine.certificate, issuing], &genuine.key).serve()),
            ("forged.example", Site::new(&[&forged.certificate], &forged.key).serve()),
            ("unknown.example", Site::new(&[&unknown.certificate], &unknown.key).serve()),
            ("expired.example", Site::new(&[&expired.certificate, issuing], &expired.key).serve()),
            ("http.example", answers(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())),
            ("reset.example", reset),
            ("closed.example", closed),
        ];
        let routes = routes.map(|(host, endpoint)| format!("{host}:443:{endpoint}"));
        Self { folder, routes: routes.into(), public }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn probe(&self, arguments: &[&str]) -> Command {
        let mut command = kua(&["probe", "--timeout", "5", "--reference", &self.path("reference")]);
        command.args(arguments);
        for route in &self.routes {
            command.args(["--connect-to", route]);
        }
        command
    }
}

fn kua(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kua"));
    command.args(arguments).env("KUA_NOW", "2025-10-09T08:53:20Z").env_remove("NO_COLOR");
    command.stdin(Stdio::null());
    command
}

macro_rules! assert_says {
    ($name:expr, $output:expr) => {
        insta::with_settings!({
            filters => vec![
                (r"127\.0\.0\.1:\d{5}", "127.0.0.1:PORT0"),
                (r"[0-9a-f]{64}", "SHA256"),
                (r"[0-9a-f]{40}", "KEY_ID"),
                (r#"/[^\s":]*/(\w+\.toml|records)"#, "DIR/$1"),
            ],
            omit_expression => true,
        }, {
            insta::assert_snapshot!($name, said(&$output));
        });
    };
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

#[test]
fn help_and_version() {
    assert_says!("help", run(&mut kua(&["--help"])));
    assert_says!("probe_help", run(&mut kua(&["probe", "--help"])));
    assert_says!("version", run(&mut kua(&["--version"])));
}

/// One certificate for three sites: the first is judged beside those that came after it.
#[test]
fn a_site_is_judged_beside_the_others_of_the_run() {
    let mut world = World::new();
    let router = Authority::root("Router").leaf("login.example");
    let site = Site::new(&[&router.certificate], &router.key).serve();
    let names = ["a.example", "b.example", "c.example"];
    world.routes = names.map(|name| format!("{name}:443:{site}")).to_vec();
    let options = ["--format", "json", "--concurrency", "1"];
    let output = run(&mut world.probe(&[&options[..], &names].concat()));
    let judged = String::from_utf8(output.stdout).unwrap();
    assert_eq!(judged.lines().count(), 3, "{judged}");
    for line in judged.lines() {
        assert!(line.contains(r#""detector":"one-chain-for-all""#), "{line}");
        assert!(line.contains(r#""verdict":"anomaly""#), "{line}");
    }
}

#[test]
fn bad_command_lines() {
    for (name, arguments) in [
        ("bad_connect_to", &["probe", "--connect-to", "a:b", "example.org"]),
        ("bad_resolver", &["probe", "--resolver", "quic://192.0.2.1", "example.org"]),
        ("bad_vantage", &["probe", "--cc", "Kazakhstan", "example.org"]),
        ("bad_fail_on", &["probe", "--fail-on", "maybe", "example.org"]),
    ] {
        assert_says!(name, run(&mut kua(arguments)));
    }
    assert_says!("bad_target", run(&mut kua(&["probe", "ftp://example.org"])));
    assert_says!("both_families", run(&mut kua(&["probe", "-4", "-6", "example.org"])));
}

#[test]
fn bad_suites() {
    let world = World::new();
    let file = world.path("bad.toml");
    std::fs::write(&file, "name = \"x\"\ntitle = 1\n").unwrap();
    assert_says!("bad_suite", run(&mut kua(&["probe", "--suite", &file])));
    assert_says!("unknown_suite", run(&mut kua(&["probe", "--suite", "kz-1991"])));
    assert_says!("suite_with_a_warning", run(&mut kua(&["probe", "--suite", "kz-2021"])));
}

#[test]
fn bad_inputs_and_outputs() {
    let world = World::new();
    let missing = world.path("missing.toml");
    assert_says!("missing_control", run(&mut world.probe(&["--control", &missing, "a.example"])));
    assert_says!("empty_control", run(&mut world.probe(&["--control", "-", "a.example"])));
    let nowhere = world.path("missing/records");
    assert_says!("bad_out", run(&mut world.probe(&["--out", &nowhere, "genuine.example"])));
    let mut no_time = world.probe(&["genuine.example"]);
    assert_says!("bad_time", run(no_time.env("KUA_NOW", "yesterday")));
    let both = ["--out", "-", "--format", "json", "genuine.example"];
    assert_says!("two_data_on_stdout", run(&mut world.probe(&both)));
}

const SITES: [&str; 7] = [
    "genuine.example",
    "forged.example",
    "unknown.example",
    "expired.example",
    "http.example",
    "reset.example",
    "closed.example",
];

#[test]
fn a_run_in_text() {
    let world = World::new();
    assert_says!("text", run(&mut world.probe(&SITES)));
    assert_says!("text_normal", run(&mut world.probe(&["genuine.example"])));
    let in_order = ["-v", "--concurrency", "1", "genuine.example", "forged.example"];
    assert_says!("text_verbose", run(&mut world.probe(&in_order)));
}

/// A root that somebody added to this machine, by the way that OpenSSL reads, is told as one.
#[test]
fn a_root_that_this_machine_trusts() {
    let world = World::new();
    let (added, folder) = (Authority::root("Added Root"), world.path("added.pem"));
    std::fs::write(&folder, pem(&added.certificate)).unwrap();
    let leaf = added.leaf("added.example");
    let site = Site::new(&[&leaf.certificate], &leaf.key).serve();
    let route = format!("added.example:443:{site}");
    let verdict = |bundle: &str| {
        let mut command = world.probe(&["--connect-to", &route, "--format", "json"]);
        let output = command.arg("added.example").env("SSL_CERT_FILE", bundle).output().unwrap();
        let judged: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (judged["verdict"].clone(), judged["actor"].clone(), judged["basis"].clone())
    };
    assert_eq!(
        verdict(&folder),
        ("intercepted".into(), "local".into(), serde_json::json!(["local-store"]))
    );
    let unknown = ("anomaly".into(), serde_json::Value::Null, serde_json::json!([]));
    assert_eq!(verdict(&world.path("absent.pem")), unknown);
}

#[test]
fn a_run_in_json() {
    let world = World::new();
    let arguments = [&["--format", "json", "--concurrency", "1"], SITES.as_slice()].concat();
    let vantage = ["--cc", "kz", "--asn", "AS9198", "--network", "Example Net"];
    assert_says!("json", run(world.probe(&arguments).args(vantage)));
}

#[test]
fn a_level_can_fail_a_run() {
    let world = World::new();
    for (site, level, code) in [
        ("forged.example", "confirmed", 3),
        ("unknown.example", "possible", 3),
        ("unknown.example", "probable", 0),
        ("genuine.example", "possible", 0),
        ("closed.example", "possible", 0),
    ] {
        let output = run(&mut world.probe(&["--fail-on", level, site]));
        assert_eq!(output.status.code(), Some(code), "{site} {level}: {}", said(&output));
    }
}

#[test]
fn records_are_appended_and_serve_as_a_control() {
    let world = World::new();
    let records = world.path("records");
    let arguments = [&["--out", &records], SITES.as_slice()].concat();
    for runs in 1..=2 {
        assert!(run(&mut world.probe(&arguments)).status.success());
        let lines = std::fs::read_to_string(&records).unwrap();
        let read = lines.lines().map(|line| kua::wire::from_line(line.as_bytes()).unwrap());
        assert_eq!(read.count(), SITES.len() * runs);
        assert!(lines.ends_with('\n'));
    }
    let same = ["--control", &records, "unknown.example", "genuine.example"];
    assert_says!("text_control", run(&mut world.probe(&same)));

    std::fs::write(world.path("records"), "nonsense\n\n{}\n").unwrap();
    let same = ["--control", &records, "unknown.example"];
    assert_says!("control_without_a_measurement", run(&mut world.probe(&same)));
}

#[test]
fn records_on_standard_output_are_alone_there() {
    let world = World::new();
    let output = run(&mut world.probe(&["--out", "-", "genuine.example", "closed.example"]));
    let lines: Vec<_> = output.stdout.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), 2, "{}", said(&output));
    for line in lines {
        let seen = kua::wire::from_line(line).unwrap();
        assert_eq!(seen.annotations["address_family"], "ipv4");
        assert_eq!(seen.started.unwrap().unix_timestamp(), NOW);
    }
    assert!(output.stderr.is_empty(), "{}", said(&output));
}

#[test]
fn names_are_looked_up() {
    let world = World::new();
    let leaf = world.public.leaf("here.example");
    let port = Site::new(&[&leaf.certificate], &leaf.key).serve().port();
    let server = format!("udp://{}", resolver());
    let target = format!("here.example:{port}");
    let arguments = ["-4", "--resolver", &server, &target, "nxdomain.example"];
    assert_says!("text_resolved", run(&mut world.probe(&arguments)));
}

#[cfg(unix)]
#[test]
fn interruptions() {
    let world = World::new();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let route = format!("::{}", silent.local_addr().unwrap());
    let sites = ["a.example", "b.example", "c.example"];
    for (name, seconds, signals) in [("interrupted", "1", 1), ("interrupted_twice", "60", 2)] {
        let began = Instant::now();
        let mut command = kua(&["probe", "--concurrency", "1", "--timeout", seconds]);
        command.args(["--reference", &world.path("reference"), "--connect-to", &route]).args(sites);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The first site has begun when its connection is there.
        let _first = silent.accept().unwrap();
        for _ in 0..signals {
            let id = child.id().to_string();
            assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
            std::thread::sleep(Duration::from_millis(300));
        }
        assert_says!(name, child.wait_with_output().unwrap());
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let world = World::new();
    let mut child = world
        .probe(&["--format", "json", "genuine.example"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
    assert!(Path::new(&world.path("reference")).exists());
}
