/** `gatehouse usage` and `gatehouse audit`; the gatehouse is a fake. */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { commandsFor } from './key/testing/commands.ts'
import { answered, type FakeAdmin, startFakeAdmin } from './key/testing/fake-admin.ts'

setDefaultTimeout(30_000) // each starts processes, perhaps on a busy machine

let fake: FakeAdmin
beforeEach(() => {
  fake = startFakeAdmin()
})
afterEach(() => fake.stop())

const { run, said, complaint } = commandsFor(() => fake)
const paths = () => fake.asked.map(({ path }) => path)

describe('usage', () => {
  const figures = {
    requests: 1200,
    cached: 30,
    errors: 2,
    prompt_tokens: 45_000,
    completion_tokens: 9000,
    latency_ms_avg: 812.4,
    first_token_ms_avg: null,
  }
  const answer = (path: string, ...data: object[]) => fake.answers.set(`GET ${path}`, () => answered({ data }))

  test('is a line for each key, and the sum', async () => {
    answer('/admin/usage', { key_id: 3, key_name: 'laptop', ...figures }, { key_id: 0, key_name: null, ...figures, requests: 1 })
    expect((await said('usage')).split('\n')).toEqual([
      'KEY               REQUESTS  CACHED  ERRORS  PROMPT  COMPLETION  LATENCY  FIRST TOKEN',
      '3 laptop             1,200      30       2  45,000       9,000   812 ms            -',
      '(no managed key)         1      30       2  45,000       9,000   812 ms            -',
      'all                  1,201      60       4  90,000      18,000        -            -',
      '',
    ])
    expect(paths()).toEqual(['/admin/usage?by=key&limit=1000'])
  })

  test('asks for the days and the parts that are wanted', async () => {
    answer('/admin/usage', { day: '2026-01-01', ...figures })
    answer('/admin/keys/3/usage', { model: 'smart', user: 'alice', ...figures })
    expect(await said('usage', '--from', '2026-01-01', '--to=2026-01-31', '--by', 'day')).toStartWith('DAY         REQUESTS')
    expect(await said('usage', '--key', '3', '--by', 'model,user')).toStartWith('MODEL  USER   REQUESTS')
    expect(JSON.parse(await said('usage', '--key=3', '--json'))).toEqual({
      data: [{ model: 'smart', user: 'alice', ...figures }],
      next: null,
    })
    expect(paths().map(path => new URL(path, fake.url).search)).toEqual([
      '?from=2026-01-01&to=2026-01-31&by=day&limit=1000',
      '?by=model%2Cuser&limit=1000',
      '?by=day&limit=1000',
    ])
  })

  test('of nothing says so', async () => {
    answer('/admin/usage')
    expect(await run('usage')).toEqual({ code: 0, stdout: '', stderr: 'nothing was used in that time\n' })
  })

  test.each<[string[], string]>([
    [['usgae'], 'did you mean usage?'],
    [['usage', '--form', '2026-01-01'], 'usage has no option --form; did you mean --from?'],
    [['usage', '--from', '2026-02-30'], '--from must be a day such as 2026-01-31, not "2026-02-30"'],
    [['usage', '--key', 'laptop'], '--key must be the id of a key, a whole number, not "laptop"; gatehouse key list shows them'],
    [['usage', '--by', 'modle'], '--by must be key, model, backend, target, day or user, not "modle"; did you mean model?'],
    [['usage', '--key', '3', '--by', 'day,key'], '--by must be model, backend, target, day or user, not "key"'],
    [['usage', '--key', 'laptop'], 'a whole number, not "laptop"'],
    [['usage', 'laptop'], 'usage takes no argument "laptop"'],
  ])('%p is one clear line', async (args, line) => {
    expect(await complaint(...args)).toContain(line)
    expect(fake.asked).toEqual([])
  })
})

describe('audit', () => {
  const row = (id: number, more: object = {}) => ({
    id,
    at: '2026-01-05T14:03:22.101Z',
    who: 'command-line',
    what: 'key.update',
    subject_id: 3,
    subject_name: 'laptop',
    before: { quota: 1000 },
    after: { quota: null },
    ...more,
  })

  test('says who changed what, the newest first', async () => {
    fake.audit.push(
      row(1, { what: 'key.create', before: null, after: { name: 'laptop', allowed_ips: ['::1'] } }),
      row(2),
      row(3, { who: 'config', what: 'admin-key.change', subject_id: null, subject_name: null, before: null, after: null }),
    )
    expect((await said('audit')).split('\n')).toEqual([
      'WHEN               WHO           WHAT              OF        CHANGE',
      '2026-01-05T14:03Z  config        admin-key.change  -         -',
      '2026-01-05T14:03Z  command-line  key.update        3 laptop  quota: 1000 → null',
      '2026-01-05T14:03Z  command-line  key.create        3 laptop  name: "laptop", allowed_ips: ["::1"]',
      '',
    ])
  })

  test('is cut at a hundred unless more is wanted, and says so', async () => {
    for (let id = 1; id <= 1200; id++) fake.audit.push(row(id))
    const { stdout, stderr } = await run('audit')
    expect(stdout.trimEnd().split('\n')).toHaveLength(101)
    expect(stderr).toBe('these are the newest 100; --limit none prints all\n')
    expect((await said('audit', '--limit', '3')).trimEnd().split('\n')).toHaveLength(4)
    expect(JSON.parse(await said('audit', '--limit', 'none', '--json'))).toEqual({ data: fake.audit.toReversed(), next: null })
  })

  test('of nothing says so', async () => {
    expect(await run('audit')).toEqual({ code: 0, stdout: '', stderr: 'nothing was changed yet\n' })
  })

  test.each<[string[], string]>([
    [['audti'], 'did you mean audit?'],
    [['audit', '--limt', '3'], 'audit has no option --limt; did you mean --limit?'],
    [['audit', '--limit', 'few'], '--limit must be a whole number from 1, or none, not "few"'],
  ])('%p is one clear line', async (args, line) => {
    expect(await complaint(...args)).toContain(line)
    expect(fake.asked).toEqual([])
  })
})

test.each([
  ['usage', 'Usage: gatehouse usage'],
  ['audit', 'Usage: gatehouse audit'],
])('%s --help is help', async (command, line) => {
  expect(await said(command, '-h')).toStartWith(line)
})
