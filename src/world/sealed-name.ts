/**
 * The names of sealed bodies. `STEM` alone is a body without hashes. `STEM.SIZE.ROOT` is one behind whose
 * octets stand the SHA-256 hashes of its blocks of 256 KB; SIZE is that of its octets in base 36, ROOT the
 * SHA-256 of those hashes in base64url. So whatever slice is read, no octet is given out unproven, and
 * nobody who can only write to the storage can pass another body off.
 *
 * The stem says where a body is; only rows keep the rest. Used by verified-disk.ts, by the store's check,
 * sweep and backup. Pure.
 */
import { createHash, hash } from 'node:crypto'

export const BLOCK_OCTETS = 262_144
export const DIGEST_OCTETS = 32

export interface SealedName {
  readonly stem: string
  readonly sizeOctets: number
  readonly root: string
}

const SEALED = /^([0-9a-z_-]{1,60})\.([0-9a-z]{1,11})\.([\w-]{43})$/

/** The parts of a name with hashes; undefined where it has none. Throws where it is no name of ours. */
export function parseSealed(name: string): SealedName | undefined {
  if (!name.includes('.')) return undefined
  const match = SEALED.exec(name)
  if (match === null) throw new Error(`not the name of a staged body: ${name}`)
  const [, stem = '', size = '', root = ''] = match
  return { stem, sizeOctets: Number.parseInt(size, 36), root }
}

export function sealedName(stem: string, sizeOctets: number, digests: Uint8Array): string {
  return `${stem}.${sizeOctets.toString(36)}.${rootOf(digests)}`
}

/** What stands before the first dot: what a listing shows, and what is removed. */
export function stemOf(name: string): string {
  const dot = name.indexOf('.')
  return dot < 0 ? name : name.slice(0, dot)
}

/** The octets that a body of this name and size takes where it is stored: with its hashes, if it has any. */
export function storedOctets(name: string, sizeOctets: number): number {
  return name.includes('.') ? sizeOctets + digestsOctets(sizeOctets) : sizeOctets
}

export function digestsOctets(sizeOctets: number): number {
  return Math.ceil(sizeOctets / BLOCK_OCTETS) * DIGEST_OCTETS
}

export function digestOf(block: Uint8Array): Buffer {
  return hash('sha256', block, 'buffer')
}

export function rootOf(digests: Uint8Array): string {
  return hash('sha256', digests, 'base64url')
}

/** The hashes of a body as it passes by, in pieces of any size. */
export class Digests {
  readonly #digests: Buffer[] = []
  #block = createHash('sha256')
  #filled = 0
  #sizeOctets = 0

  get sizeOctets(): number {
    return this.#sizeOctets
  }

  add(octets: Uint8Array): void {
    this.#sizeOctets += octets.length
    let from = 0
    while (from < octets.length) {
      const part = octets.subarray(from, from + BLOCK_OCTETS - this.#filled)
      this.#block.update(part)
      this.#filled += part.length
      from += part.length
      if (this.#filled === BLOCK_OCTETS) this.#end()
    }
  }

  /** All of them, one behind the other; nothing may be added any more. */
  end(): Buffer {
    if (this.#filled > 0) this.#end()
    return Buffer.concat(this.#digests)
  }

  #end(): void {
    this.#digests.push(this.#block.digest())
    this.#block = createHash('sha256')
    this.#filled = 0
  }
}

/** A body as it is stored under its name: its octets, then its hashes if the name tells of any. */
export async function* asStored(
  name: string,
  octets: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  const digests = parseSealed(name) && new Digests()
  for await (const chunk of octets) {
    digests?.add(chunk)
    yield chunk
  }
  if (digests) yield digests.end()
}
