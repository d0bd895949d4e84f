/** `gatehouse model` and `gatehouse sync`; the gatehouse is a fake that remembers what it is told. */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { commandsFor } from './key/testing/commands.ts'
import { answered, type FakeAdmin, modelRow, refused, startFakeAdmin } from './key/testing/fake-admin.ts'

setDefaultTimeout(30_000) // each starts processes, perhaps on a busy machine

let fake: FakeAdmin
beforeEach(() => {
  fake = startFakeAdmin()
})
afterEach(() => fake.stop())

const { run, said, complaint, asked } = commandsFor(() => fake)

describe('model', () => {
  test('list is a table, and JSON', async () => {
    fake.models.push(
      modelRow(-1, { name: 'smart', backend: 'box', upstream_model: 'Qwen/Qwen3-32B', source: 'config' }),
      modelRow(1, { name: 'smart', shadowed: true }),
      modelRow(2, { name: 'tiny', backend: 'ollama', base_url: 'http://10.0.0.7:11434', enabled: false, source: 'sync' }),
    )
    expect((await said('model', 'list')).split('\n')).toEqual([
      'ID  NAME   BACKEND  BASE URL               UPSTREAM MODEL  ENABLED  SOURCE',
      ' -  smart  box      -                      Qwen/Qwen3-32B  yes      config',
      ' 1  smart  home     -                      -               yes      admin (hidden)',
      ' 2  tiny   ollama   http://10.0.0.7:11434  -               no       sync',
      '',
    ])
    expect(JSON.parse(await said('model', 'list', '--json', '--search', 'TIN'))).toEqual({ data: [fake.models[2]], next: null, total: 1 })
  })

  test('create and update take ModelGate’s flags, short and long, and show the model', async () => {
    expect(await said('model', 'create', '-n', 'big', '-b', 'vllm', '-u', 'http://10.0.0.5:8000')).toBe(
      [
        'id              1',
        'name            big',
        'backend         vllm',
        'base url        http://10.0.0.5:8000',
        'upstream model  -',
        'enabled         yes',
        'source          admin',
        'version         1',
        '',
      ].join('\n'),
    )
    expect(await said('model', 'update', '1', '--enabled', 'true')).toContain('version         2\n')
    expect(
      await said(
        'model',
        'update',
        '--name=small',
        '--backend',
        'home',
        '--base-url=none',
        '--upstream-model',
        'qwen3:8b',
        '-e',
        'no',
        '1',
      ),
    ).toContain('enabled         no\n')
    expect(JSON.parse(await said('model', 'update', '1', '--upstream-model', 'none', '--json'))).toEqual(fake.models[0])
    expect(asked()).toEqual([
      { method: 'POST', path: '/admin/models', body: { name: 'big', backend: 'vllm', base_url: 'http://10.0.0.5:8000' } },
      { method: 'PUT', path: '/admin/models/1', body: { enabled: true } },
      {
        method: 'PUT',
        path: '/admin/models/1',
        body: { name: 'small', backend: 'home', base_url: null, upstream_model: 'qwen3:8b', enabled: false },
      },
      { method: 'PUT', path: '/admin/models/1', body: { upstream_model: null } },
    ])
  })

  test('create says when the config counts in its place', async () => {
    fake.answers.set('POST /admin/models', () => answered(modelRow(4, { name: 'smart', shadowed: true }), 201))
    const { code, stderr } = await run('model', 'create', '-n', 'smart', '-b', 'home')
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'the config file has a model "smart", too; that one counts\n' })
  })

  test('delete says so', async () => {
    fake.models.push(modelRow(1))
    expect(await said('model', 'delete', '1')).toBe('model 1 was deleted\n')
    expect(fake.models).toEqual([])
    fake.answers.set('DELETE /admin/models/2', () => refused(409, 'read_only', 'This model stands in the config file; change it there.'))
    expect(await complaint('model', 'delete', '2')).toBe(`${fake.url}: This model stands in the config file; change it there.`)
  })

  test('without models says so', async () => {
    expect(await run('model', 'list')).toEqual({ code: 0, stdout: '', stderr: 'there are no models; gatehouse sync looks for some\n' })
  })

  test.each<[string[], string]>([
    [['modle', 'list'], 'did you mean model?'],
    [['model', 'craete'], 'model needs list, create, update or delete, not "craete"; did you mean create?'],
    [['model', 'create', '--base_url', 'x'], 'model has no option --base_url; did you mean --base-url?'],
    [['model', 'create', '-b', 'vllm'], 'model create needs a name'],
    [['model', 'create', '-n', 'x'], 'model create needs a backend'],
    [['model', 'create', '-n', 'x', '-b', 'vllm', '-u', ''], '--base-url is empty'],
    [['model', 'update', '1'], 'model update needs something to change'],
    [['model', 'update', '1', '--enabled', 'ja'], '--enabled must be true or false, not "ja"'],
    [['model', 'delete', 'smart'], 'model delete needs the id of a model, a whole number, not "smart"'],
    [['model', 'list', '-n', 'x'], '--name is for model create and update'],
  ])('%p is one clear line', async (args, line) => {
    expect(await complaint(...args)).toContain(line)
    expect(fake.asked).toEqual([])
  })
})

describe('sync', () => {
  const found = { added: ['qwen3:8b', 'llama3'], removed: ['old\u001b[2J'], unchanged: 14, errors: [] as unknown[] }
  const answer = (more: object = {}) => fake.answers.set('POST /admin/models/sync', () => answered({ ...found, ...more }))

  test('says what came and went', async () => {
    answer()
    expect(await said('sync')).toBe('+ qwen3:8b\n+ llama3\n- old\\u001b[2J\n2 added, 1 removed, 14 unchanged\n')
    expect(asked()).toEqual([{ method: 'POST', path: '/admin/models/sync', body: { dry_run: false, backend: null } }])
  })

  test('--dry-run only asks, and -b asks one backend', async () => {
    answer()
    expect(await said('sync', '--dry-run', '-b', 'home')).toEndWith('14 unchanged, if this were not a dry run\n')
    expect(JSON.parse(await said('--json', 'sync', '--dry-run'))).toEqual(found)
    expect(asked().map(({ body }) => body)).toEqual([
      { dry_run: true, backend: 'home' },
      { dry_run: true, backend: null },
    ])
  })

  test.each([[[]], [['--json']]])('a backend that fails is told, after what became of the others: %p', async more => {
    answer({
      errors: [
        { backend: 'box', error: 'unreachable' },
        { backend: 'far', error: 'timeout' },
      ],
    })
    const { code, stdout, stderr } = await run('sync', ...more)
    expect(stdout).toContain('llama3')
    expect(stderr).toBe('gatehouse: sync: backend box gave no models: unreachable\ngatehouse: sync: backend far gave no models: timeout\n')
    expect(code).toBe(1)
  })

  test.each<[string[], string]>([
    [['snyc'], 'did you mean sync?'],
    [['sync', '--dryrun'], 'did you mean --dry-run?'],
    [['sync', 'home'], 'sync takes no argument "home"'],
    [['sync', '-b', ''], '--backend is empty'],
  ])('%p is one clear line', async (args, line) => {
    expect(await complaint(...args)).toContain(line)
    expect(fake.asked).toEqual([])
  })
})

test.each([
  ['model', 'Usage: gatehouse model list'],
  ['sync', 'Usage: gatehouse sync'],
])('%s --help is help', async (command, line) => {
  expect(await said(command, '--help')).toStartWith(line)
})
