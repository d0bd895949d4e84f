import { median } from '../report/stats.ts'

/** What each way did, round by round. */
export interface Rounds<Result> {
  readonly of: (name: string) => readonly Result[]
  /** The direct way once more at the end of each round: what it differs by from itself is the noise. */
  readonly again: readonly Result[]
}

/** Lets the ways take turns, so that what else the machine does in a round touches all of them. The first one is the direct one. */
export async function inTurn<Result, Way extends { readonly name: string }>(
  ways: readonly Way[],
  count: number,
  measure: (way: Way, round: number) => Promise<Result>,
): Promise<Rounds<Result>> {
  const results = new Map<string, Result[]>(ways.map(({ name }) => [name, []]))
  const again: Result[] = []
  for (let round = 0; round < count; round++) {
    for (const way of ways) results.get(way.name)?.push(await measure(way, round))
    again.push(await measure(ways[0] as Way, round))
  }
  return { of: name => results.get(name) ?? [], again }
}

/** What a way adds to the direct one in each round: against the mean of the two direct runs around it. */
export function addedBy<Result>({ of, again }: Rounds<Result>, name: string, pick: (result: Result) => number): number[] {
  return of(name).map((result, round) => pick(result) - (pick(of('direct')[round] as Result) + pick(again[round] as Result)) / 2)
}

/** What the two direct runs of a round differ by, as the median of the rounds. */
export function noiseOf<Result>({ of, again }: Rounds<Result>, pick: (result: Result) => number): number {
  return median(again.map((result, round) => Math.abs(pick(result) - pick(of('direct')[round] as Result))))
}

/** Round by round, how one way stands to another. */
export function ratiosOf<Result>({ of }: Rounds<Result>, name: string, other: string, pick: (result: Result) => number): number[] {
  return of(name).map((result, round) => pick(result) / pick(of(other)[round] as Result))
}
