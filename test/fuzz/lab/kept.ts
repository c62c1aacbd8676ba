/**
 * What a campaign keeps: inputs that reached something new, and how far it came. The small ones of all
 * times stand in test/fuzz/corpus/NAME.txt, a JSON string a line, one character an octet, and are
 * committed; those of this machine in .fuzz/, so that shares of an hour add up.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ours = join(import.meta.dirname, '../corpus')
const local = join(import.meta.dirname, '../../../.fuzz')

export interface Progress {
  readonly inputs: number
  readonly seconds: number
  readonly seed: number
}

export const nothing: Progress = { inputs: 0, seconds: 0, seed: 1 }

export function readKept(name: string, resume: boolean): Buffer[] {
  return [...read(join(ours, `${name}.txt`)), ...(resume ? read(join(local, `${name}.txt`)) : [])]
}

export function readProgress(name: string): Progress {
  const file = join(local, `${name}.json`)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Progress) : nothing
}

export function keep(name: string, inputs: readonly Buffer[], progress: Progress): void {
  mkdirSync(local, { recursive: true })
  writeFileSync(join(local, `${name}.txt`), lines(inputs))
  writeFileSync(join(local, `${name}.json`), `${JSON.stringify(progress)}\n`)
}

/** Of a target so much stands in the repository at most: all of them are some 250 KB. */
const COMMITTED_MAX_OCTETS = 4_000

/** The shortest, for the repository. */
export function commit(name: string, inputs: readonly Buffer[]): void {
  const short: Buffer[] = []
  let octets = 0
  for (const input of [...inputs].sort((a, b) => a.length - b.length)) {
    octets += lines([input]).length
    if (octets > COMMITTED_MAX_OCTETS) break
    short.push(input)
  }
  mkdirSync(ours, { recursive: true })
  writeFileSync(join(ours, `${name}.txt`), lines(short))
}

function lines(inputs: readonly Buffer[]): string {
  return inputs.map(each => `${JSON.stringify(each.toString('latin1'))}\n`).join('')
}

function read(file: string): Buffer[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => Buffer.from(JSON.parse(line) as string, 'latin1'))
}
