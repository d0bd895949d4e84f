import { rowCost } from '../columns.ts'
import type { Limits } from '../memory.ts'
import { blockBytes, blockCost } from '../slabs.ts'
import { headBytes } from './answers.ts'

/** The bytes of an answer, and how many blocks they take as long as somebody has them. */
export interface PlainChain {
  bytes: Buffer
  blocks: number
}

export interface PlainRecording {
  readonly chain: PlainChain
  keepable: boolean
  kept: boolean
  forgotten: number
}

interface Entry {
  readonly chain: PlainChain
  readonly model: string
  readonly at: number
}

/** What `createMemory` promises, in plain maps: slow, and short enough to be believed. */
export function createPlainMemory(first: Limits, now: () => number) {
  let limits = first
  const entries = new Map<string, Entry>() // in the order of use
  const recordings = new Set<PlainRecording>()

  const recorded = () => [...recordings].reduce((sum, { chain }) => sum + chain.blocks, 0)
  const bytes = () => {
    const chains = new Set([...entries.values(), ...recordings].map(({ chain }) => chain))
    return [...chains].reduce((sum, { blocks }) => sum + blocks * blockCost, entries.size * rowCost)
  }
  const blocksFor = (length: number) => Math.ceil(length / blockBytes)
  const makeRoom = (cost: number, count: number) => {
    for (const [key, { at }] of entries) {
      if (bytes() + cost <= limits.maxBytes && entries.size + count <= limits.maxEntries && now() - at < limits.ttlMs) return
      entries.delete(key)
    }
  }
  const canFit = (cost: number) => recorded() * blockCost + cost <= limits.maxBytes && limits.maxEntries >= 1
  const longest = () => Math.min(limits.maxBytes / 4, 16 * 1024 * 1024)

  return {
    entries,
    recordings,
    bytes,
    longest,
    get(key: string, maxAgeMs: number): Entry | undefined {
      const entry = entries.get(key)
      if (!entry) return
      const ageMs = now() - entry.at
      if (ageMs >= limits.ttlMs) entries.delete(key)
      if (ageMs >= limits.ttlMs || ageMs >= maxAgeMs) return
      entries.delete(key)
      entries.set(key, entry)
      return entry
    },
    set(key: string, body: Buffer, model: string, ageMs: number): boolean {
      entries.delete(key)
      const blocks = blocksFor(body.length + headBytes)
      const cost = rowCost + blocks * blockCost
      if (ageMs >= limits.ttlMs || !canFit(cost)) return false
      makeRoom(cost, 1)
      entries.set(key, { chain: { bytes: body, blocks }, model, at: now() - ageMs })
      return true
    },
    record(): PlainRecording {
      const recording = { chain: { bytes: Buffer.alloc(0), blocks: 0 }, keepable: true, kept: false, forgotten: 0 }
      recordings.add(recording)
      return recording
    },
    append(recording: PlainRecording, more: Buffer): boolean {
      const { chain } = recording
      const added = blocksFor(chain.bytes.length + more.length) - blocksFor(chain.bytes.length)
      if (added > 0) makeRoom(added * blockCost, 0)
      if (added > 0 && bytes() + added * blockCost > limits.maxBytes) recording.keepable = false
      chain.bytes = Buffer.concat([chain.bytes, more])
      chain.blocks += added
      if (chain.bytes.length > longest()) recording.keepable = false
      return recording.keepable
    },
    forget(recording: PlainRecording, before: number) {
      if (recording.kept || before <= recording.forgotten) return
      const { chain } = recording
      recording.forgotten = Math.min(before, chain.bytes.length)
      recording.keepable = false
      chain.blocks = blocksFor(chain.bytes.length) - Math.floor(recording.forgotten / blockBytes)
    },
    keep(recording: PlainRecording, key: string, model: string): boolean {
      const { chain } = recording
      const added = blocksFor(chain.bytes.length + headBytes) - blocksFor(chain.bytes.length)
      const cost = rowCost + added * blockCost
      if (!recordings.has(recording) || recording.kept || !recording.keepable) return false
      if (chain.bytes.length > longest() || !canFit(cost)) return false
      entries.delete(key)
      makeRoom(cost, 1)
      chain.blocks += added
      recording.kept = true
      entries.set(key, { chain, model, at: now() })
      return true
    },
    release(recording: PlainRecording) {
      recordings.delete(recording)
    },
    clear(model: string | undefined): number {
      const gone = [...entries].filter(([, entry]) => model === undefined || entry.model === model)
      for (const [key] of gone) entries.delete(key)
      return gone.length
    },
    limit(next: Limits) {
      limits = next
      makeRoom(0, 0)
    },
  }
}
