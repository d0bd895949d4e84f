import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { signAdHoc } from './sign.ts'
import { smallMachO } from './small.ts'
import { findSignatureFaults } from './verify.ts'

const pages = 5
const codeSize = pages * 4096 - 16
const signed = signAdHoc(smallMachO(pages), 'gatehouse')
const faultsWith = (change: (file: Buffer) => void): readonly string[] => {
  const copy = Buffer.from(signed)
  change(copy)
  return findSignatureFaults(copy)
}

describe('an ad-hoc signature', () => {
  test('has the hash of every page, where Apple’s cs_blobs.h has them', () => {
    const directory = codeSize + 20
    const hashes = directory + signed.readUInt32BE(directory + 16)
    for (let page = 0; page < pages; page++) {
      const bytes = signed.subarray(page * 4096, Math.min((page + 1) * 4096, codeSize))
      const hash = createHash('sha256').update(bytes).digest('hex')
      expect(signed.toString('hex', hashes + page * 32, hashes + page * 32 + 32)).toBe(hash)
    }
    expect(signed.readUInt32BE(codeSize)).toBe(0xfade0cc0)
    expect(signed.readUInt32BE(directory)).toBe(0xfade0c02)
    expect(signed.readUInt32BE(directory + 12)).toBe(0x20002)
    expect(signed.readUInt32BE(directory + 28)).toBe(pages)
    expect(signed.readUInt32BE(directory + 32)).toBe(codeSize)
    const name = directory + signed.readUInt32BE(directory + 20)
    expect(signed.toString('latin1', name, name + 10)).toBe('gatehouse\0')
  })

  test('takes the place of the old one and leaves the code as it was', () => {
    const unsigned = smallMachO(pages)
    expect(signed.subarray(192, codeSize).equals(unsigned.subarray(192, codeSize))).toBe(true)
    expect(signed.readUInt32LE(176 + 8)).toBe(codeSize)
    expect(signed.readUInt32LE(176 + 12)).toBe(signed.length - codeSize)
    expect(signAdHoc(signed, 'gatehouse').equals(signed)).toBe(true)
  })

  test('is found good', () => {
    expect(findSignatureFaults(signed)).toEqual([])
  })

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['an ELF file', Buffer.concat([Buffer.from('\x7fELF'), Buffer.alloc(200)])],
    ['half of one', smallMachO(1).subarray(0, 100)],
  ])('%s is not signed', (_, file) => {
    expect(() => signAdHoc(file, 'gatehouse')).toThrow()
  })
})

describe('the verifier notices', () => {
  test('a flipped byte in any page', () => {
    for (const at of [300, 4096, 8191, 12_288, codeSize - 1]) {
      const [fault] = faultsWith(file => {
        file[at] = (file[at] as number) ^ 1
      })
      expect(fault).toBe(`1 of 5 pages have another hash, page ${Math.floor(at / 4096)} first`)
    }
  })

  test('a flipped byte in a hash', () => {
    const faults = faultsWith(file => {
      const last = codeSize + 20 + 88 + 'gatehouse\0'.length + pages * 32 - 1
      file[last] = (file[last] as number) ^ 0x80
    })
    expect(faults).toEqual(['1 of 5 pages have another hash, page 4 first'])
  })

  const directory = codeSize + 20
  test.each<[string, number, number, string]>([
    ['a signature of less than the code', directory + 32, codeSize - 4096, 'bytes are signed'],
    ['a hash too few', directory + 28, pages - 1, 'there are 4 hashes'],
    ['more hashes than there is room for', directory + 28, 1000, 'beyond the end of the file'],
    ['the hardened runtime', directory + 12, 0x1_0002, 'hardened runtime'],
    ['a signature in somebody’s name', directory + 12, 0x2_0000, 'not marked as signed ad hoc'],
    ['parts it does not check', directory + 24, 7, '7 hashes of other parts'],
    ['another kind of hash', directory + 36, 0x2001_000c, 'not SHA-256'],
    ['__TEXT elsewhere', directory + 76, 1, '__TEXT'],
    ['a list of hashes that is none', directory, 0, 'no list of hashes'],
    ['a signature that is none', codeSize, 0, 'no list of hashes'],
  ])('%s', (_, at, value, fault) => {
    expect(faultsWith(file => file.writeUInt32BE(value, at)).join('; ')).toContain(fault)
  })

  test('bytes behind the signature', () => {
    expect(findSignatureFaults(Buffer.concat([signed, Buffer.alloc(16)])).join('; ')).toContain('does not end where the file ends')
  })

  test('a file that is cut off, whose signature was never renewed, or that is no Mach-O', () => {
    expect(findSignatureFaults(signed.subarray(0, codeSize))).not.toEqual([])
    expect(findSignatureFaults(smallMachO(pages))).not.toEqual([])
    expect(findSignatureFaults(Buffer.from('MZ'))).not.toEqual([])
  })
})
