/**
 * A simulated disk that outlives its host's crashes. Implements world/disk.ts. A body that was not
 * sealed when the host crashed is lost or torn, as chance wills; a sealed one stays whole.
 */
import { type Disk, DiskFull, type StagedBody } from '../disk.ts'
import type { Random } from '../random.ts'

const CHUNK_OCTETS = 262_144

interface Body {
  chunks: Uint8Array[]
  sizeOctets: number
  sealed: boolean
  changedAt: number
  /** Who writes it. */
  readonly by: DiskHost
  /** By the monotonic clock of that life. */
  writtenMs: number
}

/** What a disk needs of its host: time, and a wait that a dead host never comes back from. */
export interface DiskHost {
  now(): number
  monotonic(): number
  /** False once its life is over. */
  alive(): boolean
  later<T>(label: string, run: () => T): Promise<T>
}

/** The platter: the state that stays, and the handles by which a test spoils it. */
export class SimDisk {
  readonly #random: Random
  readonly #bodies = new Map<string, Body>()
  /** Octets it holds at most; 0 makes every write fail with DiskFull. */
  capacityOctets = Number.POSITIVE_INFINITY

  constructor(random: Random) {
    this.#random = random
  }

  get names(): readonly string[] {
    return [...this.#bodies.keys()]
  }

  /** Removes a body behind its host's back. */
  lose(name: string): void {
    this.#bodies.delete(name)
  }

  /** Cuts a body to its first octets. */
  tear(name: string, sizeOctets: number): void {
    const body = this.#bodies.get(name)
    if (!body) return
    const whole = Buffer.concat(body.chunks).subarray(0, sizeOctets)
    body.chunks = [whole]
    body.sizeOctets = whole.length
  }

  /** What a crash leaves of bodies that the dead had not sealed: nothing, or a part. */
  crashed(): void {
    for (const [name, body] of [...this.#bodies]) {
      if (body.sealed || body.by.alive()) continue
      if (this.#random.below(2) === 0) this.lose(name)
      else this.tear(name, this.#random.below(body.sizeOctets + 1))
    }
  }

  /** The disk as one life of its host sees it. */
  mount(host: DiskHost): Disk {
    const bodies = this.#bodies
    return {
      stage: () =>
        host.later('disk stage', () => {
          const id = Buffer.from(this.#random.octets(12)).toString('hex')
          const name = `${Math.floor(host.now()).toString(36)}-${id}`
          const body: Body = {
            chunks: [],
            sizeOctets: 0,
            sealed: false,
            changedAt: host.now(),
            by: host,
            writtenMs: host.monotonic(),
          }
          bodies.set(name, body)
          return this.#staged(host, name, body)
        }),
      async *read(name, from, to) {
        for (let at = from; at < to; at += CHUNK_OCTETS) {
          const end = Math.min(to, at + CHUNK_OCTETS)
          yield await host.later('disk read', () => {
            const body = bodies.get(name)
            if (!body) throw Object.assign(new Error(`no body ${name}`), { code: 'ENOENT' })
            if (body.sizeOctets < end) throw new Error(`body ${name} ends before ${end}`)
            return Buffer.concat(body.chunks).subarray(at, end)
          })
        }
      },
      freeOctets: () => this.capacityOctets - this.#usedOctets(),
      remove: name => host.later('disk remove', () => this.lose(name)),
      async *list() {
        const listed = await host.later('disk list', () => [...bodies])
        for (const [name, { sizeOctets, changedAt, by, writtenMs }] of listed) {
          const restsMs = by === host && { restsMs: host.monotonic() - writtenMs }
          yield { name, sizeOctets, changedAt, ...restsMs }
        }
      },
    }
  }

  #usedOctets(): number {
    return [...this.#bodies.values()].reduce((sum, other) => sum + other.sizeOctets, 0)
  }

  #staged(host: DiskHost, name: string, body: Body): StagedBody {
    return {
      name,
      write: octets => {
        const copy = Buffer.from(octets)
        return host.later('disk write', () => {
          if (this.#usedOctets() + copy.length > this.capacityOctets)
            throw new DiskFull('the disk is full')
          body.chunks.push(copy)
          body.sizeOctets += copy.length
          body.changedAt = host.now()
          body.writtenMs = host.monotonic()
        })
      },
      seal: () =>
        host.later('disk seal', () => {
          body.sealed = true
        }),
      abort: () => host.later('disk abort', () => this.lose(name)),
    }
  }
}
