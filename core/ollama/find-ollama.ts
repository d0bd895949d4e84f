import { join } from 'node:path'
import { findCommand } from '../processes/find-command.ts'

/** The `ollama` on the PATH, or where its installers put it; undefined when there is none. */
export function findOllama(env: NodeJS.ProcessEnv, places = usualPlaces(env)): string | undefined {
  return ['ollama', ...places].map(command => fileOf(command, env.PATH ?? env.Path ?? '')).find(file => file !== undefined)
}

/** A service manager's PATH is short, and the application for macOS puts nothing on it before its first start. */
function usualPlaces({ HOME = '', LOCALAPPDATA = '', ProgramFiles = '' }: NodeJS.ProcessEnv): readonly string[] {
  if (process.platform === 'win32')
    return [LOCALAPPDATA && join(LOCALAPPDATA, 'Programs'), ProgramFiles]
      .filter(Boolean)
      .map(folder => join(folder, 'Ollama', 'ollama.exe'))
  const application = 'Applications/Ollama.app/Contents/Resources/ollama'
  if (process.platform === 'darwin')
    return ['/usr/local/bin/ollama', '/opt/homebrew/bin/ollama', `/${application}`, ...(HOME ? [join(HOME, application)] : [])]
  return ['/usr/local/bin/ollama', '/usr/bin/ollama', '/snap/bin/ollama', ...(HOME ? [join(HOME, '.local/bin/ollama')] : [])]
}

function fileOf(command: string, path: string): string | undefined {
  try {
    return findCommand(command, { env: { PATH: path } })
  } catch {
    return undefined
  }
}
