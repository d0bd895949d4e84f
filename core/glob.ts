/**
 * True when a pattern stands for a text: `*` for any characters, slashes too, and `?` for one. Upper and lower case
 * differ. Takes at most the product of both lengths, whoever wrote the pattern.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0
  let star = -1
  let resume = 0
  let place = 0
  while (at < text.length) {
    const sign = pattern[place]
    if (sign === '*') {
      star = place++
      resume = at
    } else if (sign === '?' || sign === text[at]) {
      place++
      at++
    } else if (star !== -1) {
      place = star + 1
      at = ++resume
    } else return false
  }
  while (pattern[place] === '*') place++
  return place === pattern.length
}
