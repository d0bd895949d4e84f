import { expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createGpuMemory, parseGpuMemory } from './gpu-memory.ts'

const mebibytes = 1_048_576

test.each([
  ['one', '4711, 512\n', [[4711, 512 * mebibytes]]],
  [
    'several, and one on two GPUs',
    '4711, 512\n4712, 1\n 4711 ,  8 MiB\r\n',
    [
      [4711, 520 * mebibytes],
      [4712, mebibytes],
    ],
  ],
  ['what the driver does not tell', '4711, [N/A]\n4712, [Insufficient Permissions]\n4713, 3\n', [[4713, 3 * mebibytes]]],
  ['nothing', '', []],
  ['an error', "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n", []],
  ['nonsense', ', 5\n-3, 5\n1, -5\n1.5, 3\n99999999999999999999, x', []],
] as const)('%s', (_, text, expected) => {
  expect([...parseGpuMemory(text)]).toEqual(expected as never)
})

/** A program of that name with a script of ours. */
function fakeSmi(script: string) {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  const file = join(folder, 'nvidia-smi')
  writeFileSync(file, `#!/bin/sh\necho "$@" >> ${folder}/asked\n${script}\n`)
  chmodSync(file, 0o755)
  return {
    ask: createGpuMemory(() => file),
    asked: () => readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

test('asks the program for what it needs', async () => {
  using smi = fakeSmi('echo "4711, 512"')
  expect([...(await smi.ask())]).toEqual([[4711, 512 * mebibytes]])
  expect(smi.asked()).toEqual(['--query-compute-apps=pid,used_gpu_memory --format=csv,noheader,nounits'])
})

test('a program that keeps failing is left alone', async () => {
  using smi = fakeSmi('echo "4711, 512"; exit 9')
  for (let i = 0; i < 5; i++) expect((await smi.ask()).size).toBe(0)
  expect(smi.asked()).toHaveLength(3)
})

test('without it there is nothing', async () => {
  expect((await createGpuMemory(() => null)()).size).toBe(0)
  expect((await createGpuMemory(() => '/nonexistent/nvidia-smi')()).size).toBe(0)
})
