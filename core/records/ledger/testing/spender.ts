/**
 * A process that spends until it is killed: `spender.ts DATABASE SEED`. Fifty requests at a time, some so slow that their
 * reservations are written. For each it prints `begin KEY TOKENS ESTIMATE` and, once it is settled, `done KEY TOKENS`.
 */
import { writeSync } from 'node:fs'
import { seededRandom } from '../../../testing/random.ts'
import { openAlone } from './open-ledger.ts'

const [path = '', seed = '1'] = process.argv.slice(2)
const { ledger } = openAlone(path, { writeAfterMs: 5 })
const random = seededRandom(Number(seed))
const say = (...words: readonly (string | number)[]) => writeSync(1, `${words.join(' ')}\n`)

async function spend() {
  for (;;) {
    const keyId = 1 + Math.floor(random() * 3)
    const tokens = 1 + Math.floor(random() * 1000)
    const estimate = 1 + Math.floor(random() * 100)
    const grant = await ledger.reserve({ keyId, period: 'total', limit: null }, { tokens, estimate })
    if (!grant.granted) throw new Error('refused')
    say('begin', keyId, tokens, estimate)
    await Bun.sleep(random() < 0.2 ? 20 + random() * 100 : random() * 3)
    await ledger.settle(grant.reservation, tokens)
    say('done', keyId, tokens)
  }
}
await Promise.all(Array.from({ length: 50 }, spend))
