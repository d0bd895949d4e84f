import { expect, test } from 'bun:test'
import { fakeOllama } from '../testing/fake-ollama.ts'
import { startGatehouse } from '../testing/gatehouse-process.ts'

test('an HTTP_PROXY in the environment does not get the prompts for a model of this machine', async () => {
  await using ollama = await fakeOllama()
  const seen: string[] = []
  using proxy = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: ({ url }) => {
      seen.push(url)
      return new Response('no', { status: 502 })
    },
  })
  const address = `http://127.0.0.1:${proxy.port}`
  await using house = await startGatehouse({ env: { OLLAMA_HOST: ollama.url, HTTP_PROXY: address, http_proxy: address } })
  for (const stream of [false, true]) {
    const body = JSON.stringify({ model: 'echo', stream, messages: [{ role: 'user', content: 'hi' }] })
    const response = await fetch(`${house.url}/v1/chat/completions`, { method: 'POST', body })
    expect(response.status).toBe(200)
    await response.text()
  }
  expect(seen).toEqual([])
})
