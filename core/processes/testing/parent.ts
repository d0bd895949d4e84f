import { spawnChild } from '../spawn-child.ts'
import { runner } from './alive.ts'

// A house of its own, to be killed by a test: starts `sh -c <script>`, with the stop command that may follow, and says who is
// who, one line for each. SIGUSR2 makes it stop the child with patience.
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
// asks it to stop, with all the time in the world
process.on('SIGUSR2', () => child.stop(600_000))
setInterval(() => {}, 60_000)
