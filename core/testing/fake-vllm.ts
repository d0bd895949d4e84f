import { askedOfAnthropic } from './anthropic/asked.ts'
import { messagesWriter } from './anthropic/writer.ts'
import { isKnown } from './behaviour/behave.ts'
import { nowInSeconds, promptTokens } from './behaviour/numbers.ts'
import { slipOf } from './behaviour/slips.ts'
import { type FakeOptions, type FakeServer, startFake } from './fake-server.ts'
import { askedOfInput, askedOfMessages, askedOfPrompt, record } from './openai/asked.ts'
import { chatWriter } from './openai/chat-writer.ts'
import { type Body, type House, jsonRoute } from './openai/endpoint.ts'
import { responsesWriter } from './openai/responses-writer.ts'
import { textWriter } from './openai/text-writer.ts'
import { dispatch, type Routes, send } from './server/routes.ts'
import { checkVllmChat, checkVllmFields } from './vllm/checks.ts'
import { vllmError, vllmHeaders } from './vllm/errors.ts'
import { maxModelLength, tokenizeReply, transcribeVllm, vllmEmbeddings, vllmRerank } from './vllm/others.ts'
import { type StreamUsage, vllmChatShape, vllmMessagesShape, vllmResponsesShape, vllmTextShape } from './vllm/shapes.ts'

/** A fake vLLM. Shapes from vllm-project/vllm vllm/entrypoints/ (openai, anthropic, pooling, serve). */
export function fakeVllm(options: FakeOptions = {}): Promise<FakeServer> {
  const models = options.models ?? ['echo']
  const house: House = {
    has: name => name === '' || isKnown(name) || models.includes(name),
    badJson: () =>
      vllmError(
        400,
        "1 validation error:\n  {'type': 'json_invalid', 'loc': ('body', 0), 'msg': 'JSON decode error'}",
        'Bad Request',
        'body.0',
      ),
    chunkDelayMs: options.chunkDelayMs ?? 500,
  }
  // Whatever alias was asked for, vLLM answers under the first of its served names.
  const named = (model: string) => (models.includes(model) || model === '' ? (models[0] ?? model) : model)
  const routes: Routes = {
    'GET /health': () => ({ status: 200, body: '', headers: { server: 'uvicorn', 'content-type': 'text/plain; charset=utf-8' } }),
    'GET /version': () => ({ status: 200, body: { version: '0.20.0' }, headers: vllmHeaders }),
    'GET /v1/models': () => ({ status: 200, body: { object: 'list', data: models.map(modelCard) }, headers: vllmHeaders }),
    'POST /v1/chat/completions': jsonRoute(house, {
      check: checkVllmChat,
      asked: askedOfMessages,
      writer: (body, model) => chatWriter(vllmChatShape(named(model), streamUsage(body)), body.stream === true, slipOf(model)),
    }),
    'POST /v1/completions': jsonRoute(house, {
      check: checkVllmFields,
      asked: askedOfPrompt,
      writer: (body, model) => textWriter(vllmTextShape(named(model), streamUsage(body)), body.stream === true),
    }),
    'POST /v1/messages': jsonRoute(house, {
      asked: askedOfAnthropic,
      writer: (body, model) => messagesWriter(vllmMessagesShape(named(model)), body.stream === true),
    }),
    'POST /v1/messages/count_tokens': () => ({ status: 200, body: { input_tokens: promptTokens }, headers: vllmHeaders }),
    'POST /v1/responses': jsonRoute(house, {
      asked: askedOfInput,
      writer: (body, model) => responsesWriter(vllmResponsesShape(body, named(model)), body.stream === true),
    }),
    'POST /v1/embeddings': jsonRoute(house, vllmEmbeddings),
    'POST /v1/rerank': jsonRoute(house, vllmRerank),
    'POST /rerank': jsonRoute(house, vllmRerank),
    'POST /tokenize': ({ request }) => tokenizeReply(record(request.json), house),
    'POST /v1/audio/transcriptions': async exchange => {
      const refusal = await transcribeVllm(exchange, house)
      if (refusal) send(exchange, refusal)
    },
  }

  return startFake(options, async exchange => {
    const { path, headers } = exchange.request
    // Only /v1 and its like ask for the key, and the 401 has a body of its own (serve/middleware/authenticate.py).
    if (options.apiKey !== undefined && path.startsWith('/v1') && headers.authorization !== `Bearer ${options.apiKey}`) {
      return send(exchange, { status: 401, body: { error: 'Unauthorized' }, headers: vllmHeaders })
    }
    await dispatch(exchange, routes, {
      head: false,
      notFound: () => vllmError(404, 'Not Found', 'Not Found'),
      wrongMethod: allow => ({ ...vllmError(405, 'Method Not Allowed', 'Method Not Allowed'), headers: { ...vllmHeaders, allow } }),
    })
  })
}

function modelCard(id: string): Body {
  const permission = {
    id: 'modelperm-0123456789abcdef',
    object: 'model_permission',
    created: nowInSeconds(),
    allow_create_engine: false,
    allow_sampling: true,
    allow_logprobs: true,
    allow_search_indices: false,
    allow_view: true,
    allow_fine_tuning: false,
    organization: '*',
    group: null,
    is_blocking: false,
  }
  return {
    id,
    object: 'model',
    created: nowInSeconds(),
    owned_by: 'vllm',
    root: id,
    parent: null,
    max_model_len: maxModelLength,
    permission: [permission],
  }
}

function streamUsage(body: Body): StreamUsage {
  const asked = record(body.stream_options)
  const streams = body.stream === true
  // Options without include_usage mean yes.
  const atEnd = streams && body.stream_options !== undefined && body.stream_options !== null && asked.include_usage !== false
  return { atEnd, running: atEnd && asked.continuous_usage_stats === true }
}
