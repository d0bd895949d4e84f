import { type Gpu, saneBytes, withoutSmallest } from './gpu.ts'
import { objectsIn, parseObject } from './json.ts'

export const appleCommand = ['system_profiler', 'SPDisplaysDataType', '-json'] as const

/** The graphics in `system_profiler`'s answer. Apple's own chips have no memory of theirs; Intel's share the machine's. */
export function parseApple(output: string): readonly Gpu[] {
  const gpus = objectsIn(parseObject(output)?.SPDisplaysDataType).map((entry): Gpu => {
    const name = String(entry.sppci_model ?? entry._name ?? 'Apple GPU')
    const isApple = entry.spdisplays_vendor === 'sppci_vendor_Apple' || name.startsWith('Apple ')
    return { name, vramBytes: isApple ? 0 : readSize(entry.spdisplays_vram ?? entry._spdisplays_vram), ...(isApple && { unified: true }) }
  })
  return withoutSmallest(gpus)
}

/** `4 GB`, `1536 MB`; some languages of macOS write a comma. */
function readSize(text: unknown): number {
  const [, number, unit] = String(text).match(/^([\d.,]+)\s*([MG])B$/i) ?? []
  if (number === undefined) return 0
  return saneBytes(Number(number.replace(',', '.')) * 1024 ** (unit?.toUpperCase() === 'G' ? 3 : 2))
}
