// The sound of a talk: microphone and loudspeaker through one audio graph.
//
//   microphone ─► duplex (audio thread) ─► loudspeaker
//                    │ 40 ms of both sides, 16-bit, 16 kHz
//                    ▼
//                 block({mic, agent, micLevel, agentLevel})
//
// Works without a microphone too: the caller's side is silence then, and the agent is heard all the same.

import { Resampler } from "/talk/resample.js";

/** Echo cancellation, or the agent would interrupt itself through the loudspeaker. */
const WANTED = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: { ideal: 1 } };

export class Line {
  #context;
  #node;
  #source = null;
  #stream = null;
  #resampler = null;
  #flushedAt = 0;
  /** Samples given to the audio thread, and those that it has played or dropped. */
  #given = 0;
  #done = 0;
  #handlers;
  muted = false;
  /** What the tests and the curious ask for; `window.tandemTalk.stats`. Levels are RMS, 0 to 1; times in ms of the page's clock. */
  stats = {
    micLevel: 0, micPeak: 0, agentLevel: 0, agentPeak: 0, agentHeardMs: 0, blocks: 0, underruns: 0, bufferedMs: 0,
    lastMicAt: 0, lastAgentAt: 0, flushes: [],
  };

  /** Must be called from a click: browsers start sound only then. `handlers`: block(…), lost() when the microphone goes away. */
  constructor(handlers) {
    this.#handlers = handlers;
    this.#context = new AudioContext({ latencyHint: "interactive" });
  }

  /** Loads the audio thread's part. */
  async open() {
    await this.#context.audioWorklet.addModule("/talk/duplex.worklet.js");
    this.#node = new AudioWorkletNode(this.#context, "duplex", { numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1] });
    this.#node.port.onmessage = ({ data }) => (data.flushed ? this.#flushed(data.flushed) : this.#block(data));
    this.#node.connect(this.#context.destination);
    await this.#context.resume();
  }

  /** Connects a microphone in place of the one before. Throws what `getUserMedia` throws. */
  async useMicrophone(deviceId) {
    const audio = deviceId ? { ...WANTED, deviceId: { exact: deviceId } } : WANTED;
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    if (this.#context.state === "closed") {
      release(stream);
      return;
    }
    this.#unplug();
    this.#stream = stream;
    this.#source = this.#context.createMediaStreamSource(stream);
    this.#source.connect(this.#node);
    const [track] = stream.getAudioTracks();
    track.addEventListener("ended", () => stream === this.#stream && (this.#unplug(), this.#handlers.lost()));
  }

  /** Whether somebody can be heard. */
  get hasMicrophone() {
    return this.#stream !== null;
  }

  /** Id of the device in use. */
  get device() {
    return this.#stream?.getAudioTracks()[0]?.getSettings().deviceId ?? "";
  }

  /** The agent's audio comes at `rate` hertz from now on. */
  expect(rate) {
    this.#resampler = new Resampler(rate, this.#context.sampleRate);
  }

  /** Queues 16-bit samples of the agent. */
  play(samples) {
    const input = Float32Array.from(samples, (sample) => sample / 32768);
    const play = this.#resampler.convert(input);
    this.#given += play.length;
    this.#node.port.postMessage({ play }, [play.buffer]);
  }

  /** Whether something is still to be heard. The audio thread's own figure would not know of what is on its way to it. */
  get speaking() {
    return this.#done < this.#given;
  }

  /** Silence within one render quantum. */
  flush() {
    this.#flushedAt = performance.now();
    this.#resampler?.reset();
    this.#node?.port.postMessage({ flush: true });
  }

  /** Lets go of microphone and loudspeaker. */
  async close() {
    this.#unplug();
    this.#node?.port.postMessage({ close: true });
    this.#node?.disconnect();
    if (this.#context.state !== "closed") await this.#context.close();
  }

  #unplug() {
    this.#source?.disconnect();
    this.#source = null;
    if (this.#stream) release(this.#stream);
    this.#stream = null;
  }

  #block({ mic, agent, state }) {
    if (this.muted) mic.fill(0);
    const stats = this.stats;
    const now = performance.now();
    stats.micLevel = level(mic);
    stats.agentLevel = level(agent);
    stats.micPeak = Math.max(stats.micPeak, stats.micLevel);
    stats.agentPeak = Math.max(stats.agentPeak, stats.agentLevel);
    if (stats.micLevel > AUDIBLE) stats.lastMicAt = now;
    if (stats.agentLevel > AUDIBLE) {
      stats.lastAgentAt = now;
      stats.agentHeardMs += 40;
    }
    stats.blocks += 1;
    this.#done = state.done;
    stats.underruns = state.underruns;
    stats.bufferedMs = Math.round(state.buffered * 1000);
    this.#handlers.block({ mic, agent, micLevel: stats.micLevel, agentLevel: stats.agentLevel });
  }

  #flushed({ unheard, quanta }) {
    const flush = { afterMs: performance.now() - this.#flushedAt, quanta, unheardMs: Math.round(unheard * 1000) };
    this.stats.flushes = [...this.stats.flushes, flush].slice(-50);
  }
}

/** RMS above which a side counts as audible: about -46 dB of full scale. */
export const AUDIBLE = 0.005;

/** Root mean square of 16-bit samples, 0 to 1. */
function level(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.sqrt(sum / samples.length) / 32768;
}

function release(stream) {
  for (const track of stream.getTracks()) track.stop();
}
