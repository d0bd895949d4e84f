import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, spawnChild, temporaryFolder, until } from './spawn.ts'

/** A gatehouse that serves one backend. */
export interface Gatehouse extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  /** What it wants to be shown; without it, nobody is asked for a key. */
  readonly key?: string
}

export interface GatehouseOptions {
  /** With its cache, as it is when nothing is said about it; otherwise it has none. */
  readonly cache?: boolean
  /**
   * Asks for a key. `none`: a static one, and neither limiter nor quota stand in the pipeline. `all`: a managed one with a
   * quota, requests and tokens per minute, and requests at a time, none of which is ever reached.
   */
  readonly limits?: 'none' | 'all'
  /** Runs the model itself, by this command. */
  readonly command?: string
}

/** Opens the admin routes of the gatehouses of the benchmark. No secret: they last as long as a part, on the loopback. */
export const adminKey = 'sk-bench-admin-not-a-secret'

/** As long as the secret of a managed key. No secret either. */
const staticKey = 'sk-bench-static-not-a-secret-0000000000000000000000'

/**
 * Starts the compiled gatehouse with its default pipeline, except that no rate limit and, unless it is asked for, no
 * cache stand between client and upstream. Its log goes to a file, as it would in earnest.
 */
export async function startGatehouse(
  binary: string,
  upstreamUrl: string,
  { cache = false, limits, command }: GatehouseOptions = {},
): Promise<Gatehouse> {
  const folder = temporaryFolder()
  const logFile = join(folder.path, 'gatehouse.log')
  const data = join(folder.path, 'data')
  mkdirSync(data)
  const pipeline = limits === 'none' ? 'pipeline: [auth, router]\n' : ''
  const backend = `backends:\n  up: { type: openai-compatible, base_url: ${upstreamUrl} }\n`
  writeFileSync(join(folder.path, 'gatehouse.yaml'), pipeline + (command === undefined ? backend : processConfig(command)))
  const child: Child = spawnChild([binary, 'serve', '--port', '0'], {
    cwd: folder.path,
    env: {
      HOME: folder.path,
      DATA_DIR: data,
      RATE_LIMIT_RPS: '1000000',
      ...((cache || limits === 'all') && { ADMIN_API_KEY: adminKey }),
      ...(!cache && { CACHE_ENABLED: 'false' }),
      ...(limits === 'none' && { API_KEY: staticKey }),
    },
    logFile,
  })
  const said = () => readFileSync(logFile, 'utf8')
  const ended = child.exited.then(code => {
    throw new Error(`gatehouse ended with ${code} before it listened`)
  })
  const port = await Promise.race([until(() => /"port":(\d+)/.exec(said())?.[1], 'the port of gatehouse'), ended]).catch(async error => {
    console.error(said())
    await child[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
    throw error
  })
  ended.catch(() => {}) // from here on its end is ours
  const url = `http://127.0.0.1:${port}`
  const key = limits === 'none' ? staticKey : limits === 'all' ? await makeKey(url) : undefined
  return {
    url,
    pid: child.pid,
    ...(key !== undefined && { key }),
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

/** More slots than there are connections: nobody waits, and everybody is counted. */
const processConfig = (command: string) =>
  JSON.stringify({ models: [{ name: 'bench', command, health: '/v1/models', slots: 256 }], port_range_start: 20_000 })

/** A managed key with every limit there is, so far away that no request is refused. */
async function makeKey(url: string): Promise<string> {
  const limits = { quota: 1e15, rate_limit: 1e12, tokens_per_minute: 1e12, max_concurrency: 1e6 }
  const response = await fetch(`${url}/admin/keys`, {
    method: 'POST',
    headers: { 'x-api-key': adminKey, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'bench', ...limits }),
  })
  if (response.status !== 201) throw new Error(`POST /admin/keys: status ${response.status}: ${(await response.text()).slice(0, 200)}`)
  return ((await response.json()) as { key: string }).key
}
