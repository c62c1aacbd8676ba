/**
 * What a hook may say, checked strictly: a verdict with a code that exists and a text that fits in
 * a reply line, or a route. Whatever else a function returned is a fault of the hook, never a reply.
 */
import { z } from 'zod'
import type { HookAnswer, HookName } from './hook.ts'

/** RFC 5321 §4.5.3.1.5: a reply line has at most 512 octets with code and CRLF. */
const text = z
  .string()
  .max(400)
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must have no control characters')

const detail = z.templateLiteral([z.int().min(0).max(999), '.', z.int().min(0).max(999)])

const verdict = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('accept'), text: text.exactOptional() }),
  z.strictObject({
    kind: z.literal('defer'),
    code: z.literal([421, 450, 451, 452, 454, 455]),
    detail,
    text,
  }),
  z.strictObject({
    kind: z.literal('refuse'),
    code: z.literal([502, 504, 521, 530, 535, 538, 550, 551, 552, 553, 554, 555, 556]),
    detail,
    text,
  }),
])

const hostname = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^\s<>@]+$/)

const egress = {
  hostname: hostname.exactOptional(),
  sourceAddresses: z.array(z.union([z.ipv4(), z.ipv6()])).exactOptional(),
  addressFamily: z.enum(['any', 'ipv4', 'ipv6', 'ipv4-first', 'ipv6-first']).exactOptional(),
  eightBit: z.enum(['convert', 'send-anyway']).exactOptional(),
  without: z.array(z.string().regex(/^[A-Z0-9-]+$/)).exactOptional(),
}

const port = z.int().min(1).max(65_535)

const nextHop = {
  host: hostname,
  port,
  tls: z.enum(['never', 'opportunistic', 'require', 'implicit']),
  protocol: z.enum(['smtp', 'lmtp']).exactOptional(),
  login: z.strictObject({ username: z.string(), password: z.string() }).exactOptional(),
  xforward: z.boolean().exactOptional(),
  weight: z.int().min(1).max(1000).exactOptional(),
  ...egress,
}

const instead = {
  name: text.exactOptional(),
  instead: z.array(z.strictObject(nextHop)).max(20).exactOptional(),
}

const mxEgress = z.strictObject({
  port: port.exactOptional(),
  tls: z.enum(['never', 'opportunistic', 'require']).exactOptional(),
  ...egress,
})

const status = z.templateLiteral(['5.', z.int().min(0).max(999), '.', z.int().min(0).max(999)])

const route = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('local') }),
  z.strictObject({
    kind: z.literal('mx'),
    domain: hostname,
    egress: mxEgress.exactOptional(),
    ...instead,
  }),
  z.strictObject({ kind: z.literal('onDemand'), domain: hostname }),
  z.strictObject({ kind: z.literal('smarthost'), ...nextHop, ...instead }),
  z.strictObject({ kind: z.literal('hops'), hops: z.array(z.string()).min(1).max(20) }),
  z.strictObject({ kind: z.literal('discard') }),
  z.strictObject({ kind: z.literal('hold'), reason: text.min(1) }),
  z.strictObject({ kind: z.literal('reject'), status, text: text.min(1) }),
  z.strictObject({
    kind: z.literal('pipe'),
    argv: z.array(z.string().max(4096)).min(1).max(100),
    user: z.string().exactOptional(),
    folder: z.string().startsWith('/').exactOptional(),
    environment: z.record(z.string(), z.string()).exactOptional(),
    timeoutMs: z.int().min(1),
    fromLine: z.union([z.boolean(), z.string().regex(/^[\w.-]+$/)]).exactOptional(),
    lineEnds: z.enum(['lf', 'crlf']).exactOptional(),
    final: z.boolean().exactOptional(),
  }),
  z.strictObject({ kind: z.enum(['maildir', 'mbox']), path: z.string().startsWith('/') }),
  z.strictObject({ kind: z.literal('undecided'), reason: text.min(1) }),
])

const login = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('account'), address: z.string().regex(/^[^\s<>]+@[^\s@<>]+$/) }),
  z.strictObject({ kind: z.literal('wrong') }),
])

export type Checked<Answer> =
  | { readonly ok: true; readonly answer: Answer | undefined }
  | { readonly ok: false; readonly reason: string }

/** A hook's answer, or why it is none. null and undefined are no opinion. */
export function checkAnswer<Name extends HookName>(
  name: Name,
  value: unknown,
): Checked<HookAnswer<Name>> {
  if (value === undefined || value === null) return { ok: true, answer: undefined }
  const schema: z.ZodType = name === 'route' ? route : name === 'login' ? login : verdict
  const parsed = schema.safeParse(value)
  if (parsed.success) return { ok: true, answer: parsed.data as HookAnswer<Name> }
  const first = parsed.error.issues[0]
  const place = first === undefined || first.path.length === 0 ? '' : ` (${first.path.join('.')})`
  return {
    ok: false,
    reason: `no valid ${schema === verdict ? 'verdict' : name}${place}: ${first?.message}`,
  }
}
