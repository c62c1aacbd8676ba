/**
 * LIMITS (RFC 9422): what the server will take in one session and one transaction, told in EHLO so that
 * nobody has to find out by being refused. It has no verbs and no parameters: the server says what its
 * settings say, and our client (client/allowance.ts) keeps to what it reads.
 */
import type { SessionSettings } from '../server/question.ts'
import type { Extension } from './extension.ts'

/** What a server said of itself; absent where it said nothing. */
export interface Limits {
  /** MAILMAX: MAIL commands in one session, whatever became of them. */
  readonly mails?: number
  /** RCPTMAX: RCPT commands in one transaction. */
  readonly recipients?: number
  /** RCPTDOMAINMAX: different domains in the RCPT commands of one session. */
  readonly domains?: number
}

export const limits: Extension = {
  keyword: 'LIMITS',
  rfcs: [9422],
  help: 'how many messages, recipients and domains are taken at once',
  has: settings => words(settings).length > 0,
  offer: ({ settings }) => `LIMITS ${words(settings).join(' ')}`,
}

function words(settings: SessionSettings): readonly string[] {
  return [
    ...word('MAILMAX', settings.transactionsMax),
    ...word('RCPTMAX', settings.recipientsMax),
    ...word('RCPTDOMAINMAX', settings.recipientDomainsMax),
  ]
}

/** §4: a value is a number of one to six digits and not 0; what is larger or unlimited is left out. */
function word(name: string, value: number): readonly string[] {
  return value > 0 && value <= 999_999 ? [`${name}=${value}`] : []
}

const names: Readonly<Record<string, keyof Limits>> = {
  MAILMAX: 'mails',
  RCPTMAX: 'recipients',
  RCPTDOMAINMAX: 'domains',
}

/**
 * What stands behind the keyword: `NAME=VALUE` between spaces (§3). Names that we do not know and values
 * that are malformed are passed over; of a limit given twice the smaller one holds.
 */
export function parseLimits(text: string): Limits {
  const found: { -readonly [K in keyof Limits]: Limits[K] } = {}
  for (const part of text.split(' ')) {
    const [, name = '', digits] = /^([A-Za-z0-9_-]+)=([1-9]\d{0,5})$/.exec(part) ?? []
    const limit = names[name.toUpperCase()]
    if (limit === undefined) continue
    found[limit] = Math.min(Number(digits), found[limit] ?? Number.POSITIVE_INFINITY)
  }
  return found
}
