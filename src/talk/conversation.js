// The socket of one talk: events in, audio and text out.
//
// Shapes: those of the ElevenLabs agents socket (npm @elevenlabs/types), with `turn_latency` and `conversation_ended` added.
// Answers by itself what needs no person: `ping`, and tools, of which this page has none.
// Not here: what an event means to the page (turns.js), and sound (line.js).

const PATH = "/v1/convai/conversation";
const PROTOCOL = "convai";
/** What a subprotocol begins with that carries a token. The server reads it and does not choose it. */
const TOKEN = "tandem.bearer.";
/** Bytes waiting to be sent beyond which audio is dropped: two seconds and more late, it would only make the talk slower. */
const BACKLOG_BYTES = 128 * 1024;
/** Longest wait for the server's first word, in milliseconds. */
const GREETING_LIMIT_MS = 15000;

/** Address of an agent's socket on the server that this page came from; without an agent the server chooses. */
export function address(agent, { protocol, host }) {
  const query = agent ? `?${new URLSearchParams({ agent_id: agent })}` : "";
  return `${protocol === "https:" ? "wss:" : "ws:"}//${host}${PATH}${query}`;
}

export class Conversation {
  #socket;
  #handlers;
  #timer;
  /** Set once the server has accepted the talk. */
  id = null;
  /** Audio chunks that were not sent because the network is behind. */
  dropped = 0;
  /** Why the server says the talk is over. */
  reason = null;

  /**
   * Connects. `handlers`: started({id, rate}) when the server accepts; event(message) for each of its events;
   * audio(samples, eventId) with 16-bit samples at `rate`; ended({code, reason, said, accepted}) exactly once. `token` where the server asks who
   * we are, else null.
   */
  constructor(url, handlers, token = null) {
    this.#handlers = handlers;
    this.#socket = new WebSocket(url, token === null ? [PROTOCOL] : [PROTOCOL, TOKEN + token]);
    this.#socket.addEventListener("open", () => this.#send({ type: "conversation_initiation_client_data" }));
    this.#socket.addEventListener("message", ({ data }) => this.#receive(data));
    this.#socket.addEventListener("close", ({ code, reason }) => this.#close(code, reason));
    this.#timer = setTimeout(() => this.#close(0, "timeout"), GREETING_LIMIT_MS);
  }

  /** Sends 16-bit samples at 16 kHz, little-endian as every machine with a browser is. */
  sendAudio(samples) {
    if (this.#socket.readyState !== WebSocket.OPEN || this.id === null) return;
    if (this.#socket.bufferedAmount > BACKLOG_BYTES) {
      this.dropped += 1;
      return;
    }
    this.#send({ user_audio_chunk: encode(samples) });
  }

  sendText(text) {
    this.#send({ type: "user_message", text });
  }

  /** The caller is typing: the agent should not take the silence for an end. */
  sendActivity() {
    this.#send({ type: "user_activity" });
  }

  /** Hangs up. */
  close() {
    this.#socket.close(1000, "the caller hung up");
    this.#close(1000, "");
  }

  #send(message) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #receive(data) {
    const message = parse(data);
    if (!message || this.#handlers === null) return;
    switch (message.type) {
      case "conversation_initiation_metadata":
        return this.#accepted(message.conversation_initiation_metadata_event ?? {});
      case "audio": {
        const { audio_base_64: audio, event_id: id } = message.audio_event ?? {};
        if (audio) this.#handlers.audio(decode(audio), id);
        return;
      }
      case "ping":
        this.#send({ type: "pong", event_id: message.ping_event?.event_id });
        break;
      case "client_tool_call":
        this.#refuseTool(message.client_tool_call ?? {});
        break;
      case "conversation_ended":
        this.reason = message.conversation_ended_event?.reason ?? "";
        break;
      case "error":
        this.reason = message.error_event?.message ?? this.reason;
        break;
    }
    this.#handlers.event(message);
  }

  #accepted({ conversation_id: id, agent_output_audio_format: output, user_input_audio_format: input }) {
    const rate = /^pcm_(\d+)$/.exec(output ?? "pcm_16000")?.[1];
    if (!rate || (input ?? "pcm_16000") !== "pcm_16000") {
      this.#socket.close(1000);
      this.#close(0, "format");
      return;
    }
    clearTimeout(this.#timer);
    this.id = id ?? "";
    this.#handlers.started({ id: this.id, rate: Number(rate) });
  }

  #refuseTool({ tool_name: name, tool_call_id: id }) {
    const result = `the talk page has no tool named ${name}`;
    this.#send({ type: "client_tool_result", tool_call_id: id, result, is_error: true });
  }

  #close(code, reason) {
    const handlers = this.#handlers;
    if (handlers === null) return;
    this.#handlers = null;
    clearTimeout(this.#timer);
    this.#socket.close();
    handlers.ended({ code, reason, said: this.reason, accepted: this.id !== null });
  }
}

/** A JSON object, or null for what is none: a newer server may send frames that this page does not know. */
function parse(data) {
  try {
    const message = JSON.parse(data);
    return typeof message === "object" ? message : null;
  } catch {
    return null;
  }
}

function encode(samples) {
  return btoa(String.fromCharCode(...new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)));
}

function decode(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Int16Array(bytes.buffer, 0, bytes.length >> 1);
}
