/** Those who want to hear of something. */
export interface Listeners<T> {
  /** The result takes the listener away again. */
  add(listener: (value: T) => void): () => void
  tell(value: T): void
}

/** Nobody listens yet. */
export function createListeners<T>(): Listeners<T> {
  const all = new Set<{ readonly listener: (value: T) => void }>()
  return {
    add(listener) {
      const entry = { listener } // the same function may listen twice
      all.add(entry)
      return () => {
        all.delete(entry)
      }
    },
    tell(value) {
      for (const { listener } of all) listener(value)
    },
  }
}
