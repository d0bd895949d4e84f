import type { Config } from '../config/schema.ts'
import { isOpen } from '../entry-key.ts'
import type { Logger } from '../log.ts'
import type { SettingRecords } from '../records/settings.ts'

/** Whether strangers may enter. */
export interface Entry {
  readonly open: boolean
  /** Goes by a config from now on. */
  follow(config: Pick<Config, 'auth' | 'api_key' | 'api_key_sha256'>): void
  close(): void
}

/** Tells the log whether strangers may enter, once there is a config, and whenever it changes: the first managed key closes what the config leaves open. */
export async function openEntry(settings: SettingRecords, log: Pick<Logger, 'info' | 'warn'>): Promise<Entry> {
  let current: Parameters<Entry['follow']>[0] | undefined
  let open: boolean | undefined
  let closed = false
  const settle = () => {
    if (!current) return
    const before = open
    open = current.auth === 'off' || (isOpen(current) && !closed)
    if (open === before) return
    if (open) log.warn('API key authentication disabled: anybody who reaches this address may use the models')
    else log.info('API key authentication enabled')
  }
  const close = settings.onChange(changed => {
    closed = changed.closed
    settle()
  })
  closed = (await settings.get()).closed

  return {
    get open() {
      return open === true
    },
    follow(config) {
      current = config
      settle()
    },
    close,
  }
}
