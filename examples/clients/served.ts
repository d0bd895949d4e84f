import OpenAI, { type APIError, type ClientOptions } from 'openai'
import { fakeLlamaServer } from '../../core/testing/fake-llama-server.ts'
import { fakeOllama } from '../../core/testing/fake-ollama.ts'
import { fakeOpenai } from '../../core/testing/fake-openai.ts'
import { type Answer, type FakeServer, startFake } from '../../core/testing/fake-server.ts'
import { fakeVllm } from '../../core/testing/fake-vllm.ts'
import { type House, type HouseOptions, openHouse } from '../../core/testing/open-house.ts'

/** A gateway in front of one fake model server, and the official SDK in front of the gateway. */
export interface Served extends AsyncDisposable {
  /** The base URL, with `/v1`. */
  readonly url: string
  readonly house: House
  readonly fake: FakeServer
  /** The SDK as its documentation sets it up, but without retries: a test wants to see the first answer. */
  readonly client: OpenAI
  /** The same with other settings. */
  clientWith(options: ClientOptions): OpenAI
  /** Starts the fake again, on its old port, after it was stopped. */
  restart(): Promise<void>
}

/** A kind of backend, as the config names it. */
export type BackendType = keyof typeof fakes

const fakes = { ollama: fakeOllama, openai: fakeOpenai, vllm: fakeVllm, llamacpp: fakeLlamaServer }

/** Every kind of backend there is a fake of. */
export const backendTypes = Object.keys(fakes) as BackendType[]

/** The models the fakes of `serveFake` list; one has a slash, as the names on Hugging Face have. */
export const listed = ['echo', 'qwen/qwen3:8b'] as const

/** Starts a fake and a gateway whose only backend it is, called `home`. */
export function serveFake(type: BackendType, options: HouseOptions = {}): Promise<Served> {
  return serve(type, port => fakes[type]({ models: listed, ...(port !== undefined && { port }) }), options)
}

/** The same in front of a server that gives every request the same answer. */
export function serveAnswer(type: BackendType, answer: Answer, options: HouseOptions = {}): Promise<Served> {
  return serve(type, port => startFake(port === undefined ? {} : { port }, answer), options)
}

async function serve(
  type: BackendType,
  start: (port?: number) => Promise<FakeServer>,
  { yaml = {}, ...options }: HouseOptions,
): Promise<Served> {
  let fake = await start()
  const house = await openHouse({ ...options, yaml: { backends: { home: { type, base_url: fake.url } }, ...yaml } })
  const url = `${house.url}/v1`
  const clientWith = (own: ClientOptions) => new OpenAI({ baseURL: url, apiKey: 'any key', maxRetries: 0, ...own })
  return {
    url,
    house,
    get fake() {
      return fake
    },
    client: clientWith({}),
    clientWith,
    async restart() {
      fake = await start(fake.port)
    },
    async [Symbol.asyncDispose]() {
      await house.stop()
      await fake.stop()
    },
  }
}

/** One message of the user. */
export const says = (content: string) => [{ role: 'user' as const, content }]

/** What a call was rejected with. */
export const errorOf = (call: Promise<unknown>): Promise<APIError> =>
  call.then(
    () => {
      throw new Error('the call did not fail')
    },
    error => error,
  )
