import { readFileSync } from 'node:fs'

/**
 * The main memory that processes hold, in bytes; undefined when none can be asked. What they have for themselves is added up;
 * of files and shared memory the largest share counts once, because a family mostly maps the same.
 */
export async function memoryOf(pids: readonly number[]): Promise<number | undefined> {
  if (pids.length === 0) return undefined
  if (process.platform === 'linux') return memoryOfKernel(pids)
  return process.platform === 'win32' ? memoryOfTasklist(pids) : memoryOfPs(pids)
}

function memoryOfKernel(pids: readonly number[]): number | undefined {
  const all = pids.flatMap(pid => shareOf(pid) ?? [])
  if (all.length === 0) return undefined
  const own = all.reduce((sum, { anonymous }) => sum + anonymous, 0)
  return own + Math.max(...all.map(({ files }) => files)) + Math.max(...all.map(({ shared }) => shared))
}

function shareOf(pid: number) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024
    return { anonymous: bytes('RssAnon'), files: bytes('RssFile'), shared: bytes('RssShmem') }
  } catch {
    return undefined // it has ended
  }
}

/** As macOS and the BSDs tell it. */
export async function memoryOfPs(pids: readonly number[]): Promise<number | undefined> {
  const lines = (await outputOf(['ps', '-o', 'rss=', '-p', pids.join(',')])).split('\n')
  return sum(lines.map(line => Number.parseInt(line, 10) * 1024))
}

/** Windows writes `"name","pid","Console","1","12,345 K"`, with the language's own sign between the thousands. */
async function memoryOfTasklist(pids: readonly number[]): Promise<number | undefined> {
  const each = pids.map(pid => outputOf(['tasklist', '/FI', `PID eq ${pid}`, '/FO', 'CSV', '/NH']))
  return sum((await Promise.all(each)).map(kilobytesOfTasklist).map(kilobytes => kilobytes * 1024))
}

/** NaN when the line does not say. */
export const kilobytesOfTasklist = (line: string): number => Number.parseInt(/"([^"]*)"\s*$/.exec(line)?.[1]?.replace(/\D/g, '') ?? '', 10)

function sum(values: readonly number[]): number | undefined {
  const known = values.filter(value => !Number.isNaN(value))
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0)
}

async function outputOf(command: readonly string[]): Promise<string> {
  try {
    const child = Bun.spawn([...command], { stdin: 'ignore', stdout: 'pipe', stderr: 'ignore', windowsHide: true, timeout: 5_000 })
    return await child.stdout.text()
  } catch {
    return ''
  }
}
