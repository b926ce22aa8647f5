// What the talk page says when there is nothing to talk with: a sentence, and the way out of it.

import assert from "node:assert/strict";
import { chromium, openTalk, test, turn, until } from "./chromium.mjs";
import { fakeServer } from "./fake-server.mjs";

/** A page on `host` in a browser of its own. */
async function pageIn(context, options = {}, { host = "127.0.0.1", talk } = {}) {
  const server = await fakeServer({ talk });
  const browser = await chromium(options);
  context.after(() => Promise.all([browser.close(), server.close()]));
  const page = await openTalk(context, browser, `http://${host}:${server.port}/talk`, { quiet: false });
  return { page, server };
}

/** The failure that is shown: [sentence, remedy, actions]. */
async function shown(page, name) {
  await page.waitForSelector(`#failure[data-name="${name}"]:not([hidden])`);
  const [what, remedy] = await Promise.all(["#failure-what", "#failure-remedy"].map((id) => page.$eval(id, (part) => part.textContent)));
  const actions = await page.$$eval("#failure-actions button", (buttons) => buttons.map((button) => button.dataset.action));
  assert.equal(await page.$eval("#failure", (banner) => banner.getAttribute("role")), "alert");
  return { what, remedy, actions };
}

test("no microphone: the talk goes on by typing", async (context) => {
  const { page } = await pageIn(context, { device: false }, { talk: (peer) => (peer.answers("Hello!", 1), peer.tone(0.5, 1)) });
  await page.click("#talk");
  const { what, remedy, actions } = await shown(page, "absent");
  assert.equal(what, "No microphone was found.");
  assert.match(remedy, /Plug one in/);
  assert.deepEqual(actions, ["retry", "type"]);
  await page.click('[data-action="type"]');
  await page.keyboard.type("good morning");
  await page.keyboard.press("Enter");
  await turn(page, "agent", { matching: "Hello!" });
  await turn(page, "user", { matching: "good morning" });
  await until(page, () => window.tandemTalk.stats.agentHeardMs > 300);
});

test("permission refused: the page says where to give it, and tries again", async (context) => {
  const { page } = await pageIn(context, { permission: false });
  const { origin } = new URL(page.url());
  await page.browserContext().overridePermissions(origin, []);
  await page.click("#talk");
  const { what, remedy, actions } = await shown(page, "denied");
  assert.equal(what, "The microphone is blocked for this page.");
  assert.match(remedy, /beside the address/);
  assert.deepEqual(actions, ["retry", "type"]);
  await page.browserContext().overridePermissions(origin, ["microphone"]);
  await page.click('[data-action="retry"]');
  await until(page, () => window.tandemTalk.state === "talking");
  assert.equal(await page.$eval("#failure", (banner) => banner.hidden), true);
});

test("an address of the network without https: said at once, and again on every try", async (context) => {
  const { page } = await pageIn(context, { hosts: ["tandem.test"] }, { host: "tandem.test" });
  assert.equal(await page.evaluate(() => isSecureContext), false);
  const { remedy } = await shown(page, "insecure");
  assert.match(remedy, /^Browsers give the microphone only to https or localhost\./);
  await page.click("#talk");
  await shown(page, "insecure");
  assert.equal(await page.evaluate(() => window.tandemTalk.state), "idle");
});

test("the server goes away in the middle: what was said stays, and the talk is taken up where it was", async (context) => {
  const { page, server } = await pageIn(context, {}, { talk: (peer) => (peer.answers("How can I help?", 1), peer.said("A table.", 2)) });
  await page.click("#talk");
  await turn(page, "user", { matching: "A table" });
  await server.close();
  const { what, actions } = await shown(page, "gone");
  assert.equal(what, "The server does not answer.");
  assert.deepEqual(actions, ["reconnect"]);
  await page.click('[data-action="reconnect"]');
  await shown(page, "gone");
  const back = await fakeServer({ port: server.port, talk: (peer) => peer.answers("Welcome back.", 1) });
  context.after(() => back.close());
  await page.click('[data-action="reconnect"]');
  await turn(page, "agent", { matching: "Welcome back" });
  const said = await page.$$eval(".turn .bubble", (bubbles) => bubbles.map((bubble) => bubble.textContent));
  assert.deepEqual(said, ["How can I help?", "A table.", "Welcome back."]);
  assert.equal(await page.$eval("#failure", (banner) => banner.hidden), true);
});
