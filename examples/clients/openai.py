"""The official OpenAI SDK for Python against gatehouse: nothing but the base URL is different.

    gatehouse demo &
    pip install openai
    python examples/clients/openai.py
"""

import json
import os
import sys

# Python looks beside the script first, and this file is called like the package.
sys.path.pop(0)

from openai import OpenAI
from pydantic import BaseModel

client = OpenAI(
    base_url=os.environ.get("OPENAI_BASE_URL") or "http://localhost:11435/v1",
    # The SDK insists on a key; an open gateway takes any.
    api_key=os.environ.get("OPENAI_API_KEY") or "any key",
)
model = os.environ.get("MODEL") or "echo"


def list_models():
    print("models:", ", ".join(found.id for found in client.models.list()))


def chat():
    answer = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "Say hello to the gatehouse."}],
    )
    print("chat:", answer.choices[0].message.content, f"({answer.usage.total_tokens} tokens)")


def stream():
    print("stream: ", end="")
    chunks = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "Count from one to five."}],
        stream=True,
    )
    for chunk in chunks:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
    print()


def weather(city):
    return f"Sunny in {city}, 21 °C"


def tools():
    offered = [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "The weather now",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
            },
        }
    ]
    messages = [{"role": "user", "content": "What is the weather in Paris?"}]
    message = client.chat.completions.create(model=model, messages=messages, tools=offered).choices[0].message
    if message.tool_calls:
        messages.append(message)
        for call in message.tool_calls:
            result = weather(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        message = client.chat.completions.create(model=model, messages=messages, tools=offered).choices[0].message
    print("tools:", message.content)


class Person(BaseModel):
    name: str
    born: int


def structured():
    answer = client.chat.completions.parse(
        model=model,
        messages=[
            {"role": "system", "content": "Answer with the person as JSON."},
            {"role": "user", "content": '{"name": "Ada Lovelace", "born": 1815}'},
        ],
        response_format=Person,
    )
    print("structured:", answer.choices[0].message.parsed)


def embeddings():
    answer = client.embeddings.create(model=model, input=["a gate", "a house"])
    print("embeddings:", ", ".join(f"{len(row.embedding)} numbers" for row in answer.data))


list_models()
chat()
stream()
tools()
structured()
embeddings()
