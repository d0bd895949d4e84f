import { describe, expect, test } from 'bun:test'
import { GatewayError } from '../errors.ts'
import type { FakeServer } from '../testing/fake-server.ts'
import type { Backend, Call } from './backend.ts'

export interface BackendUnderTest {
  readonly backend: Backend
  /** The server behind it; undefined for a backend without one. */
  readonly fake: FakeServer | undefined
  /** A model that answers, and one that does not exist; undefined where every name exists. */
  readonly model: string
  readonly unknownModel: string | undefined
  close(): Promise<void>
}

const call = (model: string, more: Partial<Call> = {}, fields: object = {}): Call => {
  const payload = { model, messages: [{ role: 'user', content: 'one two' }], ...fields }
  return {
    requestId: 'contract-1',
    operation: 'chat.completions',
    path: '/v1/chat/completions',
    model,
    payload,
    headers: {},
    contentType: 'application/json',
    signal: new AbortController().signal,
    wire: () => new TextEncoder().encode(JSON.stringify(payload)) as Uint8Array<ArrayBuffer>,
    ...more,
  }
}

/** What every backend must do. Call it from the implementation's own test file. */
export function testBackend(name: string, open: () => Promise<BackendUnderTest>): void {
  const using = (run: (subject: BackendUnderTest) => Promise<void>) => async () => {
    const subject = await open()
    await run(subject).finally(() => subject.close())
  }

  describe(`${name} keeps the backend contract`, () => {
    test(
      'lists its models and says that it is well',
      using(async ({ backend }) => {
        const models = await backend.models(AbortSignal.timeout(5000))
        expect(models.length).toBeGreaterThan(0)
        for (const model of models) {
          expect(model.id).toBeString()
          expect(model.ownedBy).not.toBeEmpty()
        }
        await backend.probe(AbortSignal.timeout(5000))
      }),
    )

    test(
      'answers a chat in the OpenAI dialect',
      using(async ({ backend, model, fake }) => {
        const response = await backend.send(call(model))
        expect(response.status).toBe(200)
        const answer = (await response.json()) as Record<string, unknown>
        expect(answer).toMatchObject({
          object: 'chat.completion',
          choices: [{ index: 0, message: { role: 'assistant', content: expect.any(String) }, finish_reason: 'stop' }],
          usage: { prompt_tokens: expect.any(Number), completion_tokens: expect.any(Number), total_tokens: expect.any(Number) },
        })
        const sent = fake?.requests.find(({ method }) => method === 'POST')
        if (fake) expect(sent?.headers['x-request-id']).toBe('contract-1')
      }),
    )

    test(
      'streams a chat as events that end with [DONE]',
      using(async ({ backend, model }) => {
        const response = await backend.send(call(model, {}, { stream: true, stream_options: { include_usage: true } }))
        expect(response.status).toBe(200)
        expect(response.headers.get('content-type')).toStartWith('text/event-stream')
        const blocks = (await response.text()).trimEnd().split('\n\n')
        expect(blocks.at(-1)).toBe('data: [DONE]')
        const chunks = blocks.slice(0, -1).map(block => JSON.parse(block.slice('data: '.length)))
        expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
        expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: expect.any(Number) } })
        const reasons = chunks.flatMap(({ choices }) => choices.map((choice: { finish_reason: unknown }) => choice.finish_reason))
        expect(reasons.filter(reason => reason !== null && reason !== undefined)).toEqual(['stop'])
      }),
    )

    test(
      'an error status resolves, with the error as an object',
      using(async ({ backend, unknownModel }) => {
        if (unknownModel === undefined) return
        const response = await backend.send(call(unknownModel))
        expect(response.status).toBe(404)
        expect(await response.json()).toMatchObject({ error: { message: expect.any(String) } })
      }),
    )

    test(
      'counts what it is asked to count, where it can tell',
      using(async ({ backend, model, fake }) => {
        if (!backend.tokenize) return
        const { signal } = new AbortController()
        const count = (operation: string, fields: object) =>
          backend.tokenize?.({ operation, model, payload: { model, ...fields }, signal }) as Promise<number>
        const chat = (content: unknown) => count('chat.completions', { messages: [{ role: 'user', content }] })
        const [one, two] = [await chat('one'), await chat('one two')]
        expect(one).toBeGreaterThan(1)
        expect(two).toBe(one + 1)
        expect(await chat([{ type: 'text', text: 'one two' }])).toBe(two)
        const tools = [{ type: 'function', function: { name: 'look', parameters: {} } }]
        expect(await count('chat.completions', { messages: [{ role: 'user', content: 'one' }], tools })).toBeGreaterThan(one)

        const [first, second] = [await count('embeddings', { input: 'one two' }), await count('embeddings', { input: 'three' })]
        expect(await count('embeddings', { input: ['one two', 'three'] })).toBe(first + second)
        expect(await count('completions', { prompt: 'one two' })).toBe(first)
        expect(await count('completions', { prompt: [[1, 2, 3], [4]] })).toBe(4)
        expect(await count('messages', { messages: [{ role: 'user', content: 'one' }], max_tokens: 1 })).toBeGreaterThan(0)
        expect(await count('audio', { input: 'one' })).toBeUndefined()
        expect(fake?.requests.every(({ json }) => (json as { model?: string }).model === model)).toBe(true)
      }),
    )

    test(
      'nobody there: a GatewayError, from every method',
      using(async ({ backend, model, fake }) => {
        if (!fake) return
        await fake.stop()
        const signal = AbortSignal.timeout(5000)
        const count = backend.tokenize && [backend.tokenize({ ...call(model), signal })]
        for (const attempt of [backend.send(call(model)), backend.models(signal), backend.probe(signal), ...(count ?? [])]) {
          const error = await attempt.then(
            () => undefined,
            (thrown: unknown) => thrown,
          )
          expect(error).toBeInstanceOf(GatewayError)
          expect([502, 503]).toContain((error as GatewayError).status)
        }
      }),
    )

    for (const [phase, held, stream] of [
      ['before the headers', 'hold', true],
      ['before the first token', 'hold-first', true],
      ['in the middle', 'hold-mid', true],
      ['without a stream', 'hold', false],
    ] as const) {
      test(
        `a signal that aborts ${phase} closes the upstream`,
        using(async ({ backend, fake }) => {
          if (!fake) return
          const leaving = new AbortController()
          const reading = backend
            .send(call(held, { signal: leaving.signal }, { stream }))
            .then(response => response.text())
            .catch(() => 'aborted')
          await fake.until(() => fake.streams.length === 1, 'the request')
          if (held === 'hold-mid') await fake.until(() => (fake.streams[0]?.eventsSent ?? 0) >= 2, 'two events')
          leaving.abort(new Error('the client left'))
          await fake.until(() => fake.streams[0]?.ended === 'client-left', 'the close')
          await reading
        }),
      )
    }

    test(
      'a reader that cancels the stream closes the upstream',
      using(async ({ backend, fake }) => {
        if (!fake) return
        const response = await backend.send(call('endless', {}, { stream: true }))
        const reader = (response.body as ReadableStream<Uint8Array>).getReader()
        await reader.read()
        await reader.cancel()
        await fake.until(() => fake.streams[0]?.ended === 'client-left', 'the close')
      }),
    )
  })
}
