//! Reports of root programs from anybody, and the files that are read back. The first byte chooses the
//! reader.
#![no_main]

use kua_certs::logs::LogList;
use kua_certs::reports::{
    ccadb, certificates, chrome, crlset, logs, microsoft, mozilla, onecrl, sha256,
};
use kua_certs::{read, text as written_as};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else { return };
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    match choice % 11 {
        0 => drop(ccadb::from_bytes(bytes)),
        1 => drop(microsoft::from_bytes(bytes)),
        2 => drop(onecrl::from_bytes(bytes)),
        3 => drop(crlset::from_bytes(bytes, crlset::COMPONENT)),
        4 => drop(crlset::from_file(bytes)),
        5 => {
            for root in mozilla::from_bytes(bytes).unwrap_or_default() {
                assert_eq!(root.sha256, sha256(&root.der), "a stated hash is checked");
            }
        }
        6 => {
            for (hash, der) in certificates::from_bytes(bytes).unwrap_or_default() {
                assert_eq!(hash, sha256(&der), "a hash is computed");
            }
        }
        7 => {
            for anchor in chrome::from_bytes(bytes).map(|store| store.anchors).unwrap_or_default() {
                assert!(anchor.is_trusted() || anchor.sct_after().is_none());
            }
        }
        8 => {
            let Ok(list) = logs::from_bytes(bytes) else { return };
            assert_eq!(LogList::from_toml(&list.toml()).ok(), Some(list), "written and read back");
        }
        9 => {
            let Ok(store) = read::store(text) else { return };
            let written = written_as::store_toml(&store);
            assert!(read::store(&written).is_ok(), "written and read back: {written}");
        }
        _ => {
            let Ok(list) = read::block_list(text) else { return };
            let written = written_as::blocklist_toml(&list);
            assert_eq!(read::block_list(&written).ok(), Some(list), "written and read back");
        }
    }
});
