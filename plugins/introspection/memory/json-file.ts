import { lstat, mkdir, open, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { oddity, readRegular } from './regular-file.ts'

/** What is in a file that people edit by hand. */
export type Content =
  | { readonly state: 'missing' }
  | { readonly state: 'broken'; readonly reason: string }
  | { readonly state: 'read'; readonly value: Readonly<Record<string, unknown>> }

/** No memory is as large; a file that is would only be read to be cut. */
const mostBytes = 4 * 1024 * 1024

/** Reads a JSON object. A link, a pipe, a device or a folder is broken: only regular files are read. */
export async function readJson(file: string): Promise<Content> {
  try {
    // before it is opened, because that alone makes some devices do something
    const odd = oddity(await lstat(file))
    if (odd !== undefined) return { state: 'broken', reason: odd }
    const content = await readRegular(file, mostBytes)
    if ('reason' in content) return { state: 'broken', reason: content.reason }
    const value: unknown = JSON.parse(content.text.replace(/^\uFEFF/, ''))
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { state: 'read', value: value as Record<string, unknown> }
    return { state: 'broken', reason: 'it is no JSON object' }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return { state: 'missing' }
    return { state: 'broken', reason: error instanceof SyntaxError ? 'it is no valid JSON' : (code ?? 'it could not be read') }
  }
}

/** Writes a JSON object so that after a crash either the old or the new one is there, whole. */
export async function writeJson(file: string, value: unknown): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const fresh = join(dirname(file), `.${basename(file)}.${crypto.randomUUID()}.tmp`)
  const handle = await open(fresh, 'wx', 0o600)
  try {
    await handle.writeFile(`${JSON.stringify(value, null, 2)}\n`)
    await handle.sync()
    await handle.close()
    await rename(fresh, file)
  } catch (error) {
    await handle.close().catch(() => {})
    await unlink(fresh).catch(() => {})
    throw error
  }
}
