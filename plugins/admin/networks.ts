import { isIP } from 'node:net'
import { mustBe, type Read } from './fields.ts'

/**
 * An address or a block of addresses, in the one way it is stored: IPv6 short and in small letters, IPv4 that is written
 * as IPv6 as IPv4, and no bits behind the prefix.
 */
export const network: Read<string> = (value, field) => {
  const found = typeof value === 'string' ? normalise(value.trim()) : undefined
  if (found === undefined) throw mustBe(field, 'an IP address or a block such as 10.0.0.0/8')
  return found
}

interface Block {
  readonly address: bigint
  /** How many bits an address has. */
  readonly size: 32 | 128
  readonly prefix: number
}

function normalise(text: string): string | undefined {
  const [address = '', prefix, ...more] = text.split('/')
  const size = sizes[isIP(address)]
  // an address with a zone (`%eth0`) means something on one machine only
  if (!size || address.includes('%') || more.length > 0) return
  if (prefix !== undefined && (!/^\d{1,3}$/.test(prefix) || Number(prefix) > size)) return
  return format(unmapped({ address: parse(address, size), size, prefix: prefix === undefined ? size : Number(prefix) }))
}

const sizes: Readonly<Record<number, 32 | 128>> = { 4: 32, 6: 128 }

function parse(address: string, size: 32 | 128): bigint {
  if (size === 32) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n)
  const [before = '', after] = canonical(address).split('::')
  const groups = (text = '') => (text === '' ? [] : text.split(':'))
  const [left, right] = [groups(before), groups(after)]
  const zeros = after === undefined ? [] : new Array<string>(8 - left.length - right.length).fill('0')
  return [...left, ...zeros, ...right].reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n)
}

const mappedAbove = 96

/** Sockets tell of IPv4 callers as IPv4. */
const unmapped = (block: Block): Block =>
  block.size === 128 && block.address >> 32n === 0xffffn && block.prefix >= mappedAbove
    ? { address: block.address & 0xffff_ffffn, size: 32, prefix: block.prefix - mappedAbove }
    : block

function format({ address, size, prefix }: Block): string {
  const rest = BigInt(size - prefix)
  const first = (address >> rest) << rest
  const parts = (bits: bigint) =>
    Array.from({ length: size / Number(bits) }, (_, at) => (first >> (BigInt(size) - bits * BigInt(at + 1))) & ((1n << bits) - 1n))
  const text =
    size === 32
      ? parts(8n).join('.')
      : canonical(
          parts(16n)
            .map(part => part.toString(16))
            .join(':'),
        )
  return prefix === size ? text : `${text}/${prefix}`
}

/** The short form that RFC 5952 asks for; URLs have it. */
const canonical = (address: string) => new URL(`http://[${address}]`).hostname.slice(1, -1)
