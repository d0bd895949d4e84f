"""LangChain's OpenAI classes against gatehouse: nothing but the base URL is different.

    gatehouse demo &
    pip install langchain-openai
    python examples/clients/langchain.py
"""

import os
import sys

# Python looks beside the script first, where there is an openai.py.
sys.path.pop(0)

from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

at = {
    "base_url": os.environ.get("OPENAI_BASE_URL") or "http://localhost:11435/v1",
    # The SDK insists on a key; an open gateway takes any.
    "api_key": os.environ.get("OPENAI_API_KEY") or "any key",
    "model": os.environ.get("MODEL") or "echo",
}
model = ChatOpenAI(**at)


def chat():
    answer = model.invoke("Say hello to the gatehouse.")
    print("chat:", answer.content, f"({answer.usage_metadata['total_tokens']} tokens)")


def stream():
    print("stream: ", end="")
    for chunk in model.stream("Count from one to five."):
        print(chunk.content, end="", flush=True)
    print()


@tool
def weather(city: str) -> str:
    """The weather now"""
    return f"Sunny in {city}, 21 °C"


def tools():
    able = model.bind_tools([weather])
    messages = [HumanMessage("What is the weather in Paris?")]
    answer = able.invoke(messages)
    if answer.tool_calls:
        results = [weather.invoke(call) for call in answer.tool_calls]
        answer = able.invoke([*messages, answer, *results])
    print("tools:", answer.content)


class Person(BaseModel):
    """A person"""

    name: str
    born: int


def structured():
    able = model.with_structured_output(Person, method="json_schema")
    print("structured:", able.invoke('{"name": "Ada Lovelace", "born": 1815}'))


def embeddings():
    # Unless told not to, LangChain sends OpenAI's token numbers in place of the text, which mean nothing to other models.
    vectors = OpenAIEmbeddings(**at, check_embedding_ctx_length=False).embed_documents(["a gate", "a house"])
    print("embeddings:", ", ".join(f"{len(vector)} numbers" for vector in vectors))


chat()
stream()
tools()
structured()
embeddings()
