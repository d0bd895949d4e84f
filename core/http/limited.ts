/** An answer longer than this is none: embeddings of a large batch stay well below. */
export const longestAnswer = 256 * 1024 * 1024

/** Reads at most `limit` bytes of a body; undefined when there are more, and then it stops reading. */
export async function readAtMost(
  body: ReadableStream<Uint8Array> | null,
  limit: number,
  onChunk?: () => void,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    onChunk?.()
    size += chunk.byteLength
    if (size > limit) return // leaving the loop cancels the body
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size) as Uint8Array<ArrayBuffer>
}

/** The text of a short body; empty when it is longer than `limit` or breaks off. */
export async function readShort(body: ReadableStream<Uint8Array> | null, limit: number): Promise<string> {
  const bytes = await readAtMost(body, limit).catch(() => undefined)
  return new TextDecoder().decode(bytes)
}
