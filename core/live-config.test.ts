/** Edits of a running gatehouse's files, as a person makes them. */
import { describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { makeCertificate } from './testing/certificate.ts'
import { type GatehouseProcess, gatehouseCommand, startGatehouse } from './testing/gatehouse-process.ts'

const echo = 'backends: { up: { type: echo } }\n'
const models = async (url: string) =>
  ((await (await fetch(`${url}/v1/models`)).json()) as { data: { id: string }[] }).data.map(({ id }) => id)
const reloads = (house: GatehouseProcess) => house.output.stdout.split('"Configuration reloaded"').length - 1
const reloaded = (house: GatehouseProcess, count = 1) => house.until(() => reloads(house) >= count, `reload ${count}`)

/** As editors do: a new file takes the place of the old one. */
function edit(house: GatehouseProcess, name: string, text: string) {
  const path = join(house.folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

describe('gatehouse.yaml', () => {
  test('edited: the next request sees it; a bad edit keeps the old config and says why; a good one after it counts again', async () => {
    await using house = await startGatehouse({ files: { 'gatehouse.yaml': echo } })
    expect(await models(house.url)).toEqual(['echo'])
    edit(house, 'gatehouse.yaml', `${echo}models: [{ name: one, targets: [{ backend: up }] }]\n`)
    await reloaded(house)
    expect(await models(house.url)).toEqual(['one', 'echo'])

    edit(house, 'gatehouse.yaml', `${echo}modles: []\n`)
    await house.until(({ stdout }) => stdout.includes('the one before stays'), 'the complaint')
    expect(house.output.stdout).toContain('did you mean models?')
    expect(await models(house.url)).toEqual(['one', 'echo'])

    edit(house, 'gatehouse.yaml', `${echo}models: [{ name: two, targets: [{ backend: up }] }]\n`)
    await reloaded(house, 2)
    expect(await models(house.url)).toEqual(['two', 'echo'])
  })

  test('that appears beside a gatehouse without one counts; when it goes, the defaults are back', async () => {
    await using house = await startGatehouse({ args: ['serve', '--demo', '--port', '0'] })
    edit(house, 'gatehouse.yaml', `${echo}models: [{ name: mine, targets: [{ backend: up }] }]\n`)
    await reloaded(house)
    expect(await models(house.url)).toEqual(['mine', 'echo'])
    rmSync(join(house.folder, 'gatehouse.yaml'))
    await reloaded(house, 2)
    expect(await models(house.url)).not.toContain('mine')
  })

  test('a key in it closes the gateway at once', async () => {
    await using house = await startGatehouse({ files: { 'gatehouse.yaml': echo } })
    expect((await fetch(`${house.url}/v1/models`)).status).toBe(200)
    edit(house, 'gatehouse.yaml', `${echo}api_key: sk-not-a-real-key\n`)
    await reloaded(house)
    expect((await fetch(`${house.url}/v1/models`)).status).toBe(401)
  })

  test('a host that is not loopback never opens by accident: a key is made', async () => {
    await using house = await startGatehouse({ files: { 'gatehouse.yaml': echo } })
    edit(house, 'gatehouse.yaml', `${echo}host: 0.0.0.0\n`)
    await reloaded(house)
    const port = house.output.stdout.match(/.*"port":(\d+).*Configuration reloaded/)?.[1]
    expect((await fetch(`http://127.0.0.1:${port}/v1/models`)).status).toBe(401)
    await house.until(({ stdout }) => stdout.includes('initial-api-key'), 'where the key is')
  })

  test('an edit that changes nothing makes no noise', async () => {
    await using house = await startGatehouse({ files: { 'gatehouse.yaml': echo } })
    edit(house, 'gatehouse.yaml', `# a remark\n${echo}`)
    edit(house, '.env', 'RATE_LIMIT_RPS=7\n')
    await reloaded(house)
    edit(house, 'gatehouse.yaml', `# another remark\n${echo}`)
    house.signal('SIGHUP')
    edit(house, '.env', 'RATE_LIMIT_RPS=8\n')
    await reloaded(house, 2)
    expect(reloads(house)).toBe(2)
  })
})

test('SIGHUP reads the files at once', async () => {
  await using house = await startGatehouse({ files: { 'gatehouse.yaml': echo } })
  edit(house, 'gatehouse.yaml', `${echo}models: [{ name: one, targets: [{ backend: up }] }]\n`)
  house.signal('SIGHUP')
  await reloaded(house)
  expect(await models(house.url)).toContain('one')
})

test('a certificate that is renewed on disk is served; one that cannot be used is not', async () => {
  const first = makeCertificate('first')
  const second = makeCertificate('second')
  const yaml = `${echo}tls: { enabled: true, cert_file: cert.pem, key_file: key.pem }\n`
  await using house = await startGatehouse({ files: { 'gatehouse.yaml': yaml, 'cert.pem': first.cert, 'key.pem': first.key } })
  const url = house.url.replace('http:', 'https:')
  const answers = (ca: string) =>
    fetch(`${url}/health/live`, { tls: { ca }, keepalive: false }).then(
      ({ status }) => status,
      () => 'refused',
    )
  expect(await answers(first.cert)).toBe(200)
  edit(house, 'cert.pem', second.cert)
  await house.until(({ stdout }) => stdout.includes('is not the key of the certificate'), 'the complaint about half a renewal')
  expect(await answers(first.cert)).toBe(200)
  edit(house, 'key.pem', second.key)
  await reloaded(house)
  expect(await answers(second.cert)).toBe(200)
  expect(await answers(first.cert)).toBe('refused')
})

test('certificates that come after the config that names them are served when they are there', async () => {
  await using house = await startGatehouse({ files: { 'gatehouse.yaml': echo } })
  edit(house, 'gatehouse.yaml', `${echo}tls: { enabled: true, cert_file: late.pem, key_file: late.key }\n`)
  await house.until(({ stdout }) => stdout.includes('does not exist'), 'the complaint')
  const { cert, key } = makeCertificate()
  edit(house, 'late.pem', cert)
  edit(house, 'late.key', key)
  await reloaded(house)
  expect(house.output.stdout.split('does not exist').length).toBeLessThan(4) // told, and not again and again
  expect((await fetch(`${house.url.replace('http:', 'https:')}/health/live`, { tls: { ca: cert } })).status).toBe(200)
})

describe.skipIf(!Bun.which('script'))('started from a terminal', () => {
  /** Runs a command line in a terminal of its own, and closes the terminal when gatehouse listens. */
  const inTerminal = async (line: string, folder: string) => {
    const terminal = Bun.spawn(['script', '-qec', line, '/dev/null'], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? '', HOME: folder, OLLAMA_AUTOSTART: 'false' },
      stdin: 'pipe',
      stdout: 'ignore',
      stderr: 'ignore',
    })
    const holder = () => {
      const path = join(folder, '.gatehouse/run/serve.json')
      return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { pid: number; port?: number }) : undefined
    }
    for (const deadline = Date.now() + 15_000; Date.now() < deadline && !holder()?.port; ) await Bun.sleep(50)
    const pid = holder()?.pid as number
    terminal.kill('SIGKILL')
    await terminal.exited
    for (const deadline = Date.now() + 5_000; Date.now() < deadline && alive(pid); ) await Bun.sleep(50)
    return { pid, alive: alive(pid) }
  }
  const alive = (pid: number) => {
    try {
      return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
    } catch {
      return false
    }
  }
  const command = gatehouseCommand.join(' ')
  test.each([
    ['ends with it', `${command} serve --port 0`, false],
    ['ends with it when its output goes elsewhere', `${command} serve --port 0 > out.log 2> err.log`, false],
    ['goes on under nohup', `nohup ${command} serve --port 0 > out.log 2> err.log`, true],
  ])('%s', async (_, line, goesOn) => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-terminal-'))
    writeFileSync(join(folder, 'gatehouse.yaml'), echo)
    const { pid, alive } = await inTerminal(line, folder)
    expect(alive).toBe(goesOn)
    if (alive) process.kill(pid, 'SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
})
