import type { Path } from '../tree.ts'
import type { Rules } from './rules.ts'

/** What kind of file a config was read from. */
export type FormatName = 'gatehouse' | 'llamagate' | 'modelgate' | 'llamawrapper'

/** How the config of an older gateway is read. */
export interface LegacyFormat {
  readonly name: FormatName
  readonly title: string
  readonly rules: Rules
  /** Its keys may be written in any case. */
  readonly anyCase: boolean
  /** Defaults of that gateway that are not ours. */
  readonly defaults: readonly { readonly path: Path; readonly value: unknown }[]
  /** How its file says to listen on every interface, if it can. */
  readonly openWith?: string
}
