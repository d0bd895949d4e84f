import { describe, expect, test } from 'bun:test'
import { runGatehouse, startGatehouse } from '../../testing/gatehouse-process.ts'
import { complaints, tryConfig } from '../try-config.ts'
import { type Example, examples } from './testing.ts'

/** For each example: a value made wrong, and the line that answers it. */
const wrong: Readonly<Record<string, readonly [from: string, to: string, line: string]>> = {
  'llamagate/two-servers.yaml': [
    'max_tool_rounds: 10',
    'max_tool_rounds: 0',
    'llamagate.yaml: mcp.max_tool_rounds: must be a whole number from 1, not 0',
  ],
  'llamagate/demo.yaml': [
    'transport: stdio',
    'transport: pipe',
    'llamagate.yaml: mcp.servers[0].transport: must be one of stdio, http, sse, not "pipe"',
  ],
  'llamagate/quickstart.yaml': [
    '      timeout: 30s',
    '      timeout: 30',
    'llamagate.yaml: mcp.servers[0].timeout: must be a duration such as 30s or 1m30s, longer than 0s and at most 576h, not 30',
  ],
  'llamagate/remote-server.yaml': [
    'url: http://remote',
    'url: remote',
    'llamagate.yaml: mcp.servers[0].url: must be an address that starts with http:// or https://',
  ],
  'llamagate/names.yaml': [
    'port: "3333"',
    'port: "33333333"',
    'llamagate.yaml: port: must be a whole number from 1 to 65535, not "33333333"',
  ],
  'llamagate/off.json': [
    '"transport": "http", "url": "http://127.0.0.1:3000/mcp"',
    '"transport": "http"',
    'llamagate.json: mcp.servers[0].url: is missing; with transport http it is the address of the server',
  ],
  'llamagate/example.env': [
    'RATE_LIMIT_RPS=50',
    'RATE_LIMIT_RPS=0',
    '.env RATE_LIMIT_RPS: rate_limit_rps: must be a number greater than 0, not "0"',
  ],
  'modelgate/table.yaml': [
    'port: 8080',
    'port: 808000',
    'configs/config.yaml: server.port: must be a whole number from 1 to 65535, not 808000',
  ],
  'modelgate/shipped.yaml': [
    'base_url: http://localhost:8000',
    'base_url: localhost:8000',
    'configs/config.yaml: adapters.vllm.base_url: must be an address that starts with http:// or https:// and has no ? or #, for example http://localhost:11434, not "localhost:8000"',
  ],
  'modelgate/postgres.yaml': [
    'addr: redis.example.org:6380',
    'addr: redis.example.org:port',
    'configs/config.yaml: redis.addr: must be HOST:PORT, for example localhost:6379',
  ],
  'modelgate/first.yaml': [
    'type: "ollama"',
    'type: "olama"',
    'configs/config.yaml: backends[0].type: must be one of ollama, openai, vllm, llamacpp, openai-compatible, api3, echo, not "olama"; did you mean ollama?',
  ],
  'modelgate/admin-key.yaml': ['"not-a-real-admin-key"', '[a, b]', 'configs/config.yaml: admin.api_key: must be text in quotes'],
  'modelgate/example.env': [
    'MG_SERVER_PORT=18080',
    'MG_SERVER_PORT=http',
    '.env MG_SERVER_PORT: server.port: must be a whole number from 1 to 65535, not "http"',
  ],
  'llamawrapper/linux.yaml': [
    'listen_addr: ":8000"',
    'listen_addr: ":80000"',
    'config.yaml: listen_addr: must be ":PORT" or "ADDRESS:PORT" with an IP address or localhost, for example ":8000" or "127.0.0.1:8000", not ":80000"',
  ],
  'llamawrapper/macos.yaml': [
    'gpu_layers: -1',
    'gpu_layers: -2',
    'config.yaml: models[0].gpu_layers: must be a whole number from -1, not -2',
  ],
  'llamawrapper/quickstart.yaml': [
    '    model_path: "/path/to/models/qwen3-8b-q4_k_m.gguf"\n',
    '',
    'config.yaml: models[0].model_path: is missing; write the path of the .gguf file',
  ],
  'llamawrapper/everything.yaml': [
    'health_check_sec: 10',
    'health_check_sec: 0',
    'config.yaml: health_check_sec: must be a number greater than 0, not 0',
  ],
}

test('each example has a value to make wrong', () => {
  expect(examples.map(({ name }) => name).sort()).toEqual(Object.keys(wrong).sort())
})

describe.each(examples.map((example): [string, Example] => [example.name, example]))('%s', (name, { place, text }) => {
  const [from, to, line] = wrong[name] as readonly [string, string, string]
  const broken = text.replace(from, to)
  const env = { OLLAMA_AUTOSTART: 'false', LOG_FORMAT: 'json' }

  test('is understood as it is', async () => {
    const { file, notes, format } = await tryConfig({ files: { [place]: text } })
    expect(format as string | undefined).toBe(place === '.env' ? undefined : name.split('/')[0])
    expect(notes).toHaveLength(place === '.env' ? 0 : 1)
    expect(file === undefined).toBe(place === '.env')
  })

  test('starts gatehouse as it is', async () => {
    await using gatehouse = await startGatehouse({ env, files: { [place]: text } })
    expect((await fetch(`${gatehouse.url}/health/live`)).status).toBe(200)
  })

  test('with a wrong value: one line that names the file and the setting by its own name', async () => {
    expect(broken).not.toBe(text)
    expect(await complaints({ files: { [place]: broken } })).toEqual([place === '.env' ? line : `CWD/${line}`])
    const { code, stderr } = await runGatehouse({ args: ['serve'], env, files: { [place]: broken } })
    expect(stderr.trim().split('\n')).toHaveLength(1)
    // from the sources, the runtime has read .env before us
    expect(stderr).toContain(line.replace(/^\.env /, ''))
    expect(code).toBe(1)
  })
})
