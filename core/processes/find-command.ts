import { accessSync, constants, statSync } from 'node:fs'
import { resolve } from 'node:path'

/**
 * The file that runs `command`, looked for where the child itself would look: a path counts from its working
 * directory, a bare name is searched in its PATH. Throws a sentence that names the command.
 */
export function findCommand(
  command: string,
  { env, cwd = process.cwd() }: { env: Readonly<Record<string, string>>; cwd?: string | undefined },
): string {
  if (!/[\\/]/.test(command)) {
    const path = Object.entries(env).find(([name]) => name.toUpperCase() === 'PATH')?.[1] ?? ''
    const found = Bun.which(command, { PATH: path, cwd })
    if (found) return resolve(cwd, found)
    throw notFound(`the command "${command}" was not found; is it installed, and on the PATH?`)
  }
  const file = resolve(cwd, command)
  if (!isFile(file)) throw notFound(`the command "${command}" does not exist`)
  if (!mayRun(file)) throw notFound(`the command "${command}" may not be run; is it executable?`, 'EACCES')
  return file
}

const notFound = (message: string, code = 'ENOENT') => Object.assign(new Error(message), { code })

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function mayRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
