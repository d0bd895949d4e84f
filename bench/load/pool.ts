import { clock } from '../wire/events.ts'
import { createAnswerCheck, type Expected } from './answer-check.ts'
import { connect, type Line } from './connect.ts'

export interface PoolOptions extends Expected {
  readonly url: URL
  /** The bytes of the request. */
  readonly request: Buffer
  readonly connections: number
  readonly mostConnections: number
}

/** What is told of the requests; times are on `clock()`. */
export interface PoolListener {
  answered(intended: number, at: number): void
  failed(why: string): void
}

/** Connections that carry one request at a time. */
export interface Pool {
  /** Sends a request on the connection that has rested longest, or on a new one; when there are enough, on the first that gets free. */
  depart(intended: number): void
  /** Waits until all is answered or it is `until`; gives the intended times of what was not. */
  drain(until: number): Promise<readonly number[]>
  readonly size: number
}

interface Lane {
  readonly line: Line
  /** When the request it carries should have left. */
  intended: number | undefined
}

/** Opens the first connections; more are opened while none is free. */
export async function createPool(options: PoolOptions, listener: PoolListener): Promise<Pool> {
  const { url, request, connections, mostConnections } = options
  const lanes = new Set<Lane>()
  const idle = new Set<Lane>()
  const waiting: number[] = []
  let opening = 0

  const serve = () => {
    while (waiting.length > 0) {
      const [lane] = idle
      if (!lane) break
      idle.delete(lane)
      lane.intended = waiting.shift() as number
      lane.line.send(request)
    }
    while (waiting.length > opening && lanes.size + opening < mostConnections) void open()
  }
  const open = async () => {
    opening++
    try {
      await openLane()
    } catch (error) {
      // the request it was opened for has failed with it
      if (waiting.shift() !== undefined) listener.failed(`no connection: ${error instanceof Error ? error.message : error}`)
    }
    opening--
    serve()
  }
  const openLane = async () => {
    const check = createAnswerCheck(options)
    const line = await connect(url, {
      head: check.head,
      body: check.body,
      end() {
        const at = options.events === undefined ? clock() : check.firstAt + performance.timeOrigin
        const fault = check.fault()
        if (fault === undefined) listener.answered(lane.intended as number, at)
        else listener.failed(fault)
        lane.intended = undefined
        idle.add(lane)
        serve()
      },
      lost(why) {
        lanes.delete(lane)
        idle.delete(lane)
        // a server may close a connection that rests; that costs nobody an answer
        if (lane.intended !== undefined) listener.failed(why)
        serve()
      },
    })
    const lane: Lane = { line, intended: undefined }
    lanes.add(lane)
    idle.add(lane)
  }

  await Promise.all(Array.from({ length: connections }, openLane))
  return {
    depart(intended) {
      waiting.push(intended)
      serve()
    },
    async drain(until) {
      const unanswered = () => [...[...lanes].flatMap(({ intended }) => intended ?? []), ...waiting]
      while (unanswered().length > 0 && clock() < until) await Bun.sleep(5)
      return unanswered()
    },
    get size() {
      return lanes.size
    },
  }
}
