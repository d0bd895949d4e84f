import { dirname } from 'node:path'
import type { StandIn } from '../../testing/model-process/stand-in.ts'
import { checkLlamaServer } from '../llama-server-check.ts'
import type { Launch, ProcessSpec } from '../server-process-spec.ts'
import { testKey } from './server.ts'

/** A kind of llama-server to run tests against. */
export interface TestServer {
  readonly name: string
  readonly isReal: boolean
  /** A model of it, with two slots. */
  spec(stand: StandIn, model: string, path?: string): ProcessSpec
}

const specOf = (model: string, path: string, launch: Pick<Launch, 'command'> & Partial<Launch>): ProcessSpec => ({
  model,
  print: '1',
  loadTimeoutMs: 10_000,
  check: checkLlamaServer({ wanted: { slots: 2, contextSize: 512 }, onShortcoming: () => undefined }),
  launch: port => ({
    ...launch,
    args: ['-m', path, '--host', '127.0.0.1', '--port', String(port), '--alias', model, '-c', '1024', '-np', '2', ...(launch.args ?? [])],
    env: { PATH: process.env.PATH ?? '', LLAMA_API_KEY: testKey, ...launch.env },
    healthPath: '/health',
    apiKey: testKey,
  }),
})

const standIn: TestServer = {
  name: 'the stand-in',
  isReal: false,
  spec: (stand, model, path = stand.model(model)) => specOf(model, path, { command: stand.executable }),
}

const { LLAMA_SERVER_PATH: server, GGUF_PATH: file } = process.env
const real: TestServer | undefined =
  server && file
    ? {
        name: 'a real llama-server',
        isReal: true,
        spec: (_, model, path = file) =>
          specOf(model, path, { command: server, args: ['-t', '1', '--offline'], env: { LD_LIBRARY_PATH: dirname(server) } }),
      }
    : undefined

/** The stand-in, and the real one when `LLAMA_SERVER_PATH` and `GGUF_PATH` say where it is and what to load. */
export const servers: readonly TestServer[] = [standIn, ...(real ? [real] : [])]
