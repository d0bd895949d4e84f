import { ConfigError } from '../errors.ts'

/**
 * Writes to stdout, and waits until whoever reads it has it: a process that ends at once would cut a long text.
 * A reader that has left (`| head`) is no mistake. Anything else in the way is a ConfigError.
 */
export async function print(text: string): Promise<void> {
  await isRead(text)
}

/** The same; false when the reader has left, for those who would go on. */
export async function isRead(text: string): Promise<boolean> {
  try {
    await Bun.write(Bun.stdout, text)
    return true
  } catch (cause) {
    const code = String((cause as { readonly code?: unknown }).code)
    if (code !== 'EPIPE') throw new ConfigError(`stdout cannot be written: ${reasons[code] ?? code}`, { cause })
    return false
  }
}

const reasons: Readonly<Record<string, string>> = { ENOSPC: 'no space is left on the device (ENOSPC)', EBADF: 'it is closed (EBADF)' }

/** Writes to stderr, and waits likewise. When that fails there is nobody to tell. */
export async function printError(text: string): Promise<void> {
  await Bun.write(Bun.stderr, text).catch(() => {})
}
