// The public client of the agents socket, as npm has it, holds a conversation with this server: nothing is changed but `origin`.

import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { chromium, test, until } from "./chromium.mjs";
import { callerSays, tandem } from "./tandem.mjs";

/** What the package offers to pages without a bundler (its `unpkg` export). */
const CLIENT = fileURLToPath(new URL("node_modules/@elevenlabs/client/dist/lib.iife.js", import.meta.url));
const PAGE = "<!doctype html><title>client</title><script src=/client.js></script>";

/** A page of another origin than the server's, as an existing site would be. */
async function site(context) {
  const server = createServer((request, answer) => {
    const script = request.url === "/client.js";
    answer.setHeader("content-type", script ? "text/javascript" : "text/html");
    if (script) createReadStream(CLIENT).pipe(answer);
    else answer.end(PAGE);
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  context.after(() => (server.closeAllConnections(), server.close()));
  return `http://127.0.0.1:${server.address().port}/`;
}

test("@elevenlabs/client speaks, hears, interrupts and types", async (context) => {
  const server = await tandem(context);
  const home = await site(context);
  // The greeting takes five seconds: the first sentence falls into it.
  const { file } = await callerSays(context, [2.5, "I want an apartment in Delhi.", 60]);
  const browser = await chromium({ wav: file });
  context.after(() => browser.close());
  const page = await browser.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(home);
  await page.evaluate(async (origin) => {
    const log = { messages: [], interruptions: [], corrections: [], modes: [], errors: [], volume: 0, chunks: 0, ended: null };
    window.log = log;
    window.talk = await window.ElevenLabsClient.Conversation.startSession({
      agentId: "front-desk",
      origin,
      connectionType: "websocket",
      onMessage: ({ role, message, event_id }) => log.messages.push({ role, message, event_id }),
      onInterruption: (event) => log.interruptions.push(event),
      onAgentResponseCorrection: (event) => log.corrections.push(event),
      onModeChange: ({ mode }) => log.modes.push(mode),
      onAudio: () => (log.chunks += 1),
      onError: (message) => log.errors.push(message),
      onDisconnect: (details) => (log.ended = details),
    });
    setInterval(() => (log.volume = Math.max(log.volume, window.talk.getOutputVolume())), 50);
  }, server.url.replace("http", "ws"));
  assert.match(await page.evaluate(() => window.talk.getId()), /^[0-9a-f-]{36}$/);

  const said = (role, pattern) => window.log.messages.some((line) => line.role === role && new RegExp(pattern, "i").test(line.message));
  const heard = (role, pattern) => until(page, said, role, pattern);
  await heard("agent", "front desk");
  await until(page, () => window.log.chunks > 10 && window.log.volume > 0.01 && window.log.modes.includes("speaking"));
  await until(page, () => window.log.interruptions.length === 1 && window.log.corrections.length === 1);
  // One word will do: proven is the conversation. talk.test.mjs wants every word.
  await heard("user", "apartment|delhi");
  await heard("agent", "apartment|delhi");
  await page.evaluate(() => {
    window.talk.sendContextualUpdate("The caller looks at the map.");
    window.talk.sendUserActivity();
    window.talk.sendFeedback(true);
    window.talk.sendUserMessage("sixty lakh rupees");
  });
  await heard("agent", "sixty lakh");

  const log = await page.evaluate(() => window.log);
  const [{ original_agent_response: original, corrected_agent_response: kept }] = log.corrections;
  assert.ok(original.startsWith(kept) && kept.length < original.length, `heard: ${kept}`);
  assert.ok(log.messages.every(({ event_id }) => Number.isInteger(event_id)));
  await page.evaluate(() => window.talk.endSession());
  const ended = await (await until(page, () => window.log.ended)).jsonValue();
  assert.equal(ended.reason, "user");
  assert.deepEqual([...log.errors, ...errors], []);
  context.diagnostic(`${log.chunks} chunks of audio, volume up to ${log.volume.toFixed(2)}; heard: ${kept}`);
});
