import { type Layout, macho, readLayout } from './format.ts'

/** What macOS would hold against an ad-hoc signed Mach-O file, one line each; empty for a good one. */
export function findSignatureFaults(file: Buffer): readonly string[] {
  try {
    const layout = readLayout(file)
    return [...layoutFaults(file, layout), ...directoryFaults(file, layout)]
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}

function layoutFaults(file: Buffer, { signature, linkEdit }: Layout): string[] {
  const faults: string[] = []
  if (signature.offset % 16 !== 0) faults.push(`the signature begins at ${signature.offset}, which 16 does not divide`)
  if (signature.offset + signature.size !== file.length) faults.push('the signature does not end where the file ends')
  if (linkEdit.offset + linkEdit.size !== file.length) faults.push('__LINKEDIT does not end where the file ends')
  return faults
}

function directoryFaults(file: Buffer, { signature, text }: Layout): string[] {
  const at = findDirectory(file, signature.offset)
  if (at === undefined) return ['the signature has no list of hashes']
  const field = (index: number) => file.readUInt32BE(at + index * 4)
  const [flags, hashesAt, others, pages, codeSize] = [field(3), field(4), field(6), field(7), field(8)]
  const [hashSize, hashType, , pageBits] = file.subarray(at + 36, at + 40)
  if (hashSize !== macho.hashSize || hashType !== macho.sha256 || pageBits === undefined) return ['the hashes are not SHA-256']

  const faults: string[] = []
  if (!(flags & macho.adHoc)) faults.push('it is not marked as signed ad hoc')
  if (flags & macho.hardenedRuntime) faults.push('it asks for the hardened runtime, which forbids what Bun compiles at run time')
  if (others !== 0) faults.push(`${others} hashes of other parts are not checked`)
  if (codeSize !== signature.offset) faults.push(`${codeSize} bytes are signed, ${signature.offset} should be`)
  if (file.readBigUInt64BE(at + 64) !== text.offset || file.readBigUInt64BE(at + 72) !== text.size) faults.push('__TEXT is elsewhere')
  const pageSize = 2 ** pageBits
  if (pages !== Math.ceil(codeSize / pageSize)) faults.push(`there are ${pages} hashes for ${codeSize} bytes`)
  if (at + hashesAt + pages * macho.hashSize > file.length) return [...faults, 'the hashes go beyond the end of the file']

  const wrong: number[] = []
  for (let page = 0; page < pages; page++) {
    const bytes = file.subarray(page * pageSize, Math.min((page + 1) * pageSize, codeSize))
    const listed = file.subarray(at + hashesAt + page * macho.hashSize, at + hashesAt + (page + 1) * macho.hashSize)
    if (!listed.equals(new Bun.CryptoHasher('sha256').update(bytes).digest())) wrong.push(page)
  }
  if (wrong.length > 0) faults.push(`${wrong.length} of ${pages} pages have another hash, page ${wrong[0]} first`)
  return faults
}

function findDirectory(file: Buffer, signature: number): number | undefined {
  if (file.readUInt32BE(signature) !== macho.signatureMagic) return undefined
  for (let part = 0; part < file.readUInt32BE(signature + 8); part++) {
    const at = signature + file.readUInt32BE(signature + 16 + part * 8)
    const isDirectory = file.readUInt32BE(signature + 12 + part * 8) === macho.directorySlot
    if (isDirectory && file.readUInt32BE(at) === macho.directoryMagic) return at
  }
}
