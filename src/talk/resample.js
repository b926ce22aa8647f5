// Changes the sample rate of a stream of audio without aliasing.
//
// Windowed sinc, one output sample at a time, any ratio. Used twice: the audio thread brings the device's rate down to the
// socket's, the page brings the agent's audio up to the device's. Knows nothing of Web Audio, so Node can test it.

/** Zero crossings of the sinc on each side, in samples of the slower rate. */
const CROSSINGS = 16;
/** Part of the slower rate's band that passes; the rest is the filter's slope. */
const PASS = 0.92;
/** Kernel values a sample; between two of them a straight line is exact to about -80 dB. */
const STEPS = 128;

export class Resampler {
  /** Rates in hertz. */
  constructor(from, to) {
    this.same = from === to;
    this.ratio = from / to;
    const band = Math.min(1, to / from);
    this.reach = Math.ceil(CROSSINGS / band);
    this.kernel = kernel(this.reach, band * PASS);
    this.history = new Float32Array(2 * this.reach + 8192);
    this.reset();
  }

  /** Forgets what it heard, for a stream that starts anew. */
  reset() {
    this.history.fill(0);
    // A stream starts as if silence had come before it: the first sample sits under the middle of the kernel.
    this.filled = this.reach;
    this.position = this.reach;
  }

  /** Most samples that `push` may write for `count` samples of input. */
  room(count) {
    return Math.ceil(count / this.ratio) + 2;
  }

  /**
   * Takes `input` (at most 8192 samples) and writes what can be said for certain into `output`; returns how many.
   * Lags by `reach` input samples.
   */
  push(input, output) {
    if (this.same) {
      output.set(input);
      return input.length;
    }
    this.history.set(input, this.filled);
    this.filled += input.length;
    let written = 0;
    while (this.position + this.reach < this.filled) {
      output[written++] = this.at(this.position);
      this.position += this.ratio;
    }
    const done = Math.floor(this.position) - this.reach;
    if (done > 0) {
      this.history.copyWithin(0, done, this.filled);
      this.filled -= done;
      this.position -= done;
    }
    return written;
  }

  /** A whole piece at once, of any length. */
  convert(input) {
    const output = new Float32Array(this.room(input.length) + this.reach);
    let written = 0;
    for (let start = 0; start < input.length; start += 4096) {
      written += this.push(input.subarray(start, start + 4096), output.subarray(written));
    }
    return output.subarray(0, written);
  }

  at(position) {
    const centre = Math.floor(position);
    const first = centre - this.reach + 1;
    let sum = 0;
    for (let index = first; index <= centre + this.reach; index++) {
      const place = Math.abs(position - index) * STEPS;
      const step = Math.floor(place);
      const low = this.kernel[step];
      sum += this.history[index] * (low + (place - step) * (this.kernel[step + 1] - low));
    }
    return sum;
  }
}

/** Half of a Blackman-windowed sinc of `band` (1 is half the input's rate), `STEPS` values a sample, zero at the end. */
function kernel(reach, band) {
  const values = new Float32Array(reach * STEPS + STEPS + 2);
  for (let step = 0; step < reach * STEPS; step++) {
    const at = step / STEPS;
    const angle = Math.PI * at * band;
    const turn = (Math.PI * at) / reach;
    const window = 0.42 + 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn);
    values[step] = band * (angle === 0 ? 1 : Math.sin(angle) / angle) * window;
  }
  return values;
}
