import { statfsSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describeHolder } from '../../data-folder/holder.ts'
import type { DataFolderState } from '../../data-folder/read.ts'
import { crashLoopText, isCrashLoop, isSteady } from '../../data-folder/starts.ts'
import { type Finding, ok, problem, warning } from './finding.ts'
import { whyNoFolder } from './writable.ts'

const little = 256 * 1024 * 1024
const tooLittle = 16 * 1024 * 1024

/** The data folder: can it be used, is it private, is there room, who runs there, and how did the last runs end. */
export function checkDataFolder(path: string, state: DataFolderState, now: number): readonly Finding[] {
  const reason = whyNoFolder(path) ?? whyNoFolder(join(path, 'run'))
  if (reason !== undefined) return [problem(`${path} cannot be used: ${reason}`, 'correct that, or choose another folder with DATA_DIR')]
  const info = statSync(path, { throwIfNoEntry: false })
  const use = info ? describeUse(path, state) : [ok(`${path} will be made at the first start`)]
  return [...use, ...checkMode(path, info?.mode), ...(info ? checkSpace(path) : []), ...checkHistory(state, now)]
}

function describeUse(path: string, { inUse, running }: DataFolderState): readonly Finding[] {
  if (inUse === undefined) return [warning(`${path}: whether a gatehouse runs there cannot be found out (no rights, or no file locks)`)]
  if (!inUse) return [ok(`${path}; no gatehouse runs there`)]
  return [ok(`${path}; gatehouse runs there${running ? `: ${describeHolder(running, hostname())}` : ''}`)]
}

function checkMode(path: string, mode: number | undefined): readonly Finding[] {
  if (mode === undefined || process.platform === 'win32' || (mode & 0o077) === 0) return []
  return [warning(`${path} is open to other users of this machine (mode ${(mode & 0o777).toString(8)})`, `chmod 700 ${path}`)]
}

function checkSpace(path: string): readonly Finding[] {
  const { bavail, bsize } = statfsSync(path)
  const free = bavail * bsize
  if (free >= little) return []
  const message = `only ${Math.floor(free / 1024 / 1024)} MiB are free on the disk of ${path}`
  return [(free < tooLittle ? problem : warning)(message, 'make room, or choose a folder on another disk with DATA_DIR')]
}

function checkHistory({ history, inUse, starts, running }: DataFolderState, now: number): readonly Finding[] {
  const readTheLog = 'the log tells what happened before each end; a model server that takes all memory is a usual cause'
  if (isCrashLoop(history)) {
    const over = inUse ? isSteady(Date.parse(running?.since ?? ''), now) : history.lastEndedCleanly === true
    if (over) return [warning(`${crashLoopText(history)}, before the last start`, readTheLog)]
    return [problem(`${crashLoopText(history)}; the last start was ${starts.at(-1)?.startedAt}`, readTheLog)]
  }
  if (history.lastEndedCleanly !== false) return []
  return [warning(`the run that started ${history.lastStartedAt} did not end cleanly`, readTheLog)]
}
