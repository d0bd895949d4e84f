import { isObject } from '../../http/json-object.ts'
import { isString, type Json, unsupported, wrongType } from './values.ts'

/** A message's content as Ollama takes it: one text, and the images beside it. */
export interface Content {
  readonly text: string
  /** Base64, without the `data:` prefix. */
  readonly images: readonly string[]
}

/** Reads a string, null, or a list of parts. `param` is where it stands in the request, for the 400. */
export function readContent(content: unknown, param: string): Content {
  if (content === undefined || content === null) return { text: '', images: [] }
  if (isString(content)) return { text: content, images: [] }
  if (!Array.isArray(content)) throw wrongType(param)
  const texts: string[] = []
  const images: string[] = []
  for (const [index, part] of content.entries()) {
    const at = `${param}[${index}]`
    if (!isObject(part)) throw wrongType(at)
    if (part.type === 'text') texts.push(readText(part, 'text', at))
    else if (part.type === 'refusal') texts.push(readText(part, 'refusal', at))
    else if (part.type === 'image_url') images.push(readImage(part.image_url, `${at}.image_url`))
    else throw refused(part.type, at)
  }
  // Parts are blocks of their own; without a break the last word of one would run into the first of the next.
  return { text: texts.join('\n'), images }
}

function readText(part: Json, field: string, at: string): string {
  const text = part[field]
  if (!isString(text)) throw wrongType(`${at}.${field}`)
  return text
}

/** Only the head is looked at: the rest may be megabytes, and Ollama checks it anyway. */
const imageHead = /^data:(?:image\/[\w.+-]+)?(?:;[\w-]+=[^;,]{1,64})*;base64,/i

function readImage(image: unknown, param: string): string {
  // Ollama's own translation takes the bare string as well as OpenAI's object.
  const url = isObject(image) ? image.url : image
  if (!isString(url)) throw wrongType(param)
  const head = imageHead.exec(url.slice(0, 256))
  if (head) return url.slice(head[0].length)
  if (/^https?:/i.test(url)) throw unsupported('Image URLs are not fetched. Send the image itself as a base64 data: URL.', param)
  throw unsupported('Send the image as a base64 data: URL, for example `data:image/png;base64,…`.', param)
}

function refused(type: unknown, at: string): Error {
  if (type === 'input_audio' || type === 'file') {
    return unsupported(`Ollama takes text and images, not \`${type}\`.`, `${at}.${type}`)
  }
  return isString(type) ? unsupported('Ollama takes parts of type `text` and `image_url`.', `${at}.type`) : wrongType(`${at}.type`)
}
