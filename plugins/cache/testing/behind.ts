import type { HouseOptions } from '../../../core/testing/open-house.ts'
import { type CachingHouse, openCachingHouse } from './house.ts'

/** What such an upstream is asked. */
export interface Question {
  readonly stream: boolean
  /** All of the body. */
  readonly payload: { readonly [field: string]: unknown }
  /** 1 for the first request it gets. */
  readonly count: number
  /** Resolves when the test says so. */
  readonly released: Promise<void>
}

/** An upstream that says what the test wants, and a house in front of it. */
export interface Behind extends AsyncDisposable {
  readonly house: CachingHouse
  readonly asked: () => number
  /** How many of them the house let go of before their end. */
  readonly abandoned: () => number
  /** Lets all who wait for it go on. */
  release(): void
}

/** Opens both. */
export async function openBehind(
  answer: (question: Question) => Response | Promise<Response>,
  { yaml, ...options }: HouseOptions = {},
): Promise<Behind> {
  let count = 0
  let abandoned = 0
  let gate = Promise.withResolvers<void>()
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const payload = (await request.json()) as Question['payload']
      request.signal.addEventListener('abort', () => abandoned++, { once: true })
      return answer({ payload, stream: payload.stream === true, count: ++count, released: gate.promise })
    },
  })
  const backends = { up: { type: 'openai-compatible', base_url: server.url.href } }
  const house = await openCachingHouse({ ...options, yaml: { backends, router: { retries: 0 }, ...yaml } })
  return {
    house,
    asked: () => count,
    abandoned: () => abandoned,
    release() {
      gate.resolve()
      gate = Promise.withResolvers<void>()
    },
    async [Symbol.asyncDispose]() {
      gate.resolve()
      await house.stop()
      await server.stop(true)
    },
  }
}

const event = (json: object) => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...json })}\n\n`

/** An event with a part of one choice. */
export const deltaEvent = (index: number, delta: object, more: object = {}): string =>
  event({ choices: [{ index, delta, logprobs: null, finish_reason: null, ...more }] })

/** The event that reports the usage. */
export const usageEvent = (usage: object): string => event({ choices: [], usage })

/** The events of a stream that says these texts. */
export const eventsOf = (texts: readonly string[]): readonly string[] => [
  deltaEvent(0, { role: 'assistant', content: '' }),
  ...texts.map(content => deltaEvent(0, { content })),
  deltaEvent(0, {}, { finish_reason: 'stop' }),
  usageEvent({ prompt_tokens: 1, completion_tokens: texts.length, total_tokens: texts.length + 1 }),
  'data: [DONE]\n\n',
]

/** An answer with these bytes as a stream. */
export const streamed = (content: string | ReadableStream): Response =>
  new Response(content, { headers: { 'content-type': 'text/event-stream' } })
