/**
 * `bun bench/workers.ts` → what is worth a thread: the tables of workers/README.md. About three minutes; `--short` shows
 * that it works. With names (`break-even loop memory`) only these. Exits 1 when a target is missed.
 */
import { gatehouseBinary } from './house/binary.ts'
import { busy, describeMachine } from './report/machine.ts'
import { markdownTable, show, type Table } from './report/table.ts'
import { breakEven } from './workers/break-even.ts'
import { loopDelay, mostOfInline } from './workers/loop.ts'
import { mostMb, tokenMemory } from './workers/memory.ts'

const short = process.argv.includes('--short')
const chosen = process.argv.slice(2).filter(argument => !argument.startsWith('--'))
const wanted = (name: string) => chosen.length === 0 || chosen.includes(name)
let missed = 0

const machine = describeMachine()
console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.os}; Bun ${Bun.version}; load average before: ${show(busy(), 2)}\n`)

if (wanted('break-even')) for (const table of await breakEven(short ? 50 : 500)) print(table)
if (wanted('loop')) {
  const { table, ratio } = await loopDelay(short ? 1 : 10)
  print(table)
  target(`p99 with the pool is ${show(ratio, 3)} of that without, at most ${show(mostOfInline, 3)}`, ratio <= mostOfInline)
}
if (wanted('memory')) {
  const { table, ...mb } = await tokenMemory(gatehouseBinary(), short ? 5 : 50)
  print(table)
  target(`${show(mb.without, 1)} MB without a tokenizer, at most ${mostMb.without}`, mb.without <= mostMb.without)
  target(`${show(mb.with, 1)} MB with both, at most ${mostMb.with}`, mb.with <= mostMb.with)
}
console.log(`load average after: ${show(busy(), 2)}`)
process.exit(missed === 0 ? 0 : 1)

function print(table: Table): void {
  console.log(`${markdownTable(table)}\n`)
}

function target(what: string, met: boolean): void {
  if (!met) missed++
  console.log(`${met ? 'met' : 'MISSED'}: ${what}\n`)
}
