import { expect, test } from 'bun:test'
import type { Remote } from '../remote.ts'
import { progressLine, withProgress } from './progress.ts'

const row = { model: 'm', state: 'starting', in_flight: 0, queued: 1 }

test.each([
  [{}, 'm: starting, 12s'],
  [{ state: 'stopped' }, 'm: waiting for room, 12s'],
  [{ queued: 4 }, 'm: starting, 4 wait, 12s'],
  [{ state: 'stopping', in_flight: 2 }, 'm: stopping, 2 in flight, 12s'],
])('%p is "%s"', (more, line) => {
  expect(progressLine({ ...row, ...more }, 12_900)).toBe(line)
})

/** A gatehouse that knows the model, and a terminal that remembers. */
function stage(isTTY: boolean, columns = 80) {
  const written: string[] = []
  const { promise: shown, resolve } = Promise.withResolvers<void>()
  const write = (text: string) => {
    written.push(text)
    resolve()
  }
  let asked = 0
  const ask = async () => {
    asked++
    return { data: [{ ...row, model: 'm\u001b[2J' }, row] }
  }
  return { remote: { ask } as Pick<Remote, 'ask'>, screen: { isTTY, columns, write }, shown, written, asked: () => asked }
}

test('a terminal shows one line, and none at the end', async () => {
  const { remote, screen, shown, written } = stage(true)
  expect(
    await withProgress(
      remote,
      'm',
      shown.then(() => 'done'),
      screen,
    ),
  ).toBe('done')
  expect(written).toEqual(['\r\u001b[Km: starting, 0s', '\r\u001b[K'])
})

test('what a terminal would act on is shown, and a line is no wider than it', async () => {
  const { remote, screen, shown, written } = stage(true, 12)
  await withProgress(remote, 'm\u001b[2J', shown, screen)
  expect(written[0]).toBe('\r\u001b[Km\\u001b[2J…')
})

test('a failure is the failure of the work, and the line is gone', async () => {
  const { remote, screen, written } = stage(true)
  const broken: Pick<Remote, 'ask'> = { ...remote, ask: () => Promise.reject(new Error('no /running there')) }
  await expect(withProgress(broken, 'm', Promise.reject(new Error('the reason')), screen)).rejects.toThrow('the reason')
  expect(written).toEqual(['\r\u001b[K'])
})

test('without a terminal nothing is asked and nothing shown', async () => {
  const { remote, screen, written, asked } = stage(false)
  expect(await withProgress(remote, 'm', Promise.resolve(1), screen)).toBe(1)
  expect([asked(), written]).toEqual([0, []])
})
