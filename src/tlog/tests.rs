//! A log is built, proved and tampered with; roots and paths are compared with RFC 6962 read literally.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::tree::node_hash;
use super::*;

/// A log as files, and every root that it had.
struct Log {
    files: BTreeMap<String, Vec<Hash>>,
    leaves: Vec<Hash>,
    growing: Growing,
}

impl Log {
    fn new() -> Self {
        Self { files: BTreeMap::new(), leaves: Vec::new(), growing: Growing::default() }
    }

    /// Grows to `size`, with the partial tiles of that size.
    fn grow(&mut self, size: u64) {
        for number in self.growing.size()..size {
            let leaf = leaf_hash(&number.to_be_bytes());
            self.leaves.push(leaf);
            for (tile, hashes) in self.growing.push(leaf) {
                assert!(self.files.insert(tile.path(), hashes).is_none(), "{}", tile.path());
            }
        }
        for (tile, hashes) in self.growing.partial() {
            self.files.insert(tile.path(), hashes.to_vec());
        }
    }

    fn read(&self) -> impl FnMut(Tile) -> Result<Vec<Hash>, TlogError> {
        |tile| {
            let missing = TlogError::ShortTile { path: tile.path(), found: 0 };
            self.files.get(&tile.path()).cloned().ok_or(missing)
        }
    }
}

/// MTH of RFC 6962, section 2.1, word for word.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let mut split = 1;
            while split * 2 < leaves.len() {
                split *= 2;
            }
            node_hash(&mth(&leaves[..split]), &mth(&leaves[split..]))
        }
    }
}

#[test]
fn known_hashes() {
    let hex = |hash: Hash| data_encoding::HEXLOWER.encode(&hash);
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(hex(empty_root()), empty);
    let leaf = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
    assert_eq!(hex(leaf_hash(b"")), leaf);
}

/// Every size to 70, every leaf, every earlier size; and a change of any hash, index or size is found.
#[test]
fn proofs_of_small_trees() {
    let mut roots = vec![empty_root()];
    for size in 1..=70_u64 {
        let mut log = Log::new();
        log.grow(size);
        let root = log.growing.root();
        assert_eq!(root, mth(&log.leaves), "{size}");
        roots.push(root);
        for index in 0..size {
            let path = inclusion_path(index, size, &mut log.read()).unwrap();
            let leaf = log.leaves[index as usize];
            verify_inclusion(&leaf, index, size, &path, &root).unwrap();
            refused_inclusions(leaf, index, size, &path, root);
        }
        for old in 0..=size {
            let path = consistency_path(old, size, &mut log.read()).unwrap();
            let old_root = roots[old as usize];
            verify_consistency((old, &old_root), (size, &root), &path).unwrap();
            refused_consistencies(old, old_root, size, root, &path);
        }
    }
}

fn refused_inclusions(leaf: Hash, index: u64, size: u64, path: &[Hash], root: Hash) {
    let check = |leaf: &Hash, index, size, path: &[Hash], root: &Hash| {
        assert!(verify_inclusion(leaf, index, size, path, root).is_err(), "{index} of {size}");
    };
    check(&changed(leaf), index, size, path, &root);
    check(&leaf, index, size, path, &changed(root));
    if size > 1 {
        check(&leaf, index ^ 1, size, path, &root);
    }
    check(&leaf, size, size, path, &root);
    for place in 0..path.len() {
        let mut path = path.to_vec();
        path[place] = changed(path[place]);
        check(&leaf, index, size, &path, &root);
        path.remove(place);
        check(&leaf, index, size, &path, &root);
    }
    check(&leaf, index, size, &[path, &[leaf]].concat(), &root);
}

fn refused_consistencies(old: u64, old_root: Hash, new: u64, root: Hash, path: &[Hash]) {
    let check = |old: (u64, &Hash), new: (u64, &Hash), path: &[Hash]| {
        assert!(verify_consistency(old, new, path).is_err(), "{} to {}", old.0, new.0);
    };
    check((old, &changed(old_root)), (new, &root), path);
    if old > 0 {
        check((old, &old_root), (new, &changed(root)), path);
        check((new + 1, &old_root), (new, &root), path);
    }
    for place in 0..path.len() {
        let mut path = path.to_vec();
        path[place] = changed(path[place]);
        check((old, &old_root), (new, &root), &path);
        path.remove(place);
        check((old, &old_root), (new, &root), &path);
    }
    check((old, &old_root), (new, &root), &[path, &[root]].concat());
}

fn changed(mut hash: Hash) -> Hash {
    hash[31] ^= 1;
    hash
}

/// Sizes around full tiles of two levels, read from the files that tlog-tiles names.
#[test]
fn proofs_across_tiles() {
    let mut log = Log::new();
    let mut earlier: Vec<(u64, Hash)> = Vec::new();
    for size in [1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 70_000] {
        log.grow(size);
        let root = log.growing.root();
        assert_eq!(root, mth(&log.leaves), "{size}");
        assert_eq!(subtree(0, size, size, &mut log.read()), Ok(root), "{size}");
        assert_eq!(Growing::resume(size, log.read()).as_ref(), Ok(&log.growing), "{size}");
        for index in [0, size / 2, size.saturating_sub(257), size - 1] {
            let path = inclusion_path(index, size, &mut log.read()).unwrap();
            verify_inclusion(&log.leaves[index as usize], index, size, &path, &root).unwrap();
        }
        for (old, old_root) in &earlier {
            let path = consistency_path(*old, size, &mut log.read()).unwrap();
            verify_consistency((*old, old_root), (size, &root), &path).unwrap();
        }
        earlier.push((size, root));
    }
    // As many files as the specification says of this size.
    let full = |prefix: &str| {
        log.files.keys().filter(|path| path.starts_with(prefix) && !path.contains(".p/")).count()
    };
    assert_eq!((full("tile/0/"), full("tile/1/"), full("tile/2/")), (273, 1, 0));
}

#[test]
fn a_leaf_outside_and_a_tile_that_is_short() {
    let mut log = Log::new();
    log.grow(300);
    let outside = inclusion_path(300, 300, &mut log.read());
    assert_eq!(outside, Err(TlogError::NotIncluded { index: 300, size: 300 }));
    let backwards = consistency_path(300, 299, &mut log.read());
    assert_eq!(backwards, Err(TlogError::Inconsistent { old: 300, new: 299 }));
    let mut short = |_: Tile| Ok::<_, TlogError>(vec![[0; 32]]);
    let found = inclusion_path(0, 300, &mut short);
    assert!(matches!(found, Err(TlogError::ShortTile { .. })), "{found:?}");
    assert!(hashes(Tile::of(0, 0, 2), &[0; 32]).is_err());
    assert!(hashes(Tile::of(0, 0, 2), &[0; 65]).is_err());
    assert_eq!(hashes(Tile::of(0, 0, 2), &[0; 96]).unwrap().len(), 2);
}

/// The example of the signed-note specification.
#[test]
fn a_note_of_the_specification() {
    let note = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n\u{2014} quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
    let parsed = Note::parse(note.as_bytes()).unwrap();
    assert_eq!(parsed.to_string(), note);
    assert!(parsed.text.ends_with("ed è subito sera.\n"));
}

/// The key and the note that the documentation of Go's package `golang.org/x/mod/sumdb/note` has as its
/// example: what another program signs is verified here, and the same is signed here.
#[test]
fn a_note_of_another_program() {
    let secret = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    let public = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    let signature = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let note = format!("{text}\n{signature}");
    let public: VerifyingKey = public.parse().unwrap();
    assert_eq!(public.verify(&Note::parse(note.as_bytes()).unwrap()), Ok(()));
    assert_eq!(SigningKey::from_secret(secret).unwrap().sign(text).to_string(), note);
}

#[test]
fn keys_and_notes() {
    let key = SigningKey::from_seed("log.example/a", &[5; 32]).unwrap();
    let text = key.secret_text(&[5; 32]);
    assert_eq!(SigningKey::from_secret(&text).unwrap().public(), key.public());
    let public: VerifyingKey = key.public().to_string().parse().unwrap();
    assert_eq!(&public, key.public());
    for name in ["", "a b", "a+b", "a\nb"] {
        assert!(SigningKey::from_seed(name, &[5; 32]).is_err(), "{name:?}");
    }
    let public = public.to_string();
    for text in ["", "a", "a+00000000+AQ==", &public.replace("log", "lag"), &public[1..]] {
        assert!(text.parse::<VerifyingKey>().is_err(), "{text}");
    }

    let other = SigningKey::from_seed("log.example/b", &[6; 32]).unwrap();
    let checkpoint = Checkpoint { origin: "log.example/a".into(), size: 3, root: [1; 32] };
    let signed = checkpoint.sign(&key).to_string();
    assert_eq!(Checkpoint::open(signed.as_bytes(), key.public()), Ok(checkpoint.clone()));
    // A witness's signature beside ours is ignored.
    let witness = checkpoint.sign(&other).to_string();
    let both = signed.clone() + witness.rsplit_once("\n\n").unwrap().1;
    assert_eq!(Checkpoint::open(both.as_bytes(), key.public()), Ok(checkpoint.clone()));
    let elsewhere = Checkpoint { origin: "log.example/b".into(), ..checkpoint };
    for (case, note) in [
        ("another key", witness),
        ("another origin", elsewhere.sign(&key).to_string()),
        ("another size", signed.replace("\n3\n", "\n4\n")),
        ("a size with a zero", key.sign("log.example/a\n03\nAA==\n").to_string()),
        ("an empty line", key.sign("log.example/a\n\n\n").to_string()),
        ("without a signature", "log.example/a\n3\n".into()),
    ] {
        assert!(Checkpoint::open(note.as_bytes(), key.public()).is_err(), "{case}");
    }
}

#[test]
fn a_proof_as_a_file() {
    let entries: Vec<_> = (0..9_u8)
        .map(|n| Entry { record: [n; 32], receipt: (n % 2 == 0).then_some([n + 1; 32]) })
        .collect();
    assert_eq!(super::entries(&bundle(&entries)).as_ref(), Ok(&entries));
    assert!(super::entries(&bundle(&entries)[1..]).is_err());
    let mut log = Log::new();
    for entry in &entries {
        log.growing.push(entry.leaf_hash());
    }
    for (tile, hashes) in log.growing.partial() {
        log.files.insert(tile.path(), hashes.to_vec());
    }
    let key = SigningKey::from_seed("log.example", &[5; 32]).unwrap();
    let head = Checkpoint { origin: "log.example".into(), size: 9, root: log.growing.root() };
    let path = inclusion_path(4, 9, &mut log.read()).unwrap();
    let proof = InclusionProof { index: 4, path, checkpoint: head.sign(&key) };
    let text = proof.to_string();
    assert_eq!(InclusionProof::parse(text.as_bytes()).as_ref(), Ok(&proof));
    let more = text.replace("\nindex", "\nextra AAAA\nindex");
    assert_eq!(InclusionProof::parse(more.as_bytes()).as_ref(), Ok(&proof));
    assert_eq!(proof.verify(&entries[4], key.public()), Ok(head));
    assert!(proof.verify(&entries[5], key.public()).is_err());
    for broken in ["", "c2sp.org/tlog-proof@v1\n", &text.replace("index 4", "index 04")] {
        assert!(InclusionProof::parse(broken.as_bytes()).is_err(), "{broken}");
    }
}

proptest! {
    #[test]
    fn a_log_only_grows(old in 0_u64..600, more in 0_u64..600) {
        let mut log = Log::new();
        log.grow(old);
        let before = log.growing.root();
        log.grow(old + more);
        let path = consistency_path(old, old + more, &mut log.read()).unwrap();
        let after = log.growing.root();
        prop_assert!(verify_consistency((old, &before), (old + more, &after), &path).is_ok());
        if old > 0 && more > 0 {
            // The same log with one other entry in its past.
            let mut other = log.leaves.clone();
            other[old as usize / 2] = changed(other[old as usize / 2]);
            let forged = mth(&other);
            prop_assert!(verify_consistency((old, &before), (old + more, &forged), &path).is_err());
        }
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(note) = Note::parse(&bytes) {
            prop_assert_eq!(note.to_string().into_bytes(), bytes.clone());
        }
        let _ = InclusionProof::parse(&bytes);
        if let Ok(read) = entries(&bytes) {
            prop_assert_eq!(bundle(&read), bytes);
        }
    }
}
