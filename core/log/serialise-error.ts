import { ConfigError, GatewayError } from '../errors.ts'

/**
 * An error as the log may know it: what it is and where it was thrown. Not its message, unless it is one of
 * ours or only names code: messages quote what a client or a backend sent. And none of the properties a
 * library may have hung on it (requests, headers, bodies).
 */
export function serialiseError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return { type: error === null ? 'null' : typeof error }
  const { name, stack, cause } = error
  const { code, syscall } = error as { code?: unknown; syscall?: unknown }
  const status = error instanceof GatewayError ? error.status : undefined // its message may be a backend's
  const message = tellable(error)
  const frames = framesOf(error.message, stack)
  return {
    type: isWord(name) ? name : 'Error',
    ...(message !== undefined && { message }),
    ...(status !== undefined && { status }),
    ...(isWord(code) && { code }),
    ...(isWord(syscall) && { syscall }),
    ...(frames.length > 0 && { stack: frames.join('\n') }),
    ...(cause !== undefined && depth < deepest && { cause: serialiseError(cause, depth + 1) }),
  }
}

/** One line about an error for stderr: its type and where it was thrown. */
export function whereThrown(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const message = tellable(error)
  const head = `${isWord(error.name) ? error.name : 'Error'}${message === undefined ? '' : `: ${message}`}`
  return [head, ...framesOf(error.message, error.stack).slice(0, 5)].join('\n')
}

/** A cause may be its own cause. */
const deepest = 4

const isWord = (value: unknown): value is string => typeof value === 'string' && /^[\w.-]{1,64}$/.test(value)

/** JavaScriptCore's messages that quote the program's own text and nothing it was working on. */
const aboutCode = [
  /^(?:undefined|null) is not an object(?: \(evaluating '[^\n]{1,200}'\)$)?/,
  /^Can't find variable: [\w$]+/,
  /^Cannot access '[\w$]+' before initialization/,
  /^[\w$.]+ is not a (?:function|constructor)/,
]

function tellable(error: Error): string | undefined {
  if (error instanceof ConfigError) return error.message // for the operator, who wrote what it quotes
  if (!(error instanceof TypeError || error instanceof ReferenceError)) return
  for (const pattern of aboutCode) {
    const [told] = pattern.exec(error.message) ?? []
    if (told !== undefined) return told
  }
}

/** The lines of the stack below its head, which repeats the message. */
function framesOf(message: string, stack: string | undefined): string[] {
  const start = stack?.indexOf(message) ?? -1
  // another message than the one it was made with: where the head ends cannot be told
  if (stack === undefined || start === -1) return []
  return stack
    .slice(start + message.length)
    .split('\n')
    .filter(line => /^\s+at /.test(line))
    .map(line => line.trim())
}
