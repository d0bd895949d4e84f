/**
 * The load generator, a process of its own: `bun bench/load.ts KIND '{"url":…}'`. Raw sockets and prebuilt requests,
 * because Bun's `fetch` would be what is measured. Prints a JSON line per piece of progress and one with the result.
 */
import { closedLoop } from './load/closed-loop.ts'
import { openLoop } from './load/open-loop.ts'
import { stalled } from './load/stalled.ts'
import { streams } from './load/streams.ts'

const kinds = { closedLoop, openLoop, streams, stalled }

const [kind = '', order = '{}'] = process.argv.slice(2)
const run = kinds[kind as keyof typeof kinds] as ((order: unknown, onProgress: (total: number) => void) => Promise<unknown>) | undefined
if (!run) throw new Error(`there is no load called "${kind}"; there are ${Object.keys(kinds).join(', ')}`)

const print = (line: object) => Bun.write(Bun.stdout, `${JSON.stringify(line)}\n`)
await print({ result: await run(JSON.parse(order), total => void print({ total })) })
// stalled streams are held until somebody ends this process
if (kind !== 'stalled') process.exit(0)
