import { expect, test } from 'bun:test'
import { startUpstream } from './house/upstream.ts'
import { closedLoop } from './load/closed-loop.ts'

test('whole answers and streams come as the load generator expects them, and every answer is counted', async () => {
  await using upstream = await startUpstream({ intervalMs: 0 })
  const run = (order: object) => closedLoop({ url: upstream.url, connections: 5, requests: 50, ...order }, () => {})
  expect(await run({})).toMatchObject({ answers: 50, total: 50, wrong: 0 })
  expect(await run({ events: 20 })).toMatchObject({ answers: 50, total: 50, wrong: 0 })
  expect((await upstream.report()).answered).toBe(100)
  expect(await run({ url: `${upstream.url}/elsewhere` })).toMatchObject({ wrong: 0 })
})

test('a client that asks for a closing connection gets it, after the last byte', async () => {
  await using upstream = await startUpstream({ intervalMs: 0 })
  const ask = async (more: object) => {
    const response = await fetch(`${upstream.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { connection: 'close' },
      body: JSON.stringify({ max_tokens: 3, ...more }),
    })
    return response.text()
  }
  expect(await ask({})).toContain('"finish_reason":"stop"')
  expect(await ask({ stream: true })).toEndWith('data: [DONE]\n\n')
  expect(await ask({ stream: true, stream_options: { include_usage: true } })).toContain('"usage":{')
  expect(await ask({ stream: true })).not.toContain('"usage":{')
})

test('a port that is taken is said', async () => {
  await using upstream = await startUpstream()
  const port = Number(new URL(upstream.url).port)
  await expect(startUpstream({ port })).rejects.toThrow(`cannot listen on port ${port}`)
})
