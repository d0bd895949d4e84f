import { askedOfAnthropic } from './anthropic/asked.ts'
import { messagesWriter } from './anthropic/writer.ts'
import { behave, isKnown } from './behaviour/behave.ts'
import { perform } from './behaviour/perform.ts'
import { vectorFor } from './behaviour/vector.ts'
import type { Reply } from './behaviour/writer.ts'
import { type FakeOptions, type FakeServer, startFake } from './fake-server.ts'
import { askedOfChat, askedOfGenerate } from './ollama/asked.ts'
import { embedded, processes, show, tags } from './ollama/catalogue.ts'
import { refusal } from './ollama/refusal.ts'
import { type Body, checkModelRequest, decodeBody, isReply, ollamaError, ollamaReply } from './ollama/requests.ts'
import { ollamaMessagesShape, ollamaResponsesShape, openaiForm } from './ollama/shapes.ts'
import { chatRequest, embeddingRequest, embedRequest, generateRequest, showRequest } from './ollama/types.ts'
import { ollamaWriter } from './ollama/writer.ts'
import { askedOfInput, askedOfPrompt } from './openai/asked.ts'
import { type House, jsonRoute, play } from './openai/endpoint.ts'
import { fixedWriter } from './openai/fixed-writer.ts'
import { responsesWriter } from './openai/responses-writer.ts'
import type { Exchange } from './server/exchange.ts'
import { dispatch, type Route, type Routes, send } from './server/routes.ts'

const plain = { 'content-type': 'text/plain' }

/**
 * A fake Ollama. Routes, bodies and errors follow ollama/ollama: server/routes.go (GenerateRoutes and the handlers),
 * api/types.go (requests and answers), llm/llama_server.go (what its runner hands on).
 */
export function fakeOllama(options: FakeOptions = {}): Promise<FakeServer> {
  const models = options.models ?? ['mistral:latest', 'llama3.2:3b']
  const has = (name: string) => isKnown(name) || models.includes(name) || models.includes(`${name}:latest`)
  const chunkDelayMs = options.chunkDelayMs ?? 500
  const house: House = { has, chunkDelayMs, badJson: () => openaiForm(ollamaError(400, 'unexpected EOF')) }

  const answering =
    (form: 'chat' | 'generate'): Route =>
    exchange => {
      const body = decodeBody(exchange.request.bytes, form === 'chat' ? chatRequest : generateRequest)
      if (isReply(body)) return body
      return checkModelRequest(body, has, form === 'chat' ? 400 : 404) ?? answer(exchange, body, form, chunkDelayMs)
    }
  const routes: Routes = {
    'GET /': () => ({ status: 200, body: 'Ollama is running', headers: { 'content-type': 'text/plain; charset=utf-8' } }),
    'HEAD /': () => ({ status: 200, body: '', headers: plain }),
    'HEAD /api/tags': () => ollamaReply(''),
    'HEAD /api/version': () => ollamaReply(''),
    'GET /api/version': () => ollamaReply({ version: '0.33.0' }),
    'GET /api/tags': () => ollamaReply(tags(models)),
    'GET /api/ps': () => ollamaReply(processes(models.slice(0, 1))),
    'POST /api/show': ({ request }) => {
      const body = decodeBody(request.bytes, showRequest)
      return isReply(body) ? body : showReply(body, has)
    },
    'POST /api/embed': exchange => {
      const body = decodeBody(exchange.request.bytes, embedRequest)
      if (isReply(body)) return body
      const reply = embedReply(body, has)
      // The models that refuse, wait or break do so here too.
      const fixed = fixedWriter({ body: reply.body, headers: reply.headers ?? {}, refuse: why => refusal(why, String(body.model)) })
      return reply.status === 200 ? play(exchange, house, askedOfPrompt(body), fixed) : reply
    },
    'POST /api/embeddings': ({ request }) => {
      const body = decodeBody(request.bytes, embeddingRequest)
      if (isReply(body)) return body
      const embedding = body.prompt ? vectorFor(String(body.prompt)) : []
      return checkModelRequest(body, has, 400) ?? ollamaReply({ embedding })
    },
    'POST /v1/messages': jsonRoute(house, {
      asked: askedOfAnthropic,
      writer: (body, model) => messagesWriter(ollamaMessagesShape(model), body.stream === true),
    }),
    'POST /v1/responses': jsonRoute(house, {
      asked: askedOfInput,
      writer: (body, model) => responsesWriter(ollamaResponsesShape(body, model), body.stream === true),
    }),
    'POST /api/chat': answering('chat'),
    'POST /api/generate': answering('generate'),
  }

  return startFake(options, async exchange => {
    // Ollama itself knows no keys; this is what its cloud answers.
    if (options.apiKey !== undefined && exchange.request.headers.authorization !== `Bearer ${options.apiKey}`) {
      return send(exchange, ollamaError(401, 'unauthorized'))
    }
    await dispatch(exchange, routes, {
      head: false,
      // gin answers these in plain text.
      notFound: () => ({ status: 404, body: '404 page not found', headers: plain }),
      wrongMethod: allow => ({ status: 405, body: '405 method not allowed', headers: { ...plain, allow } }),
    })
  })
}

function answer(exchange: Exchange, body: Body, form: 'chat' | 'generate', chunkDelayMs: number): Reply | Promise<void> {
  const model = String(body.model)
  const asked = form === 'chat' ? askedOfChat(body) : askedOfGenerate(body)
  if (!asked) return loaded(body, form)
  const { firstTime, count } = exchange.state
  const callsInLastLine = model !== 'forever' && model !== 'many'
  const topLogprobs = body.logprobs === true ? Number(body.top_logprobs ?? 0) : undefined
  const writer = ollamaWriter({ model, streaming: body.stream !== false, form, callsInLastLine, topLogprobs })
  return perform(exchange, model, behave(asked, { chunkDelayMs, firstTime, count }), writer)
}

/** Without messages or a prompt Ollama only loads the model, or unloads it. */
function loaded(body: Body, form: 'chat' | 'generate'): Reply {
  const unloads = body.keep_alive === 0 || body.keep_alive === '0' || body.keep_alive === '0s'
  const empty = form === 'chat' ? { message: { role: 'assistant', content: '' } } : { response: '' }
  const reason = { done: true, done_reason: unloads ? 'unload' : 'load' }
  return ollamaReply({ model: body.model, created_at: new Date().toISOString(), ...empty, ...reason })
}

function showReply(body: Body, has: (name: string) => boolean): Reply {
  const name = String(body.model || body.name || '')
  if (name === '') return ollamaError(400, 'model is required')
  return has(name) ? ollamaReply(show(name)) : ollamaError(404, `model '${name.includes(':') ? name : `${name}:latest`}' not found`)
}

function embedReply(body: Body, has: (name: string) => boolean): Reply {
  const { model, input } = body
  if (typeof model !== 'string' || model === '') return ollamaError(404, "model '' not found")
  const texts = typeof input === 'string' ? [input] : (input ?? [])
  if (!Array.isArray(texts) || texts.some(text => typeof text !== 'string')) return ollamaError(400, 'invalid input type')
  if (!has(model)) return ollamaError(404, `model "${model}" not found, try pulling it first`)
  const wanted = texts.filter(text => text !== '' || Array.isArray(input))
  const dimensions = Number(body.dimensions ?? 0)
  return ollamaReply(embedded(model, wanted, dimensions > 0 ? Math.min(dimensions, 4) : undefined))
}
