/** `gatehouse ps`, `load`, `unload` and `logs`, towards a gatehouse in a process of its own that runs real model processes. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { rawCommand } from '../../routes/processes/testing/house.ts'
import { type GatehouseProcess, gatehouseCommand, runGatehouse, startGatehouse } from '../../testing/gatehouse-process.ts'
import { type StandIn, standIn } from '../../testing/model-process/stand-in.ts'

setDefaultTimeout(60_000) // each starts processes, perhaps on a busy machine

const key = 'sk-admin-not-a-real-key'
let stand: StandIn
let house: GatehouseProcess
beforeAll(async () => {
  stand = standIn()
  const models = [
    { name: 'org/small', model_path: stand.model('small', { loadMs: 200 }) },
    { name: 'broken', model_path: stand.model('broken', { exitAtStart: 3 }) },
    { name: 'talker', command: rawCommand },
  ]
  const config = { llama_server_path: stand.executable, port_range_start: 20_000 + Math.floor(Math.random() * 12_000), models }
  house = await startGatehouse({
    files: { 'gatehouse.yaml': JSON.stringify({ ...config, admin: { api_key: key } }) },
    args: ['serve', '--port', '0'],
  })
})
afterAll(async () => {
  await house?.[Symbol.asyncDispose]()
  stand?.[Symbol.dispose]()
})

const named = () => ({ GATEHOUSE_SERVER: house.url, GATEHOUSE_ADMIN_API_KEY: key })
const run = (...args: string[]) => runGatehouse({ args, env: named() })
const said = async (...args: string[]) => {
  const { code, stdout, stderr } = await run(...args)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}
const complaint = async (...args: string[]) => {
  const { code, stdout, stderr } = await run(...args)
  expect({ code, stdout, lines: stderr.split('\n').length }).toEqual({ code: 1, stdout: '', lines: 2 })
  return stderr.slice('gatehouse: '.length, -1)
}
const upstream = (path: string) => fetch(`${house.url}/upstream/talker${path}`, { headers: { 'x-api-key': key } })

test('ps, load, unload', async () => {
  const first = (await said('ps')).split('\n')
  expect(first[0]).toMatch(/^MODEL +STATE +PID +PORT +MEMORY +IN FLIGHT +QUEUED +RESTARTS +EXIT +SINCE +LAST USED$/)
  expect(first.slice(1, -1).map(line => line.split(/ +/).slice(0, 2))).toEqual([
    ['org/small', 'stopped'],
    ['broken', 'stopped'],
    ['talker', 'stopped'],
  ])
  const loaded = await said('load', 'org/small')
  const [{ pid, port } = { pid: 0, port: 0 }] = stand.starts('small')
  expect(loaded).toBe(`org/small is ready (pid ${pid}, port ${port})\n`)
  expect(await said('ps')).toMatch(
    new RegExp(`^org/small +ready +${pid} +${port} .* 0 +0 +0 +- +20..-..-..T..:..Z +20..-..-..T..:..Z$`, 'm'),
  )
  expect(JSON.parse(await said('ps', '--json')).data[0]).toMatchObject({ model: 'org/small', state: 'ready', pid, port })
  expect(JSON.parse(await said('load', 'org/small', '--json'))).toMatchObject({ state: 'ready', pid })
  expect(await said('unload', 'org/small')).toBe('org/small is stopped\n')
  expect(await said('load', '--no-wait', 'org/small')).toMatch(/^org\/small is (stopped|starting)/)
  expect(await said('unload', '--all', '--force')).toBe('org/small is stopped\nbroken is stopped\ntalker is stopped\n')
  expect(JSON.parse(await said('unload', 'talker', '--force', '--json'))).toMatchObject({ model: 'talker', state: 'stopped' })
  expect(await complaint('load', 'broken')).toStartWith(`${house.url}: The model 'broken' could not be started.`)
  expect(await said('ps')).toMatch(/^broken +failed .* 3 /m)
  expect(await said('audit')).toMatch(/command-line|admin/)
  expect(await said('audit')).toMatch(/ model\.unload +- +force: true$/m)
})

test('without a server named it is the one of the data folder, and its own token opens', async () => {
  const child = Bun.spawn([...gatehouseCommand, 'ps', '--json'], {
    cwd: house.folder,
    env: { PATH: process.env.PATH ?? '', HOME: house.folder },
    stdout: 'pipe',
  })
  expect(JSON.parse(await new Response(child.stdout).text()).data).toHaveLength(3)
  expect(await child.exited).toBe(0)
})

describe('logs', () => {
  test('how many lines of each, and those of one', async () => {
    await said('load', 'talker')
    await (await upstream('/say?lines=3&text=%1B[31mred%1B[0m%09and%07bell')).text()
    for (;;) if ((await said('logs', 'talker', '-n', '1')).includes(' 3')) break
    const lines = (await said('logs', 'talker')).split('\n')
    expect(lines).toContain('listening')
    expect(lines.slice(-3)).toEqual(['red    and\\u0007bell 2', 'red    and\\u0007bell 3', ''])
    expect(await said('logs', 'talker', '--tail=2')).toBe('red    and\\u0007bell 2\nred    and\\u0007bell 3\n')
    expect(JSON.parse(await said('logs', 'talker', '-n1', '--json')).data).toMatchObject([
      { from: 'stdout', text: expect.stringContaining('and') },
    ])
    const list = await said('logs')
    expect(list).toMatch(/^MODEL +LINES\n/)
    expect(list).toMatch(new RegExp(`^talker +${lines.length - 1}$`, 'm'))
  })

  test('-f goes on with every new line, until nobody reads it any more', async () => {
    await said('load', 'talker')
    const child = Bun.spawn([...gatehouseCommand, 'logs', '-f', '-n', '0', '--json', 'talker'], {
      env: { PATH: process.env.PATH ?? '', HOME: house.folder, ...named() },
      stdout: 'pipe',
      stderr: 'pipe',
    })
    try {
      let text = ''
      const decoder = new TextDecoder()
      let stop = false
      // nobody says when it has begun to listen: lines are written until it has some
      const talking = (async () => {
        while (!stop) {
          await (await upstream('/say?lines=1&text=live')).text()
          await Bun.sleep(20)
        }
      })()
      for await (const bytes of child.stdout) {
        text += decoder.decode(bytes, { stream: true })
        if (text.split('\n').length > 3) break // which closes it
      }
      expect([await child.exited, await new Response(child.stderr).text()]).toEqual([0, ''])
      stop = true
      await talking
      const rows = text
        .split('\n')
        .slice(0, 3)
        .map(line => JSON.parse(line))
      expect(rows.map(({ text }) => text)).toEqual(['live 1', 'live 1', 'live 1'])
      expect([rows[1].id - rows[0].id, rows[2].id - rows[1].id]).toEqual([1, 1])
    } finally {
      child.kill()
    }
  })

  test('a stop of gatehouse ends it', async () => {
    const files = { 'gatehouse.yaml': JSON.stringify({ models: [{ name: 'talker', command: rawCommand }], admin: { api_key: key } }) }
    await using own = await startGatehouse({ files })
    const env = { GATEHOUSE_SERVER: own.url, GATEHOUSE_ADMIN_API_KEY: key, PATH: process.env.PATH ?? '', HOME: own.folder }
    const child = Bun.spawn([...gatehouseCommand, 'logs', 'talker', '--follow'], { env, stdout: 'pipe', stderr: 'pipe' })
    await fetch(`${own.url}/admin/models/talker/load`, { method: 'POST', headers: { 'x-api-key': key } })
    const reader = child.stdout.getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('listening')
    own.signal('SIGTERM')
    expect(await own.exited).toBe(0)
    expect(await child.exited).toBe(0)
    expect(await new Response(child.stderr).text()).toBe('there is no more: gatehouse stops, or does not run this model any more\n')
  })
})

test.each([
  [['load'], 'load needs a model; gatehouse ps shows them'],
  [['load', 'a', 'b'], 'load takes one model at a time, so "b" is too much'],
  [['unload'], 'unload needs a model, or --all; gatehouse ps shows them'],
  [['unload', 'a', '--all'], 'unload takes a model or --all, not both'],
  [['unload', '--forec', 'a'], 'unload has no option --forec; did you mean --force?'],
  [['ps', 'a'], 'ps takes no argument "a"'],
  [['logs', '-f'], '--follow and --tail need a model'],
  [['logs', 'a', '-n', 'x'], '--tail must be a whole number from 0, not "x"'],
  [['logs', 'nobody'], "The model 'nobody' does not exist here."],
  [['logs', '-f', 'nobody'], "The model 'nobody' does not exist here."],
  [['load', 'nobody/x'], "The model 'nobody/x' does not exist here."],
  [['lods', 'x'], 'there is no command "lods"; did you mean logs?'],
])('%p is one clear line', async (args, line) => {
  expect(await complaint(...args)).toContain(line)
})

test.each(['ps', 'load', 'unload', 'logs'])('%s has help', async command => {
  expect(await said(command, '--help')).toStartWith(`Usage: gatehouse ${command}`)
  expect(await said('help', command)).toBe(await said(command, '-h'))
  expect(await said('--help')).toMatch(new RegExp(`^  ${command} `, 'm'))
})
