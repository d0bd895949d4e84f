import type { Answer, KeptAnswer } from '../../kept.ts'
import { readHead } from '../head.ts'

/** What was cleared until now, as two numbers that never come again: for everything, and for some models. */
export interface Epoch {
  readonly all: number
  readonly models: number
}

/** An answer as it lies in Redis. */
export interface Value {
  readonly answer: Answer
  readonly keptAt: number
  /** When it was kept; an answer of another epoch has been cleared. */
  readonly epoch: Epoch
}

/** "ghc" and the version of this layout. */
const magic = 0x67_68_63_01

/** Magic and both lengths of four bytes, then three numbers of eight. */
const headAt = 3 * 4 + 3 * 8

/** One buffer: magic, length of the head, length of the body, when it was kept, epoch, head, body. */
export function encodeValue({ answer: { head, body }, keptAt, epoch }: Value): Uint8Array {
  const text = JSON.stringify(head)
  const headLength = Buffer.byteLength(text)
  const value = Buffer.allocUnsafe(headAt + headLength + body.length)
  value.writeUInt32BE(magic, 0)
  value.writeUInt32BE(headLength, 4)
  value.writeUInt32BE(body.length, 8)
  value.writeDoubleBE(keptAt, 12)
  value.writeDoubleBE(epoch.all, 20)
  value.writeDoubleBE(epoch.models, 28)
  value.write(text, headAt)
  value.set(body, headAt + headLength)
  return value
}

/** What `encodeValue` made; undefined for bytes of somebody else, or not all of them. */
export function decodeValue(bytes: Uint8Array): Value | undefined {
  const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) as Buffer<ArrayBuffer>
  if (value.length < headAt || value.readUInt32BE(0) !== magic) return
  const bodyAt = headAt + value.readUInt32BE(4)
  if (value.length !== bodyAt + value.readUInt32BE(8)) return
  const head = readHead(value.toString('utf8', headAt, bodyAt))
  if (!head) return
  const epoch = { all: value.readDoubleBE(20), models: value.readDoubleBE(28) }
  return { answer: { head, body: value.subarray(bodyAt) }, keptAt: value.readDoubleBE(12), epoch }
}

/** The same answer, as old as it is. */
export const withAge = ({ answer }: Value, ageMs: number): KeptAnswer => ({ ...answer, ageMs })
