//! Trusted authorities that were broken into, sold an intermediate, or signed for the wrong one.

use kua::detect::Level::{Confirmed, Probable};
use kua::reference::Actor::PublicCa;
use kua::verdict::Verdict::Normal;
use kua_mint::{
    Algorithm, Authority, Key, NOW, Presented, SERVER_AUTH, Template, basic_constraints,
    extended_key_usage, name, san,
};

use crate::accuracy::built::Built;
use crate::accuracy::expected::Expected;
use crate::accuracy::scenario::{Scenario, Story};
use crate::accuracy::world::{World, under};

const DAY: i64 = 86_400;
/// 2011-07-10, when the leaf for Google was made.
const JULY_2011: i64 = 1_310_256_000;
const GOOGLE: &str = "www.google.com";
const YAHOO: &str = "login.yahoo.com";
const CHAT: &str = "jabber.ru";
const WALLET: &str = "developers.kakao.com";

/// A genuine leaf for `host`, seen by probe and control.
const fn genuine(build: fn(&World) -> Built) -> Option<Story> {
    Some(Story {
        drawn: "public root -> CA -> genuine leaf of another key; control: public",
        build,
        expected: Expected::plain(Normal, &["public-anchor"]),
    })
}

/// Each with its neighbour.
pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "turktrust-ego",
        incidents: &["tr-2012-turktrust"],
        story: Story {
            drawn: "[public root ->] rogue *.EGO.GOV.TR -> RSA-1024 SHA-1 leaf that is not DER; control: public",
            build: |world| {
                let subject = name(&[("C", "TR"), ("O", "EGO"), ("CN", "*.EGO.GOV.TR")]);
                let rogue = Template::authority(&subject);
                let rogue = world.public.intermediate_with(Key::rsa(2048), rogue);
                ego(world, &rogue).control(&world.genuine(GOOGLE))
            },
            expected: Expected::anomaly(&[]).says(&["weak-key"]),
        },
        neighbour: genuine(|world| {
            Built::new(GOOGLE, world.genuine(GOOGLE)).control(&world.genuine(GOOGLE))
        }),
        known_gap: None,
    },
    Scenario {
        id: "turktrust-ego-listed",
        incidents: &["tr-2012-turktrust"],
        story: Story {
            drawn: "the same, and a dossier lists the key of the rogue authority; no control",
            build: |world| ego(world, world.dossier("turktrust")),
            expected: Expected::intercepted(
                PublicCa,
                Confirmed,
                Some("turktrust"),
                &["signed-by-key", "key-in-chain"],
            ),
        },
        neighbour: Some(Story {
            drawn: "[public root ->] CA -> genuine leaf, the rogue authority sent along; no control",
            build: |world| {
                let mut genuine = world.genuine(GOOGLE);
                genuine.above.insert(0, world.dossier("turktrust").certificate.clone());
                Built::new(GOOGLE, genuine)
            },
            expected: Expected::plain(Normal, &["public-anchor"]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "diginotar-listed",
        incidents: &["ir-2011-diginotar"],
        story: Story {
            drawn: "[public root ->] DigiNotar -> leaf of July 2011 for Google; no control",
            build: |world| {
                let leaf = Template::leaf(&["*.google.com"]);
                let leaf = leaf.valid(JULY_2011, JULY_2011 + 700 * DAY);
                let chain = [world.dossier("diginotar"), &world.public];
                Built::new(GOOGLE, under(&chain, leaf)).at(JULY_2011 + 30 * DAY)
            },
            expected: Expected::intercepted(
                PublicCa,
                Probable,
                Some("diginotar"),
                &["signed-by-key"],
            )
            .says(&["noted-authority"]),
        },
        neighbour: Some(Story {
            drawn: "[public root ->] DigiNotar -> leaf of July 2011 for a Dutch notary; no control",
            build: |world| {
                let leaf = Template::leaf(&["www.notaris.nl"]);
                let leaf = leaf.valid(JULY_2011, JULY_2011 + 700 * DAY);
                let chain = [world.dossier("diginotar"), &world.public];
                Built::new("www.notaris.nl", under(&chain, leaf)).at(JULY_2011 + 30 * DAY)
            },
            expected: Expected::plain(Normal, &["public-anchor"]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "comodo-ra-listed",
        incidents: &["comodo-ra-2011"],
        story: Story {
            drawn: "[public root ->] CA -> leaf whose key is that of a published forgery; no control",
            build: |world| {
                let key = world.dossier("comodo-ra").key.clone();
                let forged = world.unlogged_by(&world.public_ca, Template::leaf(&[YAHOO]));
                Built::new(YAHOO, Presented { key, ..forged })
            },
            expected: Expected::intercepted(
                PublicCa,
                Confirmed,
                Some("comodo-ra"),
                &["key-in-chain"],
            )
            .says(&["known-forgery"]),
        },
        neighbour: Some(Story {
            drawn: "[public root ->] CA -> genuine leaf, sent by its holder; no control",
            build: |world| Built::new(YAHOO, world.genuine(YAHOO)),
            expected: Expected::plain(Normal, &["public-anchor"]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "diginotar",
        incidents: &["ir-2011-diginotar"],
        story: Story {
            drawn: "[public root ->] CA -> leaf in no log; control: another key, in logs",
            build: |world| unlogged(world, GOOGLE).control(&world.genuine(GOOGLE)),
            expected: Expected::anomaly(&["control", "public-anchor"]).says(&["missing-scts"]),
        },
        neighbour: Some(Story {
            drawn: "[public root ->] CA -> leaf in no log; control: the same",
            build: |world| {
                let unlogged = unlogged(world, GOOGLE);
                let same = unlogged.presented.clone();
                unlogged.control(&same).control(&world.genuine(GOOGLE))
            },
            expected: Expected::plain(Normal, &["public-anchor"]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "comodo-ra",
        incidents: &["comodo-ra-2011"],
        story: Story {
            drawn: "[public root ->] CA -> leaf in no log, by order of a reseller; control: another CA's, in logs",
            build: |world| {
                let other = world.genuine_by(&world.other_ca, Template::leaf(&[YAHOO]));
                unlogged(world, YAHOO).control(&other)
            },
            expected: Expected::anomaly(&["control", "public-anchor"]).says(&["missing-scts"]),
        },
        neighbour: genuine(|world| {
            let other = world.genuine_by(&world.other_ca, Template::leaf(&[YAHOO]));
            Built::new(YAHOO, world.genuine(YAHOO)).control(&other)
        }),
        known_gap: None,
    },
    Scenario {
        id: "sold-intermediate",
        incidents: &["trustwave-2012", "fr-2013-dgtresor", "in-2014-nic", "cn-2015-cnnic-mcs"],
        story: Story {
            drawn: "[public root ->] CA -> somebody's intermediate -> leaf in no log; control: public, in logs",
            build: |world| {
                let sold = world.public_ca.intermediate("MCSHOLDING TEST");
                let chain = [&sold, &world.public_ca, &world.public];
                let leaf = Template::leaf(&[GOOGLE]).valid(NOW - 5 * DAY, NOW + 10 * DAY);
                Built::new(GOOGLE, under(&chain, leaf)).control(&world.genuine(GOOGLE))
            },
            expected: Expected::anomaly(&["control", "public-anchor"]).says(&["missing-scts"]),
        },
        neighbour: genuine(|world| {
            let sold = world.public_ca.intermediate("Site's own CA");
            let chain = [&sold, &world.public_ca, &world.public];
            let own = || under(&chain, Template::leaf(&[GOOGLE]));
            Built::new(GOOGLE, own()).control(&own())
        }),
        known_gap: None,
    },
    Scenario {
        id: "jabber-ru",
        incidents: &["de-2023-jabber-ru"],
        story: Story {
            drawn: "[public root ->] CA -> leaf in logs, in one network; six networks: another key of the CA",
            build: |world| Built::new(CHAT, world.genuine(CHAT)).others(&[&world.genuine(CHAT)]),
            expected: Expected::anomaly(&["consensus", "public-anchor"])
                .says(&["consensus-outlier"]),
        },
        neighbour: Some(Story {
            drawn: "[public root ->] CA -> leaf in logs; six networks: this key or another, in turns",
            build: |world| {
                let here = world.genuine(CHAT);
                Built::new(CHAT, here.clone()).others(&[&here, &world.genuine(CHAT)])
            },
            expected: Expected::plain(Normal, &["public-anchor"]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "klayswap",
        incidents: &["kr-2022-klayswap", "us-2022-celer"],
        story: Story {
            drawn: "[public root ->] another CA -> leaf in logs, after a hijacked route; six networks: the usual CA's",
            build: |world| {
                let other = world.genuine_by(&world.other_ca, Template::leaf(&[WALLET]));
                Built::new(WALLET, other).moved().others(&[&world.genuine(WALLET)])
            },
            expected: Expected::anomaly(&["consensus", "public-anchor"])
                .says(&["consensus-outlier"]),
        },
        neighbour: Some(Story {
            drawn: "[public root ->] CA -> a new leaf in logs; each of six networks: a key of its own",
            build: |world| {
                let keys: Vec<_> = (0..6).map(|_| world.genuine(WALLET)).collect();
                let keys: Vec<_> = keys.iter().collect();
                Built::new(WALLET, world.genuine(WALLET)).others(&keys)
            },
            expected: Expected::plain(Normal, &["public-anchor"]),
        }),
        known_gap: None,
    },
];

fn unlogged(world: &World, host: &'static str) -> Built {
    Built::new(host, world.unlogged_by(&world.public_ca, Template::leaf(&[host])))
}

/// Like the real leaf `60b35c92`: nothing but names, purpose and basic constraints.
fn ego(world: &World, rogue: &Authority) -> Built {
    let subject = name(&[("C", "US"), ("O", "Google Inc"), ("CN", "*.google.com")]);
    let mut constraints = basic_constraints(false, None);
    constraints.critical = false;
    let template = Template::bare(&subject)
        .valid(NOW - 30 * DAY, NOW + 150 * DAY)
        .with(extended_key_usage(&[SERVER_AUTH]))
        .with(constraints)
        .with(san(&["*.google.com", "*.youtube.com", "google.com"]))
        .algorithm(Algorithm::RsaSha1)
        .explicit_false();
    let forged = under(&[rogue, &world.public], template);
    Built::new(GOOGLE, Presented { key: Key::rsa(1024), ..forged })
}
