import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { machineOf } from './machine.ts'
import { smallMachO } from './macho/small.ts'

function elf(machine: number, loader?: string): Buffer {
  const file = Buffer.alloc(512)
  file.write('\x7fELF', 'latin1')
  file.writeUInt16LE(machine, 18)
  file.writeBigUInt64LE(64n, 32)
  file.writeUInt16LE(56, 54)
  file.writeUInt16LE(2, 56)
  file.writeUInt32LE(1, 64)
  if (loader) {
    file.writeUInt32LE(3, 120)
    file.writeBigUInt64LE(256n, 128)
    file.writeBigUInt64LE(BigInt(loader.length), 152)
    file.write(loader, 256, 'latin1')
  }
  return file
}

function pe(machine: number): Buffer {
  const file = Buffer.alloc(512)
  file.write('MZ', 'latin1')
  file.writeUInt32LE(0x80, 0x3c)
  file.write('PE\0\0', 0x80, 'latin1')
  file.writeUInt16LE(machine, 0x84)
  return file
}

function mach(machine: number): Buffer {
  const file = smallMachO(1)
  file.writeUInt32LE(machine, 4)
  return file
}

test.each([
  ['elf-x64-glibc', elf(62, '/lib64/ld-linux-x86-64.so.2')],
  ['elf-arm64-glibc', elf(183, '/lib/ld-linux-aarch64.so.1')],
  ['elf-x64-musl', elf(62, '/lib/ld-musl-x86_64.so.1')],
  ['elf-arm64-musl', elf(183, '/lib/ld-musl-aarch64.so.1')],
  ['elf-x64-static', elf(62)],
  ['elf-0xf3-glibc', elf(0xf3, '/lib/ld-linux-riscv64-lp64d.so.1')],
  ['pe-x64', pe(0x8664)],
  ['pe-arm64', pe(0xaa64)],
  ['pe-0x14c', pe(0x14c)],
  ['mach-o-x64', mach(0x0100_0007)],
  ['mach-o-arm64', mach(0x0100_000c)],
  ['unknown', Buffer.from('#!/bin/sh\n'.repeat(20))],
  ['unknown', Buffer.from('MZ'.padEnd(300, '\xff'), 'latin1')],
  ['unknown', Buffer.alloc(0)],
])('%s', (machine, head) => {
  expect(machineOf(head)).toBe(machine)
})

test('a real executable: the Bun that runs this test', () => {
  const found = machineOf(readFileSync(process.execPath).subarray(0, 65_536))
  expect(found).toContain(process.arch)
  expect(found).toStartWith({ linux: 'elf', darwin: 'mach-o', win32: 'pe' }[process.platform as string] as string)
})
