/**
 * `npm run bench [part …] [--save] [--short] [--long]`: what gatehouse costs, against the compiled binary, every piece in its
 * own process on the loopback. README.md says how each figure is measured.
 */
import { parseArgs } from 'node:util'
import { gatehouseBinary, versionOf } from './house/binary.ts'
import { findNginx, nginxVersion } from './house/nginx.ts'
import { latency } from './parts/latency.ts'
import { memory } from './parts/memory.ts'
import { slowReaders } from './parts/slow-readers.ts'
import { streams } from './parts/streams.ts'
import { throughput } from './parts/throughput.ts'
import { busy, describeMachine } from './report/machine.ts'
import type { Length, Outcome } from './report/part.ts'
import { compare, savedResults, saveResults } from './report/results.ts'
import { show } from './report/table.ts'

const parts = [throughput, latency, memory, streams, slowReaders]

const { values, positionals } = parseArgs({
  options: {
    save: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
  },
  allowPositionals: true,
})
const { save } = values
const length: Length = values.long ? 'long' : values.short ? 'short' : 'usual'
const unknown = positionals.find(name => !parts.some(part => part.name === name))
if (unknown !== undefined) stop(`there is no part "${unknown}"; there are ${parts.map(({ name }) => name).join(', ')}`)
if (save && (positionals.length > 0 || length !== 'usual'))
  stop('--save keeps a whole run of the usual length: leave out the parts, --short and --long')
if (process.platform !== 'linux') stop('memory and processor time are read from /proc: this runs on Linux')

const binary = gatehouseBinary()
const chosen = parts.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
const nginx = chosen.includes(throughput) ? findNginx() : undefined
const machine = describeMachine()
const versions = { gatehouse: versionOf(binary), bun: Bun.version, ...(nginx && { nginx: nginxVersion(nginx) }) }
const loadBefore = busy()
console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.memory_gb} GB; ${machine.os}`)
console.log(
  `${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}; load average before: ${show(loadBefore, 2)}`,
)

const saved = savedResults()
const outcomes: [string, Outcome][] = []
for (const { name, run } of chosen) {
  const began = performance.now()
  const outcome = await run({ binary, nginx, length }).catch((error: Error) => stop(`${name}: ${error.message}`))
  outcomes.push([name, outcome])
  console.log(`\n# ${name} (${show((performance.now() - began) / 1000)} s)\n\n${outcome.table}\n`)
  for (const { what, met } of outcome.targets) console.log(`  ${met ? 'met   ' : 'MISSED'} ${what}`)
  console.log(compare(name, outcome.figures, saved))
}
if (save) {
  saveResults({
    date: new Date().toISOString(),
    machine,
    versions,
    load_before: loadBefore,
    parts: Object.fromEntries(outcomes.map(([name, { figures }]) => [name, figures])),
  })
}
process.exit(outcomes.every(([, { targets }]) => targets.every(({ met }) => met)) ? 0 : 1)

function stop(why: string): never {
  console.error(`bench: ${why}`)
  process.exit(2)
}
