// What went wrong, as one of a closed set of names; strings.js has the sentence and the remedy of each.
//
//   name        means                                            the page offers
//   insecure    neither microphone nor sound without https       -
//   outdated    the browser lacks what the page needs            -
//   denied      the person, or a policy, refused the microphone  again, typing
//   absent      there is no microphone                           again, typing
//   busy        another program holds the microphone             again, typing
//   lost        the microphone went away during the talk         again
//   gone        the server does not answer, or stopped           reconnect
//   agent       no agent of that name                            -
//   full        as many talks as the server allows               again
//   draining    the server is being stopped                      again
//   closed      the server lets only its own machine in          -
//   login       the server asks who we are                       a log-in
//   forbidden   whoever has logged in may not talk               -
//   protocol    the server speaks something else                 -
//   ended       the server ended the talk with an error          again

/** What this browser lacks, before anything is tried; null if it has everything. `needsMicrophone`: not for typing alone. */
export function ofBrowser({ isSecureContext, navigator, AudioWorkletNode, WebSocket }, { needsMicrophone }) {
  if (!isSecureContext) return "insecure";
  if (!AudioWorkletNode || !WebSocket || (needsMicrophone && !navigator.mediaDevices)) return "outdated";
  return null;
}

/** Why there is no microphone. Names by the W3C's Media Capture and Streams, section 10.2. */
export function ofMicrophone({ name }) {
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "absent";
  }
}

/** Why the socket closed; null for a talk that ended as talks do. */
export function ofClose({ code, reason, accepted }) {
  if (reason === "format") return "protocol";
  if (accepted && (code === 1000 || code === 1005)) return null;
  if (code === 1013 || code === 1012) return busyOrDraining(reason);
  if (code === 1001) return accepted ? "gone" : "draining";
  if (code === 1008) return /agent/i.test(reason) ? "agent" : "ended";
  if (code === 1011) return "ended";
  return "gone";
}

/** Why the server refused the socket, by the problem document (RFC 9457) that it gives to a plain request of the same address. */
export function ofProblem(status, { detail = "", type = "" } = {}) {
  if (status === 404) return "agent";
  if (status === 401) return "login";
  if (status === 403) return type.endsWith(":forbidden") ? "forbidden" : "closed";
  if (status === 503 || status === 429) return busyOrDraining(detail);
  return "gone";
}

function busyOrDraining(reason) {
  if (/drain|stop|shut/i.test(reason)) return "draining";
  return /busy|taken|limit/i.test(reason) ? "full" : "ended";
}
