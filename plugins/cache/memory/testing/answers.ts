import type { Head } from '../../kept.ts'
import { costOf } from '../blocks.ts'
import { rowCost } from '../columns.ts'

/** A key, as the cache makes them. */
export const keyOf = (name: string | number): string => Bun.SHA256.hash(String(name), 'hex')

/** A head that takes as many bytes for all models of one length. */
export const headOf = (model = 'm0'): Head => ({ form: 'json', contentType: 'application/json', model, tokens: 18, tookMs: 1234.5 })

/** What such a head takes. */
export const headBytes = 8 + 8 + 1 + 'application/json'.length + 2 + 'm0'.length

/** Bytes that are not the same at two places nearby. */
export const bodyOf = (length: number, seed = 0): Uint8Array<ArrayBuffer> => Uint8Array.from({ length }, (_, i) => (i * 31 + seed) % 251)

/** What an answer of this length takes in memory, with the head of a model of two letters. */
export const costOfBody = (length: number): number => rowCost + costOf(length + headBytes)
