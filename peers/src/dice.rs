//! Chance that repeats: one seed, the same draws on every machine and in every run.
//!
//! Place: under everything here that is random: channels, vendors, callers. Two rules keep a seed worth quoting:
//! the generator is ChaCha with eight rounds, whose output is fixed by its specification, and what is made of its words is made here,
//! with `libm` for logarithms, since the platform's differ in the last bit. Each use draws from a stream of its own
//! ([`Dice::stream`]), so that a new draw in one place moves nothing in another.
//!
//! Not for keys or ids.

use std::ops::Range;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A stream of draws.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dice {
    words: ChaCha8Rng,
}

impl Dice {
    /// The draws of this seed.
    pub fn new(seed: u64) -> Self {
        Self { words: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// The draws of this seed for one named purpose; independent of every other name's.
    pub fn stream(seed: u64, purpose: &str) -> Self {
        let mut words = ChaCha8Rng::seed_from_u64(seed);
        words.set_stream(name_hash(purpose));
        Self { words }
    }

    /// The draws that belong to the `number`th of many likes, such as one request of a vendor: known without drawing those before it.
    pub fn numbered(seed: u64, number: u64) -> Self {
        let mut words = ChaCha8Rng::seed_from_u64(seed);
        words.set_stream(number);
        Self { words }
    }

    /// 64 even bits; also a seed for something else.
    pub fn bits(&mut self) -> u64 {
        self.words.next_u64()
    }

    /// Even over 0 (included) to 1 (excluded).
    pub fn unit(&mut self) -> f64 {
        // the 53 bits that a double holds
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// `true` with that probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Even over the range, its end excluded; its start if it is empty.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        let width = range.end.saturating_sub(range.start);
        // the bias of the multiplication is width / 2^64: nobody can see it
        range.start + ((u128::from(self.bits()) * u128::from(width)) >> 64) as u64
    }

    /// Even over the range, in whole milliseconds, its end excluded.
    pub fn millis(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.within(range))
    }

    /// One of them; `None` if there are none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.within(0..from.len() as u64) as usize)
    }

    /// One of them, each as often as its weight says; `None` if all weigh nothing.
    pub fn weighted<T: Copy>(&mut self, from: &[(u32, T)]) -> Option<T> {
        let total = from.iter().map(|(weight, _)| u64::from(*weight)).sum();
        let mut at = self.within(0..total);
        from.iter()
            .find(|(weight, _)| match at.checked_sub(u64::from(*weight)) {
                None => true,
                Some(rest) => {
                    at = rest;
                    false
                }
            })
            .map(|(_, item)| *item)
    }

    /// Normal with mean 0 and deviation 1 (Box and Muller, 1958; one of the two is thrown away).
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// Exponential with that mean: the wait for something that comes by chance.
    pub fn exponential(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(-libm::log(1.0 - self.unit()))
    }
}

/// FNV-1a, 64 bits.
fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If this changes, every seed that anybody ever wrote down means another call.
    #[test]
    fn a_seed_means_the_same_for_ever() {
        let mut plain = Dice::new(1);
        let mut stream = Dice::stream(1, "channel");
        let drawn = [plain.bits(), plain.within(0..1_000), stream.bits(), Dice::new(7).normal().to_bits()];
        assert_eq!(drawn, [7_424_550_030_962_593_201, 80, 15_827_550_180_848_873_360, 4_598_874_211_397_379_607]);
    }

    #[test]
    fn purposes_and_numbers_are_independent() {
        let first = |mut dice: Dice| (0..4).map(|_| dice.bits()).collect::<Vec<_>>();
        assert_eq!(first(Dice::stream(3, "noise")), first(Dice::stream(3, "noise")));
        assert_ne!(first(Dice::stream(3, "noise")), first(Dice::stream(3, "voice")));
        assert_ne!(first(Dice::numbered(3, 1)), first(Dice::numbered(3, 2)));
        assert_ne!(first(Dice::new(3)), first(Dice::new(4)));
    }

    #[test]
    fn draws_are_spread_as_they_should_be() {
        let mut dice = Dice::new(5);
        let draws = 20_000;
        let mean = |sum: f64| sum / f64::from(draws);
        let hits = (0..draws).filter(|_| dice.chance(0.2)).count() as f64;
        assert!((mean(hits) - 0.2).abs() < 0.01, "{hits}");
        let waited: Duration = (0..draws).map(|_| dice.exponential(Duration::from_millis(40))).sum();
        assert!((mean(waited.as_secs_f64()) - 0.040).abs() < 0.001, "{waited:?}");
        let normal: Vec<f64> = (0..draws).map(|_| dice.normal()).collect();
        assert!(mean(normal.iter().sum()).abs() < 0.02);
        assert!((mean(normal.iter().map(|x| x * x).sum()) - 1.0).abs() < 0.03);
        assert!((0..draws).all(|_| (10..13).contains(&dice.within(10..13))));
    }

    #[test]
    fn weights_and_picks_keep_to_what_is_there() {
        let mut dice = Dice::new(9);
        let picked: Vec<char> = (0..8_000).filter_map(|_| dice.weighted(&[(3, 'a'), (0, 'b'), (1, 'c')])).collect();
        let share = picked.iter().filter(|&&item| item == 'a').count() as f64 / picked.len() as f64;
        assert_eq!((picked.len(), picked.contains(&'b')), (8_000, false));
        assert!((share - 0.75).abs() < 0.02, "{share}");
        assert_eq!(dice.weighted::<char>(&[]), None);
        assert_eq!(dice.weighted(&[(0, 'a')]), None);
        assert_eq!(dice.pick::<char>(&[]), None);
    }
}
