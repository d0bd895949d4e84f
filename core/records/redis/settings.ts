import { auditEntries } from '../audit-entries.ts'
import type { SettingRecords, Settings } from '../settings.ts'
import { createListeners } from '../sqlite/listeners.ts'
import type { Change, Plan } from './changes.ts'
import type { Mirror } from './mirror.ts'
import type { SharedRow } from './row.ts'
import { settingsBody, settingsId, settingsState } from './settings-shelf.ts'
import type { Write } from './talk.ts'

export interface SharedSettingsParts {
  /** What is here. */
  readonly get: () => Settings
  readonly mirror: Mirror
  readonly change: () => Change
  readonly now: () => number
  readonly newId: () => string
}

/** Settings that all instances share. */
export interface SharedSettings extends SettingRecords {
  get(): Settings
  /** What closes the gateway, for a change of that name; nothing when it is closed. */
  closing(name: string): Write[]
  /** Tells the listeners, when something has changed since they were told last. */
  tell(): void
}

/** Reads settings of the mirror, and changes them in Redis. */
export function sharedSettings({ get, mirror, change, now, newId }: SharedSettingsParts): SharedSettings {
  const listeners = createListeners<Settings>()
  // nobody may come in because this instance has not heard yet that there are keys
  const read = (): Settings => (mirror.position.seq === 0 ? { ...get(), closed: true } : get())
  let told = read()

  const write = (after: Settings, name: string): Write => {
    const version = (mirror.mark('settings', settingsId)?.version ?? 0) + 1
    const row: SharedRow = { version, state: settingsState(after), at: now(), change: name, origin: 'settings', body: settingsBody(after) }
    return { kind: 'settings', id: settingsId, row }
  }
  return {
    get: read,
    closing: name => (get().closed ? [] : [write({ ...get(), closed: true }, name)]),
    set: (wanted, author) =>
      change()((): Plan<Settings> => {
        const before = get()
        const { adminKeySha256 = before.adminKeySha256, closed = before.closed } = wanted
        const after = { adminKeySha256, closed }
        const entries = [
          ...(adminKeySha256 === before.adminKeySha256 ? [] : [auditEntries.adminKeyChanged(author)]),
          ...(closed === before.closed ? [] : [auditEntries.closedChanged(author, closed)]),
        ]
        if (entries.length === 0) return { result: before }
        const name = newId()
        return { change: name, writes: [write(after, name)], entries, done: () => after }
      }),
    onChange: listeners.add,
    tell() {
      const settings = read()
      if (settings.closed === told.closed && settings.adminKeySha256 === told.adminKeySha256) return
      told = settings
      listeners.tell(settings)
    },
  }
}
