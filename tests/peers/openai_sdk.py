"""Asks a model with OpenAI's own Python package, against a server of the same wire.

    openai_sdk.py BASE_URL WAY KEY MODEL SYSTEM QUESTION

WAY: stream   chat.completions.create(stream=True)
     whole    chat.completions.create
     models   models.list

Prints one JSON object: what the package understood, or the class of its error with status and code.
"""

import json
import sys

import openai


def stream(client, question):
    answer = client.chat.completions.create(stream=True, stream_options={"include_usage": True}, **question)
    made = {"text": "", "chunks_with_text": 0, "request_id": answer.response.headers.get("x-request-id")}
    for chunk in answer:
        if chunk.usage:
            made["usage"] = chunk.usage.model_dump()
        for choice in chunk.choices:
            if choice.delta.content:
                made["text"] += choice.delta.content
                made["chunks_with_text"] += 1
            made["finish_reason"] = choice.finish_reason or made.get("finish_reason")
    return made


def whole(client, question):
    answer = client.chat.completions.create(**question)
    choice = answer.choices[0]
    return {"text": choice.message.content, "finish_reason": choice.finish_reason, "usage": answer.usage.model_dump()}


def models(client, _):
    return {"models": [model.id for model in client.models.list()]}


def main():
    base, way, key, model, system, text = sys.argv[1:]
    client = openai.OpenAI(api_key=key, base_url=base, max_retries=0)
    messages = [{"role": "system", "content": system}, {"role": "user", "content": text}]
    question = {"model": model, "messages": messages, "max_completion_tokens": 1000}
    try:
        made = {"stream": stream, "whole": whole, "models": models}[way](client, question)
    except openai.APIStatusError as error:
        made = {"error": type(error).__name__, "status": error.status_code, "code": error.code}
    print(json.dumps(made))


main()
