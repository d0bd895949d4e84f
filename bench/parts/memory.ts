import { startGatehouse } from '../house/gatehouse.ts'
import { closedLoop } from '../house/load.ts'
import { residentMb } from '../house/proc.ts'
import { startUpstream } from '../house/upstream.ts'
import { context, once } from '../report/figure.ts'
import type { Part } from '../report/part.ts'
import { median } from '../report/stats.ts'
import { show } from '../report/table.ts'

const samples = 20
const requestCount = { short: 20_000, usual: 200_000, long: 2_000_000 }
const limitMb = 100
/** The last quarter may lie this much above the second one; the first is warm-up. */
const driftMb = 5

/** Resident memory under load, and whether it stays where it is. */
export const memory: Part = {
  name: 'memory',
  async run({ binary, length }) {
    const requests = requestCount[length]
    await using upstream = await startUpstream()
    await using gatehouse = await startGatehouse(binary, upstream.url)
    const idle = residentMb(gatehouse.pid)
    const resident: number[] = []
    const { wrong } = await closedLoop({ url: gatehouse.url, connections: 50, requests, reportEvery: requests / samples }, () =>
      resident.push(residentMb(gatehouse.pid)),
    )
    if (wrong > 0) throw new Error(`${wrong} of ${requests} answers were wrong`)
    await Bun.sleep(2000)
    const rested = residentMb(gatehouse.pid)

    const quarter = (nth: number) => median(resident.slice((nth * samples) / 4, ((nth + 1) * samples) / 4))
    const last = resident.at(-1) as number
    const drift = quarter(3) - quarter(1)
    return {
      tables: [
        {
          columns: ['resident, MB', 'idle', 'after 5 %', '25 %', '50 %', '75 %', '100 %', 'peak', 'rested'],
          rows: [
            [
              `${show(requests)} requests`,
              ...[idle, ...[0, 4, 9, 14, 19].map(i => resident[i] ?? 0), Math.max(...resident), rested].map(mb => show(mb, 1)),
            ],
          ],
        },
      ],
      notes: [`every ${show(requests / samples)}: ${resident.map(mb => show(mb)).join(' ')}`],
      figures: {
        after_mb: once(last, 'lower', { share: 0.05 }),
        peak_mb: once(Math.max(...resident), 'lower', { share: 0.05 }),
        drift_mb: once(drift, 'lower', { amount: driftMb / 2 }),
        idle_mb: once(idle, 'lower', { share: 0.05 }),
        rested_mb: once(rested, 'lower', { share: 0.1 }),
        requests: context(requests),
      },
      targets: [
        { what: `${show(last, 1)} MB after ${show(requests)} requests, at most ${limitMb}`, met: last <= limitMb },
        { what: `flat: the last quarter lies ${show(drift, 1)} MB above the second, at most ${driftMb}`, met: drift <= driftMb },
      ],
    }
  },
}
