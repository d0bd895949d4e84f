/** Every command of ModelGate, and ours, against a gatehouse that really serves. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type GatehouseProcess, runGatehouse, startGatehouse } from '../../testing/gatehouse-process.ts'

setDefaultTimeout(120_000) // each starts many processes, perhaps on a busy machine

const yaml = 'backends: { up: { type: echo } }\nmodels: [ { name: smart, targets: [ { backend: up, model: echo } ] } ]\n'
let data: string
let house: GatehouseProcess
beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'gatehouse-cli-'))
  house = await startGatehouse({ files: { 'gatehouse.yaml': yaml }, env: { DATA_DIR: data } })
})
afterAll(async () => {
  await house[Symbol.asyncDispose]()
  rmSync(data, { recursive: true, force: true })
})

const run = (...args: string[]) => runGatehouse({ args, env: { DATA_DIR: data } })
const said = async (...args: string[]) => {
  const { code, stdout, stderr } = await run(...args)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}
const json = async (...args: string[]) => JSON.parse(await said(...args, '--json'))
const refusal = async (...args: string[]) => {
  const { code, stdout, stderr } = await run(...args)
  expect({ code, stdout, lines: stderr.split('\n').length }).toEqual({ code: 1, stdout: '', lines: 2 })
  return stderr
}
const models = async (key: string) => (await fetch(`${house.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status
const chat = (key: string) =>
  fetch(`${house.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'smart', messages: [{ role: 'user', content: 'one two three' }] }),
  })

test('keys', async () => {
  const secret = (await said('key', 'create', '-n', 'my-key', '-q', '1000000', '-r', '60', '-i', '127.0.0.0/8,::1', '--quiet')).trim()
  expect(secret).toMatch(/^sk-\S+$/)
  expect(await models(secret)).toBe(200)
  const [made] = (await json('key', 'list')).data
  expect(made).toMatchObject({ name: 'my-key', quota: 1_000_000, rate_limit: 60, allowed_ips: ['127.0.0.0/8', '::1'], version: 1 })
  const id = String(made.id)
  expect(await said('key', 'list')).toContain(' my-key ')
  expect(await said('key', 'show', 'my-key')).toContain('addresses            127.0.0.0/8, ::1\n')

  const settings = [
    ...[
      '-n',
      'mine',
      '-q',
      'none',
      '--quota-period',
      'day',
      '-r',
      '10',
      '--tokens-per-minute',
      '5000',
      '--max-concurrency',
      '2',
      '-i',
      'all',
    ],
    ...['--allowed-models', 'smart,echo*', '--allowed-endpoints', '/v1/models,/v1/chat/completions', '--allowed-tools', 'mcp.search.*'],
    ...['--cache-scope', 'off', '--expires-at', '30d', '-e', 'true'],
  ]
  expect(await json('key', 'update', ...settings, id)).toMatchObject({
    name: 'mine',
    quota: null,
    quota_period: 'day',
    rate_limit: 10,
    tokens_per_minute: 5000,
    max_concurrency: 2,
    allowed_ips: [],
    allowed_models: ['smart', 'echo*'],
    allowed_endpoints: ['/v1/models', '/v1/chat/completions'],
    allowed_tools: ['mcp.search.*'],
    cache_scope: 'off',
    version: 2,
  })
  const lifted = [
    '-r',
    'unlimited',
    '--allowed-models',
    'all',
    '--allowed-endpoints',
    'default',
    '--allowed-tools',
    'none',
    '--cache-scope',
    'default',
  ]
  expect(await json('key', 'update', id, ...lifted, '--expires-at', 'none')).toMatchObject({
    rate_limit: null,
    allowed_models: [],
    allowed_endpoints: null,
    allowed_tools: [],
    cache_scope: null,
    expires_at: null,
  })
  expect(await refusal('key', 'update', id, '-i', 'everywhere')).toContain('allowed_ips')

  const next = (await said('key', 'rotate', id, '--grace', '1h', '--quiet')).trim()
  expect([await models(secret), await models(next)]).toEqual([200, 200])
  const last = (await said('key', 'rotate', id, '--quiet')).trim()
  expect([await models(secret), await models(next), await models(last)]).toEqual([401, 401, 200])
  expect((await chat(last)).status).toBe(200)

  expect(await said('usage', '--key', id)).toStartWith('DAY ')
  expect(await said('usage', '--by', 'key,model')).toMatch(/mine +smart/)
  expect((await json('usage', '--by', 'backend')).data).toMatchObject([{ backend: 'up' }])
  expect(await said('usage', '--by', 'target')).toMatch(/^up\/echo /m)
  const backup = join(data, 'copy.db')
  expect(await said('backup', backup)).toStartWith(`${backup} has all of `)

  expect(await said('key', 'delete', id)).toBe(`key ${id} was deleted\n`)
  expect(await models(last)).toBe(401)
  expect(await refusal('key', 'delete', id)).toContain(`There is no key with the id ${id}.`)
  const whats = (await json('audit')).data.map(({ what }: { what: string }) => what)
  expect(whats.filter((what: string) => what.startsWith('key.'))).toEqual([
    ...['key.delete', 'key.rotate', 'key.rotate', 'key.update', 'key.update', 'key.create'],
  ])
  const audit = await said('audit')
  expect(audit).toContain('key.delete')
  for (const secretText of [secret, next, last]) expect(audit).not.toContain(secretText)
})

test('models', async () => {
  expect(await json('model', 'create', '-n', 'big', '-b', 'vllm', '-u', 'http://127.0.0.1:9')).toMatchObject({
    name: 'big',
    backend: 'vllm',
    enabled: true,
  })
  const { data: all } = await json('model', 'list')
  expect(all.map(({ name, source }: { name: string; source: string }) => [name, source])).toEqual([
    ['smart', 'config'],
    ['big', 'admin'],
  ])
  const id = String(all[1].id)
  expect(await json('model', 'update', id, '--enabled', 'false')).toMatchObject({ enabled: false })
  expect(await json('model', 'update', id, '--enabled', 'true')).toMatchObject({ enabled: true })
  expect(await json('model', 'update', id, '-b', 'up', '-u', 'none', '--upstream-model', 'echo')).toMatchObject({
    backend: 'up',
    base_url: null,
    upstream_model: 'echo',
  })
  expect(await refusal('model', 'create', '-n', 'x', '-b', 'vlm')).toContain('vllm')
  expect(await said('model', 'delete', id)).toBe(`model ${id} was deleted\n`)

  expect(await said('sync', '--dry-run')).toContain('+ echo\n1 added, 0 removed')
  expect(await json('sync')).toMatchObject({ added: ['echo'], removed: [], errors: [] })
  expect(await said('sync', '-b', 'up')).toBe('0 added, 0 removed, 1 unchanged\n')
  expect(await said('model', 'list')).toMatch(/echo +up +.* sync\n/)
})
