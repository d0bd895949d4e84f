import { expect } from 'bun:test'
import { GatewayError } from '../../errors.ts'
import type { Behaviour } from '../../testing/model-process/stand-in.ts'
import type { ServerProcess } from '../server-process.ts'
import { createServerProcess, type ServerProcessOptions } from '../server-process-create.ts'
import type { ProcessSpec } from '../server-process-spec.ts'
import { runner } from './alive.ts'
import { anyPort, keptLog, openFolders, shortTimes, specOf } from './server.ts'

/** As much room as anybody wants. */
const palace = {
  async take({ granted }: { granted(): void }) {
    granted()
  },
}

const opened: { process: ServerProcess; folders: Disposable }[] = []

/** Ends what `open` has made; for `afterEach`. */
export async function closeOpened(): Promise<void> {
  for (const { process, folders } of opened.splice(0)) {
    await process.close(0)
    folders[Symbol.dispose]()
  }
}

/** A process of the stand-in, with short times and all the room it wants. */
export function open(behaviour: Behaviour = {}, more: Partial<ServerProcessOptions> = {}, spec: Partial<ProcessSpec> = {}) {
  const folders = openFolders()
  const { log, lines } = keptLog()
  const process = createServerProcess({
    spec: specOf(folders.stand, 'm', behaviour, spec),
    room: palace,
    choosePort: anyPort,
    times: () => shortTimes,
    runFolder: folders.runFolder,
    runner: runner.runner,
    log,
    ...more,
  })
  opened.push({ process, folders })
  return { process, log: lines, ...folders, starts: () => folders.stand.starts('m') }
}

/** The error for a client with which something is refused. */
export async function errorOf(work: Promise<unknown>): Promise<GatewayError> {
  const error = await work.then(
    () => undefined,
    reason => reason,
  )
  expect(error).toBeInstanceOf(GatewayError)
  return error
}

/** Of a process that runs. */
export const pidOf = (process: ServerProcess): number => process.snapshot().pid as number
