import type { Row } from '../../table/texts.ts'

/** What was asked of the fake. */
export interface Asked {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly key: string | null
  readonly body: unknown
}

/** A server with the shapes of the admin API, and rows in memory. */
export interface FakeAdmin {
  readonly url: string
  readonly asked: Asked[]
  readonly keys: Row[]
  readonly models: Row[]
  readonly audit: Row[]
  /** What the rest answers, by method and path without its query. */
  readonly answers: Map<string, () => Response>
  /** How many rows a page has at most, whatever is asked for. */
  largestPage: number
  /** Which of the next requests come too fast for it. */
  busy: boolean[]
  stop(): void
}

/** The key that opens it. */
export const fakeAdminKey = 'sk-admin-not-a-real-key'

/** What a fake secret looks like. */
export const fakeSecret = (id: number, version: number): string => `sk-fake-${id}-${version}`

const withId = { 'x-request-id': 'id' }

/** An answer as gatehouse gives it. */
export const answered = (body: unknown, status = 200): Response =>
  status === 204 ? new Response(null, { status, headers: withId }) : Response.json(body, { status, headers: withId })

/** A refusal as gatehouse gives it. */
export const refused = (status: number, code: string | null, message: string): Response =>
  answered({ error: { message, type: 'some_error', param: null, code, request_id: 'id' } }, status)

/** A refusal that says to come again at once. */
function tooFast(): Response {
  const response = refused(429, 'rate_limit_exceeded', 'Rate limit exceeded')
  response.headers.set('retry-after', '0')
  return response
}

/** A key as the admin API has it. */
export const keyRow = (id: number, more: Row = {}): Row => ({
  id,
  name: `key-${id}`,
  prefix: `sk-fake-${id}`,
  enabled: true,
  quota: 1_000_000,
  quota_period: 'total',
  used: 0,
  reserved: 0,
  remaining: 1_000_000,
  reset_at: null,
  rate_limit: 60,
  tokens_per_minute: null,
  max_concurrency: null,
  allowed_ips: [],
  allowed_models: [],
  allowed_endpoints: null,
  allowed_tools: [],
  cache_scope: null,
  expires_at: null,
  created_at: '2026-01-05T14:03:22.101Z',
  last_used_at: null,
  version: 1,
  ...more,
})

/** A model as the admin API has it. */
export const modelRow = (id: number, more: Row = {}): Row => ({
  id,
  name: `model-${id}`,
  backend: 'home',
  base_url: null,
  upstream_model: null,
  enabled: true,
  source: 'admin',
  version: 1,
  ...more,
})

/** Starts one on a free port of the loopback. */
export function startFakeAdmin(): FakeAdmin {
  const answers: FakeAdmin['answers'] = new Map()
  const fake = {
    asked: [] as Asked[],
    keys: [] as Row[],
    models: [] as Row[],
    audit: [] as Row[],
    answers,
    largestPage: 1000,
    busy: [] as boolean[],
  }
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const { pathname, search, searchParams } = new URL(request.url)
      const { method } = request
      const sent = await request.text()
      const body: unknown = sent === '' ? undefined : JSON.parse(sent)
      const key = request.headers.get('x-api-key')
      fake.asked.push({ method, path: pathname + search, key, body })
      if (key !== fakeAdminKey) return refused(401, 'invalid_api_key', 'Invalid API key')
      if (fake.busy.shift()) return tooFast()
      const given = answers.get(`${method} ${pathname}`)
      if (given) return given()
      const [, , kind, id, action] = pathname.split('/')
      if (kind === 'audit') return page([...fake.audit].reverse(), searchParams, fake.largestPage, true)
      if (kind !== 'keys' && kind !== 'models') return refused(404, 'unknown_url', `There is nothing at ${pathname}.`)
      if (body === undefined ? method === 'POST' || method === 'PUT' : request.headers.get('content-type') !== 'application/json')
        return refused(415, 'wrong_content_type', 'This takes JSON.')
      return rowsOf(fake[kind], kind === 'keys' ? keyRow : modelRow, fake.largestPage)(method, id, action, searchParams, body as Row)
    },
  })
  return Object.assign(fake, { url: server.url.origin, stop: () => void server.stop(true) })
}

/** The same for keys and models; only keys have a secret. */
function rowsOf(rows: Row[], rowOf: typeof keyRow, largestPage: number) {
  return (method: string, id: string | undefined, action: string | undefined, query: URLSearchParams, body: Row): Response => {
    const secretOf = (row: Row) => (rowOf === keyRow ? { key: fakeSecret(Number(row.id), Number(row.version)) } : {})
    if (id === undefined) {
      if (method === 'GET') return page(rows, query, largestPage, false)
      const row = rowOf(rows.length + 1, body)
      rows.push(row)
      return answered({ ...row, ...secretOf(row) }, 201)
    }
    const at = rows.findIndex(row => String(row.id) === id)
    const row = rows[at]
    if (row === undefined) return refused(404, 'not_found', `There is nothing with the id ${id}.`)
    if (method === 'DELETE') {
      rows.splice(at, 1)
      return answered(null, 204)
    }
    if (method === 'GET') return answered(row)
    const changed = { ...row, ...(method === 'PUT' && body), version: Number(row.version) + 1 }
    rows[at] = changed
    return answered({ ...changed, ...(action === 'rotate' && secretOf(changed)) })
  }
}

function page(rows: readonly Row[], query: URLSearchParams, largestPage: number, backwards: boolean): Response {
  const limit = Math.min(largestPage, Number(query.get('limit') ?? 100))
  const [after, search] = [query.get('after'), query.get('search')]
  const all = rows.filter(({ name }) => search === null || String(name).toLowerCase().includes(search.toLowerCase()))
  const left = all.filter(({ id }) => after === null || (backwards ? Number(id) < Number(after) : Number(id) > Number(after)))
  const data = left.slice(0, limit)
  const next = left.length > limit ? data.at(-1)?.id : null
  return answered({ data, next, ...(!backwards && { total: all.length }) })
}
