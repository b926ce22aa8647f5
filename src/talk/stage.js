// What the page shows of its state: button, status, hints, failures. Told everything, decides nothing.
//
// body[data-state] and body[data-mood] are what the style sheet follows.

import { words } from "/talk/strings.js";

const $ = (id) => document.getElementById(id);

/** Puts the words into the page. */
export function fill(language) {
  document.documentElement.lang = language;
  document.title = words.title;
  for (const each of document.querySelectorAll("[data-t]")) each.textContent = words[each.dataset.t];
  for (const each of document.querySelectorAll("[data-label]")) each.setAttribute("aria-label", words[each.dataset.label]);
  for (const each of document.querySelectorAll("[data-hint]")) each.title = words[each.dataset.hint];
  for (const each of document.querySelectorAll("[data-placeholder]")) each.placeholder = words[each.dataset.placeholder];
}

/** One of idle, checking, connecting, talking, over. */
export function showState(state, { hasMicrophone }) {
  const talking = state === "talking" || state === "connecting";
  document.body.dataset.state = state;
  $("talk-label").textContent = { connecting: words.connect, talking: words.end, over: words.again }[state] ?? words.start;
  $("talk").disabled = state === "connecting";
  $("check").hidden = state === "checking" || talking;
  $("mute").hidden = state !== "talking" || !hasMicrophone;
  $("clock").hidden = state !== "talking" && state !== "over";
  $("agent").disabled = talking;
  if (state !== "checking") showHint("");
  showKeys(state);
}

/** One word of strings.js for what is going on. Cheap to repeat. */
export function showMood(mood) {
  if (document.body.dataset.mood === mood) return;
  document.body.dataset.mood = mood;
  $("status").textContent = words.status[mood];
}

/** Below the buttons. Cheap to repeat. */
export function showHint(text) {
  if ($("hint").textContent !== text) $("hint").textContent = text;
}

export function showMuted(muted) {
  $("mute").setAttribute("aria-pressed", String(muted));
  $("mute").textContent = muted ? words.unmute : words.mute;
}

/** The sentence and the remedy of a failure of failures.js. `act(action)` is called for the button that is pressed. */
export function showFailure(name, act) {
  const { what, remedy, actions } = words.failures[name];
  $("failure").dataset.name = name;
  $("failure-what").textContent = what;
  $("failure-remedy").textContent = remedy;
  $("failure-actions").replaceChildren(...actions.map((action) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.action = action;
    button.textContent = words.actions[action];
    button.addEventListener("click", () => act(action));
    return button;
  }));
  $("login").hidden = name !== "login";
  $("failure").hidden = false;
}

/** Below the form of a log-in: what is going on with it, or what was wrong. */
export function showLogin(said, { busy }) {
  $("login-said").textContent = said;
  $("login").querySelector("button").disabled = busy;
}

export function hideFailure() {
  $("failure").hidden = true;
  delete $("failure").dataset.name;
}

function showKeys(state) {
  const { keys, keyNames } = words;
  const shown = state === "talking"
    ? [[keyNames.space, keys.mute], [keyNames.enter, keys.type], [keyNames.escape, keys.end]]
    : [[keyNames.space, keys.start], [keyNames.enter, keys.type]];
  $("keys").replaceChildren(...shown.map(([key, does]) => {
    const item = document.createElement("li");
    const cap = document.createElement("kbd");
    cap.textContent = key;
    item.append(cap, ` ${does}`);
    return item;
  }));
}
