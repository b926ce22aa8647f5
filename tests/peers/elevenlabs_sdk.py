"""Speaks a text with ElevenLabs' own Python package, and with LiveKit's plugin, against a server of the same wire.

    elevenlabs_sdk.py BASE_URL WAY TEXT

WAY: http      elevenlabs: text_to_speech.stream
     realtime  elevenlabs: text_to_speech.convert_realtime, a socket with one text
     livekit   livekit-plugins-elevenlabs: multi-stream-input

Prints one JSON object: the audio in base64, its encoding and rate, and the words with their times where the package tells them.
"""

import asyncio
import base64
import json
import sys

VOICE = "JBFqnCBsd6RMkjVDRZzb"
MODEL = "eleven_flash_v2_5"


def client(base):
    from elevenlabs import ElevenLabs

    made = ElevenLabs(api_key="sdk-key", base_url=base)
    # The package dials wss for any base; a local server has no certificate.
    made.text_to_speech._ws_base_url = base.replace("http", "ws", 1)
    return made


def http(base, text):
    chunks = client(base).text_to_speech.stream(
        VOICE, text=text, model_id=MODEL, language_code="en", output_format="ulaw_8000"
    )
    return {"audio": b"".join(chunks), "encoding": "ulaw", "rate": 8000}


def realtime(base, text):
    # As a model streams it: word by word.
    words = (word + " " for word in text.split())
    chunks = client(base).text_to_speech.convert_realtime(VOICE, text=words, model_id=MODEL, output_format="ulaw_8000")
    return {"audio": b"".join(chunks), "encoding": "ulaw", "rate": 8000}


async def livekit(base, text):
    import aiohttp
    from livekit.agents import tokenize
    from livekit.plugins import elevenlabs

    async with aiohttp.ClientSession() as session:
        tts = elevenlabs.TTS(
            voice_id=VOICE,
            model=MODEL,
            language="en",
            encoding="pcm_16000",
            api_key="sdk-key",
            base_url=base + "/v1",
            http_session=session,
            auto_mode=True,
            word_tokenizer=tokenize.blingfire.SentenceTokenizer(),
        )
        audio, words = b"", []
        async with tts.stream() as stream:
            stream.push_text(text)
            stream.end_input()
            async for event in stream:
                audio += event.frame.data.tobytes()
                for word in event.frame.userdata.get("lk.timed_transcripts") or []:
                    words.append([str(word), word.start_time])
        await tts.aclose()
    return {"audio": audio, "encoding": "pcm", "rate": 16000, "words": words}


def main():
    base, way, text = sys.argv[1:]
    made = asyncio.run(livekit(base, text)) if way == "livekit" else {"http": http, "realtime": realtime}[way](base, text)
    made["audio"] = base64.b64encode(made["audio"]).decode()
    print(json.dumps(made))


main()
