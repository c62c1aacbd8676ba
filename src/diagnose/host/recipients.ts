/** Whether mail would be taken: MAIL and RCPT that no message follows (RFC 5321 §3.3, §4.5.1, §4.5.5). */
import { classOf, replyText } from '../../smtp/client/talk.ts'
import { type Finding, finding } from '../finding.ts'
import type { Step } from '../step.ts'
import type { Asked } from '../talk.ts'
import { exchangesOf, type HostContext } from './context.ts'
import { recipientRefusal, refusal } from './refusal.ts'

export const recipients: Step<HostContext> = {
  name: 'recipients',
  tookMs: context => {
    const paths = context.talk.asked.flatMap(asked => (isOurs(asked) ? asked.forwardPaths : []))
    const ours = exchangesOf(context, 'RCPT').filter(({ said }) =>
      paths.some(path => said.endsWith(path)),
    )
    return ours.reduce((sum, { tookMs }) => sum + tookMs, 0)
  },
  run(context): readonly Finding[] {
    const { talk } = context
    return talk.asked.filter(isOurs).flatMap(asked => judged(context, asked))
  },
}

const isOurs = ({ about }: Asked) => about === 'recipients'

function judged(context: HostContext, { mail, reversePath, ...asked }: Asked): readonly Finding[] {
  if (classOf(mail) !== 2) {
    const what = `mail from ${reversePath} was refused`
    if (mail.code === 530) return [finding('login-required', `${what}: ${replyText(mail)}`)]
    return [refusal(what, mail, classOf(mail) === 4 ? 'recipient-later' : 'sender-refused')]
  }
  return asked.recipients.map((reply, at) =>
    ofRecipient(context, asked.forwardPaths[at] ?? '', reply),
  )
}

function ofRecipient({ own, talk }: HostContext, path: string, reply: Asked['mail']): Finding {
  const utf8 = (talk.loginVisit ?? talk.visit).facts?.extensions.has('SMTPUTF8') === true
  if (/[^\0-\x7f]/.test(path) && !utf8) {
    return finding('utf8-missing', `${path} cannot be said to this server`)
  }
  if (classOf(reply) === 2) return finding('recipient-taken', `${path}: ${replyText(reply)}`)
  if (own && classOf(reply) === 5) {
    const text = `${path}: ${replyText(reply)}`
    if (/^<postmaster(?:@|>)/i.test(path)) return finding('postmaster-refused', text)
    if (/^<abuse@/i.test(path)) return finding('abuse-refused', text)
  }
  return recipientRefusal(path, reply)
}
