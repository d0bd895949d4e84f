import { expect, test } from 'bun:test'
import { fakeOpenai } from '../../core/testing/fake-openai.ts'
import { allSettled } from '../../core/testing/keyed.ts'
import { makeKey } from '../../core/testing/managed-key.ts'
import { allKinds, echoOnly, fakeTools } from './testing/fake-tools.ts'
import { openRig } from './testing/house.ts'

test('what tools said is never kept; what needed none is, until the tools are others', async () => {
  await using fake = await fakeOpenai()
  await using house = await openRig({ upstream: fake, above: ['cache'], yaml: { cache: {} } })
  const ask = async (fields: object, headers = {}) => {
    const response = await house.chat(fields, headers)
    return `${response.headers.get('x-cache')} ${JSON.parse(await response.text()).choices[0].message.content}`
  }
  for (let calls = 1; calls <= 2; calls++) {
    expect(await ask({})).toBe('MISS the tool said: ALPHA x')
    expect(house.tools.calls).toHaveLength(calls)
  }
  const first = await ask({ model: 'echo' })
  expect(await ask({ model: 'echo' })).toBe(first.replace('MISS', 'HIT'))
  expect(await ask({ model: 'echo' }, { 'x-mcp-tools': 'none' })).toStartWith('MISS')
  house.tools.offer([...echoOnly, ...allKinds.filter(({ name }) => name === 'img')])
  const other = await ask({ model: 'echo' })
  expect(other).toStartWith('MISS')
  house.tools.offer([...echoOnly])
  expect(await ask({ model: 'echo' })).toBe(first.replace('MISS', 'HIT'))
  for (const _ of [1, 2])
    expect(await ask({ model: 'echo', messages: [{ role: 'user', content: 'mcp://web/file:///a.txt' }] })).toStartWith('BYPASS')
  expect(house.tools.reads).toHaveLength(2)
})

test.each([false, true])('all turns are charged once (stream: %p)', async stream => {
  await using fake = await fakeOpenai()
  await using house = await openRig({ upstream: fake, above: ['quota'], tools: fakeTools() })
  const key = await makeKey(house, { quota: 1_000_000, allowedTools: ['*'] })
  await (await house.chat({ stream }, key.headers)).text()
  expect(await allSettled(house, key)).toMatchObject({ used: 36, reserved: 0 })
  expect(house.tools.calls).toHaveLength(1)
})
