//! Files as objects below a prefix, in a store that speaks S3.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, mpsc};

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{
    Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion,
};
use tokio::runtime::{Builder, Runtime};

use super::Entry;
use crate::ArchiveError;

#[derive(Clone, Debug)]
pub(super) struct Bucket {
    client: Arc<AmazonS3>,
    prefix: Path,
    waiter: Arc<Waiter>,
}

/// One version of an object, as its store knows it.
pub(super) type Version = UpdateVersion;

/// Reaches a bucket with settings that are named as in the environment.
pub(super) fn client(
    bucket: &str,
    settings: &BTreeMap<String, String>,
) -> Result<AmazonS3, ArchiveError> {
    // One cryptographic library in the process; whoever was first has chosen the same.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut builder = AmazonS3Builder::new();
    for (name, value) in settings {
        // The environment holds variables for other programs too.
        if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    let client = builder.with_bucket_name(bucket).build();
    client.map_err(|error| fails("reach", bucket)(error))
}

impl Bucket {
    pub(super) fn open(
        bucket: &str,
        prefix: &str,
        settings: &BTreeMap<String, String>,
    ) -> Result<Self, ArchiveError> {
        Ok(Self {
            client: Arc::new(client(bucket, settings)?),
            prefix: Path::from(prefix),
            waiter: Arc::new(Waiter::start(bucket)?),
        })
    }

    pub(super) fn location(&self, path: &str) -> Path {
        let parts = path.split('/').filter(|part| !part.is_empty());
        parts.fold(self.prefix.clone(), Path::join)
    }

    pub(super) fn put_new(&self, path: &str, bytes: Bytes) -> Result<(), ArchiveError> {
        self.put_as(path, bytes, PutMode::Create).map(drop)
    }

    pub(super) fn put(&self, path: &str, bytes: Bytes) -> Result<(), ArchiveError> {
        self.put_as(path, bytes, PutMode::Overwrite).map(drop)
    }

    /// Gives the version that was written.
    pub(super) fn put_as(
        &self,
        path: &str,
        bytes: Bytes,
        mode: PutMode,
    ) -> Result<Version, ArchiveError> {
        let (client, location) = (self.client.clone(), self.location(path));
        let options = PutOptions::from(mode);
        let put = self.waiter.wait(async move {
            client.put_opts(&location, PutPayload::from(bytes), options).await
        });
        put.map(Into::into).map_err(fails("write", path))
    }

    pub(super) fn read(&self, path: &str) -> Result<Bytes, ArchiveError> {
        self.read_version(path).map(|(bytes, _)| bytes)
    }

    pub(super) fn read_version(&self, path: &str) -> Result<(Bytes, Version), ArchiveError> {
        let (client, location) = (self.client.clone(), self.location(path));
        let read = self.waiter.wait(async move {
            let found = client.get(&location).await?;
            let version =
                Version { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
            Ok((found.bytes().await?, version))
        });
        read.map_err(fails("read", path))
    }

    pub(super) fn read_range(&self, path: &str, range: Range<u64>) -> Result<Bytes, ArchiveError> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let (client, location) = (self.client.clone(), self.location(path));
        let read = self.waiter.wait(async move { client.get_range(&location, range).await });
        read.map_err(fails("read", path))
    }

    pub(super) fn size(&self, path: &str) -> Result<Option<u64>, ArchiveError> {
        let (client, location) = (self.client.clone(), self.location(path));
        match self.waiter.wait(async move { client.head(&location).await }) {
            Ok(meta) => Ok(Some(meta.size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(fails("read", path)(error)),
        }
    }

    pub(super) fn remove(&self, path: &str) -> Result<(), ArchiveError> {
        let (client, location) = (self.client.clone(), self.location(path));
        match self.waiter.wait(async move { client.delete(&location).await }) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(fails("remove", path)(error)),
        }
    }

    pub(super) fn list(&self, folder: &str) -> Result<Vec<Entry>, ArchiveError> {
        let (client, location) = (self.client.clone(), self.location(folder));
        let listed = self.waiter.wait(async move {
            let below = (!location.as_ref().is_empty()).then_some(&location);
            client.list(below).try_collect::<Vec<_>>().await
        });
        let entries = listed.map_err(fails("list", folder))?.into_iter().filter_map(|meta| {
            let parts: Vec<_> = meta.location.prefix_match(&self.prefix)?.collect();
            let parts: Vec<_> = parts.iter().map(AsRef::as_ref).collect();
            Some(Entry {
                path: parts.join("/"),
                bytes: meta.size,
                modified: meta.last_modified.into(),
            })
        });
        Ok(entries.collect())
    }
}

/// For `map_err`: what was being done, and to which object.
fn fails(doing: &'static str, path: &str) -> impl FnOnce(Error) -> ArchiveError {
    let path = path.to_owned();
    move |error| match error {
        Error::NotFound { .. } => ArchiveError::Missing { path },
        Error::AlreadyExists { .. } | Error::Precondition { .. } => {
            ArchiveError::AlreadyThere { path }
        }
        source => ArchiveError::Store { doing, path, source: Box::new(source) },
    }
}

/// Waits for what is asynchronous, from any thread.
#[derive(Debug)]
struct Waiter {
    runtime: Option<Runtime>,
}

impl Waiter {
    fn start(bucket: &str) -> Result<Self, ArchiveError> {
        let mut builder = Builder::new_multi_thread();
        let builder = builder.worker_threads(1).thread_name("object-store").enable_all();
        let runtime = builder.build().map_err(ArchiveError::io("reach", bucket))?;
        Ok(Self { runtime: Some(runtime) })
    }

    /// The calling thread sleeps on a channel: unlike `block_on`, that works in a thread of
    /// another runtime too.
    fn wait<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let (done, waiting) = mpsc::sync_channel(1);
        if let Some(runtime) = &self.runtime {
            runtime.spawn(async move { _ = done.send(future.await) });
        }
        // Only a task that panicked sends nothing.
        let ended = |source: mpsc::RecvError| Error::Generic { store: "S3", source: source.into() };
        waiting.recv().map_err(ended)?
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        // Dropping a runtime waits, which a thread of another runtime must not.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
