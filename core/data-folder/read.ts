import { join } from 'node:path'
import { type Holder, readHolder } from './holder.ts'
import { isLocked } from './lock.ts'
import { judgeStarts, type RunHistory, readStarts, type Start } from './starts.ts'

/** A data folder as one sees it from outside. */
export interface DataFolderState {
  /** Whether a gatehouse runs there; undefined when that cannot be found out. */
  readonly inUse: boolean | undefined
  /** Who runs there, once it has said so. */
  readonly running?: Holder
  /** The last starts, the oldest first; the last one is that of the running gatehouse. */
  readonly starts: readonly Start[]
  /** Judged up to the last start; when nobody runs, that one's end counts too. */
  readonly history: RunHistory
}

/** Reads what a data folder says of its gatehouse. Claims and changes nothing; the folder need not exist. */
export async function readDataFolder(path: string): Promise<DataFolderState> {
  const run = join(path, 'run')
  const inUse = await isLocked(join(run, 'serve.lock'))
  const running = inUse === false ? undefined : readHolder(run)
  const starts = readStarts(run)
  const lastStart = Date.parse(starts.at(-1)?.startedAt ?? '') || 0
  return { inUse, ...(running && { running }), starts, history: judgeStarts(inUse === false ? starts : starts.slice(0, -1), lastStart) }
}
