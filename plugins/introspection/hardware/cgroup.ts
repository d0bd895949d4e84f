import type { Probe } from './probe.ts'

/** The memory a container may use, and what it uses now. */
export interface MemoryLimit {
  readonly limitBytes: number
  readonly usedBytes: number
}

interface Layout {
  readonly limit: string
  readonly used: string
  /** File pages the kernel gives back when memory is needed. */
  readonly reclaimable: RegExp
}

const second: Layout = { limit: 'memory.max', used: 'memory.current', reclaimable: /^inactive_file (\d+)$/m }
const first: Layout = { limit: 'memory.limit_in_bytes', used: 'memory.usage_in_bytes', reclaimable: /^total_inactive_file (\d+)$/m }

/** The tightest memory limit of our control group and those above it (kernel docs: admin-guide/cgroup-v2, cgroup-v1/memory). */
export async function readMemoryLimit({ readFile }: Pick<Probe, 'readFile'>): Promise<MemoryLimit | undefined> {
  const groups = (await readFile('/proc/self/cgroup'))?.split('\n') ?? []
  const limits = await Promise.all(
    groups.flatMap(line => {
      const [, controllers, path] = line.match(/^\d+:([^:]*):(.*)$/) ?? []
      if (controllers === '') return foldersOf('/sys/fs/cgroup', path).map(folder => readLimit(folder, second))
      if (controllers?.split(',').includes('memory'))
        return foldersOf('/sys/fs/cgroup/memory', path).map(folder => readLimit(folder, first))
      return []
    }),
  )
  return limits.filter(limit => limit !== undefined).sort((a, b) => a.limitBytes - b.limitBytes)[0]

  async function readLimit(folder: string, { limit, used, reclaimable }: Layout): Promise<MemoryLimit | undefined> {
    const limitBytes = Number(await readFile(`${folder}/${limit}`)) // `max` and a missing file are no number
    if (!(limitBytes > 0)) return
    const usedBytes = Number(await readFile(`${folder}/${used}`)) || 0
    const reclaimed = Number((await readFile(`${folder}/memory.stat`))?.match(reclaimable)?.[1] ?? 0)
    return { limitBytes, usedBytes: Math.max(0, usedBytes - reclaimed) }
  }
}

/** The group's folder and all above it. In a container the path may be the host's, and then only the root is there. */
function foldersOf(root: string, path = '/'): string[] {
  const parts = path.split('/').filter(part => part !== '' && part !== '..')
  return [...parts.keys(), parts.length].map(depth => [root, ...parts.slice(0, depth)].join('/'))
}
