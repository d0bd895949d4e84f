/**
 * Changes shared keys until it is killed: `shared-writer.ts URL FOLDER SEED`. Says each change on stdout once it is made: id,
 * version and whether the key is still there.
 */
import { writeSync } from 'node:fs'
import { GatewayError } from '../../../errors.ts'
import { seededRandom } from '../../../testing/random.ts'
import { admin, allKeys, keySettings, storedSecret } from '../../contract/under-test.ts'
import { openShared } from './open-shared.ts'

const [url, folder, seed] = process.argv.slice(2) as [string, string, string]
const { records } = await openShared(url, { folder })
const random = seededRandom(Number(seed))

for (let step = 0; ; step++) {
  const keys = await allKeys(records)
  const key = keys[Math.floor(random() * keys.length)]
  const kind = random()
  try {
    const secret = storedSecret(Number(seed) * 1_000_000 + step)
    const result =
      !key || kind < 0.2
        ? await records.keys.create(keySettings({ name: `${seed} ${step}` }), secret, admin)
        : kind < 0.9
          ? await records.keys.update(key.id, { quota: step }, admin)
          : await records.keys.delete(key.id, admin)
    if (typeof result === 'object') writeSync(1, `${JSON.stringify([result.id, result.version, !key || kind < 0.9])}\n`)
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    await Bun.sleep(10)
  }
}
