import { arch, platform } from 'node:os'
import { version } from '../../version.ts'
import { type Finding, ok } from './finding.ts'

/** Which gatehouse this is, and on what. */
export const checkProgram = (): readonly Finding[] => [ok(`gatehouse ${version} on ${platform()} ${arch()}, Bun ${Bun.version}`)]
