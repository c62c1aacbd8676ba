/**
 * Several disks as one: new bodies go to one of them, others are read where their names say they are. So
 * an operator may change his mind about where bodies are kept, and nothing has to be moved. A body that
 * is not where its name says is looked for in the directory: a backup brings them all there.
 */
import { type Disk, DiskDamaged } from './disk.ts'

export type Place = 'directory' | 'database' | 's3'

export const places: readonly Place[] = ['directory', 'database', 's3']

/** Where the body of this name was staged. */
export function placeOf(name: string): Place {
  if (name.startsWith('s3_')) return 's3'
  return name.startsWith('database_') ? 'database' : 'directory'
}

export type Disks = Readonly<Partial<Record<Place, Disk>>> & { readonly directory: Disk }

/** @param into where new bodies go: one of the disks */
export function placedDisk(disks: Disks, into: Place): Disk {
  const of = (name: string) => disks[placeOf(name)] ?? disks.directory
  const all = places.flatMap(place => disks[place] ?? [])
  return {
    stage: () => (disks[into] ?? disks.directory).stage(),
    async *read(name, from, to) {
      const disk = of(name)
      let begun = false
      try {
        for await (const chunk of disk.read(name, from, to)) {
          begun = true
          yield chunk
        }
        return
      } catch (error) {
        if (begun || disk === disks.directory || !(error instanceof DiskDamaged)) throw error
        yield* elsewhere(disks.directory, error, { name, from, to })
      }
    },
    async remove(name) {
      await of(name).remove(name)
      if (of(name) !== disks.directory) await disks.directory.remove(name)
    },
    async *list() {
      for (const disk of all) yield* disk.list()
    },
    async probe() {
      for (const disk of all) await disk.probe?.()
    },
  }
}

/** The body from the directory, or the error that sent us there. */
async function* elsewhere(
  directory: Disk,
  error: Error,
  { name, from, to }: { readonly name: string; readonly from: number; readonly to: number },
): AsyncGenerator<Uint8Array, void, void> {
  const chunks = directory.read(name, from, to)[Symbol.asyncIterator]()
  const first = await chunks.next().catch(() => {
    throw error
  })
  for (let next = first; !next.done; next = await chunks.next()) yield next.value
}
