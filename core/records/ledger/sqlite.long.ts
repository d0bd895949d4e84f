/** Long proofs of the ledger in SQLite: run by `npm run test:long`. */
import { describe, expect, test } from 'bun:test'
import type { Account } from '../ledger.ts'
import { killSpender } from './testing/kill-spender.ts'
import { ledgerFolder, openAlone } from './testing/open-ledger.ts'
import { walkLedger } from './testing/random-walk.ts'

describe('the ledger in SQLite', () => {
  test('200 random walks agree with a plain model', async () => {
    let crashes = 0
    for (let seed = 1000; seed < 1200; seed++) crashes += (await walkLedger(seed, 1000)).crashes
    console.log(`200,000 steps, ${crashes} crashes`)
    expect(crashes).toBeGreaterThan(1000)
  }, 600_000)

  test('killed 40 times under load: all that was settled is there, and nothing stays reserved', async () => {
    let settled = 0
    let leftOpen = 0
    for (let round = 0; round < 40; round++) {
      const killing = await killSpender(round + 100, 20 + Math.random() * 1000)
      settled += killing.settled
      leftOpen += killing.leftOpen
    }
    console.log(`${settled} settled, ${leftOpen} found open`)
    expect(leftOpen).toBeGreaterThan(40)
  }, 300_000)

  test('what it costs', async () => {
    using folder = ledgerFolder()
    const { ledger, close } = openAlone(`${folder.path}/ledger.db`)
    const accounts = Array.from({ length: 1000 }, (_, at): Account => ({ keyId: at, period: 'day', limit: 1e15 }))
    for (const keys of [1, 1000])
      for (const ways of [1, 50]) {
        let next = 0
        const spend = async () => {
          const grant = await ledger.reserve(accounts[next++ % keys] as Account, { tokens: 100, estimate: 10 })
          if (grant.granted) await ledger.settle(grant.reservation, 50)
        }
        const { perSecond, cpu } = await measure(spend, ways)
        console.log(`reserve, settle, ${keys} keys, ${ways} at a time: ${perSecond.toFixed(0)}/s, ${cpu.toFixed(2)} µs of CPU`)
      }
    const lasting = async () => {
      const grant = await ledger.reserve(accounts[0] as Account, { tokens: 100, estimate: 10 })
      await Bun.sleep(100)
      if (grant.granted) await ledger.settle(grant.reservation, 50)
    }
    const { perSecond } = await measure(lasting, 1000)
    console.log(`requests of 100 ms, 1000 at a time: ${perSecond.toFixed(0)}/s`)
    const account = accounts[0] as Account
    const from = performance.now()
    for (let at = 0; at < 100_000; at++) {
      const grant = await ledger.reserve(account, { tokens: 100, estimate: 10 })
      if (grant.granted) ledger.release(grant.reservation)
    }
    console.log(`reserve, release: ${((performance.now() - from) / 100).toFixed(2)} µs`)
    close()
    expect(perSecond).toBeGreaterThan(1000)
  }, 60_000)
})

async function measure(work: () => Promise<void>, ways: number) {
  let count = 0
  const cpu = process.cpuUsage()
  const from = performance.now()
  const walk = async () => {
    while (performance.now() - from < 2000) {
      await work()
      count++
    }
  }
  await Promise.all(Array.from({ length: ways }, walk))
  const { user, system } = process.cpuUsage(cpu)
  return { perSecond: (count / (performance.now() - from)) * 1000, cpu: (user + system) / count }
}
