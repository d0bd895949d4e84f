import type { Logger } from '../../../log.ts'
import { redisStore } from '../../redis.ts'
import type { OnError } from '../link.ts'
import type { RedisStore } from '../store.ts'

/** A store for tests, with its log. */
export interface OpenedStore extends AsyncDisposable {
  readonly store: RedisStore
  /** The log, line by line. */
  readonly lines: readonly LogLine[]
  /** Resolves with the milliseconds it took to come to that state; rejects after ten seconds. */
  until(state: 'up' | 'down'): Promise<number>
}

/** One line of the log, with what the link says. */
export interface LogLine {
  readonly level: string
  readonly message: string
  readonly redis?: string
  readonly reason?: string
  readonly on_error?: string
}

export interface StoreSettings {
  readonly onError?: OnError
  readonly now?: () => number
}

/** Opens a store and waits for what comes of its first connection. */
export async function openStore(url: string, { onError = 'local', ...more }: StoreSettings = {}): Promise<OpenedStore> {
  const lines: LogLine[] = []
  const at = (level: string) => (facts: object, message: string) => void lines.push({ ...facts, level, message })
  const log = { info: at('info'), warn: at('warn'), error: at('error'), debug: at('debug') } as unknown as Logger
  const store = redisStore({ url, onError, log, ...more })
  await store.opened
  return {
    store,
    lines,
    async until(state) {
      const from = performance.now()
      while (store.state !== state) {
        if (performance.now() - from > 10_000) throw new Error(`the store never was ${state}\n${JSON.stringify(lines)}`)
        await Bun.sleep(2)
      }
      return performance.now() - from
    },
    async [Symbol.asyncDispose]() {
      await store.close()
    },
  }
}
