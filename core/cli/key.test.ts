/** `gatehouse key` as people and scripts type it; the gatehouse is a fake that remembers what it is told. */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gatehouseCommand, runGatehouse } from '../testing/gatehouse-process.ts'
import { commandsFor } from './key/testing/commands.ts'
import { answered, type FakeAdmin, fakeAdminKey, keyRow, refused, startFakeAdmin } from './key/testing/fake-admin.ts'

setDefaultTimeout(30_000) // each starts processes, perhaps on a busy machine

let fake: FakeAdmin
beforeEach(() => {
  fake = startFakeAdmin()
})
afterEach(() => fake.stop())

const { run, said, complaint, asked } = commandsFor(() => fake)
const shell = (line: string, env: Record<string, string> = {}) => {
  const gatehouse = gatehouseCommand.map(part => `'${part}'`).join(' ')
  const { MODELGATE_SERVER, MODELGATE_API_KEY } = { MODELGATE_SERVER: fake.url, MODELGATE_API_KEY: fakeAdminKey }
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  return Bun.spawn(['sh', '-c', line.replaceAll('$gatehouse', gatehouse)], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, MODELGATE_SERVER, MODELGATE_API_KEY, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    onExit: () => rmSync(folder, { recursive: true, force: true }),
  })
}

describe('key list', () => {
  test('is a table for people', async () => {
    fake.keys.push(
      keyRow(1, { name: 'laptop', used: 1234, remaining: 998_766, last_used_at: '2026-01-06T08:00:00.000Z' }),
      keyRow(2, { name: 'team', enabled: false, quota: 50_000, quota_period: 'day', remaining: 50_000, rate_limit: null }),
      keyRow(30, { name: 'guest', quota: null, remaining: null, expires_at: '2026-01-01T00:00:00.000Z' }),
    )
    expect((await said('key', 'list')).split('\n')).toEqual([
      'ID  NAME    PREFIX      STATE          QUOTA   USED       LEFT        RPM  EXPIRES            LAST USED',
      ' 1  laptop  sk-fake-1   enabled    1,000,000  1,234    998,766         60  never              2026-01-06T08:00Z',
      ' 2  team    sk-fake-2   disabled  50,000/day      0     50,000  unlimited  never              never',
      '30  guest   sk-fake-30  expired    unlimited      0  unlimited         60  2026-01-01T00:00Z  never',
      '',
    ])
  })

  test('has the pages of all keys in one, in the order they came', async () => {
    for (let id = 1; id <= 2500; id++) fake.keys.push(keyRow(id))
    const lines = (await said('key', 'list')).trimEnd().split('\n')
    expect(lines.slice(1).map(line => line.trim().split(/\s+/)[1])).toEqual(fake.keys.map(({ name }) => String(name)))
    expect(asked().map(({ path }) => path)).toEqual([
      '/admin/keys?limit=1000',
      '/admin/keys?limit=1000&after=1000',
      '/admin/keys?limit=1000&after=2000',
    ])
  })

  test('--json has them all, too, with what there is beside them', async () => {
    for (let id = 1; id <= 7; id++) fake.keys.push(keyRow(id))
    fake.largestPage = 3
    expect(JSON.parse(await said('key', 'list', '--json'))).toEqual({ data: fake.keys, next: null, total: 7 })
  })

  test('--limit and --search ask for no more than that', async () => {
    for (let id = 1; id <= 7; id++) fake.keys.push(keyRow(id, { name: id % 2 ? `odd & ${id}` : 'even' }))
    fake.largestPage = 2
    expect(JSON.parse(await said('key', 'list', '--json', '--limit', '3', '--search', 'odd &'))).toEqual({
      data: [1, 3, 5].map(id => keyRow(id, { name: `odd & ${id}` })),
      next: 5,
      total: 4,
    })
    expect(asked().map(({ path }) => path)).toEqual(['/admin/keys?search=odd+%26&limit=3', '/admin/keys?search=odd+%26&limit=1&after=3'])
  })

  test('without keys says so, and leaves stdout to programs', async () => {
    expect(await run('key', 'list')).toEqual({ code: 0, stdout: '', stderr: 'there are no keys; gatehouse key create makes one\n' })
    expect(JSON.parse(await said('key', 'list', '--json'))).toEqual({ data: [], next: null, total: 0 })
  })

  test('waits where it asks for pages faster than it may', async () => {
    for (let id = 1; id <= 7; id++) fake.keys.push(keyRow(id))
    fake.largestPage = 2
    fake.busy = [false, true, true, false, true]
    expect(JSON.parse(await said('key', 'list', '--json')).data).toHaveLength(7)
    expect(asked()).toHaveLength(4 + 3)
    fake.busy = Array.from({ length: 100 }, (_, at) => at > 0)
    expect(await complaint('key', 'list')).toBe(`${fake.url}: Rate limit exceeded`)
    fake.asked.length = 0
    fake.busy = [true, true]
    expect(await complaint('key', 'list')).toBe(`${fake.url}: Rate limit exceeded`)
    expect(asked()).toHaveLength(1) // perhaps it is the key that is wrong
  })

  test('ends where the pages lead in a circle', async () => {
    fake.answers.set('GET /admin/keys', () => answered({ data: [keyRow(1)], next: 1, total: 9 }))
    expect(await complaint('key', 'list')).toContain('lead in a circle')
    fake.answers.set('GET /admin/keys', () => answered({ keys: [] }))
    expect(await complaint('key', 'list')).toContain('holds no list')
  })

  const width = 60
  test.skipIf(!Bun.which('script'))('fits into the terminal', async () => {
    fake.keys.push(keyRow(1, { name: 'a name that is longer than there is room for it, by far' }), keyRow(2))
    const list = gatehouseCommand.join(' ')
    const terminal = shell(`script -qec 'stty cols ${width}; ${list} key list' /dev/null`)
    const lines = (await new Response(terminal.stdout).text()).split(/\r?\n/).filter(line => line !== '')
    expect(lines).toHaveLength(3)
    expect(Math.max(...lines.map(line => Bun.stringWidth(line)))).toBeLessThanOrEqual(width)
    expect(lines[1]).toContain('…')
    expect(lines.join('')).not.toContain('\u001b')
    expect(lines.join('\n')).toMatch(/^ID +NAME .*\n +1 +a name/)
  })

  test('shows names as they are, and obeys none', async () => {
    fake.keys.push(keyRow(1, { name: '\u001b[2Jcleared \u202e' }))
    expect(await said('key', 'list')).toContain('\\u001b[2Jcleared \\u202e')
  })
})

describe('key create', () => {
  test('takes ModelGate’s flags, short and long', async () => {
    const short = await run('key', 'create', '-n', 'my-key', '-q', '1000000', '-r', '60', '-i', '10.0.0.0/8,192.168.1.5')
    const long = await run(
      ...[
        'key',
        'create',
        '--name=my-key',
        '--quota',
        '1000000',
        '--rate-limit=60',
        '--allowed-ips',
        '10.0.0.0/8',
        '--allowed-ips=192.168.1.5',
      ],
    )
    expect([short.code, long.code]).toEqual([0, 0])
    const body = { name: 'my-key', quota: 1_000_000, rate_limit: 60, allowed_ips: ['10.0.0.0/8', '192.168.1.5'] }
    expect(asked()).toEqual([
      { method: 'POST', path: '/admin/keys', body },
      { method: 'POST', path: '/admin/keys', body },
    ])
  })

  test('takes all the rest', async () => {
    const args = [
      ...['--quota-period', 'month', '--tokens-per-minute', '5000', '--max-concurrency', 'none', '--allowed-models', 'qwen3*,smart'],
      ...['--allowed-endpoints', '/v1/chat/completions', '--allowed-tools', 'mcp.search.*', '--cache-scope', 'off'],
      ...['--expires-at', '2027-01-31', '--enabled', 'false', '-q', 'unlimited', '-r', 'none', '-i', 'all'],
    ]
    expect((await run('key', 'create', '-n', 'x', ...args)).code).toBe(0)
    expect(fake.asked[0]?.body).toEqual({
      name: 'x',
      enabled: false,
      quota: null,
      quota_period: 'month',
      rate_limit: null,
      tokens_per_minute: 5000,
      max_concurrency: null,
      allowed_ips: [],
      allowed_models: ['qwen3*', 'smart'],
      allowed_endpoints: ['/v1/chat/completions'],
      allowed_tools: ['mcp.search.*'],
      cache_scope: 'off',
      expires_at: '2027-01-31T00:00:00.000Z',
    })
  })

  test('prints the secret alone on stdout, and what people want to know on stderr', async () => {
    expect(await run('key', 'create', '-n', 'my-key')).toEqual({
      code: 0,
      stdout: 'sk-fake-1-1\n',
      stderr: 'key 1 (my-key) was made. The secret is shown this once:\n',
    })
    expect(await run('key', 'create', '-n', 'my-key', '--quiet')).toEqual({ code: 0, stdout: 'sk-fake-2-1\n', stderr: '' })
    const json = await said('key', 'create', '-n', 'my-key', '--json')
    expect(JSON.parse(json)).toEqual({ ...keyRow(3, { name: 'my-key' }), key: 'sk-fake-3-1' })
  })

  test.skipIf(process.platform === 'win32')('gives a script its secret', async () => {
    const script = shell('KEY=$($gatehouse key create -n my-key --quiet) && echo "<$KEY>"')
    expect(await new Response(script.stdout).text()).toBe('<sk-fake-1-1>\n')
    expect(await new Response(script.stderr).text()).toBe('')
  })

  test.skipIf(process.platform !== 'linux')('says what to do when the secret cannot be printed', async () => {
    const script = shell('$gatehouse key create -n my-key --quiet > /dev/full')
    expect(await new Response(script.stderr).text()).toBe(
      'gatehouse: key 1 (my-key) was made, but stdout cannot be written: no space is left on the device (ENOSPC); ' +
        'gatehouse key rotate 1 makes another secret\n',
    )
    expect(await script.exited).toBe(1)
  })
})

describe('one key', () => {
  beforeEach(() => {
    fake.keys.push(
      keyRow(1, {
        name: 'laptop',
        quota_period: 'month',
        used: 12,
        allowed_ips: ['10.0.0.0/8', '::1'],
        reset_at: '2026-02-01T00:00:00.000Z',
      }),
      keyRow(2, { name: 'team' }),
      keyRow(3, { name: 'Team' }),
      keyRow(4, { name: 'team' }),
    )
  })

  test('key show says everything that is known of it', async () => {
    const shown = await said('key', 'show', '1')
    expect(shown).toStartWith('id                   1\nname                 laptop\n')
    expect(shown).toContain('\nquota                1,000,000/month\n')
    expect(shown).toContain('\nstarts again         2026-02-01T00:00Z\n')
    expect(shown).toContain(
      '\naddresses            10.0.0.0/8, ::1\nmodels               all\nendpoints            default\ntools                none\n',
    )
    expect(JSON.parse(await said('key', 'show', '1', '--json'))).toEqual(fake.keys[0])
  })

  test('key show takes a name that no other key has', async () => {
    expect(await said('key', 'show', 'laptop')).toContain('laptop')
    expect(await said('key', 'show', 'Team')).toStartWith('id                   3\n')
    expect(await complaint('key', 'show', 'team')).toBe('2 keys have the name "team"; say which one by its id: 2, 4')
    expect(await complaint('key', 'show', 'lap')).toContain('there is no key with the name "lap"')
  })

  test('key update changes what it is told, and shows the key', async () => {
    expect(await said('key', 'update', '-q', '5', '-e', 'false', '1')).toContain('state                disabled\n')
    expect(await said('key', 'update', '1', '--name', 'lap', '--expires-at', 'none')).toContain('name                 lap\n')
    expect(JSON.parse(await said('key', 'update', '--json', '1', '--enabled=true'))).toEqual(fake.keys[0])
    expect(asked()).toEqual([
      { method: 'PUT', path: '/admin/keys/1', body: { enabled: false, quota: 5 } },
      { method: 'PUT', path: '/admin/keys/1', body: { name: 'lap', expires_at: null } },
      { method: 'PUT', path: '/admin/keys/1', body: { enabled: true } },
    ])
  })

  test('key rotate prints the new secret as create does', async () => {
    expect(await run('key', 'rotate', '1', '--grace', '7d')).toEqual({
      code: 0,
      stdout: 'sk-fake-1-2\n',
      stderr: 'key 1 (laptop) has a new secret. The secret is shown this once:\n',
    })
    expect(await said('key', 'rotate', '1', '--quiet')).toBe('sk-fake-1-3\n')
    expect(JSON.parse(await said('key', 'rotate', '--json', '1'))).toHaveProperty('key', 'sk-fake-1-4')
    expect(asked()).toEqual([
      { method: 'POST', path: '/admin/keys/1/rotate', body: { grace: '168h' } },
      { method: 'POST', path: '/admin/keys/1/rotate', body: {} },
      { method: 'POST', path: '/admin/keys/1/rotate', body: {} },
    ])
  })

  test('key delete says so', async () => {
    expect(await said('key', 'delete', '1')).toBe('key 1 was deleted\n')
    expect(JSON.parse(await said('key', 'delete', '2', '--json'))).toEqual({ id: 2, deleted: true })
    expect(fake.keys.map(({ id }) => id)).toEqual([3, 4])
    expect(await complaint('key', 'delete', '1')).toBe(`${fake.url}: There is nothing with the id 1.`)
  })

  test('the server’s reason is told when it refuses', async () => {
    fake.answers.set('PUT /admin/keys/1', () =>
      refused(400, 'invalid_value', 'allowed_ips[0] must be an IP address or a block such as 10.0.0.0/8.'),
    )
    expect(await complaint('key', 'update', '1', '-i', 'everywhere')).toBe(
      `${fake.url}: allowed_ips[0] must be an IP address or a block such as 10.0.0.0/8.`,
    )
  })

  test('a change that perhaps was made is told so', async () => {
    const closing = createServer(socket => socket.once('data', () => socket.destroy()))
    await new Promise<void>(resolve => closing.listen(0, '127.0.0.1', resolve))
    const { port } = closing.address() as AddressInfo
    const there = ['-s', `http://127.0.0.1:${port}`]
    expect(await complaint('key', 'delete', '1', ...there)).toEndWith('; look whether the change was made all the same')
    expect(await complaint('key', 'show', '1', ...there)).not.toContain('the change')
    closing.close()
    fake.stop()
    expect(await complaint('key', 'delete', '1')).toMatch(/nothing listens there \(\w+\)$/)
  })

  test('what is no answer of a gatehouse is no success', async () => {
    fake.answers.set('DELETE /admin/keys/1', () => new Response(null, { status: 204 }))
    expect(await complaint('key', 'delete', '1')).toContain('is not a gatehouse (status 204')
    fake.answers.set('POST /admin/keys', () => answered(keyRow(9), 201))
    expect(await complaint('key', 'create', '-n', 'x')).toBe('key 9 (key-9) was made, but the answer does not hold its secret')
  })
})

describe('which gatehouse', () => {
  test.each<[string, (url: string) => string[]]>([
    ['in front of the command', url => ['-s', url, '-k', fakeAdminKey, 'key', 'list', '--json']],
    ['between', url => ['key', '-s', url, '--json', '-k', fakeAdminKey, 'list']],
    ['behind', url => ['key', 'list', `--server=${url}`, '--api-key', fakeAdminKey, '--json']],
  ])('options %s', async (_, args) => {
    const { code, stdout } = await runGatehouse({ args: args(fake.url) })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ data: [], next: null, total: 0 })
    expect(fake.asked[0]?.key).toBe(fakeAdminKey)
  })

  test('without any it is that of the data folder', async () => {
    const { code, stderr } = await runGatehouse({ args: ['key', 'list'] })
    expect(stderr).toMatch(/^gatehouse: no gatehouse serves from .*; start one with gatehouse serve, or name another one/)
    expect(code).toBe(1)
  })

  test('a wrong key is no key', async () => {
    const { code, stderr } = await runGatehouse({ args: ['key', 'list', '-s', fake.url, '-k', 'sk-wrong-not-a-real-key'] })
    expect(stderr).toContain('asks for a key, and this one is not known there')
    expect(stderr).not.toContain('sk-wrong')
    expect(code).toBe(1)
  })
})

describe('what is mistyped is one clear line', () => {
  test.each<[string[], string]>([
    [['keys', 'list'], 'there is no command "keys"; did you mean key?'],
    [['key'], 'key needs list, show, create, update, rotate or delete; gatehouse key --help says what they do'],
    [['key', 'lits'], 'not "lits"; did you mean list?'],
    [['key', 'create', '--nmae', 'x'], 'key has no option --nmae; did you mean --name?'],
    [['key', 'create', '--ratelimit', '5'], 'did you mean --rate-limit?'],
    [['key', 'create', '-x'], 'key has no option -x'],
    [['key', 'create'], 'key create needs a name: gatehouse key create -n NAME'],
    [['key', 'create', 'my-key'], 'key create takes no argument "my-key"; gatehouse key --help lists its options'],
    [['key', 'create', '-n', ''], '--name is empty'],
    [['key', 'create', '-n', 'x', '-i', ''], '--allowed-ips is empty'],
    [['key', 'create', '-n', 'x', '-q', 'lots'], '--quota must be a whole number, or none, not "lots"'],
    [['key', 'create', '-n', 'x', '-q', '-5'], '--quota needs a value; one that begins with a dash is written --quota=-…'],
    [['key', 'create', '-n', 'x', '-q'], '--quota needs a value; gatehouse key --help lists its options'],
    [['key', 'create', '-n', 'x', '--quota-period', 'daily'], '--quota-period must be total, day or month, not "daily"; did you mean day?'],
    [['key', 'create', '-n', 'x', '--grace', '1h'], '--grace is for key rotate'],
    [['key', 'list', '--quiet'], '--quiet is for key create and rotate'],
    [['key', 'delete', '1', '-n', 'x'], '--name is for key create and update'],
    [['key', 'list', 'all'], 'key list takes no argument "all"'],
    [['key', 'list', '--limit', '0'], '--limit must be a whole number from 1, or none, not "0"'],
    [['key', 'show'], 'key show needs the id of a key, a whole number; gatehouse key list shows them'],
    [['key', 'show', '1', '2'], 'key show takes one key at a time, so "2" is too much'],
    [['key', 'update', '-q', '5'], 'key update needs the id of a key'],
    [['key', 'update', '1'], 'key update needs something to change'],
    [['key', 'update', '1', '-e', 'maybe'], '--enabled must be true or false, not "maybe"'],
    [['key', 'update', '1', '-e'], 'gatehouse key --help lists its options'],
    [['key', 'delete', 'laptop'], 'needs the id of a key, a whole number, not "laptop"'],
    [['key', 'delete', '../models/1'], 'needs the id of a key, a whole number, not "../models/1"'],
    [['key', 'delete', '0'], 'a whole number, not "0"'],
    [['key', 'rotate', '1', '--grace', 'soon'], '--grace must be how long, such as 1h or 7d, not "soon"'],
    [['key', 'list', '-s', ''], '--server is empty'],
    [['key', 'list', '-k', ''], '--api-key is empty'],
  ])('%p', async (args, line) => {
    expect(await complaint(...args)).toContain(line)
    expect(fake.asked).toEqual([])
  })

  test.each([[['key', '--help']], [['key', 'create', '-h']], [['help', 'key']]])('%p is help', async args => {
    expect(await said(...args)).toStartWith('Usage: gatehouse key list')
  })
})
