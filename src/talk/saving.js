// The talk as files: sound, text, JSON.

import { words } from "/talk/strings.js";
import { cut } from "/talk/turns.js";

/** Plain text, one line a turn, with the time since the beginning. `talk`: {id, agent, startedAt, turns}. */
export function asText({ id, agent, startedAt, turns }) {
  const head = [`${words.product}: ${agent || words.standardAgent}, ${startedAt.toISOString()}`, id, ""];
  const lines = turns.map((turn) => {
    const { heard, unheard } = cut(turn);
    const rest = unheard ? ` [${words.unheard} ${unheard.trim()}]` : "";
    const mark = turn.interrupted && !unheard ? ` [${words.interruptedBadge}]` : "";
    return `[${clock(turn.at)}] ${turn.role === "user" ? words.you : words.agent}: ${heard}${rest}${mark}`;
  });
  return `${[...head, ...lines].join("\n")}\n`;
}

/** The same with everything that is known of each turn. Times in milliseconds. */
export function asJson({ id, agent, startedAt, turns, reason }) {
  const plain = turns.map((turn) => ({
    role: turn.role,
    text: turn.text,
    at_ms: Math.round(turn.at),
    typed: turn.typed,
    interrupted: turn.interrupted,
    heard: turn.interrupted ? cut(turn).heard : turn.text,
    latency: turn.latency && {
      total_ms: turn.latency.total,
      stages_ms: Object.fromEntries(turn.latency.stages.map(({ name, ms }) => [name, ms])),
    },
  }));
  const talk = { conversation_id: id, agent_id: agent, started_at: startedAt.toISOString(), ended_reason: reason, turns: plain };
  return `${JSON.stringify(talk, null, 2)}\n`;
}

/** Name of a file, without its ending: agent and local time, as it sorts best. */
export function fileName({ agent, startedAt }) {
  const two = (value) => String(value).padStart(2, "0");
  const day = [startedAt.getFullYear(), two(startedAt.getMonth() + 1), two(startedAt.getDate())].join("-");
  const time = [startedAt.getHours(), startedAt.getMinutes(), startedAt.getSeconds()].map(two).join("");
  return `${["talk", agent.replace(/[^\p{L}\p{N}-]+/gu, "-"), day].filter(Boolean).join("-")}-${time}`;
}

/** Minutes and seconds. */
export function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Hands a file to the browser's downloads. */
export function save(name, parts, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type }));
  link.download = name;
  link.click();
  // The download has taken hold of the data long before.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
