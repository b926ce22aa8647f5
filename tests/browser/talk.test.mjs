// A person talks with the front desk through Chromium: the real page, the real server, the real recogniser and voice, and a
// microphone that plays what a caller says.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { WebSocket } from "ws";
import { chromium, openTalk, test, turn, until } from "./chromium.mjs";
import { callerSays, folder, levels, parseWav, tandem } from "./tandem.mjs";

/** RMS, 0 to 1, above which a voice is there; it is 0.05 and more while it speaks. */
const VOICE = 0.004;
/** Longest time for which both may be heard: 200 ms of speech make an interruption, and 400 more are for a busy machine. */
const DOUBLE_TALK_MS = 600;

/** A browser that will say `script`, on the page of a server of its own. */
async function caller(context, script, { settings, quiet = true } = {}) {
  const server = await tandem(context, { settings });
  const { file, spoken } = await callerSays(context, script);
  const browser = await chromium({ wav: file });
  context.after(() => browser.close());
  const page = await openTalk(context, browser, `${server.url}/talk?agent=front-desk`, { quiet });
  return { page, server, spoken };
}

/** Presses a button of "save the talk" and reads the file. */
async function download(context, page, button) {
  const home = await folder(context);
  const session = await page.browser().target().createCDPSession();
  const { browserContextId } = (await (await page.createCDPSession()).send("Target.getTargetInfo")).targetInfo;
  const saved = new Promise((resolve) => session.on("Browser.downloadProgress", ({ state }) => state === "completed" && resolve()));
  await session.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: home, eventsEnabled: true, browserContextId });
  await page.click(button);
  await saved;
  const [name] = await readdir(home);
  return { name, bytes: await readFile(path.join(home, name)) };
}

test("a caller interrupts the greeting, sees the words, hears the answer, and takes the talk home", async (context) => {
  // The greeting's first sentence takes two seconds on any machine and begins a moment after the microphone: this is inside of it.
  const { page } = await caller(context, [1.7, "I want an apartment in Delhi.", 9, "Sixty lakh rupees.", 20]);
  await page.click("#talk");
  const greeting = await turn(page, "agent", { matching: "front desk" });
  await until(page, () => window.tandemTalk.stats.agentHeardMs > 500 && window.tandemTalk.stats.agentPeak > 0.02);

  await page.waitForSelector(".turn.agent.interrupted .unheard");
  const cut = await page.$eval(".turn.agent.interrupted .bubble", (bubble) => bubble.firstChild.textContent);
  assert.ok(greeting.text.startsWith(cut) && cut.length > 0 && cut.length < greeting.text.length, `heard: ${cut}`);
  const [flush] = await page.evaluate(() => window.tandemTalk.stats.flushes);
  assert.ok(flush.quanta <= 1 && flush.afterMs < 300, `silent ${flush.afterMs} ms after the event`);

  // The recogniser spells the place in its own ways ("dally"); that it was understood is the agent's answer.
  await turn(page, "user", { state: "final", matching: "an apartment in" });
  const before = await page.evaluate(() => window.tandemTalk.stats.agentHeardMs);
  await turn(page, "agent", { matching: "apartment.*delhi" });
  await until(page, (before) => window.tandemTalk.stats.agentHeardMs > before + 1500, before);
  await page.waitForSelector(".turn.agent .chip[data-stage=total]");
  const chips = await page.$$eval(".turn.agent .chip", (all) => all.map((chip) => chip.dataset.stage));
  for (const stage of ["total", "endpointing", "stt", "brain", "tts"]) assert.ok(chips.includes(stage), `${stage} in ${chips}`);
  await turn(page, "user", { state: "final", matching: "sixty lakh" });
  await turn(page, "agent", { matching: "sixty lakh" });

  await page.keyboard.press("Escape");
  const audio = await download(context, page, "#save-audio");
  assert.match(audio.name, /^talk-front-desk-\d{4}-\d\d-\d\d-\d{6}\.wav$/);
  const { rate, channels } = parseWav(audio.bytes);
  assert.deepEqual([rate, channels.length], [16000, 2]);
  const [mine, agents] = channels.map((channel) => levels(channel, rate));
  const both = doubleTalkMs(mine, agents);
  context.diagnostic(`silent ${flush.afterMs.toFixed(1)} ms after the event, ${both} ms after the caller's first sound; heard: ${cut}`);
  assert.ok(both <= DOUBLE_TALK_MS, `${both} ms of double talk`);

  const text = (await download(context, page, "#save-text")).bytes.toString();
  assert.match(text, /Agent: Hello, this is .*Not heard: .*looking for/);
  assert.match(text, /You: I want an apartment in/i);
  const json = JSON.parse((await download(context, page, "#save-json")).bytes);
  assert.ok(json.turns.some(({ role, interrupted, heard, text }) => role === "agent" && interrupted && heard !== text), "what was heard is kept");
  assert.ok(json.turns.some(({ latency }) => latency?.total_ms > 0));
});

/** From the caller's first sound, which fell into the agent's speech, to the agent's silence, as both sides were recorded. */
function doubleTalkMs(mine, agents) {
  const onset = mine.findIndex((_, at) => mine.slice(at, at + 3).every((level) => level > VOICE));
  assert.ok(onset > 30 && agents.slice(onset - 30, onset + 30).some((level) => level > VOICE), `the caller spoke over the agent, ${onset * 10} ms in`);
  const silence = agents.findIndex((_, at) => at > onset && agents.slice(at, at + 30).every((level) => level === 0));
  return (silence - onset) * 10;
}

test("typing instead of speaking starts a talk, and the answer is heard", async (context) => {
  const { page } = await caller(context, [30]);
  await page.type("#text", "I want a villa in Pune");
  await page.keyboard.press("Enter");
  await turn(page, "user", { state: "final", matching: "villa in Pune" });
  await turn(page, "agent", { matching: "villa.*pune|pune.*villa" });
  await until(page, () => window.tandemTalk.stats.agentHeardMs > 1000);
  const said = await page.$$eval(".turn.user .bubble", (bubbles) => bubbles.map((bubble) => bubble.textContent));
  assert.deepEqual(said, ["I want a villa in Pune"], "shown once");
});

test("an agent that does not exist is named as the trouble", async (context) => {
  const { page, server } = await caller(context, [5]);
  await page.goto(`${server.url}/talk?agent=nobody`);
  await page.click("#talk");
  await page.waitForSelector('#failure[data-name="agent"]');
});

test("a full server says so", async (context) => {
  const { page, server } = await caller(context, [60], { settings: { MAX_CONCURRENT_CALLS: "1" } });
  const other = new WebSocket(`${server.url.replace("http", "ws")}/v1/convai/conversation?agent_id=front-desk`);
  context.after(() => other.close());
  other.onopen = () => other.send('{"type":"conversation_initiation_client_data"}');
  await new Promise((accepted) => (other.onmessage = accepted));
  await page.click("#talk");
  await page.waitForSelector('#failure[data-name="full"]');
});

test("a server that is killed in the middle of a talk is reported, and reached again when it is back", async (context) => {
  const { page, server } = await caller(context, [60], { quiet: false });
  await page.click("#talk");
  await turn(page, "agent", { matching: "front desk" });
  await server.kill();
  await page.waitForSelector('#failure[data-name="gone"]');
  await tandem(context, { port: server.port });
  await page.click('[data-action="reconnect"]');
  await until(page, () => window.tandemTalk.state === "talking");
  await until(page, () => document.querySelectorAll(".turn.agent").length === 2);
});

test("a server that is draining takes no new talk and says so", async (context) => {
  const { page, server } = await caller(context, [60], { quiet: false });
  const other = new WebSocket(`${server.url.replace("http", "ws")}/v1/convai/conversation?agent_id=front-desk`);
  context.after(() => other.close());
  other.onopen = () => other.send('{"type":"conversation_initiation_client_data"}');
  await new Promise((accepted) => (other.onmessage = accepted));
  await server.kill("SIGTERM");
  await page.click("#talk");
  await page.waitForSelector('#failure[data-name="draining"]');
});

test("a server that listens beyond its machine shows the set-up page alone until there is an administrator", async (context) => {
  const server = await tandem(context, { settings: { HOST: "0.0.0.0" } });
  const talk = await fetch(`${server.url}/talk`);
  assert.equal(talk.status, 403);
  assert.match((await talk.json()).detail, /set-up link|tandem user add/);
  assert.equal((await fetch(`${server.url}/setup`)).status, 200);
});
