import Tinypool from 'tinypool'
import { digest } from '../workers/digest.ts'
import type { Texts, TokenAnswer } from '../workers/tokens.ts'
import type { TextCount, Workers } from './gateway.ts'
import type { Logger } from './log.ts'
import { estimateTokens } from './tokens/estimate.ts'
import { createLane, LaneError } from './workers/lane.ts'

/** What the operator may set. */
export interface WorkerLimits {
  /** Threads that count tokens. Hashes have one of their own, so that they never wait for a count. */
  readonly threads: number
  /** Bytes of a body, characters of a text: from here on a thread hashes it. */
  readonly digestFrom: number
  /** Characters: from here on tokens are counted; fewer are estimated. */
  readonly tokensFrom: number
  /** How long a task may run before its thread is killed, and how long it may wait for one. */
  readonly budgetMs: number
}

/** `bench/workers.ts` makes the numbers behind these; workers/README.md has them all. */
export const defaultLimits: WorkerLimits = {
  // each holds the tokenizers, 60 to 80 MB, and counts 8 MB of text a second
  threads: 1,
  // a hash of this size blocks the event loop for 0.35 ms; handing it over takes 0.2 to 0.3 ms, and the answer twice as long
  digestFrom: 512 * 1024,
  // a tokenizer in this thread would block the loop for 0.2 s while it loads, and hold its memory for ever. So there is
  // none: even the smallest text goes to a thread, which blocks for 0.01 ms and answers 0.04 ms later
  tokensFrom: 0,
  // loading a tokenizer is part of it: 0.2 s here, several times as much on a small machine
  budgetMs: 5000,
}

export interface WorkersOptions {
  readonly log: Pick<Logger, 'warn'>
  /** Asked with every task, so that a new config counts at once. */
  readonly limits?: () => WorkerLimits
  /** A thread without work ends after this, and its memory comes back. */
  readonly idleMs?: number
  /** How many tasks may wait for a thread. */
  readonly mostWaiting?: number
  /** How long nothing is tried after three failures in a row. */
  readonly restMs?: number
  /** The module that threads load. */
  readonly entry?: string
}

/** The pool; nothing is started before the first task that needs it. */
export interface ClosableWorkers extends Workers {
  close(): Promise<void>
}

/** In the binary it lies where `scripts/build/compile.ts` puts it. */
const workerEntry = new URL(Bun.isStandaloneExecutable ? './entry/worker.js' : '../workers/entry/worker.ts', import.meta.url).href

/** Handing a text over costs half a microsecond: of a list with a million the loop would hear nothing else for half a second. */
const mostTexts = 1000

/** More than anybody sets; how many there are is up to the lane. */
const mostThreads = 64

/** Makes the worker pool of a house: two lanes of threads over tinypool. */
export function createWorkers({
  log,
  limits = () => defaultLimits,
  idleMs = 60_000,
  mostWaiting = 100,
  restMs = 10_000,
  entry = workerEntry,
}: WorkersOptions): ClosableWorkers {
  const open = (onBroken: (error: unknown) => void) => {
    // `useAtomics` would stop a thread's own event loop
    const pool = new Tinypool({ filename: entry, minThreads: 0, maxThreads: mostThreads, idleTimeout: idleMs, useAtomics: false })
    pool.on('error', onBroken)
    return pool
  }
  const budgetMs = () => limits().budgetMs
  const hashing = createLane({ open, threads: () => 1, budgetMs, mostWaiting, restMs })
  const counting = createLane({ open, threads: () => limits().threads, budgetMs, mostWaiting, restMs })
  const warn = createWarner(log)

  return {
    digest(data) {
      if (data.length < limits().digestFrom) return digest(data)
      return hashing.run<string>(data, 'digest').catch(error => {
        warn(error, 'A hash could not be made in a thread; it was made in place.')
        return digest(data)
      })
    },
    async countTokens(texts, encoding, signal) {
      const length = texts.reduce((sum, text) => sum + text.length, 0)
      if (length === 0) return { tokens: 0, exact: true, method: encoding }
      const estimate = (): TextCount => ({ tokens: estimateTokens(texts), exact: false, method: 'estimate' })
      if (length < limits().tokensFrom) return estimate()
      try {
        let [tokens, exact] = [0, true]
        for (let from = 0; from < texts.length; from += mostTexts) {
          const batch = texts.slice(from, from + mostTexts)
          const task: Texts = batch.length === 1 ? (batch[0] as string) : batch
          const counted = await counting.run<TokenAnswer>(task, encoding, signal)
          tokens += counted.tokens
          exact &&= !counted.cut
        }
        return { tokens, exact, method: encoding }
      } catch (error) {
        signal?.throwIfAborted()
        warn(error, 'Tokens could not be counted in a thread; they were estimated.')
        return estimate()
      }
    },
    async close() {
      await Promise.all([hashing.close(), counting.close()])
    },
  }
}

/** The same trouble is told of once in ten seconds: it may come with every request. */
const quietMs = 10_000

function createWarner(log: Pick<Logger, 'warn'>) {
  const told = new Map<string, number>()
  return (error: unknown, message: string) => {
    const why = error instanceof LaneError ? error.failure : 'unknown'
    const last = told.get(why + message)
    if (why === 'closed' || (last !== undefined && performance.now() - last < quietMs)) return
    told.set(why + message, performance.now())
    log.warn({ why, ...(error instanceof Error && error.cause !== undefined && { err: error.cause }) }, message)
  }
}
