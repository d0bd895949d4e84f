import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** An example config of an older gateway. */
export interface Example {
  /** `modelgate/shipped.yaml`. */
  readonly name: string
  /** Where that gateway looked for it, below the working directory. */
  readonly place: string
  readonly text: string
}

const folder = join(import.meta.dir, 'examples')

const placeOf = (gateway: string, file: string): string => {
  if (file.endsWith('.env')) return '.env'
  if (gateway === 'llamagate') return `llamagate.${file.split('.').at(-1)}`
  return gateway === 'modelgate' ? 'configs/config.yaml' : 'config.yaml'
}

/** The examples of the older gateways' READMEs and of the files that came with them. */
export const examples: readonly Example[] = await Promise.all(
  readdirSync(folder).flatMap(gateway =>
    readdirSync(join(folder, gateway)).map(async file => ({
      name: `${gateway}/${file}`,
      place: placeOf(gateway, file),
      text: await Bun.file(join(folder, gateway, file)).text(),
    })),
  ),
)

/** The text of one of them. */
export function example(name: string): string {
  const found = examples.find(entry => entry.name === name)
  if (!found) throw new Error(`there is no example ${name}`)
  return found.text
}
