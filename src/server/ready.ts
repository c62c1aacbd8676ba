/** What `start` prints when every listener accepts: one line for scripts, or lines to copy for people. */
import type { DemoAccount } from './demo.ts'

export interface ReadyFacts {
  readonly pid: number
  readonly listeners: Readonly<Record<string, number | string>>
  readonly domain: string
  readonly accounts: readonly DemoAccount[]
  /** Path of the certificate that clients may trust. */
  readonly certificate: string
  readonly data: string
  readonly demo: boolean
}

/** One line of JSON. */
export function readyJson(facts: ReadyFacts): string {
  const { pid, listeners, domain, accounts, certificate } = facts
  // A Unix socket has no port: scripts find it in the data folder.
  const ports = Object.fromEntries(
    Object.entries(listeners).filter(([, place]) => typeof place === 'number'),
  )
  return `${JSON.stringify({ ready: true, pid, listeners: ports, domain, accounts, certificate })}\n`
}

/** Lines a newcomer can copy. */
export function readyText(facts: ReadyFacts): string {
  const { listeners, certificate, data } = facts
  const places = Object.entries(listeners).map(([name, place]) => `${name} ${place}`)
  const lines = [`Postrider is ready: ${places.join(', ')}`, `data: ${data}`]
  if (!facts.demo) return `${lines.join('\n')}\n`
  const [from, to] = facts.accounts
  if (!from || !to) return `${lines.join('\n')}\n`
  const fresh = from.password !== null
  lines.push('', fresh ? 'accounts (passwords are shown this once):' : 'accounts:')
  for (const { address, password } of facts.accounts) {
    lines.push(
      `  ${address}  ${password ?? "(as before; 'bin/postrider account password ADDRESS' sets another)"}`,
    )
  }
  const password = from.password ?? 'PASSWORD'
  const read = to.password ?? 'PASSWORD'
  const { submission, submissions, pop3s, imaps } = listeners
  lines.push(
    '',
    'send:',
    `  swaks --server 127.0.0.1:${submission} --tls --auth PLAIN --auth-user ${from.address} --auth-password ${password} --from ${from.address} --to ${to.address}`,
    `  curl --cacert ${certificate} --url smtps://127.0.0.1:${submissions} --user ${from.address}:${password} --mail-from ${from.address} --mail-rcpt ${to.address} --header 'Subject: hello' --form '=A first message.'`,
    `  nodemailer.createTransport({ host: '127.0.0.1', port: ${submissions}, secure: true, tls: { rejectUnauthorized: false }, auth: { user: '${from.address}', pass: '${password}' } })`,
    'read:',
    `  curl --cacert ${certificate} --user ${to.address}:${read} pop3s://127.0.0.1:${pop3s}/1`,
    `  curl --cacert ${certificate} --user ${to.address}:${read} 'imaps://127.0.0.1:${imaps}/INBOX;MAILINDEX=1'`,
    '',
    'Ctrl-C stops it.',
  )
  return `${lines.join('\n')}\n`
}
