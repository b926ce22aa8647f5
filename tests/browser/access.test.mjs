// Whether everybody can use the talk page, as far as a machine can tell: axe-core finds nothing, in any state, in light and in dark,
// and nothing moves for those who asked for that.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before } from "node:test";
import { chromium, openTalk, test, turn, until } from "./chromium.mjs";
import { fakeServer } from "./fake-server.mjs";

const AXE = await readFile(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
/** Width and height in pixels. */
const SIZES = { desktop: [1180, 760], phone: [390, 844] };

let browser;
before(async () => (browser = await chromium()));
after(() => browser.close());

/** Fails with what axe says about the page as it is now. */
async function assertUsable(page, what) {
  const { violations } = await page.evaluate(() => window.axe.run());
  const said = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`);
  assert.deepEqual(said, [], what);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  assert.equal(wide, false, `${what}: nothing sticks out`);
}

const ANSWER = "On Thursday there is a table at seven and another one at nine.";

/** Every kind of turn that can be shown. */
function everyTurn(peer) {
  peer.said("I need a table on Thursday.", 1);
  peer.answers(ANSWER, 2);
  peer.latency(2, 1290, { endpointing: 500, stt: 390, brain: 300, tts: 100 });
  peer.interrupt(3);
  peer.corrects(ANSWER, "On Thursday there is a table at seven", 2);
  peer.partial("Seven is", 3);
}

test("the log-in: names for its fields, and nothing sticks out", async (context) => {
  const server = await fakeServer({ password: "right" });
  const page = await openTalk(context, browser, "about:blank", { quiet: false });
  context.after(() => server.close());
  for (const [width, height] of Object.values(SIZES)) {
    await page.setViewport({ width, height });
    await page.goto(`${server.url}/talk`);
    await page.waitForSelector('#failure[data-name="login"]');
    await page.evaluate(AXE);
    await assertUsable(page, "log-in");
  }
});

for (const scheme of ["light", "dark"]) {
  for (const [name, [width, height]] of Object.entries(SIZES)) {
    test(`${name}, ${scheme}: idle, talking, over and failed`, async (context) => {
      const server = await fakeServer({ talk: everyTurn, agents: [{ name: "front-desk" }, { name: "logistics" }] });
      const page = await openTalk(context, browser, "about:blank", { quiet: false });
      context.after(() => server.close());
      await page.setViewport({ width, height });
      const features = [["prefers-color-scheme", scheme], ["prefers-reduced-motion", "reduce"]];
      await page.emulateMediaFeatures(features.map(([name, value]) => ({ name, value })));
      await page.goto(`${server.url}/talk`);
      await page.evaluate(AXE);
      await assertUsable(page, "idle");
      await page.click("#talk");
      await turn(page, "user", { state: "partial" });
      await until(page, () => window.tandemTalk.recordedSeconds > 0.5);
      await assertUsable(page, "talking");
      assert.equal(await page.evaluate(() => document.getAnimations().length), 0, "nothing moves");
      await page.keyboard.press("Escape");
      await until(page, () => !window.tandemTalk.open);
      await assertUsable(page, "over");
      await server.close();
      await page.click("#talk");
      await page.waitForSelector('#failure[data-name="gone"]');
      await assertUsable(page, "failed");
    });
  }
}
