// The talk page in Chromium against a server that does what it is told: what cannot be made to happen with the real one.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { chromium, openTalk, test, turn, until } from "./chromium.mjs";
import { fakeServer } from "./fake-server.mjs";

let browser;
before(async () => (browser = await chromium()));
after(() => browser.close());

/** A page in a talk with `script`, and the script's end of it. */
async function talkWith(context, script = () => {}) {
  let met;
  const meeting = new Promise((resolve) => (met = resolve));
  const server = await fakeServer({ talk: (peer) => (met(peer), script(peer)) });
  const page = await openTalk(context, browser, `${server.url}/talk?agent=front-desk`);
  context.after(() => server.close());
  await page.click("#talk");
  const peer = await meeting;
  await until(page, () => window.tandemTalk.id === "conv_fake");
  return { page, peer };
}

test("the first message is the client's data, on subprotocol convai, and then 16 kHz audio flows", async (context) => {
  const { page, peer } = await talkWith(context);
  assert.deepEqual(peer.received[0], { type: "conversation_initiation_client_data" });
  assert.deepEqual([peer.agent, peer.protocol], ["front-desk", "convai"]);
  await until(page, () => window.tandemTalk.recordedSeconds > 1.5);
  const seconds = Buffer.concat(peer.audio).length / 2 / 16000;
  assert.ok(seconds > 1.3 && seconds < 3, `${seconds} s of audio`);
  assert.ok(peer.audio.every((chunk) => chunk.length === 1280), "40 ms each");
  assert.ok(await page.evaluate(() => window.tandemTalk.stats.micPeak > 0.01), "the device's beep is heard");
});

test("a ping is answered, a tool that the page lacks is refused", async (context) => {
  const { peer } = await talkWith(context, (peer) => {
    peer.send({ type: "ping", ping_event: { event_id: 7, ping_ms: 5 } });
    const call = { tool_name: "open_map", tool_call_id: "t1", parameters: {}, event_id: 8 };
    peer.send({ type: "client_tool_call", client_tool_call: call });
  });
  assert.deepEqual(await peer.message("pong"), { type: "pong", event_id: 7 });
  const refused = await peer.message("client_tool_result");
  assert.deepEqual([refused.tool_call_id, refused.is_error], ["t1", true]);
});

test("partials are grey until they are final, and every turn shows its latencies", async (context) => {
  const { page, peer } = await talkWith(context, (peer) => peer.partial("I need a", 2));
  const said = await turn(page, "user", { state: "partial" });
  assert.equal(said.text, "I need a");
  const colour = (state) => page.$eval(`.turn.user.${state} .bubble`, (bubble) => getComputedStyle(bubble).color);
  const grey = await colour("partial");
  peer.said("I need a room.", 2);
  assert.equal((await turn(page, "user", { state: "final" })).text, "I need a room.");
  assert.notEqual(await colour("final"), grey);
  peer.answers("For when?", 2);
  peer.latency(2, 640, { endpointing: 500, stt: 90, brain: 10, tts: 40 });
  await page.waitForSelector(".turn.agent .chip");
  const chips = await page.$$eval(".turn.agent .chip", (all) => all.map((chip) => [chip.dataset.stage, chip.textContent]));
  assert.deepEqual(chips.map(([stage]) => stage), ["total", "endpointing", "stt", "brain", "tts"]);
  assert.match(chips[0][1], /640 ms/);
});

test("an interruption silences the agent within a render quantum and cuts its words", async (context) => {
  const sentence = "One moment please while I look that up for you.";
  const { page, peer } = await talkWith(context, (peer) => (peer.answers(sentence, 1), peer.tone(5, 1)));
  await until(page, () => window.tandemTalk.stats.agentHeardMs > 300);
  peer.interrupt(2);
  await until(page, () => window.tandemTalk.stats.flushes.length === 1);
  assert.equal((await turn(page, "agent", { interrupted: true })).text, sentence);
  const heardAt = await page.evaluate(() => window.tandemTalk.stats.agentHeardMs);
  const [flush] = await page.evaluate(() => window.tandemTalk.stats.flushes);
  assert.ok(flush.quanta <= 1, `audible for ${flush.quanta} quanta`);
  assert.ok(flush.afterMs < 100, `silent after ${flush.afterMs} ms`);
  assert.ok(flush.unheardMs > 3000, `${flush.unheardMs} ms were dropped`);
  peer.corrects(sentence, "One moment please...", 1);
  await page.waitForSelector(".unheard");
  assert.equal(await page.$eval(".unheard", (part) => part.textContent.trim()), "while I look that up for you.");
  peer.tone(0.5, 3);
  await until(page, (before) => window.tandemTalk.stats.agentHeardMs > before + 300, heardAt);
});

test("the agent's goodbye is played to its end although the server has hung up", async (context) => {
  const { page } = await talkWith(context, (peer) => {
    peer.answers("Goodbye!", 1);
    peer.tone(1, 1);
    peer.send({ type: "conversation_ended", conversation_ended_event: { reason: "the agent said goodbye" } });
    peer.hangUp();
  });
  await until(page, () => window.tandemTalk.state === "over");
  await until(page, () => !window.tandemTalk.open);
  const heard = await page.evaluate(() => window.tandemTalk.stats.agentHeardMs);
  assert.ok(heard >= 960, `${heard} ms of a second were played`);
  assert.match(await page.$eval(".note", (note) => note.textContent), /the agent said goodbye/);
  assert.equal(await page.$eval("#failure", (banner) => banner.hidden), true);
});

test("the agents that the server lists can be chosen", async (context) => {
  const server = await fakeServer({ agents: { items: [{ name: "front-desk" }, { name: "logistics" }] } });
  const page = await openTalk(context, browser, `${server.url}/talk?agent=logistics`);
  context.after(() => server.close());
  await page.waitForSelector("#agent:not([hidden])");
  assert.equal(await page.$eval("#agent", (select) => select.value), "logistics");
  await page.select("#agent", "front-desk");
  assert.match(page.url(), /agent=front-desk$/);
});

test("everything can be done with the keyboard", async (context) => {
  const { page, peer } = await talkWith(context);
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("Space");
  assert.equal(await page.$eval("#mute", (button) => button.getAttribute("aria-pressed")), "true");
  await page.keyboard.press("Enter");
  await page.keyboard.type("a table for two");
  await page.keyboard.press("Enter");
  assert.deepEqual(await peer.message("user_message"), { type: "user_message", text: "a table for two" });
  await peer.message("user_activity");
  await page.keyboard.press("Escape");
  assert.equal(await peer.closed, 1000);
  assert.equal(await page.evaluate(() => window.tandemTalk.state), "over");
});

test("what is muted is silence on the wire and in the recording", async (context) => {
  const { page, peer } = await talkWith(context);
  await page.click("#mute");
  const from = peer.audio.length + 5;
  await until(page, () => window.tandemTalk.recordedSeconds > 2.5);
  assert.ok(peer.audio.slice(from).length > 10 && peer.audio.slice(from).every((chunk) => chunk.every((byte) => byte === 0)));
});

test("a server that asks who it is gets a log-in, and the talk carries its token outside the address", async (context) => {
  let met;
  const meeting = new Promise((resolve) => (met = resolve));
  const server = await fakeServer({ talk: (peer) => met(peer), password: "right", agents: { items: [{ name: "front-desk" }] } });
  const page = await openTalk(context, browser, `${server.url}/talk`, { quiet: false });
  context.after(() => server.close());
  const addresses = [];
  page.on("request", (request) => addresses.push(request.url()));
  await page.waitForSelector('#failure[data-name="login"] #login:not([hidden])');
  await page.type('#login [name="email"]', "asha@example.test");
  await page.type('#login [name="password"]', "wrong");
  await page.click("#login button");
  await until(page, () => /wrong/.test(document.getElementById("login-said").textContent));
  await page.$eval('#login [name="password"]', (field) => (field.value = ""));
  await page.type('#login [name="password"]', "right");
  await page.click("#login button");
  await page.waitForSelector("#agent:not([hidden])");
  assert.equal(await page.$eval("#failure", (banner) => banner.hidden), true);
  assert.equal(await page.$eval('#login [name="password"]', (field) => field.value), "", "the page does not keep it");
  await page.click("#talk");
  assert.equal((await meeting).protocol, "convai");
  await until(page, () => window.tandemTalk.state === "talking");
  assert.ok(addresses.every((address) => !address.includes("signature")), `${addresses}`);
  assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]), [0, 0, ""]);
});

const REFUSALS = [
  ["agent", { status: 404, detail: "there is no agent of that name" }],
  ["full", { status: 503, detail: "all 10 calls are taken" }],
  ["draining", { status: 503, detail: "the server is draining" }],
  ["closed", { status: 403, detail: "access control is not set up" }],
];
for (const [name, refuse] of REFUSALS) {
  test(`a server that refuses with ${refuse.status} is explained: ${name}`, async (context) => {
    const server = await fakeServer({ refuse });
    const page = await openTalk(context, browser, `${server.url}/talk?agent=x`, { quiet: false });
    context.after(() => server.close());
    await page.click("#talk");
    await page.waitForSelector(`#failure[data-name="${name}"]`);
    assert.ok((await page.$eval("#failure-remedy", (remedy) => remedy.textContent)).length > 20);
    assert.equal(await page.evaluate(() => window.tandemTalk.state), "idle");
  });
}
