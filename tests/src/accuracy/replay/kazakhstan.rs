//! Kazakhstan 2019 to 2024: forged chains under roots that users were told to install.

use kua::detect::Level::{Confirmed, Probable};
use kua::reference::Actor::{State, Unknown};
use kua::verdict::Verdict::{Inconclusive, Misconfigured, Normal};
use kua_lab::forge;
use kua_mint::{
    Authority, Key, KeyUsage, NOW, Presented, Template, aki, aki_full, basic_constraints,
    key_usage, name, ski,
};

use crate::accuracy::built::Built;
use crate::accuracy::expected::Expected;
use crate::accuracy::scenario::{Scenario, Story};
use crate::accuracy::world::{ISCA, World, root, under};

const DAY: i64 = 86_400;
/// 2020-02-28T05:00:00Z, when the family of roots was made, and 20 years.
const BATCH: i64 = 1_582_866_000;
const TWENTY_YEARS: i64 = 7305 * DAY;

const INSTAGRAM: &str = "www.instagram.com";
const NEWS: &str = "regnum.ru";

/// Each with its neighbour.
pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "qaznet",
        incidents: &["kz-2019-qaznet"],
        story: Story {
            drawn: "[Qaznet root ->] Security Certificate -> leaf forged from the genuine one; control: public",
            build: |world| qaznet(world, world.dossier("kz-qaznet")),
            expected: Expected::intercepted(
                State,
                Confirmed,
                Some("kz-qaznet"),
                &["signed-by-key"],
            )
            .says(&["known-interceptor", "control-mismatch", "forged-leaf"])
            .evidence("forged-leaf", "fits_dossier", "kz-qaznet"),
        },
        neighbour: Some(Story {
            drawn: "public root -> CA -> genuine leaf; control: the same",
            build: |world| {
                Built::new(INSTAGRAM, world.genuine(INSTAGRAM)).control(&world.genuine(INSTAGRAM))
            },
            expected: Expected::plain(Normal, &["public-anchor"]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "qaznet-other-root",
        incidents: &["kz-2019-qaznet"],
        story: Story {
            drawn: "[unknown root ->] intermediate -> leaf forged in Qaznet's grammar; control: public",
            build: |world| qaznet(world, &root(&[("C", "KZ"), ("CN", "New Security Root")])),
            expected: Expected::intercepted(
                Unknown,
                Probable,
                None,
                &["control", "forgery", "name-only"],
            )
            .evidence("forged-leaf", "fits_dossier", "kz-qaznet"),
        },
        neighbour: Some(Story {
            drawn: "unknown root -> leaf of the site's own, root sent; control: another leaf of that root",
            build: |_| {
                let own = root(&[("O", "Site"), ("CN", "Site Root")]);
                let leaf = || Presented {
                    root_sent: true,
                    ..under(&[&own], Template::leaf(&[INSTAGRAM]))
                };
                Built::new(INSTAGRAM, leaf()).control(&leaf())
            },
            expected: Expected::plain(Misconfigured, &["control"]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "isca",
        incidents: &["kz-2021-2024-isca"],
        story: Story {
            drawn: "[ISCA root ->] intermediate of 75 days -> leaf; no control",
            build: |world| Built::new(NEWS, isca(world, "kz-isca", NOW - 30 * DAY)),
            expected: Expected::intercepted(State, Confirmed, Some("kz-isca"), &["signed-by-key"])
                .says(&["known-interceptor"]),
        },
        neighbour: Some(Story {
            drawn: "[another root of ISCA's name ->] leaf; no control",
            build: |_| Built::new(NEWS, under(&[&root(ISCA)], Template::leaf(&[NEWS]))),
            expected: Expected::anomaly(&["name-only"]).says(&["interceptor-name"]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "isca-expired",
        incidents: &["kz-2021-2024-isca"],
        story: Story {
            drawn: "[ISCA root ->] intermediate that expired 45 days ago -> leaf; control: public",
            build: |world| {
                Built::new(NEWS, isca(world, "kz-isca", NOW - 120 * DAY))
                    .control(&world.genuine(NEWS))
            },
            expected: Expected::intercepted(State, Confirmed, Some("kz-isca"), &["signed-by-key"])
                .says(&["known-interceptor", "expired-in-use"]),
        },
        neighbour: Some(Story {
            drawn: "public root -> CA -> leaf that the site forgot to renew; no control",
            build: |world| {
                let old = Template::leaf(&[NEWS]).valid(NOW - 100 * DAY, NOW - 10 * DAY);
                Built::new(NEWS, world.genuine_by(&world.public_ca, old))
            },
            expected: Expected::plain(Misconfigured, &["public-anchor"]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "isca-stock-ooni",
        incidents: &["kz-2021-2024-isca"],
        story: Story {
            drawn: "[ISCA root ->] intermediate [-> leaf], as stock OONI records it: one certificate; no control",
            build: |world| {
                let presented = isca(world, "kz-isca", NOW - 30 * DAY);
                Built::new(NEWS, presented).stock(1, "ssl_unknown_authority")
            },
            expected: Expected::intercepted(State, Confirmed, Some("kz-isca"), &["signed-by-key"]),
        },
        neighbour: Some(Story {
            drawn: "Signal's root [-> leaf], recorded by an OONI probe that knew an older one",
            build: |world| {
                let leaf = under(&[&world.signal], Template::leaf(&["chat.signal.org"]));
                let leaf = Presented { root_sent: true, ..leaf };
                Built::new("chat.signal.org", leaf).stock(1, "ssl_unknown_authority")
            },
            expected: Expected::plain(Inconclusive, &[]).says(&["private-pki"]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "isca-2020",
        incidents: &["kz-2020-isca"],
        story: Story {
            drawn: "ISCA root of 2020 -> intermediate -> leaf, root sent; control: public",
            build: |world| {
                let presented = isca(world, "kz-isca-2020", NOW - 30 * DAY);
                let presented = Presented { root_sent: true, ..presented };
                Built::new(NEWS, presented).control(&world.genuine(NEWS))
            },
            expected: Expected::intercepted(
                State,
                Confirmed,
                Some("kz-isca-2020"),
                &["signed-by-key", "key-in-chain"],
            ),
        },
        neighbour: Some(Story {
            drawn: "public root -> CA -> genuine leaf, ISCA's root sent along; no control",
            build: |world| {
                let mut genuine = world.genuine(NEWS);
                genuine.above.insert(0, world.dossier("kz-isca-2020").certificate.clone());
                Built::new(NEWS, genuine)
            },
            expected: Expected::plain(Normal, &["public-anchor"]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "isca-sibling",
        incidents: &["kz-2020-isca", "kz-2021-2024-isca"],
        story: Story {
            drawn: "unlisted root of the family -> leaf, root sent; control: public",
            build: |world| Built::new(NEWS, sibling(true)).control(&world.genuine(NEWS)),
            expected: Expected::intercepted(State, Probable, None, &["family", "control"])
                .evidence("interceptor-family", "sibling_of", "kz-isca"),
        },
        neighbour: Some(Story {
            drawn: "root of the family's name and form with a serial of its own -> leaf, root sent; no control",
            build: |_| Built::new(NEWS, sibling(false)),
            expected: Expected::anomaly(&["name-only"]),
        }),
        known_gap: None,
    },
];

/// The grammar of 2019: everything from the genuine leaf, moved and stripped, for a key of its own.
fn qaznet(world: &World, root: &Authority) -> Built {
    let genuine = world.genuine(INSTAGRAM);
    let middle = Template::authority(&name(&[("C", "KZ"), ("CN", "Security Certificate")]));
    let middle =
        root.intermediate_with(Key::ecdsa_p256(), middle.valid(NOW - 9 * DAY, NOW + 900 * DAY));
    let origin = &genuine.sent()[0];
    let template = forge::forge(origin, 2019, INSTAGRAM).expect("the genuine leaf is read");
    let key = Key::rsa_with_exponent(forge::BITS, forge::EXPONENT);
    let forged = Presented { key, ..under(&[&middle, root], template) };
    Built::new(INSTAGRAM, forged).control(&genuine)
}

/// A leaf under an intermediate of 75 days, as OONI's volunteers were shown it.
fn isca(world: &World, id: &str, from: i64) -> Presented {
    let root = world.dossier(id);
    let key = Key::ecdsa_p256();
    let middle = Template::authority(&name(ISCA))
        .valid(from, from + 75 * DAY)
        .with(ski(&key.id()))
        .with(aki(&root.key.id()));
    let middle = root.intermediate_with(key, middle);
    under(&[&middle, root], Template::leaf(&[NEWS]))
}

/// A root as those of 2020-02-28 are, whose key nobody listed; or one whose serial was drawn.
fn sibling(by_rule: bool) -> Presented {
    let key = Key::rsa(4096);
    let (id, subject) = (key.id(), name(ISCA));
    let mut serial = id.clone();
    serial[0] &= 0x7f;
    if !by_rule {
        serial = vec![0x41; 20];
    }
    while serial[0] == 0 && serial[1] < 0x80 {
        serial.remove(0);
    }
    let template = Template::bare(&subject)
        .serial(&serial)
        .valid(BATCH, BATCH + TWENTY_YEARS)
        .with(basic_constraints(true, None))
        .with(key_usage(&[KeyUsage::CertSign, KeyUsage::CrlSign]))
        .with(ski(&id))
        .with(aki_full(&id, &subject, &serial));
    let root = Authority::root_with(key, template);
    Presented { root_sent: true, ..under(&[&root], Template::leaf(&[NEWS])) }
}
