import { type Gpu, saneBytes } from './gpu.ts'

/** One line per card: `NVIDIA GeForce RTX 4090, 24564, 550.54.14`. */
export const nvidiaCommand = ['nvidia-smi', '--query-gpu=name,memory.total,driver_version', '--format=csv,noheader,nounits'] as const

/** Answers that stand where the number should: `[N/A]`, `[Not Supported]`, `[Unknown Error]`, `[GPU requires reset]`. */
const noNumber = /^\[.*\]$|^n\/a$|^not supported$/i

/** Chips that compute in the machine's own memory; the tool says `[N/A]` for it (NVIDIA's DGX Spark known issues, Jetson). */
const unified = /\b(GB10|N1X|Orin|Thor|Xavier|Tegra)\b/i

/** The cards in `nvidia-smi`'s answer. Lines that are none, such as warnings, are passed over. */
export function parseNvidia(output: string): Gpu[] {
  return output.split('\n').flatMap((line): Gpu[] => {
    const [, name, memory = '', driver = ''] = line.trim().match(/^([^,]+),\s*([^,]*?)\s*(?:,\s*([^,]*))?$/) ?? []
    const mebibytes = memory.match(/^(\d+)(?: MiB)?$/)?.[1]
    if (!name || (mebibytes === undefined && !noNumber.test(memory))) return []
    const version = /^[\d.]+$/.test(driver.trim()) && { driver: driver.trim() }
    if (mebibytes === undefined) return [{ name: name.trim(), vramBytes: 0, ...(unified.test(name) && { unified: true }), ...version }]
    return [{ name: name.trim(), vramBytes: saneBytes(Number(mebibytes) * 1024 ** 2), ...version }]
  })
}
