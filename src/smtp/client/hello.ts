/**
 * EHLO, its fallback HELO, and LHLO (RFC 5321 §3.2, §4.1.1.1, RFC 2033 §4.1). Called by opening.ts
 * after the greeting and again after TLS: what was offered in clear text counts no more (RFC 3207
 * §4.2).
 */
import type { Reply } from '../../mail/status.ts'
import type { Trouble } from './question.ts'
import { classOf, offers, refused, type Script, type Talk } from './talk.ts'

/** Says who we are and learns what the hop offers. */
export function* hello(talk: Talk): Script<Trouble | undefined> {
  const { hostname, protocol, startTls, login } = talk.settings
  const verb = protocol === 'lmtp' ? 'LHLO' : 'EHLO'
  talk.extensions = new Map()
  talk.say(`${verb} ${hostname}\r\n`)
  const extended = yield 'hello'
  if (classOf(extended) === 2) {
    const extensions = offered(extended)
    for (const keyword of talk.settings.without) extensions.delete(keyword)
    talk.extensions = extensions
    talk.allowance.offered(offers(talk, 'LIMITS') ? talk.extensions.get('LIMITS') : undefined)
    return undefined
  }
  // §3.2: a server that knows no EHLO is spoken to by HELO, unless what we need comes by EHLO only.
  const bound = protocol === 'lmtp' || login !== undefined
  const needsTls = startTls === 'require' && talk.tls === undefined
  if (classOf(extended) !== 5) return refused('hello', `${verb} was refused`, extended)
  if (bound || needsTls) {
    // The route asks for more than this server is: ours to mend, and no mail is lost by it meanwhile.
    const trouble = refused('hello', `${verb} was refused`, extended)
    return { ...trouble, kind: 'deferred', status: trouble.status.replace('5', '4') }
  }
  talk.say(`HELO ${hostname}\r\n`)
  const plain = yield 'hello'
  return classOf(plain) === 2 ? undefined : refused('hello', 'HELO was refused', plain)
}

/**
 * The keywords behind the first line (RFC 5321 §4.1.1.1):
 *
 *     ehlo-line    = ehlo-keyword *( SP ehlo-param )
 *     ehlo-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
 *
 * Old servers write `AUTH=LOGIN`, and some give AUTH twice: the parameters are joined.
 */
export function offered(reply: Reply): Map<string, string> {
  const extensions = new Map<string, string[]>()
  for (const line of reply.lines.slice(1)) {
    const keyword = KEYWORD.exec(line)?.[1]
    if (keyword === undefined) continue
    const name = keyword.toUpperCase()
    const parameters = line
      .slice(keyword.length)
      .replace(/^[ =\t]+/, '')
      .trim()
    const before = extensions.get(name)
    if (before === undefined) extensions.set(name, [parameters])
    else before.push(parameters)
  }
  return new Map(Array.from(extensions, ([name, all]) => [name, all.join(' ').trim()]))
}

/** What may stand behind a keyword; how the line goes on is not looked at: a pattern that came back would never end. */
const KEYWORD = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:[ =\t]|\s*$)/
