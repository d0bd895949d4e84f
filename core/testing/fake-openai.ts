import { isKnown } from './behaviour/behave.ts'
import { slipOf } from './behaviour/slips.ts'
import type { Reply } from './behaviour/writer.ts'
import { type FakeOptions, type FakeServer, startFake } from './fake-server.ts'
import { askedOfInput, askedOfMessages, askedOfPrompt, record } from './openai/asked.ts'
import { chatWriter } from './openai/chat-writer.ts'
import { checkChat } from './openai/checks.ts'
import { embeddingItems, embeddingUsage } from './openai/embeddings.ts'
import { type Body, type House, jsonRoute } from './openai/endpoint.ts'
import { openaiError, openaiRefusal, openaiUnauthorized } from './openai/errors.ts'
import { fixedWriter } from './openai/fixed-writer.ts'
import { openaiHeaders } from './openai/headers.ts'
import { images, speech, transcribe } from './openai/media.ts'
import { responsesWriter } from './openai/responses-writer.ts'
import { chatShape, datedModel, responsesShape, textShape } from './openai/shapes.ts'
import { textWriter } from './openai/text-writer.ts'
import type { Exchange } from './server/exchange.ts'
import { dispatch, type Routes, send } from './server/routes.ts'

/** A fake OpenAI. Shapes from openai/openai-node src/resources/ and openai/openai-openapi. */
export function fakeOpenai(options: FakeOptions = {}): Promise<FakeServer> {
  const models = options.models ?? ['echo', 'gpt-4o-mini', 'text-embedding-3-small']
  const house: House = {
    has: name => isKnown(name) || models.includes(name),
    badJson: () =>
      openaiError(
        400,
        'We could not parse the JSON body of your request. (HINT: This likely means you aren’t using your HTTP library correctly.)',
      ),
    chunkDelayMs: options.chunkDelayMs ?? 500,
  }
  const transcription = async (exchange: Exchange) => {
    const refusal = await transcribe(exchange, house)
    if (refusal) send(exchange, refusal)
  }
  const routes: Routes = {
    ...modelRoutes(models),
    'POST /v1/chat/completions': jsonRoute(house, {
      check: checkChat,
      asked: askedOfMessages,
      writer: (body, model) => chatWriter(chatShape(model, streamOptions(body)), body.stream === true, slipOf(model)),
    }),
    'POST /v1/completions': jsonRoute(house, {
      asked: askedOfPrompt,
      writer: (body, model) => textWriter(textShape(model, streamOptions(body).usage), body.stream === true),
    }),
    'POST /v1/responses': jsonRoute(house, {
      asked: askedOfInput,
      writer: (body, model) => responsesWriter(responsesShape(body, model), body.stream === true),
    }),
    'POST /v1/embeddings': jsonRoute(house, { asked: askedOfPrompt, writer: embeddings }),
    'POST /v1/images/generations': jsonRoute(house, images),
    'POST /v1/audio/speech': jsonRoute(house, speech),
    'POST /v1/audio/transcriptions': transcription,
    'POST /v1/audio/translations': transcription,
  }

  return startFake(options, async exchange => {
    const key = exchange.request.headers.authorization
    if (options.apiKey !== undefined && key !== `Bearer ${options.apiKey}`) return send(exchange, openaiUnauthorized(key))
    await dispatch(exchange, routes, {
      head: false,
      notFound,
      wrongMethod: allowed => openaiError(405, `Not allowed to ${exchange.request.method} here. (HINT: Perhaps you meant ${allowed}.)`),
    })
  })
}

function modelRoutes(models: readonly string[]): Routes {
  const card = (id: string) => ({ id, object: 'model', created: 1_721_172_741, owned_by: 'system' })
  const reply = (body: unknown) => () => ({ status: 200, body, headers: openaiHeaders() })
  return {
    'GET /v1/models': reply({ object: 'list', data: models.map(card) }),
    ...Object.fromEntries(models.map(model => [`GET /v1/models/${encodeURIComponent(model)}`, reply(card(model))])),
  }
}

function notFound(method: string, path: string): Reply {
  const [, model] = /^\/v1\/models\/(.+)$/.exec(path) ?? []
  if (model === undefined) return openaiError(404, `Invalid URL (${method} ${path})`)
  return openaiError(404, `The model '${decodeURIComponent(model)}' does not exist`, { param: 'model', code: 'model_not_found' })
}

function embeddings(body: Body, model: string) {
  return fixedWriter({
    body: { object: 'list', data: embeddingItems(body), model: model === 'echo' ? datedModel(model) : model, usage: embeddingUsage },
    headers: openaiHeaders(),
    refuse: why => openaiRefusal(why, model),
  })
}

function streamOptions(body: Body): { usage: boolean; obfuscation: boolean } {
  const asked = record(body.stream_options)
  return { usage: asked.include_usage === true, obfuscation: asked.include_obfuscation !== false }
}
