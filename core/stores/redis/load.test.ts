import { describe, expect, test } from 'bun:test'
import { redisMissing, startRedis } from '../../testing/redis.ts'
import { describeLoad, mixedLoad } from './testing/load.ts'
import { openStore } from './testing/open-store.ts'

const ways = 64

describe.skipIf(redisMissing)('under load, a Redis that hangs, dies and comes back', () => {
  test.each(['local', 'deny'] as const)('costs nobody 500 ms and is used again (on_error: %s)', async onError => {
    await using server = await startRedis()
    await using opened = await openStore(server.url, { onError })
    const over = Promise.withResolvers<void>()
    const load = mixedLoad(opened.store, ways, over.promise)
    await Bun.sleep(400)
    server.freeze()
    await Bun.sleep(1500)
    server.thaw()
    const afterThaw = await opened.until('up')
    await Bun.sleep(300)
    await server.kill()
    await opened.until('down')
    await Bun.sleep(700)
    await server.restart()
    const afterRestart = await opened.until('up')
    await Bun.sleep(300)
    over.resolve()
    const report = await load
    console.log(`on_error ${onError}: ${describeLoad(report)}; up ${afterThaw.toFixed(0)} and ${afterRestart.toFixed(0)} ms after it was`)

    expect(report.errors).toEqual([])
    expect(report.max).toBeLessThan(500)
    expect(report.slow).toBeLessThanOrEqual(ways) // those in flight when it began to hang
    expect(report.denied > 0).toBe(onError === 'deny')
    expect(report.hits).toBeGreaterThan(100)
    expect(report.misses).toBeGreaterThan(100)
    expect(Math.max(afterThaw, afterRestart)).toBeLessThan(2000)
    await opened.store.set('after', new Uint8Array([1]))
    expect(await opened.store.get('after')).not.toBeNull()
  })
})
