/**
 * The settings of shaping: how much goes where, and at which replies we stop for a while. Used by settings.ts,
 * made into rules by shaping-rules.ts; what they mean is shape/rule.ts's.
 */
import { z } from 'zod'
import type { Rate } from '../../shape/rule.ts'
import { parseRate } from '../../wire/measure.ts'
import { duration } from './kinds.ts'

/** `100/min`, `5/s`, `2000/h`, `10000/d`, or by any duration, such as `30/10m`. */
const rate = () =>
  z
    .string()
    .transform((text, context): Rate => {
      const found = parseRate(text)
      if (found !== undefined) return { messages: found.count, perMs: found.perMs }
      const message = `"${text}" is no rate: write messages by time, such as 100/min, 5/s or 30/10m`
      context.issues.push({ code: 'custom', message, input: text })
      return z.NEVER
    })
    .meta({ unit: 'rate' })

const pattern = () => z.string().regex(/^[^\s@]{1,253}$/, 'is no name, such as *.example.org')

const rule = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.-]{1,60}$/, 'is no name of letters, digits, `-`, `_` and `.`')
    .describe('How it is called in lists and logs; one name for each rule.'),
  match: z
    .strictObject({
      domain: pattern()
        .exactOptional()
        .describe("The recipients' domain, whichever way their mail goes; `*` is all mail."),
      mx: pattern()
        .exactOptional()
        .describe('A mail host of the destination, such as `*.google.com`.'),
      hop: pattern().exactOptional().describe('The host of a fixed next hop.'),
    })
    .refine(match => Object.keys(match).length > 0, 'matches nothing: write domain, mx or hop')
    .describe('Which destinations: all that is written here must match.'),
  connections: z.int().min(1).exactOptional().describe('Connections at once, of all nodes.'),
  messagesPerConnection: z
    .int()
    .min(1)
    .exactOptional()
    .describe('Messages before a connection is left.'),
  rate: rate()
    .exactOptional()
    .describe('Messages by time, of all nodes: no window of that length sees more.'),
  warmUp: z
    .strictObject({
      from: z.iso.date().describe('The first day, as YYYY-MM-DD; a day begins at 0:00 UTC.'),
      perDay: z
        .array(z.int().min(1))
        .min(1)
        .describe('Messages of each day, spread over it; then no limit.'),
    })
    .exactOptional()
    .describe('Begins with few messages a day, for an address that nobody knows yet.'),
  suspend: z
    .array(
      z.strictObject({
        reply: z.string().min(3).describe('A reply as `421 4.7.0 text`; `*` is any text.'),
        for: duration(1000).describe('How long nothing is sent to all that the rule matches.'),
      }),
    )
    .default([])
    .describe('Replies at which we stop for a while.'),
})

export const shapingSchema = z
  .array(rule)
  .refine(rules => new Set(rules.map(({ name }) => name)).size === rules.length, {
    message: 'has two rules of one name',
  })
