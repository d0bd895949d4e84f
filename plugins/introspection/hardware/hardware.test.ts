import { expect, test } from 'bun:test'
import { createHardware } from './hardware.ts'
import type { Probe } from './probe.ts'
import { ramGb, vramOf } from './vram.ts'

const gib = 1024 ** 3

interface FakeMachine {
  readonly platform?: NodeJS.Platform
  readonly arch?: string
  readonly ramGib?: number
  readonly tools?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
}

/** A machine whose tools answer at once; `calls` names those that were asked. */
function fakeMachine({ platform = 'linux', arch = 'x64', ramGib = 32, tools = {}, files = {} }: FakeMachine = {}) {
  const calls: string[] = []
  let clock = 0
  const probe: Probe = {
    platform,
    arch,
    run: async ([name = '']) => {
      calls.push(name)
      return tools[name]
    },
    readFile: async path => files[path],
    cpus: () => ({ cores: 8, model: 'Test CPU', mhz: 3000 }),
    totalMemory: () => ramGib * gib,
    freeMemory: () => (ramGib * gib) / 2,
    now: () => clock,
  }
  return { probe, calls, advance: (ms: number) => (clock += ms) }
}

/** Everything that was begun and waits for nothing from outside has happened. */
const settled = () => new Promise(resolve => setImmediate(resolve))

test('nothing runs until somebody asks, and callers share one look', async () => {
  const { probe, calls } = fakeMachine({ tools: { 'nvidia-smi': 'NVIDIA X, 12288, 1.0' } })
  const hardware = createHardware(probe)
  await settled()
  expect(calls).toEqual([])
  const machines = await Promise.all(Array.from({ length: 50 }, () => hardware.machine()))
  expect(calls).toEqual(['nvidia-smi'])
  expect(new Set(machines).size).toBe(1)
})

test('after five minutes the old answer is given once more, and a new one is fetched meanwhile', async () => {
  const tools: Record<string, string> = { 'nvidia-smi': 'NVIDIA X, 12288, 1.0' }
  const { probe, calls, advance } = fakeMachine({ tools })
  const hardware = createHardware(probe)
  await hardware.machine()
  tools['nvidia-smi'] = 'NVIDIA Y, 24576, 1.0'
  advance(5 * 60_000 - 1)
  expect((await hardware.machine()).gpu.gpus[0]?.name).toBe('NVIDIA X')
  expect(calls).toHaveLength(1)
  advance(1)
  expect((await hardware.machine()).gpu.gpus[0]?.name).toBe('NVIDIA X')
  await settled()
  expect((await hardware.machine()).gpu.gpus[0]?.name).toBe('NVIDIA Y')
  expect(calls).toHaveLength(2)
})

test('a machine that says nothing of itself is a failure, which is not tried again for each call', async () => {
  const { probe, calls } = fakeMachine({ ramGib: 0 })
  let failures = 0
  const hardware = createHardware(probe, () => failures++)
  for (let i = 0; i < 5; i++) await expect(hardware.machine()).rejects.toThrow('no memory')
  await settled()
  await expect(hardware.machine()).rejects.toThrow('no memory')
  expect([failures, calls.length]).toEqual([1, 0])
})

test.each([
  [{ tools: { 'nvidia-smi': 'A, 24564, 1\nA, 24564, 1' } }, 'nvidia-smi', 48],
  [{ tools: { 'nvidia-smi': 'No devices were found', 'rocm-smi': '{"card0":{"VRAM Total Memory (B)":"17163091968"}}' } }, 'rocm-smi', 16],
  [{ files: { '/sys/class/drm/card0/device/mem_info_vram_total': '8573157376' } }, 'amdgpu', 8],
  [{ tools: { lspci: '00:02.0 VGA compatible controller: Intel Corporation X' } }, 'lspci', 0],
  [{ tools: { lspci: '00:02.0 VGA compatible controller: Device 1234:1111' } }, 'none', 0],
  [{ platform: 'win32', tools: { powershell: '{"controllers":{"Name":"NVIDIA T","AdapterRAM":2147483648},"drivers":[]}' } }, 'wmi', 2],
  [
    { platform: 'darwin', ramGib: 64, tools: { system_profiler: '{"SPDisplaysDataType":[{"sppci_model":"Apple M2 Max"}]}' } },
    'system_profiler',
    48,
  ],
  [{ tools: { 'nvidia-smi': 'NVIDIA GB10, [N/A], 580.1' }, ramGib: 121.7 }, 'nvidia-smi', 96],
  [{ platform: 'darwin', arch: 'arm64', ramGib: 16 }, 'arch', 12],
  [{ platform: 'darwin', ramGib: 16 }, 'none', 0],
  [{ platform: 'freebsd' }, 'none', 0],
] as const)('%j is found by %s with %d GB', async (machine, method, vram) => {
  const found = await createHardware(fakeMachine(machine).probe).machine()
  expect(found.gpu.method).toBe(method)
  expect(vramOf(found).gb).toBe(vram)
})

test("a container's limit counts, its own and those above it, old and new", async () => {
  const memory = async (files: Readonly<Record<string, string>>) => createHardware(fakeMachine({ files }).probe).memory()
  const meminfo = { '/proc/meminfo': 'MemTotal:       33554432 kB\nMemAvailable:   16777216 kB\n' }
  expect(await memory(meminfo)).toEqual({ totalBytes: 32 * gib, availableBytes: 16 * gib, limited: false })
  expect(
    await memory({
      ...meminfo,
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/memory.max': `${4 * gib}\n`,
      '/sys/fs/cgroup/memory.current': `${3 * gib}\n`,
      '/sys/fs/cgroup/memory.stat': `anon 5\ninactive_file ${gib}\n`,
    }),
  ).toEqual({ totalBytes: 4 * gib, availableBytes: 2 * gib, limited: true })
  expect(
    await memory({
      ...meminfo,
      '/proc/self/cgroup': '0::/system.slice/gatehouse.service\n',
      '/sys/fs/cgroup/system.slice/gatehouse.service/memory.max': 'max\n',
      '/sys/fs/cgroup/system.slice/memory.max': `${8 * gib}\n`,
    }),
  ).toMatchObject({ totalBytes: 8 * gib, limited: true })
  for (const [own, above] of [
    [4, 8],
    [8, 4],
  ] as const) {
    const files = { '/sys/fs/cgroup/a/b/memory.max': `${own * gib}\n`, '/sys/fs/cgroup/a/memory.max': `${above * gib}\n` }
    expect(await memory({ ...meminfo, '/proc/self/cgroup': '0::/a/b\n', ...files })).toMatchObject({ totalBytes: 4 * gib })
  }
  expect(
    await memory({
      ...meminfo,
      '/proc/self/cgroup': '9:name=systemd:/x\n4:cpu,memory:/docker/abc\n0::/\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${2 * gib}\n`, // in the container its own group is the root
      '/sys/fs/cgroup/memory/memory.usage_in_bytes': `${gib}\n`,
      '/sys/fs/cgroup/memory/memory.stat': `inactive_file 7\ntotal_inactive_file ${gib / 2}\n`,
    }),
  ).toEqual({ totalBytes: 2 * gib, availableBytes: 1.5 * gib, limited: true })
  expect(
    await memory({
      ...meminfo,
      '/proc/self/cgroup': '4:memory:/\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    }),
  ).toMatchObject({
    totalBytes: 32 * gib,
    limited: false,
  })
})

test("a limit is exact; a machine's memory is what it was sold with", () => {
  expect(ramGb({ totalBytes: 15.4 * gib, limited: false })).toBe(16)
  expect(ramGb({ totalBytes: 15.4 * gib, limited: true })).toBe(15)
})
