/**
 * Simulated files that outlive their host's crashes. Implements world/files.ts. What was not synced when the
 * host crashed is there or not, whole or torn, as chance wills: names and contents each for themselves.
 */
import { dirname } from 'node:path'
import { FileError, type Files, type OpenFile } from '../files.ts'
import type { Random } from '../random.ts'
import type { DiskHost } from './disk.ts'

interface Inode {
  readonly id: number
  octets: Buffer
  /** What a crash leaves at least. */
  synced: Buffer
  changedAt: number
}

export class SimFiles {
  readonly #random: Random
  readonly #folders = new Set(['/'])
  #names = new Map<string, Inode>()
  #durable = new Map<string, Inode>()
  #inodes = 0
  /** Octets that may still be written; a write beyond fails with ENOSPC. */
  roomOctets = Number.POSITIVE_INFINITY
  /** Paths that another program of the machine has locked by fcntl(2). */
  readonly taken = new Set<string>()
  /** Told of each step once it is done: where a test makes its host crash. */
  watch: ((step: string) => void) | undefined

  constructor(random: Random) {
    this.#random = random
  }

  /** Paths of the files below a folder, in order. */
  list(folder: string): readonly string[] {
    return [...this.#names.keys()].filter(path => path.startsWith(`${folder}/`)).sort()
  }

  text(path: string): string | undefined {
    return this.#names.get(path)?.octets.toString('latin1')
  }

  /** Puts a file there, as somebody else would, and makes it durable. */
  put(path: string, text: string, changedAt = 0): void {
    this.#addFolder(dirname(path))
    const octets = Buffer.from(text, 'latin1')
    const inode = { id: ++this.#inodes, octets, synced: octets, changedAt }
    this.#names.set(path, inode)
    this.#durable.set(path, inode)
  }

  crashed(): void {
    const kept = new Map<string, Inode>()
    for (const path of new Set([...this.#names.keys(), ...this.#durable.keys()])) {
      const inode = this.#random.below(2) === 0 ? this.#names.get(path) : this.#durable.get(path)
      if (inode) kept.set(path, inode)
    }
    for (const inode of new Set(kept.values())) {
      const { octets, synced } = inode
      const less = Math.min(octets.length, synced.length)
      const more = Math.max(octets.length, synced.length)
      const size = less + this.#random.below(more - less + 1)
      inode.octets = (octets.length > synced.length ? octets : synced).subarray(0, size)
      inode.synced = inode.octets
    }
    this.#names = kept
    this.#durable = new Map(kept)
  }

  /** The files as one life of their host sees them. */
  mount(machine: DiskHost): Files {
    const host: DiskHost = {
      now: () => machine.now(),
      monotonic: () => machine.monotonic(),
      alive: () => machine.alive(),
      later: (label, run) =>
        machine.later(label, () => {
          const done = run()
          this.watch?.(label)
          return done
        }),
    }
    const names = () => this.#names
    const at = (path: string): Inode => {
      const inode = names().get(path)
      if (!inode) throw new FileError('ENOENT', `there is no ${path}`)
      return inode
    }
    const add = (path: string, inode: Inode) => {
      if (!this.#folders.has(dirname(path))) throw new FileError('ENOENT', `no ${dirname(path)}`)
      if (names().has(path)) throw new FileError('EEXIST', `${path} is there`)
      names().set(path, inode)
    }
    const fresh = (path: string): Inode => {
      const octets = Buffer.alloc(0)
      const inode = { id: ++this.#inodes, octets, synced: octets, changedAt: host.now() }
      add(path, inode)
      return inode
    }
    return {
      create: path => host.later(`create ${path}`, () => this.#opened(host, fresh(path))),
      append: (path, make) =>
        host.later(`open ${path}`, () =>
          this.#opened(host, make && !names().has(path) ? fresh(path) : at(path)),
        ),
      read: (path, octetsMax) =>
        host.later(`read ${path}`, () => Buffer.from(at(path).octets.subarray(0, octetsMax))),
      look: path =>
        host.later(`look ${path}`, () => {
          const inode = names().get(path)
          if (!inode && !this.#folders.has(path)) return undefined
          return {
            kind: inode ? ('file' as const) : ('folder' as const),
            identity: String(inode?.id ?? path),
            names: [...names().values()].filter(one => one === inode).length,
            sizeOctets: inode?.octets.length ?? 0,
            changedAt: inode?.changedAt ?? 0,
          }
        }),
      link: (from, to) => host.later(`link ${to}`, () => add(to, at(from))),
      rename: (from, to) =>
        host.later(`rename ${to}`, () => {
          const inode = at(from)
          names().delete(from)
          names().delete(to)
          add(to, inode)
        }),
      remove: path => host.later(`remove ${path}`, () => void names().delete(path)),
      makeFolder: path => host.later(`folder ${path}`, () => this.#addFolder(path)),
      syncFolder: path => host.later(`sync ${path}`, () => this.#syncFolder(path)),
      lock: (path, make) =>
        host.later(`lock ${path}`, () => {
          if (this.taken.has(path)) return 'taken' as const
          const { id } = make && !names().has(path) ? fresh(path) : at(path)
          return { identity: String(id), release: () => host.later(`unlock ${path}`, () => {}) }
        }),
    }
  }

  #addFolder(path: string): void {
    this.#folders.add(path)
    if (path !== '/') this.#addFolder(dirname(path))
  }

  #syncFolder(folder: string): void {
    for (const path of new Set([...this.#names.keys(), ...this.#durable.keys()])) {
      if (dirname(path) !== folder) continue
      const inode = this.#names.get(path)
      if (inode) this.#durable.set(path, inode)
      else this.#durable.delete(path)
    }
  }

  #opened(host: DiskHost, inode: Inode): OpenFile {
    return {
      sizeOctets: inode.octets.length,
      identity: String(inode.id),
      write: octets => {
        const copy = Buffer.from(octets)
        return host.later('file write', () => {
          const room = Math.max(0, Math.min(copy.length, this.roomOctets))
          this.roomOctets -= room
          inode.octets = Buffer.concat([inode.octets, copy.subarray(0, room)])
          inode.changedAt = host.now()
          if (room < copy.length) throw new FileError('ENOSPC', 'the disk is full')
        })
      },
      read: (from, to) =>
        host.later('file read', () => Buffer.from(inode.octets.subarray(from, to))),
      truncate: sizeOctets =>
        host.later('file truncate', () => {
          inode.octets = inode.octets.subarray(0, sizeOctets)
        }),
      sync: () =>
        host.later('file sync', () => {
          inode.synced = inode.octets
        }),
      close: () => host.later('file close', () => {}),
    }
  }
}
