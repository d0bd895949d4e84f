import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A Windows of its own in a temporary folder. Disposing ends whatever runs in it. */
export interface Wine extends AsyncDisposable {
  /** The command that runs a Windows program: its path and arguments follow. */
  readonly command: string
  readonly env: Readonly<Record<string, string>>
}

interface Tools {
  readonly wine: string
  readonly server: string
  readonly compiler: string
}

const homes = ['/usr/lib/wine', '/usr/libexec/wine', '/opt/wine-stable/bin']

/** What it takes, when this machine has it; .ci/run installs it where it can. */
export function findWine(): Tools | undefined {
  const wine = find('wine64') ?? find('wine')
  const server = find('wineserver') ?? find('wineserver64')
  const compiler = find('x86_64-w64-mingw32-gcc')
  return wine && server && compiler ? { wine, server, compiler } : undefined
}

const find = (name: string): string | undefined => Bun.which(name) ?? homes.map(home => join(home, name)).find(existsSync)

/** Sets a Windows up, in which Bun's programs run. Takes some seconds and 700 MB. */
export async function openWine({ wine, server, compiler }: Tools): Promise<Wine> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-wine-'))
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder, // wine leaves menus and links there
    WINEPREFIX: join(folder, 'prefix'),
    WINEDEBUG: '-all',
    WINEDLLOVERRIDES: 'mscoree=;mshtml=;winemenubuilder.exe=', // no offers to install .NET or a browser
  }
  const close = async () => {
    await run([server, '-k'], env).catch(() => undefined) // nothing runs any more
    await run([server, '-w'], env).catch(() => undefined)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    await run([wine, 'wineboot', '--init'], env)
    const missing = join(env.WINEPREFIX, 'drive_c', 'windows', 'system32', 'bcryptprimitives.dll')
    if (!existsSync(missing)) {
      await run([compiler, '-shared', '-O2', '-o', missing, join(import.meta.dir, 'bcryptprimitives.c'), '-ladvapi32'], env)
    }
  } catch (error) {
    await close()
    throw error
  }
  return { command: wine, env, [Symbol.asyncDispose]: close }
}

async function run(command: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
  // not a pipe: wine's services inherit it and would hold it open
  const child = Bun.spawn([...command], { env: { ...env }, timeout: 120_000, killSignal: 'SIGKILL', stdio: ['ignore', 'ignore', 'ignore'] })
  const code = await child.exited
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}`)
}
