import { accessSync, closeSync, constants, openSync, rmSync, type Stats, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Why a folder cannot be written or made, in words; undefined when it can. Tries it with a file that is gone again
 * afterwards: what the rights say is not always so (`/proc`, full disks, network file systems), and to root they say nothing.
 */
export function whyNoFolder(path: string): string | undefined {
  const info = look(path)
  if (typeof info === 'string') return info
  if (!info) return dirname(path) === path ? 'there is no such drive' : whyNoFolder(dirname(path))
  if (!info.isDirectory()) return `${path} is a file`
  return refused(path, () => {
    const trial = join(path, `.gatehouse-doctor-${crypto.randomUUID()}`)
    try {
      closeSync(openSync(trial, 'wx', 0o600))
    } finally {
      rmSync(trial, { force: true })
    }
  })
}

/** Why a file cannot be written, or made in a folder that is there or can be. Does not change the file. */
export function whyNoFile(path: string): string | undefined {
  const info = look(path)
  if (typeof info === 'string') return info
  if (!info) return whyNoFolder(dirname(path))
  if (info.isDirectory()) return `${path} is a folder`
  // opening anything but a file may wait, or begin something
  return refused(path, () => (info.isFile() ? closeSync(openSync(path, 'a')) : accessSync(path, constants.W_OK)))
}

/** The code of an error of the file system. */
export const codeOf = (error: unknown): string => String((error as { readonly code?: unknown }).code ?? 'unknown error')

/** What is there; undefined for nothing, text when that cannot be found out. */
function look(path: string): Stats | string | undefined {
  try {
    return statSync(path)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    return names[code] ?? `this user may not look at ${path} (${code})`
  }
}

const names: Readonly<Record<string, string>> = {
  ENAMETOOLONG: 'its path is too long (ENAMETOOLONG)',
  ELOOP: 'its links lead in a circle (ELOOP)',
}

function refused(path: string, attempt: () => void): string | undefined {
  try {
    attempt()
    return undefined
  } catch (error) {
    const code = codeOf(error)
    return reasons[code]?.(path) ?? `nothing can be written to ${path} (${code})`
  }
}

const reasons: Readonly<Record<string, (path: string) => string>> = {
  EROFS: path => `${path} is on a read-only file system`,
  ENOSPC: path => `no space is left on the disk of ${path}`,
  EACCES: path => `this user may not write to ${path} (EACCES)`,
  EPERM: path => `this user may not write to ${path} (EPERM)`,
}
