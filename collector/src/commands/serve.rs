//! `kua-collector serve`

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use kua_archive::log::default_key;
use kua_archive::{Archive, Place, Writer, settle};
use kua_collector::intake::{Certificate, Geo, Ledger, LogOptions, Options, Serving, serve};
use kua_collector::trouble::of_archive;
use kua_console::{CommonArgs, Trouble};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::say;

/// Take records from clients, and keep them
///
/// Speaks OONI's collector protocol, both flows, and answers once a record is durable. Senders'
/// addresses are never written: they are compared with what the record claims, and taken out of it.
/// SIGTERM and Ctrl-C let requests finish. docs/intake.md says what is checked, kept and bounded.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kua-collector serve --archive kz --listen 127.0.0.1:8080\n  \
    kua-collector serve --archive kz --listen 0.0.0.0:443 \\\n    \
    --tls-cert chain.pem --tls-key key.pem --geo country.mmdb --geo asn.mmdb\n  \
    kua-collector serve --archive kz --listen 10.0.0.5:8080 --behind-proxy 10.0.0.2")]
pub(crate) struct Serve {
    /// The archive: a directory or s3://BUCKET/PREFIX; made if absent
    #[arg(long, value_name = "PLACE")]
    archive: Place,
    /// Address and port to listen on; port 0 lets the system choose
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The certificate with its intermediates, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A proxy whose X-Forwarded-For is believed; may be given again
    #[arg(long, value_name = "ADDR")]
    behind_proxy: Vec<IpAddr>,
    /// A database in MaxMind's format that locates senders; may be given again
    #[arg(long, value_name = "FILE")]
    geo: Vec<PathBuf>,
    /// The file of the transparency log's key, made on first use; never put it into the archive
    ///
    /// Without it, kua/logs/<archive id>.key below $XDG_DATA_HOME or ~/.local/share.
    #[arg(long, value_name = "FILE")]
    log_key: Option<PathBuf>,
    /// The log's name, when its key is made: best the address under which it is served, without https://
    #[arg(long, value_name = "NAME")]
    log_name: Option<String>,
    /// Also keep records that state no country (ZZ) or no network (AS0); OONI's collector drops them
    #[arg(long)]
    unknown_origin: bool,
}

impl Serve {
    pub(crate) fn run(self, _common: &CommonArgs) -> Result<ExitCode, Trouble> {
        let plain = self.tls_cert.is_none() && self.behind_proxy.is_empty();
        if plain && !self.listen.ip().is_loopback() {
            let refused = Trouble::new(format!("cannot serve plain HTTP on {}", self.listen));
            let hint = "give --tls-cert and --tls-key, or --behind-proxy and the proxy's address";
            return Err(refused.because("records would cross the network unprotected").hint(hint));
        }
        raise_open_files();
        let geo = Geo::open(&self.geo)?;
        let certificate =
            self.tls_cert.zip(self.tls_key).map(|(chain, key)| Certificate { chain, key });
        let mut writer = Writer::open(&self.archive).map_err(of_archive)?;
        let torn = writer.torn();
        if torn.files > 0 {
            say(&format!("note: removed {} bytes that were never acknowledged", torn.bytes));
        }
        let settler = writer.settler().map_err(of_archive)?;
        let ledger = Arc::new(ledger(&mut writer, self.log_key, self.log_name)?);
        say(&format!("log key {}", ledger.key()));
        let options = Options {
            geo,
            proxies: self.behind_proxy.iter().map(IpAddr::to_canonical).collect(),
            unknown_origin: self.unknown_origin,
            ledger: Some(Arc::clone(&ledger)),
            ..Options::default()
        };
        let cannot_listen =
            |error| Trouble::new(format!("cannot listen on {}", self.listen)).because(error);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let listener = TcpListener::bind(self.listen).await.map_err(cannot_listen)?;
            let address = listener.local_addr().map_err(cannot_listen)?;
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            let end = async {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                say("note: letting requests finish");
            };
            let scheme = if certificate.is_some() { "https" } else { "http" };
            say(&format!("listening on {scheme}://{address}"));
            let told = Arc::clone(&ledger);
            let on_commit = Box::new(move |lasts: &[_]| told.committed(lasts));
            let settle = Some(settling(settler));
            let serving = Serving { listener, certificate, options, on_commit, settle };
            serve(serving, writer, end).await?;
            ledger.end();
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// Settles beside the writer; what goes wrong is said, once each time it changes.
fn settling(settler: settle::Settler) -> Box<dyn FnMut() + Send> {
    let mut said = String::new();
    Box::new(move || {
        let wrong = match settler.run(&settle::Options::default(), |_| {}) {
            Ok(done) => done.stopped_at.map(|file| format!("{file} is damaged")),
            Err(error) => Some(error.to_string()),
        };
        let wrong = wrong.unwrap_or_default();
        if !wrong.is_empty() && wrong != said {
            say(&format!("warning: cannot settle the archive: {wrong}"));
        }
        said = wrong;
    })
}

/// The log of the archive that `writer` has.
fn ledger(
    writer: &mut Writer,
    key: Option<PathBuf>,
    name: Option<String>,
) -> Result<Ledger, Trouble> {
    let kept = writer.commit().map_err(of_archive)?.first;
    let archive = Archive::open(writer.store().place()).map_err(of_archive)?;
    let key = key.or_else(|| default_key(archive.id())).ok_or_else(|| {
        Trouble::new("cannot tell where to keep the log's key")
            .because("neither XDG_DATA_HOME nor HOME names a directory")
            .hint("name a file with --log-key")
    })?;
    let hint = match key.exists() {
        true => format!(
            "nothing is signed over it. If this archive is an old copy, get the newer one; an archive \
             that shall go on all the same takes a new key and a new name: move {} and {}/log away",
            key.display(),
            writer.store().place()
        ),
        false => "name a file with --log-key".into(),
    };
    let name = name.unwrap_or_else(|| format!("kua.archive/{}", archive.id()));
    Ledger::start(writer.store(), LogOptions { key, name }, kept, say).map_err(|error| {
        Trouble::new("cannot go on with the archive's transparency log").because(error).hint(hint)
    })
}

/// Each connection takes a file descriptor; programs begin with fewer than they may have.
fn raise_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Fewer connections are served, then.
    let _ = setrlimit(Resource::Nofile, limit);
}
