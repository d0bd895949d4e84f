import { invalidRequest } from '../errors.ts'

/** One part of a form, by its place in the bytes. */
interface Part {
  readonly name: string | undefined
  readonly isFile: boolean
  readonly from: number
  readonly to: number
}

/** The text fields of a form that the gateway reads; files stay bytes. A field given twice is an error. */
export function readForm(bytes: Uint8Array<ArrayBuffer>, contentType: string): Record<string, string> {
  const form = viewOf(bytes)
  const fields: Record<string, string> = {}
  for (const { name, isFile, from, to } of partsOf(form, contentType)) {
    if (name === undefined || isFile) continue
    // which of the two a backend would believe is anybody's guess, and the guess decides who pays
    if (name === 'model' && Object.hasOwn(fields, name)) throw invalidRequest('The form names the model twice.', 'invalid_form', name)
    fields[name] = form.toString('utf8', from, to)
  }
  return fields
}

/**
 * The same form with another value in one text field. Splices bytes, so that boundary, order and files stay
 * what the client sent.
 */
export function withField(bytes: Uint8Array<ArrayBuffer>, contentType: string, field: string, value: string): Uint8Array<ArrayBuffer> {
  const form = viewOf(bytes)
  const part = partsOf(form, contentType).find(({ name, isFile }) => name === field && !isFile)
  if (!part) throw invalidRequest(`The form has no field "${field}".`, 'invalid_form', field)
  return Buffer.concat([form.subarray(0, part.from), Buffer.from(value), form.subarray(part.to)]) as Uint8Array<ArrayBuffer>
}

const newline = '\r\n'

/** Walks from boundary to boundary (RFC 2046, 5.1.1): what looks like a header inside a file is content. */
function partsOf(form: Buffer, contentType: string): Part[] {
  const boundary = contentType.match(/boundary=(?:"([^"]+)"|([^;\s]+))/i)
  const delimiter = boundary && `--${boundary[1] ?? boundary[2]}`
  if (!delimiter) throw invalidRequest('Invalid request body', 'invalid_form')
  const parts: Part[] = []
  let at = form.subarray(0, delimiter.length).equals(Buffer.from(delimiter)) ? 0 : form.indexOf(newline + delimiter) + newline.length
  if (at === newline.length - 1) throw invalidRequest('Invalid request body', 'invalid_form')
  for (;;) {
    const lineEnd = form.indexOf(newline, at + delimiter.length)
    const end = form.indexOf(newline + delimiter, at + delimiter.length)
    if (end === -1 || lineEnd === -1) return parts
    const from = form.indexOf(newline + newline, lineEnd) + 2 * newline.length
    if (from >= 2 * newline.length && from <= end + newline.length)
      parts.push(describe(form.toString('utf8', lineEnd, from), Math.min(from, end), end))
    at = end + newline.length
  }
}

function describe(headers: string, from: number, to: number): Part {
  const disposition = headers.match(/^content-disposition:(.*)$/im)?.[1] ?? ''
  const name = disposition.match(/;\s*name=(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i)
  return { name: name?.[1] ?? name?.[2], isFile: /;\s*filename\*?=/i.test(disposition), from, to }
}

const viewOf = (bytes: Uint8Array<ArrayBuffer>) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
