import { watchFiles } from '../watch-files.ts'
import type { GgufReader } from './gguf-cached.ts'
import { type FolderContent, scanModels } from './gguf-folder.ts'

/** A folder of models that is being watched. */
export interface ModelsFolder {
  /** What it had when it was looked at last; nothing before the first look. */
  content(): FolderContent
  /** Resolves after the first look. */
  readonly ready: Promise<void>
  close(): void
}

export interface ModelsFolderOptions {
  readonly read: GgufReader
  /** Called when models came, went or changed, or something is wrong that was not before. */
  readonly onChange: (content: FolderContent) => void
  /** How often the folder is looked at. */
  readonly everyMs?: number
}

const usualMs = 2_000

/** Scans a folder now, and again whenever something changes in it. A file that is being copied is offered once it is whole. */
export function watchModels(folder: string, { read, onChange, everyMs = usualMs }: ModelsFolderOptions): ModelsFolder {
  let content: FolderContent = { models: [], problems: [], looked: [folder] }
  let closed = false
  let scanning = Promise.resolve()
  const watch = watchFiles([folder], { everyMs, onChange: () => rescan() })

  const scan = async () => {
    const next = await scanModels(folder, read)
    if (closed) return
    const changed = printOf(next) !== printOf(content)
    content = next
    watch.watch(next.looked)
    if (changed) onChange(next)
  }
  const rescan = () => {
    scanning = scanning.then(scan)
    return scanning
  }
  return {
    content: () => content,
    ready: rescan(),
    close() {
      closed = true
      watch.close()
    },
  }
}

const printOf = ({ models, problems }: FolderContent) => JSON.stringify([models, problems])
