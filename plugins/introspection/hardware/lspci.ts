import { type Gpu, isVirtual } from './gpu.ts'

export const lspciCommand = ['lspci'] as const

/** The graphics on the PCI bus: their names, and nothing of their memory. Virtual ones do not count. */
export function parseLspci(output: string): Gpu[] {
  return output.split('\n').flatMap(line => {
    const name = line.match(/^\S+ (?:VGA compatible controller|3D controller|Display controller)[^:]*: (.+)$/i)?.[1]
    if (name === undefined || isVirtual(name)) return []
    return [{ name: name.replace(/ \(rev \w+\)$/, '').trim(), vramBytes: 0 }]
  })
}
