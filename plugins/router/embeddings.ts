interface Row {
  readonly embedding?: unknown
  readonly [field: string]: unknown
}

/**
 * Embeddings in the encoding the client asked for: the official SDKs ask for base64 (little-endian float32)
 * unless told otherwise, and not every server knows it. Undefined when they already are.
 */
export function fitEmbeddings(answer: object, wanted: unknown): object | undefined {
  const { data } = answer as { readonly data?: readonly Row[] }
  if (!Array.isArray(data)) return
  const convert = wanted === 'base64' ? toBase64 : toFloats
  const misfit = wanted === 'base64' ? Array.isArray : (embedding: unknown) => typeof embedding === 'string'
  if (!data.some(row => misfit(row?.embedding))) return
  return { ...answer, data: data.map(row => (misfit(row?.embedding) ? { ...row, embedding: convert(row.embedding as never) } : row)) }
}

const toBase64 = (vector: readonly number[]) => Buffer.from(new Float32Array(vector).buffer).toString('base64')

function toFloats(text: string): number[] {
  const bytes = Buffer.from(text, 'base64')
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) => bytes.readFloatLE(i * 4))
}
