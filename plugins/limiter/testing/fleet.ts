import type { FakeServer } from '../../../core/testing/fake-server.ts'
import { type GatehouseProcess, startGatehouse } from '../../../core/testing/gatehouse-process.ts'
import type { RedisServer } from '../../../core/testing/redis.ts'

const adminKey = 'sk-admin-0000'

/** Real processes behind one Redis and one upstream. */
export interface Fleet extends AsyncDisposable {
  readonly members: readonly [GatehouseProcess, GatehouseProcess]
  /** Makes a key at the first one; what is not said is without limits. */
  makeKey(settings?: object): Promise<FleetKey>
  /** Asks one of them as the operator. */
  admin(member: GatehouseProcess, method: string, path: string, body?: object): Promise<Response>
}

export interface FleetKey {
  readonly id: number
  readonly secret: string
}

/** Starts two. */
export async function startFleet(redis: RedisServer, upstream: FakeServer, onError: 'local' | 'deny'): Promise<Fleet> {
  const yaml = {
    backends: { up: { type: 'openai-compatible', base_url: upstream.url } },
    default_backend: 'up',
    router: { retries: 0 },
    rate_limit_rps: 1_000_000,
    cache: { enabled: false },
    redis: { url: redis.url, on_error: onError },
  }
  const start = () => startGatehouse({ files: { 'gatehouse.yaml': JSON.stringify(yaml) }, env: { ADMIN_API_KEY: adminKey } })
  const members = await Promise.all([start(), start()] as const)
  const admin: Fleet['admin'] = ({ url }, method, path, body) =>
    fetch(url + path, { method, headers: { authorization: `Bearer ${adminKey}` }, ...(body && { body: JSON.stringify(body) }) })
  return {
    members,
    admin,
    async makeKey(settings = {}) {
      const response = await admin(members[0], 'POST', '/admin/keys', { name: 'test', quota: null, rate_limit: null, ...settings })
      const { id, key } = (await response.json()) as { id: number; key: string }
      return { id, secret: key }
    },
    async [Symbol.asyncDispose]() {
      for (const member of members) await member[Symbol.asyncDispose]()
    },
  }
}

/** A chat request; the answer is read. */
export async function chat({ url }: GatehouseProcess, { secret }: FleetKey, fields: object = {}) {
  const from = performance.now()
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}` },
    body: JSON.stringify({ model: 'echo', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }], ...fields }),
  })
  const text = await response.text()
  return { status: response.status, text, ms: performance.now() - from }
}
