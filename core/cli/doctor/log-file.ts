import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Finding, ok, problem } from './finding.ts'
import { whyNoFile } from './writable.ts'

/** The log file, when there is to be one. */
export function checkLogFile(path: string | undefined): readonly Finding[] {
  if (path === undefined) return []
  const fix = 'correct log.file (LOG_FILE), or leave it out: the log also goes to stdout'
  // gatehouse makes one folder for it, and no more: a longer path that is missing is a mistake
  const parent = dirname(dirname(path))
  if (!existsSync(parent)) return [problem(`${path} cannot be written: there is no folder ${parent}`, fix)]
  const reason = whyNoFile(path)
  return [reason === undefined ? ok(path) : problem(`${path} cannot be written: ${reason}`, fix)]
}
