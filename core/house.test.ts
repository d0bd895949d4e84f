import { expect, test } from 'bun:test'
import { Glob } from 'bun'

/** Who may import whom, and which file alone may import a package (the README of core/ draws it). */
const onlyImporter: Readonly<Record<string, RegExp>> = {
  elysia: /^core\/kernel\.ts$/,
  pino: /^core\/log\.ts$/,
  valibot: /^core\/(index\.ts|config\/)/,
  '@valibot/to-json-schema': /^core\/config\/json-schema\.ts$/,
  'bun:sqlite': /^core\/sqlite\.ts$/,
  tinypool: /^core\/workers\.ts$/,
  'gpt-tokenizer/GptEncoding': /^workers\/tokens\.ts$/,
  ioredis: /^core\/stores\/redis\.ts$/,
  '@modelcontextprotocol/sdk': /^core\/mcp\//,
}

/** Of a path inside a package, its package. */
const packageOf = (to: string) => to.match(/^(@[^/]+\/)?[^/]+/)?.[0] ?? to

const roots = ['core/main.ts', 'core/cli/', 'core/testing/', 'scripts/', 'bench/', 'build.ts']

interface Import {
  readonly from: string
  readonly to: string
}

const folder = new URL('..', import.meta.url).pathname

async function allImports(): Promise<Import[]> {
  const files = [...new Glob('{core,plugins,workers,examples,bench,scripts}/**/*.ts').scanSync(folder)]
  const found = await Promise.all(
    files.map(async from => {
      const text = await Bun.file(`${folder}${from}`).text()
      // type-only imports are erased by the transpiler, but a direction is a direction: read the text
      const specifiers = [...text.matchAll(/^(?:import|export)\s(?:[^'"]*?\sfrom\s)?['"]([^'"]+)['"]/gm)].map(match => match[1] as string)
      return specifiers.map(to => ({ from, to: to.startsWith('.') ? resolve(from, to) : to }))
    }),
  )
  return found.flat()
}

const resolve = (from: string, to: string) => new URL(to, `file:///${from}`).pathname.slice(1)
const isTest = (file: string) => /\.(test|long)\.ts$/.test(file) || file.endsWith('/contract.ts') || /^plugins\/[^/]+\/testing\//.test(file)
const isRoot = (file: string) => roots.some(root => file.startsWith(root))
const imports = (await allImports()).filter(({ from }) => !isTest(from))
const list = (wrong: readonly Import[]) => wrong.map(({ from, to }) => `${from} → ${to}`)

test('there is something to check', () => {
  expect(imports.length).toBeGreaterThan(100)
})

test('a plugin imports gatehouse, its own folder and packages, nothing else of ours', () => {
  const wrong = imports.filter(({ from, to }) => {
    const own = from.match(/^plugins\/[^/]+\//)?.[0]
    return own && /^(core|plugins|workers|bench)\//.test(to) && !to.startsWith(own)
  })
  expect(list(wrong)).toEqual([])
})

test('nothing in core knows a plugin, but for the composition root', () => {
  expect(list(imports.filter(({ from, to }) => from.startsWith('core/') && !isRoot(from) && to.startsWith('plugins/')))).toEqual([])
})

test('http and the contracts know no backend, store, plugin or kernel', () => {
  const low = /^core\/(http\/|(plugin|context|gateway|openai|errors|schema|models)\.ts)/
  const high =
    /^core\/(kernel|exchange|serve|pipeline|plugins|main|model-names)\.ts$|^core\/(cli|routes)\/|^core\/(backends|stores)\/(?!backend\.ts$|store\.ts$)/
  expect(list(imports.filter(({ from, to }) => low.test(from) && high.test(to)))).toEqual([])
})

test('backends know contracts and http only', () => {
  const wrong = imports.filter(
    ({ from, to }) =>
      from.startsWith('core/backends/') &&
      to.startsWith('core/') &&
      !/^core\/(http|backends)\/|^core\/(openai|errors|config\/schema)\.ts$/.test(to),
  )
  expect(list(wrong)).toEqual([])
})

test('workers import nothing of ours', () => {
  expect(list(imports.filter(({ from, to }) => from.startsWith('workers/') && /^(core|plugins)\//.test(to)))).toEqual([])
})

test('each package has one importer', async () => {
  const wrong = imports.filter(({ from, to }) => {
    const only = onlyImporter[to] ?? onlyImporter[packageOf(to)]
    return only && !only.test(from) && !isRoot(from) && !isTypeOnly(from, to)
  })
  expect(list(wrong)).toEqual([])
})

/** `Logger` is pino's type and part of the contracts; only its values have one importer. */
function isTypeOnly(from: string, to: string): boolean {
  const text = require('node:fs').readFileSync(`${folder}${from}`, 'utf8') as string
  return [...text.matchAll(new RegExp(`^import (type )?.*from '${to}'`, 'gm'))].every(match => match[1] !== undefined)
}
