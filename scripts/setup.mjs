// Installs what the other scripts need. Plain Node, because on a fresh machine there is nothing else.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const lock = join(root, 'package-lock.json')
const installed = join(root, 'node_modules', '.package-lock.json')
const windows = process.platform === 'win32'

const run = (command, args) => {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], shell: windows })
  if (error) console.error(`setup: ${command}: ${error.message}`)
  return status === 0
}

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  if (!run('npm', ['ci', '--no-audit', '--no-fund'])) {
    console.error('setup: npm ci failed; see above')
    process.exit(1)
  }
}

// npm may have been told not to run install scripts; Bun's puts the binary in its place
const bun = join(root, 'node_modules', '.bin', windows ? 'bun.cmd' : 'bun')
if (spawnSync(bun, ['--version'], { shell: windows }).status !== 0) {
  run(process.execPath, [join(root, 'node_modules', 'bun', 'install.js')])
}
