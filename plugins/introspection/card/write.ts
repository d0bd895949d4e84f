import { cutWithDots } from '../memory/entries.ts'

/** What the card may say. What is left out is not said. */
export interface CardFacts {
  readonly info?: { readonly version: string; readonly mcp: boolean; readonly memory: boolean }
  readonly host?: { readonly os: string; readonly arch: string; readonly cores: number; readonly memoryBytes: number }
  readonly models?: readonly string[] | 'not listed'
  readonly pinned?: readonly string[]
}

const mostChars = 320
const mostUserChars = 80
const mostModels = 5

/** LlamaGate's system card: one line of at most 320 characters. Empty when there is nothing to say. */
export function writeCard({ info, host, models, pinned = [] }: CardFacts): string {
  const parts = [
    info && `gatehouse ${info.version}.`,
    info?.mcp && 'MCP tools enabled.',
    info?.memory && 'Memory enabled.',
    host && `Host: ${host.os}/${host.arch}, ${host.cores} cores.`,
    host && `RAM: ${Math.floor(host.memoryBytes / 1024 ** 2)} MB total.`,
    models && `Models: ${models === 'not listed' ? '(unable to list)' : models.slice(0, mostModels).join(', ')}.`,
    pinned.length > 0 && `User context: ${cutWithDots(oneLine(pinned.join('; ')), mostUserChars)}`,
  ]
  return cutWithDots(parts.filter(Boolean).join(' '), mostChars)
}

/** A line break in an entry must not look like the end of the card. */
const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim()
