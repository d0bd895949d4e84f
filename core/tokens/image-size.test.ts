import { describe, expect, test } from 'bun:test'
import { deflateSync } from 'node:zlib'
import { imageSize } from './image-size.ts'

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map(part => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))))
const base64 = (image: Buffer) => image.toString('base64')
const segment = (marker: number, content: Buffer) =>
  Buffer.concat([bytes([0xff, marker, (content.length + 2) >> 8, (content.length + 2) & 255]), content])
const frame = (marker: number) => segment(marker, bytes([8, 0x02, 0x58, 0x03, 0x20, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]))

function png(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(data.length)
    checksum.writeUInt32BE(Number(Bun.hash.crc32(Buffer.concat([Buffer.from(type), data]))))
    return Buffer.concat([length, Buffer.from(type), data, checksum])
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 0, 0, 0, 0], 8)
  const pixels = deflateSync(Buffer.alloc((width + 1) * height))
  return Buffer.concat([bytes([0x89], 'PNG\r\n', [0x1a, 0x0a]), chunk('IHDR', head), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))])
}

const images = {
  PNG: png(800, 600),
  GIF: bytes('GIF89a', [0x20, 0x03, 0x58, 0x02, 0, 0, 0], ';'),
  JPEG: Buffer.concat([
    bytes([0xff, 0xd8]),
    segment(0xe0, bytes('JFIF\0', [1, 1, 0, 0, 1, 0, 1, 0, 0])),
    segment(0xdb, Buffer.alloc(65)),
    frame(0xc0),
  ]),
  'progressive JPEG with filling': Buffer.concat([bytes([0xff, 0xd8, 0xff, 0xff]), frame(0xc2)]),
  'JPEG behind a large preview': Buffer.concat([
    bytes([0xff, 0xd8]),
    segment(0xe1, Buffer.alloc(65_000, 7)),
    segment(0xe2, Buffer.alloc(65_000, 7)),
    frame(0xc0),
  ]),
  'lossy WebP': bytes('RIFF\0\0\0\0WEBPVP8 \0\0\0\0', [0, 0, 0, 0x9d, 0x01, 0x2a, 0x20, 0x03, 0x58, 0x02], 'rest'),
  'lossless WebP': bytes('RIFF\0\0\0\0WEBPVP8L\0\0\0\0', [0x2f, 0x1f, 0xc3, 0x95, 0x00], 'and the rest'),
  'extended WebP': bytes('RIFF\0\0\0\0WEBPVP8X\0\0\0\0', [0, 0, 0, 0, 0x1f, 0x03, 0, 0x57, 0x02, 0], 'rest'),
}

describe.each(Object.entries(images))('%s', (_name, image) => {
  test('as base64 and as a URL', () => {
    expect(imageSize(base64(image))).toEqual({ width: 800, height: 600 })
    expect(imageSize(`data:image/png;base64,${base64(image)}`)).toEqual({ width: 800, height: 600 })
  })

  test('cut off anywhere, nothing breaks', () => {
    for (let length = 0; length < Math.min(image.length, 200); length++) {
      expect([undefined, 800]).toContain(imageSize(base64(image.subarray(0, length)))?.width)
    }
  })
})

test('what is no image, or none we know, has no size', () => {
  for (const image of [
    '',
    'data:',
    'data:image/png;base64,',
    'not base64 at all!',
    base64(bytes([0xff, 0xd8, 0xff, 0xd9])),
    base64(png(0, 0)),
    'é'.repeat(100),
    base64(Buffer.alloc(300_000, 0xff)),
  ]) {
    expect(imageSize(image)).toBeUndefined()
  }
})

test('a large image is not decoded as a whole', () => {
  const large = base64(Buffer.concat([images.PNG, Buffer.alloc(20_000_000)]))
  const began = performance.now()
  for (let i = 0; i < 100; i++) imageSize(large)
  expect(performance.now() - began).toBeLessThan(200) // decoding takes 5 ms or more each
})
