import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { fetchRuntime, unpackRuntime } from './runtime.ts'
import { targets } from './targets.ts'

const integrityOf = (bytes: Uint8Array) => `sha512-${new Bun.CryptoHasher('sha512').update(bytes).digest('base64')}`
const pack = (files: Readonly<Record<string, string>>) => new Bun.Archive({ ...files }, { compress: 'gzip' }).bytes()

test.each(['bun', 'bun.exe'])('takes %s out of a package', async name => {
  const tarball = await pack({ 'package/package.json': '{}', [`package/bin/${name}`]: 'an executable' })
  const executable = await unpackRuntime(tarball, { name: 'some-bun', integrity: integrityOf(tarball) })
  expect(await executable.text()).toBe('an executable')
})

test('refuses a package of other bytes than the pinned ones', async () => {
  const tarball = await pack({ 'package/bin/bun': 'an executable' })
  const integrity = integrityOf(tarball)
  tarball[tarball.length - 1] = (tarball[tarball.length - 1] as number) ^ 1
  expect(unpackRuntime(tarball, { name: 'some-bun', integrity })).rejects.toThrow('other bytes than package-lock.json pins')
})

test('says so when there is no Bun in it', async () => {
  const tarball = await pack({ 'package/readme': 'nothing else' })
  expect(unpackRuntime(tarball, { name: 'some-bun', integrity: integrityOf(tarball) })).rejects.toThrow('there is no bun in its bin/')
})

test('knows nothing that package-lock.json does not pin', () => {
  expect(fetchRuntime('@oven/bun-plan9-x64')).rejects.toThrow('does not pin @oven/bun-plan9-x64')
})

test('package-lock.json pins the Bun of every target, in the version that runs here', async () => {
  const lock = await Bun.file(join(import.meta.dir, '..', '..', 'package-lock.json')).json()
  for (const { runtime } of targets) {
    expect(lock.packages[`node_modules/${runtime}`]).toMatchObject({ version: Bun.version, integrity: expect.stringMatching(/^sha512-/) })
  }
})
