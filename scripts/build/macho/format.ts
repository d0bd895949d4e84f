/** Where the parts of a Mach-O file that a signature concerns are; positions are of the file. */
export interface Layout {
  /** The load command that says where the signature is, and what it says. */
  readonly signature: { readonly command: number; readonly offset: number; readonly size: number }
  /** The last segment: symbols, and the signature at its end. */
  readonly linkEdit: { readonly command: number; readonly offset: number; readonly size: number }
  readonly text: { readonly offset: bigint; readonly size: bigint }
}

/** Numbers of Apple's loader.h and cs_blobs.h. The signature is big-endian, all else little-endian. */
export const macho = {
  magic: 0xfeed_facf,
  segmentCommand: 0x19,
  signatureCommand: 0x1d,
  /** A signature is a list of parts; slot 0 holds the list of hashes. */
  signatureMagic: 0xfade_0cc0,
  directoryMagic: 0xfade_0c02,
  directorySlot: 0,
  directoryVersion: 0x2_0400,
  /** The directory's fixed part, as long as its version makes it. */
  directorySize: 88,
  adHoc: 0x2,
  /** What a linker signs, so that `codesign` may sign it again without force. */
  linkerSigned: 0x2_0000,
  hardenedRuntime: 0x1_0000,
  sha256: 2,
  hashSize: 32,
  mainBinary: 1n,
} as const

/** Reads the load commands; an error for anything but a 64-bit Mach-O file for one machine, with room for a signature. */
export function readLayout(file: Buffer): Layout {
  if (file.length < 32 || file.readUInt32LE(0) !== macho.magic) throw new Error('this is no Mach-O file for one 64-bit machine')
  const end = 32 + file.readUInt32LE(20)
  if (end > file.length) throw new Error('the load commands go beyond the end of the file')
  let signature: Layout['signature'] | undefined
  let linkEdit: Layout['linkEdit'] | undefined
  let text: Layout['text'] | undefined
  for (let at = 32, left = file.readUInt32LE(16); left > 0; left--) {
    const [command, size] = [file.readUInt32LE(at), file.readUInt32LE(at + 4)]
    if (size < 8 || at + size > end) throw new Error(`the load command at ${at} is ${size} bytes long`)
    if (command === macho.signatureCommand) {
      signature = { command: at, offset: file.readUInt32LE(at + 8), size: file.readUInt32LE(at + 12) }
    }
    if (command === macho.segmentCommand) {
      const name = file.toString('latin1', at + 8, at + 24).replace(/\0+$/, '')
      const [offset, length] = [file.readBigUInt64LE(at + 40), file.readBigUInt64LE(at + 48)]
      if (name === '__LINKEDIT') linkEdit = { command: at, offset: Number(offset), size: Number(length) }
      if (name === '__TEXT') text = { offset, size: length }
    }
    at += size
  }
  if (!signature || !linkEdit || !text) throw new Error('it lacks a signature, __LINKEDIT or __TEXT')
  return { signature, linkEdit, text }
}
