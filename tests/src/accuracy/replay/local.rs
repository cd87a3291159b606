//! Products on the machine or its network, and roots that their makers put there.

use kua::detect::Level::{Possible, Probable};
use kua::reference::Actor::{Local, Unknown};
use kua::verdict::Verdict::Normal;
use kua_mint::{Template, name};

use crate::accuracy::built::Built;
use crate::accuracy::expected::Expected;
use crate::accuracy::scenario::{Scenario, Story};
use crate::accuracy::world::{World, root, under};

const BANK: &str = "www.bankofamerica.com";
const FACEBOOK: &str = "www.facebook.com";

/// Each with its neighbour.
pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "superfish",
        incidents: &["us-2015-superfish"],
        story: Story {
            drawn: "[Superfish's root, one key on every machine ->] leaf; control: public",
            build: |world| planted(world, "superfish").control(&world.genuine(BANK)),
            expected: Expected::intercepted(Local, Probable, Some("superfish"), &["signed-by-key"]),
        },
        neighbour: Some(Story {
            drawn: "public root -> CA -> genuine leaf, Superfish's root sent along; no control",
            build: |world| {
                let mut genuine = world.genuine(BANK);
                genuine.above.insert(0, world.dossier("superfish").certificate.clone());
                Built::new(BANK, genuine)
            },
            expected: Expected::plain(Normal, &["public-anchor"]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "edellroot",
        incidents: &["us-2015-edellroot"],
        story: Story {
            drawn: "[eDellRoot ->] leaf by anybody who took the key from a machine; control: public",
            build: |world| planted(world, "edellroot").control(&world.genuine(BANK)),
            // The key names the root that Dell planted, and nobody who took the key from there.
            expected: Expected::intercepted(
                Unknown,
                Probable,
                Some("edellroot"),
                &["signed-by-key", "control"],
            ),
        },
        neighbour: Some(Story {
            drawn: "[another root of eDellRoot's name ->] leaf; no control",
            build: |_| {
                let namesake = root(&[("CN", "eDellRoot")]);
                Built::new(BANK, under(&[&namesake], Template::leaf(&[BANK])))
            },
            expected: Expected::anomaly(&[]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "antivirus",
        incidents: &[],
        story: Story {
            drawn: "[an antivirus' root ->] leaf; control: public",
            build: |world| {
                let shield = "avast! Web/Mail Shield";
                by(world, BANK, &[("O", shield), ("CN", "avast! Web/Mail Shield Root")])
            },
            expected: Expected::intercepted(Local, Probable, None, &["control", "name-only"])
                .says(&["known-product"]),
        },
        neighbour: Some(Story {
            drawn: "public root -> CA -> leaf of the vendor's own site, vendor as subject; no control",
            build: |world| {
                let host = "support.kaspersky.ru";
                let subject = name(&[("C", "RU"), ("O", "AO Kaspersky Lab"), ("CN", host)]);
                let leaf = Template::leaf(&[host]).subject(&subject);
                Built::new(host, world.genuine_by(&world.public_ca, leaf))
            },
            expected: Expected::plain(Normal, &["public-anchor"]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "corporate",
        incidents: &[],
        story: Story {
            drawn: "[an employer's gateway ->] leaf; no control",
            build: |_| {
                let gateway = root(&[("O", "Fortinet"), ("CN", "FortiGate CA")]);
                Built::new(BANK, under(&[&gateway], Template::leaf(&[BANK])))
            },
            expected: Expected::intercepted(Local, Possible, None, &["name-only"]),
        },
        neighbour: Some(Story {
            drawn: "public root -> CA -> genuine leaf, the gateway's root sent along; no control",
            build: |world| {
                let gateway = root(&[("O", "Fortinet"), ("CN", "FortiGate CA")]);
                let mut genuine = world.genuine(BANK);
                genuine.above.insert(0, gateway.certificate);
                Built::new(BANK, genuine)
            },
            expected: Expected::plain(Normal, &["public-anchor"]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "parental",
        incidents: &[],
        story: Story {
            drawn: "parental filter's root -> leaf, root sent; control: public",
            build: |world| {
                let rdns = [("O", "NetSpark"), ("CN", "www.netspark.com")];
                by(world, FACEBOOK, &rdns).root_sent()
            },
            expected: Expected::intercepted(Local, Probable, None, &["control", "name-only"]),
        },
        neighbour: Some(Story {
            drawn: "public root -> CA -> genuine leaf; control: public",
            build: |world| {
                Built::new(FACEBOOK, world.genuine(FACEBOOK)).control(&world.genuine(FACEBOOK))
            },
            expected: Expected::plain(Normal, &["public-anchor"]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "malware",
        incidents: &["malware-iopfail-2014"],
        story: Story {
            drawn: "[IopFailZeroAccessCreate ->] leaf; control: public",
            build: |world| by(world, FACEBOOK, &[("CN", "IopFailZeroAccessCreate")]),
            expected: Expected::intercepted(Local, Probable, None, &["control", "name-only"]),
        },
        neighbour: Some(Story {
            drawn: "public root -> CA -> genuine leaf; no control",
            build: |world| Built::new(FACEBOOK, world.genuine(FACEBOOK)),
            expected: Expected::plain(Normal, &["public-anchor"]),
        }),
        known_gap: None,
    },
];

/// A leaf for `host` by a root of this name, where a control is shown the genuine one.
fn by(world: &World, host: &'static str, rdns: &[(&str, &str)]) -> Built {
    let leaf = under(&[&root(rdns)], Template::leaf(&[host]));
    Built::new(host, leaf).control(&world.genuine(host))
}

/// A leaf by the root of a dossier, whose key is on every machine.
fn planted(world: &World, dossier: &str) -> Built {
    Built::new(BANK, under(&[world.dossier(dossier)], Template::leaf(&[BANK])))
}
