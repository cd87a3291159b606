//! OONI's own client, unchanged, hands in to our collector.

use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use kua::wire::from_line;
use kua_archive::{Archive, Place, Sender};
use kua_mint::{Authority, Key, Leaf, NOW, Template};
use kua_tests::{program, repository, skipped, tool};

use crate::scenario::{HOST, Scenario, openssl};

/// Says that the test is in its own network, and where the client is.
const INSIDE: &str = "KUA_TEST_MINIOONI";

/// The volunteer's address: a public one, because the client takes no other for its own. It is one
/// of a network that holds only this test.
const VOLUNTEER: Ipv4Addr = Ipv4Addr::new(45, 55, 0, 7);

#[test]
fn a_stock_client_hands_in() {
    if let Some(client) = std::env::var_os(INSIDE) {
        inside(&PathBuf::from(client));
        return;
    }
    let built = Command::new(repository().join("tests/miniooni/build")).output();
    let Some(built) = built.ok().filter(|built| built.status.success()) else {
        skipped("no Go");
        return;
    };
    let apart = ["--mount", "--net"];
    let may = Command::new("unshare").args(apart).arg("true").output();
    if !may.is_ok_and(|may| may.status.success()) || tool("ip").is_none() {
        skipped("may not make a network of its own");
        return;
    }
    let mut again = Command::new("unshare");
    again.args(apart).arg(std::env::current_exe().unwrap());
    again.args(["--exact", "miniooni::a_stock_client_hands_in", "--nocapture"]);
    again.env(INSIDE, String::from_utf8(built.stdout).unwrap().trim());
    assert!(again.status().unwrap().success());
}

fn inside(client: &Path) {
    let Some(openssl) = openssl() else { return };
    let scenario = Scenario::new();
    prepare_network(&scenario);
    std::thread::spawn(tell_addresses);
    // State root -> intermediate -> leaf; the client knows none of them.
    let root = Authority::root("State root");
    let between = root.intermediate("State intermediate");
    // Valid today: of one that is out of date the client would keep the leaf.
    let template = Template::leaf(&[HOST]).valid(NOW, 4_102_444_800);
    let leaf: Leaf = between.leaf_with(&Key::ecdsa_p256(), template);
    let (_site, site) = scenario.serve(&openssl, &leaf, std::slice::from_ref(&between.certificate));
    let archive = scenario.dir.path().join("archive");
    let (collector, port) = collector(&archive);

    for options in [&[][..], &["-O", "NoTLSVerify=true"]] {
        let home = scenario.dir.path().join("home");
        let run = Command::new(client)
            .args(["--yes", "--probe-services", &format!("http://{VOLUNTEER}:{port}")])
            .arg("--home")
            .arg(home)
            .arg("urlgetter")
            .args(["-i", &format!("tlshandshake://127.0.0.1:{site}")])
            .args(["-O", &format!("TLSServerName={HOST}")])
            .args(options)
            .env_clear()
            // It leaves a copy of its report where it runs.
            .current_dir(scenario.dir.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(run.status.success(), "{said}");
    }
    end(collector);

    let (mut records, mut archived) = (Vec::new(), Vec::new());
    let scanned = Archive::open(&Place::from(archive.as_path())).unwrap();
    scanned
        .scan_raw(|_, record| {
            records.push(record.clone());
            archived.push(from_line(&record.raw).unwrap());
            Ok::<_, kua_archive::ArchiveError>(())
        })
        .unwrap();
    assert_eq!(records.len(), 2);
    let handshakes: Vec<_> = archived.iter().map(|one| &one.handshakes[0]).collect();
    let chains: Vec<Vec<_>> = handshakes
        .iter()
        .map(|shaken| {
            shaken
                .chain
                .as_ref()
                .unwrap()
                .certificates()
                .iter()
                .map(kua::chain::Certificate::der)
                .collect()
        })
        .collect();
    // What OONI's client keeps of an interception: one certificate, and not the leaf.
    assert_eq!(chains[0], [between.certificate.as_slice()]);
    assert!(!handshakes[0].whole);
    assert_eq!(chains[1], [leaf.certificate.as_slice(), &between.certificate]);
    assert!(handshakes[1].whole);
    for (record, measurement) in records.iter().zip(&archived) {
        assert_eq!(measurement.software.name, "miniooni");
        assert_eq!((measurement.vantage.country.as_str(), measurement.vantage.asn), ("KZ", 9198));
        let receipt = record.receipt.as_ref().unwrap();
        assert_eq!(receipt.via.as_deref(), Some("submit_measurement"));
        assert_eq!(receipt.network, Some(Sender::Unknown), "there is no table");
        let text = String::from_utf8(record.raw.clone()).unwrap();
        assert!(!text.contains(&VOLUNTEER.to_string()), "the volunteer's address");
    }
}

/// A loopback interface with the volunteer's address, and no names but those that the client asks
/// for where it is.
fn prepare_network(scenario: &Scenario) {
    let run = |program: &str, arguments: &[&str]| {
        assert!(Command::new(program).args(arguments).status().unwrap().success(), "{program}");
    };
    run("ip", &["link", "set", "lo", "up"]);
    run("ip", &["address", "add", &format!("{VOLUNTEER}/32"), "dev", "lo"]);
    let hosts = format!("{VOLUNTEER} stun.ekiga.net stun.l.google.com\n");
    for (file, text) in
        [("/etc/hosts", hosts.as_str()), ("/etc/resolv.conf", "nameserver 127.0.0.1\n")]
    {
        let own = scenario.write(file.trim_start_matches('/'), text);
        run("mount", &["--bind", own.to_str().unwrap(), file]);
    }
}

/// Answers STUN's question (RFC 8489) which address the question came from: the volunteer's.
fn tell_addresses() {
    const COOKIE: u32 = 0x2112_a442;
    let socket = UdpSocket::bind((VOLUNTEER, 3478)).unwrap();
    let mut asked = [0; 1500];
    while let Ok((length, from)) = socket.recv_from(&mut asked) {
        if length < 20 {
            continue;
        }
        let mut answer = vec![0x01, 0x01, 0, 12];
        answer.extend_from_slice(&asked[4..20]);
        answer.extend_from_slice(&[0x00, 0x20, 0, 8, 0, 1]);
        answer.extend_from_slice(&(from.port() ^ (COOKIE >> 16) as u16).to_be_bytes());
        answer.extend_from_slice(&(u32::from(VOLUNTEER) ^ COOKIE).to_be_bytes());
        let _ = socket.send_to(&answer, from);
    }
}

fn collector(archive: &Path) -> (Child, u16) {
    let mut command = Command::new(program("kua-collector"));
    command.arg("serve").arg("--archive").arg(archive);
    // The proxy is nobody: who comes from elsewhere comes in person.
    command.args(["--listen", &format!("{VOLUNTEER}:0"), "--behind-proxy", "127.9.9.9"]);
    // Where it makes the key of its log.
    command.env("XDG_DATA_HOME", archive.parent().unwrap());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
    let line = lines.find(|line| line.as_ref().is_ok_and(|line| line.starts_with("listening")));
    let port = line.unwrap().unwrap().rsplit(':').next().unwrap().parse().unwrap();
    std::thread::spawn(move || lines.count());
    (child, port)
}

fn end(mut collector: Child) {
    let id = collector.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(collector.wait().unwrap().success());
}
