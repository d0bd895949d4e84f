import { type Gpu, isIntegrated, isVirtual, saneBytes } from './gpu.ts'
import { objectsIn, parseObject } from './json.ts'

/**
 * The adapters that are there, and what their drivers wrote about their memory: `AdapterRAM` is a number of 32 bits,
 * so it ends at 4 GB; the driver's own is `HardwareInformation.qwMemorySize` (Microsoft's display driver registry keys).
 */
const script = [
  "$ErrorActionPreference='SilentlyContinue'",
  '[Console]::OutputEncoding=[Text.Encoding]::UTF8',
  '$controllers=@(Get-CimInstance Win32_VideoController|Select-Object Name,AdapterRAM,DriverVersion)',
  "$drivers=@(Get-ItemProperty 'HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e968-e325-11ce-bfc1-08002be10318}\\0*'|ForEach-Object{@{Name=$_.DriverDesc;Bytes=[string]$_.'HardwareInformation.qwMemorySize'}})",
  '@{controllers=$controllers;drivers=$drivers}|ConvertTo-Json -Depth 3 -Compress',
].join(';')

export const windowsCommand = ['powershell', '-NoProfile', '-NonInteractive', '-Command', script] as const

/** The graphics cards in PowerShell's answer. The registry remembers cards that are gone, so only the adapters count. */
export function parseWindows(output: string): readonly Gpu[] {
  const answer = parseObject(output)
  const drivers = objectsIn(answer?.drivers).map(({ Name, Bytes }) => ({ name: String(Name), bytes: readBytes(String(Bytes ?? '')) }))
  const gpus = objectsIn(answer?.controllers).flatMap(({ Name, AdapterRAM, DriverVersion }): Gpu[] => {
    const name = String(Name ?? '').trim()
    if (name === '' || isVirtual(name)) return []
    const known = drivers.find(driver => driver.name === name && driver.bytes > 0)?.bytes
    const bytes = isIntegrated(name) ? 0 : (known ?? saneBytes(unsigned(Number(AdapterRAM))))
    return [{ name, vramBytes: bytes, ...(typeof DriverVersion === 'string' && { driver: DriverVersion }) }]
  })
  const cards = gpus.filter(({ name }) => !isIntegrated(name))
  return cards.length > 0 ? cards : gpus
}

/** 32 bits without a sign; some versions write one. */
const unsigned = (number: number) => (number < 0 ? number + 2 ** 32 : number)

/** A number, or, from drivers that wrote it as bytes, eight of them with the lowest first. */
function readBytes(text: string): number {
  const parts = text.trim().split(/\s+/).map(Number)
  return saneBytes(parts.length === 8 ? parts.reduceRight((sum, byte) => sum * 256 + byte, 0) : Number(text))
}
