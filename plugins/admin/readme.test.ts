import { expect, test } from 'bun:test'
import { fakeOllama } from '../../core/testing/fake-ollama.ts'
import { adminKey, openAdminHouse } from './testing/house.ts'

const readme = await Bun.file(new URL('README.md', import.meta.url)).text()
/** The lines of the README, as a person would copy them; what stands in quotes may go over several lines. */
const lines = [...readme.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block]) =>
  (block as string).split(/\n(?=curl )/).map(line => line.trim()),
)

test.skipIf(!Bun.which('curl') || !Bun.which('sh'))('every curl line of the README works', async () => {
  await using ollama = await fakeOllama()
  await using house = await openAdminHouse({ yaml: { backends: { home: { type: 'ollama', base_url: ollama.url } } } })
  expect(lines.length).toBeGreaterThan(15)
  for (const line of lines) {
    const run = Bun.spawn(['sh', '-c', line.replace(/^curl /, `curl -s -w '\\n%{http_code}' `)], {
      env: { PATH: process.env.PATH ?? '', URL: house.url, ADMIN_KEY: adminKey, OLLAMA: ollama.url },
      stdout: 'pipe',
    })
    const [body = '', status] = (await run.stdout.text()).split(/\n(?=\d+$)/)
    expect([line, body, [200, 201, 204].includes(Number(status))]).toEqual([line, body, true])
  }
})

test.skipIf(!Bun.which('curl'))("ModelGate's curl lines work with a key that was made here", async () => {
  await using ollama = await fakeOllama({ models: ['qwen3:8b', 'echo'] })
  await using house = await openAdminHouse({ yaml: { auth: 'required', backends: { ollama: { type: 'ollama', base_url: ollama.url } } } })
  const { key } = (await house.ask('POST', '/admin/keys', { name: 'user1', quota: 1_000_000, rate_limit: 60 })).json
  await house.ask('POST', '/admin/models', { name: 'qwen3:8b', backend: 'ollama', base_url: ollama.url, upstream_model: 'echo' })
  const curl = async (...args: string[]) => JSON.parse(await Bun.spawn(['curl', '-s', ...args], { stdout: 'pipe' }).stdout.text())
  const chat = await curl(
    ...['-X', 'POST', `${house.url}/v1/chat/completions`, '-H', `Authorization: Bearer ${key}`, '-H', 'Content-Type: application/json'],
    ...['-d', '{\n    "model": "qwen3:8b",\n    "messages": [{"role": "user", "content": "Hello!"}]\n  }'],
  )
  expect(chat).toMatchObject({ object: 'chat.completion', model: 'qwen3:8b' })
  const models = await curl(`${house.url}/v1/models`, '-H', `Authorization: Bearer ${key}`)
  expect(models.data.map(({ id }: { id: string }) => id)).toContain('qwen3:8b')
})
