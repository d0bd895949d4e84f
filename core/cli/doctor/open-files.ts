import { readFile } from 'node:fs/promises'
import { type Finding, ok, warning } from './finding.ts'

/** Each client needs a file, and each request to a backend another one. */
const enough = 4096

/** How many files and connections this process may have open. Only Linux tells. */
export async function checkOpenFiles(limitsFile = '/proc/self/limits'): Promise<readonly Finding[]> {
  const limits = await readFile(limitsFile, 'utf8').catch(() => '')
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1]
  if (soft === undefined) return []
  if (soft === 'unlimited' || Number(soft) >= enough) return [ok(`${soft} files and connections may be open at once`)]
  return [
    warning(
      `only ${soft} files and connections may be open at once; every request takes two`,
      'ulimit -n 65536 before the start; for a systemd service, LimitNOFILE=65536',
    ),
  ]
}
