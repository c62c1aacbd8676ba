/**
 * A disk whose bodies carry the hashes of their blocks, over one that knows no hashes: a directory, the
 * database, object storage. A body is named by what it holds (sealed-name.ts) and every slice is proven
 * before it is given out; names without hashes, of an earlier release, are read as they are.
 */
import { type Disk, DiskDamaged, type StagedBody } from './disk.ts'
import {
  BLOCK_OCTETS,
  DIGEST_OCTETS,
  Digests,
  digestOf,
  digestsOctets,
  parseSealed,
  rootOf,
  type SealedName,
  sealedName,
  stemOf,
} from './sealed-name.ts'

/** @param staged whether new bodies get hashes; they are read by their names all the same */
export function verifiedDisk(raw: Disk, staged: 'hashed' | 'plain' = 'hashed'): Disk {
  return {
    ...raw,
    stage: async () => (staged === 'plain' ? raw.stage() : new VerifiedBody(await raw.stage())),
    read(name, from, to) {
      const sealed = parseSealed(name)
      return sealed ? proven(raw, sealed, from, to) : raw.read(name, from, to)
    },
    remove: name => raw.remove(stemOf(name)),
    list: () => raw.list(),
  }
}

class VerifiedBody implements StagedBody {
  readonly #raw: StagedBody
  readonly #digests = new Digests()
  #name: string | undefined

  constructor(raw: StagedBody) {
    this.#raw = raw
  }

  get name(): string {
    if (this.#name === undefined) throw new Error('a staged body has no name before it is sealed')
    return this.#name
  }

  write(octets: Uint8Array): Promise<void> {
    this.#digests.add(octets)
    return this.#raw.write(octets)
  }

  async seal(): Promise<void> {
    const { sizeOctets } = this.#digests
    const digests = this.#digests.end()
    if (digests.length > 0) await this.#raw.write(digests)
    await this.#raw.seal()
    this.#name = sealedName(this.#raw.name, sizeOctets, digests)
  }

  abort(): Promise<void> {
    return this.#raw.abort()
  }
}

/** The octets [from, to), block by block, each proven first. At most two blocks are in memory. */
async function* proven(
  raw: Disk,
  { stem, sizeOctets, root }: SealedName,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array, void, void> {
  if (to > sizeOctets) throw new DiskDamaged(`body ${stem} ends at ${sizeOctets}, before ${to}`)
  if (from >= to) return
  const digests = await slice(raw, stem, sizeOctets, sizeOctets + digestsOctets(sizeOctets))
  if (rootOf(digests) !== root) throw new DiskDamaged(`the hashes of body ${stem} are not its own`)
  const start = Math.floor(from / BLOCK_OCTETS)
  const end = Math.min(sizeOctets, Math.ceil(to / BLOCK_OCTETS) * BLOCK_OCTETS)
  let index = start
  for await (const block of blocksOf(raw.read(stem, start * BLOCK_OCTETS, end), end)) {
    const at = index * BLOCK_OCTETS
    const digest = digests.subarray(index * DIGEST_OCTETS, (index + 1) * DIGEST_OCTETS)
    if (!digestOf(block).equals(digest)) {
      throw new DiskDamaged(`body ${stem} is damaged in its octets from ${at} on`)
    }
    yield block.subarray(Math.max(0, from - at), Math.min(block.length, to - at))
    index++
  }
  if (index !== Math.ceil(end / BLOCK_OCTETS)) throw new DiskDamaged(`body ${stem} ends too early`)
}

async function slice(raw: Disk, stem: string, from: number, to: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of raw.read(stem, from, to)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Chunks of any size as blocks, the last one shorter. A chunk that is a block is passed on as it is. */
async function* blocksOf(
  chunks: AsyncIterable<Uint8Array>,
  end: number,
): AsyncGenerator<Uint8Array, void, void> {
  let block: Buffer | undefined
  let filled = 0
  for await (const chunk of chunks) {
    let from = 0
    if (filled === 0 && chunk.length === BLOCK_OCTETS) {
      yield chunk
      continue
    }
    while (from < chunk.length) {
      block ??= Buffer.allocUnsafeSlow(Math.min(BLOCK_OCTETS, end))
      const part = chunk.subarray(from, from + block.length - filled)
      block.set(part, filled)
      filled += part.length
      from += part.length
      if (filled < block.length) continue
      yield block
      block = undefined
      filled = 0
    }
  }
  if (block && filled > 0) yield block.subarray(0, filled)
}
