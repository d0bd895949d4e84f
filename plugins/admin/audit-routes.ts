import type { AuditRecord, Gateway, Route } from 'gatehouse'
import { answer } from './answers.ts'
import { toShown } from './names.ts'
import { readPage, readQuery } from './query.ts'
import { iso } from './times.ts'

/** `GET /admin/audit`: who changed what, the newest first. */
export const auditRoute = ({ records: { audit } }: Gateway): Route => ({
  method: 'GET',
  path: '/admin/audit',
  access: 'admin',
  limited: true,
  body: 'none',
  async handle({ url }) {
    const { rows, next } = await audit.list(readPage(readQuery(url, ['limit', 'after'])))
    return answer({ data: rows.map(presentAudit), next })
  },
})

const presentAudit = ({ id, at, who, what, subjectId, subjectName, before, after }: AuditRecord) => ({
  id,
  at: iso(at),
  who,
  what,
  subject_id: subjectId,
  subject_name: subjectName,
  before: presentFields(before),
  after: presentFields(after),
})

/** Under the names that the rest of the API has for them. */
function presentFields(fields: unknown): unknown {
  if (typeof fields !== 'object' || fields === null) return fields
  return toShown(
    Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, times.has(name) && typeof value === 'number' ? iso(value) : value]),
    ),
  )
}

const times = new Set(['expiresAt', 'graceUntil'])
