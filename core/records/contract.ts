import { describe } from 'bun:test'
import { testKeyWalk } from './contract/key-walk.ts'
import { testKeys } from './contract/keys.ts'
import { testModels } from './contract/models.ts'
import { testAuditAndSettings } from './contract/others.ts'
import type { OpenRecords } from './contract/under-test.ts'
import { testUsage } from './contract/usage.ts'

/** What all records must do. Call it from the implementation's own test file. */
export function testRecords(name: string, open: OpenRecords, { walks = 5, steps = 300 } = {}): void {
  describe(`${name} keep the records contract`, () => {
    testKeys(open)
    testKeyWalk(open, { walks, steps })
    testModels(open)
    testAuditAndSettings(open)
    testUsage(open)
  })
}
