import { ownPrefixes } from './names.ts'
import type { Offer } from './offer.ts'

type Owners = Pick<Offer, 'tools' | 'client'>

/**
 * Whether a call is for us to run. A name of our kind that is not offered is ours, too: its model is told so. So is any other
 * name when the client has no tools at all.
 */
export function isOurs(name: string, { tools, client }: Owners): boolean {
  if (client.names.has(name)) return false
  return client.own.length === 0 || tools.find(name) !== undefined || ownPrefixes.some(prefix => name.startsWith(prefix))
}

/** Whether a name that begins so can only be the client's, however it goes on. */
export const isSurelyTheirs = (beginning: string, { client }: Owners): boolean =>
  beginning !== '' &&
  client.own.length > 0 &&
  !ownPrefixes.some(prefix => prefix.startsWith(beginning.slice(0, prefix.length)) || beginning.startsWith(prefix))
