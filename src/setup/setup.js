// Sends the form with the token behind the '#', which no server and no proxy has seen until then.
'use strict';

const form = document.getElementById('form');
const said = document.getElementById('said');
const token = location.hash.slice(1);
// The token does not stay in the history.
history.replaceState(null, '', location.pathname);
if (token === '') {
  said.textContent = 'Open the whole link that was printed at start, with what stands behind the #.';
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  said.textContent = '';
  try {
    const fields = Object.fromEntries(new FormData(form));
    const answer = await fetch('/api/setup', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...fields, token }),
    });
    const body = await answer.json();
    if (answer.ok) {
      form.remove();
      said.textContent = `${body.user.email} is the owner. Log in with that address and the password: at /talk to talk, at /api/auth/login/ for everything else.`;
      return;
    }
    said.textContent = body.detail;
  } catch {
    said.textContent = 'The server did not answer. Try again.';
  }
  button.disabled = false;
});
