import type { RedisAddress } from './address.ts'

/** What a command takes; bytes go as they are. */
export type Argument = string | number | Uint8Array

/** One connection to Redis: used until it is lost, never mended. */
export interface Connection {
  /** Resolves when it can be used, unless `onLost` was called: with what Redis did not take at the beginning, it was. */
  readonly opened: Promise<void>
  /**
   * Answers are numbers, null, Buffers and arrays of them. Rejects with what Redis says against it. Write commands in
   * lower case: ioredis converts others several times, which takes an eighth of a call.
   */
  send(command: string, args: readonly Argument[]): Promise<unknown>
  /** Ends it at once, whether or not the other side takes part. */
  destroy(): void
}

/** Begins a connection. `onLost` is called when it cannot come up or breaks. */
export type Dial = (address: RedisAddress, onLost: (error: unknown) => void) => Connection

/** Hears what is published in a channel, over a connection of its own: used until it is lost, never mended. */
export interface Subscription {
  /** Resolves once it hears everything. Rejects with what Redis says against it, and when it is lost before. */
  readonly opened: Promise<void>
  /** Ends it at once. */
  destroy(): void
}

/** Begins to hear. `onLost` is called when the connection breaks. */
export type Subscribe = (channel: string, hear: (message: string) => void, onLost: () => void) => Subscription
