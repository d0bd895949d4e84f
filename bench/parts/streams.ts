import { startGatehouse } from '../house/gatehouse.ts'
import { streams as openStreams } from '../house/load.ts'
import { cpuSeconds, peakMb } from '../house/proc.ts'
import { startUpstream } from '../house/upstream.ts'
import type { StreamsResult } from '../load/streams.ts'
import { context, once } from '../report/figure.ts'
import type { Part } from '../report/part.ts'
import { show } from '../report/table.ts'

const count = 1000
const intervalMs = 50
/** Streams before the measured ones: compilers and memory warm up. */
const warmUp = { streams: 200, events: 40, rampMs: 500 }
const eventCount = { short: 40, usual: 200, long: 6000 }

/** A thousand streams at once, every event checked. */
export const streams: Part = {
  name: 'streams',
  async run({ binary, length }) {
    const order = { streams: count, events: eventCount[length], rampMs: 1000 }
    const direct = await measure(url => openStreams({ url, ...order }))
    let cpu = 0
    let peak = 0
    const through = await measure(async url => {
      await using gatehouse = await startGatehouse(binary, url)
      await openStreams({ url: gatehouse.url, ...warmUp })
      const used = cpuSeconds(gatehouse.pid)
      const result = await openStreams({ url: gatehouse.url, ...order })
      cpu = cpuSeconds(gatehouse.pid) - used
      peak = peakMb(gatehouse.pid)
      return result
    })

    const rows = Object.entries({ direct, gatehouse: through }).map(([name, { result, changed }]) => [
      name,
      show(result.events),
      show(result.events / result.seconds),
      show(result.lost),
      show(result.disordered),
      show(changed),
      show(result.unfinished + result.broken),
      `${show(result.lateP50, 1)} / ${show(result.lateP99, 1)}`,
      `${show(result.wayP50, 1)} / ${show(result.wayP99, 1)}`,
    ])
    const columns = [
      '1 000 streams',
      'events',
      'events/s',
      'lost',
      'disordered',
      'changed',
      'unfinished',
      'late p50 / p99 ms',
      'on the way',
    ]
    const { result, changed } = through
    const expected = order.streams * order.events
    return {
      tables: [{ columns, rows }],
      notes: [
        `gatehouse: ${show(cpu, 1)} CPU seconds, ${show((cpu / result.events) * 1e6, 1)} µs per event, at most ${show(peak, 1)} MB resident`,
      ],
      figures: {
        cpu_us_per_event: once((cpu / result.events) * 1e6, 'lower', { share: 0.1 }),
        cpu_seconds: context(cpu),
        peak_mb: once(peak, 'lower', { share: 0.1 }),
        events: context(result.events),
        events_per_second: context(result.events / result.seconds),
        // one run of one second more or less: what else the machine does shows in the latest events first
        late_p50_ms: once(result.lateP50, 'lower', { share: 0.3 }),
        late_p99_ms: once(result.lateP99, 'lower', { share: 0.5 }),
        direct_late_p50_ms: context(direct.result.lateP50),
        direct_late_p99_ms: context(direct.result.lateP99),
      },
      targets: [
        {
          what: `every one of ${show(expected)} events came, in order, once`,
          met: result.lost + result.disordered === 0 && result.events === expected,
        },
        { what: 'every stream byte for byte as the upstream sent it', met: changed === 0 },
        { what: 'every stream ended with one finish reason and one [DONE]', met: result.unfinished + result.broken === 0 },
      ],
    }
  },
}

/** Runs against an upstream of its own and compares what came with what was sent. */
async function measure(run: (url: string) => Promise<StreamsResult>): Promise<{ result: StreamsResult; changed: number }> {
  await using upstream = await startUpstream({ intervalMs })
  const result = await run(upstream.url)
  const { checksums } = await upstream.report()
  const changed = Object.entries(result.checksums).filter(([seed, sum]) => checksums[seed] !== sum).length
  return { result, changed }
}
