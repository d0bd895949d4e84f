/**
 * `npm test`: types, format and lint, then every test; ends with one line of counts.
 * `--long` adds the long proofs, files called `*.long.ts`.
 */
import { Glob } from 'bun'

const root = new URL('..', import.meta.url).pathname
const long = process.argv.includes('--long')
const filters = process.argv.slice(2).filter(argument => !argument.startsWith('--'))

interface Count {
  passed: number
  failed: number
  skipped: number
}

const count: Count = { passed: 0, failed: 0, skipped: 0 }

async function run(command: readonly string[]): Promise<{ code: number; output: string }> {
  const child = Bun.spawn([...command], {
    cwd: root,
    stdout: 'pipe',
    stderr: 'pipe',
    env: { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: '20000' },
  })
  let output = ''
  const show = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder()
    for await (const bytes of stream) {
      process.stderr.write(bytes)
      output += decoder.decode(bytes, { stream: true })
    }
  }
  await Promise.all([show(child.stdout), show(child.stderr)])
  return { code: await child.exited, output }
}

async function check(name: string, command: readonly string[]): Promise<void> {
  console.error(`\n# ${name}`)
  const { code } = await run(command)
  if (code === 0) count.passed++
  else count.failed++
}

async function tests(name: string, files: readonly string[]): Promise<void> {
  console.error(`\n# ${name}`)
  const { code, output } = await run([process.execPath, 'test', '--timeout', long ? '900000' : '120000', ...files])
  const read = (word: string) => Number(output.match(new RegExp(`^\\s*(\\d+) ${word}$`, 'm'))?.[1] ?? 0)
  const [passed, failed] = [read('pass'), read('fail')]
  count.passed += passed
  count.skipped += read('skip')
  // a run that died before it could count is a failure too
  count.failed += failed > 0 ? failed : code === 0 && passed > 0 ? 0 : 1
}

const bin = (name: string) => `${root}node_modules/.bin/${name}`
if (filters.length === 0) {
  await check('types', [bin('tsc'), '--noEmit', '-p', '.'])
  await check('format and lint', [bin('biome'), 'check', '.'])
}
await tests('tests', filters)
if (long) {
  const files = [...new Glob('{core,plugins,workers,examples}/**/*.long.ts').scanSync(root)].sort().map(file => `./${file}`)
  if (files.length > 0) await tests('long proofs', files)
}

console.log(`\n${count.passed} passed, ${count.failed} failed${count.skipped > 0 ? `, ${count.skipped} skipped` : ''}`)
process.exit(count.failed > 0 ? 1 : 0)
