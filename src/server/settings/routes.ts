/**
 * The settings of `routes`: `match ... -> to ...`, the first rule that matches wins. What is wrong with one
 * rule is said here, what is wrong with several together by `routeFaults` and `routeWarnings`.
 */
import { z } from 'zod'
import { includes, type Match, type SizeBounds } from '../../route/match.ts'
import { parseSize } from '../../wire/measure.ts'
import { parseNetwork } from '../../wire/network.ts'
import { nearest, type SettingError } from './errors.ts'
import { addressPattern, type HopSettings, isAddressPattern, isOrigin, texts } from './hops.ts'
import { toSchema } from './to.ts'

const recipientPattern = () =>
  z.string().refine(text => /^(?:local|remote)$/.test(text) || isAddressPattern(text), {
    error: ({ input }) =>
      `"${String(input)}" is no pattern of addresses: write joe@example.org, @example.org for all of a domain, *@*.example.org, or local or remote`,
  })

const source = () =>
  z.string().refine(text => isOrigin(text) || parseNetwork(text) !== undefined, {
    error: ({ input }) =>
      `"${String(input)}" is neither a network, such as 10.0.0.0/8, nor mx, submission, local or notice`,
  })

/** `>10MB`, `<=1MB`, `>1KB <10MB`. */
const sizeBounds = () =>
  z.string().transform((text, context): SizeBounds => {
    let over: number | undefined
    let under: number | undefined
    const parts = [...text.matchAll(/\s*(>=?|<=?)\s*([\d.]+\s?[a-z]{0,3})\s*/giy)]
    for (const [, sign, amount = ''] of parts) {
      const octets = parseSize(amount)
      if (octets === undefined) over = Number.NaN
      else if (sign === '>') over = octets
      else if (sign === '>=') over = octets - 1
      else under = sign === '<' ? octets : octets + 1
    }
    const read = parts.reduce((sum, [whole]) => sum + whole.length, 0)
    if (parts.length > 0 && read === text.length && !Number.isNaN(over)) {
      return { text, ...(over !== undefined && { over }), ...(under !== undefined && { under }) }
    }
    const message = `"${text}" is no bound of sizes, such as >10MB, <=500KB or >1MB <10MB`
    context.issues.push({ code: 'custom', message, input: text })
    return z.NEVER
  })

const FIELD_NAME = /^[!-9;-~]{1,200}$/

const match = z.strictObject({
  recipient: texts(recipientPattern())
    .exactOptional()
    .describe(
      'Patterns of the recipient, behind aliases; or `local` or `remote`: whether its domain is ours.',
    ),
  sender: texts(addressPattern())
    .exactOptional()
    .describe('Patterns of the sender (MAIL FROM); `<>` is that of notices.'),
  account: texts(addressPattern())
    .exactOptional()
    .describe('Patterns of the account that handed it in after login.'),
  source: texts(source())
    .exactOptional()
    .describe('Where it came from: `mx`, `submission`, `local`, `notice`, or networks.'),
  size: sizeBounds()
    .meta({ unit: 'size with `>`, `>=`, `<`, `<=`' })
    .exactOptional()
    .describe('How large it is.'),
  header: z
    .record(z.string().regex(FIELD_NAME, 'is no name of a header field'), texts(z.string().min(1)))
    .exactOptional()
    .describe("Fields of its header, and patterns of their text (`'*lottery*'`)."),
})

export const routesSchema = z.array(
  z.strictObject({
    match: match
      .default({})
      .describe('All of it must hold; without any, the rule is for all mail.'),
    to: toSchema.describe(
      "Where it goes: `local` (a mailbox here), `mx` (the domain's own hosts), `discard`, `hold`, or one of the below.",
    ),
  }),
)

export type RouteSettings = z.output<typeof routesSchema>[number]

interface Routed {
  readonly routes: readonly RouteSettings[]
  readonly hops: Readonly<Record<string, HopSettings>>
}

/** Names of hops that lead nowhere. */
export function routeFaults({ routes, hops }: Routed): SettingError[] {
  const errors: SettingError[] = []
  const known = Object.keys(hops)
  for (const [at, { to }] of routes.entries()) {
    if (typeof to === 'string' || !('hop' in to)) continue
    for (const [i, name] of to.hop.entries()) {
      const path = `routes[${at}].to.hop${to.hop.length > 1 ? `[${i}]` : ''}`
      const hop = Object.hasOwn(hops, name) ? hops[name] : undefined
      if (hop === undefined) {
        const some = known.length === 0 ? 'write it there' : `known are ${known.join(', ')}`
        const remedy = nearest(name, known) ?? some
        errors.push({ path, message: `there is no hop "${name}" in outbound.hops`, remedy })
      } else if (i > 0 && !('host' in hop)) {
        const message = `"${name}" has no host and leads to the domain's own hosts`
        errors.push({ path, message, remedy: 'write it first in the list' })
      }
    }
  }
  return errors
}

/** Rules that can never match, and hops that are never used. */
export function routeWarnings({ routes, hops }: Routed): string[] {
  const warnings: string[] = []
  for (const [at, { match }] of routes.entries()) {
    const first = routes.findIndex(
      (other, i) => i < at && includes(other.match as Match, match as Match),
    )
    if (first < 0) continue
    warnings.push(`routes[${at}]: never matches, since routes[${first}] matches all that it does`)
  }
  const used = new Set(
    routes.flatMap(({ to }) => (typeof to === 'object' && 'hop' in to ? to.hop : [])),
  )
  for (const [name, { senders }] of Object.entries(hops)) {
    if (used.has(name) || senders.length > 0) continue
    warnings.push(`outbound.hops.${name}: is used by no rule and has no senders`)
  }
  return warnings
}
