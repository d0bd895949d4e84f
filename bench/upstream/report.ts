/** What the fake upstream knows when it is asked: `GET /bench/report`. */
export interface UpstreamReport {
  /** Calls answered so far; a cache on the way would show here. */
  readonly answered: number
  /** CRC-32 over all events of each finished stream, but for the usage, by the stream's seed. */
  readonly checksums: Readonly<Record<string, number>>
  /** Of each endless stream: the bytes its socket has taken, and whether it is still open. */
  readonly endless: readonly { readonly bytes: number; readonly open: boolean }[]
}
