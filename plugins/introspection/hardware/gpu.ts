/** One graphics card. */
export interface Gpu {
  readonly name: string
  /** Memory of its own. 0 when it has none, or nobody could say. */
  readonly vramBytes: number
  /** Its memory is the machine's. */
  readonly unified?: boolean
  readonly driver?: string
}

/** More than any card has; a driver that says so is wrong. */
const mostBytes = 1024 ** 4

/** A number of bytes as a tool reported it, or 0 when it makes no sense. */
export const saneBytes = (bytes: number): number => (bytes > 0 && bytes < mostBytes ? Math.floor(bytes) : 0)

/** Graphics of virtual machines and of servers' management chips: a picture, and no power to compute. */
const virtual =
  /\b(qemu|bochs|cirrus|vmware|svga|virtualbox|innotek|virtio|red hat|qxl|hyper-v|microsoft|parallels|parsec|citrix|xen|aspeed|g200\w*|ibmc|silicon motion|xgi|amazon\.com|device 1234:1111|basic display|remote display|virtual|mirage)\b/i

/** True for a display that is no graphics card. */
export const isVirtual = (name: string): boolean => virtual.test(name)

/** Graphics inside a processor: what they call their memory is a part of the machine's. */
const integrated = /\bintel\b(?!.*\barc\b.*\b[ab]\d{3})|\bradeon(\(tm\))?\s+((rx\s+)?vega\s+\d+\s+|\d{3,4}[ms]\s+)?graphics\b|\badreno\b/i

/** True for graphics inside a processor, by the looks of the name. */
export const isIntegrated = (name: string): boolean => integrated.test(name)

/** A processor's own graphics, beside a card, are not what models run on. */
export function withoutSmallest(gpus: readonly Gpu[]): readonly Gpu[] {
  const cards = gpus.filter(({ vramBytes }) => vramBytes >= 1024 ** 3)
  return cards.length > 0 ? cards : gpus
}

/** `A`, `2x A`, `A + 2x B`. */
export function namesOf(gpus: readonly Gpu[]): string {
  const counts = new Map<string, number>()
  for (const { name } of gpus) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].map(([name, count]) => (count === 1 ? name : `${count}x ${name}`)).join(' + ')
}
