//! One binary for all outer tests: linking is what they would wait for.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod accuracy;
mod archive_stores;
mod ccadb;
mod ct_corpus;
mod detectors;
mod families;
mod formats_corpus;
mod incidents;
mod innocent_sites;
mod layers;
mod limbo;
mod main_job;
mod miniooni;
mod ooni_corpus;
mod real_interceptors;
mod reports;
mod rules;
mod scenario;
mod state_ca;
mod torture;
