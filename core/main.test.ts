import { describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gatehouseCommand, runGatehouse, startGatehouse } from './testing/gatehouse-process.ts'
import { listenOnFreePort } from './testing/server/free-port.ts'

const echo = { 'gatehouse.yaml': 'backends: { demo: { type: echo } }' }
const chat = (url: string, init: RequestInit = {}) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'one two three' }] }),
    ...init,
  })

describe('the command line', () => {
  test.each(['version', '--version', '-v'])('%s prints the version and exits 0', async argument => {
    const { code, stdout } = await runGatehouse({ args: [argument] })
    expect(stdout).toMatch(/^gatehouse \d+\.\d+\.\d+\n$/)
    expect(code).toBe(0)
  })

  test.each([[['version', '--json']], [['--version', '--json']], [['--json', '-v']]])('%p prints it as JSON', async args => {
    const { code, stdout } = await runGatehouse({ args })
    expect(JSON.parse(stdout)).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+$/) })
    expect(code).toBe(0)
  })

  test.each(['--help', '-h', 'help'])('%s lists the commands', async argument => {
    const { code, stdout } = await runGatehouse({ args: [argument] })
    expect(stdout).toContain('serve')
    expect(stdout).toContain('--config')
    expect(code).toBe(0)
  })

  test.each([
    [['serve', '--help'], 'Usage: gatehouse [serve | demo]'],
    [['demo', '-h'], 'Usage: gatehouse [serve | demo]'],
    [['config', '--help'], 'Usage: gatehouse config check'],
    [['config', 'check', '--help'], 'Usage: gatehouse config check'],
    [['doctor', '--help'], 'Usage: gatehouse doctor'],
    [['help', 'config'], 'Usage: gatehouse config check'],
    [['version', '--help'], 'Usage: gatehouse version'],
    [['-help'], 'Usage: gatehouse [command]'],
  ])('%p prints the help of that command and exits 0', async (args, line) => {
    const { code, stdout } = await runGatehouse({ args })
    expect(stdout).toContain(line)
    expect(code).toBe(0)
  })

  test.each([
    [['fly'], 'there is no command "fly"; gatehouse --help lists them'],
    [['sevre'], 'there is no command "sevre"; did you mean serve? gatehouse --help lists them'],
    [['--prot', '8080'], 'there is no option --prot; did you mean --port? gatehouse --help lists them'],
    [['--prot=1'], 'serve has no option --prot; did you mean --port? gatehouse serve --help lists its options'],
    [['doctor', '--jsn'], 'doctor has no option --jsn; did you mean --json? gatehouse doctor --help lists its options'],
    [['version', 'now'], 'version takes no argument "now"'],
    [['serve', '--port'], 'gatehouse serve --help lists its options'],
    [['-port=x'], '--port must be a whole number'],
    ...['plugin', 'import'].map((name): [string[], string] => [
      [name, 'create', '--name', 'x'],
      `${name} is not part of this release yet; gatehouse --help lists the commands there are`,
    ]),
    [['--port', '1', 'fly'], 'there is no command "fly"'],
    [['toString'], 'there is no command "toString"'],
    [['serve', '--prot', '1'], '--prot'],
    [['serve', '--port', 'abc'], '--port must be a whole number'],
    [['serve', 'now'], 'takes no argument "now"'],
    [['doctor', 'now'], 'takes no argument "now"'],
    [['serve', '--config', 'missing.yaml'], 'missing.yaml'],
    [['-config', 'missing.yaml'], 'missing.yaml'],
    [['-config=missing.yaml', 'serve'], 'missing.yaml'],
    [['-c', 'missing.yaml'], 'missing.yaml'],
  ])('%p is one clear line and exit 1', async (args, line) => {
    const { code, stderr } = await runGatehouse({ args })
    expect(stderr).toContain(line)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(code).toBe(1)
  })

  test('__runner comes before everything else, and is not for use by hand', async () => {
    const { code, stderr } = await runGatehouse({ args: ['__runner', '--help'], env: { PORT: 'abc' } })
    expect(stderr).toContain('not for use by hand')
    expect(code).toBe(2)
  })

  // llamagate.md 22, A2
  test.each<[string, Record<string, string>]>([
    ['PORT', { PORT: 'abc' }],
    ['PORT', { PORT: '0' }],
    ['PORT', { PORT: '70000' }],
    ['RATE_LIMIT_RPS', { RATE_LIMIT_RPS: '0' }],
    ['RATE_LIMIT_RPS', { RATE_LIMIT_RPS: 'x' }],
    ['TIMEOUT', { TIMEOUT: '5' }],
    ['TIMEOUT', { TIMEOUT: '31m' }],
    ['TIMEOUT', { TIMEOUT: '0s' }],
    ['OLLAMA_HOST', { OLLAMA_HOST: 'ftp://h' }],
    ['OLLAMA_HOST', { OLLAMA_HOST: 'localhost:1' }],
    ['TLS_ENABLED', { TLS_ENABLED: 'true' }],
    ['TLS_KEY_FILE', { TLS_ENABLED: 'true', TLS_CERT_FILE: 'cert.pem' }],
    ['TLS_CERT_FILE', { TLS_ENABLED: 'true', TLS_KEY_FILE: 'key.pem' }],
    ['MCP_MAX_TOOL_ROUNDS', { MCP_ENABLED: 'true', MCP_MAX_TOOL_ROUNDS: '0' }],
    ['MG_SERVER_PORT', { MG_SERVER_PORT: 'http' }],
  ])('%s, with %p, stops the start with one line that names it', async (name, env) => {
    const { code, stderr } = await runGatehouse({ env })
    expect(stderr).toContain(name)
    expect(stderr).toMatch(/^gatehouse: environment /)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(code).toBe(1)
  })

  // A3 to A6 are in core/config
  test.each(['30m', '1m30s'])('TIMEOUT=%s starts', async TIMEOUT => {
    await using gatehouse = await startGatehouse({ files: echo, env: { TIMEOUT } })
    expect((await fetch(`${gatehouse.url}/health/live`)).status).toBe(200)
  })

  test('an unknown key in gatehouse.yaml stops the start with a suggestion', async () => {
    const { code, stderr } = await runGatehouse({ files: { 'gatehouse.yaml': 'prot: 8080' } })
    expect(stderr).toContain('did you mean port?')
    expect(code).toBe(1)
  })

  test('a port that is taken is one clear line and exit 1', async () => {
    const server = createServer()
    const port = await listenOnFreePort(server)
    const { code, stderr } = await runGatehouse({ args: ['demo', '--port', String(port)] })
    expect(stderr).toContain(`port ${port} on 127.0.0.1 is taken`)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(code).toBe(1)
    server.close()
  })
})

describe.skipIf(process.platform === 'win32')('what it prints', () => {
  const command = gatehouseCommand.map(part => `'${part}'`).join(' ')
  /** Runs a line of sh with `$gatehouse` in an empty folder. */
  const shell = (line: string, files: Record<string, string> = {}) => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const env = { PATH: process.env.PATH ?? '', HOME: folder, PORT: '11439' }
    const { exitCode, stdout, stderr } = Bun.spawnSync(['sh', '-c', line.replaceAll('$gatehouse', command)], { cwd: folder, env })
    rmSync(folder, { recursive: true })
    return { code: exitCode, stdout: stdout.toString(), stderr: stderr.toString() }
  }
  const commands = ['version', '--help', 'config check', 'config schema', 'doctor']

  test.skipIf(process.platform !== 'linux').each(commands)('%s: to a full disk is one line and exit 1', args => {
    const { code, stderr } = shell(`$gatehouse ${args} > /dev/full`)
    expect(stderr).toBe('gatehouse: stdout cannot be written: no space is left on the device (ENOSPC)\n')
    expect(code).toBe(1)
  })

  test.each(commands)('%s: to a reader that has left is no mistake', args => {
    // the reader is gone before the writer begins
    const { stderr } = shell(`{ sleep 0.3; $gatehouse ${args}; echo "left $?" >&2; } | true`)
    expect(stderr).toMatch(args === 'doctor' ? /^left [01]\n$/ : /^left 0\n$/)
  })

  test.each(['serve', 'config check'])('%s: thousands of mistakes all arrive at a slow reader', args => {
    const yaml = Array.from({ length: 3000 }, (_, index) => `key-that-nobody-knows-${index}: 1`).join('\n')
    const { stdout } = shell(`{ $gatehouse ${args} 2>&1 >/dev/null; echo "left $?"; } | { sleep 1; cat; }`, { 'gatehouse.yaml': yaml })
    const lines = stdout.trim().split('\n')
    expect(lines.filter(line => line.includes('is not a setting'))).toHaveLength(3000)
    expect(lines.at(-1)).toBe('left 1')
  })
})

describe('a running gatehouse', () => {
  test('demo answers and says in its banner who may enter', async () => {
    await using gatehouse = await startGatehouse({ args: ['demo', '--port', '0'] })
    expect(gatehouse.output.stderr).toContain('the built-in echo model')
    expect(gatehouse.output.stderr).toContain('needs no key')
    const answer = (await (await chat(gatehouse.url)).json()) as { choices: { message: { content: string } }[] }
    expect(answer.choices[0]?.message.content).toBe('one two three')
  })

  test('listens on both loopback addresses', async () => {
    await using gatehouse = await startGatehouse({ files: echo })
    const { port } = new URL(gatehouse.url)
    expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200)
    expect((await fetch(`http://[::1]:${port}/health/live`)).status).toBe(200)
  })

  test('stays up without its Ollama, and finds it when it comes', async () => {
    const server = createServer()
    const port = await listenOnFreePort(server)
    await new Promise(resolve => server.close(resolve))
    await using gatehouse = await startGatehouse({ env: { OLLAMA_HOST: `http://127.0.0.1:${port}` } })
    const down = await fetch(`${gatehouse.url}/health`)
    expect(down.status).toBe(503)
    expect(await down.json()).toMatchObject({ status: 'unhealthy', error: 'Ollama unreachable', ollama_host: `http://127.0.0.1:${port}` })
    const ollama = Bun.serve({ port, hostname: '127.0.0.1', fetch: () => Response.json({ models: [] }) })
    const up = await fetch(`${gatehouse.url}/health`)
    expect(await up.json()).toEqual({ status: 'healthy', ollama: 'connected', ollama_host: `http://127.0.0.1:${port}` })
    await ollama.stop(true)
  })

  test('writes JSON lines, the first ones saying how it runs', async () => {
    await using gatehouse = await startGatehouse({ files: echo })
    await gatehouse.until(({ stdout }) => stdout.includes('authentication'), 'the line about authentication')
    const lines = gatehouse.output.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines[0]).toMatchObject({ level: 'info', message: 'Starting gatehouse', host: '127.0.0.1', rate_limit_rps: 50 })
    expect(lines[1]).toMatchObject({ level: 'warn', message: expect.stringContaining('authentication disabled') })
  })

  test('neither .env nor bunfig.toml of the working directory runs anything, but .env is read', async () => {
    await using gatehouse = await startGatehouse({
      files: { ...echo, '.env': 'API_KEY=from-dotenv\n', 'bunfig.toml': 'preload = ["./evil.ts"]', 'evil.ts': 'console.log("EVIL RAN")' },
    })
    expect((await chat(gatehouse.url)).status).toBe(401)
    expect((await chat(gatehouse.url, { headers: { 'x-api-key': 'from-dotenv' } })).status).toBe(200)
    if (process.env.GATEHOUSE_BINARY) expect(gatehouse.output.stdout).not.toContain('EVIL RAN')
  })
})

describe('a log that nobody reads', () => {
  const ask = async (url: string) => {
    for (let i = 0; i < 40; i++)
      await Promise.all(Array.from({ length: 50 }, () => fetch(`${url}/health/live`).then(response => response.text())))
  }
  const freePort = async () => {
    const server = createServer()
    const port = await listenOnFreePort(server)
    await new Promise(resolve => server.close(resolve))
    return port
  }

  test.each([
    ['a reader that stalls', '| sleep 30'],
    ['a full disk', '> /dev/full'],
  ])('%s stops neither the answers nor the stop', async (_, sink) => {
    const port = await freePort()
    const command = gatehouseCommand.map(part => `'${part}'`).join(' ')
    const shell = Bun.spawn(
      [
        'sh',
        '-c',
        `${command} demo --port ${port} & echo $! >&2; wait $!; echo "left $?" >&2`.replace(
          ' & ',
          ` ${sink.startsWith('>') ? sink : ''} & `,
        ),
      ],
      {
        stdin: 'ignore',
        // a pipe that is never read is the reader that stalls
        stdout: 'pipe',
        stderr: 'pipe',
        env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent' },
      },
    )
    let told = ''
    const reading = (async () => {
      for await (const bytes of shell.stderr) told += new TextDecoder().decode(bytes)
    })()
    const url = `http://127.0.0.1:${port}`
    for (
      let i = 0;
      i < 400 &&
      !(await fetch(`${url}/health/live`).then(
        ({ ok }) => ok,
        () => false,
      ));
      i++
    )
      await Bun.sleep(25)
    await ask(url)
    expect((await chat(url)).status).toBe(200)
    process.kill(Number(told.match(/^\d+$/m)?.[0]), 'SIGTERM')
    await reading
    expect(told).toContain('left 0')
  })
})

describe('a key of its own', () => {
  const everywhere = { HOST: '0.0.0.0' }
  const keysIn = (folder: string) => readdirSync(folder).filter(name => name.includes('api-key'))

  test('is made on an address that is not loopback, kept as a hash, and its file goes with the first use', async () => {
    await using gatehouse = await startGatehouse({ files: echo, env: everywhere })
    await gatehouse.until(({ stdout }) => stdout.includes('initial-api-key'), 'the path of the key')
    expect((await chat(gatehouse.url)).status).toBe(401)
    const data = join(gatehouse.folder, '.gatehouse')
    const file = join(data, 'initial-api-key')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const secret = readFileSync(file, 'utf8').trim()
    expect(gatehouse.output.stdout + gatehouse.output.stderr).not.toContain(secret)
    const response = await chat(gatehouse.url, { headers: { authorization: `Bearer ${secret}` } })
    expect(response.status).toBe(200)
    await response.text()
    for (let i = 0; i < 100 && readdirSync(data).includes('initial-api-key'); i++) await Bun.sleep(10)
    expect(keysIn(data)).toEqual(['api-key.sha256'])
    expect(readFileSync(join(data, 'api-key.sha256'), 'utf8')).not.toContain(secret)
  })

  test('is not locked in by a start that failed', async () => {
    const server = createServer()
    const port = await listenOnFreePort(server)
    await using _ = await startGatehouse({ files: echo })
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'))
    const env = { AUTH: 'required', DATA_DIR: folder }
    expect((await runGatehouse({ args: ['demo', '--port', String(port)], env })).code).toBe(1)
    expect(readdirSync(folder).filter(name => name.includes('key'))).toEqual([])
    server.close()
    rmSync(folder, { recursive: true })
  })

  test('in a folder that cannot be written is one clear line', async () => {
    const { code, stderr } = await runGatehouse({
      args: ['demo', '--port', '0'],
      files: { data: 'a file' },
      env: { AUTH: 'required', DATA_DIR: 'data' },
    })
    expect(stderr).toContain('choose another folder with DATA_DIR')
    expect(code).toBe(1)
  })

  test('is made when a key is required, even on loopback', async () => {
    await using gatehouse = await startGatehouse({ files: echo, env: { AUTH: 'required' } })
    expect((await chat(gatehouse.url)).status).toBe(401)
  })

  test('is not made when nobody is to be asked', async () => {
    await using gatehouse = await startGatehouse({ files: echo, env: { ...everywhere, AUTH: 'off' } })
    expect((await chat(gatehouse.url)).status).toBe(200)
  })
})

describe('stopping', () => {
  const slow = { 'gatehouse.yaml': 'backends: { demo: { type: echo, delay: 150ms } }' }

  test.each(['SIGTERM', 'SIGINT'] as const)('%s: what is in flight ends, new connections are refused, exit 0', async signal => {
    await using gatehouse = await startGatehouse({ files: slow })
    const response = await fetch(`${gatehouse.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'echo', stream: true, messages: [{ role: 'user', content: 'a b c d' }] }),
    })
    gatehouse.signal(signal)
    await gatehouse.until(({ stdout }) => stdout.includes('Shutting down') || true, 'the stop to begin')
    expect(await response.text()).toEndWith('data: [DONE]\n\n')
    expect(await gatehouse.exited).toBe(0)
    expect(fetch(`${gatehouse.url}/health/live`)).rejects.toThrow()
    expect(gatehouse.output.stdout).toContain('Server exited gracefully')
  })

  test('at the deadline a stream gets a terminal event, exit 0', async () => {
    await using gatehouse = await startGatehouse({ files: slow, env: { SHUTDOWN_TIMEOUT: '300ms' } })
    const response = await fetch(`${gatehouse.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'echo', stream: true, messages: [{ role: 'user', content: 'word '.repeat(200) }] }),
    })
    gatehouse.signal('SIGTERM')
    const text = await response.text()
    const last = text.trimEnd().split('\n\n').at(-1) as string
    expect(JSON.parse(last.slice('data: '.length))).toMatchObject({ error: { type: 'service_unavailable', code: 'stopping' } })
    expect(text).not.toContain('[DONE]')
    expect(await gatehouse.exited).toBe(0)
  })

  test('a large answer that is still being read is sent to its end', async () => {
    const upstream = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: () => Response.json({ choices: [{ message: { role: 'assistant', content: 'x'.repeat(12_000_000) }, finish_reason: 'stop' }] }),
    })
    const yaml = `backends: { up: { type: openai-compatible, base_url: '${upstream.url.origin}' } }`
    await using gatehouse = await startGatehouse({ files: { 'gatehouse.yaml': yaml } })
    const response = await chat(gatehouse.url)
    gatehouse.signal('SIGTERM')
    await gatehouse.until(({ stdout }) => stdout.includes('Shutting down'), 'the stop to begin')
    expect((await response.text()).length).toBeGreaterThan(12_000_000)
    expect(await gatehouse.exited).toBe(0)
    await upstream.stop(true)
  })

  test('a second signal forces', async () => {
    await using gatehouse = await startGatehouse({ files: slow })
    const response = await fetch(`${gatehouse.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'echo', stream: true, messages: [{ role: 'user', content: 'word '.repeat(200) }] }),
    })
    const reading = response.text().catch(() => 'cut')
    gatehouse.signal('SIGTERM')
    await Bun.sleep(200)
    gatehouse.signal('SIGTERM')
    expect(await gatehouse.exited).toBe(1)
    await reading
  })
})

describe('plugins from files', () => {
  const quietHours = `
    import { definePlugin, GatewayError, v, type Context } from 'gatehouse'
    export default definePlugin({
      name: 'quiet-hours',
      options: v.strictObject({ message: v.string() }),
      setup: ({ message }) => ({
        handle(ctx: Context, next) {
          if (ctx.payload.model === 'echo') return next()
          throw new GatewayError(503, 'server_error', 'quiet_hours', message, { headers: { 'retry-after': '3600' } })
        },
      }),
    })`
  const config = (more: string) =>
    `backends: { demo: { type: echo } }\npipeline: [auth, limiter, ./plugins/quiet-hours.ts, cache, quota, mcp-tools, router]\n${more}`

  test('a TypeScript file takes part in the pipeline, with nothing installed', async () => {
    await using gatehouse = await startGatehouse({
      files: { 'plugins/quiet-hours.ts': quietHours, 'gatehouse.yaml': config('quiet-hours: { message: asleep }') },
    })
    expect((await chat(gatehouse.url)).status).toBe(200)
    const response = await chat(gatehouse.url, { body: JSON.stringify({ model: 'other', messages: [{ role: 'user', content: 'x' }] }) })
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('3600')
    expect(await response.json()).toMatchObject({ error: { code: 'quiet_hours', message: 'asleep' } })
  })

  test.each([
    ['a misspelt option', config('quiet-hours: { mesage: asleep }'), quietHours, 'quiet-hours'],
    ['a missing option', config(''), quietHours, 'quiet-hours.message'],
    ['options for nobody', config('quiet-hours: { message: a }\nquiet-hour: {}'), quietHours, 'quiet-hour'],
    [
      'an option of a built-in plugin',
      config('quiet-hours: { message: a }\nrouter: { retrys: 1 }'),
      quietHours,
      'router.retrys: is not a setting; did you mean retries?',
    ],
    [
      'a name that is nearly a plugin',
      config('').replace('auth', 'auht'),
      quietHours,
      'pipeline[0]: there is no plugin "auht"; did you mean auth?',
    ],
    ['a syntax error', config(''), 'export default {', 'plugins/quiet-hours.ts could not be loaded'],
    ['no plugin in the file', config(''), 'export default 7', 'is not a plugin'],
    ['a package that is not there', config(''), `import 'left-pad-missing'\n${quietHours}`, 'left-pad-missing'],
    [
      'a throw at setup',
      config(''),
      `export default { name: 'quiet-hours', setup() { throw new Error('no disk') } }`,
      'plugin quiet-hours: no disk',
    ],
  ])('%s stops the start with a line that says so', async (_, yaml, plugin, line) => {
    const { code, stderr } = await runGatehouse({
      args: ['serve', '--port', '0'],
      files: { 'plugins/quiet-hours.ts': plugin, 'gatehouse.yaml': yaml },
    })
    expect(stderr).toContain(line)
    expect(code).toBe(1)
  })

  test('a built-in plugin copied to disk under another name behaves the same', async () => {
    const source = (name: string) => Bun.file(new URL(`../plugins/limiter/${name}`, import.meta.url)).text()
    const copy = (await source('index.ts')).replace("name: 'limiter'", "name: 'my-limiter'")
    expect(copy).toContain("'my-limiter'")
    const files = { 'my-limiter.ts': copy, 'places.ts': await source('places.ts'), 'rates.ts': await source('rates.ts') }
    const yaml = (name: string) => `backends: { demo: { type: echo } }\nrate_limit_rps: 3\npipeline: [auth, ${name}, router]`
    const answers = async (name: string) => {
      await using gatehouse = await startGatehouse({ files: { ...files, 'gatehouse.yaml': yaml(name) } })
      const responses = await Promise.all(Array.from({ length: 6 }, () => chat(gatehouse.url)))
      const refused = responses.find(response => response.status === 429) as Response
      const { error } = (await refused.json()) as { error: Record<string, unknown> }
      return {
        statuses: responses.map(({ status }) => status).sort(),
        retryAfter: refused.headers.get('retry-after'),
        error: { ...error, request_id: '' },
        unknownPath: (await fetch(`${gatehouse.url}/nope`)).status,
      }
    }
    const own = await answers('limiter')
    expect(own.statuses).toContain(429)
    expect(await answers('./my-limiter.ts')).toEqual(own)
  })
})
