/** Keeps some in step. */
export interface Step {
  /** `go` is called when all have arrived. */
  arrive(go: () => void): void
  /** One fewer to wait for. */
  leave(): void
}

/** Those who arrive go on together when all `members` are there; `onTurn` is called before. */
export function createStep(members: number, onTurn: () => void): Step {
  let expected = members
  let waiting: (() => void)[] = []
  const goOn = () => {
    if (waiting.length === 0 || waiting.length < expected) return
    const all = waiting
    waiting = []
    onTurn()
    for (const go of all) go()
  }
  return {
    arrive(go) {
      waiting.push(go)
      goOn()
    },
    leave() {
      expected--
      goOn()
    },
  }
}
