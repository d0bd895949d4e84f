/** Longer names do not fit into a folder of every system. */
const longestName = 180

/** What stands for itself. No capitals: to Windows and macOS `Bob.json` and `bob.json` are one file. */
const escaped = /[^a-z0-9_.@-]/gu

/** Names Windows keeps for devices, whatever follows the dot. */
const devices = /^(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/

/**
 * The file a user's memory is in: another one for every id, whatever it holds. Undefined when the id is empty or too
 * long to be a file's name.
 */
export function fileNameOf(id: string): string | undefined {
  if (id === '' || !id.isWellFormed()) return
  const name = id
    .replace(escaped, percentEncode)
    .replace(/^\./, '%2E')
    .replace(devices, device => `%${device.charCodeAt(0).toString(16).toUpperCase()}${device.slice(1)}`)
  return name.length > longestName ? undefined : `${name}.json`
}

/**
 * The file LlamaGate, or a person with an editor, would have made. Undefined when it is the same, or when it could be
 * somebody else's: an id with a `%` in it looks like an encoded one, and one with a slash is a path.
 */
export function plainNameOf(id: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no file name has them
  if (/[%/\\:\u0000-\u001f]/.test(id) || id.startsWith('.')) return
  const name = fileNameOf(id)
  return name === undefined || name === `${id}.json` ? undefined : `${id}.json`
}

const percentEncode = (character: string) =>
  [...new TextEncoder().encode(character)].map(byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
