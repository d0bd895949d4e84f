/** A process that opens a store, keeps a megabyte in it, and prints what came of it. */
import { openStore } from './open-store.ts'

const { store, lines } = await openStore(process.argv[2] as string)
await store.set('k', new Uint8Array(1e6).fill(7))
const kept = await store.get('k')
console.log(store.state === 'up' ? `up ${kept?.length}` : `down: ${lines[0]?.reason}`)
await store.close()
process.exit(0)
