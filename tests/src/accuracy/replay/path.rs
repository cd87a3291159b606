//! Strangers on the path, with chains of their own under no root that anybody trusts.

use kua::detect::Level::Probable;
use kua::reference::Actor::Unknown;
use kua::verdict::Verdict::{Misconfigured, Normal};
use kua_mint::{NOW, Template, name};

use crate::accuracy::built::Built;
use crate::accuracy::expected::Expected;
use crate::accuracy::scenario::{Scenario, Story};
use crate::accuracy::world::{alone, root, under};

const DAY: i64 = 86_400;
const FACEBOOK: &str = "www.facebook.com";
const GITHUB: &str = "github.com";
const WALLET: &str = "myetherwallet.com";
const YOUTUBE: &str = "www.youtube.com";

const BY_CONTROL: Expected = Expected::intercepted(Unknown, Probable, None, &["control"]);

/// Each with its neighbour.
pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "syria-facebook",
        incidents: &["sy-2011-facebook"],
        story: Story {
            drawn: "self-signed leaf; control: public",
            build: |world| {
                let leaf = Template::leaf(&[FACEBOOK]).valid(NOW - 2 * DAY, NOW + 363 * DAY);
                Built::new(FACEBOOK, alone(leaf)).control(&world.genuine(FACEBOOK))
            },
            expected: BY_CONTROL.says(&["control-mismatch"]),
        },
        neighbour: Some(Story {
            drawn: "self-signed leaf of the site's own; control: the same",
            build: |_| {
                let own = alone(Template::leaf(&[FACEBOOK]));
                Built::new(FACEBOOK, own.clone()).control(&own)
            },
            expected: Expected::plain(Misconfigured, &["control"]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "china-self-signed",
        incidents: &[
            "cn-2013-github",
            "cn-2014-google-cernet",
            "cn-2014-2015-icloud-yahoo-outlook",
            "cn-2020-github",
        ],
        story: Story {
            drawn: "self-signed leaf with a stranger's mail address as subject; control: public",
            build: |world| {
                let subject = name(&[("C", "CN"), ("ST", "GD"), ("E", "346608453@qq.com")]);
                let leaf = Template::leaf(&[GITHUB]).subject(&subject);
                Built::new(GITHUB, alone(leaf)).control(&world.genuine(GITHUB))
            },
            expected: BY_CONTROL,
        },
        neighbour: Some(Story {
            drawn: "self-signed leaf; no control",
            build: |_| Built::new(GITHUB, alone(Template::leaf(&[GITHUB]))),
            expected: Expected::anomaly(&[]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "myetherwallet",
        incidents: &["us-2018-myetherwallet"],
        story: Story {
            drawn: "self-signed leaf at another address, after a hijacked route; control: public",
            build: |world| {
                let leaf = alone(Template::leaf(&[WALLET]));
                Built::new(WALLET, leaf).moved().control(&world.genuine(WALLET))
            },
            expected: BY_CONTROL,
        },
        neighbour: Some(Story {
            drawn: "public root -> CA -> genuine leaf at another address; control: public",
            build: |world| {
                Built::new(WALLET, world.genuine(WALLET)).moved().control(&world.genuine(WALLET))
            },
            expected: Expected::plain(Normal, &["public-anchor"]),
        }),
        known_gap: None,
    },
    Scenario {
        id: "gogo",
        incidents: &["us-2015-gogo"],
        story: Story {
            drawn: "[Gogo ->] leaf for the name, on a plane; control: public",
            build: |world| {
                let gogo = root(&[("C", "US"), ("O", "Gogo"), ("CN", "Gogo")]);
                let leaf = under(&[&gogo], Template::leaf(&[YOUTUBE, "*.google.com"]));
                Built::new(YOUTUBE, leaf).control(&world.genuine(YOUTUBE))
            },
            expected: BY_CONTROL,
        },
        neighbour: Some(Story {
            drawn: "[Gogo ->] leaf for the airline's own page, where DNS led; control: public",
            build: |world| {
                let gogo = root(&[("C", "US"), ("O", "Gogo"), ("CN", "Gogo")]);
                let leaf = under(&[&gogo], Template::leaf(&["wifi.airline.example"]));
                Built::new(YOUTUBE, leaf).moved().control(&world.genuine(YOUTUBE))
            },
            expected: Expected::anomaly(&["address"]),
        }),
        known_gap: None,
    },
];
