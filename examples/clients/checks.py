"""What the official Python SDK makes of gatehouse, check by check. python.test.ts sets everything up and runs it.

Prints a line for each check and ends with 1 when one failed. What only the other side of the gateway can see, it asks
for: it prints `? begun MODEL` or `? left MODEL` and waits for a line on its standard input.
"""

import asyncio
import base64
import io
import json
import os
import sys

# Python looks beside the script first, where there is an openai.py.
sys.path.pop(0)

import openai
import requests
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

url = os.environ["URL"]
backend = os.environ["BACKEND"]
# llama-server serves its one model whatever name it is asked for.
names_models = backend != "llamacpp"
speaks_responses = backend in ("openai", "vllm")
speaks_audio = backend in ("openai", "vllm")

# Without retries: a check wants to see the first answer.
client = OpenAI(base_url=url, api_key="any key", max_retries=0)


def new_async_client():
    # One for each event loop: connections cannot move to another.
    return AsyncOpenAI(base_url=url, api_key="any key", max_retries=0)


checks = []


def check(function):
    checks.append(function)
    return function


def says(content):
    return [{"role": "user", "content": content}]


def raised(kind, function):
    try:
        function()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__} was raised")


def ask(question):
    print(f"? {question}", flush=True)
    answer = sys.stdin.readline().strip()
    assert answer == "yes", f"{question}: {answer}"


async def ask_async(question):
    await asyncio.to_thread(ask, question)


# models


@check
def models_are_listed_and_found():
    names = [model.id for model in client.models.list()]
    assert "echo" in names or "echo:latest" in names, names
    for name in names:
        assert client.models.retrieve(name).id == name


@check
def an_unknown_model_is_a_not_found_error():
    error = raised(openai.NotFoundError, lambda: client.models.retrieve("nobody"))
    assert error.code == "model_not_found" and error.type == "invalid_request_error"
    if names_models:
        error = raised(openai.NotFoundError, lambda: client.chat.completions.create(model="missing", messages=says("hello?")))
        assert "missing" in error.message


# chat


@check
def chat():
    answer = client.chat.completions.create(model="echo", messages=says("a chat"))
    [choice] = answer.choices
    assert answer.object == "chat.completion" and answer.model == "echo"
    assert choice.message.role == "assistant" and choice.message.content.startswith("n=") and choice.finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (11, 7, 18)


@check
def chat_that_is_cut_off():
    answer = client.chat.completions.create(model="len", messages=says("cut me off"))
    assert answer.choices[0].finish_reason == "length"


@check
def stream():
    chunks = list(client.chat.completions.create(model="echo", messages=says("a stream"), stream=True))
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.delta.content or "" for choice in choices).startswith("n=")
    assert len({chunk.id for chunk in chunks}) == 1
    assert [choice.delta.role for choice in choices if choice.delta.role] == ["assistant"] and choices[0].delta.role
    assert [choice.finish_reason for choice in choices if choice.finish_reason] == ["stop"]
    assert not any(chunk.usage for chunk in chunks)


@check
def stream_with_usage():
    options = {"include_usage": True}
    *chunks, last = client.chat.completions.create(model="echo", messages=says("a stream"), stream=True, stream_options=options)
    assert last.choices == [] and last.usage.total_tokens == 18
    assert not any(chunk.usage for chunk in chunks)


@check
def stream_of_characters_in_pieces():
    chunks = client.chat.completions.create(model="unicode", messages=says("pieces"), stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "héllo 世界 🙂"


@check
def stream_by_the_helper():
    with client.chat.completions.stream(model="echo", messages=says("help")) as events:
        kinds = [event.type for event in events]
        answer = events.get_final_completion()
    assert "content.delta" in kinds and "content.done" in kinds
    assert answer.choices[0].message.content.startswith("n=") and answer.choices[0].finish_reason == "stop"


@check
def stream_asynchronously():
    async def read():
        async with new_async_client() as client:
            chunks = await client.chat.completions.create(model="echo", messages=says("later"), stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])

    assert asyncio.run(read()).startswith("n=")


# tools


def tool(name):
    parameters = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


tools = [tool("first"), tool("second")]


@check
def tools_in_two_rounds():
    messages = says("call the tools")
    choice = client.chat.completions.create(model="two", messages=messages, tools=tools).choices[0]
    assert choice.finish_reason == "tool_calls"
    calls = choice.message.tool_calls
    assert [(call.type, call.function.name, json.loads(call.function.arguments)) for call in calls] == [
        ("function", "first", {"text": "x1"}),
        ("function", "second", {"text": "x2"}),
    ]
    assert len({call.id for call in calls}) == 2 and all(call.id for call in calls)
    messages.append(choice.message)
    for call in calls:
        messages.append({"role": "tool", "tool_call_id": call.id, "content": f"result of {call.function.name}"})
    answer = client.chat.completions.create(model="two", messages=messages, tools=tools).choices[0]
    assert answer.message.content == "the tool said: result of first | result of second", answer.message.content
    assert answer.finish_reason == "stop"


@check
def tools_in_a_stream():
    calls = {}
    reasons = []
    for chunk in client.chat.completions.create(model="two", messages=says("call them"), tools=tools, stream=True):
        for choice in chunk.choices:
            if choice.finish_reason:
                reasons.append(choice.finish_reason)
            for delta in choice.delta.tool_calls or []:
                call = calls.setdefault(delta.index, {"ids": [], "name": "", "arguments": ""})
                call["ids"] += [delta.id] if delta.id else []
                call["name"] += delta.function.name or ""
                call["arguments"] += delta.function.arguments or ""
    assert reasons == ["tool_calls"]
    assert [calls[index]["name"] for index in (0, 1)] == ["first", "second"]
    assert [json.loads(calls[index]["arguments"]) for index in (0, 1)] == [{"text": "x1"}, {"text": "x2"}]
    assert [len(calls[index]["ids"]) for index in (0, 1)] == [1, 1]


# structured output, embeddings, completions, images


class Answer(BaseModel):
    ok: bool


@check
def structured_output_by_pydantic():
    answer = client.chat.completions.parse(model="json", messages=says("is it?"), response_format=Answer)
    assert answer.choices[0].message.parsed == Answer(ok=True)


@check
def structured_output_in_a_stream():
    with client.chat.completions.stream(model="json", messages=says("is it still?"), response_format=Answer) as events:
        assert events.get_final_completion().choices[0].message.parsed == Answer(ok=True)


@check
def embeddings_are_the_same_in_both_encodings():
    texts = ["one", "another one"]
    packed = client.embeddings.create(model="echo", input=texts)
    plain = client.embeddings.create(model="echo", input=texts, encoding_format="float")
    assert [list(row.embedding) for row in packed.data] == [list(row.embedding) for row in plain.data]
    assert [row.index for row in packed.data] == [0, 1] and len(plain.data[0].embedding) > 1
    assert packed.model == "echo" and packed.usage.total_tokens > 0


@check
def completions():
    answer = client.completions.create(model="echo", prompt="Once upon a time")
    assert answer.object == "text_completion" and answer.choices[0].text.startswith("n=")
    chunks = client.completions.create(model="echo", prompt="Once upon a later time", stream=True)
    assert "".join(chunk.choices[0].text for chunk in chunks).startswith("n=")


@check
def an_image_in_a_data_url():
    image = "data:image/png;base64," + base64.b64encode(bytes(1234)).decode()
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": image}}]
    answer = client.chat.completions.create(model="vision", messages=says(content))
    assert json.loads(answer.choices[0].message.content) == {"images": 1, "bytes": [1234]}


# errors


@check
def wrong_requests_are_bad_request_errors():
    create = client.chat.completions.create
    error = raised(openai.BadRequestError, lambda: create(model="echo", messages=says("hot"), temperature="a"))
    assert error.param == "temperature" and error.status_code == 400 and error.body["message"] == "Invalid request body"
    error = raised(openai.BadRequestError, lambda: create(model="echo", messages=[]))
    assert error.param == "messages" and error.body["message"] == "Messages are required"
    error = raised(openai.BadRequestError, lambda: create(model="", messages=says("who?")))
    assert error.param == "model" and error.body["message"] == "Model is required"


@check
def errors_have_a_request_id():
    create = client.chat.completions.create
    error = raised(openai.BadRequestError, lambda: create(model="echo", messages=[]))
    assert error.request_id and error.request_id == error.body["request_id"]
    error = raised(openai.BadRequestError, lambda: create(model="echo", messages=[], extra_headers={"X-Request-ID": "mine-1"}))
    assert error.request_id == "mine-1"


@check
def a_wrong_key_is_an_authentication_error():
    closed = os.environ["CLOSED_URL"]
    error = raised(openai.AuthenticationError, lambda: OpenAI(base_url=closed, api_key="wrong", max_retries=0).models.list())
    assert error.code == "invalid_api_key" and error.body["message"] == "Invalid API key"
    assert OpenAI(base_url=closed, api_key=os.environ["CLOSED_KEY"], max_retries=0).models.list().data


@check
def a_foreign_page_is_a_permission_denied_error():
    page = client.with_options(default_headers={"Origin": "https://evil.example"})
    error = raised(openai.PermissionDeniedError, lambda: page.models.list())
    assert error.type == "permission_error"


@check
def too_many_requests_are_a_rate_limit_error():
    limited = OpenAI(base_url=os.environ["LIMITED_URL"], api_key="any key", max_retries=0)

    def hurry():
        for _ in range(20):
            limited.models.list()

    error = raised(openai.RateLimitError, hurry)
    assert error.code == "rate_limit_exceeded" and int(error.response.headers["retry-after"]) >= 1
    assert limited.with_options(max_retries=5).models.list().data, "the SDK did not wait it out"


@check
def a_backend_that_is_down_is_an_internal_server_error():
    down = OpenAI(base_url=os.environ["DOWN_URL"], api_key="any key", max_retries=0)
    for stream in (False, True):
        error = raised(
            openai.InternalServerError,
            lambda: down.chat.completions.create(model="echo", messages=says("anybody?"), stream=stream),
        )
        assert error.status_code == 502 and error.type == "server_error"


@check
def a_stream_that_breaks_is_an_api_error():
    def read():
        for _ in client.chat.completions.create(model="break", messages=says("break"), stream=True):
            pass

    error = raised(openai.APIError, read)
    assert error.type == "server_error" and error.message, error


# leaving


@check
def leaving_before_there_is_an_answer_reaches_the_backend():
    async def leave(model, stream):
        async with new_async_client() as client:
            call = client.chat.completions.create(model=model, messages=says("leave me"), stream=stream)
            task = asyncio.create_task(call)
            await ask_async(f"begun {model}")
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
            else:
                raise AssertionError("there was an answer")
            await ask_async(f"left {model}")

    for model, stream in (("hold", False), ("hold", True), ("hold-first", False), ("hold-first", True), ("hold-mid", False)):
        asyncio.run(leave(model, stream))


@check
def leaving_in_the_middle_reaches_the_backend():
    chunks = client.chat.completions.create(model="hold-mid", messages=says("leave me"), stream=True)
    for chunk in chunks:
        if chunk.choices[0].delta.content == "two ":
            break
    chunks.close()
    ask("left hold-mid")


@check
def leaving_in_the_middle_asynchronously_reaches_the_backend():
    async def leave():
        async with new_async_client() as client:
            async with await client.chat.completions.create(model="hold-mid", messages=says("leave me"), stream=True) as chunks:
                async for chunk in chunks:
                    if chunk.choices[0].delta.content == "two ":
                        break
            await ask_async("left hold-mid")

    asyncio.run(leave())


@check
def leaving_by_a_timeout_reaches_the_backend():
    hasty = client.with_options(timeout=1)
    raised(openai.APITimeoutError, lambda: hasty.chat.completions.create(model="hold", messages=says("too late")))
    ask("left hold")


# fields


@check
def fields_without_a_place_are_named():
    raw = client.chat.completions.with_raw_response.create(model="echo", messages=says("extras"), user="ada", metadata={"a": "b"})
    ignored = raw.headers.get("x-gatehouse-ignored")
    named = set(ignored.split(", ")) if ignored else set()
    assert named == ({"user", "metadata"} if backend == "ollama" else set()), ignored
    assert raw.parse().choices


@check
def fields_that_ollama_cannot_fulfil_are_bad_request_errors():
    if backend == "ollama":
        error = raised(openai.BadRequestError, lambda: client.chat.completions.create(model="echo", messages=says("both"), n=2))
        assert error.param == "n" and "`n`" in error.message


# what is passed on


@check
def responses():
    if not speaks_responses:
        return
    answer = client.responses.create(model="alias", input="a response")
    assert answer.output_text.startswith("n=") and answer.model == "alias"
    events = list(client.responses.create(model="alias", input="a streamed response", stream=True))
    assert events[0].type == "response.created" and events[-1].type == "response.completed"


@check
def transcriptions():
    if not speaks_audio:
        return
    speech = io.BytesIO(bytes(range(256)) * 4)
    speech.name = "speech.wav"
    assert client.audio.transcriptions.create(model="alias", file=speech).text == "heard 1024 bytes of speech.wav"


# as scripts without an SDK do it


@check
def requests_with_a_key_of_llamagate():
    closed = os.environ["CLOSED_URL"]
    headers = {"X-API-Key": os.environ["CLOSED_KEY"], "X-Request-ID": "my-request-1"}
    answer = requests.post(f"{closed}/chat/completions", headers=headers, json={"model": "echo", "messages": says("without an SDK")})
    assert answer.status_code == 200 and answer.headers["X-Request-ID"] == "my-request-1"
    assert answer.json()["choices"][0]["message"]["content"].startswith("n=")
    asked = {"model": "echo", "messages": says("streamed without an SDK"), "stream": True}
    with requests.post(f"{closed}/chat/completions", headers=headers, json=asked, stream=True) as answer:
        lines = [line.decode() for line in answer.iter_lines() if line]
    assert lines[-1] == "data: [DONE]" and all(line.startswith("data: ") for line in lines)
    assert requests.get(closed.removesuffix("/v1") + "/health").json()["status"] == "healthy"


failed = 0
for function in checks:
    name = function.__name__.replace("_", " ")
    try:
        function()
        print(f"pass  {name}", flush=True)
    except Exception as error:
        failed += 1
        print(f"FAIL  {name}: {type(error).__name__}: {error}", flush=True)
print(f"{len(checks) - failed} passed, {failed} failed")
sys.exit(1 if failed else 0)
