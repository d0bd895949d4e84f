import type { Gateway, Route } from '../gateway.ts'
import { loadRoute } from './processes/load.ts'
import { logRoutes } from './processes/logs.ts'
import { runningRoute } from './processes/running.ts'
import { unloadRoutes } from './processes/unload.ts'
import { upstreamRoute } from './processes/upstream.ts'

/** What the routes of the models that gatehouse runs itself need of the house. */
export interface ProcessRoutesOptions extends Pick<Gateway, 'processes' | 'records'> {
  readonly stopping: () => boolean
}

/** The models that gatehouse runs itself, as they are seen from outside: their states, their logs, their servers. */
export const processRoutes = ({ processes, records, stopping }: ProcessRoutesOptions): Route[] => [
  runningRoute(processes),
  loadRoute(processes, records),
  ...unloadRoutes(processes, records),
  ...logRoutes(processes, stopping),
  upstreamRoute(processes),
]
