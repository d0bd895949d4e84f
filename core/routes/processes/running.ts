import type { Route } from '../../gateway.ts'
import type { Supervisor } from '../../processes/supervisor.ts'
import { answer, mayUseIt } from './answers.ts'

/** `GET /running`: every model that has a process, whether it runs now or not; to a managed key those it may use. */
export const runningRoute = (processes: Pick<Supervisor, 'list'>): Route => ({
  method: 'GET',
  path: '/running',
  access: 'key',
  limited: true,
  body: 'none',
  handle: ({ principal }) => answer({ data: processes.list().filter(({ model }) => mayUseIt(principal, model)) }),
})
