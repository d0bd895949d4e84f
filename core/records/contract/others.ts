import { describe, expect, test } from 'bun:test'
import { admin, keySettings, type OpenRecords, storedSecret, wholeAudit } from './under-test.ts'

/** What all records must do with the audit and with settings. */
export function testAuditAndSettings(open: OpenRecords): void {
  describe('audit', () => {
    test('what is added comes back, the newest first, in pages', async () => {
      const { records, now, advance } = await open()
      const entry = (what: string) => ({ who: 'ann', what, subjectId: null, subjectName: null, before: null, after: { n: [1, 'ü'] } })
      for (const what of ['one', 'two', 'three', 'four', 'five']) {
        advance(10)
        await records.audit.add(entry(what))
      }
      const first = await records.audit.list({ limit: 2 })
      expect(first.rows).toMatchObject([
        { ...entry('five'), at: now() },
        { ...entry('four'), at: now() - 10 },
      ])
      await records.audit.add(entry('six'))
      const second = await records.audit.list({ after: first.next as number, limit: 2 })
      expect(second.rows.map(({ what }) => what)).toEqual(['three', 'two'])
      const third = await records.audit.list({ after: second.next as number, limit: 2 })
      expect(third).toMatchObject({ rows: [{ what: 'one' }], next: null })
    })
  })

  describe('settings', () => {
    test('are empty at first, and kept', async () => {
      const { records } = await open()
      expect(await records.settings.get()).toEqual({ adminKeySha256: null, closed: false })
      const { sha256 } = storedSecret(1)
      expect(await records.settings.set({ adminKeySha256: sha256 }, admin)).toEqual({ adminKeySha256: sha256, closed: false })
      expect(await records.settings.set({ closed: true }, admin)).toEqual({ adminKeySha256: sha256, closed: true })
      expect(await records.settings.set({ adminKeySha256: null, closed: false }, admin)).toEqual({ adminKeySha256: null, closed: false })
    })

    test('listeners and the audit hear of changes, and not of what they are when it is a secret', async () => {
      const { records } = await open()
      const heard: unknown[] = []
      records.settings.onChange(settings => heard.push(settings))
      const { sha256 } = storedSecret(1)
      await records.settings.set({ adminKeySha256: sha256 }, { who: 'config' })
      await records.settings.set({ adminKeySha256: sha256, closed: false }, admin)
      await records.settings.set({ closed: true }, admin)
      expect(heard).toEqual([
        { adminKeySha256: sha256, closed: false },
        { adminKeySha256: sha256, closed: true },
      ])
      const rows = await wholeAudit(records)
      expect(rows).toMatchObject([
        { who: 'config', what: 'admin-key.change', before: null, after: null },
        { who: 'admin', what: 'closed.change', before: { closed: false }, after: { closed: true } },
      ])
      expect(JSON.stringify(rows)).not.toContain(sha256)
    })

    test('the first key closes the gateway, and it stays closed when that is deleted', async () => {
      const { records } = await open()
      const heard: boolean[] = []
      records.settings.onChange(({ closed }) => heard.push(closed))
      const { id } = await records.keys.create(keySettings(), storedSecret(1), admin)
      expect((await records.settings.get()).closed).toBe(true)
      await records.keys.delete(id, admin)
      await records.keys.create(keySettings(), storedSecret(2), admin)
      expect((await records.settings.get()).closed).toBe(true)
      expect(heard).toEqual([true])
    })
  })
}
