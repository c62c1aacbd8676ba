/**
 * What the kernel knows of a process and its children: CPU, writes, memory (proc(5)). Linux only.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** The kernel's clock tick, as userland sees it on every Linux. */
const TICKS_PER_SECOND = 100

/** Writes so far: system calls, octets given to them, octets that went to the disk. */
export interface Writes {
  readonly calls: number
  readonly octets: number
  readonly diskOctets: number
}

interface Stat {
  readonly parent: number
  readonly ticks: number
}

/** Seconds of CPU that a process, those it has waited for, and its living descendants have used. */
export function cpuSeconds(pid: number): number {
  const ticks = family(pid).reduce((sum, [, stat]) => sum + stat.ticks, 0)
  return ticks / TICKS_PER_SECOND
}

/** Memory of a process and all its living descendants together, shared pages counted by their share. */
export function familyPssMb(pid: number): number {
  return family(pid).reduce((sum, [member]) => {
    try {
      return sum + memoryOf(member).pssMb
    } catch {
      // It has ended meanwhile.
      return sum
    }
  }, 0)
}

/** A process and all its living descendants. */
export function familyPids(pid: number): number[] {
  return family(pid).map(([member]) => member)
}

function family(pid: number): [number, Stat][] {
  const stats = new Map<number, Stat>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = statOf(Number(name))
    if (stat) stats.set(Number(name), stat)
  }
  return [...stats].filter(([of]) => {
    let at = of
    while (at !== pid && at > 1) at = stats.get(at)?.parent ?? 0
    return at === pid
  })
}

function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in brackets, may hold anything; fields are counted behind it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
    return { parent: Number(fields[1]), ticks }
  } catch {
    return undefined
  }
}

export function writesOf(pid: number): Writes {
  const of = fields(`/proc/${pid}/io`)
  return { calls: of('syscw'), octets: of('wchar'), diskOctets: of('write_bytes') }
}

export interface Memory {
  readonly rssMb: number
  /** Shared pages counted by their share. */
  readonly pssMb: number
  /** The most that RSS has been since the start, or since `forgetPeak`. */
  readonly peakMb: number
}

export function memoryOf(pid: number): Memory {
  const status = fields(`/proc/${pid}/status`)
  const rollup = fields(`/proc/${pid}/smaps_rollup`)
  const mb = (kb: number) => (kb * 1024) / 1e6
  return { rssMb: mb(status('VmRSS')), pssMb: mb(rollup('Pss')), peakMb: mb(status('VmHWM')) }
}

/** Starts the peak anew at what is held now. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

function fields(path: string): (name: string) => number {
  const text = readFileSync(path, 'utf8')
  return name => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN)
}
