import { afterAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { type Abort, clientLeft, openAbort } from './abort.ts'

/** A real request: its own signal must be the runtime's. */
const requests: ((request: Request) => Promise<void>)[] = []
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    await requests.shift()?.(request)
    return new Response('answered')
  },
})
afterAll(() => server.stop(true))

/** Sends a request whose client stays until `leave` is called. */
function send(body = 'hi', declared = body.length) {
  const socket = connect(Number(server.port), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${declared}\r\n\r\n${body}`)
  return { leave: () => socket.destroy() }
}

/** Runs `work` with the abort of a request, and waits until it is through. */
function within(
  work: (abort: Abort, leave: () => void, request: Request) => Promise<void>,
  body?: string,
  declared?: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    requests.push(request => work(openAbort(request), () => client.leave(), request).then(resolve, reject))
    const client = send(body, declared)
  })
}

/** What a promise is rejected with; `rejects` would hold up the server it waits for. */
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    error => error,
  )

const gone = async (request: Request) => {
  while (!request.signal.aborted) await Bun.sleep(1)
}

describe('a client that leaves', () => {
  test('aborts a signal that was asked for before', () =>
    within(async (abort, leave, request) => {
      const { signal } = abort
      expect(signal.aborted).toBe(false)
      expect(abort.reason()).toBeUndefined()
      leave()
      await gone(request)
      expect(signal.aborted).toBe(true)
      expect(signal.reason).toBe(clientLeft)
      expect(abort.reason()).toBe(clientLeft)
    }))

  test('is known to a signal that was only asked for afterwards', () =>
    within(async (abort, leave, request) => {
      leave()
      await gone(request)
      expect(abort.signal.aborted).toBe(true)
      expect(abort.signal.reason).toBe(clientLeft)
    }))

  test('is the reason, also when nobody asked for a signal', () =>
    within(async (abort, leave, request) => {
      leave()
      await gone(request)
      expect(abort.reason()).toBe(clientLeft)
    }))

  test('in the middle of its body ends the wait for it', () =>
    within(
      async (abort, leave, request) => {
        const read = abort.orAborted(request.bytes())
        leave()
        expect(await failure(read)).toBeDefined()
        expect(abort.reason()).toBe(clientLeft)
      },
      'half',
      100,
    ))

  test('does not take the place of a reason from inside the house', () =>
    within(async (abort, leave, request) => {
      const reason = new Error('stopping')
      abort.abort(reason)
      leave()
      await gone(request)
      expect(abort.reason()).toBe(reason)
      expect(abort.signal.reason).toBe(reason)
    }))

  test('is no matter any more once the request is over', () =>
    within(async (abort, leave, request) => {
      const { signal } = abort
      abort.close()
      leave()
      await gone(request)
      expect(signal.aborted).toBe(false)
    }))
})

describe('an abort from inside', () => {
  test('ends what is waited for, the signal, and what is waited for later; the first reason counts', () =>
    within(async abort => {
      const [first, second] = [new Error('first'), new Error('second')]
      const waiting = abort.orAborted(new Promise(() => {}))
      const { signal } = abort
      abort.abort(first)
      abort.abort(second)
      expect(await failure(waiting)).toBe(first)
      expect(signal.reason).toBe(first)
      expect(await failure(abort.orAborted(Promise.resolve(1)))).toBe(first)
    }))

  test('comes too late for work that is done', () =>
    within(async abort => {
      expect(await abort.orAborted(Promise.resolve('done'))).toBe('done')
      const late = new Error('late')
      abort.abort(late)
      expect(await failure(abort.orAborted(Promise.reject(new Error('own'))))).toBe(late)
    }))
})
