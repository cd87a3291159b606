//! Leaves made from a genuine one in drawn ways, and what is told of each.

use kua_mint::{Authority, Extension, Key, NOW, Template, name};

use super::*;
use crate::chain::Certificate;

pub(crate) const SERIAL: [u8; 16] = *b"\x45123456789abcdef";
pub(crate) const NAMES: [&str; 2] = ["example.com", "www.example.com"];

/// What the genuine leaf says.
pub(crate) fn genuine() -> Template {
    let subject = name(&[("C", "QZ"), ("O", "Example"), ("CN", "example.com")]);
    Template::leaf(&NAMES).serial(&SERIAL).subject(&subject)
}

/// What Kazakhstan's box of 2019 makes of it, as the lab's does.
pub(crate) fn forged(genuine: &Template) -> Template {
    let mut serial = genuine.serial.clone();
    let end = serial.len();
    for byte in &mut serial[end - 4..] {
        *byte ^= 0x5a;
    }
    let six_hours = 6 * 3600;
    let names = |extension: &&Extension| extension.oid == [2, 5, 29, 17];
    let kept = genuine.extensions.iter().filter(names).cloned().collect();
    let bare = Template::bare(&genuine.subject)
        .serial(&serial)
        .valid(genuine.not_before - six_hours, genuine.not_after - six_hours);
    Template { extensions: kept, ..bare }
}

fn read(key: &Key, template: &Template) -> Certificate {
    let root = Authority::root("Root");
    Certificate::from_bytes(&root.sign(&key.spki(), template)).unwrap()
}

fn grammar(genuine: &Template, presented: &Template) -> Grammar {
    let key = Key::ecdsa_p256();
    let (genuine, presented) = (read(&key, genuine), read(&key, presented));
    Grammar::read(genuine.fields().unwrap(), presented.fields().unwrap(), "example.com")
}

#[test]
fn table() {
    let day = 86_400;
    let shifted = |seconds: i64| {
        genuine().valid(genuine().not_before + seconds, genuine().not_after + seconds)
    };
    let for_sni = || Template::leaf(&["example.com"]);
    for (case, presented, expected) in [
        (
            "Kazakhstan, 2019",
            forged(&genuine()),
            "names=origin subject=origin validity=-6h serial=last-4 \
             extensions=dropped-all-but-san key=ec-p256",
        ),
        (
            "everything copied",
            genuine(),
            "names=origin subject=origin validity=equal serial=equal \
             extensions=eku+ku+san key=ec-p256",
        ),
        (
            "everything fresh, for the SNI",
            for_sni().valid(NOW - day, NOW + day),
            "names=sni subject=sni validity=fresh serial=fresh \
             extensions=eku+ku+san key=ec-p256",
        ),
        (
            "shifted by a time zone of half an hour",
            shifted(5 * 3600 + 1800),
            "names=origin subject=origin validity=+5h30m serial=equal \
             extensions=eku+ku+san key=ec-p256",
        ),
        (
            "shifted by three days, which no clock does",
            shifted(3 * day),
            "names=origin subject=origin validity=fresh serial=equal \
             extensions=eku+ku+san key=ec-p256",
        ),
        (
            "shifted by a second",
            shifted(1),
            "names=origin subject=origin validity=fresh serial=equal \
             extensions=eku+ku+san key=ec-p256",
        ),
        (
            "only the end of the validity",
            genuine().valid(NOW, genuine().not_after),
            "names=origin subject=origin validity=end-kept serial=equal \
             extensions=eku+ku+san key=ec-p256",
        ),
        (
            "another server's",
            Template::leaf(&["router.local"]).valid(0, NOW).version_1(),
            "names=other subject=other validity=fresh serial=fresh \
             extensions=dropped-all key=ec-p256",
        ),
    ] {
        assert_eq!(grammar(&genuine(), &presented).to_string(), expected, "{case}");
    }
}

#[test]
fn a_site_of_one_name_does_not_tell_where_names_are_from() {
    let genuine = Template::leaf(&["example.com"]).serial(&SERIAL);
    let seen = grammar(&genuine, &forged(&genuine));
    assert_eq!((seen.names, seen.subject), (Origin::Either, Origin::Either));
    assert!(seen.to_string().starts_with("names=? subject=? validity=-6h serial=last-4 "));
    assert!(seen.is_made_from_genuine());
}

#[test]
fn serials() {
    let with = |at: usize, flip: u8| {
        let mut serial = SERIAL;
        serial[at] ^= flip;
        serial
    };
    for (case, presented, expected) in [
        ("the same", SERIAL.to_vec(), Serial::Equal),
        ("last bit", with(15, 1).to_vec(), Serial::Edited { bits: 1 }),
        ("last four bytes", with(12, 0x80).to_vec(), Serial::Edited { bits: 32 }),
        ("last 33 bits", with(11, 1).to_vec(), Serial::Edited { bits: 33 }),
        ("first byte", with(0, 1).to_vec(), Serial::Fresh),
        ("shorter", SERIAL[..15].to_vec(), Serial::Fresh),
        ("none", vec![], Serial::Fresh),
    ] {
        assert_eq!(serial(&SERIAL, &presented), expected, "{case}");
    }
    assert_eq!(serial(b"\x01\x02", b"\x01\x03"), Serial::Fresh, "two short ones agree by chance");
    assert_eq!((edited_bytes(1), edited_bytes(26), edited_bytes(33)), (1, 4, 4));
}

#[test]
fn a_rule_asks_for_what_it_says() {
    let rule = Rule {
        names: Some(Origin::Origin),
        validity_shift_hours: vec![-6, -24],
        serial_last_bytes: Some(4),
        extensions: Some(Fate::Dropped),
        keys: vec!["ec-p256".into()],
    };
    assert!(rule.is_distinctive());
    let made = forged(&genuine());
    assert!(rule.fits(&grammar(&genuine(), &made)));
    let fresh = Template::bare(&genuine().subject);
    for (case, presented) in [
        ("the genuine leaf", genuine()),
        ("a fresh serial", Template { serial: fresh.serial, ..made.clone() }),
        ("fresh dates", made.clone().valid(NOW, NOW + 1)),
        ("one extension more", made.clone().with(kua_mint::ski(b"id"))),
        ("another subject", made.clone().subject(&name(&[("CN", "example.com")]))),
    ] {
        assert!(!rule.fits(&grammar(&genuine(), &presented)), "{case}");
    }
    let another_key = Rule { keys: vec!["rsa-2048-e3".into()], ..rule };
    assert!(!another_key.fits(&grammar(&genuine(), &made)));
}
