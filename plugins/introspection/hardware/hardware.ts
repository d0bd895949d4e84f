import { keep } from '../kept.ts'
import { detectMachine, type Machine } from './detect.ts'
import { type Memory, readMemory } from './memory.ts'
import type { Probe } from './probe.ts'

/** The machine, as far as programs on it can say. */
export interface Hardware {
  /** Asks the tools at most every five minutes, however often it is called. */
  machine(): Promise<Machine>
  /** Now; no process is started for it. */
  memory(): Promise<Memory>
  /** Ends a tool that still runs. */
  close(): void
}

const freshMs = 5 * 60_000

/** Looks at nothing before it is asked. `onFailed` is called for each look at the machine that showed nothing. */
export function createHardware(probe: Probe, onFailed: (error: unknown) => void = () => {}): Hardware {
  const closed = new AbortController()
  const machine = keep({
    freshMs,
    now: probe.now,
    load: () =>
      detectMachine(probe, closed.signal).catch((error: unknown) => {
        onFailed(error)
        throw error
      }),
  })
  return {
    machine: machine.get,
    memory: () => readMemory(probe),
    close: () => closed.abort(),
  }
}
