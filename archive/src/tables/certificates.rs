//! Packs of certificates: each certificate's bytes under their hash, and what it says of itself.

use std::collections::BTreeMap;
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
const GROUP: usize = 256;

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

/// A pack, open for reading: the names are held, certificates are read when they are wanted.
pub(crate) struct Pack<R> {
    file: R,
    metadata: ArrowReaderMetadata,
    names: Vec<Fingerprint>,
    /// How many rows lie before each row group.
    starts: Vec<usize>,
}

impl<R: ChunkReader + Clone + 'static> Pack<R> {
    pub(crate) fn open(file: R) -> Result<Self, TableError> {
        guarded(|| Self::open_sound(file))
    }

    fn open_sound(file: R) -> Result<Self, TableError> {
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::default())?;
        let mut starts = Vec::new();
        let mut names: Vec<Fingerprint> = Vec::new();
        for group in 0..metadata.metadata().num_row_groups() {
            starts.push(names.len());
            for hashes in column(&file, &metadata, group, NAME)? {
                names.extend(fingerprints(&hashes)?);
            }
        }
        Ok(Self { file, metadata, names, starts })
    }

    /// The names of its certificates, in order.
    pub(crate) fn names(&self) -> &[Fingerprint] {
        &self.names
    }

    /// In which row group a certificate lies.
    pub(crate) fn group_of(&self, name: Fingerprint) -> Option<usize> {
        let row = self.names.binary_search(&name).ok()?;
        self.starts.partition_point(|start| *start <= row).checked_sub(1)
    }

    /// How many row groups there are.
    pub(crate) fn groups(&self) -> usize {
        self.starts.len()
    }

    /// The bytes that lie under each name of a row group, whether or not they have that hash.
    pub(crate) fn group(&self, group: usize) -> Result<Vec<(Fingerprint, Vec<u8>)>, TableError> {
        let start = *self.starts.get(group).ok_or(TableError::Columns { table: TABLE })?;
        let mut ders = Vec::new();
        for column in guarded(|| column(&self.file, &self.metadata, group, DER))? {
            let column = column.as_binary_opt::<i32>();
            let column = column.ok_or(TableError::Columns { table: TABLE })?;
            ders.extend(column.iter().map(|der| der.unwrap_or_default().to_vec()));
        }
        Ok(self.names[start..].iter().copied().zip(ders).collect())
    }
}

const TABLE: &str = "certificates";

/// One column of a row group, in pieces.
fn column<R: ChunkReader + Clone + 'static>(
    file: &R,
    metadata: &ArrowReaderMetadata,
    group: usize,
    name: &str,
) -> Result<Vec<ArrayRef>, TableError> {
    let builder =
        ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), metadata.clone());
    let mask = ProjectionMask::columns(builder.parquet_schema(), [name]);
    let reader = builder.with_projection(mask).with_row_groups(vec![group]).build()?;
    let columns = reader.map(|batch| {
        let column = batch?.column_by_name(name).cloned();
        column.ok_or(TableError::Columns { table: TABLE })
    });
    columns.collect()
}

fn fingerprints(hashes: &dyn Array) -> Result<Vec<Fingerprint>, TableError> {
    let hashes = hashes.as_any().downcast_ref::<FixedSizeBinaryArray>();
    let hashes = hashes.ok_or(TableError::Columns { table: TABLE })?;
    let names = (0..hashes.len()).map(|row| <[u8; 32]>::try_from(hashes.value(row)));
    let names =
        names.map(|name| Ok(name.map_err(|_| TableError::Columns { table: TABLE })?.into()));
    names.collect()
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

    fn read(file: Bytes) -> Result<BTreeMap<Fingerprint, Vec<u8>>, TableError> {
        let pack = Pack::open(file)?;
        let groups: Result<Vec<_>, _> = (0..pack.groups()).map(|group| pack.group(group)).collect();
        Ok(groups?.into_iter().flatten().collect())
    }

    #[test]
    fn a_pack_gives_back_each_certificate() {
        let certificates = minted(300);
        let pack = Pack::open(write(&certificates).unwrap()).unwrap();
        assert_eq!((pack.groups(), pack.names().len()), (2, certificates.len()));
        for (name, certificate) in &certificates {
            let group = pack.group(pack.group_of(*name).unwrap()).unwrap();
            let found = group.iter().find(|(found, _)| found == name).unwrap();
            assert_eq!(found.1, certificate.der(), "{name}");
        }
        assert_eq!(pack.group_of(Fingerprint::of(b"other")), None);
    }

    #[test]
    fn a_damaged_pack_is_refused_or_gives_other_bytes() {
        let certificates = minted(3);
        let file = write(&certificates).unwrap();
        for at in 0..file.len() {
            for bit in [1, 0x10, 0x80] {
                let mut damaged = file.to_vec();
                damaged[at] ^= bit;
                if let Ok(read) = read(damaged.into()) {
                    let sound = read.iter().filter(|(name, der)| Fingerprint::of(der) == **name);
                    assert!(sound.count() <= certificates.len());
                }
            }
        }
        for end in 0..file.len() {
            assert!(read(file.slice(..end)).is_err(), "cut at {end}");
        }
    }
}
