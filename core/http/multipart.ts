import { GatewayError, invalidRequest } from '../errors.ts'

/** One part of a form, by the place of its content in the bytes. */
interface Part {
  readonly name: string | undefined
  readonly isFile: boolean
  readonly from: number
  readonly to: number
}

/** More parts, or a part with longer headers, no honest form has; both bound the work a form can make. */
const mostParts = 1000
const longestHeaders = 8192

/** The text fields of a form that the gateway reads; files stay bytes. */
export function readForm(bytes: Uint8Array<ArrayBuffer>, contentType: string): Record<string, string> {
  const form = viewOf(bytes)
  const fields: Record<string, string> = {}
  for (const { name, isFile, from, to } of partsOf(form, contentType)) {
    if (name !== undefined && !isFile) fields[name] = form.toString('utf8', from, to)
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
const blankLine = newline + newline

/**
 * Walks from boundary to boundary (RFC 2046, 5.1.1): what looks like a header inside a file is content, a line
 * that only begins like the boundary is content too, and nothing after the closing one counts.
 */
function partsOf(form: Buffer, contentType: string): Part[] {
  const boundary = contentType.match(/boundary=(?:"([^"]+)"|([^;\s]+))/i)
  if (!boundary) throw notAForm()
  const delimiter = `--${boundary[1] ?? boundary[2]}`
  const parts: Part[] = []
  let models = 0
  let at = findDelimiter(form, delimiter, 0)
  if (!at) throw notAForm()
  while (!at.closing) {
    const next = findDelimiter(form, delimiter, at.after - newline.length)
    if (!next) return parts // cut off: what is whole counts
    const headersEnd = form.subarray(at.after - newline.length, Math.min(next.at, at.after + longestHeaders)).indexOf(blankLine)
    if (headersEnd === -1) throw notAForm()
    const from = at.after - newline.length + headersEnd + blankLine.length
    const headers = unfold(form.toString('utf8', at.after, from))
    parts.push(describe(headers, Math.min(from, next.at), next.at))
    if (parts.length > mostParts)
      throw new GatewayError(413, 'invalid_request_error', 'body_too_large', `The form has more than ${mostParts} parts.`)
    // which of several a backend would believe is anybody's guess, and the guess decides who pays
    if (namesModel(headers) && ++models > 1) throw invalidRequest('The form names the model twice.', 'invalid_form', 'model')
    at = next
  }
  return parts
}

interface Delimiter {
  /** Where the content before it ends. */
  readonly at: number
  /** Behind its line break. */
  readonly after: number
  readonly closing: boolean
}

/** The next line that is the boundary: it, `--` if it closes, blanks, a line break or the end. */
function findDelimiter(form: Buffer, delimiter: string, start: number): Delimiter | undefined {
  let from = start
  for (;;) {
    const first = from === 0 && form.subarray(0, delimiter.length).toString('latin1') === delimiter
    const at = first ? 0 : form.indexOf(newline + delimiter, from)
    if (at === -1) return
    let end = at + (first ? 0 : newline.length) + delimiter.length
    const closing = form[end] === dash && form[end + 1] === dash
    if (closing) end += 2
    while (form[end] === space || form[end] === tab) end++
    const ends = end >= form.length || (form[end] === carriageReturn && form[end + 1] === lineFeed)
    if (ends) return { at, after: end + newline.length, closing }
    from = at + newline.length
  }
}

const [dash, space, tab, carriageReturn, lineFeed] = [45, 32, 9, 13, 10]

/** A header may go on in the next line when that begins with a blank. */
const unfold = (headers: string) => headers.replace(/\r\n[ \t]+/g, ' ')

function describe(headers: string, from: number, to: number): Part {
  const parameters = parametersOf(headers)
  return { name: parameters.get('name'), isFile: parameters.has('filename') || parameters.has('filename*'), from, to }
}

/** The parameters of `Content-Disposition`, as they are written. */
function parametersOf(headers: string): ReadonlyMap<string, string> {
  const disposition = headers.match(/^content-disposition:(.*)$/im)?.[1] ?? ''
  const found = disposition.matchAll(/;\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))/g)
  return new Map([...found].map(([, name = '', quoted, plain = '']) => [name.toLowerCase(), quoted ?? plain.trim()]))
}

/** However it is spelled: quoted, escaped, `name*=utf-8''model`, or as a file. */
function namesModel(headers: string): boolean {
  const parameters = parametersOf(headers)
  return [parameters.get('name'), parameters.get('name*')?.replace(/^[^']*'[^']*'/, '')].some(
    name => name !== undefined && decodeLoosely(name) === 'model',
  )
}

/** Percent and backslash escapes undone, as some parser behind us may do. */
const decodeLoosely = (text: string) =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))).replace(/\\(.)/g, '$1')

const notAForm = () => invalidRequest('Invalid request body', 'invalid_form')

const viewOf = (bytes: Uint8Array<ArrayBuffer>) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
