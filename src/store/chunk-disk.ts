/**
 * Staged bodies in the database itself, as chunks of 256 KB. Implements world/disk.ts without hashes
 * (verified-disk.ts adds them). Each chunk is a write of its own, long before the transaction that names
 * the body, so that no accept waits for a large one; a chunk is durable when its write is.
 */
import { type Disk, DiskDamaged, type StagedBody } from '../world/disk.ts'
import type { Random } from '../world/random.ts'
import {
  CHUNK_OCTETS,
  chunkedBodies,
  chunkOf,
  dropChunks,
  putChunk,
  sealChunks,
} from './body-chunk.ts'
import { type Store, StoreError } from './store.ts'

export function chunkDisk(store: Store, random: Random): Disk {
  return {
    stage: () => Promise.resolve(new StagedChunks(store, random)),
    async *read(name, from, to) {
      for (let n = Math.floor(from / CHUNK_OCTETS); n * CHUNK_OCTETS < to; n++) {
        const start = n * CHUNK_OCTETS
        const row = await store.read(chunkOf, { name, n })
        if (row === undefined) throw new DiskDamaged(`body ${name} has no chunk ${n}`)
        const wanted = Math.min(to - start, CHUNK_OCTETS)
        if (row.octets.length < wanted) throw new DiskDamaged(`body ${name} ends in chunk ${n}`)
        yield row.octets.subarray(Math.max(0, from - start), wanted)
      }
    },
    async remove(name) {
      await removeChunks(store, name)
    },
    list: () => listChunked(store),
  }
}

/** The bodies with chunks in a store. */
export async function* listChunked(store: Store) {
  let after = ''
  for (;;) {
    const rows = await store.read(chunkedBodies, after)
    for (const { name, size_octets, changed_at } of rows) {
      yield { name, sizeOctets: size_octets, changedAt: changed_at }
    }
    const last = rows.at(-1)
    if (last === undefined) return
    after = last.name
  }
}

async function removeChunks(store: Store, name: string): Promise<void> {
  while (await store.write(dropChunks, name)) {
    // Slice by slice, each its own job.
  }
}

class StagedChunks implements StagedBody {
  readonly name: string
  readonly #store: Store
  #buffer: Uint8Array<ArrayBuffer> | undefined
  #filled = 0
  #sizeOctets = 0
  #unsettled: Promise<void>[] = []
  #failure: { readonly error: unknown } | undefined
  #over: Promise<void> | undefined

  constructor(store: Store, random: Random) {
    this.#store = store
    this.name = `database_${Buffer.from(random.octets(16)).toString('hex')}`
  }

  async write(octets: Uint8Array): Promise<void> {
    if (this.#over) throw new Error('a staged body is written after its end')
    let from = 0
    while (from < octets.length) {
      this.#buffer ??= new Uint8Array(CHUNK_OCTETS)
      const part = octets.subarray(from, from + CHUNK_OCTETS - this.#filled)
      this.#buffer.set(part, this.#filled)
      this.#filled += part.length
      this.#sizeOctets += part.length
      from += part.length
      if (this.#filled === CHUNK_OCTETS) this.#flush()
    }
    while (this.#unsettled.length > 1) await this.#unsettled[0]
    if (this.#failure) throw this.#failure.error
  }

  seal(): Promise<void> {
    this.#over ??= this.#seal()
    return this.#over
  }

  async abort(): Promise<void> {
    this.#over ??= Promise.resolve()
    await this.#over.catch(() => {})
    await Promise.all(this.#unsettled)
    await removeChunks(this.#store, this.name)
  }

  async #seal(): Promise<void> {
    if (this.#filled > 0) this.#flush()
    await Promise.all(this.#unsettled)
    if (this.#failure) throw this.#failure.error
    const { name } = this
    const sizeOctets = this.#sizeOctets
    if (!(await this.#store.write(sealChunks, { name, sizeOctets }))) {
      throw new StoreError('busy', `chunks of body ${name} were taken away`)
    }
  }

  /** Starts the write of a chunk; a failure is kept for the next call. */
  #flush(): void {
    const buffer = this.#buffer as Uint8Array<ArrayBuffer>
    const octets = this.#filled === CHUNK_OCTETS ? buffer : buffer.slice(0, this.#filled)
    const n = (this.#sizeOctets - 1 - ((this.#sizeOctets - 1) % CHUNK_OCTETS)) / CHUNK_OCTETS
    this.#buffer = undefined
    this.#filled = 0
    const write = this.#store.write(putChunk, { name: this.name, n, octets }, [octets.buffer]).then(
      () => {},
      (error: unknown) => {
        this.#failure ??= { error }
      },
    )
    this.#unsettled.push(write)
    void write.then(() => {
      this.#unsettled = this.#unsettled.filter(other => other !== write)
    })
  }
}
