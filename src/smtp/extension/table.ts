/**
 * All SMTP extensions, in the order of the EHLO reply. A new extension is a file beside this one
 * and a row here; its verbs are rows of server/verb/table.ts, which the compiler demands.
 */
import type { Recipient, Sender } from '../../mail/envelope.ts'
import type { SessionSettings } from '../server/question.ts'
import { atrn } from './atrn.ts'
import { auth } from './auth.ts'
import { binaryMime } from './binary-mime.ts'
import { burl } from './burl.ts'
import { checkpoint } from './checkpoint.ts'
import { chunking } from './chunking.ts'
import { deliverBy } from './deliver-by.ts'
import { dsn } from './dsn.ts'
import { eightBitMime } from './eight-bit-mime.ts'
import { enhancedStatusCodes } from './enhanced-status-codes.ts'
import { etrn } from './etrn.ts'
import { expn } from './expn.ts'
import type { Extension, Keyword, ParameterRule, WholeRule } from './extension.ts'
import { futureRelease } from './future-release.ts'
import { help } from './help.ts'
import { limits } from './limits.ts'
import { mtPriority } from './mt-priority.ts'
import { mtrk } from './mtrk.ts'
import { noSoliciting } from './no-soliciting.ts'
import { pipelining } from './pipelining.ts'
import { requireTls } from './require-tls.ts'
import { rrvs } from './rrvs.ts'
import { size } from './size.ts'
import { smtputf8 } from './smtputf8.ts'
import { starttls } from './starttls.ts'
import { turn } from './turn.ts'
import { xclient } from './xclient.ts'
import { xforward } from './xforward.ts'
import { xverp } from './xverp.ts'

export const extensions: readonly Extension[] = [
  pipelining,
  size,
  eightBitMime,
  binaryMime,
  smtputf8,
  enhancedStatusCodes,
  chunking,
  burl,
  dsn,
  limits,
  deliverBy,
  futureRelease,
  mtPriority,
  rrvs,
  noSoliciting,
  starttls,
  requireTls,
  auth,
  help,
  expn,
  checkpoint,
  mtrk,
  xclient,
  xforward,
  xverp,
  etrn,
  atrn,
  turn,
]

/** RFC 5321 §4.5.3.1.4: a command line has 512 octets with its CRLF. */
const COMMAND_MAX = 512

/** The extensions of one listener, made ready for look-up. */
export interface Dialect {
  readonly extensions: readonly Extension[]
  readonly keywords: ReadonlySet<Keyword>
  /** Who brings each verb. */
  readonly verbs: ReadonlyMap<string, Extension>
  readonly mail: ReadonlyMap<string, ParameterRule<Sender>>
  readonly rcpt: ReadonlyMap<string, ParameterRule<Recipient>>
  /** Asked in turn about a MAIL that has parameters. */
  readonly whole: readonly WholeRule[]
  readonly mailMaxOctets: number
  readonly rcptMaxOctets: number
}

const dialects = new WeakMap<SessionSettings, Dialect>()

/** The dialect of a listener: computed once for its settings. */
export function dialectOf(settings: SessionSettings): Dialect {
  let dialect = dialects.get(settings)
  if (dialect === undefined) {
    const had = extensions.filter(each => isOn(each, settings))
    dialect = {
      extensions: had,
      keywords: new Set(had.map(each => each.keyword)),
      verbs: new Map(had.flatMap(each => (each.verbs ?? []).map(verb => [verb, each]))),
      mail: new Map(had.flatMap(each => Object.entries(each.mail ?? {}))),
      rcpt: new Map(had.flatMap(each => Object.entries(each.rcpt ?? {}))),
      whole: had.flatMap(each => each.whole ?? []),
      mailMaxOctets: had.reduce((sum, each) => sum + (each.mailOctets ?? 0), COMMAND_MAX),
      rcptMaxOctets: had.reduce((sum, each) => sum + (each.rcptOctets ?? 0), COMMAND_MAX),
    }
    dialects.set(settings, dialect)
  }
  return dialect
}

/** Whether a listener has an extension: by default or by `with`, not by `without`, and only if it can. */
function isOn({ keyword, onAt, onlyAt, has }: Extension, settings: SessionSettings): boolean {
  if (settings.without.includes(keyword)) return false
  if (onlyAt?.includes(settings.service) === false) return false
  const byDefault = onAt === undefined || onAt.includes(settings.service)
  return (byDefault || settings.with.includes(keyword)) && (has?.(settings) ?? true)
}
