import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { readGguf } from './gguf.ts'
import { cachedGguf } from './gguf-cached.ts'
import { type FolderContent, scanModels } from './gguf-folder.ts'
import { type Sample, smallModel, writeGguf } from './gguf-testing.ts'
import { type ModelsFolder, watchModels } from './gguf-watch.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-models-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function add(path: string, sample: Sample = smallModel()) {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeGguf(file, sample)
  return file
}
const shown = ({ models, problems }: FolderContent) => ({
  models: Object.fromEntries(models.map(({ name, path }) => [name, relative(folder, path)])),
  problems: problems.map(line => line.replaceAll(folder, 'DIR')),
})
const scan = async () => shown(await scanModels(folder, readGguf))

describe('a folder', () => {
  test('offers every model by the name of its file, with its facts', async () => {
    add('qwen3-8b-Q4_K_M.gguf')
    add('publisher/repo/Deep Thought.GGUF')
    writeFileSync(join(folder, 'readme.md'), 'x')
    expect(await scan()).toEqual({
      models: { 'qwen3-8b-Q4_K_M': 'qwen3-8b-Q4_K_M.gguf', 'Deep Thought': 'publisher/repo/Deep Thought.GGUF' },
      problems: [],
    })
    const { models } = await scanModels(folder, readGguf)
    expect(models.map(({ gguf }) => gguf.contextLength)).toEqual([8192, 8192])
  })

  test('leaves out what is no model that can be served', async () => {
    add('mmproj-model-f16.gguf')
    add('gemma.mmproj-q8.gguf')
    add('clip.gguf', { values: { 'general.architecture': 'clip' }, tensors: { a: 1 } })
    add('lora.gguf', smallModel({ 'general.type': 'adapter' }))
    add('vocabulary.gguf', { values: smallModel().values ?? {} })
    add('.hidden.gguf')
    add('.cache/x.gguf')
    add('commproject.gguf')
    mkdirSync(join(folder, 'folder.gguf'))
    expect(await scan()).toEqual({ models: { commproject: 'commproject.gguf' }, problems: [] })
  })

  test('counts a model in parts once, and tells of one that is not whole', async () => {
    add('big-00001-of-00002.gguf')
    add('big-00002-of-00002.gguf', { tensors: { 'blk.1.x': 32 } })
    add('torn-00001-of-00002.gguf')
    add('late-00002-of-00002.gguf')
    expect(await scan()).toEqual({
      models: { big: 'big-00001-of-00002.gguf' },
      problems: ['DIR/torn-00001-of-00002.gguf: part 2 of 2 is missing'],
    })
  })

  test('tells of files that are broken, or called what no model can be', async () => {
    add('broken.gguf', { magic: 'NOPE' })
    add('cut.gguf', { ...smallModel(), cut: 64 })
    if (process.platform !== 'win32') add('any*.gguf')
    add('fine.gguf')
    const { models, problems } = await scan()
    expect(models).toEqual({ fine: 'fine.gguf' })
    expect(problems.slice(0, 2)).toEqual([
      'DIR/broken.gguf: is not a GGUF file',
      'DIR/cut.gguf: ends before its last tensor; is it still being copied?',
    ])
    if (process.platform !== 'win32') expect(problems[2]).toBe('"DIR/any*.gguf": its name cannot be that of a model')
  })

  test('calls models of one name by their places', async () => {
    add('a/m.gguf')
    add('b/m.gguf')
    add('b/m/m.gguf')
    add('other.gguf')
    expect((await scan()).models).toEqual({ 'a/m': 'a/m.gguf', 'b/m': 'b/m.gguf', 'b/m/m': 'b/m/m.gguf', other: 'other.gguf' })
  })

  test.skipIf(process.platform === 'win32')('follows links, but not in circles, and offers a file once', async () => {
    const blob = add('.blobs/abc', smallModel())
    mkdirSync(join(folder, 'snapshots', 'one'), { recursive: true })
    mkdirSync(join(folder, 'snapshots', 'two'))
    symlinkSync(blob, join(folder, 'snapshots', 'one', 'm.gguf'))
    symlinkSync(blob, join(folder, 'snapshots', 'two', 'm.gguf'))
    symlinkSync(folder, join(folder, 'snapshots', 'circle'))
    symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling.gguf'))
    expect(await scan()).toEqual({ models: { m: 'snapshots/one/m.gguf' }, problems: [] })
  })

  test('that is not there is told', async () => {
    const { models, problems } = await scanModels(join(folder, 'none'), readGguf)
    expect([models, problems]).toEqual([[], [`${join(folder, 'none')}: there is no such folder`]])
  })

  test('is not followed into all depths', async () => {
    add('1/2/3/4/5/6/7/8/deep.gguf')
    add('1/2/3/4/5/6/7/8/9/deeper.gguf')
    expect((await scan()).models).toEqual({ deep: '1/2/3/4/5/6/7/8/deep.gguf' })
  })
})

describe('a folder that is watched', () => {
  let watched: ModelsFolder | undefined
  afterEach(() => watched?.close())

  /** Watches it; `until` resolves when it looks as wanted. */
  async function watching(path = folder) {
    let wake = () => {}
    let changes = 0
    const models = watchModels(path, {
      read: cachedGguf(),
      everyMs: 5,
      onChange() {
        changes++
        wake()
      },
    })
    watched = models
    await models.ready
    return {
      names: () => models.content().models.map(({ name }) => name),
      content: models.content,
      changes: () => changes,
      async until(looks: () => boolean) {
        while (!looks()) await new Promise<void>(resolve => (wake = resolve))
      },
    }
  }

  test('has what came, lost what went, and knows what changed', async () => {
    add('a.gguf')
    const seen = await watching()
    expect(seen.names()).toEqual(['a'])
    add('sub/b.gguf')
    await seen.until(() => seen.names().join() === 'a,b')
    rmSync(join(folder, 'a.gguf'))
    await seen.until(() => seen.names().join() === 'b')
    renameSync(join(folder, 'sub', 'b.gguf'), join(folder, 'sub', 'c.gguf'))
    await seen.until(() => seen.names().join() === 'c')
    add('sub/c.gguf', smallModel({ 'llama.context_length': 99, 'general.name': 'another' }))
    await seen.until(() => seen.content().models[0]?.gguf.contextLength === 99)
  })

  test('offers a file once it is whole', async () => {
    const file = add('.whole', smallModel())
    const bytes = await Bun.file(file).bytes()
    const seen = await watching()
    writeFileSync(join(folder, 'slow.gguf'), bytes.subarray(0, bytes.length - 64))
    await seen.until(() => seen.content().problems.length === 1)
    expect(seen.names()).toEqual([])
    appendFileSync(join(folder, 'slow.gguf'), bytes.subarray(bytes.length - 64))
    await seen.until(() => seen.names().length === 1)
    expect(seen.content().problems).toEqual([])
    truncateSync(join(folder, 'slow.gguf'), 10)
    await seen.until(() => seen.names().length === 0)
  })

  test('may come later', async () => {
    const seen = await watching(join(folder, 'later'))
    expect(seen.content().problems).toHaveLength(1)
    add('later/a.gguf')
    await seen.until(() => seen.names().length === 1)
    expect(seen.content().problems).toEqual([])
  })

  test('that changes in other ways tells nothing', async () => {
    add('a.gguf')
    const seen = await watching()
    const before = seen.changes()
    writeFileSync(join(folder, 'notes.txt'), 'x')
    add('b.gguf')
    await seen.until(() => seen.names().length === 2)
    expect(seen.changes()).toBe(before + 1)
  })
})

test('a file is read once, until it changes', async () => {
  let reads = 0
  const read = cachedGguf(path => {
    reads++
    return readGguf(path)
  })
  const file = add('a.gguf')
  await Promise.all([read(file), read(file), read(file)])
  await read(file)
  expect(reads).toBe(1)
  writeGguf(file, smallModel({ 'general.name': 'longer than before' }))
  expect((await read(file)).name).toBe('longer than before')
  expect(reads).toBe(2)
  writeGguf(file, { magic: 'NOPE' })
  await expect(read(file)).rejects.toThrow('is not a GGUF file')
  await expect(read(file)).rejects.toThrow('is not a GGUF file')
  expect(reads).toBe(4)
})
