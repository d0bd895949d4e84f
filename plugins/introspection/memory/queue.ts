/** Lets one piece of work at a time touch a file. */
export interface FileQueue {
  run<T>(file: string, work: () => Promise<T>): Promise<T>
  /** Resolves when all that was begun is done. */
  idle(): Promise<void>
}

/** A queue for each file, gone when it is empty. */
export function createFileQueue(): FileQueue {
  const last = new Map<string, Promise<unknown>>()
  return {
    run(file, work) {
      const before = last.get(file) ?? Promise.resolve()
      const mine = before.then(work, work)
      const settled = mine
        .catch(() => {})
        .then(() => {
          if (last.get(file) === settled) last.delete(file)
        })
      last.set(file, settled)
      return mine
    },
    async idle() {
      while (last.size > 0) await Promise.all(last.values())
    },
  }
}
