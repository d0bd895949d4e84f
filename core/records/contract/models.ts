import { describe, expect, test } from 'bun:test'
import type { ModelSettings } from '../models.ts'
import { admin, made, type OpenRecords, wholeAudit } from './under-test.ts'

const modelSettings = (change: Partial<ModelSettings> = {}): ModelSettings => ({
  name: 'qwen3:8b',
  backend: 'home',
  baseUrl: null,
  upstreamModel: null,
  enabled: true,
  ...change,
})

/** What all records must do with models. */
export function testModels(open: OpenRecords): void {
  describe('models', () => {
    test('a model comes back as it was made', async () => {
      const { records, now } = await open()
      const settings = modelSettings({
        name: 'smart 世界',
        backend: 'vllm',
        baseUrl: 'http://box:8000',
        upstreamModel: 'Qwen/Qwen3',
        enabled: false,
      })
      const model = made(await records.models.create(settings, 'sync', admin))
      expect(model).toEqual({ ...settings, id: 1, source: 'sync', createdAt: now(), version: 1 })
      expect(await records.models.get(1)).toEqual(model)
      expect(await records.models.get(2)).toBeUndefined()
      expect((await Array.fromAsync(records.models.all())).flat()).toEqual([model])
    })

    test('a name is given once; letters count as they are', async () => {
      const { records } = await open()
      await records.models.create(modelSettings({ name: 'a' }), 'admin', admin)
      const other = made(await records.models.create(modelSettings({ name: 'A' }), 'admin', admin))
      expect(await records.models.create(modelSettings({ name: 'a' }), 'sync', admin)).toBe('taken')
      expect(await records.models.update(other.id, { name: 'a' }, admin)).toBe('taken')
      expect(await records.models.get(other.id)).toEqual(other)
      await records.models.delete(1, admin)
      expect(made(await records.models.update(other.id, { name: 'a' }, admin)).name).toBe('a')
      expect(await wholeAudit(records)).toHaveLength(4)
    })

    test('an update changes what it names; one that changes nothing changes nothing', async () => {
      const { records } = await open()
      let heard = 0
      records.models.onChange(() => heard++)
      const model = made(await records.models.create(modelSettings(), 'admin', admin))
      expect(await records.models.update(1, { enabled: true }, admin, 1)).toEqual(model)
      expect(heard).toBe(1)
      const updated = { ...model, enabled: false, baseUrl: 'http://b', version: 2 }
      expect(await records.models.update(1, { enabled: false, baseUrl: 'http://b' }, admin, 1)).toEqual(updated)
      expect(await records.models.get(1)).toEqual(updated)
      expect(await records.models.delete(1, admin, 2)).toEqual(updated)
      expect(heard).toBe(3)
    })

    test('a stale version is a conflict and an unknown id is missing; nothing happens', async () => {
      const { records } = await open()
      const model = made(await records.models.create(modelSettings(), 'admin', admin))
      expect(await records.models.update(1, { enabled: false }, admin, 2)).toBe('conflict')
      expect(await records.models.delete(1, admin, 0)).toBe('conflict')
      expect(await records.models.update(2, { enabled: false }, admin)).toBe('missing')
      expect(await records.models.delete(2, admin)).toBe('missing')
      expect(await records.models.get(1)).toEqual(model)
      expect(await wholeAudit(records)).toHaveLength(1)
    })

    test('pages and searches', async () => {
      const { records } = await open()
      for (const name of ['Llama', 'llava', 'qwen', 'LLAMA2']) await records.models.create(modelSettings({ name }), 'admin', admin)
      expect(await records.models.list({ limit: 3 })).toMatchObject({ next: 3, total: 4, rows: [{ id: 1 }, { id: 2 }, { id: 3 }] })
      expect(await records.models.list({ after: 3, limit: 3 })).toMatchObject({ next: null, total: 4, rows: [{ id: 4 }] })
      expect(await records.models.list({ search: 'llama', limit: 1 })).toMatchObject({ next: 1, total: 2, rows: [{ name: 'Llama' }] })
      expect(await records.models.list({ search: '%', limit: 1 })).toEqual({ next: null, total: 0, rows: [] })
    })

    test('each change leaves a row in the audit, without the password of an address', async () => {
      const { records } = await open()
      await records.models.create(modelSettings({ name: 'm', baseUrl: 'http://me:hush@box:1' }), 'admin', admin)
      await records.models.update(1, { baseUrl: 'http://me:hush2@box:1' }, admin)
      await records.models.delete(1, admin)
      const rows = await wholeAudit(records)
      expect(rows).toMatchObject([
        { what: 'model.create', subjectId: 1, subjectName: 'm', before: null, after: { name: 'm', source: 'admin' } },
        { what: 'model.update' },
        { what: 'model.delete', before: { name: 'm' }, after: null },
      ])
      expect(JSON.stringify(rows)).not.toContain('hush')
      expect((await records.models.get(1))?.baseUrl).toBeUndefined()
    })
  })
}
