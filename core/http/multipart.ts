import { invalidRequest } from '../errors.ts'

const newline = '\r\n'

/** The text fields of a form that the gateway reads; files stay bytes. */
export async function readForm(bytes: Uint8Array<ArrayBuffer>, contentType: string): Promise<Record<string, string>> {
  const form = await new Response(bytes, { headers: { 'content-type': contentType } }).formData().catch(() => {
    throw invalidRequest('Invalid request body', 'invalid_form')
  })
  const fields: Record<string, string> = {}
  for (const [name, value] of form.entries()) if (typeof value === 'string') fields[name] = value
  return fields
}

/**
 * The same form with another value in one text field. Splices bytes, so that boundary, order and files stay
 * what the client sent.
 */
export function withField(bytes: Uint8Array<ArrayBuffer>, field: string, value: string): Uint8Array<ArrayBuffer> {
  const form = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (const quoted of [`name="${field}"`, `name=${field}${newline}`]) {
    const at = form.indexOf(quoted)
    const start = at === -1 ? -1 : form.indexOf(newline + newline, at - newline.length)
    if (start === -1) continue
    const from = start + 2 * newline.length
    const to = form.indexOf(`${newline}--`, from)
    if (to === -1) continue
    return Buffer.concat([form.subarray(0, from), Buffer.from(value), form.subarray(to)]) as Uint8Array<ArrayBuffer>
  }
  throw invalidRequest(`The form has no readable field "${field}".`, 'invalid_form', field)
}
