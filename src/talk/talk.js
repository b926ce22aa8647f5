// The talk page: what happens when.
//
// Place:   the entry. line.js has the sound, conversation.js the socket, turns.js who said what, stage.js what is shown.
// States:  idle ─► checking ─► connecting ─► talking ─► over ─► connecting …
// Proofs:  tests/browser drives this page in Chromium; `window.tandemTalk` is what it reads.

import { ask, bearer, logIn } from "/talk/account.js";
import { chosenAgent, chosenMicrophone, listAgents, listMicrophones } from "/talk/choices.js";
import { Conversation, address } from "/talk/conversation.js";
import { ofBrowser, ofClose, ofMicrophone, ofProblem } from "/talk/failures.js";
import { AUDIBLE, Line } from "/talk/line.js";
import { Recording } from "/talk/recording.js";
import { asJson, asText, clock, fileName, save } from "/talk/saving.js";
import { fill, hideFailure, showFailure, showHint, showLogin, showMood, showMuted, showState } from "/talk/stage.js";
import { language, words } from "/talk/strings.js";
import { Transcript } from "/talk/transcript.js";
import { Turns } from "/talk/turns.js";
import { Voices } from "/talk/voices.js";

const $ = (id) => document.getElementById(id);
/** Longest wait for the agent's last words to be played after the server has hung up, in milliseconds. */
const LAST_WORDS_MS = 10_000;
/** How long a voice counts as speaking after its last sound, in milliseconds. */
const BREATH_MS = 350;
/** Between two signs that the caller is typing, in milliseconds. */
const TYPING_MS = 2_000;

const transcript = new Transcript();
const voices = new Voices();

let state = "idle";
let line = null;
/** Of the line, also after it was closed. */
let stats = null;
let conversation = null;
let turns = new Turns();
let recording = new Recording();
/** Facts of the talk for its files. */
let talk = { id: "", agent: "", startedAt: new Date(), reason: "" };
/** `performance.now()` at the talk's beginning. */
let begun = 0;
/** What was typed before the server had accepted the talk. */
let unsent = [];
let waitingForAnswer = false;
let typedAt = -Infinity;
let wakeLock = null;
/** Settled when the line of the talk before is closed: one at a time. */
let hungUp = Promise.resolve();

const at = () => performance.now() - begun;

function enter(next) {
  state = next;
  if (next !== "talking") setMuted(false);
  showState(next, { hasMicrophone: line?.hasMicrophone ?? false });
  showMood(mood());
}

// --- A talk from beginning to end -----------------------------------------------------------------------------------------------

/** Starts a talk. `speak`: with the microphone; else by typing alone. `resume`: after a lost connection, on the same page. */
async function start({ speak = true, resume = false } = {}) {
  if (state === "connecting" || state === "talking") return;
  hideFailure();
  enter("connecting");
  await hungUp;
  if (!(await openLine(speak))) return;
  const agent = chosenAgent();
  if (resume) {
    turns.forgetIds();
    talk = { ...talk, agent, reason: "" };
  } else {
    turns = new Turns();
    recording = new Recording();
    transcript.clear();
    voices.clear();
    talk = { id: "", agent, startedAt: new Date(), reason: "" };
  }
  const token = await bearer().catch(() => null); // a server that is gone says so to the socket
  conversation = new Conversation(address(agent, location), { started, event: heard, audio: play, ended }, token);
}

/** The line that is open already, or a new one; `false`, and said why, if what is wanted cannot be had. */
async function openLine(speak) {
  const missing = ofBrowser(window, { needsMicrophone: speak });
  if (missing) return fail(missing);
  if (!line) {
    line = new Line({ block, lost });
    stats = line.stats;
    try {
      await line.open();
    } catch (error) {
      console.error(error);
      // The worklet is a file too: it cannot be fetched from a server that is gone.
      return fail(error.name === "AbortError" ? "gone" : "outdated");
    }
  }
  if (!speak || line.hasMicrophone) return true;
  try {
    await line.useMicrophone(chosenMicrophone());
  } catch (error) {
    return fail(ofMicrophone(error));
  }
  await listMicrophones(line.device);
  return true;
}

function started({ id, rate }) {
  // The microphone went away while we connected.
  if (!line) {
    conversation?.close();
    return;
  }
  talk.id = id;
  // The clock of the transcript is the clock of the recording.
  if (recording.seconds === 0) begun = performance.now();
  line.expect(rate);
  enter("talking");
  for (const text of unsent.splice(0)) say(text);
  navigator.wakeLock?.request("screen").then((lock) => (wakeLock = lock), () => {});
}

function heard(event) {
  if (event.type === "interruption") {
    line.flush();
    voices.cut();
  }
  if (event.type === "user_transcript") waitingForAnswer = true;
  if (event.type === "agent_response") waitingForAnswer = false;
  transcript.show(turns.apply(event, at()));
  $("save").hidden = turns.list.length === 0;
}

function play(samples, id) {
  waitingForAnswer = false;
  const resumed = turns.goesOn(id);
  if (resumed) transcript.show(resumed);
  line.play(samples);
}

/** 40 ms of both sides. */
function block({ mic, agent, micLevel, agentLevel }) {
  voices.push(micLevel, agentLevel);
  if (state === "checking" && micLevel > 4 * AUDIBLE) showHint(words.checkHeard);
  if (state !== "talking") return;
  conversation.sendAudio(mic);
  recording.push(mic, agent);
  $("clock").textContent = clock(at());
  showMood(mood());
}

/** The socket is closed, by whomever. */
async function ended(close) {
  conversation = null;
  talk.reason = close.said ?? close.reason;
  waitingForAnswer = false;
  turns.close();
  for (const turn of turns.list) transcript.show(turn);
  const failure = ofClose(close);
  if (failure) {
    fail(close.accepted || failure !== "gone" ? failure : await refusal());
    return;
  }
  enter("over");
  if (close.said) transcript.note(words.over(words.reasons[close.said] ?? close.said));
  hungUp = lastWords().then(hangUp);
}

/** Why the socket was refused. The browser is not told, but the server says it to plain requests. */
async function refusal() {
  try {
    for (const place of [address(talk.agent, location).replace(/^ws/, "http"), "/readyz"]) {
      const answer = await ask(place, { cache: "no-store" });
      // 426: this address wants a socket, and would have given one.
      if (!answer.ok && answer.status !== 426) return ofProblem(answer.status, await answer.json().catch(() => ({})));
    }
  } catch {
    // Nobody answers.
  }
  return "gone";
}

/** The agent hung up: its goodbye may still be on the way to the loudspeaker. */
async function lastWords() {
  const since = performance.now();
  while (line?.speaking && performance.now() - since < LAST_WORDS_MS) await new Promise((done) => setTimeout(done, 50));
}

async function hangUp() {
  const closing = line;
  line = null;
  wakeLock?.release().catch(() => {});
  wakeLock = null;
  await closing?.close();
  voices.rest();
}

/** The caller hangs up: at once, whatever is still to be played. */
function stop() {
  line?.flush();
  conversation?.close();
}

// --- What can go wrong ----------------------------------------------------------------------------------------------------------

/** Shows a failure and gives up what was tried. Returns false, for those who ask. */
function fail(name) {
  showFailure(name, act);
  unsent = [];
  hungUp = hangUp();
  enter(turns.list.length > 0 ? "over" : "idle");
  return false;
}

/** The microphone was unplugged. A talk goes on: there is the keyboard. */
function lost() {
  if (state !== "talking") {
    fail("lost");
    return;
  }
  showFailure("lost", act);
  enter("talking");
}

/** Logs in with what stands in the form. The talk is begun by its own button: sound needs a click of its own. */
async function enterAccount(form) {
  showLogin(words.loggingIn, { busy: true });
  const { email, password } = Object.fromEntries(new FormData(form));
  const refused = await logIn(email, password).catch(() => words.loginFailed);
  showLogin(refused ?? "", { busy: false });
  if (refused !== null) return;
  form.reset();
  hideFailure();
  enter(state);
  await listAgents();
  $("talk").focus();
}

async function act(action) {
  if (action === "type") {
    hideFailure();
    enter(state);
    $("text").focus();
  } else if (state === "talking") {
    await changeMicrophone();
  } else {
    await start({ resume: action === "reconnect" && turns.list.length > 0 });
  }
}

/** Takes another microphone without ending the talk. */
async function changeMicrophone() {
  try {
    await line?.useMicrophone(chosenMicrophone());
    hideFailure();
    enter(state);
  } catch (error) {
    showFailure(ofMicrophone(error), act);
  }
}

// --- Moods, mouth and hands -----------------------------------------------------------------------------------------------------

/** One word for what is going on. */
function mood() {
  if (state !== "talking") return state === "idle" && !$("failure").hidden ? "stopped" : state;
  const now = performance.now();
  const { lastAgentAt, lastMicAt } = line.stats;
  if (now - lastAgentAt < BREATH_MS) return "speaking";
  if (waitingForAnswer) return "thinking";
  if (!line.hasMicrophone) return "typing";
  if (line.muted) return "muted";
  return now - lastMicAt < BREATH_MS && turns.list.at(-1)?.state === "partial" ? "hearing" : "listening";
}

function setMuted(muted) {
  if (line) line.muted = muted;
  showMuted(muted);
}

/** Sends what was typed; starts a talk for it if there is none. */
function say(text) {
  if (state !== "talking") {
    unsent.push(text);
    start({ speak: false });
    return;
  }
  transcript.show(turns.typed(text, at()));
  $("save").hidden = false;
  waitingForAnswer = true;
  conversation.sendText(text);
}

async function check() {
  hideFailure();
  enter("checking");
  showHint(words.checkHint);
  await hungUp;
  await openLine(true);
}

const toggle = () => (state === "talking" ? stop() : start());

$("login").addEventListener("submit", (event) => {
  event.preventDefault();
  enterAccount(event.currentTarget);
});
$("talk").addEventListener("click", toggle);
$("check").addEventListener("click", check);
$("mute").addEventListener("click", () => setMuted(!line?.muted));
$("microphone").addEventListener("change", changeMicrophone);
$("type").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (text === "" || state === "connecting") return;
  $("text").value = "";
  say(text);
});
$("text").addEventListener("input", () => {
  if (state !== "talking" || performance.now() - typedAt < TYPING_MS) return;
  typedAt = performance.now();
  conversation.sendActivity();
});
$("save-audio").addEventListener("click", () => save(`${fileName(talk)}.wav`, recording.wav(), "audio/wav"));
$("save-text").addEventListener("click", () => save(`${fileName(talk)}.txt`, [asText({ ...talk, turns: turns.list })], "text/plain"));
$("save-json").addEventListener("click", () => save(`${fileName(talk)}.json`, [asJson({ ...talk, turns: turns.list })], "application/json"));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") {
    escape();
    return;
  }
  // Space and Enter keep their meaning on whatever has the focus.
  if (event.target.closest("button, input, select, textarea, a, [role=log]")) return;
  if (event.key === " ") {
    event.preventDefault();
    if (event.repeat) return;
    if (state !== "talking") start();
    else if (line.hasMicrophone) setMuted(!line.muted);
  } else if (event.key === "Enter") {
    event.preventDefault();
    $("text").focus();
  }
});

/** From the smallest thing that can be left to the largest. */
function escape() {
  if (document.activeElement === $("text") && $("text").value !== "") {
    $("text").value = "";
  } else if (state === "talking") {
    stop();
  } else if (state === "checking") {
    hungUp = hangUp();
    enter("idle");
  } else {
    hideFailure();
    enter(state);
  }
}

addEventListener("pagehide", () => conversation?.close());

fill(language);
if (!isSecureContext) showFailure("insecure", act);
enter("idle");
listAgents().then((closed) => {
  if (!closed || state !== "idle" || !$("failure").hidden) return;
  showFailure("login", act);
  showMood(mood());
});

/** For the tests and the curious. */
window.tandemTalk = {
  get state() { return state; },
  get id() { return talk.id; },
  get turns() { return turns.list; },
  get stats() { return stats; },
  /** Whether microphone and loudspeaker are in use. */
  get open() { return line !== null; },
  get recordedSeconds() { return recording.seconds; },
};
