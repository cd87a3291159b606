//! What looks like interception and is none: portals, redirections, sites and probes as they are.

use kua::detect::Level::{Confirmed, Possible, Probable};
use kua::reference::Actor::{Portal, State};
use kua::verdict::Verdict::{Inconclusive, Misconfigured, Normal};
use kua_mint::{NOW, Presented, Template, name};

use crate::accuracy::built::Built;
use crate::accuracy::expected::Expected;
use crate::accuracy::scenario::{Scenario, Story};
use crate::accuracy::world::{alone, root, under};

const DAY: i64 = 86_400;
const BANK: &str = "online.sberbank.ru";
const GOOGLE: &str = "www.google.com";
const EXAMPLE: &str = "example.com";
const GOVERNMENT: &str = "egov.kz";

/// A scenario without an incident: the story itself is innocent.
const fn innocent(
    id: &'static str,
    incidents: &'static [&'static str],
    story: Story,
    known_gap: Option<&'static str>,
) -> Scenario {
    Scenario { id, incidents, story, neighbour: None, known_gap }
}

/// Interceptions that only the context makes one come first.
pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "russian-root-abroad",
        incidents: &["ru-2022-trusted-root"],
        story: Story {
            drawn: "[Russian root ->] leaf of www.google.com; control: public",
            build: |world| {
                let leaf = under(&[world.dossier("ru-trusted-root")], Template::leaf(&[GOOGLE]));
                Built::new(GOOGLE, leaf).control(&world.genuine(GOOGLE))
            },
            expected: Expected::intercepted(
                State,
                Confirmed,
                Some("ru-trusted-root"),
                &["signed-by-key", "control"],
            ),
        },
        neighbour: Some(Story {
            drawn: "[Russian root ->] leaf of a .ru bank; no control",
            build: |world| {
                let leaf = under(&[world.dossier("ru-trusted-root")], Template::leaf(&[BANK]));
                Built::new(BANK, leaf)
            },
            expected: Expected::plain(Misconfigured, &["signed-by-key"])
                .says(&["site-chose-state-ca"]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "captive-portal",
        incidents: &[],
        story: Story {
            drawn: "[a hotel's root ->] leaf for the portal, whose key is listed; control: public",
            build: |world| {
                let leaf = Presented { key: world.portal.clone(), ..portal() };
                Built::new(EXAMPLE, leaf).moved().control(&world.genuine(EXAMPLE))
            },
            expected: Expected::intercepted(Portal, Probable, None, &["portal-key"])
                .says(&["captive-portal"]),
        },
        neighbour: Some(Story {
            drawn: "[a router's root ->] leaf for the router, where DNS led; control: public",
            build: |world| {
                let subject = name(&[("O", "Ubiquiti Inc."), ("CN", "router.local")]);
                let leaf = alone(Template::leaf(&["router.local"]).subject(&subject));
                Built::new(EXAMPLE, leaf).moved().control(&world.genuine(EXAMPLE))
            },
            expected: Expected::anomaly(&["address"]).says(&["dns-redirected"]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "captive-portal-unlisted",
        incidents: &[],
        story: Story {
            drawn: "[a hotel's root ->] one leaf for the portal, for four names, at one private address",
            build: |_| {
                let leaf = portal();
                Built::new(EXAMPLE, leaf.clone())
                    .inside()
                    .also("www.wikipedia.org", leaf.clone())
                    .also("www.debian.org", leaf.clone())
                    .also("letsencrypt.org", leaf)
            },
            expected: Expected::intercepted(Portal, Possible, None, &["session", "address"])
                .says(&["captive-portal"]),
        },
        neighbour: Some(Story {
            drawn: "[a private root ->] leaf for other names at a public address, for one name of two",
            build: |world| {
                Built::new(EXAMPLE, portal())
                    .also("www.wikipedia.org", world.genuine("www.wikipedia.org"))
            },
            expected: Expected::anomaly(&[]),
        }),
        known_gap: None,
    },
    innocent(
        "router-after-dns",
        &[],
        Story {
            drawn: "a device's own leaf at another address; control: public",
            build: |world| {
                let leaf = alone(Template::leaf(&["device.local"]));
                Built::new(EXAMPLE, leaf).moved().control(&world.genuine(EXAMPLE))
            },
            expected: Expected::anomaly(&["address"]).says(&["dns-redirected"]),
        },
        None,
    ),
    innocent(
        "national-ca",
        &[],
        Story {
            drawn: "[a state's CA for its own sites ->] leaf of a government site; control: the same",
            build: |_| {
                let authority = root(&[("C", "KZ"), ("CN", "National Certification Authority")]);
                let leaf = under(&[&authority], Template::leaf(&[GOVERNMENT]));
                Built::new(GOVERNMENT, leaf.clone()).control(&leaf)
            },
            expected: Expected::plain(Misconfigured, &["control"]),
        },
        None,
    ),
    innocent(
        "signal",
        &[],
        Story {
            drawn: "Signal's root -> leaf, root sent; no control",
            build: |world| {
                let leaf = under(&[&world.signal], Template::leaf(&["chat.signal.org"]));
                Built::new("chat.signal.org", Presented { root_sent: true, ..leaf })
            },
            expected: Expected::plain(Inconclusive, &[]).says(&["private-pki"]),
        },
        None,
    ),
    innocent(
        "expired-site",
        &[],
        Story {
            drawn: "public root -> CA -> expired leaf; control: the same",
            build: |world| {
                let old = Template::leaf(&[EXAMPLE]).valid(NOW - 90 * DAY, NOW - DAY);
                let old = world.genuine_by(&world.public_ca, old);
                Built::new(EXAMPLE, old.clone()).control(&old)
            },
            expected: Expected::plain(Misconfigured, &["control"]),
        },
        None,
    ),
    innocent(
        "forgotten-intermediate",
        &[],
        Story {
            drawn: "[public root -> CA ->] leaf; control: the same",
            build: |world| {
                let genuine = world.genuine(EXAMPLE);
                let forgotten = Presented { above: Vec::new(), ..genuine.clone() };
                Built::new(EXAMPLE, forgotten).control(&genuine)
            },
            expected: Expected::plain(Misconfigured, &["control"]),
        },
        None,
    ),
    innocent(
        "forgotten-intermediate-of-two",
        &[],
        Story {
            drawn: "[public root -> CA ->] leaf; control: public root -> the same CA -> leaf of another key",
            build: |world| {
                let forgotten = Presented { above: Vec::new(), ..world.genuine(EXAMPLE) };
                Built::new(EXAMPLE, forgotten).control(&world.genuine(EXAMPLE))
            },
            expected: Expected::plain(Misconfigured, &["control"]),
        },
        None,
    ),
    innocent(
        "two-keys",
        &[],
        Story {
            drawn: "public root -> CA -> leaf; control: public root -> another CA -> leaf of another key",
            build: |world| {
                let other = world.genuine_by(&world.other_ca, Template::leaf(&[EXAMPLE]));
                Built::new(EXAMPLE, world.genuine(EXAMPLE)).control(&other)
            },
            expected: Expected::plain(Normal, &["public-anchor"]),
        },
        None,
    ),
    innocent(
        "clock-ahead",
        &[],
        Story {
            drawn: "public root -> CA -> leaf, and three sites more, by a clock that is two years ahead",
            build: |world| {
                let genuine = |host| world.genuine(host);
                Built::new(EXAMPLE, genuine(EXAMPLE))
                    .at(NOW + 730 * DAY)
                    .also("www.wikipedia.org", genuine("www.wikipedia.org"))
                    .also("www.debian.org", genuine("www.debian.org"))
                    .also("letsencrypt.org", genuine("letsencrypt.org"))
            },
            expected: Expected::plain(Inconclusive, &["session"]).says(&["clock-skew"]),
        },
        None,
    ),
    innocent(
        "removed-root",
        &[],
        Story {
            drawn: "[a root that only the recording client had ->] leaf; control: public",
            build: |world| {
                let old = root(&[("O", "Old Authority"), ("CN", "Old Root")]);
                let leaf = under(&[&old], Template::leaf(&[EXAMPLE]));
                Built::new(EXAMPLE, leaf).accepted().control(&world.genuine(EXAMPLE))
            },
            expected: Expected::plain(Inconclusive, &[]),
        },
        None,
    ),
    innocent(
        "replayed",
        &[],
        Story {
            drawn: "public root -> CA -> leaf by a peer without its key; control: the same",
            build: |world| {
                let genuine = world.genuine(EXAMPLE);
                Built::new(EXAMPLE, genuine.clone()).replayed().control(&genuine)
            },
            expected: Expected::anomaly(&["public-anchor"]),
        },
        None,
    ),
];

/// A portal's leaf for its own name.
fn portal() -> Presented {
    let hotel = root(&[("O", "Hotel"), ("CN", "Hotel Root")]);
    under(&[&hotel], Template::leaf(&["login.hotel.example"]))
}
