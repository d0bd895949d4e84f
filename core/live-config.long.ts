/** Long proofs of reloads: run by `npm run test:long`. */
import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startGatehouse } from './testing/gatehouse-process.ts'

const echo = 'backends: { up: { type: echo } }\n'

test('a plugin whose setup never ends does not end reloads', async () => {
  const stuck = `import { definePlugin } from 'gatehouse'
export default definePlugin({ name: 'stuck', setup: () => new Promise(() => {}) })`
  await using house = await startGatehouse({ files: { 'gatehouse.yaml': echo, 'stuck.ts': stuck } })
  const write = (text: string) => writeFileSync(join(house.folder, 'gatehouse.yaml'), text)
  write(`${echo}pipeline: [auth, ./stuck.ts, router]\n`)
  await Bun.sleep(1500)
  write(`${echo}models: [{ name: one, targets: [{ backend: up }] }]\n`)
  for (const deadline = Date.now() + 45_000; !house.output.stdout.includes('Configuration reloaded') && Date.now() < deadline; )
    await Bun.sleep(200)
  expect(house.output.stdout).toContain('plugin stuck: its setup did not end within 30 s')
  const list = (await (await fetch(`${house.url}/v1/models`)).json()) as { data: { id: string }[] }
  expect(list.data.map(({ id }) => id)).toContain('one')
}, 60_000)
