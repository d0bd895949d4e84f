import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RedisClient } from 'bun'
import { listenOnFreePort } from './server/free-port.ts'

/** True when a missing redis-server is a reason to skip; where services are required, as in CI, its tests run and fail. */
export const redisMissing = Bun.which('redis-server') === null && process.env.REQUIRE_SERVICES !== '1'

export interface RedisServerOptions {
  /** More arguments of redis-server, which may go by its port. Its folder is its working directory. */
  readonly args?: (port: number) => readonly string[]
  /** User and password for `command` and `url`, as they stand in an address: `user:password` or `:password`. */
  readonly login?: string
  /** Files to write into its folder before the start. */
  readonly files?: Readonly<Record<string, string>>
}

/** A real redis-server that keeps nothing, on a free port of this machine. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Its working directory, which ends with it. */
  readonly folder: string
  /** Stops it as it stands: its connections stay open and nothing is answered. */
  freeze(): void
  thaw(): void
  /** Ends it as a power cut would. */
  kill(): Promise<void>
  /** Starts it again on the same port, empty unless it saved something; resolves once it listens. */
  restart(more?: readonly string[]): Promise<void>
  /** Sends a command over a connection of its own. */
  command(name: string, ...args: readonly string[]): Promise<unknown>
}

/** Starts a redis-server and waits until it listens. */
export async function startRedis({ args = () => [], login, files = {} }: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-redis-'))
  for (const [name, content] of Object.entries(files)) await Bun.write(join(folder, name), content)
  const started = await startOnFreePort(folder, args)
  const { port } = started
  let { child } = started
  const url = `redis://${login === undefined ? '' : `${login}@`}127.0.0.1:${port}`
  const kill = async () => {
    child.kill('SIGKILL')
    await child.exited
  }
  return {
    url,
    port,
    folder,
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    kill,
    async restart(more = []) {
      await kill()
      child = (await start(folder, port, [...args(port), ...more])) ?? raise('redis-server did not come back')
    },
    async command(name, ...rest) {
      const client = new RedisClient(url, { autoReconnect: false })
      try {
        return await client.send(name, [...rest])
      } finally {
        client.close()
      }
    },
    async [Symbol.asyncDispose]() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A port nobody listens on now; somebody else may be quicker, so a server that fails to take it tries another. */
async function startOnFreePort(folder: string, args: (port: number) => readonly string[]) {
  for (let attempt = 0; attempt < 10; attempt++) {
    const port = await freePort()
    const child = await start(folder, port, args(port))
    if (child) return { port, child }
  }
  throw new Error('redis-server found no free port')
}

async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listenOnFreePort(server)
  await new Promise(resolve => server.close(resolve))
  return port
}

async function start(folder: string, port: number, args: readonly string[]) {
  const child = Bun.spawn(
    ['redis-server', '--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder, ...args],
    { cwd: folder, env: { PATH: process.env.PATH ?? '' }, stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' },
  )
  // a test that is cut off leaves nothing behind
  const end = () => child.kill('SIGKILL')
  process.once('exit', end)
  void child.exited.then(() => process.removeListener('exit', end))

  let output = ''
  const started = Promise.withResolvers<boolean>()
  const read = async () => {
    const decoder = new TextDecoder()
    for await (const bytes of child.stdout) {
      output += decoder.decode(bytes, { stream: true })
      if (/Ready to accept connections|Loading RDB|The server is now ready/.test(output)) started.resolve(true)
    }
    started.resolve(false)
  }
  void read()
  if (await started.promise) return child
  await child.exited
  if (/Address already in use/.test(output)) return undefined
  throw new Error(`redis-server ended:\n${output}`)
}

function raise(message: string): never {
  throw new Error(message)
}
