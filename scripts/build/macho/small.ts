import { macho } from './format.ts'

/** A Mach-O file with the parts a signature needs and nothing else, for tests: `pages` of code, and an old signature. */
export function smallMachO(pages: number): Buffer {
  const codeSize = pages * 4096 - 16 // the last page is not full
  const linkEdit = codeSize - 64
  const file = Buffer.alloc(codeSize + 128)
  for (let at = 0; at < codeSize; at++) file[at] = (at * 31) % 251
  file.fill(0, 0, 32)
  file.writeUInt32LE(macho.magic, 0)
  file.writeUInt32LE(0x0100_0007, 4)
  file.writeUInt32LE(3, 16)
  file.writeUInt32LE(72 + 72 + 16, 20)
  writeSegment(file, 32, '__TEXT', 0, linkEdit)
  writeSegment(file, 104, '__LINKEDIT', linkEdit, file.length - linkEdit)
  for (const [index, number] of [macho.signatureCommand, 16, codeSize, 128].entries()) file.writeUInt32LE(number, 176 + index * 4)
  return file
}

function writeSegment(file: Buffer, at: number, name: string, offset: number, size: number): void {
  file.fill(0, at, at + 72)
  file.writeUInt32LE(macho.segmentCommand, at)
  file.writeUInt32LE(72, at + 4)
  file.write(name, at + 8, 'latin1')
  file.writeBigUInt64LE(BigInt(size), at + 32)
  file.writeBigUInt64LE(BigInt(offset), at + 40)
  file.writeBigUInt64LE(BigInt(size), at + 48)
}
