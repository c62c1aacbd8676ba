/** `to` of a rule: where mail goes. Used by routes.ts, which says what is wrong with several rules. */
import { z } from 'zod'
import type { Pipe } from '../../route/route.ts'
import type { To } from '../../route/to.ts'
import { PATH_PLACEHOLDERS, PLACEHOLDERS, placeholdersIn } from '../../transport/placeholder.ts'
import { texts } from './hops.ts'
import { duration } from './kinds.ts'

/** What is wrong with the names in braces of a text. */
function placeholderFault(text: string, known: readonly string[]): string | undefined {
  const unknown = placeholdersIn(text).find(name => !known.includes(name))
  if (unknown === undefined) return undefined
  return `there is no {${unknown}}; known are ${known.map(name => `{${name}}`).join(', ')}`
}

function argvFault([program = '', ...rest]: readonly string[]): string | undefined {
  if (!/^\/[^{}]*$/.test(program)) return `"${program}" is no absolute path of a program`
  for (const argument of rest) {
    if (argument === '{recipients}') continue
    if (argument.includes('{recipients}')) return '{recipients} is an argument of its own, alone'
    const fault = placeholderFault(argument, PLACEHOLDERS)
    if (fault !== undefined) return fault
  }
  return undefined
}

const argv = () =>
  z
    .array(z.string().regex(/^[^\u0000]*$/, 'must have no NUL'))
    .min(1)
    .superRefine((written, context) => {
      const message = argvFault(written)
      if (message !== undefined) context.addIssue({ code: 'custom', message })
    })

const pipe = z
  .union([
    argv(),
    z.strictObject({
      argv: argv().describe(
        'The program and its arguments, with `{sender}`, `{recipient}`, `{local}`, `{user}`, `{detail}`, `{domain}`, `{node}`, `{id}`; `{recipients}` alone: all at once. Never a shell.',
      ),
      user: z
        .string()
        .min(1)
        .exactOptional()
        .describe('Whom it runs as, where the server is root; needed then.'),
      folder: z.string().startsWith('/').exactOptional().describe('Where it runs. Absent: `/`.'),
      environment: z
        .record(z.string().regex(/^[A-Za-z_]\w*$/, 'is no name of a variable'), z.string())
        .exactOptional()
        .describe('Its environment beside PATH; nothing else is handed down.'),
      timeout: duration(1).prefault('5m').describe('When it is ended, with all it has started.'),
      fromLine: z
        .union([z.boolean(), z.string().regex(/^[\w.-]+$/, 'is no name of a UUCP host')])
        .default(false)
        .describe('A `From ` line in front; with our name for UUCP, `remote from` it.'),
      lineEnds: z.enum(['lf', 'crlf']).default('lf').describe('What ends its lines.'),
      final: z
        .boolean()
        .default(false)
        .describe('Whether it keeps the mail: Return-Path and Delivered-To stand in front then.'),
    }),
  ])
  .transform((written): Pipe => {
    if (Array.isArray(written)) return { argv: written, timeoutMs: 300_000 }
    const { timeout, ...rest } = written
    return { ...rest, timeoutMs: timeout }
  })

const path = () =>
  z
    .string()
    .regex(/^\/[^\u0000]*[^/\u0000]$/, 'is no absolute path')
    .superRefine((written, context) => {
      const message = placeholderFault(written, PATH_PLACEHOLDERS)
      if (message !== undefined) context.addIssue({ code: 'custom', message })
    })

const reject = z.strictObject({
  status: z
    .string()
    .regex(/^5\.\d{1,3}\.\d{1,3}$/, 'is no status such as 5.7.1')
    .transform(status => status as `5.${number}.${number}`)
    .default('5.7.1')
    .describe('The enhanced status code (RFC 3463).'),
  text: z
    .string()
    .min(1)
    .max(400)
    .regex(/^[\x20-\x7e]*$/, 'must be printable ASCII')
    .describe('What the sender is told.'),
})

const WAYS = ['hop', 'pipe', 'maildir', 'mbox', 'hold', 'reject'] as const

export const toSchema = z.union([
  z.enum(['local', 'mx', 'discard', 'hold']),
  z
    .strictObject({
      hop: texts(z.string().min(1))
        .exactOptional()
        .describe(
          'By hops of `outbound.hops`, in order: the next one where one cannot be spoken to.',
        ),
      pipe: pipe
        .exactOptional()
        .describe('To a program: its absolute path and its arguments, or its parts.'),
      maildir: path()
        .exactOptional()
        .describe(
          'Into a Maildir of the server: its path, with `{user}`, `{local}`, `{detail}`, `{domain}`, `{node}`.',
        ),
      mbox: path().exactOptional().describe('Into an mbox of the server: its path, likewise.'),
      hold: z
        .string()
        .min(1)
        .max(400)
        .exactOptional()
        .describe('Kept until the operator lets it go, for this reason.'),
      reject: reject.exactOptional().describe('Refused, in the session where that is possible.'),
    })
    .transform((value, context): To => {
      const names = WAYS.filter(name => value[name] !== undefined)
      if (names.length === 1) return value as To
      const message = `must have exactly one of ${WAYS.join(', ')}`
      context.issues.push({ code: 'custom', message, input: value })
      return z.NEVER
    }),
])
