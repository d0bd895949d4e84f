/** Headers that layers add to an answer: what of `Headers` they need. */
export interface AnswerHeaders {
  get(name: string): string | null
  has(name: string): boolean
  set(name: string, value: string): void
  append(name: string, value: string): void
  delete(name: string): void
  /** Puts them into the headers of an answer. Throws for what no header can be. */
  putInto(headers: Headers): void
}

/**
 * No headers yet. Every request has one of these: a `Headers` that is filled and read out again costs 5 µs more. Names and
 * values are checked by the `Headers` they end in.
 */
export function createAnswerHeaders(): AnswerHeaders {
  const names: string[] = []
  const values: string[] = []
  const find = (name: string) => names.indexOf(name.toLowerCase())
  const set = (name: string, value: string) => {
    const at = find(name)
    if (at === -1) names.push(name.toLowerCase())
    values[at === -1 ? values.length : at] = value
  }
  return {
    get: name => values[find(name)] ?? null,
    has: name => find(name) !== -1,
    set,
    append(name, value) {
      const before = values[find(name)]
      set(name, before === undefined ? value : `${before}, ${value}`)
    },
    delete(name) {
      const at = find(name)
      if (at === -1) return
      names.splice(at, 1)
      values.splice(at, 1)
    },
    putInto(headers) {
      for (let i = 0; i < names.length; i++) headers.set(names[i] as string, values[i] as string)
    },
  }
}
