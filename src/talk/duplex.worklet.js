// Both directions of a talk on the audio thread: the microphone in, the agent out, on one clock.
//
// Because one processor sees both, the recording is aligned by construction and contains what was played, not what was sent.
// In:  the microphone (nothing connected counts as silence), and by message {play: Float32Array} or {flush: true}.
// Out: the agent, and by message {mic, agent} (40 ms each, 16-bit, 16 kHz) and {flushed} once an interruption is silent.

import { PlayQueue } from "/talk/play-queue.js";
import { Resampler } from "/talk/resample.js";

/** The socket's rate in hertz, and its chunk: 40 ms. */
const RATE = 16000;
const CHUNK = 640;

/** One direction on its way to 16-bit chunks. */
class Side {
  constructor() {
    this.resampler = new Resampler(sampleRate, RATE);
    this.scratch = new Float32Array(this.resampler.room(128) + 8);
    this.chunk = new Int16Array(CHUNK);
    this.filled = 0;
    this.full = null;
  }

  push(samples) {
    const count = this.resampler.push(samples, this.scratch);
    for (let index = 0; index < count; index++) {
      const value = Math.max(-1, Math.min(1, this.scratch[index]));
      this.chunk[this.filled++] = Math.round(value * 32767);
      if (this.filled === CHUNK) {
        this.full = this.chunk;
        this.chunk = new Int16Array(CHUNK);
        this.filled = 0;
      }
    }
  }

  take() {
    const full = this.full;
    this.full = null;
    return full;
  }
}

class Duplex extends AudioWorkletProcessor {
  constructor() {
    super();
    this.queue = new PlayQueue(sampleRate);
    this.mic = new Side();
    this.agent = new Side();
    this.silence = new Float32Array(128);
    this.flushing = null;
    this.open = true;
    this.port.onmessage = ({ data }) => {
      if (data.play) this.queue.push(data.play);
      if (data.flush) this.flushing = { unheard: this.queue.flush(), quanta: 0 };
      if (data.close) this.open = false;
    };
  }

  process(inputs, outputs) {
    const heard = inputs[0][0] ?? this.silence;
    const spoken = outputs[0][0];
    this.queue.read(spoken);
    this.confirmFlush(spoken);
    this.mic.push(heard);
    this.agent.push(spoken);
    const mic = this.mic.take();
    const agent = this.agent.take();
    if (mic && agent) {
      const { played, dropped, buffered, underruns } = this.queue;
      const state = { done: played + dropped, buffered: buffered / sampleRate, underruns };
      this.port.postMessage({ mic, agent, state }, [mic.buffer, agent.buffer]);
    }
    return this.open;
  }

  /** Tells how many quanta an interruption was still audible: 1 by design, the fade. */
  confirmFlush(spoken) {
    if (!this.flushing) return;
    if (spoken.every((sample) => sample === 0)) {
      this.port.postMessage({ flushed: { unheard: this.flushing.unheard / sampleRate, quanta: this.flushing.quanta } });
      this.flushing = null;
    } else {
      this.flushing.quanta += 1;
    }
  }
}

registerProcessor("duplex", Duplex);
