/**
 * TLS (RFC 3207, RFC 8314): whether it is offered, whether it works, and what its certificate says. Between servers
 * any certificate will do for mail (RFC 7435), so faults of one are warnings there; where users log in they are faults.
 */
import { classOf, replyText } from '../../smtp/client/talk.ts'
import { type Finding, finding, type Severity } from '../finding.ts'
import type { Step } from '../step.ts'
import { certificate } from './certificate.ts'
import { exchangesOf, type HostContext } from './context.ts'
import { refusal } from './refusal.ts'

export const tls: Step<HostContext> = {
  name: 'tls',
  tookMs: ({ talk }) => talk.transcript.tlsTookMs,
  run(context): readonly Finding[] {
    const { clock, host, submission, talk, pins, forTests } = context
    const severity: Severity | undefined = submission ? 'fault' : undefined
    const facts = talk.transcript.tls
    if (facts === undefined) return without(context, severity)
    const works = `${facts.protocol} with ${facts.cipher}`
    const old = facts.protocol === 'TLSv1.3' ? [] : [finding('tls-old', facts.protocol)]
    const [again] = exchangesOf(context, 'EHLO').filter(({ secured }) => secured)
    const refused =
      again !== undefined && classOf(again.reply) !== 2
        ? [refusal('EHLO was refused under TLS', again.reply, 'hello-refused')]
        : []
    return [
      finding('tls-works', works),
      ...old,
      ...certificate(facts, host.name, clock.now(), {
        ...(severity && { severity: forTests ? 'warning' : severity }),
        ...(pins && { pins }),
      }),
      ...refused,
    ]
  },
}

function without(context: HostContext, severity: Severity | undefined): readonly Finding[] {
  const { talk } = context
  const [started] = exchangesOf(context, 'STARTTLS')
  if (talk.tlsFault !== undefined) return [tlsFailed(talk.tlsFault, started !== undefined)]
  if (started !== undefined && classOf(started.reply) !== 2) {
    return [finding('tls-refused', `STARTTLS was refused: ${replyText(started.reply)}`, severity)]
  }
  if (talk.visit.facts === undefined) return []
  return [finding('tls-missing', 'STARTTLS is not offered', severity)]
}

/** @param startTls whether clear text was spoken before it */
export function tlsFailed(fault: string, startTls: boolean): Finding {
  if (/clear text came|no TLS handshake/i.test(fault)) return finding('tls-injection', fault)
  if (/wrong.version.number|packet length too long/i.test(fault) && !startTls) {
    return finding('tls-not-first', fault)
  }
  // OpenSSL's words for a peer whose versions end where ours begin.
  if (/unsupported.protocol|alert.protocol.version|version.too.low/i.test(fault)) {
    return finding('tls-too-old', fault)
  }
  return finding('tls-fails', `the handshake failed: ${fault}`)
}
