import cl100k from 'gpt-tokenizer/data/cl100k_base.tiktoken' with { type: 'file' }
import o200k from 'gpt-tokenizer/data/o200k_base.tiktoken' with { type: 'file' }

/** The tokenizers that can be loaded. */
export type Encoding = 'o200k_base' | 'cl100k_base'

const files: Readonly<Record<Encoding, string>> = { o200k_base: o200k, cl100k_base: cl100k }

/**
 * The tokens of an encoding by their rank, as gpt-tokenizer holds them: texts, or bytes where those are no text. Its own
 * tables are modules of source code. As part of the binary those cost 5 MB of memory in every gatehouse that never counts.
 */
export async function readRanks(encoding: Encoding): Promise<(string | number[])[]> {
  const ranks: (string | number[])[] = []
  const lines = await Bun.file(files[encoding]).text()
  for (let from = 0; from < lines.length; ) {
    const space = lines.indexOf(' ', from)
    const end = lines.indexOf('\n', space)
    ranks[Number(lines.slice(space + 1, end))] = textOrBytes(Buffer.from(lines.slice(from, space), 'base64'))
    from = end + 1
  }
  return ranks
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function textOrBytes(token: Buffer): string | number[] {
  const marked = token[0] === 0xef && token[1] === 0xbb && token[2] === 0xbf // the decoder would drop a byte order mark
  if (marked) return [...token]
  try {
    return utf8.decode(token)
  } catch {
    return [...token]
  }
}
