// The page's modules that need no browser: rate, queue, recording, turns, failures.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

/** A module of the page. As a data URL, because it lies in no package that would call it a module. */
async function load(name) {
  // What stands behind a "?" makes it another copy of the module, with a memory of its own.
  const [file, copy = ""] = name.split("?");
  const source = await readFile(new URL(`../../src/talk/${file}`, import.meta.url), "utf8");
  return import(`data:text/javascript;base64,${Buffer.from(`${source}//${copy}`).toString("base64")}`);
}

const { Resampler } = await load("resample.js");
const { PlayQueue } = await load("play-queue.js");
const { Recording } = await load("recording.js");
const { Turns, cut } = await load("turns.js");
const { ofClose, ofMicrophone, ofProblem } = await load("failures.js");

const tone = (hertz, rate, seconds) =>
  Float32Array.from({ length: rate * seconds }, (_, at) => Math.sin((2 * Math.PI * hertz * at) / rate));
const rms = (samples) => Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
const decibels = (ratio) => 20 * Math.log10(ratio);

/** As the audio thread does it: 128 samples at a time. */
function inQuanta(from, to, input) {
  const resampler = new Resampler(from, to);
  const output = new Float32Array(resampler.room(input.length) + 1000);
  let written = 0;
  for (let at = 0; at < input.length; at += 128) written += resampler.push(input.subarray(at, at + 128), output.subarray(written));
  return output.subarray(0, written);
}

for (const rate of [8000, 16000, 22050, 44100, 48000, 96000]) {
  test(`from ${rate} Hz to 16 kHz, speech passes and what would alias does not`, () => {
    const speech = inQuanta(rate, 16000, tone(1000, rate, 1));
    assert.ok(Math.abs(speech.length - 16000) < 40, `${speech.length} samples for a second`);
    assert.ok(Math.abs(decibels(rms(speech.subarray(500, 15500)) / Math.SQRT1_2)) < 0.1);
    if (rate < 22050) return;
    const alias = inQuanta(rate, 16000, tone(9800, rate, 1));
    assert.ok(decibels(rms(alias.subarray(500, 15500))) < -60, `${decibels(rms(alias))} dB left`);
  });
}

test("pieces of any size are one stream: no seam is heard", () => {
  const input = tone(440, 48000, 1);
  const whole = new Resampler(48000, 16000).convert(input);
  const pieces = inQuanta(48000, 16000, input);
  assert.deepEqual(whole.slice(0, 15000), pieces.slice(0, 15000));
});

test("the queue waits for its lead, plays to the end, and counts speech that came late", () => {
  const queue = new PlayQueue(48000, 0.01);
  const out = new Float32Array(128);
  queue.push(new Float32Array(256).fill(0.5));
  assert.equal(queue.read(out), 0, "256 of 480 samples are not enough");
  queue.push(new Float32Array(256).fill(0.5));
  for (let quantum = 0; quantum < 4; quantum++) assert.equal(queue.read(out), 128);
  assert.equal(queue.read(out), 0);
  assert.equal(queue.underruns, 0);
  queue.push(new Float32Array(480).fill(0.5));
  assert.equal(queue.underruns, 1, "128 samples after the end is a hole in a sentence, not a pause");
});

test("the end of a short stretch is played although the lead is never reached", () => {
  const queue = new PlayQueue(48000, 0.01);
  const out = new Float32Array(128);
  queue.push(new Float32Array(100).fill(0.5));
  let played = 0;
  for (let quantum = 0; quantum < 6; quantum++) played += queue.read(out);
  assert.equal(played, 100);
});

test("an interruption fades within one quantum, is silent in the next, and what comes afterwards is played", () => {
  const queue = new PlayQueue(48000, 0);
  const out = new Float32Array(128);
  queue.push(new Float32Array(48000).fill(0.5));
  queue.read(out);
  assert.equal(queue.flush(), 48000 - 128);
  queue.read(out);
  assert.ok(out[0] > 0.49 && out[127] === 0, "a fade, not a click");
  assert.ok(out.every((sample, at) => at === 0 || sample <= out[at - 1]));
  queue.read(out);
  assert.ok(out.every((sample) => sample === 0));
  queue.push(new Float32Array(256).fill(0.25));
  assert.equal(queue.read(out), 128);
  assert.equal(out[0], 0.25);
});

test("a server without pacing cannot fill the memory", () => {
  const queue = new PlayQueue(8000);
  for (let second = 0; second < 200; second++) queue.push(new Float32Array(8000));
  assert.equal(queue.buffered, 8000 * 120);
  assert.equal(queue.dropped, 8000 * 80);
});

test("the recording is a stereo WAV, caller left", () => {
  const recording = new Recording();
  recording.push(Int16Array.of(1, 2), Int16Array.of(-1, -2));
  recording.push(Int16Array.of(3), Int16Array.of(-3));
  const [header, ...pieces] = recording.wav();
  const bytes = Buffer.concat([Buffer.from(header), ...pieces.map((piece) => Buffer.from(piece.buffer))]);
  assert.equal(bytes.toString("latin1", 0, 4) + bytes.toString("latin1", 8, 16), "RIFFWAVEfmt ");
  assert.deepEqual([bytes.readUInt32LE(4), bytes.readUInt32LE(40)], [bytes.length - 8, bytes.length - 44]);
  assert.deepEqual([bytes.readUInt16LE(22), bytes.readUInt32LE(24), bytes.readUInt16LE(34)], [2, 16000, 16]);
  assert.deepEqual([...new Int16Array(bytes.buffer.slice(bytes.byteOffset + 44, bytes.byteOffset + 56))], [1, -1, 2, -2, 3, -3]);
});

const partial = (user_transcript, event_id) => ({ type: "tentative_user_transcript", tentative_user_transcription_event: { user_transcript, event_id } });
const final = (user_transcript, event_id) => ({ type: "user_transcript", user_transcription_event: { user_transcript, event_id } });
const answer = (agent_response, event_id) => ({ type: "agent_response", agent_response_event: { agent_response, event_id } });
const part = (type, text, event_id) => ({ type: "agent_chat_response_part", text_response_part: { type, text, event_id } });
const latency = (event_id, total_ms, stages) => ({ type: "turn_latency", turn_latency_event: { event_id, total_ms, stages } });

function after(...events) {
  const turns = new Turns();
  events.forEach((event, index) => turns.apply(event, index * 100));
  return turns;
}
const shown = ({ list }) => list.map(({ role, text, state }) => `${role} ${state}: ${text}`);

test("partials grow in place, the final replaces them, a late partial is ignored", () => {
  const turns = after(partial("I", 3), partial("I need", 3), final("I need a room.", 3), partial("I need a", 3));
  assert.deepEqual(shown(turns), ["user final: I need a room."]);
});

test("a final without words takes the partial back", () => {
  assert.deepEqual(shown(after(partial("uh", 1), final("", 1))), []);
});

test("what was typed is shown at once and not again when the server repeats it", () => {
  const turns = new Turns();
  turns.typed("hello", 0);
  turns.apply(final("hello", 4), 10);
  turns.apply(final("hello", 5), 20);
  assert.deepEqual(shown(turns), ["user final: hello", "user final: hello"]);
});

test("parts of an answer stream into one turn, which the whole answer settles", () => {
  const turns = after(part("start", "", 2), part("delta", "Good ", 2), part("delta", "morning", 2), part("stop", "", 2));
  assert.deepEqual(shown(turns), ["agent partial: Good morning"]);
  turns.apply(answer("Good morning.", 2), 0);
  assert.deepEqual(shown(turns), ["agent final: Good morning."]);
});

test("an interruption marks the agent's turn at once, the correction says what was heard", () => {
  const turns = after(answer("One two three four.", 1), { type: "interruption", interruption_event: { event_id: 2 } });
  assert.equal(turns.list[0].interrupted, true);
  assert.deepEqual(cut(turns.list[0]), { heard: "One two three four.", unheard: "" });
  const event = { original_agent_response: "One two three four.", corrected_agent_response: "One two...", event_id: 1 };
  turns.apply({ type: "agent_response_correction", agent_response_correction_event: event }, 0);
  assert.deepEqual(cut(turns.list[0]), { heard: "One two", unheard: " three four." });
});

test("an answer that goes on behind an interruption was not interrupted", () => {
  const interruption = { type: "interruption", interruption_event: { event_id: 1001 } };
  const turns = after(answer("One two three four.", 1000), interruption);
  for (const of of [1000, 2000, undefined]) assert.equal(turns.goesOn(of), null, "not its audio behind the interruption");
  assert.equal(turns.goesOn(1002), turns.list[0]);
  assert.equal(turns.list[0].interrupted, false);
  assert.equal(turns.goesOn(1002), null, "told once");
});

test("a latency finds its turn, before or after it", () => {
  const stages = { endpointing: 500, stt: 80, tts: 40, brain: 1, other: 9 };
  for (const turns of [after(latency(2, 621, stages), answer("Yes.", 2)), after(answer("Yes.", 2), latency(2, 621, stages))]) {
    assert.equal(turns.list[0].latency.total, 621);
    assert.deepEqual(turns.list[0].latency.stages.map(({ name }) => name), ["endpointing", "stt", "brain", "tts"]);
  }
});

test("after a reconnect the numbers of the old socket mean nothing", () => {
  const turns = after(answer("Hello.", 1), final("Hi.", 1));
  turns.forgetIds();
  turns.apply(answer("Hello again.", 1), 0);
  turns.apply(partial("Hm", 1), 0);
  assert.deepEqual(shown(turns), ["agent final: Hello.", "user final: Hi.", "agent final: Hello again.", "user partial: Hm"]);
});

test("every way to fail has its name", () => {
  assert.equal(ofMicrophone({ name: "NotAllowedError" }), "denied");
  assert.equal(ofMicrophone({ name: "NotFoundError" }), "absent");
  assert.equal(ofMicrophone({ name: "NotReadableError" }), "busy");
  assert.equal(ofClose({ code: 1000, reason: "", accepted: true }), null);
  assert.equal(ofClose({ code: 1006, reason: "", accepted: true }), "gone");
  assert.equal(ofClose({ code: 1011, reason: "", accepted: true }), "ended");
  assert.equal(ofClose({ code: 1013, reason: "the server is stopping", accepted: false }), "draining");
  assert.equal(ofClose({ code: 1013, reason: "all lines are busy", accepted: false }), "full");
  assert.equal(ofProblem(404, {}), "agent");
  assert.equal(ofProblem(503, { detail: "the server is draining" }), "draining");
  assert.equal(ofProblem(403, {}), "closed");
  assert.equal(ofProblem(403, { type: "urn:tandem:problem:forbidden" }), "forbidden");
  assert.equal(ofProblem(401, {}), "login");
});

/** A server of log-ins in place of `fetch`; every refresh token works once. */
function office(context, { seconds }) {
  const asked = [];
  let pairs = 0;
  const pair = () => ({ tokens: { access: `access${++pairs}`, refresh: `refresh${pairs}`, expires_in: seconds } });
  const answer = (status, body) => new Response(JSON.stringify(body), { status });
  context.mock.method(globalThis, "fetch", async (address, options = {}) => {
    asked.push({ address, authorization: options.headers?.authorization, body: options.body && JSON.parse(options.body) });
    if (address === "/api/auth/login/") return asked.at(-1).body.password === "right" ? answer(200, pair()) : answer(401, { detail: "wrong" });
    if (address === "/api/auth/refresh/") return asked.at(-1).body.refresh === `refresh${pairs}` ? answer(200, pair()) : answer(401, {});
    return answer(200, {});
  });
  return asked;
}

test("a log-in is kept in memory, carried in a header, and renewed before it is over, once for all who ask", async (context) => {
  const { ask, bearer, logIn } = await load("account.js");
  const asked = office(context, { seconds: 10 }); // fewer than what is left over at the end: it is renewed each time
  assert.equal(await bearer(), null);
  await ask("/api/agents");
  assert.equal(asked.at(-1).authorization, undefined, "nobody has logged in");
  assert.equal(await logIn("a@example.test", "wrong"), "wrong");
  assert.equal(await bearer(), null);
  assert.equal(await logIn("a@example.test", "right"), null);
  assert.deepEqual(await Promise.all([bearer(), bearer(), bearer()]), ["access2", "access2", "access2"]);
  assert.equal(asked.filter(({ address }) => address === "/api/auth/refresh/").length, 1);
  await ask("/api/agents", { headers: { accept: "application/json" } });
  assert.equal(asked.at(-1).authorization, "Bearer access3");
  assert.ok(asked.every(({ address }) => !address.includes("access")), "never in an address");
});

test("a session that was ended elsewhere asks for a log-in again", async (context) => {
  const { bearer, logIn } = await load("account.js?ended");
  const asked = office(context, { seconds: 10 });
  assert.equal(await logIn("a@example.test", "right"), null);
  context.mock.method(globalThis, "fetch", async (address) => (asked.push({ address }), new Response("{}", { status: 401 })));
  assert.equal(await bearer(), null);
  assert.equal(await bearer(), null);
  assert.equal(asked.filter(({ address }) => address === "/api/auth/refresh/").length, 1);
});
