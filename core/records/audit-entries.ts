import { maskUrl } from '../secrets/mask-url.ts'
import type { AuditEntry } from './audit.ts'
import type { KeyRecord, KeySettings } from './keys.ts'
import type { ModelRecord, ModelSettings } from './models.ts'
import type { Author } from './page.ts'

const keyFields: readonly (keyof KeySettings)[] = [
  'name',
  'enabled',
  'quota',
  'quotaPeriod',
  'rateLimit',
  'tokensPerMinute',
  'maxConcurrency',
  'allowedIps',
  'allowedModels',
  'allowedEndpoints',
  'allowedTools',
  'cacheScope',
  'expiresAt',
]

const modelFields: readonly (keyof ModelSettings)[] = ['name', 'backend', 'baseUrl', 'upstreamModel', 'enabled']

/** The key with the settings that are in the change; the very same object when they change nothing. */
export const changeKey = (key: KeyRecord, change: Partial<KeySettings>): KeyRecord =>
  changed<KeySettings, KeyRecord>(key, change, keyFields)

/** The model with the settings that are in the change; the very same object when they change nothing. */
export const changeModel = (model: ModelRecord, change: Partial<ModelSettings>): ModelRecord =>
  changed<ModelSettings, ModelRecord>(model, change, modelFields)

/** The rows that a change of a key or a model leaves in the audit. Only fields named here get into them, so no hash does. */
export const auditEntries = {
  keyCreated: (key: KeyRecord, author: Author) => entry('key.create', key, author, null, wholeKey(key)),
  keyUpdated: (before: KeyRecord, after: KeyRecord, author: Author) =>
    entry('key.update', before, author, ...differences<KeySettings>(before, after, keyFields)),
  keyRotated: (before: KeyRecord, after: KeyRecord, author: Author) =>
    entry('key.rotate', after, author, { prefix: before.prefix }, { prefix: after.prefix, graceUntil: after.graceUntil }),
  keyDeleted: (key: KeyRecord, author: Author) => entry('key.delete', key, author, wholeKey(key), null),
  modelCreated: (model: ModelRecord, author: Author) => entry('model.create', model, author, null, wholeModel(model)),
  modelUpdated: (before: ModelRecord, after: ModelRecord, author: Author) =>
    entry('model.update', before, author, ...differences<ModelSettings>(before, after, modelFields)),
  modelDeleted: (model: ModelRecord, author: Author) => entry('model.delete', model, author, wholeModel(model), null),
  adminKeyChanged: ({ who }: Author) => ({ who, what: 'admin-key.change', subjectId: null, subjectName: null, before: null, after: null }),
  modelLoaded: (model: string, { who }: Author) => ({
    who,
    what: 'model.load',
    subjectId: null,
    subjectName: model,
    before: null,
    after: null,
  }),
  /** Of all models, when none is named. */
  modelUnloaded: (model: string | null, force: boolean, { who }: Author) => ({
    who,
    what: 'model.unload',
    subjectId: null,
    subjectName: model,
    before: null,
    after: force ? { force } : null,
  }),
  closedChanged: ({ who }: Author, closed: boolean) => ({
    who,
    what: 'closed.change',
    subjectId: null,
    subjectName: null,
    before: { closed: !closed },
    after: { closed },
  }),
} as const

type Subject = { readonly id: number; readonly name: string }

const entry = (what: string, { id, name }: Subject, { who }: Author, before: unknown, after: unknown): AuditEntry => ({
  who,
  what,
  subjectId: id,
  subjectName: name,
  before,
  after,
})

const wholeKey = (key: KeyRecord) => ({ ...pick<KeySettings>(key, keyFields), prefix: key.prefix })
const wholeModel = (model: ModelRecord) => ({ ...withoutSecrets(pick<ModelSettings>(model, modelFields)), source: model.source })

const pick = <T extends object>(from: Partial<T>, fields: readonly (keyof T)[]) =>
  Object.fromEntries(fields.map(field => [field, from[field]]))

function differences<T extends object>(before: T, after: T, fields: readonly (keyof T)[]): readonly [unknown, unknown] {
  const differing = fields.filter(field => !Bun.deepEquals(before[field], after[field]))
  return [withoutSecrets(pick(before, differing)), withoutSecrets(pick(after, differing))]
}

/** An address may hold a password. */
const withoutSecrets = (fields: Readonly<Record<string, unknown>>) =>
  typeof fields.baseUrl === 'string' ? { ...fields, baseUrl: maskUrl(fields.baseUrl) } : fields

function changed<Settings extends object, Row extends Settings>(
  row: Row,
  change: Partial<Settings>,
  fields: readonly (keyof Settings)[],
): Row {
  const differing = fields.filter(field => change[field] !== undefined && !Bun.deepEquals(row[field], change[field]))
  return differing.length === 0 ? row : { ...row, ...pick(change, differing) }
}
