import { hostname } from 'node:os'
import { marked } from './mark.ts'
import { type PidNote, readPidFiles } from './pid-file.ts'
import { endGroup, nobody } from './process-group.ts'
import { runsStill, startOf } from './process-identity.ts'
import { listProcesses } from './process-list.ts'

/**
 * Ends what an earlier gatehouse has started and could not end, and takes its notes away. Nothing is adopted: nobody knows what
 * such a process was told meanwhile. Only what is certainly ours is touched: those that carry the mark of a note, and the
 * process a note names, if it was started when the note says. Resolves with the notes of those that were still there.
 */
export async function endLeftovers(folder: string, graceMs: number): Promise<readonly PidNote[]> {
  const ended = await Promise.all(
    readPidFiles(folder).map(async ({ note, remove }) => {
      if (note && isOwned(note)) return []
      const wasThere = note !== undefined && note.machine === hostname() && (await endOne(note, graceMs))
      remove()
      return wasThere ? [note] : []
    }),
  )
  return ended.flat()
}

/** Another gatehouse has started it, and runs. */
const isOwned = ({ machine, owner }: PidNote): boolean =>
  machine === hostname() && owner !== undefined && owner.pid !== process.pid && runsStill(owner)

async function endOne({ mark, pid, start }: PidNote, graceMs: number): Promise<boolean> {
  const strays = () => marked(mark, listProcesses())
  const leader = pid !== undefined && start !== undefined && startOf(pid) === start ? pid : undefined
  if (leader === undefined && strays().length === 0) return false
  await endGroup(leader ?? nobody, graceMs, all => marked(mark, all))
  return true
}
