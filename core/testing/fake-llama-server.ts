import { askedOfAnthropic } from './anthropic/asked.ts'
import { messagesWriter } from './anthropic/writer.ts'
import { promptTokens } from './behaviour/numbers.ts'
import { slipOf } from './behaviour/slips.ts'
import { type FakeOptions, type FakeServer, startFake } from './fake-server.ts'
import { llamaModels, llamaProps, llamaReply } from './llama/catalogue.ts'
import { checkLlamaChat, checkLlamaFields } from './llama/checks.ts'
import { llamaError, loadingReply } from './llama/errors.ts'
import { llamaEmbeddings, llamaRerank, llamaTemplate, llamaTokenize, nativeWriter } from './llama/others.ts'
import { llamaChatShape, llamaMessagesShape, llamaResponsesShape, llamaTextShape } from './llama/shapes.ts'
import { askedOfInput, askedOfMessages, askedOfPrompt, record } from './openai/asked.ts'
import { chatWriter } from './openai/chat-writer.ts'
import { type Endpoint, type House, jsonRoute } from './openai/endpoint.ts'
import { responsesWriter } from './openai/responses-writer.ts'
import { textWriter } from './openai/text-writer.ts'
import type { Exchange } from './server/exchange.ts'
import { dispatch, type Routes, send } from './server/routes.ts'

/** How a fake llama-server is started. */
export interface LlamaServerOptions extends FakeOptions {
  /** For how long it answers 503 `Loading model` to everything, `/health` too (0). */
  readonly loadingMs?: number
  /** Goes over what `/props` says. */
  readonly props?: Readonly<Record<string, unknown>>
  /** Sees every request first; true when it has taken it on itself. */
  readonly intercept?: (exchange: Exchange) => Promise<boolean>
}

/**
 * A fake llama-server. Shapes from ggml-org/llama.cpp tools/server/ (server-task.cpp, server-context.cpp,
 * server-common.cpp, server-http.cpp). Like the real one it serves one model whatever name it is asked for, and answers
 * under its own: the first of `models`.
 */
export function fakeLlamaServer(options: LlamaServerOptions = {}): Promise<FakeServer> {
  const models = options.models ?? ['echo']
  const name = models[0] ?? 'echo'
  const readyAt = Date.now() + (options.loadingMs ?? 0)
  const house: House = {
    has: () => true,
    badJson: () => llamaError(500, '[json.exception.parse_error.101] parse error at line 1, column 1: syntax error while parsing value'),
    chunkDelayMs: options.chunkDelayMs ?? 500,
  }

  return startFake(options, async exchange => {
    if (await options.intercept?.(exchange)) return
    const { path, headers } = exchange.request
    const [pathname = ''] = path.split('?')
    const open = pathname === '/health' || pathname === '/v1/health'
    const key = headers.authorization?.replace(/^Bearer /, '') ?? headers['x-api-key']
    if (options.apiKey !== undefined && !open && key !== options.apiKey) return send(exchange, llamaError(401, 'Invalid API Key'))
    if (Date.now() < readyAt) return send(exchange, loadingReply)
    await dispatch(exchange, routesOf(house, name, models, options.props), {
      head: true,
      notFound: () => llamaError(404, 'File Not Found'),
    })
  })
}

function routesOf(house: House, name: string, models: readonly string[], props: LlamaServerOptions['props']): Routes {
  const chat = jsonRoute(house, {
    check: checkLlamaChat,
    asked: askedOfMessages,
    writer: (body, model) => {
      const usage = record(body.stream_options).include_usage === true
      return chatWriter(llamaChatShape(name, model, usage), body.stream === true, slipOf(model))
    },
  })
  const native: Endpoint = {
    check: checkLlamaFields,
    asked: askedOfPrompt,
    writer: (body, model) => nativeWriter(name, model, body.prompt ?? '', body.stream === true),
  }
  const counted = () => llamaReply({ input_tokens: promptTokens })
  const health = () => llamaReply({ status: 'ok' })
  return {
    'GET /health': health,
    'GET /v1/health': health,
    'GET /models': () => llamaModels(models),
    'GET /v1/models': () => llamaModels(models),
    'GET /props': () => llamaProps(name, props),
    'POST /tokenize': ({ request }) => llamaTokenize(record(request.json)),
    'POST /apply-template': ({ request }) => llamaTemplate(record(request.json)),
    'POST /v1/chat/completions': chat,
    'POST /chat/completions': chat,
    'POST /v1/completions': jsonRoute(house, {
      check: checkLlamaFields,
      asked: askedOfPrompt,
      writer: (body, model) => textWriter(llamaTextShape(name, model), body.stream === true),
    }),
    'POST /completion': jsonRoute(house, native),
    'POST /infill': jsonRoute(house, { ...native, check: checkInfill }),
    'POST /v1/messages': jsonRoute(house, {
      // It turns the request into a chat first, and a fault there is a 500.
      check: ({ messages }) => (messages === undefined ? llamaError(500, "'messages' is required") : undefined),
      asked: askedOfAnthropic,
      writer: (body, model) => messagesWriter(llamaMessagesShape(name, model), body.stream === true),
    }),
    'POST /v1/messages/count_tokens': counted,
    'POST /v1/responses': jsonRoute(house, {
      check: ({ input, previous_response_id: previous }) => {
        if (previous) return llamaError(400, "llama.cpp does not support 'previous_response_id'.")
        return input === undefined ? llamaError(400, "'input' is required") : undefined
      },
      asked: askedOfInput,
      writer: (body, model) => responsesWriter(llamaResponsesShape(name, model), body.stream === true),
    }),
    'POST /v1/embeddings': jsonRoute(house, llamaEmbeddings),
    'POST /v1/rerank': jsonRoute(house, llamaRerank),
    'POST /rerank': jsonRoute(house, llamaRerank),
  }
}

function checkInfill(body: Readonly<Record<string, unknown>>) {
  if (body.input_prefix === undefined) return llamaError(400, '"input_prefix" is required')
  if (body.input_suffix === undefined) return llamaError(400, '"input_suffix" is required')
  return checkLlamaFields(body)
}
