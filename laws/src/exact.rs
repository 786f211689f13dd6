//! Exact arithmetic for laws that ask for it.

use redial::DialBudget;

use crate::step::{Us, us};

/// The dial budget's bucket, in microseconds of refilling: so no part of a token is rounded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    budget: Option<DialBudget>,
    level: Us,
    since: Us,
}

impl Bucket {
    /// "the bucket is full at first"
    pub(crate) fn full(budget: Option<DialBudget>) -> Self {
        let level = budget.map_or(0, |budget| us(budget.refill) * Us::from(budget.burst));
        Self { budget, level, since: 0 }
    }

    /// From when on there is a token.
    pub(crate) fn token_at(&self) -> Us {
        self.budget.map_or(0, |budget| self.since + (us(budget.refill) - self.level).max(0))
    }

    /// "a dial takes its token when it is made"
    pub(crate) fn take(&mut self, now: Us) {
        if let Some(budget) = self.budget {
            let token = us(budget.refill);
            self.level = (self.level + now - self.since).min(token * Us::from(budget.burst)) - token;
            self.since = now;
        }
    }
}

/// RFC 6298's SRTT: exact for the first twenty samples, and as good as that later.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Srtt {
    samples: u32,
    /// In 2⁻⁶⁰ths of a microsecond: each sample divides by 8 once more.
    value: Us,
}

impl Srtt {
    const ONE: Us = 1 << 60;
    /// The machine tells latencies apart up to 2⁴⁶ µs, 2.2 years.
    const LONGEST: Us = 1 << 46;

    pub(crate) const fn is_empty(&self) -> bool {
        self.samples == 0
    }

    pub(crate) fn add(&mut self, sample: Us) {
        let sample = sample.min(Self::LONGEST) * Self::ONE;
        self.value = if self.samples == 0 { sample } else { self.value + (sample - self.value) / 8 };
        self.samples = self.samples.saturating_add(1);
    }

    pub(crate) fn is_within_a_microsecond(&self, smoothed: Us) -> bool {
        (smoothed * Self::ONE - self.value).abs() <= Self::ONE
    }

    /// Against `bound` × `factor`; `None` where they are too close for anyone's rounding.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn compare(&self, bound: Us, factor: f64) -> Option<std::cmp::Ordering> {
        const TOO_CLOSE: f64 = 0.001;
        let (value, bound) = (self.value as f64 / Self::ONE as f64, bound as f64 * factor);
        if (value - bound).abs() < TOO_CLOSE { None } else { value.partial_cmp(&bound) }
    }
}

/// "rounded to the nearest microsecond, halves up": of a positive fraction.
pub(crate) const fn rounded(span: Us, parts: Us) -> Us {
    (2 * span + parts) / (2 * parts)
}

/// A number as people write it, from 0 to 1: so many parts of so many.
pub(crate) fn parts(ratio: f64) -> (Us, Us) {
    let (digits, decimals) = decimal(ratio);
    (Us::from(digits), 10_i128.pow(decimals))
}

/// So much of `span`, rounded down. A ratio from 0 to 1 may be off by 2⁻⁵¹ of itself, and by 2⁻⁵⁶: a third of three, as
/// people write it, is one.
pub(crate) fn share(span: Us, ratio: f64) -> Us {
    let (part, whole) = parts(ratio);
    let (share, all) = (span * part, span * whole);
    (share + (share >> 51) + (all >> 56)).min(all) / whole
}

/// The digits of a number as people write it, and how many of them are decimals. At most 17 digits matter.
fn decimal(number: f64) -> (u64, u32) {
    const MOST: usize = 17;
    let text = number.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction: String = fraction.chars().take(MOST).collect();
    let digits = format!("{whole}{fraction}").parse().unwrap_or(u64::MAX);
    (digits, u32::try_from(fraction.len()).unwrap_or(0))
}

/// `base` × `multiplier`^`power` to the nearest microsecond, halves up, but no more than `cap`.
pub(crate) fn growth(base: Us, multiplier: f64, power: u32, cap: Us) -> Us {
    // 2⁵³ is the longest span: one step of such a multiplier passes it.
    const HUGE: f64 = 9_007_199_254_740_992.0;
    if base == 0 || power == 0 || base >= cap {
        return base.min(cap);
    }
    if multiplier >= HUGE {
        return cap;
    }
    let (digits, decimals) = decimal(multiplier);
    let mut product = Natural::new(u64::try_from(base).unwrap_or(u64::MAX));
    let mut scale = 0;
    for _ in 0..power {
        product.multiply(digits);
        scale += decimals;
        // What has passed the cap stays there.
        if product.clone().without_decimals(scale).is_none_or(|whole| Us::from(whole) >= cap) {
            return cap;
        }
    }
    // Halves up: with one decimal more, five of them are added.
    product.multiply(10);
    let mut half = Natural::new(5);
    (0..scale).for_each(|_| half.multiply(10));
    product.add(&half);
    product.without_decimals(scale + 1).map_or(cap, |whole| Us::from(whole).min(cap))
}

/// A whole number of any size, in parts of 64 bits, the lowest first.
#[derive(Clone, Debug)]
struct Natural(Vec<u64>);

impl Natural {
    fn new(value: u64) -> Self {
        Self(vec![value])
    }

    fn multiply(&mut self, by: u64) {
        let mut carry = 0_u128;
        for part in &mut self.0 {
            let product = u128::from(*part) * u128::from(by) + carry;
            *part = product as u64;
            carry = product >> 64;
        }
        if carry > 0 {
            self.0.push(carry as u64);
        }
    }

    fn add(&mut self, other: &Self) {
        let mut carry = 0_u128;
        for index in 0..self.0.len().max(other.0.len()) {
            if index == self.0.len() {
                self.0.push(0);
            }
            let sum = u128::from(self.0[index]) + u128::from(other.0.get(index).copied().unwrap_or(0)) + carry;
            self.0[index] = sum as u64;
            carry = sum >> 64;
        }
        if carry > 0 {
            self.0.push(carry as u64);
        }
    }

    /// Divided by 10 so many times; `None` if that is more than 64 bits.
    fn without_decimals(mut self, decimals: u32) -> Option<u64> {
        for _ in 0..decimals {
            let mut rest = 0_u128;
            for part in self.0.iter_mut().rev() {
                let whole = rest << 64 | u128::from(*part);
                *part = (whole / 10) as u64;
                rest = whole % 10;
            }
        }
        let (lowest, others) = self.0.split_first()?;
        others.iter().all(|part| *part == 0).then_some(*lowest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_exact_and_halves_go_up() {
        assert_eq!(growth(1_000_000, 2.0, 0, 1 << 53), 1_000_000);
        assert_eq!(growth(1_000_000, 2.0, 30, 1 << 53), 1_000_000 << 30);
        assert_eq!(growth(1_000_000, 1.5, 7, 1 << 53), 17_085_938); // 17 085 937.5
        assert_eq!(growth(1005, 1.7, 1, 1 << 53), 1709); // 1708.5
        assert_eq!(growth(500, 1.1, 3, 1 << 53), 666); // 665.5
        assert_eq!(growth(3, 1.1, 1, 1 << 53), 3); // 3.3
        assert_eq!(growth(1_000_000, 10.0, 60, 5_000_000), 5_000_000);
        assert_eq!(growth(7, 1e300, 1, 1 << 53), 1 << 53);
    }

    #[test]
    fn a_ratio_is_read_as_it_is_written() {
        assert_eq!(parts(0.2), (2, 10));
        assert_eq!(parts(1.0), (1, 1));
        assert_eq!(parts(0.125), (125, 1000));
    }

    #[test]
    fn a_share_is_rounded_down() {
        assert_eq!(share(13, 0.2), 2); // 2.6
        assert_eq!(share(10, 0.3), 3);
        assert_eq!(share(3, 1.0 / 3.0), 1);
        assert_eq!([0.0, 1.0].map(|ratio| share(1 << 53, ratio)), [0, 1 << 53]);
    }

    #[test]
    fn a_bucket_is_full_at_first_and_refills_evenly() {
        let budget = DialBudget { burst: 2, refill: redial::Micros::from_micros(10) };
        let mut bucket = Bucket::full(Some(budget));
        bucket.take(100);
        bucket.take(104);
        assert_eq!(bucket.token_at(), 110);
        bucket.take(110);
        assert_eq!(bucket.token_at(), 120);
    }

    #[test]
    fn the_first_sample_sets_the_smoothed_latency() {
        let mut srtt = Srtt::default();
        srtt.add(80);
        assert!(srtt.is_within_a_microsecond(80) && !srtt.is_within_a_microsecond(82));
        srtt.add(160);
        assert_eq!(srtt.compare(90, 1.0), None);
        assert_eq!(srtt.compare(89, 1.0), Some(std::cmp::Ordering::Greater));
    }
}
