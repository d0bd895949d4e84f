import { expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { launchOf } from './launch.ts'
import type { McpServerConfig } from './types.ts'

const server = (command: string, args: string[], env = {}) => ({ command, args, env }) as unknown as McpServerConfig

test.each([
  ['npx', ['-y', '@scope/pkg@1', '-y', '--flag'], ['x', '--bun', '@scope/pkg@1', '-y', '--flag']],
  ['npx.cmd', ['--yes', '--quiet', 'pkg'], ['x', '--bun', 'pkg']],
  ['npx', ['-p', 'pkg', 'program'], ['x', '--bun', '-p', 'pkg', 'program']],
  ['node', ['server.js', '--port', '1'], ['server.js', '--port', '1']],
  ['bunx', ['pkg'], ['x', '--bun', 'pkg']],
])('%s %j is run by our own binary where it is not installed', (command, args, expected) => {
  const launch = launchOf(server(command, args, { OWN: '1' }), { PATH: '/nowhere', HOME: '/home/me', SECRET: 'no' }, '/opt/gatehouse')
  expect(launch).toEqual({
    command: '/opt/gatehouse',
    args: expected,
    env: { PATH: '/nowhere', HOME: '/home/me', OWN: '1', BUN_BE_BUN: '1' },
  })
})

test('what is installed is used, and what nobody can replace is left as it is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  const npx = join(folder, 'npx')
  writeFileSync(npx, '#!/bin/sh\n')
  chmodSync(npx, 0o755)
  expect(launchOf(server('npx', ['-y', 'pkg']), { PATH: folder }, '/opt/gatehouse')).toEqual({
    command: 'npx',
    args: ['-y', 'pkg'],
    env: { PATH: folder },
  })
  expect(launchOf(server('uvx', ['pkg']), { PATH: '/nowhere' }, '/opt/gatehouse').command).toBe('uvx')
  expect(launchOf(server('./npx', []), { PATH: '/nowhere' }, '/opt/gatehouse').command).toBe('./npx')
  rmSync(folder, { recursive: true })
})
