//! The shape of what is sent: edges, seams, what fills a gap, and the bed under it all.
//!
//! ```text
//! silence ╱ voice ──┬── voice ── gap ~~~~╲ silence ╱ voice ~╲ silence
//!                   └ two takes meet: crossfade 5 ms        ╱ rises over 5 ms
//! ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁ bed ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁    ~ the last waveform again: 5 ms of it where a voice ends, in a gap
//!                                                             60 ms and the room's noise up to 300 ms, falling at its end
//! ```
//!
//! So no edge of ours is a step, and no measure of clicks ([`tandem_codecs::click`]) finds one. A `clear` cuts at the carrier, where nothing can
//! be shaped. Samples in, as many samples out. Not here: when what is sent, and positions.

use std::collections::VecDeque;
use std::time::Duration;

use tandem_codecs::SampleRate;
use tandem_codecs::mix::{Bed, Gain};
use tandem_codecs::plc::Concealer;

/// A voice rises from silence, falls into it, and passes into another over this.
const EDGE: Duration = Duration::from_millis(5);
/// A gap is filled no longer than this.
const FILLED: Duration = Duration::from_millis(300);
/// The end of that.
const FALL: Duration = Duration::from_millis(60);
/// A voice that ends above this has an end that is heard: -42 dBFS.
pub const NO_STEP: u16 = 256;

/// The sound of one leg.
#[derive(Debug)]
pub(super) struct Sound {
    rate: SampleRate,
    edge: usize,
    concealer: Concealer,
    bed: Option<Bed>,
    /// A voice is in the far end's ear, or what stands in for it.
    voicing: bool,
    level: Gain,
    /// What is left of the end of the last voice.
    fall: VecDeque<i16>,
    /// The last sample, the bed aside.
    last: i16,
    /// Samples of the present gap that were filled.
    filled: usize,
}

impl Sound {
    pub(super) fn new(rate_hz: u32) -> Self {
        let rate = SampleRate::new(rate_hz).unwrap_or(SampleRate::HZ_8000); // no switch has another
        Self {
            rate,
            edge: rate.samples_in(EDGE),
            concealer: Concealer::new(rate),
            bed: None,
            voicing: false,
            level: Gain::new(0.0),
            fall: VecDeque::new(),
            last: 0,
            filled: 0,
        }
    }

    pub(super) fn set_bed(&mut self, bed: Option<Bed>) {
        match (bed, &mut self.bed) {
            (None, Some(old)) => old.fall(),
            (bed, _) => self.bed = bed.filter(|bed| !bed.is_over()), // at volume 0 it never begins
        }
    }

    pub(super) fn has_bed(&self) -> bool {
        self.bed.is_some()
    }

    pub(super) fn duck(&mut self, ducked: bool) {
        if let Some(bed) = &mut self.bed {
            bed.duck(ducked);
        }
    }

    /// The far end has silence in its ear: it was told to drop what it had, or had nothing left.
    pub(super) fn fell_silent(&mut self) {
        if self.concealer.is_concealing() {
            self.concealer = Concealer::new(self.rate); // nothing is there to lead over from
        }
        (self.voicing, self.last, self.filled) = (false, 0, 0);
        self.level = Gain::new(0.0);
        self.fall.clear();
        if let Some(bed) = &mut self.bed {
            bed.rise();
        }
    }

    /// Whether silence now would be heard as a step.
    pub(super) fn is_open(&self) -> bool {
        !self.fall.is_empty() || (self.voicing && self.last.unsigned_abs() > NO_STEP)
    }

    /// Whether a gap may be filled (any longer).
    pub(super) fn may_fill(&self) -> bool {
        self.filled < self.rate.samples_in(FILLED)
    }

    /// The next samples of a voice. At the `joints` begins another take.
    pub(super) fn voice(&mut self, samples: &mut [i16], joints: impl Iterator<Item = usize>) {
        if samples.is_empty() {
            return;
        }
        if !self.voicing || self.filled > 0 {
            self.level.to(1.0, self.edge);
            self.voicing = true;
        }
        if !self.level.is_still() {
            samples.iter_mut().for_each(|sample| *sample = whole(f32::from(*sample) * self.level.advance()));
        }
        let (mut begin, length) = (0, samples.len());
        for joint in joints.filter(|joint| *joint < length) {
            self.concealer.good(&mut samples[begin..joint]);
            self.concealer.conceal(&mut []); // as if a gap had been here: what follows is led over to
            begin = joint;
        }
        self.concealer.good(&mut samples[begin..]);
        for (sample, fall) in samples.iter_mut().zip(self.fall.drain(..)) {
            *sample = sample.saturating_add(fall);
        }
        self.filled = 0;
        self.last = samples.last().copied().unwrap_or(self.last);
    }

    /// Stands in for a voice that is late.
    pub(super) fn conceal(&mut self, samples: &mut [i16]) {
        let falls_from = self.rate.samples_in(FILLED.saturating_sub(FALL));
        self.concealer.conceal(samples);
        for sample in samples.iter_mut() {
            if self.filled == falls_from {
                self.level.to(0.0, self.rate.samples_in(FALL));
            }
            self.filled += 1;
            *sample = whole(f32::from(*sample) * self.level.advance());
        }
        self.last = samples.last().copied().unwrap_or(self.last);
    }

    /// No voice: what is left of the last one, then silence.
    pub(super) fn silence(&mut self, samples: &mut [i16]) {
        if self.voicing {
            self.voicing = false;
            let mut fall = vec![0; self.edge];
            self.concealer.clone().conceal(&mut fall); // a copy: what follows is not led over to
            let mut level = self.level;
            level.to(0.0, self.edge);
            self.fall = fall.into_iter().map(|sample| whole(f32::from(sample) * level.advance())).collect();
            self.level = Gain::new(0.0);
        }
        let falls = self.fall.len().min(samples.len());
        samples.iter_mut().zip(self.fall.drain(..falls)).for_each(|(sample, fall)| *sample = fall);
        samples[falls..].fill(0);
        self.last = samples.last().copied().unwrap_or(self.last);
    }

    /// Sound of another kind, with edges of its own.
    pub(super) fn tones(&mut self, samples: &mut [i16], tones: impl Iterator<Item = i16>) {
        self.silence(samples);
        samples.iter_mut().zip(tones).for_each(|(sample, tone)| *sample = sample.saturating_add(tone));
    }

    /// The bed goes under a whole chunk.
    pub(super) fn bed(&mut self, chunk: &mut [i16]) {
        if let Some(bed) = &mut self.bed {
            bed.mix(chunk);
        }
        self.bed.take_if(|bed| bed.is_over());
    }
}

fn whole(sample: f32) -> i16 {
    sample.round().clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16
}
