//! Packs of certificates: each certificate's bytes under their hash, and what it says of itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, FixedSizeBinaryArray, FixedSizeBinaryBuilder,
    RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use bytes::Bytes;
use kua::chain::fields::Fields;
use kua::chain::{Certificate, Fingerprint};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::file::reader::ChunkReader;
use time::OffsetDateTime;

use super::parquet::{Layout, TableError, guarded, write_sorted};

/// The columns of the table.
pub fn schema() -> SchemaRef {
    SCHEMA.clone()
}

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let hash = || DataType::FixedSizeBinary(32);
    let moment = || DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new(NAME, hash(), false),
        Field::new(DER, DataType::Binary, false),
        Field::new("subject", DataType::Utf8, true),
        Field::new("issuer", DataType::Utf8, true),
        Field::new("serial", DataType::Binary, true),
        Field::new("not_before", moment(), true),
        Field::new("not_after", moment(), true),
        Field::new("spki_sha256", hash(), true),
    ]))
});

const NAME: &str = "sha256";
const DER: &str = "der";

/// One certificate is wanted at a time, and costs the reading of its row group.
const LAYOUT: Layout = Layout {
    sorted_by: &[NAME],
    plain: &[NAME, DER, "serial", "spki_sha256"],
    delta: &["not_before", "not_after"],
    delta_text: &[],
    group_rows: GROUP,
};

/// Most certificates of a row group.
const GROUP: usize = 1024;

/// A pack of these certificates.
///
/// # Errors
/// [`TableError`], which valid input does not meet.
pub fn write(certificates: &BTreeMap<Fingerprint, Certificate>) -> Result<Bytes, TableError> {
    let all: Vec<_> = certificates.values().collect();
    write_sorted(&SCHEMA, &LAYOUT, all.chunks(GROUP).map(batch))
}

fn batch(certificates: &[&Certificate]) -> Result<RecordBatch, TableError> {
    let fields = || certificates.iter().map(|certificate| certificate.fields());
    let texts = |of: fn(&Fields) -> String| -> ArrayRef {
        Arc::new(fields().map(|fields| fields.map(of)).collect::<StringArray>())
    };
    let moments = |of: fn(&Fields) -> OffsetDateTime| -> ArrayRef {
        let moments =
            fields().map(|fields| fields.map(|fields| of(fields).unix_timestamp() * 1000));
        Arc::new(moments.collect::<TimestampMillisecondArray>().with_timezone("UTC"))
    };
    let ders = certificates.iter().map(|certificate| Some(certificate.der()));
    let columns: Vec<ArrayRef> = vec![
        hashes(certificates.iter().map(|one| Some(*one.fingerprint().as_bytes())))?,
        Arc::new(ders.collect::<BinaryArray>()),
        texts(|fields| fields.subject.to_string()),
        texts(|fields| fields.issuer.to_string()),
        Arc::new(
            fields()
                .map(|fields| fields.map(|fields| fields.serial.as_slice()))
                .collect::<BinaryArray>(),
        ),
        moments(|fields| fields.not_before),
        moments(|fields| fields.not_after),
        hashes(fields().map(|fields| fields.map(|fields| *fields.key_hash.as_bytes())))?,
    ];
    Ok(RecordBatch::try_new(SCHEMA.clone(), columns)?)
}

/// A column of hashes.
pub(super) fn hashes(
    hashes: impl Iterator<Item = Option<[u8; 32]>>,
) -> Result<ArrayRef, TableError> {
    let mut builder = FixedSizeBinaryBuilder::new(32);
    for hash in hashes {
        match hash {
            Some(hash) => builder.append_value(hash)?,
            None => builder.append_null(),
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// A pack, open for reading: where each certificate lies. Certificates are read when they are
/// wanted.
pub(crate) struct Pack {
    metadata: ArrowReaderMetadata,
    /// The first bytes of each name, in order.
    names: Vec<u64>,
    /// How many rows lie before each row group.
    starts: Vec<usize>,
}

impl Pack {
    /// Opens the bytes of a whole file.
    pub(crate) fn open(file: &Bytes) -> Result<Self, TableError> {
        let metadata = guarded(|| Ok(ArrowReaderMetadata::load(file, options())?))?;
        let mut starts = Vec::new();
        let mut names = Vec::new();
        for group in 0..metadata.metadata().num_row_groups() {
            starts.push(names.len());
            names.extend(names_of(file, &metadata, group)?.iter().map(begin));
        }
        if names.is_sorted() { Ok(Self { metadata, names, starts }) } else { Err(OTHER) }
    }

    /// How many certificates it holds.
    pub(crate) fn count(&self) -> usize {
        self.names.len()
    }

    /// In which row group a certificate lies, if it is here.
    pub(crate) fn group_of(&self, name: Fingerprint) -> Option<usize> {
        let row = self.names.binary_search(&begin(&name)).ok()?;
        self.starts.partition_point(|start| *start <= row).checked_sub(1)
    }

    /// The certificates of a row group; those whose bytes do not have their hash are left out.
    pub(crate) fn group(
        &self,
        file: &(impl ChunkReader + Clone + 'static),
        group: usize,
    ) -> Result<HashMap<Fingerprint, Vec<u8>>, TableError> {
        let names = names_of(file, &self.metadata, group)?;
        let mut ders = Vec::new();
        for column in column(file, &self.metadata, group, DER)? {
            let column = column.as_binary_opt::<i32>().ok_or(OTHER)?;
            ders.extend(column.iter().map(|der| der.unwrap_or_default().to_vec()));
        }
        let all = names.into_iter().zip(ders);
        Ok(all.filter(|(name, der)| Fingerprint::of(der) == *name).collect())
    }
}

/// The names of the certificates in the bytes of a whole file.
///
/// # Errors
/// [`TableError`] for bytes that are no such file.
pub fn names(file: &Bytes) -> Result<Vec<Fingerprint>, TableError> {
    let metadata = guarded(|| Ok(ArrowReaderMetadata::load(file, options())?))?;
    let mut names = Vec::new();
    for group in 0..metadata.metadata().num_row_groups() {
        names.extend(names_of(file, &metadata, group)?);
    }
    Ok(names)
}

/// The certificates in the bytes of a whole file, and how many rows are no certificate by their
/// name.
///
/// # Errors
/// [`TableError`] for bytes that are no such file.
pub fn read(file: &Bytes) -> Result<(BTreeMap<Fingerprint, Certificate>, usize), TableError> {
    let pack = Pack::open(file)?;
    let mut certificates = BTreeMap::new();
    for group in 0..pack.starts.len() {
        for (name, der) in pack.group(file, group)? {
            if let Ok(certificate) = Certificate::from_bytes(&der) {
                certificates.insert(name, certificate);
            }
        }
    }
    let bad = pack.count().saturating_sub(certificates.len());
    Ok((certificates, bad))
}

fn options() -> ArrowReaderOptions {
    ArrowReaderOptions::default()
}

/// Enough of a name to look for it among a few ten thousand.
fn begin(name: &Fingerprint) -> u64 {
    let (begin, _) = name.as_bytes().split_first_chunk().unwrap_or((&[0; 8], &[]));
    u64::from_be_bytes(*begin)
}

const OTHER: TableError = TableError::Columns { table: "certificates" };

/// One column of a row group, in pieces.
fn column<R: ChunkReader + Clone + 'static>(
    file: &R,
    metadata: &ArrowReaderMetadata,
    group: usize,
    name: &str,
) -> Result<Vec<ArrayRef>, TableError> {
    guarded(|| {
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), metadata.clone());
        let mask = ProjectionMask::columns(builder.parquet_schema(), [name]);
        let reader = builder.with_projection(mask).with_row_groups(vec![group]).build()?;
        let columns = reader.map(|batch| batch?.column_by_name(name).cloned().ok_or(OTHER));
        columns.collect()
    })
}

fn names_of<R: ChunkReader + Clone + 'static>(
    file: &R,
    metadata: &ArrowReaderMetadata,
    group: usize,
) -> Result<Vec<Fingerprint>, TableError> {
    let mut names = Vec::new();
    for hashes in column(file, metadata, group, NAME)? {
        let hashes = hashes.as_any().downcast_ref::<FixedSizeBinaryArray>().ok_or(OTHER)?;
        for row in 0..hashes.len() {
            let name: [u8; 32] = hashes.value(row).try_into().map_err(|_| OTHER)?;
            names.push(name.into());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use kua_mint::Authority;

    use super::*;

    fn minted(count: usize) -> BTreeMap<Fingerprint, Certificate> {
        let root = Authority::root("Root");
        let leaves = (0..count).map(|site| root.leaf(&format!("site-{site}.example")).certificate);
        let ders = leaves.chain([root.certificate.clone(), b"not even DER".to_vec()]);
        let certificates = ders.map(|der| Certificate::from_bytes(&der).unwrap());
        certificates.map(|certificate| (certificate.fingerprint(), certificate)).collect()
    }

    #[test]
    fn a_pack_gives_back_each_certificate() {
        let certificates = minted(GROUP + 10);
        let file = write(&certificates).unwrap();
        let pack = Pack::open(&file).unwrap();
        assert_eq!((pack.starts.len(), pack.count()), (2, certificates.len()));
        for (name, certificate) in &certificates {
            let group = pack.group(&file, pack.group_of(*name).unwrap()).unwrap();
            assert_eq!(group[name], certificate.der(), "{name}");
        }
        assert_eq!(pack.group_of(Fingerprint::of(b"other")), None);
        assert_eq!(read(&file).unwrap(), (certificates.clone(), 0));
        assert_eq!(names(&file).unwrap(), certificates.into_keys().collect::<Vec<_>>());
    }

    #[test]
    fn a_damaged_pack_is_refused_or_gives_fewer_certificates() {
        let certificates = minted(3);
        let file = write(&certificates).unwrap();
        for at in 0..file.len() {
            for bit in [1, 0x10, 0x80] {
                let mut damaged = file.to_vec();
                damaged[at] ^= bit;
                if let Ok((read, _)) = read(&damaged.into()) {
                    assert!(read.iter().all(|one| certificates.get(one.0) == Some(one.1)));
                }
            }
        }
        for end in 0..file.len() {
            assert!(read(&file.slice(..end)).is_err(), "cut at {end}");
        }
    }
}
