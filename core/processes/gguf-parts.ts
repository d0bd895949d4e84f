import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** One of the files that a large model comes in: `big-00001-of-00003.gguf`. */
export interface Part {
  /** The name without what makes it a part: `big`. */
  readonly name: string
  readonly number: number
  readonly of: number
}

/** What the name of a file says about the parts of a model; undefined when the file is all of it. */
export function partOf(path: string): Part | undefined {
  const [, name, number, of] = /^(.+)-(\d{5})-of-(\d{5})\.gguf$/i.exec(basename(path)) ?? []
  return name === undefined ? undefined : { name, number: Number(number), of: Number(of) }
}

/** A model with more parts would not fit a folder. */
const mostParts = 1000

/** All files of a model, given its first one or its only one. Throws a sentence when that is another part, or one is missing. */
export async function partsOf(path: string): Promise<string[]> {
  const part = partOf(path)
  if (!part) return [path]
  if (part.number !== 1) throw new Error(`${path}: is part ${part.number} of a model; name the first one`)
  if (part.of < 1 || part.of > mostParts) throw new Error(`${path}: is part 1 of ${part.of}, which cannot be`)
  const digits = (number: number) => String(number).padStart(5, '0')
  const ending = path.slice(-'.gguf'.length)
  const files = Array.from({ length: part.of }, (_, index) =>
    join(dirname(path), `${part.name}-${digits(index + 1)}-of-${digits(part.of)}${ending}`),
  )
  for (const [index, file] of files.entries()) {
    const found = await stat(file).catch(() => undefined)
    if (!found?.isFile()) throw new Error(`${path}: part ${index + 1} of ${part.of} is missing`)
  }
  return files
}
