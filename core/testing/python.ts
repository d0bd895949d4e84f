import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dir, '..', '..')
const folder = join(root, '.venv')
const interpreter = join(folder, ...(process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']))
/** What was installed, so that other pins are installed anew. */
const installed = join(folder, 'installed.txt')

/** True when a missing Python is a failure and not a reason to skip: where the services are there, as in CI. */
export const pythonRequired = process.env.REQUIRE_SERVICES === '1'

/** Whether tests that need Python run: where it is required, and where its packages were installed before. */
export const pythonWanted = pythonRequired || existsSync(installed)

/**
 * The Python of the repository's own `.venv`, with exactly the packages a requirements file names. Makes the folder and
 * installs, which takes the package index and about a minute; a second call finds everything there.
 */
export async function preparePython(requirements: string): Promise<string> {
  const wanted = readFileSync(requirements, 'utf8')
  if (existsSync(installed) && readFileSync(installed, 'utf8') === wanted && (await succeeds([interpreter, '--version'])))
    return interpreter
  rmSync(installed, { force: true })
  await run([await findPython(), '-m', 'venv', '--clear', folder])
  await run([interpreter, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', requirements])
  writeFileSync(installed, wanted)
  return interpreter
}

async function findPython(): Promise<string> {
  for (const name of ['python3', 'python']) {
    if (await succeeds([name, '-c', 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))'])) return name
  }
  throw new Error('there is no Python of 3.10 or later with venv on PATH')
}

async function succeeds(command: readonly string[]): Promise<boolean> {
  try {
    await run(command)
    return true
  } catch {
    return false
  }
}

async function run(command: readonly string[]): Promise<void> {
  const child = Bun.spawn([...command], { cwd: root, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}\n${stdout}${stderr}`)
}
