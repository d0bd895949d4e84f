import { streamRequest, wholeRequest } from '../wire/requests.ts'
import { connect, type Line } from './connect.ts'

export interface SequentialOrder {
  readonly url: string
  readonly requests: number
  readonly warmUp: number
  /** Events per stream; without it, whole answers are asked for. */
  readonly events?: number
}

export interface SequentialResult {
  /** Milliseconds from the request to the whole answer, or to the first event of the stream. */
  readonly times: readonly number[]
}

/** One connection, one request after the other. */
export async function sequential({ url: address, requests, warmUp, events }: SequentialOrder): Promise<SequentialResult> {
  const url = new URL(address)
  const times: number[] = []
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let line: Line
  let count = 0
  let sentAt = 0
  let firstAt = 0

  const next = () => {
    if (count === warmUp + requests) {
      line.end()
      return resolve()
    }
    const request = events === undefined ? wholeRequest(url.host) : streamRequest(url.host, count, events)
    count++
    firstAt = 0
    sentAt = performance.now()
    line.send(request)
  }
  line = await connect(url, {
    head(status) {
      if (status !== 200) reject(new Error(`status ${status}`))
    },
    body(bytes) {
      if (firstAt === 0 && bytes.indexOf('data:') !== -1) firstAt = performance.now()
    },
    end() {
      const until = events === undefined ? performance.now() : firstAt
      if (until === 0) return reject(new Error('a stream without events'))
      if (count > warmUp) times.push(until - sentAt)
      next()
    },
    lost: why => reject(new Error(why)),
  })
  next()
  await promise
  return { times }
}
