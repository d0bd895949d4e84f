import { macho, readLayout } from './format.ts'

const pageBits = 12
const pageSize = 1 << pageBits
/** The header of the signature and its list of one part. */
const headSize = 20

/**
 * Replaces the signature of a Mach-O file by an ad-hoc one, made of hashes alone and of nobody's name, as a linker does.
 * Bun 1.4.4 leaves the signature of its own x64 release in what it compiles, which macOS kills at the start (oven-sh/bun#39837).
 */
export function signAdHoc(file: Buffer, identifier: string): Buffer {
  const { signature, linkEdit, text } = readLayout(file)
  const codeSize = signature.offset
  if (codeSize % 16 !== 0 || codeSize > file.length) throw new Error(`a signature cannot begin at ${codeSize}`)
  const name = Buffer.from(`${identifier}\0`)
  const pages = Math.ceil(codeSize / pageSize)
  const hashesAt = macho.directorySize + name.length
  const directorySize = hashesAt + pages * macho.hashSize
  const size = Math.ceil((headSize + directorySize) / 16) * 16

  const signed = Buffer.alloc(codeSize + size)
  file.copy(signed, 0, 0, codeSize)
  // the load commands first: they are part of what is hashed
  signed.writeUInt32LE(size, signature.command + 12)
  const linkEditSize = signed.length - linkEdit.offset
  signed.writeBigUInt64LE(BigInt(Math.ceil(linkEditSize / 0x4000) * 0x4000), linkEdit.command + 32)
  signed.writeBigUInt64LE(BigInt(linkEditSize), linkEdit.command + 48)

  const directory = codeSize + headSize
  writeNumbers(signed, codeSize, [macho.signatureMagic, headSize + directorySize, 1, macho.directorySlot, headSize])
  writeNumbers(signed, directory, [
    macho.directoryMagic,
    directorySize,
    macho.directoryVersion,
    macho.adHoc | macho.linkerSigned,
    hashesAt,
    macho.directorySize, // the identifier stands behind the fixed part
    0, // hashes of other parts: none
    pages,
    codeSize,
  ])
  signed.set([macho.hashSize, macho.sha256, 0, pageBits], directory + 36)
  signed.writeBigUInt64BE(text.offset, directory + 64)
  signed.writeBigUInt64BE(text.size, directory + 72)
  signed.writeBigUInt64BE(macho.mainBinary, directory + 80)
  name.copy(signed, directory + macho.directorySize)
  for (let page = 0; page < pages; page++) {
    const bytes = signed.subarray(page * pageSize, Math.min((page + 1) * pageSize, codeSize))
    signed.set(new Bun.CryptoHasher('sha256').update(bytes).digest(), directory + hashesAt + page * macho.hashSize)
  }
  return signed
}

function writeNumbers(file: Buffer, at: number, numbers: readonly number[]): void {
  for (const [index, number] of numbers.entries()) file.writeUInt32BE(number, at + index * 4)
}
