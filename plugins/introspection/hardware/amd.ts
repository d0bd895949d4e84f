import { type Gpu, saneBytes, withoutSmallest } from './gpu.ts'
import { parseObject } from './json.ts'
import type { Probe } from './probe.ts'

/** `{"card0": {"VRAM Total Memory (B)": "21458059264", "Card Series": "Radeon RX 7900 XT", …}, "system": {…}}` */
export const rocmCommand = ['rocm-smi', '--showmeminfo', 'vram', '--showproductname', '--showdriverversion', '--json'] as const

/** The cards in `rocm-smi`'s answer. Keys changed their case between its releases, and numbers come as text. */
export function parseRocm(output: string): readonly Gpu[] {
  const answer = parseObject(output)
  if (!answer) return []
  const driver = fieldOf(answer.system, 'driver version')
  const gpus = Object.entries(answer)
    .filter(([key]) => /^card\d+$/.test(key))
    .sort(([a], [b]) => Number(a.slice(4)) - Number(b.slice(4)))
    .map(([, card]): Gpu => {
      const names = ['card series', 'device name', 'card model', 'card sku'].map(key => fieldOf(card, key))
      return {
        name: names.find(name => name !== undefined && !/^(0x[0-9a-f]+|n\/a|unknown|\s*)$/i.test(name)) ?? 'AMD GPU',
        vramBytes: saneBytes(Number(fieldOf(card, 'vram total memory (b)'))),
        ...(driver && { driver }),
      }
    })
  return withoutSmallest(gpus)
}

function fieldOf(card: unknown, name: string): string | undefined {
  const found = Object.entries(card ?? {}).find(([key]) => key.toLowerCase() === name)
  return found && String(found[1])
}

/** More cards than a machine has. */
const cardNumbers = Array.from({ length: 16 }, (_, number) => number)

/** What the amdgpu driver of Linux says itself (kernel docs: gpu/amdgpu): many machines run models on a card and have no `rocm-smi`. */
export async function readAmdgpu({ readFile }: Pick<Probe, 'readFile'>): Promise<readonly Gpu[]> {
  const found = await Promise.all(
    cardNumbers.map(async (number): Promise<Gpu[]> => {
      const device = `/sys/class/drm/card${number}/device`
      const bytes = Number(await readFile(`${device}/mem_info_vram_total`))
      if (!(bytes > 0)) return []
      return [{ name: (await readFile(`${device}/product_name`))?.trim() || 'AMD GPU', vramBytes: saneBytes(bytes) }]
    }),
  )
  return withoutSmallest(found.flat())
}
