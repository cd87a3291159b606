//! Many honest chains are out of date at once: the clock is.

use serde_json::json;

use super::{Case, Detector, Innocent, Level, Outcome};

/// Unrelated sites that must be out of date before the clock is doubted.
const SITES: usize = 3;

pub(super) static DETECTOR: Detector = Detector {
    id: "clock-skew",
    level: Level::Probable,
    claim: "the probe's clock was wrong: one correction of it makes every chain of the run valid that is out of date",
    innocent: &[Innocent::NeglectedSites],
    source: "Acer et al. 2017, Where the Wild Warnings Are: clocks as the commonest cause of date errors; RFC 5280, section 6.1.3 (a)(2)",
    example: "three public leaves of different sites, all expired on one day; the evidence holds the sites and the least and the most that the clock is wrong by",
    examine,
};

fn examine(case: &Case<'_>) -> Outcome {
    let Some(session) = case.session() else { return Outcome::NotApplicable };
    if !case.is_wrong_in_dates_only() {
        return Outcome::NotApplicable;
    }
    let clock = session.clock();
    let sites: Vec<_> = session.out_of_date.keys().collect();
    if sites.len() < SITES || clock.is_empty() {
        return Outcome::Clear;
    }
    Outcome::found(
        Level::Probable,
        json!({
            "sites": sites,
            "clock_is_behind_by_seconds": { "least": clock.least, "most": clock.most },
            "sites_in_date": session.genuine_beside(""),
        }),
    )
}

#[cfg(test)]
mod tests {
    use kua_mint::{Key, NOW, Template};

    use super::*;
    use crate::detect::testing::{Bench, measurement, presented, surroundings};
    use crate::verdict::Verdict::{Inconclusive, Misconfigured};
    use crate::verdict::judge;

    const YEAR: i64 = 365 * 86_400;

    #[test]
    fn table() {
        let bench = Bench::new();
        let key = Key::ecdsa_p256();
        let sites = ["example.com", "example.org", "example.net"];
        // Where each is valid, in years from what the clock says.
        for (case, names, valid, in_date, found) in [
            (
                "three public leaves of different sites, all expired on one day",
                sites,
                [(-3, -1), (-3, -1), (-2, -1)],
                None,
                true,
            ),
            (
                "three public leaves that are not valid yet",
                sites,
                [(1, 3), (1, 2), (1, 3)],
                None,
                true,
            ),
            (
                "three expired at once, a fourth that was valid then too",
                sites,
                [(-3, -1), (-3, -1), (-2, -1)],
                Some((-3, 1)),
                true,
            ),
            (
                "three expired at once, a fourth that was not yet made then",
                sites,
                [(-3, -1), (-3, -1), (-2, -1)],
                Some((0, 1)),
                false,
            ),
            (
                "three that expired in different years",
                sites,
                [(-9, -8), (-6, -5), (-3, -1)],
                None,
                false,
            ),
            (
                "three names of one site, expired",
                ["example.com", "a.example.com", "b.example.com"],
                [(-3, -1), (-3, -1), (-2, -1)],
                None,
                false,
            ),
        ] {
            let leaf = |name: &str, (from, until): (i64, i64)| {
                let template =
                    Template::leaf(&[name]).valid(NOW + from * YEAR - 9, NOW + until * YEAR + 9);
                bench.public.leaf_with(&key, template).certificate
            };
            let mut shown: Vec<_> = names
                .iter()
                .zip(valid)
                .map(|(name, valid)| presented(name, "192.0.2.1", &[&leaf(name, valid)]))
                .collect();
            let fourth = "in-date.example";
            shown.extend(
                in_date.map(|valid| presented(fourth, "192.0.2.2", &[&leaf(fourth, valid)])),
            );
            let seen = measurement(&shown);
            let around = surroundings(&bench, std::slice::from_ref(&seen));
            let judgement = judge(&seen, &bench.reference, &around, None).remove(0);
            assert_eq!(judgement.has(DETECTOR.id), found, "{case}");
            let verdict = if found { Inconclusive } else { Misconfigured };
            assert_eq!(judgement.verdict, verdict, "{case}");
            assert_eq!(judgement.level, None, "{case}");
        }
    }
}
