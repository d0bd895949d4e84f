import { describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '../errors.ts'
import { checkLogFile } from './doctor/log-file.ts'
import { checkOpenFiles } from './doctor/open-files.ts'
import { printReport, reportOf } from './doctor/report.ts'
import { runChecks } from './doctor/run-checks.ts'
import { examine, installProgram, linesOf } from './doctor/testing/examine.ts'

const backends = { demo: { type: 'echo' } }

describe('the settings', () => {
  test('are told with their file and its warnings', async () => {
    const found = await examine({ yaml: { backends }, env: { GATEHOUSE_RATE_LIMT_RPS: '5' } })
    expect(linesOf(found, 'config')).toEqual(['ok: CWD/gatehouse.yaml', expect.stringMatching(/^warning: .*GATEHOUSE_RATE_LIMT_RPS/)])
    expect(reportOf(found).ok).toBe(true)
  })

  test('of an older gateway are told with whose they are', async () => {
    const found = await examine({ files: { 'llamagate.yaml': 'ollama_host: http://127.0.0.1:1\n' } })
    expect(linesOf(found, 'config')[0]).toBe('ok: CWD/llamagate.yaml (a config of llamagate)')
  })

  test('that are wrong are told line by line, and nothing else is guessed', async () => {
    const found = await examine({ yaml: { backends, prot: 1, timeout: '5' }, env: { API_KEY: 'sk-fake-key-of-this-test' } })
    const lines = linesOf(found, 'config')
    expect(lines.slice(0, 2)).toEqual([
      expect.stringContaining('problem: CWD/gatehouse.yaml: prot: is not a setting; did you mean port?'),
      expect.stringContaining('problem: CWD/gatehouse.yaml: timeout: must be a duration'),
    ])
    expect(lines[2]).toStartWith('warning: nothing else was looked into')
    expect(found.map(({ name }) => name)).not.toContain('address')
    expect(reportOf(found).ok).toBe(false)
    expect(JSON.stringify(found)).not.toContain('sk-fake-key')
  })
})

describe('the pipeline', () => {
  const plugin = (name: string, body = 'setup: () => ({})') =>
    `import { definePlugin } from 'gatehouse'\nexport default definePlugin({ name: '${name}', ${body} })\n`

  test('that loads', async () => {
    const found = await examine({
      yaml: { backends, pipeline: ['auth', './mine.ts', 'router'] },
      files: { 'mine.ts': plugin('mine') },
    })
    expect(linesOf(found, 'pipeline')).toEqual(['ok: auth → CWD/mine.ts → router'])
  })

  test('each plugin that is missing, broken or set up wrongly is named', async () => {
    const found = await examine({
      yaml: { backends, pipeline: ['auth', 'nowhere', './broken.ts', './other.ts', 'router'], router: { nonsense: true } },
      files: { 'broken.ts': 'export default {', 'other.ts': 'export const x = 1' },
    })
    const lines = linesOf(found, 'pipeline')
    for (const words of ['there is no plugin "nowhere"', 'broken.ts could not be loaded', 'other.ts is not a plugin', 'router.nonsense']) {
      expect(lines.filter(line => line.startsWith('problem: ') && line.includes(words))).toHaveLength(1)
    }
  })

  test('with two plugins of one name, or options nobody takes', async () => {
    const twice = await examine({
      yaml: { backends, pipeline: ['./a.ts', './b.ts', 'router'] },
      files: { 'a.ts': plugin('same'), 'b.ts': plugin('same') },
    })
    expect(linesOf(twice, 'pipeline')).toEqual([
      expect.stringContaining('problem: CWD/gatehouse.yaml: pipeline[1]: two plugins are called "same"'),
    ])
    const stray = await examine({ yaml: { backends, pipeline: ['./a.ts', 'router'], stray: {}, prot: 1 }, files: { 'a.ts': plugin('a') } })
    expect(linesOf(stray, 'pipeline')).toEqual([
      expect.stringContaining('problem: CWD/gatehouse.yaml: stray: is not a setting, and no plugin in the pipeline is called "stray"'),
      expect.stringContaining(
        'problem: CWD/gatehouse.yaml: prot: is not a setting, and no plugin in the pipeline is called "prot"; did you mean port?',
      ),
    ])
  })

  test('without a router, or with a layer in front of the guards', async () => {
    const mute = await examine({ yaml: { backends, pipeline: ['auth', 'limiter'] } })
    expect(linesOf(mute, 'pipeline')).toEqual([
      'problem: CWD/gatehouse.yaml: pipeline: has no router, so that calls to a model end with 501; add router at its end',
    ])
    const own = await examine({ yaml: { backends, pipeline: ['auth', './a.ts'] }, files: { 'a.ts': plugin('a') } })
    expect(linesOf(own, 'pipeline')).toEqual([expect.stringMatching(/^warning: .* has no router, .*unless a plugin of yours answers them/)])
    const open = await examine({ yaml: { backends, pipeline: ['router', 'auth'] } })
    expect(linesOf(open, 'pipeline')).toEqual([
      expect.stringContaining('problem: CWD/gatehouse.yaml: pipeline: auth must stand before router, which would act on requests'),
    ])
    const perhaps = await examine({ yaml: { backends, pipeline: ['./a.ts', 'auth', 'router'] }, files: { 'a.ts': plugin('a') } })
    expect(linesOf(perhaps, 'pipeline')).toEqual([
      expect.stringMatching(/^warning: .*: auth must stand before a, .* if it acts on them at all$/),
    ])
  })
})

describe('models that gatehouse runs', () => {
  const models = [
    { name: 'small', model_path: './small.gguf' },
    { name: 'whisper', command: 'whisper-server --host 127.0.0.1 --token sk-fake-token-of-this-test' },
  ]
  const yaml = { models }

  test('with their programs and files', async () => {
    const found = await examine({
      yaml,
      files: { 'small.gguf': 'GGUF' },
      prepare: async folder => {
        await installProgram(folder, 'llama-server')
        await installProgram(folder, 'whisper-server')
      },
    })
    expect(linesOf(found, 'processes')).toEqual([
      'ok: llama-server is CWD/bin/llama-server',
      'ok: model "small": CWD/small.gguf',
      'ok: model "whisper": CWD/bin/whisper-server',
    ])
  })

  test('without them', async () => {
    const found = await examine({ yaml: { ...yaml, llama_server_path: './bin/llama' } })
    expect(linesOf(found, 'processes')).toEqual([
      expect.stringMatching(/^problem: llama_server_path: there is no program .*bin\/llama → /),
      'problem: model "small": there is no file CWD/small.gguf (ENOENT) → correct model_path of the model "small"',
      'problem: model "whisper": there is no program whisper-server → install it, or correct command of the model "whisper"',
    ])
    expect(JSON.stringify(found)).not.toContain('sk-fake-token')
    expect(linesOf(await examine({ yaml }), 'processes')[0]).toMatch(/^problem: there is no llama-server in PATH → /)
  })
})

describe('the log file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-doctor-'))
  const status = (path: string) => checkLogFile(path).map(({ status, message }) => `${status}: ${message}`)

  test('can be written, or why not', () => {
    expect(checkLogFile(undefined)).toEqual([])
    expect(status(join(folder, 'new', 'gatehouse.log'))).toEqual([`ok: ${join(folder, 'new', 'gatehouse.log')}`])
    expect(status(folder)[0]).toEndWith(`${folder} is a folder`)
    expect(status(join(folder, 'a', 'b', 'c.log'))[0]).toEndWith(`there is no folder ${join(folder, 'a')}`)
    expect(readdirSync(folder)).toEqual([])
    writeFileSync(join(folder, 'old.log'), 'a line\n')
    expect(status(join(folder, 'old.log'))).toEqual([`ok: ${join(folder, 'old.log')}`])
    expect(readFileSync(join(folder, 'old.log'), 'utf8')).toBe('a line\n')
    rmSync(folder, { recursive: true })
  })

  test.skipIf(process.platform !== 'linux')('that cannot be made, whatever the rights say', () => {
    expect(status('/proc/gatehouse.log')[0]).toStartWith('problem: /proc/gatehouse.log cannot be written: ')
    expect(status('/proc/gatehouse/new.log')[0]).toStartWith('problem: /proc/gatehouse/new.log cannot be written: ')
    expect(status('/dev/null')[0]).toBe('ok: /dev/null')
  })
})

test.skipIf(process.platform !== 'linux')('a limit on open files that is low is told', async () => {
  const script = "import { checkOpenFiles } from './core/cli/doctor/open-files.ts'; console.log(JSON.stringify(await checkOpenFiles()))"
  const run = (limit: number) => {
    const { stdout } = Bun.spawnSync(['sh', '-c', `ulimit -n ${limit}; exec "$0" -e "$1"`, process.execPath, script])
    return JSON.parse(stdout.toString())
  }
  expect(run(1024)).toMatchObject([
    { status: 'warning', message: expect.stringContaining('only 1024 files'), fix: expect.stringContaining('LimitNOFILE') },
  ])
  expect(run(4096)).toMatchObject([{ status: 'ok' }])
  expect(await checkOpenFiles('/nowhere')).toEqual([]) // other systems do not tell
})

describe('the checks', () => {
  test('run side by side; one that throws or hangs is a line and holds up nothing', async () => {
    const found = await runChecks(
      [
        { name: 'hangs', look: () => new Promise(() => {}) },
        { name: 'throws', look: () => Promise.reject(Object.assign(new Error('sk-fake-key in a message'), { code: 'EIO' })) },
        { name: 'complains', look: () => Promise.reject(new ConfigError('one\ntwo')) },
        {
          name: 'throws at once',
          look() {
            throw new TypeError('sk-fake-key')
          },
        },
        { name: 'fine', look: () => [{ status: 'ok', message: 'yes' }] },
      ],
      50,
    )
    expect(found.map(({ status, name, message }) => `${status} ${name}: ${message}`)).toEqual([
      'problem hangs: could not be looked into within 0.05 s',
      'problem throws: could not be looked into (EIO)',
      'problem complains: one',
      'problem complains: two',
      'problem throws at once: could not be looked into (TypeError)',
      'ok fine: yes',
    ])
  })

  test('are printed one to a line, the fix below, and a sum', () => {
    const report = reportOf([
      { name: 'config', status: 'ok', message: 'gatehouse.yaml' },
      { name: 'tls', status: 'warning', message: 'expires soon', fix: 'renew it' },
      { name: 'backend home', status: 'problem', message: 'does not answer', fix: 'start it' },
    ])
    expect(report.ok).toBe(false)
    expect(printReport(report)).toBe(
      [
        '  ok       config        gatehouse.yaml',
        '  warning  tls           expires soon',
        '                         → renew it',
        '  problem  backend home  does not answer',
        '                         → start it',
        '',
        '1 problem and 1 warning.',
        '',
      ].join('\n'),
    )
    expect(printReport(reportOf([{ name: 'config', status: 'ok', message: 'fine' }]))).toEndWith('\n\nAll is well.\n')
  })
})
