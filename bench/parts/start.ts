import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../house/free-port.ts'
import { residentMb } from '../house/proc.ts'
import { spawnChild, temporaryFolder } from '../house/spawn.ts'
import { startUpstream } from '../house/upstream.ts'
import { context, fromRounds, once } from '../report/figure.ts'
import type { Part } from '../report/part.ts'
import { median, percentile, sorted } from '../report/stats.ts'
import { show } from '../report/table.ts'

const starts = { short: 5, usual: 20, long: 200 }
const limitMs = 150
const patienceMs = 10_000

/** From the spawn of the binary to its first 200 for `/health`, each time with an empty data folder. */
export const start: Part = {
  name: 'start',
  async run({ binary, length }) {
    await using upstream = await startUpstream()
    await measureStart(binary, upstream.url) // the first one reads the binary from the disk
    const all: { readonly ms: number; readonly mb: number }[] = []
    for (let i = 0; i < starts[length]; i++) all.push(await measureStart(binary, upstream.url))

    const times = sorted(all.map(({ ms }) => ms))
    const [fastest, middle, slowest] = [times[0] ?? 0, median(times), times.at(-1) ?? 0]
    const idle = median(all.map(({ mb }) => mb))
    return {
      tables: [
        {
          columns: ['start to the first /health, ms', 'starts', 'fastest', 'p50', 'p95', 'slowest', 'resident MB'],
          rows: [
            ['gatehouse', show(times.length), ...[fastest, middle, percentile(times, 0.95), slowest].map(ms => show(ms)), show(idle, 1)],
          ],
        },
      ],
      figures: {
        p50_ms: { ...fromRounds(times, 'lower'), noise: (percentile(times, 0.9) - percentile(times, 0.1)) / 2 },
        max_ms: once(slowest, 'lower', { share: 0.5 }),
        resident_mb: fromRounds(
          all.map(({ mb }) => mb),
          'lower',
        ),
        starts: context(times.length),
      },
      targets: [{ what: `${show(middle)} ms at the median from spawn to the first /health, at most ${limitMs}`, met: middle <= limitMs }],
    }
  },
}

async function measureStart(binary: string, upstreamUrl: string): Promise<{ ms: number; mb: number }> {
  using folder = temporaryFolder()
  const data = join(folder.path, 'data')
  const logFile = join(folder.path, 'gatehouse.log')
  const port = freePort()
  mkdirSync(data)
  writeFileSync(join(folder.path, 'gatehouse.yaml'), `backends:\n  up: { type: openai-compatible, base_url: ${upstreamUrl} }\n`)
  const began = performance.now()
  await using child = spawnChild([binary, 'serve', '--port', String(port)], {
    cwd: folder.path,
    env: { HOME: folder.path, DATA_DIR: data },
    logFile,
  })
  await healthy(`http://127.0.0.1:${port}/health`, began + patienceMs).catch(async error => {
    console.error(await Bun.file(logFile).text())
    throw error
  })
  return { ms: performance.now() - began, mb: residentMb(child.pid) }
}

/** Asks every millisecond: as exact as is worth it, and light enough to leave the core to the one that starts. */
async function healthy(url: string, deadline: number): Promise<void> {
  for (;;) {
    const status = await fetch(url).then(
      response => response.status,
      () => 0,
    )
    if (status === 200) return
    if (performance.now() > deadline) throw new Error(`no 200 from /health within ${patienceMs / 1000} s; the last status was ${status}`)
    await Bun.sleep(1)
  }
}
