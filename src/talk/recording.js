// The talk as a stereo WAV: the caller on the left, the agent on the right, as both were heard on this machine.

/** Hertz. */
export const RATE = 16000;
/** Longest recording in samples a side: an hour, 230 MB. */
const LIMIT = RATE * 3600;

export class Recording {
  #chunks = [];
  #samples = 0;

  /** Adds a piece of both sides, the same number of samples each. Past the limit nothing is added. */
  push(left, right) {
    if (this.#samples + left.length > LIMIT) return;
    const both = new Int16Array(left.length * 2);
    for (let index = 0; index < left.length; index++) {
      both[2 * index] = left[index];
      both[2 * index + 1] = right[index];
    }
    this.#chunks.push(both);
    this.#samples += left.length;
  }

  get seconds() {
    return this.#samples / RATE;
  }

  /** The pieces of a WAV file, in order: 16-bit PCM, two channels, 16 kHz. */
  wav() {
    return [header(this.#samples), ...this.#chunks];
  }
}

/** RIFF header for `samples` samples a channel. Source: Microsoft RIFF specification, WAVE_FORMAT_PCM. */
function header(samples) {
  const bytes = samples * 4;
  const view = new DataView(new ArrayBuffer(44));
  const word = (at, text) => [...text].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  word(0, "RIFF");
  view.setUint32(4, 36 + bytes, true);
  word(8, "WAVEfmt ");
  view.setUint32(16, 16, true); // length of the format that follows
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 2, true); // channels
  view.setUint32(24, RATE, true);
  view.setUint32(28, RATE * 4, true); // bytes a second
  view.setUint16(32, 4, true); // bytes of both samples
  view.setUint16(34, 16, true); // bits of one
  word(36, "data");
  view.setUint32(40, bytes, true);
  return view.buffer;
}
