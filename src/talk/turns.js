// Who said what: the socket's events become an ordered list of turns.
//
// A turn is {key, id, role, text, state, at, interrupted, heard, latency, typed}:
//   role         "user" or "agent"
//   state        "partial" while it may still change, "final" afterwards
//   at           milliseconds since the talk began
//   heard        of an interrupted agent turn, the words that were played; null until the server says
//   latency      {total, stages: [{name, ms}]} in milliseconds, or null
// No document and no clock here: `apply` is told the time and answers which turn changed.

/** Stages in the order in which a turn passes them. */
const STAGES = ["endpointing", "stt", "brain", "tts"];
/** Event ids that an answer has for itself: its audio has the first, and a later one each time that it goes on after an interruption. */
const IDS = 1000;

export class Turns {
  /** All turns, oldest first. */
  list = [];
  #keys = 0;
  #lastUserId = -Infinity;
  /** A latency that came before its turn. */
  #early = null;

  /** Takes one event of the server. Returns the turn that changed, or null. */
  apply(event, at) {
    switch (event.type) {
      case "tentative_user_transcript":
        return this.#partial(event.tentative_user_transcription_event, at);
      case "user_transcript":
        return this.#said(event.user_transcription_event, at);
      case "agent_chat_response_part":
        return this.#part(event.text_response_part, at);
      case "agent_response":
        return this.#answered(event.agent_response_event, at);
      case "interruption":
        return this.#interrupted();
      case "agent_response_correction":
        return this.#corrected(event.agent_response_correction_event);
      case "turn_latency":
        return this.#timed(event.turn_latency_event);
      default:
        return null;
    }
  }

  /** What the caller typed; shown at once, before the server repeats it. */
  typed(text, at) {
    return this.#add({ role: "user", text, at, typed: true, state: "final" });
  }

  /** A new socket counts anew: the numbers of earlier turns mean nothing to it. */
  forgetIds() {
    this.#lastUserId = -Infinity;
    this.#early = null;
    for (const turn of this.list) turn.id = undefined;
  }

  /** The talk is over: what was partial stays as it is, an empty one goes. */
  close() {
    this.list = this.list.filter((turn) => turn.text !== "");
    for (const turn of this.list) turn.state = "final";
  }

  #partial({ user_transcript: text, event_id: id }, at) {
    const open = this.#open("user");
    if (open) return Object.assign(open, { text, id });
    if (text.trim() === "" || (id !== undefined && id <= this.#lastUserId)) return null;
    return this.#add({ role: "user", id, text, at });
  }

  #said({ user_transcript: text, event_id: id }, at) {
    this.#lastUserId = id ?? this.#lastUserId;
    const echo = this.list.findLast((turn) => turn.role === "user");
    if (echo?.typed && echo.id === undefined && echo.text.trim() === text.trim()) return Object.assign(echo, { id });
    const open = this.#open("user");
    if (text.trim() === "") {
      if (open) open.text = "";
      return this.#drop(open);
    }
    if (open) return Object.assign(open, { id, text, state: "final" });
    return this.#add({ role: "user", id, text, at, state: "final" });
  }

  #part({ text, type, event_id: id }, at) {
    const open = this.#ofAgent(id);
    if (open?.state === "partial") {
      if (type === "delta") open.text += text;
      return open;
    }
    if (open || type === "stop") return null;
    return this.#add({ role: "agent", id, text, at });
  }

  #answered({ agent_response: text, event_id: id }, at) {
    const open = this.#ofAgent(id);
    if (open) return Object.assign(open, { text, state: "final" });
    return this.#add({ role: "agent", id, text, at, state: "final" });
  }

  #interrupted() {
    const turn = this.list.findLast((turn) => turn.role === "agent");
    return turn ? Object.assign(turn, { interrupted: true, state: "final" }) : null;
  }

  /** Audio of this number comes: an answer that was interrupted for a sound that was none goes on. Gives it, or null. */
  goesOn(id) {
    const turn = this.list.findLast((turn) => turn.role === "agent");
    if (!turn?.interrupted || turn.heard !== null || !(id > turn.id && id < turn.id + IDS)) return null;
    return Object.assign(turn, { interrupted: false });
  }

  #corrected({ original_agent_response: original, corrected_agent_response: corrected, event_id: id }) {
    const same = (turn) => turn.role === "agent" && turn.text === original;
    const turn = this.#ofAgent(id) ?? this.list.findLast(same) ?? this.list.findLast((turn) => turn.role === "agent");
    if (!turn) return null;
    return Object.assign(turn, { text: original, heard: corrected, interrupted: true, state: "final" });
  }

  #timed({ event_id: id, total_ms: total, stages = {} }) {
    const known = STAGES.filter((name) => Number.isFinite(stages[name])).map((name) => ({ name, ms: stages[name] }));
    const latency = { total, stages: known };
    const turn = this.#ofAgent(id);
    if (turn) return Object.assign(turn, { latency });
    this.#early = { id, latency };
    return null;
  }

  #open(role) {
    return this.list.findLast((turn) => turn.role === role && turn.state === "partial");
  }

  #ofAgent(id) {
    return id === undefined ? undefined : this.list.findLast((turn) => turn.role === "agent" && turn.id === id);
  }

  #add(turn) {
    const whole = { key: this.#keys++, state: "partial", interrupted: false, heard: null, latency: null, typed: false, ...turn };
    if (whole.role === "agent" && this.#early?.id === whole.id && whole.id !== undefined) {
      whole.latency = this.#early.latency;
      this.#early = null;
    }
    this.list.push(whole);
    return whole;
  }

  #drop(turn) {
    if (!turn) return null;
    this.list = this.list.filter((other) => other !== turn);
    return { ...turn, state: "gone" };
  }
}

/**
 * Splits an interrupted turn at the place where the caller cut it: what was heard, and what was not.
 * The heard part may end in an ellipsis that is no part of the text. Unknown yet: everything counts as heard.
 */
export function cut({ text, heard }) {
  if (heard === null) return { heard: text, unheard: "" };
  const words = heard.replace(/(\.\.\.|…)\s*$/u, "").trimEnd();
  return text.startsWith(words) ? { heard: words, unheard: text.slice(words.length) } : { heard, unheard: "" };
}
