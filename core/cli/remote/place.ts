/** Where a gatehouse is, and how one enters as its administrator. */
export interface Place {
  /** For messages. */
  readonly name: string
  /** Without a slash at its end. */
  readonly url: string
  /** Undefined where nobody gave one. */
  readonly key: string | undefined
  /** What it would take to be let in, for messages. */
  readonly advice: string
  /** Its address comes from its own note on this machine: no proxy leads there, and its certificate is made for other names. */
  readonly own: boolean
}
