/** Says whether a text is meant. */
export type Matcher = (text: string) => boolean

/** One sign of a pattern: any text, or one character that fits. */
type Sign = 'star' | ((character: string) => boolean)

/** More alternatives than this come from nobody's pen. */
const mostAlternatives = 256

/**
 * LlamaGate's globs: `*` for any text, dots too, `?` for one character, `[abc]`, `[!a-z]`, `{this,that}`, and a backslash
 * in front of a sign that means itself. Throws an Error for what is none. Matching takes at most the product of both lengths.
 */
export function compileGlob(pattern: string): Matcher {
  const alternatives = expand(pattern).map(readSigns)
  return text => {
    const characters = [...text]
    return alternatives.some(signs => matches(signs, characters))
  }
}

/** Says whether one of the patterns fits. */
export function compileGlobs(patterns: readonly string[]): Matcher {
  const matchers = patterns.map(compileGlob)
  return text => matchers.some(matcher => matcher(text))
}

/** `a{b,c}` → `ab`, `ac`. */
function expand(pattern: string): readonly string[] {
  const parts = splitBraces(pattern)
  if (!parts) return [pattern]
  const { before, choices, after } = parts
  const rest = expand(after)
  const all = choices.flatMap(expand).flatMap(choice => rest.map(end => before + choice + end))
  if (all.length > mostAlternatives) throw new Error(`the pattern ${pattern} has more than ${mostAlternatives} alternatives`)
  return all
}

/** The first braces of a pattern and what stands around them; undefined when it has none. */
function splitBraces(pattern: string) {
  let depth = 0
  let opened = -1
  let from = 0
  const choices: string[] = []
  for (let at = 0; at < pattern.length; at++) {
    const sign = pattern[at]
    if (sign === '\\') at++
    else if (sign === '[' && depth === 0) at = endOfClass(pattern, at)
    else if (sign === '{' && depth++ === 0) {
      opened = at
      from = at + 1
    } else if (sign === '}' && depth === 0) throw new Error(`the pattern ${pattern} closes a brace that is not open`)
    else if (depth === 1 && (sign === ',' || sign === '}')) {
      choices.push(pattern.slice(from, at))
      from = at + 1
      if (sign === '}') return { before: pattern.slice(0, opened), choices, after: pattern.slice(at + 1) }
    } else if (sign === '}') depth--
  }
  if (depth > 0) throw new Error(`the pattern ${pattern} does not close its brace`)
}

/** Where a class that begins at `from` ends. */
function endOfClass(pattern: string, from: number): number {
  for (let at = from + 1; at < pattern.length; at++) {
    if (pattern[at] === '\\') at++
    else if (pattern[at] === ']' && at > from + 1) return at
  }
  throw new Error(`the pattern ${pattern} does not close its bracket`)
}

function readSigns(pattern: string): readonly Sign[] {
  const signs: Sign[] = []
  for (let at = 0; at < pattern.length; at++) {
    const character = String.fromCodePoint(pattern.codePointAt(at) as number)
    if (character === '*') {
      if (signs.at(-1) !== 'star') signs.push('star')
    } else if (character === '?') signs.push(() => true)
    else if (character === '[') {
      const end = endOfClass(pattern, at)
      signs.push(readClass(pattern.slice(at + 1, end)))
      at = end
    } else {
      if (character === '\\') at++
      const meant = character === '\\' ? String.fromCodePoint(pattern.codePointAt(at) ?? 92) : character
      signs.push(other => other === meant)
      at += meant.length - 1
    }
  }
  return signs
}

/** What stands between brackets. */
function readClass(inside: string): (character: string) => boolean {
  const negated = inside[0] === '!' || inside[0] === '^'
  const set = [...(negated ? inside.slice(1) : inside).replace(/\\(.)/gsu, '$1')]
  const ranges: (readonly [string, string])[] = []
  for (let at = 0; at < set.length; at++) {
    const first = set[at] as string
    const last = set[at + 2]
    if (set[at + 1] === '-' && last !== undefined) {
      ranges.push([first, last])
      at += 2
    } else ranges.push([first, first])
  }
  return character => ranges.some(([first, last]) => character >= first && character <= last) !== negated
}

function matches(signs: readonly Sign[], text: readonly string[]): boolean {
  let at = 0
  let place = 0
  let star = -1
  let resume = 0
  while (at < text.length) {
    const sign = signs[place]
    if (sign === 'star') {
      star = place++
      resume = at
    } else if (sign?.(text[at] as string)) {
      place++
      at++
    } else if (star !== -1) {
      place = star + 1
      at = ++resume
    } else return false
  }
  while (signs[place] === 'star') place++
  return place === signs.length
}
