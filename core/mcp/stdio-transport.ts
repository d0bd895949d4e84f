import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'
import { makeMark } from '../processes/mark.ts'
import { type Child, type ChildExit, spawnChild } from '../processes/spawn-child.ts'
import { within } from '../within.ts'
import { readJsonLines } from './json-lines.ts'
import type { Launch } from './launch.ts'
import { matters } from './matters.ts'

/** A transport of the SDK whose server is a child of ours. */
export interface StdioTransport extends Transport {
  /** Resolves with a few words about how the server ended. Whoever hears of it closes the transport. */
  readonly over: Promise<string>
  /** As agreed with the server. */
  protocolVersion?: string
  /** Resolves when it and all it has started are gone. */
  stop(graceMs: number): Promise<void>
}

export interface StdioOptions {
  readonly launch: Launch
  readonly runner: readonly string[] | undefined
  readonly onHeard: () => void
  /** A line on stdout that is no message. */
  readonly onGarbage: (line: string) => void
  /** A line on stderr. */
  readonly onLine: (line: string) => void
}

/** Of a server that has ended, the last messages may come after the news. */
const lastWordsMs = 250
/** The part of its grace in which a server may end by itself, because we have said all; then come the signals. */
const politeShare = 0.5
/** When nobody says how patient to be. */
const usualGraceMs = 2_000

/** Does not start the server yet. */
export function createStdioTransport({ launch, runner, onHeard, onGarbage, onLine }: StdioOptions): StdioTransport {
  const over = Promise.withResolvers<string>()
  let starting: Promise<Child> | undefined
  let talk: Child['talk']
  let stopping: Promise<void> | undefined

  const read = (child: Child) =>
    readJsonLines((child.talk as NonNullable<Child['talk']>).stdout, {
      onMessage(message) {
        onHeard()
        if (matters(message)) transport.onmessage?.(message as JSONRPCMessage)
      },
      onGarbage,
    }).catch(() => {}) // it cannot be read any more, which is its end
  const watch = async (child: Child) => {
    const heardAll = read(child)
    // either may come first, and each may come without the other
    await Promise.race([heardAll, child.ended])
    const [, hasEnded] = await Promise.all([within(lastWordsMs, heardAll), within(lastWordsMs, child.ended)])
    over.resolve(hasEnded ? wordsFor(await child.ended) : 'it closed its output')
  }
  const stop = async (graceMs: number) => {
    const child = await starting?.catch(() => undefined)
    if (!child) return
    const politeMs = graceMs * politeShare
    child.talk?.stdin.end()
    await within(politeMs, child.exited)
    await child.stop(graceMs - politeMs)
  }

  const transport: StdioTransport = {
    over: over.promise,
    async start() {
      starting = spawnChild({ ...launch, ...(runner && { runner }), mark: makeMark(), speaks: true, onOutput: onLine })
      const child = await starting
      talk = child.talk
      watch(child)
    },
    async send(message) {
      if (!talk || stopping) throw new Error('the server has ended')
      // a broken pipe rejects what `write` gives back, and `flush` says nothing of it
      try {
        await talk.stdin.write(`${JSON.stringify(message)}\n`)
        await talk.stdin.flush()
      } catch (cause) {
        throw new Error('the server has closed its input', { cause })
      }
    },
    setProtocolVersion(version) {
      transport.protocolVersion = version
    },
    async close() {
      transport.stop(usualGraceMs)
    },
    stop(graceMs) {
      if (stopping) return stopping
      stopping = stop(graceMs)
      transport.onclose?.()
      return stopping
    },
  }
  return transport
}

const wordsFor = ({ code, signal }: ChildExit) => (signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`)
