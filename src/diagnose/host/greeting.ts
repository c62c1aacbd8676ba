/** The greeting (RFC 5321 §3.1, §4.2, §4.3.1): whether it comes, how fast, from whom. */
import type { Trouble } from '../../smtp/client/question.ts'
import { classOf, replyText } from '../../smtp/client/talk.ts'
import { type Finding, finding } from '../finding.ts'
import { leadsTo } from '../remembered-dns.ts'
import type { Step } from '../step.ts'
import { exchangesOf, type HostContext } from './context.ts'
import { refusal } from './refusal.ts'

/** RFC 5321 §4.5.3.2.1 lets it take 5 minutes; senders in a hurry give up long before. */
const SLOW_MS = 10_000

export const greeting: Step<HostContext> = {
  name: 'greeting',
  tookMs: context => exchangesOf(context, '')[0]?.tookMs ?? 0,
  async run(context): Promise<readonly Finding[]> {
    const { talk } = context
    if (talk.connect.fault !== undefined) return []
    const [first] = exchangesOf(context, '')
    const trouble = talk.visit.trouble
    if (first === undefined) {
      return trouble === undefined || trouble.phase === 'tls' ? [] : [ungreeted(context, trouble)]
    }
    const { reply, tookMs } = first
    if (classOf(reply) !== 2) return [refusal('greeted with a refusal', reply, 'greeting-refused')]
    const found = await named(context, reply.lines[0] ?? '')
    if (tookMs > SLOW_MS) {
      found.push(finding('greeting-slow', `it came after ${Math.round(tookMs / 1000)} s`))
    }
    if (reply.lines.length > 1) {
      found.push(finding('greeting-long', `it has ${reply.lines.length} lines`))
    }
    const wellNamed = found.every(({ severity }) => severity === 'note')
    return wellNamed ? [finding('greeted', replyText(reply)), ...found] : found
  },
}

/** No greeting came, or something else in its place. */
function ungreeted({ port, talk }: HostContext, { reason }: Trouble): Finding {
  if (talk.visit.cutOff) return finding('too-slow', 'no whole greeting came in time')
  const offence = /no reply but (".*") came/.exec(reason)?.[1]
  if (offence !== undefined) {
    const guess = protocolOf(offence)
    const told = guess === undefined ? '' : `, which is ${guess}`
    return finding('another-protocol', `the greeting is ${offence}${told}`)
  }
  if (reason.startsWith('timed out')) {
    const tls = port === 465 ? '; port 465 wants TLS first' : ''
    return finding('greeting-silent', `connected, and then ${reason}${tls}`)
  }
  return finding('greeting-none', reason)
}

/** The protocols that are met where SMTP was expected. */
function protocolOf(line: string): string | undefined {
  const known: readonly (readonly [RegExp, string])[] = [
    [/^"SSH-/, 'SSH'],
    [/^"\* (?:OK|BYE|PREAUTH)/, 'IMAP'],
    [/^"(?:\+OK|-ERR)/, 'POP3'],
    [/^"(?:HTTP\/|<html|<!doctype)/i, 'HTTP'],
    [/^"(?:\?|\\u0015)/, 'TLS'],
  ]
  return known.find(([shape]) => shape.test(line))?.[1]
}

async function named(context: HostContext, text: string): Promise<Finding[]> {
  const { dns, host, own } = context
  if (/^\*{4}|\*{8}/.test(text)) return [finding('greeting-masked', `the greeting is ${text}`)]
  const name = (/^[^\s]{0,255}/.exec(text)?.[0] ?? '').toLowerCase()
  if (name.startsWith('[')) return []
  if (!/^[a-z0-9-]+(?:\.[a-z0-9-]+)+\.?$/.test(name) || /\.(?:local|localdomain|lan)$/.test(name)) {
    return [finding('greeting-nameless', `the greeting begins with ${JSON.stringify(name)}`)]
  }
  if (name === host.name || (await leadsTo(dns, name, host.address)) !== false) return []
  const text2 = `it calls itself ${name}, a name that does not lead to ${host.address}`
  return [finding('greeting-other-name', text2, own ? 'warning' : undefined)]
}
