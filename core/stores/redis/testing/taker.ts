/** A process that takes: prints `ready`, waits for a line of JSON, takes that often at once and prints what it got. */
import { createInterface } from 'node:readline'
import { openStore } from './open-store.ts'

interface Order {
  readonly key: string
  readonly perMinute: number
  readonly burst: number
  readonly cost: number
  readonly times: number
}

const { store } = await openStore(process.argv[2] as string, { onError: 'deny' })
console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  const { key, perMinute, burst, cost, times } = JSON.parse(line) as Order
  const taken = await Promise.all(Array.from({ length: times }, async () => store.take(key, { perMinute, burst }, cost)))
  console.log(String(taken.filter(({ allowed }) => allowed).length))
}
await store.close()
process.exit(0)
