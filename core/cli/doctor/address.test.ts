import { describe, expect, test } from 'bun:test'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { claimDataFolder } from '../../data-folder.ts'
import { openRecords, type SqliteRecords } from '../../records/sqlite.ts'
import { openHouse } from '../../testing/open-house.ts'
import { listenOnFreePort } from '../../testing/server/free-port.ts'
import { checkAddress } from './address.ts'
import { examine, freePort, linesOf } from './testing/examine.ts'

const backends = { demo: { type: 'echo' } }
const signal = new AbortController().signal

describe('the port', () => {
  test('is free', async () => {
    const port = await freePort()
    expect(linesOf(await examine({ yaml: { port, backends } }), 'address')).toEqual([
      `ok: 127.0.0.1 (this machine only) port ${port} is free`,
    ])
    const open = await examine({ yaml: { port, host: '0.0.0.0', backends } })
    expect(linesOf(open, 'address')).toEqual([`ok: 0.0.0.0 (other machines can reach it) port ${port} is free`])
  })

  test('is taken by another program, on either loopback address', async () => {
    for (const host of ['127.0.0.1', '::1']) {
      const server = createServer(socket => socket.destroy())
      const port = await freePort()
      const listens = await new Promise<boolean>(resolve => {
        server.once('error', () => resolve(false))
        server.listen(port, host, () => resolve(true))
      })
      if (host === '::1' && !listens) continue // a machine without IPv6
      const found = await examine({ yaml: { port, backends } })
      expect(linesOf(found, 'address')).toEqual([
        expect.stringMatching(new RegExp(`^problem: port ${port} on ${host} is taken by another program → stop it.*--port$`)),
      ])
      server.close()
    }
  })

  test('is taken by the gatehouse of this data folder, or of another one', async () => {
    await using house = await openHouse({ yaml: { backends } })
    const port = Number(new URL(house.url).port)
    const own = await examine({
      yaml: { port, backends },
      prepare: async folder => {
        const claimed = await claimDataFolder(join(folder, '.gatehouse'))
        claimed.announce({ host: '127.0.0.1', port })
      },
    })
    expect(linesOf(own, 'address')).toEqual([`ok: 127.0.0.1 (this machine only) port ${port}: gatehouse answers (process ${process.pid})`])
    expect(linesOf(own, 'data folder')[0]).toMatch(new RegExp(`gatehouse runs there: process ${process.pid} since .*port ${port}$`))
    expect(linesOf(await examine({ yaml: { port, backends } }), 'address')).toEqual([
      expect.stringContaining(`problem: port ${port} on 127.0.0.1 is taken by a gatehouse with another data folder`),
    ])
  })

  test('belongs to a gatehouse that no longer answers', async () => {
    const server = createServer(socket => socket.destroy())
    const port = await listenOnFreePort(server)
    const running = { pid: 4711, machine: 'box', since: '2026-01-02T03:04:05Z', host: '127.0.0.1', port }
    expect(await checkAddress({ host: '127.0.0.1', port }, running, signal)).toMatchObject([
      { status: 'problem', message: `process 4711 says it listens on port ${port} on 127.0.0.1, but does not answer` },
    ])
    server.close()
  })

  test('is on an address this machine does not have', async () => {
    const found = await examine({ yaml: { host: '192.0.2.1', api_key: 'a-key-that-is-long-enough', backends } })
    expect(linesOf(found, 'address')[0]).toMatch(/^problem: 192\.0\.2\.1 is not an address of this machine → set HOST/)
  })
})

describe('who may enter', () => {
  const entryOf = async (yaml: object, files = {}) => linesOf(await examine({ yaml: { backends, ...yaml }, files }), 'entry')

  test.each([
    [{}, 'ok: no key is needed; only this machine can reach it'],
    [{ auth: 'off' }, 'ok: no key is needed (auth: off); only this machine can reach it'],
    [{ auth: 'required' }, 'ok: a key is needed; the first start makes one'],
    [{ api_key: 'short' }, 'ok: a key is needed (API_KEY)'],
    [{ host: '0.0.0.0' }, 'ok: a key is needed; the first start makes one'],
    [{ host: '0.0.0.0', api_key: 'a-key-that-is-long-enough' }, 'ok: a key is needed (API_KEY)'],
  ])('%j', async (yaml, line) => {
    expect(await entryOf(yaml)).toEqual([line])
  })

  test('warns of an address that is open to all, and of a key that is easily guessed', async () => {
    expect(await entryOf({ host: '0.0.0.0', auth: 'off' })).toEqual([
      expect.stringMatching(/^warning: anybody who reaches 0\.0\.0\.0 may use the models \(auth: off\) → .*API_KEY/),
    ])
    expect(await entryOf({ host: '0.0.0.0', api_key: 'sk-llamagate' })).toEqual([
      expect.stringMatching(/^warning: .*short.* → set API_KEY/),
    ])
  })

  test('knows the key of an earlier start', async () => {
    const files = { '.gatehouse/api-key.sha256': `${'0'.repeat(64)}\n` }
    expect(await entryOf({}, files)).toEqual(['ok: a key is needed (made at an earlier start)'])
  })

  test('knows that the first managed key closes it, before and after a clean end', async () => {
    const after = async (end: (records: SqliteRecords) => void) => {
      let records: SqliteRecords | undefined
      const prepare = async (folder: string) => {
        records = await openRecords({ path: join(folder, '.gatehouse', 'gatehouse.db') })
        end(records)
      }
      const found = await examine({ yaml: { backends }, prepare })
      records?.close()
      return linesOf(found, 'entry')
    }
    const close = ({ settings }: SqliteRecords) => settings.set({ closed: true }, { who: 'admin' })
    expect(await after(() => {})).toEqual(['ok: no key is needed; only this machine can reach it'])
    const needed = ['ok: a key is needed (since the first managed key was made)']
    expect(await after(close)).toEqual(needed)
    expect(
      await after(records => {
        close(records)
        records.close()
      }),
    ).toEqual(needed)
  })

  test('a database of another program says nothing', async () => {
    const files = { '.gatehouse/gatehouse.db': 'not a database, and none that gatehouse has made' }
    expect(await entryOf({}, files)).toEqual(['ok: no key is needed; only this machine can reach it'])
  })
})
