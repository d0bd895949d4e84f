import { accessSync, constants, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'

const writable = constants.W_OK | constants.X_OK

/** Why a folder cannot be written or made, in words; undefined when it can. Writes nothing. */
export function whyNoFolder(path: string): string | undefined {
  const info = look(path)
  if (typeof info === 'string') return info
  if (!info) return dirname(path) === path ? 'there is no such drive' : whyNoFolder(dirname(path))
  if (!info.isDirectory()) return `${path} is a file`
  return whyNot(path, writable)
}

/** Why a file cannot be written or made in a folder that is there. Writes nothing. */
export function whyNoFile(path: string): string | undefined {
  const info = look(path)
  if (typeof info === 'string') return info
  if (!info) return whyNoFolder(dirname(path))
  if (info.isDirectory()) return `${path} is a folder`
  return whyNot(path, constants.W_OK)
}

/** The code of an error of the file system. */
export const codeOf = (error: unknown): string => String((error as { readonly code?: unknown }).code ?? 'unknown error')

/** What is there; undefined for nothing, text when that cannot be found out. */
function look(path: string): Stats | string | undefined {
  try {
    return statSync(path)
  } catch (error) {
    const code = codeOf(error)
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : `this user may not look at ${path} (${code})`
  }
}

function whyNot(path: string, mode: number): string | undefined {
  try {
    accessSync(path, mode)
    return undefined
  } catch (error) {
    const code = codeOf(error)
    return code === 'EROFS' ? `${path} is on a read-only file system` : `this user may not write to ${path} (${code})`
  }
}
