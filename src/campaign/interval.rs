//! Rates with their 95 % interval (Wilson 1927), so that three of four is never told as 75 %.

use serde::Serialize;

/// A share and its 95 % Wilson interval, each from 0 to 1 and rounded to four digits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// The share itself.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// Two-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

impl Rate {
    /// `part` of `whole`; `None` of nothing.
    pub fn of(part: u64, whole: u64) -> Option<Self> {
        if whole == 0 || part > whole {
            return None;
        }
        let (part, whole) = (part as f64, whole as f64);
        let share = part / whole;
        let spread = Z * Z / whole;
        let centre = (share + spread / 2.0) / (1.0 + spread);
        let half = Z * (share * (1.0 - share) / whole + Z * Z / (4.0 * whole * whole)).sqrt()
            / (1.0 + spread);
        Some(Self {
            value: rounded(share),
            low: rounded((centre - half).max(0.0)),
            high: rounded((centre + half).min(1.0)),
        })
    }
}

fn rounded(share: f64) -> f64 {
    (share * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of Newcombe 1998, table I, method 3, and the ends of the scale.
    #[test]
    fn wilson() {
        for (part, whole, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
            (20, 20, 0.8389, 1.0),
        ] {
            let rate = Rate::of(part, whole).unwrap();
            assert!((rate.low - low).abs() < 2e-4, "{part} of {whole}: {rate:?}");
            assert!((rate.high - high).abs() < 2e-4, "{part} of {whole}: {rate:?}");
        }
        assert_eq!(Rate::of(0, 0), None);
    }
}
