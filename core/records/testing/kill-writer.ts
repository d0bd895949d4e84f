import { expect } from 'bun:test'
import { join } from 'node:path'
import { allKeys } from '../contract/under-test.ts'
import { openRecords } from '../sqlite.ts'
import type { Said } from './writer.ts'

/** What the file must hold after everything that was said so far. */
export interface Told {
  readonly keys: Map<number, { version: number; name: string }>
  changes: number
  requests: number
}

/** Starts a writer on the file, kills it with SIGKILL after so many lines, and checks that the file holds all it said. */
export async function killWriter(path: string, told: Told, seed: number, lines: number): Promise<void> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'writer.ts'), path, String(seed)], { stdout: 'pipe', stderr: 'inherit' })
  let said = ''
  const decoder = new TextDecoder()
  let heard = 0
  for await (const bytes of child.stdout) {
    heard += bytes.filter(byte => byte === 10).length
    said += decoder.decode(bytes, { stream: true })
    if (heard >= lines) child.kill('SIGKILL') // and read on: what it had said until then counts too
  }
  await child.exited
  expect(child.signalCode).toBe('SIGKILL')
  for (const line of said.split('\n').slice(0, -1)) note(told, JSON.parse(line) as Said)
  await check(path, told)
}

function note(told: Told, said: Said): void {
  if (said.did === 'usage') told.requests += said.requests
  else told.changes++
  if (said.did === 'delete') told.keys.delete(said.id)
  if (said.did === 'put') told.keys.set(said.id, { version: said.version, name: said.name })
}

/** One change may have been committed and not yet said. */
async function check(path: string, told: Told): Promise<void> {
  const records = await openRecords({ path })
  expect(records.database.query('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
  const found = new Map((await allKeys(records)).map(({ id, version, name }) => [id, { version, name }]))
  const differing = [...new Set([...told.keys.keys(), ...found.keys()])].filter(id => !Bun.deepEquals(told.keys.get(id), found.get(id)))
  const audit = (records.database.query('SELECT count(*) AS rows FROM audit').get() as { readonly rows: number }).rows
  const [sum] = await records.usage.query({ from: '2026-01-01', to: '2026-12-31', by: [] })
  const unsaidRequests = (sum?.requests ?? 0) - told.requests
  expect(sum?.promptTokens ?? 0).toBe((sum?.requests ?? 0) * 3)
  const unsaidChanges = audit - told.changes
  expect(unsaidChanges).toBe(differing.length)
  expect(unsaidRequests).toBeGreaterThanOrEqual(0)
  expect(unsaidChanges + (unsaidRequests > 0 ? 1 : 0)).toBeLessThanOrEqual(1)
  for (const id of differing) {
    const [before, after] = [told.keys.get(id)?.version ?? 0, found.get(id)?.version]
    expect(after === undefined || after === before + 1).toBe(true)
  }
  Object.assign(told, { keys: found, changes: audit, requests: sum?.requests ?? 0 })
  records.close()
}
