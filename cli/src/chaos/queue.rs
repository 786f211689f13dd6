//! The bytes under way in one direction, and when they are due. Pure: it is told the time.

use std::collections::VecDeque;
use std::io;

use super::board::Conditions;

/// Bytes in the order in which they came, each with the time at which it came.
#[derive(Debug)]
pub(super) struct Queue {
    bytes: VecDeque<u8>,
    /// Which bytes came when; their lengths add up to that of `bytes`.
    marks: VecDeque<Mark>,
    /// What follows the last byte.
    end: Option<(Mark, Result<(), io::ErrorKind>)>,
    /// Since when the slow link has nothing to do.
    idle_since_us: u64,
    dice: Dice,
}

/// What passes next, and when.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Next<'a> {
    /// Not before this time.
    pub(super) at_us: u64,
    pub(super) what: What<'a>,
}

/// Something that passes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum What<'a> {
    /// These bytes, or the first few of them. Never none.
    Bytes(&'a [u8]),
    /// The end of the stream: clean, or broken.
    End(Result<(), io::ErrorKind>),
}

/// Some bytes that came together. It holds what they came by and not when they are due, so that a changed delay
/// holds for bytes under way too.
#[derive(Clone, Copy, Debug)]
struct Mark {
    arrived_us: u64,
    /// The share of the jitter that falls to them, in 2⁻³².
    draw: u32,
    length: usize,
}

/// The most bytes held: the window of TCP without window scaling (RFC 9293), as a power of two.
pub(super) const CAPACITY: usize = 64 * 1024;

/// The most marks held: with one a millisecond, more than enough for a second's delay, and small beside the bytes.
const MARKS: usize = 1024;

/// A slow link passes its bytes in slices of a twentieth of a second, so that they trickle and don't gush.
const SLICES_PER_SECOND: u32 = 20;

impl Queue {
    pub(super) fn new(seed: u64) -> Self {
        Self { bytes: VecDeque::new(), marks: VecDeque::new(), end: None, idle_since_us: 0, dice: Dice(seed) }
    }

    /// How many bytes may be pushed; none after the end.
    pub(super) fn room(&self) -> usize {
        if self.end.is_some() || self.marks.len() >= MARKS { 0 } else { CAPACITY.saturating_sub(self.bytes.len()) }
    }

    pub(super) fn push(&mut self, now_us: u64, bytes: &[u8]) {
        self.bytes.extend(bytes);
        match self.marks.back_mut() {
            // Timers are no finer than a millisecond. All go by the last to arrive: none is early.
            Some(last) if last.arrived_us / 1000 == now_us / 1000 => {
                last.arrived_us = now_us;
                last.length = last.length.saturating_add(bytes.len());
            }
            Some(_) | None => {
                let mark = self.mark(now_us, bytes.len());
                self.marks.push_back(mark);
            }
        }
    }

    pub(super) fn push_end(&mut self, now_us: u64, end: Result<(), io::ErrorKind>) {
        self.end = Some((self.mark(now_us, 0), end));
    }

    /// What passes next under these conditions; `None` while there is nothing.
    pub(super) fn next(&self, conditions: &Conditions) -> Option<Next<'_>> {
        if let Some(mark) = self.marks.front() {
            let (contiguous, _) = self.bytes.as_slices();
            let slice = mark.length.min(contiguous.len()).min(slice_bytes(conditions));
            let at_us = self.begin_us(mark, conditions).saturating_add(transmission_us(slice, conditions));
            Some(Next { at_us, what: What::Bytes(&contiguous[..slice]) })
        } else {
            let (mark, end) = self.end.as_ref()?;
            Some(Next { at_us: self.begin_us(mark, conditions), what: What::End(*end) })
        }
    }

    /// So many of the next bytes have passed.
    pub(super) fn passed(&mut self, count: usize, conditions: &Conditions) {
        let Some(mark) = self.marks.front().copied() else { return };
        let begin_us = self.begin_us(&mark, conditions);
        self.idle_since_us = begin_us.saturating_add(transmission_us(count, conditions));
        self.bytes.drain(..count.min(self.bytes.len()));
        match mark.length.saturating_sub(count) {
            0 => drop(self.marks.pop_front()),
            rest => self.marks.iter_mut().take(1).for_each(|mark| mark.length = rest),
        }
    }

    /// The slow link did nothing until now.
    pub(super) fn idle_until(&mut self, now_us: u64) {
        self.idle_since_us = self.idle_since_us.max(now_us);
    }

    /// When the slow link begins with these bytes: they have had their delay, and it has done with those before.
    fn begin_us(&self, mark: &Mark, conditions: &Conditions) -> u64 {
        let jitter_us = (u64::from(conditions.jitter_ms) * 1000).saturating_mul(u64::from(mark.draw)) >> u32::BITS;
        let delay_us = u64::from(conditions.delay_ms) * 1000;
        mark.arrived_us.saturating_add(delay_us).saturating_add(jitter_us).max(self.idle_since_us)
    }

    fn mark(&mut self, arrived_us: u64, length: usize) -> Mark {
        Mark { arrived_us, draw: self.dice.roll(), length }
    }
}

/// The most that passes at once.
fn slice_bytes(conditions: &Conditions) -> usize {
    conditions.bytes_per_second.map_or(CAPACITY, |rate| ((rate.get() / SLICES_PER_SECOND) as usize).clamp(1, CAPACITY))
}

/// How long the slow link takes for so many bytes, rounded up.
fn transmission_us(bytes: usize, conditions: &Conditions) -> u64 {
    // At most CAPACITY bytes: no overflow.
    conditions.bytes_per_second.map_or(0, |rate| (bytes as u64 * 1_000_000).div_ceil(u64::from(rate.get())))
}

/// SplitMix64 (Steele, Lea and Flood, 2014): all that a jitter needs.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;

    fn link(delay_ms: u32, jitter_ms: u32, rate: u32) -> Conditions {
        let clean = Conditions::clean("127.0.0.1:1".parse().unwrap());
        Conditions { delay_ms, jitter_ms, bytes_per_second: NonZeroU32::new(rate), ..clean }
    }

    /// When each slice passes, and how long it is, at the earliest.
    fn drained(queue: &mut Queue, conditions: &Conditions) -> Vec<(u64, usize)> {
        let mut slices = Vec::new();
        while let Some(Next { at_us, what: What::Bytes(bytes) }) = queue.next(conditions) {
            let length = bytes.len();
            slices.push((at_us, length));
            queue.passed(length, conditions);
        }
        slices
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut queue = Queue::new(1);
        queue.push(0, &[0; CAPACITY]);
        assert_eq!(queue.room(), 0);
        let mut queue = Queue::new(1);
        for millisecond in 0..MARKS as u64 {
            assert!(queue.room() > 0);
            queue.push(millisecond * 1000, &[0]);
        }
        assert_eq!(queue.room(), 0);
    }

    #[test]
    fn a_clean_link_adds_nothing() {
        let mut queue = Queue::new(1);
        queue.push(5_400, &[1; 300]);
        queue.push(7_000, &[2; 10]);
        assert_eq!(drained(&mut queue, &link(0, 0, 0)), [(5_400, 300), (7_000, 10)]);
    }

    #[test]
    fn bytes_of_one_millisecond_go_together_and_none_is_early() {
        let mut queue = Queue::new(1);
        queue.push(5_400, &[1]);
        queue.push(5_900, &[2]);
        assert_eq!(drained(&mut queue, &link(10, 0, 0)), [(15_900, 2)]);
    }

    #[test]
    fn a_slow_link_passes_slices_one_after_the_other() {
        let mut queue = Queue::new(1);
        queue.push(1_000, &[1; 250]);
        queue.push(2_000, &[1; 50]);
        queue.push(9_000_000, &[1; 1]);
        let slices = drained(&mut queue, &link(10, 0, 2_000));
        assert_eq!(slices, [(61_000, 100), (111_000, 100), (136_000, 50), (161_000, 50), (9_010_500, 1)]);
    }

    #[test]
    fn a_slow_link_does_not_make_up_for_time_in_a_black_hole() {
        let mut queue = Queue::new(1);
        queue.push(0, &[1; 200]);
        queue.idle_until(1_000_000);
        assert_eq!(drained(&mut queue, &link(0, 0, 2_000)), [(1_050_000, 100), (1_100_000, 100)]);
    }

    #[test]
    fn jitter_is_spread_over_its_range_and_keeps_the_order() {
        let conditions = link(100, 50, 0);
        let waits: Vec<u64> = (0..1000)
            .map(|seed| {
                let mut queue = Queue::new(seed);
                queue.push(0, &[1]);
                drained(&mut queue, &conditions)[0].0
            })
            .collect();
        assert!(waits.iter().all(|wait| (100_000..=150_000).contains(wait)));
        assert!(waits.iter().any(|&wait| wait < 102_000) && waits.iter().any(|&wait| wait > 148_000));
        let mut queue = Queue::new(1);
        (0..100).for_each(|n| queue.push(n * 1000, &[1]));
        assert!(drained(&mut queue, &conditions).is_sorted());
    }

    #[test]
    fn the_end_has_its_delay_and_comes_last() {
        let mut queue = Queue::new(1);
        queue.push(0, &[1]);
        queue.push_end(70, Ok(()));
        assert_eq!(queue.room(), 0);
        let conditions = link(1, 0, 0);
        assert_eq!(drained(&mut queue, &conditions), [(1_000, 1)]);
        assert_eq!(queue.next(&conditions), Some(Next { at_us: 1_070, what: What::End(Ok(())) }));
    }

    #[test]
    fn the_furthest_times_are_no_trouble() {
        let mut queue = Queue::new(u64::MAX);
        queue.push(u64::MAX, &[1; 3]);
        let slowest = link(3_600_000, 3_600_000, 1);
        assert_eq!(drained(&mut queue, &slowest), [(u64::MAX, 1), (u64::MAX, 1), (u64::MAX, 1)]);
    }
}
