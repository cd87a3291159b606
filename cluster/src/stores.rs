//! The object stores that tables lie in, made when a plan first names them: a scheduler and its executors are
//! told of none beforehand. Keys come from each machine's own AWS_* variables and never travel with a query.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use datafusion::common::{exec_datafusion_err, not_impl_err};
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::object_store::ObjectStore;
use datafusion::object_store::local::LocalFileSystem;
use kua_archive::{Place, Store};
use url::Url;

use crate::codec::external;

#[derive(Debug, Default)]
pub(crate) struct Stores {
    known: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
}

impl ObjectStoreRegistry for Stores {
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        self.known.lock().ok()?.insert(key(url), store)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let mut known =
            self.known.lock().map_err(|_| exec_datafusion_err!("the stores are lost"))?;
        if let Some(store) = known.get(&key(url)) {
            return Ok(store.clone());
        }
        let store: Arc<dyn ObjectStore> = match (url.scheme(), url.host_str()) {
            ("file", _) => Arc::new(LocalFileSystem::new()),
            ("s3", Some(bucket)) => bucket_of(bucket)?,
            _ => return not_impl_err!("no archive can lie at {url}"),
        };
        known.insert(key(url), store.clone());
        Ok(store)
    }
}

/// The bucket, as archives in it are reached.
fn bucket_of(name: &str) -> Result<Arc<dyn ObjectStore>> {
    let place = Place::parse(format!("s3://{name}")).map_err(external)?;
    Store::open(&place).and_then(|store| store.object_store()).map_err(external)
}

fn key(url: &Url) -> String {
    format!("{}://{}", url.scheme(), url.authority())
}
