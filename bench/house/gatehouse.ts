import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, spawnChild, temporaryFolder, until } from './spawn.ts'

/** A gatehouse that serves one backend. */
export interface Gatehouse extends AsyncDisposable {
  readonly url: string
  readonly pid: number
}

export interface GatehouseOptions {
  /** With its cache, as it is when nothing is said about it; otherwise it has none. */
  readonly cache?: boolean
}

/** Opens the admin routes of the gatehouses of the benchmark. No secret: they last as long as a part, on the loopback. */
export const adminKey = 'sk-bench-admin-not-a-secret'

/**
 * Starts the compiled gatehouse with its default pipeline, except that no rate limit and, unless it is asked for, no
 * cache stand between client and upstream. Its log goes to a file, as it would in earnest.
 */
export async function startGatehouse(binary: string, upstreamUrl: string, { cache = false }: GatehouseOptions = {}): Promise<Gatehouse> {
  const folder = temporaryFolder()
  const logFile = join(folder.path, 'gatehouse.log')
  const data = join(folder.path, 'data')
  mkdirSync(data)
  writeFileSync(join(folder.path, 'gatehouse.yaml'), `backends:\n  up: { type: openai-compatible, base_url: ${upstreamUrl} }\n`)
  const child: Child = spawnChild([binary, 'serve', '--port', '0'], {
    cwd: folder.path,
    env: {
      HOME: folder.path,
      DATA_DIR: data,
      RATE_LIMIT_RPS: '1000000',
      ...(cache ? { ADMIN_API_KEY: adminKey } : { CACHE_ENABLED: 'false' }),
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
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}
