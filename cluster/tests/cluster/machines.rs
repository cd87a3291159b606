//! Schedulers and executors as processes, which end with the test that started them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use kua_tests::wait_for;

use crate::archive::Place;

/// How long anything here may take before the test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);

/// A process.
pub(crate) struct Machine {
    process: Child,
    pub(crate) address: String,
    pub(crate) work: tempfile::TempDir,
    log: PathBuf,
}

/// A scheduler and its executors.
pub(crate) struct Cluster {
    pub(crate) scheduler: Machine,
    pub(crate) executors: Vec<Machine>,
}

impl Cluster {
    /// Of so many executors with one core each, all of which have registered.
    pub(crate) fn start(place: &Place, executors: usize) -> Self {
        let scheduler = Machine::scheduler(place);
        let executors = (0..executors).map(|_| Machine::executor(&scheduler, place, &[])).collect();
        let cluster = Self { scheduler, executors };
        for executor in &cluster.executors {
            executor.registered();
        }
        cluster
    }

    pub(crate) fn address(&self) -> &str {
        &self.scheduler.address
    }
}

/// The program.
pub(crate) fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_kua-cluster"))
}

/// Runs it to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    command().args(arguments).stdin(Stdio::null()).output().unwrap()
}

impl Machine {
    pub(crate) fn scheduler(place: &Place) -> Self {
        let port = two_free_ports();
        let address = format!("127.0.0.1:{port}");
        let arguments = ["scheduler", "--listen", &address].map(str::to_owned);
        let scheduler = Self::start(&address, place.environment.clone(), &arguments);
        assert!(wait_for(port), "the scheduler listens: {}", scheduler.said());
        scheduler
    }

    /// One core; `more` comes last in its environment.
    pub(crate) fn executor(
        scheduler: &Self,
        place: &Place,
        more: &[(&'static str, String)],
    ) -> Self {
        let address = format!("127.0.0.1:{}", two_free_ports());
        let arguments = ["executor", "--scheduler", &scheduler.address, "--listen", &address];
        let bounds = ["--cores", "1", "--memory", "512M"];
        let arguments: Vec<_> = arguments.into_iter().chain(bounds).map(str::to_owned).collect();
        let environment = place.environment.iter().chain(more).cloned().collect();
        Self::start(&address, environment, &arguments)
    }

    fn start(
        address: &str,
        environment: Vec<(&'static str, String)>,
        arguments: &[String],
    ) -> Self {
        let work = tempfile::tempdir().unwrap();
        let log = work.path().join("said");
        let mut command = command();
        command.args(arguments).envs(environment).stdin(Stdio::null()).stdout(Stdio::null());
        if arguments[0] == "executor" {
            command.arg("--work-dir").arg(work.path());
        }
        let process = command.stderr(std::fs::File::create(&log).unwrap()).spawn().unwrap();
        Self { process, address: address.to_owned(), work, log }
    }

    /// Waits until its own directory is there and its data port answers.
    fn registered(&self) {
        let port = self.address.rsplit(':').next().unwrap().parse().unwrap();
        assert!(wait_for(port), "the executor listens: {}", self.said());
    }

    /// Waits until it has begun to write what comes of this step of a query.
    pub(crate) fn works_on(&self, step: u32) -> bool {
        let begun = |query: PathBuf| query.join(step.to_string()).is_dir();
        until(|| directories(&self.own()?).any(begun).then_some(())).is_some()
    }

    /// Its own directory.
    pub(crate) fn own(&self) -> Option<PathBuf> {
        directories(self.work.path()).next()
    }

    /// What it said on standard error.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// At once, without a word.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Asks it to end, and gives its exit code.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.ended()
    }

    /// Waits for its end; `None` where it has no exit code.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        until(|| self.process.try_wait().unwrap()).expect("it ends").code()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn directories(parent: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir())
}

/// Asks again and again until there is something, or the patience is over.
pub(crate) fn until<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(found) = ask() {
            return Some(found);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

/// A free port whose successor is free too.
fn two_free_ports() -> u16 {
    let free = |port| std::net::TcpListener::bind(("127.0.0.1", port)).ok();
    let mut tries = (0..100).filter_map(|_| {
        let first = free(0)?;
        let port = first.local_addr().unwrap().port();
        free(port.checked_add(1)?).map(|_| port)
    });
    tries.next().expect("loopback has two ports in a row")
}
