//! What the program says to people.

use crate::machines::run;

#[test]
fn an_address_that_others_reach_needs_a_word() {
    for command in [
        &["scheduler", "--listen", "192.0.2.1:50050"][..],
        &["executor", "--scheduler", "127.0.0.1:1", "--listen", "192.0.2.1:50060"][..],
    ] {
        let output = run(command);
        assert_eq!(output.status.code(), Some(1));
        let expected = format!(
            "error: cannot run {}\n\
             because: {} can be reached by other machines\n\
             hint: a cluster asks nobody who they are: add --trusted-network only where everybody on that \
             network may read what this machine can read\n",
            if command[0] == "scheduler" { "a scheduler" } else { "an executor" },
            command.last().unwrap(),
        );
        assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
    }
}

#[test]
fn every_address_needs_a_name() {
    let output = run(&["scheduler", "--listen", "0.0.0.0:50050", "--trusted-network"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: cannot run a scheduler\n\
         because: 0.0.0.0:50050 is every address of this machine, and others need one\n\
         hint: add --advertise with a name or address that the executors can reach\n"
    );
}

#[test]
fn an_executor_waits_for_its_scheduler_within_bounds() {
    let port = kua_tests::free_port();
    let scheduler = format!("127.0.0.1:{port}");
    let output =
        run(&["executor", "--scheduler", &scheduler, "--listen", "127.0.0.1:0", "--wait", "1"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&format!("waiting for the scheduler at {scheduler}: ")), "{said}");
    assert!(said.contains("because: the scheduler at "), "{said}");
    assert!(
        said.ends_with("hint: is it running there? kua-cluster scheduler --listen ADDR\n"),
        "{said}"
    );
}
