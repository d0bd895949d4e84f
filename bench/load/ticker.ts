import { Worker } from 'node:worker_threads'
import type { ScheduleOrder } from './schedule.ts'

/** What the thread that keeps the time is told. */
export interface TickerOrder extends ScheduleOrder {
  /** On `clock()`. */
  readonly beginAt: number
  readonly endAt: number
}

/**
 * Calls `onDue` with how many departures are due so far. A thread of its own sleeps until each of them: timers of the
 * runtime come in whole milliseconds, and a loop that only waits would take a core from those who are measured.
 */
export function startTicker(order: TickerOrder, onDue: (count: number) => void): { stop(): void } {
  const worker = new Worker(new URL('./ticker-thread.ts', import.meta.url), { workerData: order })
  worker.on('message', onDue)
  return { stop: () => void worker.terminate() }
}
