"""Deepgram's own package as a client: one stream, and what it understood, as one line of JSON.

    deepgram_sdk.py BASE_URL KEY AUDIO

AUDIO is a file of mu-law bytes at 8 kHz. The settings are those that Tandem's adapter asks for, so that the two wires can be compared.
"""

import json
import sys
import threading

from deepgram import DeepgramClient
from deepgram.core.events import EventType
from deepgram.environment import DeepgramClientEnvironment

MESSAGE_BYTES = 480  # 60 ms


def main(base_url: str, key: str, path: str) -> None:
    socket_url = base_url.replace("http", "ws", 1)
    environment = DeepgramClientEnvironment(
        base=base_url, production=socket_url, agent=socket_url, agent_rest=base_url
    )
    client = DeepgramClient(api_key=key, environment=environment)
    events, answered, closed = [], threading.Event(), threading.Event()

    def message(event: object) -> None:
        kind = getattr(event, "type", None)
        if kind == "Results":
            best = event.channel.alternatives[0]
            # Words have types of their own: a field that is missing or has another type raises here.
            words = [[word.word, float(word.start), float(word.end)] for word in best.words]
            events.append(
                {
                    "type": kind,
                    "class": type(event).__name__,
                    "transcript": best.transcript,
                    "is_final": event.is_final,
                    "from_finalize": bool(event.from_finalize),
                    "words": words,
                }
            )
            if event.from_finalize:
                answered.set()
        else:
            events.append({"type": kind, "class": type(event).__name__})

    with client.listen.v1.connect(
        model="nova-3",
        encoding="mulaw",
        sample_rate=8000,
        language="en",
        interim_results=True,
        endpointing=300,
        smart_format=True,
        keyterm=["cash back", "EMI"],
        # Known to the service, not to this version of the package.
        request_options={"additional_query_parameters": {"no_delay": "true"}},
    ) as connection:
        connection.on(EventType.MESSAGE, message)
        connection.on(EventType.CLOSE, lambda _: closed.set())
        listening = threading.Thread(target=connection.start_listening, daemon=True)
        listening.start()
        with open(path, "rb") as audio:
            while chunk := audio.read(MESSAGE_BYTES):
                connection.send_media(chunk)
        connection.send_finalize()
        if not answered.wait(10):
            raise SystemExit("no answer to Finalize")
        connection.send_keep_alive()
        connection.send_close_stream()
        listening.join(10)
    print(json.dumps({"closed": closed.is_set(), "events": events}))


if __name__ == "__main__":
    main(*sys.argv[1:])
