import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import type { Gguf } from './gguf.ts'
import type { GgufReader } from './gguf-cached.ts'
import { partOf } from './gguf-parts.ts'

/** A model that lies in a folder. */
export interface FolderModel {
  readonly name: string
  /** Its only file, or its first one. */
  readonly path: string
  readonly gguf: Gguf
}

/** What a folder of models has. */
export interface FolderContent {
  readonly models: readonly FolderModel[]
  /** One line for each file that cannot be offered, though it should. */
  readonly problems: readonly string[]
  /** The folders and files that this was concluded from. */
  readonly looked: readonly string[]
}

const deepest = 8
const mostEntries = 50_000
const ending = /\.gguf$/i
/** Eyes and ears of other models. */
const projector = /(?:^|[-_.])mmproj(?:[-_.]|$)/i

/**
 * Finds every model in a folder and in all folders in it, as LM Studio and Hugging Face nest them; links are followed, hidden
 * folders left out. A model is called like its file, without `.gguf` and without the number of its part; when several are
 * called the same, by their paths in the folder. What is no model that can be served is passed over.
 */
export async function scanModels(folder: string, read: GgufReader): Promise<FolderContent> {
  const { files, folders, problems } = await findFiles(folder)
  const models: Omit<FolderModel, 'name'>[] = []
  const seen = new Set<string>()
  for (const path of files) {
    if (projector.test(basename(path)) || (partOf(path)?.number ?? 1) !== 1) continue
    const real = await realpath(path).catch(() => path)
    if (seen.has(real)) continue
    seen.add(real)
    try {
      const gguf = await read(path)
      if (gguf.servable) models.push({ path, gguf })
    } catch (error) {
      problems.push((error as Error).message)
    }
  }
  const named = nameAll(folder, models)
  const odd = named.filter(({ name }) => unfit.test(name))
  return {
    models: named.filter(model => !odd.includes(model)),
    problems: [...problems, ...odd.map(({ path }) => `${JSON.stringify(path)}: its name cannot be that of a model`)],
    looked: [...folders, ...files],
  }
}

/** A star stands for anything in the name of a model. */
const unfit = /[*\p{Cc}]/u

function nameAll(folder: string, models: readonly Omit<FolderModel, 'name'>[]): FolderModel[] {
  const short = (path: string) => partOf(path)?.name ?? basename(path).replace(ending, '')
  const long = (path: string) => [...relative(folder, path).split(sep).slice(0, -1), short(path)].join('/')
  const times = Map.groupBy(models, ({ path }) => short(path))
  return models.map(model => ({ name: (times.get(short(model.path))?.length ?? 0) > 1 ? long(model.path) : short(model.path), ...model }))
}

async function findFiles(root: string) {
  const files: string[] = []
  const folders: string[] = []
  const problems: string[] = []
  const visited = new Set<string>()
  let entries = 0

  const visit = async (folder: string, depth: number): Promise<void> => {
    const real = await realpath(folder).catch(() => folder)
    if (visited.has(real)) return
    visited.add(real)
    folders.push(folder)
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      problems.push(`${folder}: ${error.code === 'ENOENT' ? 'there is no such folder' : `cannot be read (${error.code})`}`)
      return []
    })
    for (const name of names.sort()) {
      if (++entries > mostEntries) return
      const path = join(folder, name)
      const found = name.startsWith('.') ? undefined : await stat(path).catch(() => undefined)
      if (found?.isDirectory() && depth < deepest) await visit(path, depth + 1)
      if (found?.isFile() && ending.test(name)) files.push(path)
    }
  }
  await visit(root, 0)
  if (entries > mostEntries) problems.push(`${root}: has more than ${mostEntries} entries; the rest was not looked at`)
  return { files, folders, problems }
}
