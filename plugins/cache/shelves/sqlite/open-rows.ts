import type { Database } from 'gatehouse'
import { DamagedFile } from './damage.ts'
import type { NewRow, Row, Rows } from './rows.ts'
import { longestPiece, piecesPerAnswer } from './tables.ts'

/** Prepares the statements. Throws when the tables are not ours. */
export function openRows(database: Database): Rows {
  const one = (sql: string) => {
    const statement = database.prepare<{ readonly value: number | null }, (string | number)[]>(sql)
    return (...values: (string | number)[]) => statement.get(...values)?.value ?? undefined
  }
  const pragma = (name: string) => {
    const statement = database.prepare<Readonly<Record<string, number>>, []>(`PRAGMA ${name}`)
    return () => statement.get()?.[name] ?? 0
  }
  const change = (sql: string) => {
    const statement = database.prepare(sql)
    return (...values: (string | number | Uint8Array)[]) => statement.run(...values).changes
  }
  const row = database.prepare<Row, [Uint8Array]>('SELECT id, model, kept_at AS keptAt, length, head FROM answers WHERE key = ?')
  const pieces = database.prepare<{ readonly crc: number; readonly bytes: Uint8Array<ArrayBuffer> }, [number, number]>(
    'SELECT crc, bytes FROM pieces WHERE id BETWEEN ? AND ? ORDER BY id',
  )
  const oldest = database.prepare<Pick<Row, 'id' | 'keptAt'>, []>('SELECT id, kept_at AS keptAt FROM answers ORDER BY id LIMIT 1')
  const ofModel = database.prepare<{ readonly id: number }, [string, number]>(
    'SELECT id FROM answers WHERE model = ? AND id <= ? ORDER BY id LIMIT 256',
  )
  const leastUsed = one('SELECT id AS value FROM answers ORDER BY used LIMIT 1')
  const countOf = one('SELECT count(*) AS value FROM answers WHERE model = ? AND id <= ?')
  const count = one('SELECT count(*) AS value FROM answers')
  const pagesInAll = pragma('page_count')
  const pagesFree = pragma('freelist_count')
  const writePiece = change('INSERT INTO pieces (id, crc, bytes) VALUES (?, ?, ?)')
  const dropPieces = change('DELETE FROM pieces WHERE id BETWEEN ? AND ?')
  const dropPiecesFrom = change('DELETE FROM pieces WHERE id >= ?')
  const add = change('INSERT INTO answers (id, key, model, kept_at, used, length, head) VALUES (?, ?, ?, ?, ?, ?, ?)')
  const drop = change('DELETE FROM answers WHERE id = ?')
  const use = change('UPDATE answers SET used = ? WHERE key = ?')
  const begin = change('BEGIN IMMEDIATE')
  const commit = change('COMMIT')

  const highest = (column: 'id' | 'used') => one(`SELECT max(${column}) AS value FROM answers`)() ?? 0
  const pageBytes = pragma('page_size')()
  let last = highest('id')
  let used = highest('used')
  let entries = count() ?? 0

  return {
    get entries() {
      return entries
    },
    get bytes() {
      return (pagesInAll() - pagesFree()) * pageBytes
    },
    get free() {
      return pagesFree() * pageBytes
    },
    get last() {
      return last
    },
    find: key => row.get(Buffer.from(key, 'hex')) ?? undefined,
    read(key, row) {
      const found = pieces.all(row.id * piecesPerAnswer, (row.id + 1) * piecesPerAnswer - 1)
      const seed = seedOf(key, row)
      if (found.some(({ crc, bytes }, piece) => crc !== checksum(bytes, seed, piece))) return
      const [first] = found
      const body = first && found.length === 1 ? first.bytes : Buffer.concat(found.map(({ bytes }) => bytes))
      return body.length === row.length ? body : undefined
    },
    writePiece(key, row, body, piece) {
      const from = piece * longestPiece
      const bytes = body.subarray(from, from + longestPiece)
      const id = (last + 1) * piecesPerAnswer
      if (piece === 0) dropPiecesFrom(id)
      writePiece(id + piece, checksum(bytes, seedOf(key, row), piece), bytes)
    },
    add(key, { model, keptAt, length, head }) {
      last++
      add(last, Buffer.from(key, 'hex'), model, keptAt, ++used, length, head)
      entries++
    },
    remove(id) {
      dropPieces(id * piecesPerAnswer, (id + 1) * piecesPerAnswer - 1)
      if (drop(id) !== 1) throw new DamagedFile('an index does not match its table') // it would be found again and again
      entries--
    },
    use: key => void use(++used, Buffer.from(key, 'hex')),
    leastUsed: () => leastUsed(),
    oldest: () => oldest.get() ?? undefined,
    ofModel: (model, upTo) => ofModel.all(model, upTo).map(({ id }) => id),
    countOf: (model, upTo) => countOf(model, upTo) ?? 0,
    transaction(work) {
      begin()
      try {
        const result = work()
        commit()
        return result
      } catch (error) {
        if (database.inTransaction) database.run('ROLLBACK')
        entries = count() ?? 0
        throw error
      }
    },
    shrink: () => void database.run('PRAGMA incremental_vacuum(64)'), // about a millisecond
    tidy: () => void database.run('PRAGMA wal_checkpoint(TRUNCATE)'),
    close: () => database.close(true), // without `true` it stays open, and locked, until its statements are collected
  }
}

/** Checksums are over the key and the row too: whatever becomes of a file, no request gets the answer to another one. */
const seedOf = (key: string, { model, keptAt, length, head }: NewRow) => Bun.hash.crc32(`${key} ${keptAt} ${length} ${model} ${head}`)
const checksum = (bytes: Uint8Array, seed: number, piece: number) => Bun.hash.crc32(bytes, (seed + piece) >>> 0)
