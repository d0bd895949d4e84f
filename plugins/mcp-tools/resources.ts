import { type Context, GatewayError, type Message } from 'gatehouse'
import type { Grants } from './grants.ts'
import { inParallel, limited, TimedOut } from './limited.ts'
import type { NamedResource } from './resource-uris.ts'
import { describeContent } from './result.ts'
import type { ToolOptions, ToolSettings } from './settings.ts'
import type { ToolHouse } from './tool-house.ts'
import { truncate } from './truncate.ts'

export interface ResourcesOptions {
  readonly house: Pick<ToolHouse, 'readResource'>
  readonly grants: Pick<Grants, 'allowsResource'>
  readonly settings: Pick<ToolSettings, 'resource_fetch_timeout' | 'max_tool_result_size'>
  readonly options: Pick<ToolOptions, 'parallel_calls' | 'max_resources' | 'on_resource_error'>
}

/** A resource that was read, or why it was not. */
type Read = { readonly uri: string; readonly text: string } | { readonly uri: string; readonly failed: string }

/**
 * Reads the resources that messages name. Gives the system message with what stands in them, or undefined when there is nothing.
 * For what cannot be read the answer gets a warning header, or a 422 when the config says so.
 */
export function createResources({ house, grants, settings, options }: ResourcesOptions) {
  const readOne = async ({ uri, server, resource }: NamedResource, ctx: Context): Promise<Read> => {
    if (!grants.allowsResource(uri, ctx.principal)) return { uri, failed: 'this API key may not read it' }
    try {
      const contents = await limited(signal => house.readResource(server, resource, signal), settings.resource_fetch_timeout, ctx.signal)
      // the bound for the message as a whole holds for each of them too: what comes behind it is never seen
      return { uri, text: truncate(contents.map(content => describeContent(content)).join('\n'), settings.max_tool_result_size) }
    } catch (error) {
      if (ctx.signal.aborted) throw ctx.signal.reason
      ctx.log.warn({ server, err: error }, 'a resource could not be read')
      return { uri, failed: error instanceof TimedOut ? error.message : 'it could not be read' }
    }
  }

  return async (named: readonly NamedResource[], ctx: Context): Promise<Message | undefined> => {
    ctx.keepOut('an mcp:// resource')
    const most = options.max_resources
    const read = await inParallel(named.slice(0, most), options.parallel_calls, resource => readOne(resource, ctx))
    const all: readonly Read[] = [...read, ...named.slice(most).map(({ uri }) => ({ uri, failed: `only ${most} are read` }))]
    const blocks: string[] = []
    let left = settings.max_tool_result_size
    for (const one of all) {
      if ('failed' in one || left <= 0)
        warn(ctx, one.uri, 'failed' in one ? one.failed : 'there is no room left', options.on_resource_error)
      else {
        const text = truncate(one.text, left)
        left -= Buffer.byteLength(text)
        blocks.push(`Resource from ${one.uri}:\n${text}`)
      }
    }
    return blocks.length === 0 ? undefined : { role: 'system', content: blocks.join('\n\n') }
  }
}

const longestUri = 200

function warn(ctx: Context, uri: string, why: string, how: 'skip' | 'fail'): void {
  const shown = uri.slice(0, longestUri).replace(/[^\x21-\x7e]/gu, encode)
  if (how === 'fail') {
    throw new GatewayError(422, 'resource_unavailable', 'resource_unavailable', `The resource ${shown} is not available: ${why}.`)
  }
  ctx.headers.append('x-mcp-warning', `${shown}: ${why}`)
}

/** Half a character, which the cut may have left, has no code. */
const encode = (character: string) => (character.isWellFormed() ? encodeURIComponent(character) : '')
