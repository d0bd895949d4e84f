/** The admin key and the command line's own token, in a real process and its data folder. */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LocalDoor, readLocalDoor } from '../data-folder/local-door.ts'
import { makeCertificate } from '../testing/certificate.ts'
import { type GatehouseProcess, gatehouseCommand, runGatehouse, startGatehouse } from '../testing/gatehouse-process.ts'

setDefaultTimeout(30_000) // each starts processes, perhaps on a busy machine

const echo = 'backends: { up: { type: echo } }\n'
const files = { 'gatehouse.yaml': echo }

/** A data folder that outlives the processes. */
let data: string
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'gatehouse-admin-'))
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

const start = (env: Record<string, string> = {}, more: Record<string, string> = {}) =>
  startGatehouse({ files: { ...files, ...more }, env: { DATA_DIR: data, ...env } })
const run = (args: string[], env: Record<string, string> = {}) => runGatehouse({ args, files, env: { DATA_DIR: data, ...env } })
const inData = (name: string) => join(data, name)
const keyFiles = () =>
  readdirSync(data)
    .filter(name => name.includes('key'))
    .sort()
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
const door = () => readLocalDoor(inData('run')) as LocalDoor

/** What a route of the administrator answers to a key. */
const admin = async (url: string, key: string, headers: Record<string, string> = {}) =>
  (await fetch(`${url}/admin/logs/reopen`, { method: 'POST', headers: { 'x-api-key': key, ...headers } })).status
const models = async (url: string) => (await fetch(`${url}/v1/models`)).status
/** The generated key, from its file. */
const initialKey = async (house: GatehouseProcess) => {
  await house.until(({ stdout }) => stdout.includes('initial-admin-key'), 'the path of the admin key')
  return readFileSync(inData('initial-admin-key'), 'utf8').trim()
}
const audit = async (url: string, key: string) => {
  const response = await fetch(`${url}/admin/audit`, { headers: { 'x-api-key': key } })
  return ((await response.json()) as { readonly data: readonly unknown[] }).data
}
const gone = async (name: string) => {
  for (let i = 0; i < 200 && existsSync(inData(name)); i++) await Bun.sleep(10)
  return !existsSync(inData(name))
}
const stop = (house: GatehouseProcess) => {
  house.signal('SIGTERM')
  return house.exited
}

describe('the first start', () => {
  test('makes an admin key, which closes nothing; its file goes with its first use, and the next start has the same', async () => {
    await using house = await start()
    const key = await initialKey(house)
    expect(key).toMatch(/^sk-admin-/)
    expect(house.output.stdout + house.output.stderr).not.toContain(key)
    expect(house.output.stdout).toContain(inData('initial-admin-key'))
    expect(['admin-key.sha256', 'initial-admin-key'].map(name => modeOf(inData(name)))).toEqual(['600', '600'])
    expect(readFileSync(inData('admin-key.sha256'), 'utf8')).not.toContain(key)

    expect(await models(house.url)).toBe(200)
    expect(await admin(house.url, 'sk-admin-not-it')).toBe(401)
    expect(existsSync(inData('initial-admin-key'))).toBe(true)
    expect(await admin(house.url, key)).toBe(200)
    expect(await gone('initial-admin-key')).toBe(true)
    expect(keyFiles()).toEqual(['admin-key.sha256'])

    expect(await stop(house)).toBe(0)
    await using next = await start()
    expect(await admin(next.url, key)).toBe(200)
    expect(await models(next.url)).toBe(200)
    expect(next.output.stdout).not.toContain('key was made')
    expect(keyFiles()).toEqual(['admin-key.sha256'])
  })

  test('makes both keys where it must not be open', async () => {
    await using house = await start({ AUTH: 'required' })
    const key = await initialKey(house)
    expect(keyFiles()).toEqual(['admin-key.sha256', 'api-key.sha256', 'initial-admin-key', 'initial-api-key'])
    const other = readFileSync(inData('initial-api-key'), 'utf8').trim()
    expect(await models(house.url)).toBe(401)
    expect(await admin(house.url, other)).toBe(403)
    expect(await admin(house.url, key)).toBe(200)
    expect(await gone('initial-api-key')).toBe(true)
    expect(await gone('initial-admin-key')).toBe(true)
  })

  test.skipIf(!Bun.which('script'))('shows the key in the terminal it was started from, and leaves no file', async () => {
    writeFileSync(inData('gatehouse.yaml'), echo)
    const terminal = Bun.spawn(['script', '-qec', [...gatehouseCommand, 'serve', '--port', '0'].join(' '), '/dev/null'], {
      cwd: data,
      env: { PATH: process.env.PATH ?? '', HOME: data, DATA_DIR: data, OLLAMA_AUTOSTART: 'false' },
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'ignore',
    })
    let shown = ''
    const decoder = new TextDecoder()
    for await (const bytes of terminal.stdout) {
      shown += decoder.decode(bytes, { stream: true })
      if (shown.includes('entry ')) break
    }
    const [, key = ''] = /The admin key \(shown this once\): (sk-admin-\S+)/.exec(shown) ?? []
    expect(shown.split(key)).toHaveLength(2)
    expect(keyFiles()).toEqual(['admin-key.sha256'])
    expect(await admin(`http://127.0.0.1:${door().port}`, key)).toBe(200)
    terminal.kill('SIGKILL')
    await terminal.exited
  })

  test('with a port that is taken leaves no key behind', async () => {
    await using other = await startGatehouse({ files })
    const { code } = await run(['serve', '--port', new URL(other.url).port])
    expect(code).toBe(1)
    expect(keyFiles()).toEqual([])
  })
})

describe('the first managed key', () => {
  test('closes it, and every line about that is true, then and at the next start', async () => {
    const house = await start()
    await house.until(({ stderr }) => stderr.includes('entry '), 'the banner')
    expect(house.output.stderr).toContain('open: anybody')
    expect(house.output.stdout).toContain('API key authentication disabled')
    expect(house.output.stdout).not.toContain('API key authentication enabled')
    expect((await run(['key', 'create', '-n', 'first', '--quiet'])).code).toBe(0)
    expect(await models(house.url)).toBe(401)
    await house.until(({ stdout }) => stdout.includes('API key authentication enabled'), 'the line that it is closed')
    await stop(house)
    await house[Symbol.asyncDispose]()

    await using next = await start()
    await next.until(({ stderr }) => stderr.includes('entry '), 'the banner')
    expect(next.output.stderr).toContain('entry        closed: a key is needed')
    expect(next.output.stdout).toContain('API key authentication enabled')
    expect(next.output.stdout).not.toContain('authentication disabled')
    expect(await models(next.url)).toBe(401)
  })
})

describe('ADMIN_API_KEY', () => {
  test('takes the place of the key that was made, of the one before it, and counts on when it is gone', async () => {
    const first = await start()
    const made = await initialKey(first)
    await stop(first)
    await first[Symbol.asyncDispose]()

    const second = await start({ ADMIN_API_KEY: 'sk-admin-0000' })
    expect(await admin(second.url, made)).toBe(401)
    expect(await admin(second.url, 'sk-admin-0000')).toBe(200)
    expect(keyFiles()).toEqual(['admin-key.sha256'])
    await stop(second)
    await second[Symbol.asyncDispose]()

    const third = await start({ MG_ADMIN_API_KEY: 'sk-admin-1111' })
    expect(await admin(third.url, 'sk-admin-0000')).toBe(401)
    expect(await admin(third.url, 'sk-admin-1111')).toBe(200)
    await stop(third)
    await third[Symbol.asyncDispose]()

    await using fourth = await start()
    expect(await admin(fourth.url, 'sk-admin-1111')).toBe(200)
    expect(await admin(fourth.url, made)).toBe(401)
    expect(fourth.output.stdout).not.toContain('key was made')
  })

  test('in gatehouse.yaml counts as soon as it is written there', async () => {
    await using house = await start()
    const made = await initialKey(house)
    writeFileSync(join(house.folder, 'new.yaml'), `${echo}admin: { api_key: sk-admin-0000 }\n`)
    renameSync(join(house.folder, 'new.yaml'), join(house.folder, 'gatehouse.yaml'))
    await house.until(({ stdout }) => stdout.includes('"Configuration reloaded"'), 'the reload')
    expect(await admin(house.url, 'sk-admin-0000')).toBe(200)
    expect(await admin(house.url, made)).toBe(401)
    expect(await gone('initial-admin-key')).toBe(true)
    expect(await admin(house.url, door().token)).toBe(200)
  })
})

describe('gatehouse admin reset', () => {
  test('while gatehouse serves: the new key counts at once, the old one no more, and nothing is restarted', async () => {
    await using house = await start()
    const old = await initialKey(house)
    const stream = await fetch(`${house.url}/v1/models`)
    const { code, stdout, stderr } = await run(['admin', 'reset'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^sk-admin-\S{32}\n$/)
    expect(await admin(house.url, old)).toBe(401)
    expect(await admin(house.url, stdout.trim())).toBe(200)
    expect(await stream.json()).toHaveProperty('data')
    expect(keyFiles()).toEqual(['admin-key.sha256'])
    expect(house.output.stdout + house.output.stderr).not.toContain(stdout.trim())
    await house.until(({ stdout }) => stdout.includes('the admin key was reset'), 'the line about it')
    expect(await audit(house.url, stdout.trim())).toMatchObject([
      { who: 'command-line', what: 'admin-key.change', before: null, after: null },
    ])
    expect(house.output.stdout).toContain('"path":"/admin/key/reset","status":200')
    expect(house.output.stdout).toContain('"key_id":"command-line"')

    await stop(house)
    await using next = await start()
    expect(await admin(next.url, stdout.trim())).toBe(200)
  })

  test('while nobody serves: the next start goes by it, and shows no other', async () => {
    const { code, stdout } = await run(['admin', 'reset', '--json'])
    const { key } = JSON.parse(stdout) as { key: string }
    expect(code).toBe(0)
    expect(keyFiles()).toEqual(['admin-key.sha256'])
    await using house = await start()
    expect(await admin(house.url, key)).toBe(200)
    expect(house.output.stdout).not.toContain('key was made')
  })

  test('after a kill -9, which leaves word of a gatehouse that is gone', async () => {
    const house = await start()
    const old = await initialKey(house)
    house.signal('SIGKILL')
    await house.exited
    expect(door().port).toBe(Number(new URL(house.url).port))
    const { stdout } = await run(['admin', 'reset'])
    await house[Symbol.asyncDispose]()
    await using next = await start()
    expect(await admin(next.url, stdout.trim())).toBe(200)
    expect(await admin(next.url, old)).toBe(401)
    expect(await audit(next.url, stdout.trim())).toMatchObject([{ who: 'command-line', what: 'admin-key.change' }])
    expect(keyFiles()).toEqual(['admin-key.sha256'])
  })

  test('whose row in the audit cannot be written counts all the same, and says so', async () => {
    writeFileSync(inData('gatehouse.db'), 'not a database of gatehouse, nor of anybody else')
    const { code, stdout, stderr } = await run(['admin', 'reset'])
    expect(code).toBe(0)
    expect(stdout).toStartWith('sk-admin-')
    expect(stderr).toMatch(/^gatehouse: warning: the audit has no row of this: .*gatehouse\.db.*\n$/)
    expect(readFileSync(inData('gatehouse.db'), 'utf8')).toStartWith('not a database')
    rmSync(inData('gatehouse.db'))
    await using house = await start()
    expect(await admin(house.url, stdout.trim())).toBe(200)
  })

  test('in the middle of a bad edit of the config', async () => {
    await using house = await start()
    writeFileSync(join(house.folder, 'gatehouse.yaml'), 'modles: []\n')
    await house.until(({ stdout }) => stdout.includes('the one before stays'), 'the complaint')
    const { stdout } = await run(['admin', 'reset'])
    expect(await admin(house.url, stdout.trim())).toBe(200)
    expect(await models(house.url)).toBe(200)
  })

  test('many at once: the last one counts, here and at the next start', async () => {
    await using house = await start()
    const reset = async () => {
      const response = await fetch(`${house.url}/admin/key/reset`, { method: 'POST', headers: { 'x-api-key': door().token } })
      expect(response.headers.get('cache-control')).toBe('no-store')
      return ((await response.json()) as { key: string }).key
    }
    const keys = await Promise.all(Array.from({ length: 10 }, reset))
    const statuses = await Promise.all(keys.map(key => admin(house.url, key)))
    expect(statuses.filter(status => status === 200)).toHaveLength(1)
    await stop(house)
    await using next = await start()
    expect(await admin(next.url, keys[statuses.indexOf(200)] as string)).toBe(200)
  })

  test.each([
    ['environment ADMIN_API_KEY', { ADMIN_API_KEY: 'sk-admin-0000' }, {}],
    ['environment MG_ADMIN_API_KEY', { MG_ADMIN_API_KEY: 'sk-admin-0000' }, {}],
    // in the sources the runtime reads .env, in the binary gatehouse does
    [' ADMIN_API_KEY', {}, { '.env': 'ADMIN_API_KEY=sk-admin-0000\n' }],
    ['gatehouse.yaml', {}, { 'gatehouse.yaml': `${echo}admin: { api_key: sk-admin-0000 }\n` }],
  ])('refuses where the key is set: %s', async (place, env, more) => {
    const { code, stdout, stderr } = await runGatehouse({
      args: ['admin', 'reset'],
      files: { ...files, ...more },
      env: { DATA_DIR: data, ...env } as Record<string, string>,
    })
    expect(stderr).toMatch(/^gatehouse: the admin key is set by .*; change it there\n$/)
    expect(stderr).toContain(place)
    expect(stdout + stderr).not.toContain('sk-admin-0000')
    expect(code).toBe(1)
    expect(readdirSync(data)).toEqual([])
  })

  test('refuses where the gatehouse that serves has it set, and tells of no path', async () => {
    for (const [env, more, place] of [
      [{ ADMIN_API_KEY: 'sk-admin-0000' }, {}, 'environment ADMIN_API_KEY'],
      [{}, { 'gatehouse.yaml': `${echo}admin: { api_key: sk-admin-0000 }\n` }, 'the config file'],
    ] as const) {
      await using house = await start(env as Record<string, string>, more)
      const { code, stdout, stderr } = await run(['admin', 'reset'])
      expect(stderr).toContain(`The admin key is set by ${place} of that gatehouse. Change it there.`)
      expect(stdout + stderr).not.toContain(house.folder)
      expect(code).toBe(1)
      expect(await admin(house.url, 'sk-admin-0000')).toBe(200)
    }
  })

  test('says so when the new key cannot be kept, and the old one stays', async () => {
    await using house = await start()
    const old = await initialKey(house)
    const hash = inData('admin-key.sha256.new')
    await Bun.write(join(hash, 'in-the-way'), '')
    const { code, stdout, stderr } = await run(['admin', 'reset'])
    expect(stderr).toMatch(/^gatehouse: http:\S+: The admin key could not be reset; the log says why\.\n$/)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    await house.until(({ stdout }) => /could not be reset; the one before stays/.test(stdout), 'the line about it')
    expect(house.output.stdout).toContain('admin-key.sha256 cannot be written')
    rmSync(hash, { recursive: true })
    expect(await admin(house.url, old)).toBe(200)
  })

  test('over TLS with a certificate that nobody knows, and another host’s name in it', async () => {
    const { cert, key } = makeCertificate('gate.example')
    const yaml = `${echo}tls: { enabled: true, cert_file: cert.pem, key_file: key.pem }\n`
    await using house = await start({}, { 'gatehouse.yaml': yaml, 'cert.pem': cert, 'key.pem': key })
    expect(door().tls).toBe(true)
    const { code, stdout, stderr } = await run(['admin', 'reset'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const url = house.url.replace('http:', 'https:')
    const response = await fetch(`${url}/admin/logs/reopen`, {
      method: 'POST',
      headers: { 'x-api-key': stdout.trim() },
      tls: { ca: cert, rejectUnauthorized: false },
    })
    expect(response.status).toBe(200)
    // only the address of the note is trusted blindly
    const { code: refused, stderr: why } = await run(['admin', 'reset', '-s', url, '-k', stdout.trim()])
    expect(why).toContain('its certificate is not trusted here')
    expect(refused).toBe(1)
  })

  test('from elsewhere, with the admin key', async () => {
    await using house = await start({ ADMIN_API_KEY: '' })
    const old = await initialKey(house)
    const elsewhere = mkdtempSync(join(tmpdir(), 'gatehouse-elsewhere-'))
    const from = (args: string[], env = {}) => runGatehouse({ args, env: { DATA_DIR: elsewhere, ...env } })
    const first = await from(['-s', house.url, '-k', old, 'admin', 'reset'])
    expect(first).toMatchObject({ code: 0, stderr: '' })
    const second = await from(['admin', 'reset'], { MODELGATE_SERVER: `${house.url}/`, MODELGATE_API_KEY: first.stdout.trim() })
    expect(second).toMatchObject({ code: 0, stderr: '' })
    expect(await admin(house.url, second.stdout.trim())).toBe(200)
    const third = await from(['admin', 'reset', '-s', house.url, '-k', old])
    expect(third.stderr).toContain('this one is not known there')
    expect(third.stderr + third.stdout).not.toContain(old)
    expect(third.code).toBe(1)
    expect(readdirSync(elsewhere)).toEqual([])
    rmSync(elsewhere, { recursive: true })
  })
})

describe('the token of the command line', () => {
  const outside = Object.values(networkInterfaces())
    .flat()
    .find(address => address?.family === 'IPv4' && !address.internal)?.address

  test('opens the routes of the administrator on both loopback addresses, and is in no log', async () => {
    await using house = await start({ API_KEY: 'fake-key', DEBUG: 'true' })
    const { token, port } = door()
    expect(await admin(house.url, token)).toBe(200)
    expect(await admin(`http://[::1]:${port}`, token)).toBe(200)
    expect(await admin(house.url, token.slice(0, -1))).toBe(401)
    expect(modeOf(join(inData('run'), 'command-line.json'))).toBe('600')
    expect(house.output.stdout + house.output.stderr).not.toContain(token)
    expect(await stop(house)).toBe(0)
    expect(readdirSync(inData('run')).sort()).toEqual(['serve.lock', 'starts.json'])
  })

  test('leaves the file with the admin key alone', async () => {
    await using house = await start()
    const key = await initialKey(house)
    expect(await admin(house.url, door().token)).toBe(200)
    expect(await stop(house)).toBe(0) // then all it began is done
    expect(readFileSync(inData('initial-admin-key'), 'utf8').trim()).toBe(key)
  })

  test.each(['X-Forwarded-For', 'Forwarded', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Real-IP', 'Via'])(
    'counts nothing behind a proxy: %s',
    async name => {
      await using house = await start({ TRUSTED_PROXIES: '127.0.0.1' })
      const { token } = door()
      expect(await admin(house.url, token, { [name]: '127.0.0.1' })).toBe(401)
      expect(await admin(house.url, token)).toBe(200)
    },
  )

  test.skipIf(outside === undefined)('counts nothing from an address that is not loopback', async () => {
    await using house = await start({ HOST: '0.0.0.0' })
    const key = await initialKey(house)
    const { token, port } = door()
    expect(await admin(`http://${outside}:${port}`, token)).toBe(401)
    expect(await admin(`http://127.0.0.1:${port}`, token)).toBe(200)
    expect(await admin(`http://${outside}:${port}`, key)).toBe(200)
    expect((await run(['admin', 'reset'])).code).toBe(0)
  })

  test.skipIf(outside === undefined)('is of no use where nothing listens on loopback, and the command line says what is', async () => {
    await using house = await start({ HOST: outside as string })
    const key = await initialKey(house)
    const { code, stderr } = await run(['admin', 'reset'])
    expect(stderr).toContain('it listens on no loopback address, so give its admin key with --api-key')
    expect(code).toBe(1)
    expect((await run(['admin', 'reset', '-k', key])).code).toBe(0)
  })

  test('is another one at each start', async () => {
    const first = await start()
    const { token } = door()
    first.signal('SIGKILL')
    await first.exited
    await first[Symbol.asyncDispose]()
    await using second = await start()
    expect(door().token).not.toBe(token)
    expect(await admin(second.url, token)).toBe(401)
  })

  test('goes to no HTTP_PROXY', async () => {
    const seen: string[] = []
    using proxy = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: ({ url }) => {
        seen.push(url)
        return new Response('no', { status: 502 })
      },
    })
    await using _ = await start()
    const address = `http://127.0.0.1:${proxy.port}`
    const { code, stderr } = await run(['admin', 'reset'], { HTTP_PROXY: address, http_proxy: address, HTTPS_PROXY: address })
    expect({ code, stderr, seen }).toEqual({ code: 0, stderr: '', seen: [] })
  })
})
