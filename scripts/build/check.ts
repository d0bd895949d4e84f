import { readFileSync } from 'node:fs'
import { machineOf } from './machine.ts'
import { findSignatureFaults } from './macho/verify.ts'
import type { Target } from './targets.ts'

/** What is wrong with a built file, one line each: another machine than its name says, or a signature macOS would refuse. */
export function findFaults(path: string, { machine }: Target): readonly string[] {
  const file = readFileSync(path)
  const found = machineOf(file.subarray(0, 65_536))
  if (found !== machine) return [`it is for ${found}, not for ${machine}`]
  return machine.startsWith('mach-o-') ? findSignatureFaults(file) : []
}
