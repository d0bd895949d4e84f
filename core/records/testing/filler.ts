/**
 * Makes keys until the file system takes no more: `filler.ts FILE`. Says how many were made, what stopped it, and how many
 * there are then.
 */
import { sqliteCode } from '../../sqlite.ts'
import { admin, keySettings, storedSecret } from '../contract/under-test.ts'
import { openRecords } from '../sqlite.ts'

const records = await openRecords({ path: process.argv[2] as string })
let made = 0
let code: string | undefined
while (code === undefined) {
  try {
    records.keys.create(keySettings({ name: 'x'.repeat(5000) }), storedSecret(made + 1), admin)
    made++
  } catch (error) {
    code = sqliteCode(error) ?? String(error)
  }
}
console.log(JSON.stringify({ made, code, total: (await records.keys.list({ limit: 1 })).total }))
