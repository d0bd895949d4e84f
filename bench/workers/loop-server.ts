/** A server that hashes and counts what it is sent, in its own thread (`inline`) or in others (`pool`), and watches its event loop. */
import type { Workers } from '../../core/gateway.ts'
import { createTokens } from '../../core/tokens.ts'
import { createWorkers } from '../../core/workers.ts'
import { digest } from '../../workers/digest.ts'
import { countTokens } from '../../workers/tokens.ts'
import { percentile, sorted } from '../report/stats.ts'

const inline: Workers = {
  digest,
  async countTokens(texts, encoding) {
    const { tokens, cut } = await countTokens(texts, encoding)
    return { tokens, exact: !cut, method: encoding }
  },
}
const workers = process.argv[2] === 'pool' ? createWorkers({ log: console }) : inline
const tokens = createTokens({ backends: new Map(), workers, log: { debug() {} } as never })
const model = { targets: [{ backend: 'none', model: 'gpt-4o', weight: 1, set: {}, strip: [] }] }

/** Ticks are due at fixed times: one that comes late stands for all that were due meanwhile. */
const everyMs = 2
let delays: number[] = []
let due = performance.now()
const tick = () => {
  const now = performance.now()
  for (; due <= now; due += everyMs) delays.push(now - due)
  setTimeout(tick, Math.max(0, due - performance.now()))
}
tick()

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  maxRequestBodySize: 2 ** 30,
  async fetch(request) {
    if (request.method === 'GET') return Response.json(report())
    const body = await request.bytes()
    const payload = JSON.parse(new TextDecoder().decode(body))
    const [hash, count] = await Promise.all([workers.digest(body), tokens.count(payload, 'chat.completions', model, request.signal)])
    return Response.json({ hash, ...count })
  },
})
console.log(server.port)

/** The delays since the last report. */
function report() {
  const all = sorted(delays)
  delays = []
  return { p50: percentile(all, 0.5), p99: percentile(all, 0.99), max: all.at(-1) ?? 0, ticks: all.length }
}
