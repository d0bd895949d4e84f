import { parentPort, workerData } from 'node:worker_threads'
import { clock } from '../wire/events.ts'
import { createSchedule } from './schedule.ts'
import type { TickerOrder } from './ticker.ts'

/** Wakes closer together than this cost more than they say; a departure is at most so much late because of it. */
const quantumMs = 0.1

const { beginAt, endAt, ...order } = workerData as TickerOrder
const next = createSchedule(order)
const never = new Int32Array(new SharedArrayBuffer(4))
let [count, due] = [0, beginAt + next()]

while (due < endAt) {
  const waitMs = due - clock()
  if (waitMs > 0) Atomics.wait(never, 0, 0, Math.max(waitMs, quantumMs))
  for (const now = clock(); due <= now && due < endAt; due = beginAt + next()) count++
  parentPort?.postMessage(count)
}
