import type { RecordedRequest } from '../fake-server.ts'

/** A multipart body: its text fields, and its files. */
export interface Form {
  readonly fields: Readonly<Record<string, string>>
  readonly files: Readonly<Record<string, { readonly name: string; readonly type: string; readonly bytes: Buffer }>>
}

/** Parses a multipart body; undefined when it is not one. */
export async function readForm({ headers, bytes }: RecordedRequest): Promise<Form | undefined> {
  const type = headers['content-type'] ?? ''
  if (!type.startsWith('multipart/form-data')) return undefined
  const fields: Record<string, string> = {}
  const files: Record<string, { name: string; type: string; bytes: Buffer }> = {}
  try {
    const data = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData()
    for (const [name, value] of data.entries()) {
      if (typeof value === 'string') fields[name] = value
      else files[name] = { name: value.name, type: value.type, bytes: Buffer.from(await value.arrayBuffer()) }
    }
  } catch {
    return undefined
  }
  return { fields, files }
}
