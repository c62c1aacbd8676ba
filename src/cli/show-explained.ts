/** An explanation as people read it: what the session says, then each recipient's way, then the schedule. */

import type { Passed } from '../route/decide.ts'
import type {
  ExplainedRecipient,
  ExplainedSchedule,
  ExplainedWay,
  ExplainOutput,
} from '../server/explain/explained.ts'
import { formatCount, formatDuration } from '../wire/measure.ts'
import { facts, formatTime, printable } from './print.ts'

/** What is done with at once is not tried again. */
const ATTEMPTED_ONCE: readonly string[] = ['local', 'discard', 'reject']

/** Attempts that are shown one by one. */
const ATTEMPTS_SHOWN = 8

export function showExplained(explained: ExplainOutput): string {
  const { listener, ip, account, session, asked, recipients } = explained
  const who = account === undefined ? ip : `${ip}, logged in as ${account}`
  const said = session.map(({ said, reply }) => {
    const ours = said === '' ? '' : `  C: ${printable(said)}\n`
    // Of EHLO the first line is enough; the rest is the listener's, not this message's.
    const lines = /^EHLO/.test(said) ? reply.split('\n').slice(0, 1) : reply.split('\n')
    return ours + lines.map(line => `  S: ${printable(line)}\n`).join('')
  })
  const refused = asked.filter(({ reply }) => !reply.startsWith('2'))
  const none = recipients.length === 0 ? '\nno recipient is taken: nothing comes of it\n' : ''
  const some =
    refused.length > 0 && none === ''
      ? `\nrefused in the session: ${refused.map(({ path }) => printable(path)).join(', ')}\n`
      : ''
  return (
    `at ${listener}, from ${printable(who)}, ${formatTime(explained.at)}\n` +
    said.join('') +
    showHeader(explained.header) +
    none +
    some +
    recipients.map(showRecipient).join('') +
    showSchedules(explained)
  )
}

/** Each schedule once, with its recipients where others have another. */
function showSchedules({ at, recipients, noticesTo }: ExplainOutput): string {
  const groups = new Map<string, { schedule: ExplainedSchedule; addresses: string[] }>()
  for (const { address, transport, schedule } of recipients) {
    if (schedule === undefined || ATTEMPTED_ONCE.includes(transport ?? '')) continue
    const key = JSON.stringify(schedule)
    const group = groups.get(key) ?? { schedule, addresses: [] }
    group.addresses.push(printable(address))
    groups.set(key, group)
  }
  const sender = noticesTo === '' ? 'nobody (the null sender)' : noticesTo
  // Of what is given up at once there is no schedule, and a notice all the same.
  if (groups.size === 0) {
    return recipients.some(({ givenUp }) => givenUp) ? `\n${facts([['notices to', sender]])}` : ''
  }
  const shown = [...groups.values()].map(({ schedule, addresses }) =>
    showSchedule(schedule, at, groups.size > 1 ? addresses.join(', ') : undefined),
  )
  return `${shown.join('')}${facts([['notices to', sender]])}`
}

function showHeader(header: ExplainOutput['header']): string {
  if (header === undefined) return ''
  const { refused, added = '', leavesAs } = header
  const fields = added.split('\r\n').filter(line => line !== '')
  return `\nthe header\n${facts([
    ['  refused', refused && printable(refused)],
    ...fields.map((line): [string, string] => ['  added', printable(line)]),
    ['  the sender becomes', leavesAs && printable(leavesAs)],
  ])}`
}

function showRecipient(recipient: ExplainedRecipient): string {
  const { address, aliasOf, expanded, reversePath, route, text, ways = [], givenUp } = recipient
  const { shaping, waits } = recipient
  const alias = aliasOf === undefined ? '' : ` (for ${printable(aliasOf)})`
  if (expanded) return `\n${printable(address)}: an alias, its targets below\n`
  return (
    `\n${printable(address)}${alias}\n` +
    facts([
      ...(route?.passed ?? []).map(showPassed),
      ['  route', `${text ?? ''} (by ${route?.by ?? ''})`],
      ['  leaves as', reversePath],
      ...ways.flatMap(showWay),
      ['  shaped by', shaping?.join(', ')],
      ['  waits', waits && printable(waits)],
      ['  given up', givenUp && `at the first attempt: ${givenUp}`],
    ])
  )
}

function showPassed(rule: Passed): [string, string] {
  const { place, condition, wanted, found } = rule
  return ['  not by', `${place}: ${condition} is ${found}, not ${wanted}`]
}

function showWay(way: ExplainedWay): [string, string | undefined][] {
  const { port, protocol, tls, certificate, clearInstead, login, hosts = [], trouble } = way
  const secured =
    tls === 'never'
      ? 'no TLS'
      : `TLS ${tls}, ${certificate === 'any' ? 'any certificate' : 'a certificate that is verified'}` +
        (clearInstead ? ', else in clear text' : '')
  const name = way.domain === undefined ? way.host : `the MX hosts of ${way.domain}`
  return [
    ['  to', name],
    ...hosts.map(({ name, address }): [string, string] => ['  host', `${name} (${address})`]),
    ['  trouble', trouble],
    ['  how', `${protocol} port ${port}, as ${way.hostname}; ${secured}`],
    ['  login', login],
  ]
}

function showSchedule(schedule: ExplainedSchedule, from: number, whose?: string): string {
  const { attempts, warnings, givenUpAt, jitter } = schedule
  const after = (at: number) => (at <= from ? 'now' : formatDuration(at - from))
  const shown = attempts.slice(0, ATTEMPTS_SHOWN).map(after)
  const more = attempts.length - shown.length
  return `\n${facts([
    ['schedule of', whose],
    ['tried', `${shown.join(', ')}${more > 0 ? `, and ${formatCount(more, 'time')} more` : ''}`],
    ['jitter', jitter > 0 ? `each delay up to ${Math.round(jitter * 100)} % longer` : undefined],
    ['delay told', warnings.length > 0 ? warnings.map(after).join(', ') : 'never'],
    ['given up', givenUpAt === undefined ? undefined : after(givenUpAt)],
  ])}`
}
