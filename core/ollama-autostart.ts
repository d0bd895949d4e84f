import { ask, type Heard } from './discover/ask.ts'
import type { Logger } from './log.ts'
import { ollamaAddress } from './ollama/address.ts'
import { findOllama } from './ollama/find-ollama.ts'
import { startOllama } from './ollama/start.ts'
import { createRestarts } from './processes/restarts.ts'
import { spawnChild } from './processes/spawn-child.ts'
import { within } from './within.ts'

/** An Ollama that is kept running, unless it runs without us. */
export interface Autostart {
  /** Resolves with true once Ollama answers, whoever started it, and with false when it will not. Never rejects. */
  readonly ready: Promise<boolean>
  /** Ends it when it was started here. */
  close(): Promise<void>
}

export interface AutostartOptions {
  /** Where the backend expects it. */
  readonly baseUrl: string
  readonly log: Logger
  readonly env: NodeJS.ProcessEnv
  readonly spawn?: typeof spawnChild
  readonly find?: typeof findOllama
  readonly times?: Partial<typeof usualTimes>
}

const usualTimes = {
  /** To answer when it runs already. */
  answerMs: 2_000,
  pollMs: 500,
  readyMs: 30_000,
  /** To end in order; it has its models' processes to end. */
  graceMs: 5_000,
  restarts: { most: 5, windowMs: 10 * 60_000, firstMs: 1_000, longestMs: 60_000 },
}

/** Starts Ollama when `baseUrl` is on this machine and nobody listens there. Whatever goes wrong is only logged. */
export function autostartOllama(options: AutostartOptions): Autostart {
  const ready = Promise.withResolvers<boolean>()
  const unwanted = Promise.withResolvers<true>()
  const ended = keepRunning(options, ready.resolve, unwanted.promise)
    .catch((err: unknown) => options.log.warn({ err }, 'Ollama could not be started'))
    .finally(() => ready.resolve(false))
  return {
    ready: ready.promise,
    async close() {
      unwanted.resolve(true)
      await ended
    },
  }
}

async function keepRunning(options: AutostartOptions, ready: (answers: boolean) => void, unwanted: Promise<true>): Promise<void> {
  const { baseUrl, log, env, spawn = spawnChild, find = findOllama } = options
  const times = { ...usualTimes, ...options.times }
  const look = () => ask(`${baseUrl}/api/tags`, AbortSignal.timeout(times.answerMs))
  const address = ollamaAddress(baseUrl)
  if (address === undefined) return
  const there = await look()
  if (there !== 'nobody') return ready(isAnswer(there)) // a second one could not listen there
  const command = find(env)
  if (!command) {
    log.warn({ url: baseUrl }, 'Ollama does not run, and is not installed: see https://ollama.com/download, or set OLLAMA_AUTOSTART=false')
    return
  }
  const start = () => startOllama({ command, address, answers: async () => isAnswer(await look()), log, env, spawn, times, unwanted })
  let child = await start()
  ready(child !== undefined)
  if (!child) return
  log.info({ url: baseUrl, pid: child.pid }, 'Ollama started')

  const again = createRestarts(times.restarts, () => performance.now())
  for (;;) {
    const exit = await Promise.race([unwanted, child?.exited])
    if (exit === true) return child?.stop(times.graceMs)
    const pauseMs = again()
    if (pauseMs === undefined)
      return log.error(exit, 'Ollama keeps ending and is not started any more; with DEBUG=true the log has its words')
    log.warn({ ...exit, again_in_ms: pauseMs }, 'Ollama has ended; it is started again')
    if (await within(pauseMs, unwanted)) return
    if ((await look()) !== 'nobody') return log.info({ url: baseUrl }, 'Another Ollama has taken its place')
    child = await start()
    if (child) log.info({ url: baseUrl, pid: child.pid }, 'Ollama started again')
  }
}

const isAnswer = (heard: Heard): boolean => typeof heard === 'object' && heard.status === 200
