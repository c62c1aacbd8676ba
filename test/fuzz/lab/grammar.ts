/**
 * Whole dialogues made by a grammar: rules whose alternatives name other rules in braces, and a flow that says which
 * frame may stand where and what then follows. What comes out is nearly always legal, so that it leads deep;
 * `bendFrames` then takes frames out, doubles, exchanges and moves them, and puts in those of another dialogue.
 */
import type { Random } from '../../../src/world/random.ts'
import { bend } from './bend.ts'
import { pick } from './target.ts'

/** Alternatives by name. `{name}` stands for another rule, `{n}` for a number; what no rule has stands for itself. */
export type Rules = Readonly<Record<string, readonly string[]>>

export interface Grammar {
  readonly rules: Rules
  /** From each state: a rule that makes the next frame, and the state behind it. The first state is 'start'. */
  readonly flow: Readonly<Record<string, readonly (readonly [rule: string, next: string])[]>>
  readonly framesMax?: number
}

/** Behind so many rules within each other the first alternative is taken: it is the shortest. */
const DEPTH_MAX = 6
const FRAMES_MAX = 24
/** Where limits are likely: of numbers, of sizes, of lines. */
const NUMBERS = [0, 1, 1, 1, 2, 2, 3, 5, 9, 10, 64, 255, 512, 998, 1_000, 65_535, 4_294_967_295]

/** What a rule makes. */
export function expand(rules: Rules, random: Random, name: string, depth = 0): string {
  const alternatives = rules[name]
  if (alternatives === undefined) {
    return name === 'n' ? String(pick(random, NUMBERS)) : `{${name}}`
  }
  const chosen = depth > DEPTH_MAX ? alternatives[0] : pick(random, alternatives)
  return (chosen ?? '').replace(/\{(\w+)\}/g, (_, inner: string) =>
    expand(rules, random, inner, depth + 1),
  )
}

/** The frames of a dialogue. */
export function dialogue(grammar: Grammar, random: Random): string[] {
  const { rules, flow, framesMax = FRAMES_MAX } = grammar
  const frames: string[] = []
  let state = 'start'
  for (let left = 1 + random.below(framesMax); left > 0; left--) {
    const ways = flow[state]
    if (ways === undefined || ways.length === 0) break
    const [rule, next] = pick(random, ways)
    frames.push(expand(rules, random, rule))
    state = next
  }
  return frames
}

/** A dialogue as an input: as it is, with frames bent, or with octets bent in one frame alone. */
export function makeDialogue(grammar: Grammar): (random: Random) => Buffer {
  return random => {
    const frames: Buffer[] = dialogue(grammar, random).map(frame => Buffer.from(frame, 'latin1'))
    switch (random.below(3)) {
      case 0:
        return Buffer.concat(frames)
      case 1: {
        const others = dialogue(grammar, random).map(frame => Buffer.from(frame, 'latin1'))
        return Buffer.concat(changed(frames, others, random))
      }
      default: {
        const at = random.below(Math.max(1, frames.length))
        const frame = frames[at]
        if (frame !== undefined) frames[at] = bend(frame, random)
        return Buffer.concat(frames)
      }
    }
  }
}

/** The same for any input, whose frames are its lines. */
export function bendFrames(input: Buffer, other: Buffer, random: Random): Buffer {
  return Buffer.concat(changed(linesOf(input), linesOf(other), random))
}

function linesOf(input: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let at = 0; at < input.length; ) {
    const end = input.indexOf('\r\n', at)
    const next = end === -1 ? input.length : end + 2
    lines.push(input.subarray(at, next))
    at = next
  }
  return lines
}

/** One to four changes that leave each frame whole. */
function changed(frames: readonly Buffer[], others: readonly Buffer[], random: Random): Buffer[] {
  const all = [...frames]
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const at = random.below(all.length + 1)
    const length = 1 + random.below(3)
    const from = random.below(others.length + 1)
    switch (random.below(6)) {
      case 0:
        all.splice(at, length)
        break
      case 1:
        all.splice(at, 0, ...all.slice(at, at + length))
        break
      case 2:
        all.splice(random.below(all.length + 1), 0, ...all.splice(at, length))
        break
      case 3:
        all.splice(at, 0, ...others.slice(from, from + length))
        break
      case 4:
        // The head of one and the end of another.
        all.splice(at, all.length, ...others.slice(from))
        break
      default:
        all.splice(at, 1, ...others.slice(from, from + 1))
    }
  }
  return all
}
