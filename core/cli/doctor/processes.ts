import { accessSync, constants, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Config } from '../../config/schema.ts'
import { findProgram } from './backend-place.ts'
import { type Finding, ok, problem } from './finding.ts'
import { codeOf } from './writable.ts'

/** Where things are looked for. */
export interface Lookup {
  readonly path: string | undefined
  readonly cwd: string
}

/** The models gatehouse runs itself: are their programs and files there. */
export function checkProcesses({ models, llama_server_path: server }: Config, lookup: Lookup): readonly Finding[] {
  const own = models.filter(model => model.model_path !== undefined)
  const started = models.filter(model => model.command !== undefined)
  return [
    ...(own.length > 0 || server !== undefined ? [checkServer(server, lookup)] : []),
    ...own.map(({ name, model_path }) => checkModelFile(name, model_path as string)),
    ...started.map(({ name, command }) => checkCommand(name, command as string, lookup)),
  ]
}

function checkServer(given: string | undefined, lookup: Lookup): Finding {
  const name = given ?? 'llama-server'
  const found = findExecutable(name, lookup)
  if (found) return ok(`llama-server is ${found}`)
  return given === undefined
    ? problem('there is no llama-server in PATH', 'install llama.cpp, or set llama_server_path to its llama-server')
    : problem(`llama_server_path: there is no program ${given}`, 'correct it, or leave it out to use the llama-server in PATH')
}

function checkModelFile(name: string, path: string): Finding {
  const fix = `correct model_path of the model "${name}"`
  try {
    if (!statSync(path).isFile()) return problem(`model "${name}": ${path} is not a file`, fix)
    accessSync(path, constants.R_OK)
    return ok(`model "${name}": ${path}`)
  } catch (error) {
    const code = codeOf(error)
    return problem(`model "${name}": ${code === 'ENOENT' ? 'there is no file' : 'this user may not read'} ${path} (${code})`, fix)
  }
}

function checkCommand(name: string, command: string, lookup: Lookup): Finding {
  const program = firstWord(command)
  const found = findExecutable(program, lookup)
  if (found) return ok(`model "${name}": ${found}`)
  return problem(`model "${name}": there is no program ${program}`, `install it, or correct command of the model "${name}"`)
}

const findExecutable = (name: string, { path, cwd }: Lookup): string | undefined =>
  findProgram(/[/\\]/.test(name) ? resolve(cwd, name) : name, path)

/** The program of a command line; the rest may hold secrets. */
function firstWord(command: string): string {
  const [, quoted, plain] = /^\s*(?:"([^"]*)"|(\S+))/.exec(command) ?? []
  return quoted ?? plain ?? ''
}
