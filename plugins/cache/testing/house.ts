import { join } from 'node:path'
import { type House, type HouseOptions, openHouse } from '../../../core/testing/open-house.ts'
import { type Client, openClient } from './client.ts'

/** One answer, read. */
export interface Read {
  readonly status: number
  readonly headers: Headers
  /** `HIT`, `MISS`, `BYPASS`, or null when the cache had no say. */
  readonly cache: string | null
  readonly body: string
}

/** What `GET /admin/cache` tells. */
export interface Report {
  readonly [figure: string]: unknown
  readonly entries: number
  readonly bytes: number
  readonly hits: number
  readonly misses: number
  readonly joins: number
  readonly bypasses: number
  readonly tokens_saved: number
  readonly seconds_saved: number
}

type Headed = Readonly<Record<string, string>>

/** A gateway whose pipeline has the cache from this folder. */
export interface CachingHouse extends House {
  /** Asks for a chat; `fields` go over a plain request to the model `echo`. */
  chat(fields?: object, headers?: Headed): Promise<Read>
  post(path: string, body: string, headers?: Headed): Promise<Read>
  /** The same as `chat`, for a client that is watched while it reads. */
  open(fields?: object, headers?: Headed): Client
  /** What the cache says of itself. */
  report(): Promise<Report>
  /** Drops everything, or one model. */
  clear(query?: string): Promise<Response>
}

/** Opens the routes of `admin`. */
export const adminKey = 'test-admin-key'

const cache = join(import.meta.dir, '..', 'index.ts')

/** The pipeline with the cache, and with plugins of the test's own below or above it. */
export const pipelineWith = ({
  above = [],
  below = [],
}: {
  above?: readonly string[]
  below?: readonly string[]
} = {}): readonly string[] => ['auth', 'limiter', ...above, cache, ...below, 'router']

/** Opens one; as in real life the cache is on unless `yaml` says otherwise. */
export async function openCachingHouse({ yaml = {}, ...options }: HouseOptions = {}): Promise<CachingHouse> {
  const house = await openHouse({ ...options, yaml: { pipeline: pipelineWith(), cache: {}, admin: { api_key: adminKey }, ...yaml } })
  // the url is looked up anew each time: a reload may move it
  const post = async (path: string, body: string, headers: Headed = {}): Promise<Read> => {
    const response = await fetch(house.url + path, { method: 'POST', body, headers })
    return { status: response.status, headers: response.headers, cache: response.headers.get('x-cache'), body: await response.text() }
  }
  const bodyOf = (fields: object) => JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'hi' }], ...fields })
  const admin = (method: string, query = '') => fetch(`${house.url}/admin/cache${query}`, { method, headers: { 'x-api-key': adminKey } })
  const own = {
    post,
    chat: (fields: object = {}, headers: Headed = {}) => post('/v1/chat/completions', bodyOf(fields), headers),
    open: (fields: object = {}, headers: Headed = {}) => openClient(`${house.url}/v1/chat/completions`, bodyOf(fields), headers),
    report: async () => (await (await admin('GET')).json()) as Report,
    clear: (query?: string) => admin('DELETE', query),
  }
  return Object.assign(Object.create(house, { [Symbol.asyncDispose]: { value: house.stop } }) as House, own)
}
