// Debian's Chromium with a microphone made of a WAV file, and what every test does with a page.
//
// The device begins to play the file when a page opens it, once, and is silent afterwards.

import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import puppeteer from "puppeteer-core";

const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";
/** Longest wait for anything, in milliseconds. */
export const LIMIT_MS = 30_000;

/** A test that hangs has failed. */
export const test = (name, run) => nodeTest(name, { timeout: 4 * LIMIT_MS }, run);

/**
 * Starts the browser. `wav`: what the microphone hears; without one it beeps. `device: false`: there is no microphone.
 * `permission: false`: nobody clicks "allow". `hosts`: names that lead to loopback.
 */
export async function chromium({ wav, device = true, permission = true, hosts = [] } = {}) {
  const args = ["--no-sandbox", "--mute-audio", "--disable-dev-shm-usage", "--no-proxy-server"];
  if (device) args.push("--use-fake-device-for-media-stream");
  if (permission) args.push("--use-fake-ui-for-media-stream");
  if (wav) args.push(`--use-file-for-fake-audio-capture=${wav}%noloop`);
  if (hosts.length > 0) args.push(`--host-resolver-rules=${hosts.map((host) => `MAP ${host} 127.0.0.1`).join(",")}`);
  return puppeteer.launch({ executablePath: EXECUTABLE, headless: true, args });
}

/**
 * Opens the talk page in a context of its own. The test fails if the page throws or, unless `quiet` is false, writes an error to
 * the console: a refused resource or a broken policy shows there.
 */
export async function openTalk(context, browser, url, { quiet = true } = {}) {
  const window = await browser.createBrowserContext();
  const page = await window.newPage();
  page.setDefaultTimeout(LIMIT_MS);
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    // A server that lists no agents is asked for the list all the same, and Chromium reports the 404.
    const expected = message.location().url?.endsWith("/api/agents");
    if (quiet && message.type() === "error" && !expected) errors.push(message.text());
  });
  context.after(async () => {
    if (browser.connected) await window.close();
    assert.deepEqual(errors, []);
  });
  await page.goto(url);
  return page;
}

/** Waits until `condition` holds in the page; if it never does, says what the page shows. */
export async function until(page, condition, ...values) {
  try {
    return await page.waitForFunction(condition, { polling: 20, timeout: LIMIT_MS }, ...values);
  } catch (error) {
    const shown = await page.evaluate(() => `${document.body.innerText}\n${JSON.stringify(window.tandemTalk ?? window.log)}`);
    throw new Error(`${error.message}: ${condition} ${values}, but the page shows:\n${shown}`, { cause: error });
  }
}

/** The newest shown turn of a role with the given marks, once there is one: {text, state, interrupted}. */
export async function turn(page, role, { state, interrupted, matching = "" } = {}) {
  const marks = [state && `[data-state="${state}"]`, interrupted && '[data-interrupted="true"]'].filter(Boolean).join("");
  const found = await until(page, (selector, pattern) => {
    const items = [...document.querySelectorAll(selector)].map((item) => ({
      text: item.querySelector(".bubble").textContent,
      state: item.dataset.state,
      interrupted: item.dataset.interrupted === "true",
    }));
    return items.findLast(({ text }) => new RegExp(pattern, "i").test(text));
  }, `.turn[data-role="${role}"]${marks}`, matching);
  return found.jsonValue();
}
