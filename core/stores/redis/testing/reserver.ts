/**
 * A process with a ledger: `reserver.ts URL FOLDER BEAT LASTS`. Prints `ready`, then for each line of JSON it reads one line of
 * JSON: `reserve` so often at once, or `settle` all it holds with a share of what was reserved.
 */
import { createInterface } from 'node:readline'
import type { Account, Bounds, Reservation } from '../../../records/ledger.ts'
import { openInstance } from './open-instance.ts'

/** What the process is told. */
export type Order =
  | { readonly what: 'reserve'; readonly account: Account; readonly bounds: Bounds; readonly times: number }
  | { readonly what: 'settle'; readonly share: number }

const [url = '', folder = '', beatMs = '1000', lastsMs = '30000'] = process.argv.slice(2)
const { ledger, local } = await openInstance(url, {
  onError: 'deny',
  folder,
  answerWithinMs: 10_000,
  beatMs: Number(beatMs),
  lastsMs: Number(lastsMs),
})
const held: Reservation[] = []

async function obey(order: Order): Promise<unknown> {
  if (order.what === 'settle') {
    const over = held.splice(0)
    await Promise.all(over.map(reservation => ledger.settle(reservation, Math.floor(reservation.tokens * order.share))))
    return { settled: over.length }
  }
  const { account, bounds, times } = order
  const grants = await Promise.all(Array.from({ length: times }, async () => ledger.reserve(account, bounds)))
  const granted = grants.flatMap(grant => (grant.granted ? [grant.reservation] : []))
  held.push(...granted)
  return { granted: granted.length }
}

console.log('ready')
for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await obey(JSON.parse(line) as Order)))
local.close()
process.exit(0)
