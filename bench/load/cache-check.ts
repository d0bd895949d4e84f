/**
 * What an answer has to say of the cache: `HIT` with its age, or `MISS` without. Of those who ask together one is told
 * `MISS`, the others `HIT` with age 0.
 */
export type CacheWord = 'hit' | 'miss' | 'joined'

/** What the cache said in the head of an answer. */
export interface CacheSaid {
  readonly word: string | undefined
  readonly age: number | undefined
}

/** Reads the cache's part of a response's head. */
export function readCacheSaid(head: string): CacheSaid {
  const age = /\r\nage: *(\d+)/i.exec(head)?.[1]
  return { word: /\r\nx-cache: *(\w+)/i.exec(head)?.[1], age: age === undefined ? undefined : Number(age) }
}

/** What is wrong with it. */
export function cacheFault(expected: CacheWord, { word, age }: CacheSaid): string | undefined {
  const hit = word === 'HIT' && age !== undefined
  const miss = word === 'MISS' && age === undefined
  const right = expected === 'hit' ? hit : expected === 'miss' ? miss : miss || (hit && age === 0)
  return right ? undefined : `the cache said ${word ?? 'nothing'}, age ${age ?? 'none'}, instead of ${expected}`
}
