import { spawnChild } from '../spawn-child.ts'
import { runner } from './alive.ts'

// A house of its own, to be killed by a test: starts `sh -c <script>`, with the stop command that may follow, and says who is
// who, one line for each.
const [script = '', stopper, ...stopArgs] = process.argv.slice(2)
const child = await spawnChild({
  command: 'sh',
  args: ['-c', script],
  env: { PATH: process.env.PATH ?? '' },
  graceMs: 1_000,
  onOutput: line => console.log(line),
  ...(stopper && { stop: { command: stopper, args: stopArgs } }),
  ...runner,
})
console.log(`child ${child.pid}`)
setInterval(() => {}, 60_000)
