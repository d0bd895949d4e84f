import type { Screen } from '../secrets/hide.ts'
import { clean } from './clean.ts'

/** A text as JSON, with nothing in it that a terminal acts on. */
export const quoted = (text: string): string => (plain.test(text) ? `"${text}"` : clean(JSON.stringify(text)))

/** The same without secrets. */
export const told = (text: string, screen: Screen): string => quoted(screen.finds(text) ? screen.hide(text) : text)

/** ASCII that JSON writes as it is. */
const plain = /^[ !#-[\]-~]*$/
