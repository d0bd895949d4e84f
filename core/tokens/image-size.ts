import type { ImageSize } from './images.ts'

/** What a JPEG may hold before its size: a preview and a colour profile, 64 KB each, and more. In characters of base64. */
const longestHead = 256 * 1024
const shortHead = 4096

/** The size of an image in a `data:` URL or plain base64, from its first bytes: nothing is decoded. Undefined when it does not tell. */
export function imageSize(image: string): ImageSize | undefined {
  const from = image.startsWith('data:') ? image.indexOf(',') + 1 : 0
  const head = (length: number) => Buffer.from(image.slice(from, from + length), 'base64')
  const bytes = head(shortHead)
  const jpeg = bytes.length > 4 && bytes.readUInt16BE(0) === 0xffd8
  const size = jpeg ? (jpegSize(bytes) ?? jpegSize(head(longestHead))) : (pngSize(bytes) ?? gifSize(bytes) ?? webpSize(bytes))
  return size && size.width > 0 && size.height > 0 ? size : undefined
}

/** ISO 15948, 11.2.2. */
function pngSize(bytes: Buffer): ImageSize | undefined {
  if (bytes.length < 24 || bytes.toString('latin1', 1, 4) !== 'PNG') return
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }
}

/** GIF89a, 18. */
function gifSize(bytes: Buffer): ImageSize | undefined {
  if (bytes.length < 10 || bytes.toString('latin1', 0, 3) !== 'GIF') return
  return { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) }
}

/** RFC 9649: the first chunk is lossy, lossless or extended, and each tells the size its own way. */
function webpSize(bytes: Buffer): ImageSize | undefined {
  if (bytes.length < 30 || bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WEBP') return
  switch (bytes.toString('latin1', 12, 16)) {
    case 'VP8 ':
      return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff }
    case 'VP8L': {
      const bits = bytes.readUInt32LE(21)
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
    }
    case 'VP8X':
      return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 }
    default:
      return undefined
  }
}

/** ITU T.81, B.2.2: the size is in the first frame header; the segments before it are skipped by their length. */
function jpegSize(bytes: Buffer): ImageSize | undefined {
  for (let at = 2; at + 9 <= bytes.length; ) {
    if (bytes[at] !== 0xff) return
    const marker = bytes[at + 1] as number
    if (marker === 0xff) {
      at++ // any number of these may stand before a marker
      continue
    }
    const frame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (frame) return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) }
    at += 2 + bytes.readUInt16BE(at + 2)
  }
  return undefined
}
