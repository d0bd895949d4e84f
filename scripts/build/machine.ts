const elfMachines: Readonly<Record<number, string>> = { 62: 'x64', 183: 'arm64' }
const peMachines: Readonly<Record<number, string>> = { 34404: 'x64', 43620: 'arm64' }
const machMachines: Readonly<Record<number, string>> = { 16777223: 'x64', 16777228: 'arm64' }

/**
 * What the first 64 KB of an executable say it runs on: `elf-x64-glibc`, `elf-arm64-musl`, `pe-x64`, `mach-o-arm64`.
 * A machine that is none of ours is named by its number.
 */
export function machineOf(head: Buffer): string {
  if (head.length < 64) return 'unknown'
  if (head.toString('latin1', 0, 4) === '\x7fELF') return `elf-${nameOf(elfMachines, head.readUInt16LE(18))}-${libcOf(head)}`
  if (head.readUInt32LE(0) === 0xfeed_facf) return `mach-o-${nameOf(machMachines, head.readUInt32LE(4))}`
  if (head.toString('latin1', 0, 2) !== 'MZ') return 'unknown'
  const pe = head.readUInt32LE(0x3c)
  if (head.toString('latin1', pe, pe + 4) !== 'PE\0\0') return 'unknown'
  return `pe-${nameOf(peMachines, head.readUInt16LE(pe + 4))}`
}

const nameOf = (names: Readonly<Record<number, string>>, machine: number): string => names[machine] ?? `0x${machine.toString(16)}`

/** Which C library an ELF file wants, by the loader it names (PT_INTERP). */
function libcOf(head: Buffer): string {
  const [table, size, count] = [Number(head.readBigUInt64LE(32)), head.readUInt16LE(54), head.readUInt16LE(56)]
  for (let at = table; at < table + size * count && at + 40 <= head.length; at += size) {
    if (head.readUInt32LE(at) !== 3) continue
    const offset = Number(head.readBigUInt64LE(at + 8))
    const loader = head.toString('latin1', offset, offset + Number(head.readBigUInt64LE(at + 32)))
    if (loader.includes('/ld-musl-')) return 'musl'
    if (loader.includes('/ld-linux')) return 'glibc'
    return loader
  }
  return 'static'
}
