import { type Breaker, type BreakerTools, createBreaker } from './breaker.ts'
import { createDecayedMedian, type DecayedMedian } from './decayed-median.ts'

/** What is known of one target. */
export interface TargetRecord {
  readonly breaker: Breaker
  readonly firstToken: DecayedMedian
  inFlight: number
  requests: number
  failures: number
  passedOver: number
}

/** The records of all targets that were used. */
export interface TargetRecords {
  of(id: string): TargetRecord
  entries(): Iterable<readonly [string, TargetRecord]>
}

/** Names of models may come from clients (`*`), and so without end; beyond so many, one is forgotten, if possible one that may be used. */
const most = 1024

/** No records. */
export function createTargetRecords(tools: BreakerTools): TargetRecords {
  const records = new Map<string, TargetRecord>()
  const forgetOne = () => {
    const idle = () => records.entries().filter(([, { inFlight }]) => inFlight === 0)
    const usable = idle().find(([, { breaker }]) => breaker.restMs === 0)
    const [id] = usable ?? idle().next().value ?? []
    if (id !== undefined) records.delete(id)
  }
  return {
    of(id) {
      const known = records.get(id)
      if (known) return known
      if (records.size >= most) forgetOne()
      const record: TargetRecord = {
        ...{ breaker: createBreaker(tools), firstToken: createDecayedMedian(tools.now) },
        ...{ inFlight: 0, requests: 0, failures: 0, passedOver: Number.POSITIVE_INFINITY },
      }
      records.set(id, record)
      return record
    },
    entries: () => records.entries(),
  }
}
