import { isObject, type JsonObject } from '../http/json-object.ts'
import { type Family, isOpenaiOwn } from './families.ts'
import { imageSize } from './image-size.ts'
import { imageTokens, mostImageTokens } from './images.ts'

/** A part of a message that is no text. */
export interface Media {
  readonly kind: 'image' | 'audio' | 'file'
  /** Base64, or a URL that holds it; empty when it lies elsewhere. */
  readonly data: string
  /** `low` costs less with some models. */
  readonly detail?: unknown
}

/** What a part of a message is when it is no text, in any of the three dialects; undefined for a text and for what nobody knows. */
export function mediaOf(part: JsonObject): Media | undefined {
  const source = isObject(part.source) ? part.source : {}
  switch (part.type) {
    case 'image_url': // chat completions
    case 'video_url': {
      const { url = part.image_url, detail } = isObject(part.image_url) ? part.image_url : ({} as JsonObject)
      return { kind: 'image', data: inline(url), detail }
    }
    case 'input_image': // responses
      return { kind: 'image', data: inline(part.image_url), detail: part.detail }
    case 'image': // messages
      return { kind: 'image', data: text(source.data) }
    case 'input_audio':
      return { kind: 'audio', data: text(isObject(part.input_audio) ? part.input_audio.data : part.data) }
    case 'audio_url':
      return { kind: 'audio', data: inline(isObject(part.audio_url) ? part.audio_url.url : undefined) }
    case 'file':
      return { kind: 'file', data: text(isObject(part.file) ? part.file.file_data : undefined) }
    case 'input_file':
      return { kind: 'file', data: text(part.file_data) }
    case 'document':
      return { kind: 'file', data: text(source.data) }
    default:
      return undefined
  }
}

/** The same content without pictures and sound: what a server can count that knows only text. */
export function withoutMedia(content: unknown): unknown {
  if (!Array.isArray(content)) return content
  const kept = content.filter(part => !isObject(part) || !mediaOf(part))
  return kept.length === content.length ? content : kept.length === 0 ? '' : kept
}

/** About what it costs. */
export function mediaTokens({ kind, data, detail }: Media, family: Family): number {
  if (kind === 'image') return imageTokens(family.image, imageSize(data), detail)
  if (data === '') return unseen
  if (kind === 'audio') return Math.ceil(seconds(data, usualBytesPerSecond) * (isOpenaiOwn(family) ? 10 : 25))
  return Math.ceil(bytesOf(data) / 40) // a PDF page is some 75 KB, and costs 2000 as text and picture
}

/** The most it can cost. */
export function mostMediaTokens({ kind, data, detail }: Media, families: readonly Family[]): number {
  if (kind === 'image') {
    const size = imageSize(data)
    return Math.max(...families.map(({ image }) => mostImageTokens(image, size, detail)))
  }
  if (data === '') return unseen
  // 50 a second is what Whisper's encoder gives, and no model takes more
  return kind === 'audio' ? Math.ceil(seconds(data, leastBytesPerSecond) * 50) : data.length
}

const text = (value: unknown) => (typeof value === 'string' ? value : '')
/** A URL that leads elsewhere says nothing of what is there, and gatehouse never looks. */
const inline = (value: unknown) => (typeof value === 'string' && value.startsWith('data:') ? value : '')

/** For what lies elsewhere: as much as a large picture. */
const unseen = 16_384

/** Compressed speech is sent with 64 kbit/s or more, and cannot be had below 8. */
const usualBytesPerSecond = 8000
const leastBytesPerSecond = 1000

const bytesOf = (data: string) => (data.length * 3) / 4

/** WAVE says in its header how many bytes make a second. */
function seconds(data: string, bytesPerSecond: number): number {
  const from = data.startsWith('data:') ? data.indexOf(',') + 1 : 0
  const head = Buffer.from(data.slice(from, from + 64), 'base64')
  const wave = head.length >= 32 && head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'WAVE'
  return bytesOf(data) / ((wave && head.readUInt32LE(28)) || bytesPerSecond)
}
