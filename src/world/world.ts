/** The world a Postrider lives in: real (world/node) or simulated (world/sim). */
import type { Clock } from './clock.ts'
import type { Disk } from './disk.ts'
import type { Dns } from './dns.ts'
import type { Files } from './files.ts'
import type { Gss } from './gss.ts'
import type { Log } from './log.ts'
import type { Net } from './net.ts'
import type { Programs } from './programs.ts'
import type { Random } from './random.ts'
import type { Stretch } from './stretch.ts'

export interface World {
  readonly clock: Clock
  readonly random: Random
  readonly net: Net
  readonly dns: Dns
  readonly disk: Disk
  readonly files: Files
  readonly programs: Programs
  readonly log: Log
  /** Keys from passwords. */
  readonly stretch: Stretch
  /** The system's GSS library, where there may be one: absent in the simulation. */
  readonly gss?: Gss
}

/** A world without a disk: all that a client needs. */
export type DisklessWorld = Omit<World, 'disk' | 'files' | 'programs'>
