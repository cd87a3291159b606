//! Bodies of submissions: what is found in them is checked, and left without its sender's address.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use kua::intake::{BOUNDS, ReportId, Sender, content, examine, same_origin};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = str::from_utf8(bytes).map(ReportId::parse);
    let Ok(record) = content(bytes, &BOUNDS) else { return };
    // It is what was sent, as long as nobody's address is in it.
    if let Ok(whole) = examine(&record, None, &BOUNDS) {
        assert_eq!(whole.raw.as_slice(), &*record);
        let report = ReportId::of(&whole).expect("its test has a name");
        same_origin(&report, &whole.meta).expect("a record belongs to its own report");
        assert!(whole.uid().len() > 16);
    }
    for address in [
        IpAddr::from(Ipv4Addr::new(203, 0, 113, 7)),
        IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7)),
    ] {
        let sender = Sender::new(address).expect("it is somebody's");
        let Ok(kept) = examine(&record, Some(&sender), &BOUNDS) else { continue };
        // Once is enough: what is left is the same when it is looked at again.
        let again = examine(&kept.raw, Some(&sender), &BOUNDS).expect("it was taken before");
        assert_eq!(again.raw, kept.raw);
        assert!(!again.scrubbed);
    }
});
