import { join } from 'node:path'

/** Lines that `sha256sum -c` reads, for files of one folder. */
export async function checksumLines(folder: string, files: readonly string[]): Promise<string> {
  const lines: string[] = []
  for (const file of files) {
    const hash = new Bun.CryptoHasher('sha256').update(await Bun.file(join(folder, file)).bytes()).digest('hex')
    lines.push(`${hash}  ${file}\n`)
  }
  return lines.join('')
}
