import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ConfigError } from '../errors.ts'
import { type ConfigArguments, type LoadedConfig, loadConfig } from './load.ts'

/** A made-up machine. Files whose name starts with `~/` lie in the home folder, the others in the working directory. */
export interface Machine {
  readonly files?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly argv?: ConfigArguments
}

/** The config of a machine, and its texts with `CWD` and `HOME` for the folders. */
export interface Tried extends LoadedConfig {
  readonly shown: (text: string | undefined) => string | undefined
}

/** Loads the config of a machine; a ConfigError speaks of `CWD` and `HOME`. */
export async function tryConfig({ files = {}, env = {}, argv = {} }: Machine): Promise<Tried> {
  const root = await mkdtemp(join(tmpdir(), 'gatehouse-config-'))
  const [cwd, home] = [join(root, 'cwd'), join(root, 'home')]
  const shown = (text: string | undefined) => text?.replaceAll(cwd, 'CWD').replaceAll(home, 'HOME')
  try {
    await mkdir(cwd)
    await mkdir(home)
    for (const [name, text] of Object.entries(files)) {
      const path = name.startsWith('~/') ? join(home, name.slice(2)) : join(cwd, name)
      await mkdir(dirname(path), { recursive: true })
      // A name that ends in a slash is a folder.
      if (name.endsWith('/')) await mkdir(path, { recursive: true })
      else await writeFile(path, text)
    }
    return { ...(await loadConfig({ argv, env, cwd, home })), shown }
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError(shown(error.message)) : error
  } finally {
    await rm(root, { recursive: true })
  }
}

/** The lines of the ConfigError that a machine ends in; none when it starts. */
export async function complaints(machine: Machine): Promise<string[]> {
  try {
    await tryConfig(machine)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
}
