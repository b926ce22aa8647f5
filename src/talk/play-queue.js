// What the agent has said and the loudspeaker has not played yet.
//
// Place: lives on the audio thread, read once a render quantum (128 samples). Starts a stretch of speech only when a little of
// it is there, so that uneven arrival is not heard; empties itself within one quantum when the caller interrupts.
// Not here: the rate (what comes in is at the device's), and who said it.

/** Longest stretch that is kept, in seconds: a server that sends more has lost its pacing. */
const LIMIT_S = 120;
/** Speech that follows a pause shorter than this was late, not new. */
const LATE_S = 0.25;

export class PlayQueue {
  /** `rate` in hertz; `lead`, in seconds, is gathered before a stretch begins. */
  constructor(rate, lead = 0.06) {
    this.lead = Math.round(rate * lead);
    this.limit = rate * LIMIT_S;
    this.late = rate * LATE_S;
    this.chunks = [];
    this.offset = 0;
    this.buffered = 0;
    this.playing = false;
    this.waited = 0;
    this.idle = Infinity;
    this.fading = false;
    /** Samples played, dropped, and times that speech came late. */
    this.played = 0;
    this.dropped = 0;
    this.underruns = 0;
  }

  push(samples) {
    if (samples.length === 0) return;
    if (this.buffered + samples.length > this.limit) {
      this.dropped += samples.length;
      return;
    }
    if (this.buffered === 0 && !this.playing) {
      this.waited = 0;
      if (this.idle < this.late) this.underruns += 1;
    }
    // What comes after an interruption is new speech; what is still fading out must not be followed by it.
    if (this.fading) this.clear();
    this.chunks.push(samples);
    this.buffered += samples.length;
  }

  /** Fades out over the next quantum and drops the rest. Returns the samples that nobody will hear. */
  flush() {
    const unheard = this.buffered;
    if (this.playing && this.buffered > 0) this.fading = true;
    else this.clear();
    return unheard;
  }

  /** Fills `out` with speech or silence. Returns the samples of speech. */
  read(out) {
    if (!this.playing) {
      if (this.buffered > 0) this.waited += out.length;
      if (this.buffered === 0 || (this.buffered < this.lead && this.waited < this.lead)) {
        out.fill(0);
        this.idle += out.length;
        return 0;
      }
      this.playing = true;
    }
    const count = this.take(out);
    out.fill(0, count);
    this.played += count;
    if (this.fading) {
      for (let index = 0; index < out.length; index++) out[index] *= 1 - (index + 1) / out.length;
      this.clear();
    } else if (this.buffered === 0) {
      this.playing = false;
      this.idle = 0;
    }
    return count;
  }

  take(out) {
    let count = 0;
    while (count < out.length && this.chunks.length > 0) {
      const chunk = this.chunks[0];
      const part = chunk.subarray(this.offset, this.offset + out.length - count);
      out.set(part, count);
      count += part.length;
      this.offset += part.length;
      if (this.offset === chunk.length) {
        this.chunks.shift();
        this.offset = 0;
      }
    }
    this.buffered -= count;
    return count;
  }

  clear() {
    this.dropped += this.buffered;
    this.chunks = [];
    this.offset = 0;
    this.buffered = 0;
    this.playing = false;
    this.fading = false;
    this.idle = Infinity;
  }
}
