/**
 * The longest piece that may reach the tokenizer. It merges a piece in time that grows with the square of its length: 64 KB
 * of one letter took 1.2 s. Words are shorter, except in languages that put no spaces between them.
 */
export const longestPiece = 256

/** Longer texts are counted in parts, so that what one part leaves behind can be cleared away before the next. */
export const longestPart = 256 * 1024

/** Where a part of a text ends. */
export interface Cut {
  readonly at: number
  /** The tokenizer would not have split here: the count may come out a little higher. */
  readonly forced: boolean
}

/**
 * Where to cut a text before it is counted. The tokenizers split wherever letters meet anything else, and around digits. So
 * a piece gets long only where neither comes for long, and it does no harm to cut between a letter and a space.
 */
export function cutsOf(text: string): readonly Cut[] {
  if (text.length <= longestPiece) return []
  const cuts: Cut[] = []
  let [part, letters, others] = [0, 0, 0] // where the part began, and the runs of letters and of anything else
  let previous = digitKind
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const kind = kinds[code]
    if (kind !== letterKind && kind !== eitherKind) letters = i + 1
    if (kind !== otherKind && kind !== eitherKind) others = i + 1
    if (i - letters >= longestPiece || i - others >= longestPiece) {
      part = letters = others = isSecondHalf(code) ? i - 1 : i
      cuts.push({ at: part, forced: true })
    } else if (code === space && previous === letterKind && i - part >= longestPart) {
      cuts.push({ at: i, forced: false })
      part = i
    }
    previous = kind as number
  }
  return cuts
}

const space = 32

/** The second half of a character beyond 16 bits must not be separated from the first. */
const isSecondHalf = (code: number) => code >= 0xdc00 && code <= 0xdfff

const [digitKind, letterKind, otherKind, eitherKind] = [0, 1, 2, 3]

/** What each 16-bit code counts as. Marks and halves of longer characters may stand in a run of either kind. */
const kinds = Uint8Array.from({ length: 0x10000 }, (_, code) => {
  const character = String.fromCharCode(code)
  if (/[\p{M}\p{Cs}]/u.test(character)) return eitherKind
  if (/\p{L}/u.test(character)) return letterKind
  return /\p{N}/u.test(character) ? digitKind : otherKind
})
