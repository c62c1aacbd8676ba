/** AUTH (RFC 4954): which mechanisms are offered where, and how a login went that was asked for. */
import { offered } from '../../smtp/client/hello.ts'
import type { Trouble } from '../../smtp/client/question.ts'
import { type Finding, finding } from '../finding.ts'
import type { Step } from '../step.ts'
import { exchangesOf, type HostContext } from './context.ts'

/** Those that send what a thief needs. */
const PLAINTEXT = ['PLAIN', 'LOGIN', 'XOAUTH2', 'OAUTHBEARER']
const WEAK = ['CRAM-MD5', 'DIGEST-MD5', 'NTLM']

export const login: Step<HostContext> = {
  name: 'login',
  tookMs: context => exchangesOf(context, 'AUTH')[0]?.tookMs ?? 0,
  run(context): readonly Finding[] {
    const { submission, talk, wantsLogin } = context
    if (talk.visit.facts === undefined) return []
    const clear = mechanismsOf(context, false)
    const secured = mechanismsOf(context, true)
    const last = talk.transcript.tls === undefined ? clear : secured
    const found: Finding[] = []
    if (last.length > 0) {
      const how = talk.transcript.tls === undefined ? 'in clear text' : 'under TLS'
      found.push(finding('login-offered', `${last.join(' ')} ${how}`))
    } else if (submission || wantsLogin) {
      found.push(finding('login-missing', 'no mechanism is offered'))
    }
    const bare = clear.filter(name => PLAINTEXT.includes(name))
    if (bare.length > 0) {
      found.push(finding('login-in-clear', `${bare.join(' ')} before TLS`))
    }
    const weak = last.filter(name => WEAK.includes(name))
    if (weak.length > 0) found.push(finding('login-weak', weak.join(' ')))
    return [...found, ...tried(context)]
  },
}

function tried({ talk }: HostContext): readonly Finding[] {
  if (talk.loginVisit === undefined) return []
  const { facts, trouble, cutOff } = talk.loginVisit
  if (facts?.login !== undefined) return [finding('login-works', `logged in by ${facts.login}`)]
  if (cutOff) return [finding('too-slow', 'the login did not end in time')]
  return trouble === undefined ? [] : [refused(trouble)]
}

function refused({ phase, reason, reply, status }: Trouble): Finding {
  if (phase === 'tls' || status === '5.7.11') return finding('login-unsafe', reason)
  if (phase === 'auth' && reply === undefined && /^5\.7\.[04]$/.test(status)) {
    return finding('login-unknown', reason)
  }
  return finding('login-refused', reason)
}

function mechanismsOf(context: HostContext, secured: boolean): readonly string[] {
  const hello = exchangesOf(context, 'EHLO').find(each => each.secured === secured)
  const parameter = hello && offered(hello.reply).get('AUTH')
  return [...new Set((parameter ?? '').toUpperCase().split(/\s+/))].filter(name => name !== '')
}
