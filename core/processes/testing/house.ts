import { createSupervisor } from '../supervisor.ts'
import { runner } from './alive.ts'
import { atMost } from './policy.ts'
import { anyPort, keptLog, launchOf, patient, shortTimes } from './server.ts'

// A house of its own, to be killed by a test: runs the models of a folder, says `ready`, and waits.
const [folder = '', runFolder = '', ...models] = process.argv.slice(2)
const stand = { folder, executable: `${folder}/llama-server` }
const supervisor = createSupervisor({
  plan: {
    models: models.map(model => ({ model, print: '1', launch: (port: number) => launchOf(stand, model, port) })),
    policy: atMost(models.length),
    choosePort: anyPort,
    times: { orphanGraceMs: shortTimes.orphanGraceMs },
  },
  runFolder,
  runner: runner.runner,
  log: keptLog().log,
})
await Promise.all(models.map(model => supervisor.load(model, patient)))
console.log('ready')
setInterval(() => {}, 60_000)
