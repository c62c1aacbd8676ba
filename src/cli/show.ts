/** A message's record and explanations as people read them: `trace`, `queue show`, `queue why`. */

import type { AttemptRecord, Explanation, MessageRecord } from '../server/operation.ts'
import { formatSize } from '../wire/measure.ts'
import { facts, formatSender, formatTime, formatWhen, printable } from './print.ts'

/** The whole life of a message, in the order of time. */
export function showMessage(record: MessageRecord, now: number): string {
  const head = facts([
    ['message', record.message],
    ['received', `${formatTime(record.receivedAt)} (${formatWhen(record.receivedAt, now)})`],
    ['by', `${record.origin}, from ${record.peer}`],
    ['account', record.account],
    ['sender', formatSender(record.sender)],
    ['submitted as', record.rewritten?.reversePath],
    ['rewritten', record.rewritten?.fields?.join(', ')],
    ['size', formatSize(record.sizeOctets)],
    ['envelope id', record.envelopeId],
    ['settled', record.settledAt === undefined ? undefined : formatTime(record.settledAt)],
  ])
  const recipients = record.recipients.map(recipient => {
    const { aliasOf, namedAs } = recipient
    const named = namedAs === undefined ? '' : ` (named as ${printable(namedAs)})`
    const alias = `${aliasOf === undefined ? '' : ` (for ${printable(aliasOf)})`}${named}`
    const due = WAITS.has(recipient.state) ? `, next ${formatWhen(recipient.dueAt, now)}` : ''
    const { expiresAt } = recipient
    const next =
      expiresAt === undefined
        ? ''
        : `  next: ${recipient.next}; given up ${formatWhen(expiresAt, now)}\n`
    const reason =
      recipient.reason === undefined
        ? ''
        : `  ${printable([recipient.status, recipient.reason].filter(Boolean).join(' '))}\n`
    const { doubts = 0 } = recipient
    const doubt = doubts === 0 ? '' : `  in doubt ${doubts === 1 ? 'once' : `${doubts} times`}\n`
    const way = recipient.route === undefined ? '' : `  way: ${printable(recipient.route)}\n`
    const tried = record.attempts.filter(attempt => attempt.n === recipient.n).map(showAttempt)
    return `\n${printable(recipient.address)}${alias}: ${recipient.state}${due}\n${reason}${doubt}${next}${way}${tried.join('')}`
  })
  return head + recipients.join('')
}

const WAITS: ReadonlySet<string> = new Set(['queued', 'deferred', 'doubt'])

function showAttempt(attempt: AttemptRecord): string {
  const where = attempt.remote === undefined ? '' : ` at ${printable(attempt.remote)}`
  const line = `  ${formatTime(attempt.at)}  ${attempt.outcome}${where}: ${printable(`${attempt.status} ${attempt.reason}`)}\n`
  if (attempt.dialogue === undefined) return line
  const lines = printable(attempt.dialogue.trimEnd(), true).split('\n')
  return line + lines.map(said => `      ${said}\n`).join('')
}

/** One paragraph for each recipient. */
export function showExplanations(explanations: readonly Explanation[], now: number): string {
  if (explanations.length === 0) return 'nothing is known of it\n'
  return explanations
    .map(explanation => {
      const { dueAt, expiresAt } = explanation
      return (
        `${printable(explanation.address)}  (${explanation.message}, ${explanation.state})\n` +
        facts([
          ['  why', explanation.why],
          ['  next', explanation.next],
          ['  when', dueAt === undefined ? undefined : formatWhen(dueAt, now)],
          ['  given up', expiresAt === undefined ? undefined : formatWhen(expiresAt, now)],
        ]) +
        explanation.attempts.map(showAttempt).join('')
      )
    })
    .join('\n')
}
