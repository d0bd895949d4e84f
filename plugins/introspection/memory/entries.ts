/** How many entries a list may have, and how long each may be. */
export interface EntryLimits {
  readonly pinnedMax: number
  readonly recentMax: number
  readonly maxEntryChars: number
}

/** The newest entries of a list (they stand last), each cut to so many characters. What is no text is left out. */
export function capEntries(list: unknown, most: number, mostChars: number): string[] {
  if (!Array.isArray(list)) return []
  return list
    .filter(entry => typeof entry === 'string' && entry.trim() !== '')
    .slice(-most)
    .map(entry => cutChars(entry, mostChars))
}

/** The first characters of a text; what looks like one (an emoji, say) is never halved. */
export function cutChars(text: string, most: number): string {
  if (text.length <= most) return text
  return [...text].slice(0, most).join('')
}

/** The same, and the cut shows: the last three characters are dots. */
export function cutWithDots(text: string, most: number): string {
  if (text.length <= most) return text
  const characters = [...text]
  return characters.length <= most ? text : `${characters.slice(0, most - 3).join('')}...`
}
