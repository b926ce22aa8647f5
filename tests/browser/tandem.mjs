// The real server as a process, and a caller's voice for it, both made for one test.

import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The binary to test: TANDEM_BIN, or what the last `cargo build` left. */
function binary() {
  const target = () => execFileSync(path.join(ROOT, "scripts/target-dir.sh"), { encoding: "utf8" }).trim();
  const file = process.env.TANDEM_BIN || path.join(target(), "debug/tandem");
  assert.ok(existsSync(file), `there is no ${file}: run \`cargo build\`, or say in TANDEM_BIN where it is`);
  return file;
}

/** A folder that the test takes with it when it ends. */
export async function folder(context) {
  const made = await mkdtemp(path.join(tmpdir(), "tandem-browser-"));
  context.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** Starts `tandem serve` with an empty database on a free port. `kill` is as sudden as it sounds. */
export async function tandem(context, { port = 0, settings = {} } = {}) {
  const home = await folder(context);
  // The program refuses settings that it does not know, and this one is ours.
  const { TANDEM_BIN: _, ...environment } = process.env;
  const child = spawn(binary(), ["serve", "--json", "--port", String(port), "--log-level", "warn"], {
    cwd: home,
    env: { ...environment, DATA_DIR: path.join(home, "data"), ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (text) => (log = (log + text).slice(-4000)));
  const exited = once(child, "exit");
  context.after(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const line = await Promise.race([
    once(createInterface(child.stdout), "line").then(([line]) => line),
    exited.then(([code]) => assert.fail(`tandem serve ended with ${code}; if the speech model is absent, run \`make models\`\n${log}`)),
  ]);
  const url = JSON.parse(line).url.replace("localhost", "127.0.0.1");
  const kill = async (signal = "SIGKILL") => {
    child.kill(signal);
    if (signal === "SIGKILL") await exited;
  };
  return { url, port: Number(new URL(url).port), kill, log: () => log };
}

/**
 * Writes a WAV in which a caller speaks: `script` alternates seconds of silence and sentences. Returns its path and, for every
 * sentence, when it begins and ends, in seconds.
 */
export async function callerSays(context, script) {
  const home = await folder(context);
  const pieces = [];
  const spoken = [];
  let samples = 0;
  for (const [index, part] of script.entries()) {
    const piece = typeof part === "number" ? Buffer.alloc(Math.round(part * 16000) * 2) : await speak(home, index, part);
    if (typeof part === "string") spoken.push({ text: part, from: samples / 16000, to: (samples + piece.length / 2) / 16000 });
    pieces.push(piece);
    samples += piece.length / 2;
  }
  const file = path.join(home, "caller.wav");
  await writeFile(file, wav(Buffer.concat(pieces)));
  return { file, spoken };
}

/** One sentence in the voice of flite, 16-bit samples at 16 kHz. */
async function speak(home, index, text) {
  const file = path.join(home, `${index}.wav`);
  await promisify(execFile)("flite", ["-voice", "slt", "-t", text, "-o", file]);
  const { rate, channels, samples } = parseWav(await readFile(file));
  assert.deepEqual([rate, channels.length], [16000, 1], "the format of flite's voice");
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
}

function wav(samples) {
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + samples.length, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(16000, 24);
  header.writeUInt32LE(32000, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36);
  header.writeUInt32LE(samples.length, 40);
  return Buffer.concat([header, samples]);
}

/** Reads 16-bit PCM: rate, all samples, and each channel's. Throws at anything that is no such file. */
export function parseWav(bytes) {
  assert.equal(bytes.toString("latin1", 0, 4) + bytes.toString("latin1", 8, 12), "RIFFWAVE");
  assert.equal(bytes.readUInt32LE(4), bytes.length - 8, "the length in the RIFF header");
  let at = 12;
  let format = null;
  while (bytes.toString("latin1", at, at + 4) !== "data") {
    if (bytes.toString("latin1", at, at + 4) === "fmt ") format = at + 8;
    at += 8 + bytes.readUInt32LE(at + 4);
  }
  assert.ok(format !== null && bytes.readUInt16LE(format) === 1 && bytes.readUInt16LE(format + 14) === 16, "16-bit PCM");
  const data = bytes.subarray(at + 8, at + 8 + bytes.readUInt32LE(at + 4));
  const samples = new Int16Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.length));
  const count = bytes.readUInt16LE(format + 2);
  const channels = Array.from({ length: count }, (_, channel) => samples.filter((_, index) => index % count === channel));
  return { rate: bytes.readUInt32LE(format + 4), samples, channels };
}

/** Root mean square of `samples` in steps of 10 ms, 0 to 1: `levels[n]` is at `n / 100` seconds. */
export function levels(samples, rate) {
  const step = rate / 100;
  return Array.from({ length: Math.floor(samples.length / step) }, (_, index) => {
    const part = samples.subarray(index * step, (index + 1) * step);
    return Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / step) / 32768;
  });
}
