// What can be chosen before a talk: the agent and the microphone.

import { ask } from "/talk/account.js";
import { words } from "/talk/strings.js";

const $ = (id) => document.getElementById(id);
/** The agent that the page's address names; empty: the server's choice. */
const named = new URLSearchParams(location.search).get("agent") ?? "";

/** Name of the agent to talk with; empty: the server's choice. */
export const chosenAgent = () => ($("agent").hidden ? named : $("agent").value);

/** Id of the microphone to use; empty: the browser's choice. */
export const chosenMicrophone = () => ($("microphone").hidden ? "" : $("microphone").value);

/** Offers the agents where the server lists them; else there is the one that the address names. Returns whether it asks for a log-in first. */
export async function listAgents() {
  $("agent-name").textContent = named || words.standardAgent;
  let closed = false;
  const names = await ask("/api/agents", { headers: { accept: "application/json" } })
    .then((answer) => ((closed = answer.status === 401), answer.ok ? answer.json() : []))
    .then((body) => (Array.isArray(body) ? body : body.items ?? []).map((agent) => agent.name ?? agent.slug ?? agent.agent_id))
    .catch(() => []);
  const known = names.filter((name) => typeof name === "string" && name !== "");
  if (known.length === 0) return closed;
  if (named && !known.includes(named)) known.unshift(named);
  $("agent").replaceChildren(...known.map((name) => new Option(name, name, name === named, name === named)));
  $("agent").hidden = false;
  $("agent-name").hidden = true;
  // A reload, or a colleague with the address, gets the same agent.
  $("agent").onchange = () => history.replaceState(null, "", `?${new URLSearchParams({ agent: chosenAgent() })}`);
  return false;
}

/** Offers the microphones, `current` chosen. Their names are told only after permission; a single one needs no choice. */
export async function listMicrophones(current) {
  const devices = await navigator.mediaDevices.enumerateDevices();
  const microphones = devices.filter(({ kind, deviceId }) => kind === "audioinput" && deviceId !== "");
  $("microphone").replaceChildren(...microphones.map(({ deviceId, label }, index) => {
    const chosen = deviceId === current;
    return new Option(label || `${words.microphone} ${index + 1}`, deviceId, chosen, chosen);
  }));
  $("microphone").hidden = microphones.length < 2;
}
