/**
 * `npm run bench -- [part …] [options]`: what gatehouse costs, against the compiled binary, every piece in its own process
 * on the loopback. README.md says which parts and options there are and how each figure is measured.
 */
import { existsSync } from 'node:fs'
import { hold } from './hold.ts'
import { gatehouseBinary, versionOf } from './house/binary.ts'
import { findNginx, nginxVersion } from './house/nginx.ts'
import { whatRivalsForwardTo } from './house/rival.ts'
import { type Options, readOptions } from './options.ts'
import { cache } from './parts/cache.ts'
import { latency } from './parts/latency.ts'
import { limits } from './parts/limits.ts'
import { memory } from './parts/memory.ts'
import { openLoop } from './parts/open-loop.ts'
import { processes } from './parts/processes.ts'
import { slowReaders } from './parts/slow-readers.ts'
import { start } from './parts/start.ts'
import { streams } from './parts/streams.ts'
import { throughput } from './parts/throughput.ts'
import { compare } from './report/compare.ts'
import { busy, describeMachine } from './report/machine.ts'
import type { Outcome } from './report/part.ts'
import { printComparison, printMarkdown, printOutcome, printSaved } from './report/print.ts'
import { columnOf, savedResults, saveResults } from './report/results.ts'
import { show } from './report/table.ts'

const parts = [throughput, latency, openLoop, cache, limits, processes, start, memory, streams, slowReaders]
/** Those that compare with others. */
const compared = [throughput, latency, openLoop, cache]

const options = readOrStop()
const { length, rivals, upstreamPort, arrivals } = options
if (process.platform !== 'linux') stop('memory and processor time are read from /proc: this runs on Linux')
if (options.hold) {
  await hold(upstreamPort).catch((error: Error) => stop(error.message))
  process.exit(0)
}
const gone = rivals.find(({ pid }) => pid !== undefined && !existsSync(`/proc/${pid}`))
if (gone) stop(`--rival-pid ${gone.name}=${gone.pid}: there is no such process`)

const binary = gatehouseBinary()
const chosen = parts.filter(({ name }) => options.parts.length === 0 || options.parts.includes(name))
const nginx = chosen.some(part => compared.includes(part)) ? findNginx() : undefined
const machine = describeMachine()
const versions = { gatehouse: versionOf(binary), bun: Bun.version, ...(nginx && { nginx: nginxVersion(nginx) }) }
const loadBefore = busy()
const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
const head = `${machine.cpu}, ${machine.cores} cores, ${machine.memory_gb} GB; ${machine.os}; ${named.join(', ')}; ${new Date().toISOString().slice(0, 10)}; load average before: ${show(loadBefore, 2)}`
const saved = savedOrStop()
console.log(`${head}\n${printSaved(saved, machine, length)}`)
for (const { name, url } of rivals)
  console.log(`rival ${name} at ${url}; it has to ${whatRivalsForwardTo(`http://127.0.0.1:${upstreamPort}`)}`)

const outcomes: [string, Outcome][] = []
for (const { name, run } of chosen) {
  const began = performance.now()
  const outcome = await run({ binary, nginx, length, upstreamPort, rivals, arrivals }).catch((error: Error) =>
    stop(`${name}: ${error.message}`),
  )
  outcomes.push([name, outcome])
  console.log(printOutcome(name, (performance.now() - began) / 1000, outcome))
  if (saved && length === 'usual') console.log(printComparison(compare(name, outcome.figures, saved)))
}
if (options.markdown) console.log(`\n${head}\n\n${printMarkdown(outcomes)}`)
if (options.save) {
  const figures = outcomes.map(([name, outcome]) => [name, outcome.figures] as const)
  saveResults({
    date: new Date().toISOString(),
    machine,
    versions,
    load_before: loadBefore,
    parts: columnOf(figures, 'value'),
    noise: columnOf(figures, 'noise'),
  })
}
process.exit(outcomes.every(([, { targets }]) => targets.every(({ met }) => met)) ? 0 : 1)

function readOrStop(): Options {
  try {
    return readOptions(
      process.argv.slice(2),
      parts.map(({ name }) => name),
    )
  } catch (error) {
    stop((error as Error).message)
  }
}

function savedOrStop() {
  try {
    return savedResults()
  } catch (error) {
    stop((error as Error).message)
  }
}

function stop(why: string): never {
  console.error(`bench: ${why}`)
  process.exit(2)
}
