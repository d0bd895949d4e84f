import { describe, expect, test } from 'bun:test'
import type { Detached } from 'gatehouse'
import { seededRandom } from '../../../core/testing/random.ts'
import { createMemory } from '../memory/memory.ts'
import type { Recording } from '../memory/recording.ts'
import { createFlight, longestLag } from './flight.ts'
import { createUpstream, type Upstream } from './testing/upstream.ts'

const key = '00'.repeat(32)
const head = { form: 'events', contentType: 'text/event-stream', model: 'm', tokens: 1, tookMs: 1 } as const
const roomy = { maxEntries: 100, maxBytes: 64 * 1024 * 1024, ttlMs: 1e9 }

function open(upstream: Upstream, memory = createMemory(roomy)) {
  const log = { settled: [] as string[], aborts: 0, whole: 0, closed: 0, shown: [] as Uint8Array[] }
  const run: Detached = {
    ctx: {} as Detached['ctx'],
    abort: () => void log.aborts++,
    chunk: bytes => void log.shown.push(bytes),
    settle: outcome => void log.settled.push(outcome),
  }
  let recording: Recording | undefined
  const flight = createFlight({
    run,
    start: upstream.answer,
    record: () => {
      recording = memory.record()
      return recording
    },
    onWhole: (_, kept) => {
      log.whole++
      if (kept) kept.keep(key, head)
    },
    onClosed: () => void log.closed++,
  })
  return { flight, log, memory }
}

/** Lets everything that can happen now happen. */
const settle = async () => {
  for (let i = 0; i < 4; i++) await new Promise<void>(resolve => setImmediate(resolve))
}

const text = (parts: readonly Uint8Array[]) => Buffer.concat(parts).toString('latin1')

async function readAll(reader: { read(): unknown }) {
  const parts: Uint8Array[] = []
  for (;;) {
    const bytes = (await reader.read()) as Uint8Array | undefined
    if (!bytes) return text(parts)
    parts.push(bytes)
  }
}

describe('a stream that is shared', () => {
  test('everyone gets it from its first byte, whenever they join, and it is asked for once', async () => {
    const upstream = createUpstream()
    const { flight, log } = open(upstream)
    const early = flight.join()
    upstream.begin()
    upstream.send('one ')
    upstream.send('two ')
    expect(text([(await early.read()) as Uint8Array])).toBe('one ')
    const late = flight.join()
    expect(text([(await late.read()) as Uint8Array])).toBe('one ')
    const rest = [readAll(early), readAll(late)]
    upstream.send('three')
    upstream.end()
    expect(await Promise.all(rest)).toEqual(['two three', 'two three'])
    early.leave()
    late.leave()
    expect(upstream.asked).toBe(1)
    expect(log).toMatchObject({ settled: ['complete'], whole: 1, closed: 1, aborts: 0 })
    expect(text(log.shown)).toBe('one two three')
  })

  test('one who does not read holds nobody back, and is not held back', async () => {
    const upstream = createUpstream()
    const { flight } = open(upstream)
    const [idle, busy] = [flight.join(), flight.join()]
    upstream.begin()
    for (let i = 0; i < 1000; i++) upstream.send(`${i} `)
    upstream.end()
    const all = await readAll(busy)
    busy.leave()
    expect(await readAll(idle)).toBe(all)
    idle.leave()
    expect(flight.open).toBe(false)
  })

  test('nothing is read before somebody wants it', async () => {
    const upstream = createUpstream()
    const { flight } = open(upstream)
    const reader = flight.join()
    upstream.begin()
    upstream.send('one')
    upstream.send('two')
    await settle()
    expect(upstream.taken).toBe(0)
    await reader.read()
    await settle()
    expect(upstream.taken).toBe(1)
    reader.leave()
    await settle()
    expect(upstream.cancelled).toBe(1)
  })

  test('when it breaks, all get what came before and the same error', async () => {
    const upstream = createUpstream()
    const { flight, log } = open(upstream)
    const [one, other] = [flight.join(), flight.join()]
    upstream.begin()
    upstream.send('half')
    await one.read()
    const failure = new Error('gone')
    upstream.break(failure)
    await expect(Promise.resolve(one.read())).rejects.toBe(failure)
    expect(text([(await other.read()) as Uint8Array])).toBe('half')
    await expect(Promise.resolve(other.read())).rejects.toBe(failure)
    one.leave()
    other.leave()
    expect(log).toMatchObject({ settled: ['failed'], whole: 0, closed: 1 })
  })

  test('when it does not even begin, all get the same error', async () => {
    const upstream = createUpstream()
    const { flight, log } = open(upstream)
    const readers = [flight.join(), flight.join()]
    const failure = new Error('refused')
    upstream.refuse(failure)
    for (const reader of readers) await expect(reader.opened).rejects.toBe(failure)
    for (const reader of readers) reader.leave()
    expect(log).toMatchObject({ settled: ['failed'], whole: 0, closed: 1 })
  })

  test('it is stopped when the last one leaves, and not before', async () => {
    const upstream = createUpstream()
    const { flight, log, memory } = open(upstream)
    const [one, other] = [flight.join(), flight.join()]
    upstream.begin()
    upstream.send('x')
    await one.read()
    one.leave()
    one.leave()
    await settle()
    expect([upstream.cancelled, log.aborts, flight.open]).toEqual([0, 0, true])
    other.leave()
    await settle()
    expect([upstream.cancelled, flight.open]).toEqual([1, false])
    expect(log).toMatchObject({ settled: ['aborted'], aborts: 1, whole: 0, closed: 1 })
    expect(memory.bytes).toBe(0)
  })

  test('it is also stopped before it has begun', async () => {
    const upstream = createUpstream()
    const { flight, log } = open(upstream)
    flight.join().leave()
    expect(log).toMatchObject({ settled: ['aborted'], aborts: 1, closed: 1 })
    upstream.begin()
    await settle()
    expect(upstream.cancelled).toBe(1)
  })
})

describe('a stream too long to be kept', () => {
  const small = () => createMemory({ maxEntries: 10, maxBytes: 1024 * 1024, ttlMs: 1e9 })
  const chunk = 'x'.repeat(64 * 1024)

  test('passes whole to one reader and leaves nothing behind', async () => {
    const upstream = createUpstream()
    const { flight, memory } = open(upstream, small())
    const reader = flight.join()
    upstream.begin()
    let bytes = 0
    let most = 0
    for (let i = 0; i < 64; i++) {
      upstream.send(chunk)
      bytes += ((await reader.read()) as Uint8Array).length
      most = Math.max(most, memory.bytes)
    }
    upstream.end()
    expect(await reader.read()).toBeUndefined()
    reader.leave()
    expect(bytes).toBe(64 * chunk.length)
    expect(most).toBeLessThan(600 * 1024)
    expect([memory.bytes, memory.entries, flight.open]).toEqual([0, 0, false])
  })

  test('leaves behind who is much slower than the others', async () => {
    const upstream = createUpstream()
    const { flight, memory } = open(upstream, small())
    const [fast, slow] = [flight.join(), flight.join()]
    upstream.begin()
    const rounds = (2 * longestLag) / chunk.length
    for (let i = 0; i < rounds; i++) {
      upstream.send(chunk)
      expect(((await fast.read()) as Uint8Array).length).toBe(chunk.length)
    }
    await expect(Promise.resolve(slow.read())).rejects.toMatchObject({ code: 'reader_too_slow' })
    slow.leave()
    upstream.end()
    expect(await fast.read()).toBeUndefined()
    fast.leave()
    expect(memory.bytes).toBe(0)
  })
})

/** Joiners, leavers, slow and fast readers, an upstream that ends, breaks or never begins: all in random order. */
async function walk(seed: number): Promise<void> {
  const random = seededRandom(seed)
  const upto = (most: number) => Math.floor(random() * most)
  const upstream = createUpstream()
  const memory = createMemory({ ...roomy, maxBytes: random() < 0.2 ? 4096 : 1024 * 1024 })
  const { flight, log } = open(upstream, memory)
  const readers: { reader: ReturnType<typeof flight.join>; got: Uint8Array[]; end: unknown; left: boolean; reading: boolean }[] = []
  let sent = ''
  let over: 'complete' | 'failed' | undefined
  const failure = new Error('broken')

  const join = () => {
    if (flight.open) readers.push({ reader: flight.join(), got: [], end: undefined, left: false, reading: false })
  }
  const read = (one: (typeof readers)[number]) => {
    if (one.left || one.reading || one.end !== undefined) return
    one.reading = true
    Promise.resolve(one.reader.opened.then(() => one.reader.read())).then(
      bytes => {
        one.reading = false
        if (bytes) one.got.push(bytes)
        else one.end = 'complete'
      },
      error => {
        one.reading = false
        one.end = error
      },
    )
  }
  const leave = (one: (typeof readers)[number]) => {
    one.left = true
    one.reader.leave()
  }
  const any = () => readers[upto(readers.length)] as (typeof readers)[number]
  const finish = (how: 'complete' | 'failed') => {
    if (over) return
    over = how
    if (how === 'complete') {
      upstream.begin()
      upstream.end()
    } else if (upstream.begun) upstream.break(failure)
    else upstream.refuse(failure)
  }

  join()
  const steps = 5 + upto(30)
  for (let i = 0; i < steps; i++) {
    const dice = random()
    if (dice < 0.15) join()
    else if (dice < 0.5) read(any())
    else if (dice < 0.6) leave(any())
    else if (dice < 0.7) upstream.begin()
    else if (dice < 0.95 && !over) {
      const piece = String.fromCharCode(97 + upto(26)).repeat(1 + upto(900))
      upstream.begin()
      if (upstream.send(piece)) sent += piece
    } else if (dice > 0.98) finish(random() < 0.5 ? 'complete' : 'failed')
    if (random() < 0.5) await settle()
    const staying = readers.some(({ left }) => !left)
    if (staying && upstream.cancelled > 0 && over === undefined) throw new Error('stopped while somebody reads')
  }
  // in the end: half of the time all leave, else the rest reads on to the end
  if (random() < 0.5) for (const one of readers) leave(one)
  else finish(random() < 0.7 ? 'complete' : 'failed')
  for (let i = 0; i < 200 && readers.some(({ left, end }) => !left && end === undefined); i++) {
    for (const one of readers) read(one)
    await settle()
  }
  const hanging = readers.filter(({ left, end }) => !left && end === undefined)
  if (hanging.length > 0) throw new Error(`${hanging.length} readers hang`)
  for (const { got, end, left } of readers) {
    const bytes = text(got)
    if (!sent.startsWith(bytes)) throw new Error('a byte was lost, doubled or invented')
    if (left) continue
    if (end === 'complete' && bytes !== sent) throw new Error('an end before the end')
    if (end !== 'complete' && end !== failure) throw end
  }
  for (const one of readers) leave(one)
  upstream.begin() // an answer that comes when everyone has left is cancelled too
  await settle()
  if (!upstream.over) throw new Error('the upstream still runs')
  if (flight.open || log.closed !== 1) throw new Error('still on the list')
  if (log.settled.length !== 1) throw new Error(`settled ${log.settled.length} times`)
  const kept = memory.get(key, Number.POSITIVE_INFINITY)
  if (kept && (log.settled[0] !== 'complete' || text([kept.body]) !== sent)) throw new Error('something else was kept than was sent')
  memory.clear()
  if (memory.bytes !== 0) throw new Error('a recording was not released')
}

test('in any order of joining, reading, leaving and breaking nobody hangs, nothing runs on and no byte is lost', async () => {
  for (let seed = 1; seed <= 10_000; seed++) {
    await walk(seed).catch(error => {
      throw new Error(`seed ${seed}: ${error.message}`, { cause: error })
    })
  }
}, 120_000)
