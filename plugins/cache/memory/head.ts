import type { Head } from '../kept.ts'
import type { Blocks } from './blocks.ts'

/** Heads as bytes in blocks: JSON would take longer to read than a small answer. */
export interface Heads {
  encode(head: Head): Buffer
  /** The head that begins so many bytes behind the beginning of this block. */
  read(block: number, from: number, length: number): Head
}

const forms = ['json', 'events'] as const

/** Two numbers, one byte for the form, then the texts with line breaks between them, which a header cannot have. */
export function createHeads(blocks: Blocks): Heads {
  const numbers = new Float64Array(2)
  const bytesOfNumbers = new Uint8Array(numbers.buffer)
  const form = bytesOfNumbers.length
  const texts = form + 1
  let bytes = Buffer.alloc(256)

  return {
    encode({ contentType, ignored = '', model, tokens, tookMs, form: name }) {
      const text = `${contentType}\n${ignored}\n${model}`
      const encoded = Buffer.allocUnsafe(texts + Buffer.byteLength(text))
      numbers[0] = tokens
      numbers[1] = tookMs
      encoded.set(bytesOfNumbers)
      encoded[form] = forms.indexOf(name)
      encoded.write(text, texts)
      return encoded
    },
    read(block, from, length) {
      if (length > bytes.length) bytes = Buffer.alloc(length)
      blocks.read(block, from, length, bytes)
      for (let i = 0; i < bytesOfNumbers.length; i++) bytesOfNumbers[i] = bytes[i] as number
      const text = bytes.toString('utf8', texts, length)
      const first = text.indexOf('\n')
      const second = text.indexOf('\n', first + 1)
      return {
        form: forms[bytes[form] as number] as Head['form'],
        contentType: text.slice(0, first),
        ...(second > first + 1 && { ignored: text.slice(first + 1, second) }),
        model: text.slice(second + 1),
        tokens: numbers[0] as number,
        tookMs: numbers[1] as number,
      }
    },
  }
}

/**
 * A number made from the name of a model, to find its answers by without reading their heads, which takes ten times as
 * long. Of four billion names two may have the same one: then the answers of both are cleared together.
 */
export const numberOf = (model: string): number => Bun.hash.xxHash32(model) | 0
