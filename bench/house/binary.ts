import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Glob } from 'bun'

const root = join(import.meta.dir, '..', '..')

/** The compiled gatehouse: the one `GATEHOUSE_BINARY` names, else dist/gatehouse, built anew when a source is younger. */
export function gatehouseBinary(): string {
  if (process.env.GATEHOUSE_BINARY) return resolve(root, process.env.GATEHOUSE_BINARY)
  const binary = join(root, 'dist', 'gatehouse')
  if (existsSync(binary) && statSync(binary).mtimeMs > youngestSource()) return binary
  console.error('dist/gatehouse is missing or older than the sources; building')
  const { exitCode } = Bun.spawnSync([process.execPath, 'build.ts'], { cwd: root, stdout: 'ignore', stderr: 'inherit' })
  if (exitCode !== 0) throw new Error('the build failed; see above')
  return binary
}

/** What `gatehouse version` says. */
export const versionOf = (binary: string): string => Bun.spawnSync([binary, '--version']).stdout.toString().trim().replace('gatehouse ', '')

function youngestSource(): number {
  const sources = [...new Glob('{core,plugins,workers}/**/*').scanSync(root)].filter(file => !/\.(test|long)\.ts$/.test(file))
  return Math.max(...['build.ts', 'package-lock.json', ...sources].map(file => statSync(join(root, file)).mtimeMs))
}
