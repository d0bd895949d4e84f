import { join } from 'node:path'
import { type House, type HouseOptions, openHouse } from '../../../core/testing/open-house.ts'
import { type FakeTools, fakeTools } from './fake-tools.ts'
import { extensions, houses } from './plugin.ts'

/** A gateway whose models have tools. */
export interface ToolHouseRig extends House {
  readonly tools: FakeTools
  /** How many messages each turn had that was about to be paid. */
  readonly extended: () => readonly number[]
  /** Asks for a chat; `fields` go over a plain request. */
  chat(fields?: object, headers?: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Response>
}

export interface RigOptions extends HouseOptions {
  /** The model server. */
  readonly upstream: { readonly url: string; readonly type?: string }
  readonly tools?: FakeTools
  /** The `mcp` section. */
  readonly mcp?: object
  /** The `mcp-tools` section. */
  readonly options?: object
  /** Layers above. */
  readonly above?: readonly string[]
}

let count = 0

/** Opens one. */
export async function openRig({
  upstream,
  tools = fakeTools(),
  mcp = {},
  options = {},
  above = [],
  yaml,
  ...rest
}: RigOptions): Promise<ToolHouseRig> {
  const name = `house ${++count}`
  houses.set(name, tools)
  const { type = 'openai-compatible', url } = upstream
  const house = await openHouse({
    ...rest,
    yaml: {
      pipeline: ['auth', 'limiter', ...above, join(import.meta.dir, 'plugin.ts'), 'router'],
      backends: { up: type === 'ollama' ? { type, base_url: url } : { type, base_url: `${url}/v1` } },
      router: { retries: 0 },
      mcp,
      plugins: { configs: { 'mcp-tools': { ...options, house: name } } },
      ...yaml,
    },
  })
  return Object.assign(Object.create(house, { [Symbol.asyncDispose]: { value: house.stop } }) as House, {
    tools,
    extended: () => extensions.get(name) ?? [],
    chat: (fields: object = {}, headers: Readonly<Record<string, string>> = {}, signal?: AbortSignal) =>
      fetch(`${house.url}/v1/chat/completions`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ model: 'once', messages: [{ role: 'user', content: 'hi' }], ...fields }),
        ...(signal && { signal }),
      }),
  })
}

/** The events of a stream, comments left out. */
export const eventsOf = (text: string): readonly Record<string, unknown>[] =>
  text
    .split('\n\n')
    .filter(block => block.startsWith('data: {'))
    .map(block => JSON.parse(block.slice(6)))

type Choices = readonly {
  readonly delta: { readonly role?: string; readonly content?: string; readonly tool_calls?: readonly object[] }
  readonly finish_reason: string | null
}[]

/** What a client puts together from a stream. */
export function readStream(text: string) {
  const events = eventsOf(text)
  const choices = events.flatMap(({ choices }) => (choices ?? []) as Choices)
  return {
    ids: new Set(events.filter(event => !event.error).map(({ id, created, model, object }) => [id, created, model, object].join())).size,
    roles: choices.filter(({ delta }) => delta.role !== undefined).length,
    finishes: choices.flatMap(({ finish_reason: reason }) => reason ?? []),
    text: choices.map(({ delta }) => delta.content ?? '').join(''),
    calls: choices.flatMap(({ delta }) => delta.tool_calls ?? []),
    usages: events.flatMap(({ usage }) => (usage ? [usage] : [])),
    errors: events.flatMap(({ error }) => (error ? [error as Record<string, unknown>] : [])),
    done: text.split('data: [DONE]').length - 1,
  }
}
