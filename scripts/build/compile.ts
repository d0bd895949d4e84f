import { rm } from 'node:fs/promises'
import { join } from 'node:path'

const root = join(import.meta.dir, '..', '..')

/** How every binary is compiled; bun's own docs and the README of core/ have the measurements. */
export const compileFlags: readonly string[] = [
  '--compile',
  '--production', // minifies, and sets NODE_ENV for what is bundled
  '--bytecode', // 10 ms to the first line instead of 25
  '--format=esm', // with bytecode the default would be CommonJS, which has no top-level await
  '--splitting', // what the program and its threads share is in the binary once
  '--root=workers', // so that `workers/entry/worker.ts` becomes `entry/worker.js` inside, where tinypool looks for it
  '--keep-names', // error names are part of the log
  '--no-compile-autoload-dotenv', // the working directory's .env and bunfig.toml could run foreign code
  '--no-compile-autoload-bunfig',
]

/** What is bundled into a binary: the program, and whatever it starts by file name. */
export const entries: readonly string[] = ['core/main.ts', 'workers/entry/worker.ts']

export interface Compilation {
  readonly outfile: string
  /** Another platform, and Bun for it. */
  readonly cross?: { readonly platform: string; readonly runtime: string }
  readonly flags?: readonly string[]
  readonly sources?: readonly string[]
}

/** Compiles one binary; an error with what Bun said when that fails. */
export async function compile({ outfile, cross, flags = compileFlags, sources = entries }: Compilation): Promise<void> {
  await rm(outfile, { force: true })
  const { exitCode, stderr } = Bun.spawnSync(
    [
      process.execPath,
      'build',
      ...flags,
      ...(cross ? [`--target=${cross.platform}`, `--compile-executable-path=${cross.runtime}`] : []),
      ...sources,
      '--outfile',
      outfile,
    ],
    { stdout: 'ignore', stderr: 'pipe', cwd: root },
  )
  if (exitCode !== 0) throw new Error(`${outfile} was not built\n${stderr}`)
}
