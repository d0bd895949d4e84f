import { keptLog } from '../../../records/ledger/testing/open-ledger.ts'
import { openRedis } from '../../redis.ts'
import type { OnError, RedisLink } from '../link.ts'

/** A link for tests. */
export interface OpenedLink extends AsyncDisposable {
  readonly link: RedisLink
  /** Resolves with the milliseconds it took to come to that state; rejects after ten seconds. */
  until(state: 'up' | 'down'): Promise<number>
}

/** Opens a link and waits for what comes of its first connection. */
export async function openLink(url: string, onError: OnError = 'local', answerWithinMs = 250): Promise<OpenedLink> {
  const { log, lines } = keptLog()
  const link = openRedis({ url, onError, log, answerWithinMs })
  await link.opened
  return {
    link,
    async until(state) {
      const from = performance.now()
      while (link.state !== state) {
        if (performance.now() - from > 10_000) throw new Error(`the link never was ${state}\n${JSON.stringify(lines)}`)
        await Bun.sleep(2)
      }
      return performance.now() - from
    },
    async [Symbol.asyncDispose]() {
      await link.close()
    },
  }
}
