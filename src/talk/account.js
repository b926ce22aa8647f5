// Who talks, where the server asks: a log-in, its tokens, and requests that carry them.
//
// Tokens live in this page's memory and nowhere else: no storage that another script, or the next person at this machine, could read. A reload
// asks again. They travel in headers, and with a socket, which a browser gives no headers, as a subprotocol; never in an address.

/** How long before its end an access token is changed for the next, in milliseconds. */
const EARLY_MS = 30_000;

/** `{access, refresh, until}`, or null as long as nobody has logged in. */
let tokens = null;
/** The refresh that is under way: each refresh token works once, so they take turns. */
let renewing = null;

/** Logs in. Returns null, or the sentence that says why not. */
export async function logIn(email, password) {
  const answer = await post("/api/auth/login/", { email, password });
  if (!answer.ok) return (await answer.json().catch(() => ({}))).detail ?? "";
  keep(await answer.json());
  return null;
}

/** A token that is good for a while, or null: nobody has logged in, or they have to again. */
export async function bearer() {
  if (tokens !== null && Date.now() > tokens.until) {
    renewing ??= renew(tokens.refresh).finally(() => (renewing = null));
    await renewing;
  }
  return tokens?.access ?? null;
}

/** `fetch` as whoever has logged in. */
export async function ask(address, options = {}) {
  const token = await bearer();
  const headers = token === null ? options.headers : { ...options.headers, authorization: `Bearer ${token}` };
  return fetch(address, { ...options, headers });
}

async function renew(refresh) {
  const answer = await post("/api/auth/refresh/", { refresh });
  if (answer.ok) keep(await answer.json());
  // Any other answer is a fault that may pass; this one says that the log-in is over.
  else if (answer.status === 401) tokens = null;
}

function keep({ tokens: { access, refresh, expires_in: seconds } }) {
  tokens = { access, refresh, until: Date.now() + seconds * 1000 - EARLY_MS };
}

function post(address, body) {
  return fetch(address, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}
