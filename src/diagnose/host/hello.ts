/** EHLO (RFC 5321 §4.1.1.1): what the server offers, each with what it is for, and what is missing. */

import { offered } from '../../smtp/client/hello.ts'
import { classOf } from '../../smtp/client/talk.ts'
import { meaningOf } from '../extension-meaning.ts'
import { type Finding, finding } from '../finding.ts'
import type { Step } from '../step.ts'
import { exchangesOf, type HostContext } from './context.ts'
import { refusal } from './refusal.ts'

const SLOW_MS = 10_000
/** A message with a photograph; whoever takes less is often in the way. */
const SIZE_SMALL_OCTETS = 10_000_000
const EXTENSIONS_MAX = 40
/** What mail of today is better for; the rest is a matter of taste. */
const EXPECTED = ['PIPELINING', 'SIZE', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES', 'DSN']

export const hello: Step<HostContext> = {
  name: 'hello',
  tookMs: context => exchangesOf(context, 'EHLO', 'HELO')[0]?.tookMs ?? 0,
  run(context): readonly Finding[] {
    const [first, second] = exchangesOf(context, 'EHLO', 'HELO')
    if (first === undefined) return []
    const slow =
      first.tookMs > SLOW_MS
        ? [finding('hello-slow', `it came after ${Math.round(first.tookMs / 1000)} s`)]
        : []
    if (classOf(first.reply) !== 2) {
      const helped = second?.said.startsWith('HELO') === true && classOf(second.reply) === 2
      const otherwise = helped ? 'hello-only' : 'hello-refused'
      return [refusal('EHLO was refused', first.reply, otherwise), ...slow]
    }
    const lines = first.reply.lines
    const extensions = offered(first.reply)
    const names = [...extensions.keys()]
    const masked = lines.slice(1).filter(line => /^X{4,}/i.test(line))
    if (masked.length > 0) {
      return [finding('hello-masked', `it offers ${masked.join(', ')}`), ...slow]
    }
    const missing = EXPECTED.filter(keyword => !extensions.has(keyword))
    return [
      finding('extended', names.length === 0 ? 'no extension is offered' : names.join(' ')),
      ...slow,
      ...otherName(context, lines[0] ?? ''),
      ...[...extensions].slice(0, EXTENSIONS_MAX).map(([keyword, parameters]) => {
        const shown = parameters === '' ? keyword : `${keyword} ${parameters}`
        return finding('extension', `${shown}: ${meaningOf(keyword)}`)
      }),
      ...(missing.length > 0 ? [finding('extensions-missing', missing.join(' '))] : []),
      ...small(extensions.get('SIZE')),
    ]
  },
}

function otherName(context: HostContext, line: string): readonly Finding[] {
  const name = nameIn(line)
  const greeted = nameIn(exchangesOf(context, '')[0]?.reply.lines[0] ?? '')
  if (name === undefined || greeted === undefined || name === greeted) return []
  return [finding('hello-other-name', `it greets as ${greeted} and answers EHLO as ${name}`)]
}

function nameIn(line: string): string | undefined {
  return /^[a-z0-9-]+(?:\.[a-z0-9-]+)+(?=\s|$)/i.exec(line)?.[0].toLowerCase()
}

/** RFC 1870 §4: 0, or no number, is no limit that is told. */
function small(parameter: string | undefined): readonly Finding[] {
  const size = Number(parameter?.trim() || '0')
  if (!(size > 0 && size < SIZE_SMALL_OCTETS)) return []
  return [finding('size-small', `messages over ${size} octets are not taken`)]
}
