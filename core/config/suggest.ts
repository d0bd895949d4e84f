/** `; did you mean X?` for the candidate that looks most like `word`, or nothing when none does. `prefix` goes before X. */
export function didYouMean(word: string, candidates: Iterable<string>, prefix = ''): string {
  let best: string | undefined
  let bestDistance = (word.length > 3 ? Math.max(2, Math.floor(word.length / 3)) : 1) + 1
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best === undefined ? '' : `; did you mean ${prefix}${best}?`
}

const mostSuggestions = 50

/** The same for the first mistakes alone: a file of another program can hold many thousands. */
export function firstSuggestions(): typeof didYouMean {
  let left = mostSuggestions
  return (...words) => (left-- > 0 ? didYouMean(...words) : '')
}

/** Levenshtein's, one row at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const change = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
