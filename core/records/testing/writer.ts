/**
 * Changes records until it is killed: `writer.ts FILE SEED`. Says each change on stdout once it is committed, one line of
 * JSON each, and begins with what it found.
 */
import { writeSync } from 'node:fs'
import { seededRandom } from '../../testing/random.ts'
import { admin, allKeys, keySettings, storedSecret } from '../contract/under-test.ts'
import { openRecords } from '../sqlite.ts'
import { usageRow } from './usage-row.ts'

/** One change that is committed. */
export type Said =
  | { readonly did: 'put'; readonly id: number; readonly version: number; readonly name: string }
  | { readonly did: 'delete'; readonly id: number }
  | { readonly did: 'usage'; readonly requests: number }

const [path, seed] = process.argv.slice(2) as [string, string]
const random = seededRandom(Number(seed))
const records = await openRecords({ path })
const versions = new Map((await allKeys(records)).map(({ id, version }) => [id, version]))
let secrets = Number(seed) * 1_000_000

// not console.log, which may keep lines back
const say = (said: Said) => writeSync(1, `${JSON.stringify(said)}\n`)
const pick = () => [...versions.keys()][Math.floor(random() * versions.size)] as number

const put = ({ id, version, name }: { readonly id: number; readonly version: number; readonly name: string }) => {
  versions.set(id, version)
  say({ did: 'put', id, version, name })
}

for (let step = 0; ; step++) {
  const act = random()
  if (versions.size < 3 || act < 0.2)
    put(await records.keys.create(keySettings({ name: `${seed} ${step}` }), storedSecret(++secrets), admin))
  else if (act < 0.5) {
    const key = await records.keys.update(pick(), { name: `${seed} ${step}` }, admin)
    if (typeof key === 'object') put(key)
  } else if (act < 0.6) {
    const key = await records.keys.rotate(pick(), storedSecret(++secrets), null, admin)
    if (typeof key === 'object') put(key)
  } else if (act < 0.7) {
    const id = pick()
    await records.keys.delete(id, admin)
    versions.delete(id)
    say({ did: 'delete', id })
  } else {
    const requests = 1 + Math.floor(random() * 50)
    await records.usage.add(Array.from({ length: requests }, (_, at) => usageRow({ user: `u${at % 7}`, promptTokens: 3 })))
    say({ did: 'usage', requests })
  }
}
