// A server that serves the page's own files and speaks its socket as told, one script a test.
//
// It stands in where the real server cannot be made to do the thing: to be full, to correct a turn, to call a tool. Shapes: npm
// @elevenlabs/types. The files come from src/talk as they are, under the policy that the real server sends.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { WebSocketServer } from "ws";

const ASSETS = fileURLToPath(new URL("../../src/talk", import.meta.url));
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const RATE = 16000;
const TOKEN = "header.claims.signature";

/**
 * Serves on loopback, on a free port unless one is named. `talk(peer)` is called for every talk after its first message; `refuse` is a problem document
 * with a status that every socket and plain request of the socket's address gets; `agents` is what /api/agents answers; `password` is what a log-in
 * takes, where the server asks for one.
 */
export async function fakeServer({ talk = () => {}, refuse = null, agents = null, password = null, port: wanted = 0 } = {}) {
  const policy = (await readFile(path.join(ASSETS, "policy.txt"), "utf8")).trim();
  const problem = (answer, { status, ...body }) => {
    answer.writeHead(status, { "content-type": "application/problem+json" });
    answer.end(JSON.stringify({ status, ...body }));
  };
  const server = createServer(async (request, answer) => {
    const { pathname } = new URL(request.url, "http://localhost");
    if (pathname === "/api/auth/login/") {
      const sent = JSON.parse(await text(request));
      if (sent.password !== password) return problem(answer, { status: 401, detail: "the e-mail address or the password is wrong" });
      return answer.end(JSON.stringify({ tokens: { access: TOKEN, refresh: "r", expires_in: 900 } }));
    }
    const closed = password !== null && (pathname.startsWith("/v1/") || pathname.startsWith("/api/"));
    if (closed && request.headers.authorization !== `Bearer ${TOKEN}`) return problem(answer, { status: 401 });
    if (pathname.startsWith("/v1/convai/")) return problem(answer, refuse ?? { status: 426 });
    if (pathname === "/api/agents" && agents) return answer.end(JSON.stringify(agents));
    const name = pathname === "/talk" ? "index.html" : path.basename(pathname);
    try {
      const body = await readFile(path.join(ASSETS, name));
      answer.writeHead(200, { "content-type": TYPES[path.extname(name)], "content-security-policy": policy });
      answer.end(body);
    } catch {
      problem(answer, { status: 404 });
    }
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => offered.has("convai") && "convai" });
  server.on("upgrade", (request, socket, head) => {
    const offered = (request.headers["sec-websocket-protocol"] ?? "").split(/, */);
    if (password !== null && !offered.includes(`tandem.bearer.${TOKEN}`)) return socket.end("HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n");
    if (refuse) return socket.end(`HTTP/1.1 ${refuse.status} Refused\r\nconnection: close\r\n\r\n`);
    sockets.handleUpgrade(request, socket, head, (upgraded) => new Peer(upgraded, request, talk));
  });
  await new Promise((ready) => server.listen(wanted, "127.0.0.1", ready));
  const { port } = server.address();
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: () => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      return new Promise((closed) => server.close(closed));
    },
  };
}

/** The page's other side. */
class Peer {
  /** Every message of the page, audio apart. */
  received = [];
  /** Samples of the caller. */
  audio = [];
  #socket;
  #waiting = [];

  constructor(socket, request, talk) {
    this.#socket = socket;
    this.agent = new URL(request.url, "http://localhost").searchParams.get("agent_id");
    this.protocol = socket.protocol;
    socket.on("message", (data) => this.#receive(JSON.parse(data), talk));
    this.closed = new Promise((closed) => socket.on("close", (code) => closed(code)));
  }

  #receive(message, talk) {
    if (message.user_audio_chunk) {
      this.audio.push(Buffer.from(message.user_audio_chunk, "base64"));
      return;
    }
    this.received.push(message);
    this.#waiting = this.#waiting.filter(({ type, found }) => message.type !== type || found(message));
    if (this.received.length > 1) return;
    const event = { conversation_id: "conv_fake", agent_output_audio_format: "pcm_16000", user_input_audio_format: "pcm_16000" };
    this.send({ type: "conversation_initiation_metadata", conversation_initiation_metadata_event: event });
    talk(this);
  }

  send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  /** The next message of a type; one that has come already counts. */
  message(type) {
    const here = this.received.find((message) => message.type === type);
    return here ? Promise.resolve(here) : new Promise((found) => this.#waiting.push({ type, found }));
  }

  partial(text, id) {
    this.send({ type: "tentative_user_transcript", tentative_user_transcription_event: { user_transcript: text, event_id: id } });
  }

  said(text, id) {
    this.send({ type: "user_transcript", user_transcription_event: { user_transcript: text, event_id: id } });
  }

  answers(text, id) {
    this.send({ type: "agent_response", agent_response_event: { agent_response: text, event_id: id } });
  }

  /** A tone as long as `seconds`, all at once. */
  tone(seconds, id, hertz = 300) {
    const samples = Int16Array.from({ length: seconds * RATE }, (_, at) => 9000 * Math.sin((2 * Math.PI * hertz * at) / RATE));
    for (let at = 0; at < samples.length; at += 1600) {
      const piece = Buffer.from(samples.slice(at, at + 1600).buffer);
      this.send({ type: "audio", audio_event: { audio_base_64: piece.toString("base64"), event_id: id } });
    }
  }

  interrupt(id) {
    this.send({ type: "interruption", interruption_event: { event_id: id } });
  }

  corrects(original, corrected, id) {
    const event = { original_agent_response: original, corrected_agent_response: corrected, event_id: id };
    this.send({ type: "agent_response_correction", agent_response_correction_event: event });
  }

  latency(id, total_ms, stages) {
    this.send({ type: "turn_latency", turn_latency_event: { event_id: id, total_ms, stages } });
  }

  hangUp(code = 1000, reason = "") {
    this.#socket.close(code, reason);
  }
}
