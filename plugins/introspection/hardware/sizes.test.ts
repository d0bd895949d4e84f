import { expect, test } from 'bun:test'
import { soldGb } from './sizes.ts'

test.each([
  ['GTX 1050', 1998, 2],
  ['GTX 970', 4043, 4],
  ['GTX 1060', 6078, 6],
  ['RTX 3070', 8188, 8],
  ['RTX 3080', 10240, 10],
  ['RTX 2080 Ti', 11019, 11],
  ['RTX 4070', 12282, 12],
  ['Tesla K80', 11441, 12],
  ['Tesla T4', 15360, 16],
  ['RTX 4080', 16376, 16],
  ['L4 with ECC', 23034, 24],
  ['RTX 4090', 24564, 24],
  ['RTX 5090', 32607, 32],
  ['A100', 40536, 40],
  ['RTX A6000 with ECC', 46068, 48],
  ['H100', 81559, 80],
  ['H200', 143771, 141],
  ['a PC of 8 GB', 7.6 * 1024, 8],
  ['a PC of 16 GB', 15.2 * 1024, 16],
  ['a PC of 32 GB', 31.2 * 1024, 32],
  ['a server of 64 GB', 62.6 * 1024, 64],
  ['a server of 128 GB', 125.6 * 1024, 128],
  ['a virtual machine of 7 GB', 7 * 1024, 7],
  ['a 16 GB machine that gave 2 GB to its graphics', 13.8 * 1024, 13],
  ['less than a GB', 512, 0],
  ['nothing', 0, 0],
])('%s reports %d MiB and is one of %d GB', (_, mebibytes, expected) => {
  expect(soldGb(mebibytes * 1024 ** 2)).toBe(expected)
})

test('never more than 7 % above what is there', () => {
  for (let mebibytes = 0; mebibytes < 5_000_000; mebibytes += 977) {
    const gb = soldGb(mebibytes * 1024 ** 2)
    expect(gb * 0.93 * 1024).toBeLessThanOrEqual(mebibytes)
    expect(gb + 1).toBeGreaterThan(mebibytes / 1024 - 1e-9)
  }
})
