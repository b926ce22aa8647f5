// Draws turns: one list item each.
//
// A partial is hidden from assistive technology and replaced by a new item when it is final; a final item is changed only in the
// part that changed. So a screen reader says every line once. Latencies are not announced.

import { words } from "/talk/strings.js";
import { cut } from "/talk/turns.js";

/** Distance from the end, in pixels, within which the list follows what is said. */
const FOLLOW_PX = 80;

export class Transcript {
  #list = document.getElementById("transcript");
  #scroll = document.getElementById("scroll");
  #empty = document.getElementById("empty");
  #newest = document.getElementById("newest");
  #items = new Map();
  #following = true;

  constructor() {
    this.#scroll.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
      this.#following = scrollHeight - scrollTop - clientHeight < FOLLOW_PX;
      this.#newest.hidden = this.#following;
    });
    this.#newest.addEventListener("click", () => this.#follow(true));
  }

  clear() {
    this.#list.replaceChildren();
    this.#items.clear();
    this.#empty.hidden = false;
    this.#newest.hidden = true;
    this.#following = true;
  }

  /** Draws `turn` as it is now. */
  show(turn) {
    if (turn === null) return;
    const old = this.#items.get(turn.key);
    if (turn.state === "gone") {
      old?.remove();
      this.#items.delete(turn.key);
      return;
    }
    const item = draw(turn);
    if (old?.dataset.state === "final") {
      patch(old, item);
    } else {
      if (old) old.replaceWith(item);
      else this.#list.append(item);
      this.#items.set(turn.key, item);
    }
    this.#empty.hidden = true;
    this.#follow(this.#following);
  }

  /** A line between turns: the connection was lost, the talk ended. */
  note(text) {
    this.#list.append(element("li", "note", text));
    this.#follow(this.#following);
  }

  #follow(wanted) {
    if (wanted) this.#scroll.scrollTop = this.#scroll.scrollHeight;
    else this.#newest.hidden = false;
  }
}

function draw(turn) {
  const item = element("li", `turn ${turn.role} ${turn.state}`);
  item.classList.toggle("interrupted", turn.interrupted);
  item.dataset.role = turn.role;
  item.dataset.state = turn.state;
  item.dataset.interrupted = String(turn.interrupted);
  if (turn.state === "partial") item.ariaHidden = "true";
  item.append(element("span", "speaker", turn.role === "user" ? words.you : words.agent), bubble(turn));
  const badges = [turn.interrupted && words.interruptedBadge, turn.typed && words.typedBadge].filter(Boolean);
  if (badges.length > 0) item.append(element("span", "badge", badges.join(" · ")));
  if (turn.latency) item.append(latency(turn.latency));
  return item;
}

/** Brings a final item up to date, part by part; parts are only ever added or changed. */
function patch(old, item) {
  old.className = item.className;
  Object.assign(old.dataset, item.dataset);
  [...item.children].forEach((part, index) => {
    const before = old.children[index];
    if (!before) old.append(part);
    else if (!before.isEqualNode(part)) before.replaceWith(part);
  });
}

function bubble(turn) {
  const { heard, unheard } = cut(turn);
  const text = element("p", "bubble", heard);
  if (turn.state === "partial") text.append(element("span", "caret"));
  if (unheard) text.append(element("span", "sr", ` ${words.unheard} `), element("s", "unheard", unheard));
  return text;
}

/** The bar shows how the time divides, the chips say it in figures. */
function latency({ total, stages }) {
  const box = element("div", "latency");
  box.ariaLive = "off";
  const bar = element("span", "bar");
  for (const { name, ms } of stages) {
    const part = element("span", `part stage-${name}`);
    part.style.flexGrow = String(Math.max(ms, 0));
    bar.append(part);
  }
  const chips = element("span", "chips");
  chips.append(chip("total", total));
  for (const { name, ms } of stages) chips.append(chip(name, ms));
  if (stages.length > 0) box.append(bar);
  box.append(chips);
  return box;
}

function chip(name, ms) {
  const text = element("span", `chip stage-${name}`);
  if (name === "total") text.classList.add(ms <= 800 ? "fast" : ms <= 1200 ? "fair" : "slow");
  text.title = `${words.latencyHints[name]}: ${words.ms(ms)}`;
  text.dataset.stage = name;
  const value = element("b", "", name === "total" ? words.ms(ms) : String(Math.round(ms)));
  text.append(...(name === "total" ? [value, ` ${words.latency[name]}`] : [`${words.latency[name]} `, value]));
  return text;
}

function element(tag, name, text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.textContent = text;
  return made;
}
