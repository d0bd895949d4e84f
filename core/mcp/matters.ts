/** Notifications that somebody here listens to. */
const heard = new Set([
  'notifications/progress',
  'notifications/cancelled',
  'notifications/tools/list_changed',
  'notifications/resources/list_changed',
  'notifications/prompts/list_changed',
])

/** False for notifications that nobody listens to: a server may send thousands of log messages, and each costs 20 µs to look through. */
export function matters(message: object): boolean {
  const { method, id } = message as { readonly method?: unknown; readonly id?: unknown }
  return typeof method !== 'string' || id !== undefined || heard.has(method)
}
