import { fakeOllama } from '../testing/fake-ollama.ts'
import type { FakeOptions, FakeServer } from '../testing/fake-server.ts'
import { type GatehouseProcess, type ProcessOptions, startGatehouse } from '../testing/gatehouse-process.ts'
import { chatBody, jsonLines, type Line } from './wire.ts'

/** The key of every gateway here, unless the row is about keys. */
export const apiKey = 'k'

/** An Ollama that is never there. */
export const nowhere = 'http://127.0.0.1:1'

/** What the gateway answered. */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  json<T = unknown>(): T
}

/** A running gatehouse, and the ways to ask it. */
export interface Gate extends AsyncDisposable {
  readonly url: string
  readonly gatehouse: GatehouseProcess
  /** Asks with the key, unless `headers` are given. */
  ask(path: string, init?: BunFetchRequestInit): Promise<Reply>
  /** A chat that was never asked before, so that nothing answers it from memory. */
  chat(body?: object, headers?: Readonly<Record<string, string>>): Promise<Reply>
  lines(): Line[]
  /** Resolves with the access line of the request with this id. */
  logged(id: string): Promise<Line>
  /** Ends it as a service manager does, and resolves with the exit code. */
  end(): Promise<number>
}

/** How a gateway is started. */
export interface GateOptions extends ProcessOptions {
  /** The address of its Ollama. */
  readonly ollama?: string
}

/** The environment of a gateway whose row is about something else. */
export const environment = (ollama = nowhere): Record<string, string> => ({
  OLLAMA_HOST: ollama,
  OLLAMA_AUTOSTART: 'false',
  API_KEY: apiKey,
  RATE_LIMIT_RPS: '100000',
})

/** Starts gatehouse in a process of its own. */
export async function openGate({ ollama, env = {}, ...options }: GateOptions = {}): Promise<Gate> {
  return gateOf(await startGatehouse({ ...options, env: { ...environment(ollama), ...env } }))
}

/** The ways to ask a gatehouse that runs. */
export function gateOf(gatehouse: GatehouseProcess, url = gatehouse.url): Gate {
  const lines = () => jsonLines(gatehouse.output.stdout)
  const ask: Gate['ask'] = async (path, init) => {
    const response = await fetch(url + path, { headers: { 'x-api-key': apiKey }, ...init })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: <T>() => JSON.parse(text) as T }
  }
  return {
    url,
    gatehouse,
    ask,
    chat: (body, headers) =>
      ask('/v1/chat/completions', { method: 'POST', headers: { 'x-api-key': apiKey, ...headers }, body: chatBody(body) }),
    lines,
    async logged(id) {
      const line = () => lines().find(({ message, request_id }) => message === 'HTTP request' && request_id === id)
      await gatehouse.until(() => line() !== undefined, `the access line of ${id}`)
      return line() as Line
    },
    end() {
      gatehouse.signal('SIGTERM')
      return gatehouse.exited
    },
    [Symbol.asyncDispose]: () => gatehouse[Symbol.asyncDispose](),
  }
}

/** A gateway in front of a fake Ollama of its own. */
export interface Pair extends Gate {
  readonly ollama: FakeServer
  /** How many chats reached Ollama. */
  chatsSeen(): number
  /** What the last chat that reached Ollama asked for. */
  lastChat<T>(): T
  /** Starts Ollama again where it was, after `ollama.stop()`. */
  restartOllama(): Promise<void>
}

/** Starts a fake Ollama and a gateway in front of it; both end together. */
export async function openPair({ fake, ...options }: Omit<GateOptions, 'ollama'> & { readonly fake?: FakeOptions } = {}): Promise<Pair> {
  let ollama = await fakeOllama(fake)
  const chats = () => ollama.requests.filter(({ path }) => path === '/api/chat')
  const gate = await openGate({ ...options, ollama: ollama.url }).catch(async error => {
    await ollama.stop()
    throw error
  })
  return {
    ...gate,
    get ollama() {
      return ollama
    },
    chatsSeen: () => chats().length,
    lastChat: <T>() => chats().at(-1)?.json as T,
    async restartOllama() {
      ollama = await fakeOllama({ ...fake, port: ollama.port })
    },
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]()
      await ollama.stop()
    },
  }
}

/** Resolves when `check` holds; rejects after `ms`. */
export async function eventually(check: () => boolean | Promise<boolean>, what: string, ms = 10_000): Promise<void> {
  for (const deadline = performance.now() + ms; !(await check()); await Bun.sleep(10)) {
    if (performance.now() > deadline) throw new Error(`never came: ${what}`)
  }
}
