/**
 * HELP (RFC 5321 §4.1.1.8): the verbs and extensions of this listener, or one line on one of them. All of
 * it is read off the tables; a peer is told of nothing that it is not shown in EHLO.
 */
import type { Extension } from '../../extension/extension.ts'
import { replies } from '../../replies.ts'
import type { Conversation } from '../conversation.ts'
import type { Verb } from '../state.ts'
import type { VerbRow } from './table.ts'

export function help(
  conversation: Conversation,
  argument: string,
  verbs: Readonly<Record<Verb, VerbRow>>,
): void {
  const extensions = conversation.dialect.extensions.filter(each => conversation.shows(each))
  const known = Object.entries(verbs).filter(([verb, row]) =>
    isHere(conversation, extensions, verb as Verb, row),
  )
  if (argument === '') {
    const keywords = extensions.map(each => each.keyword)
    conversation.reply(
      replies.help(
        known.map(([verb]) => verb),
        keywords,
      ),
    )
    return
  }
  const topic = argument.toUpperCase()
  const lines = [
    ...known.filter(([verb]) => verb === topic).map(([, row]) => row.help),
    ...extensions.filter(each => each.keyword === topic).map(describe),
  ]
  conversation.reply(lines.length === 0 ? replies.unknownTopic : replies.helpOn(lines))
}

function isHere(
  { settings, dialect }: Conversation,
  shown: readonly Extension[],
  verb: Verb,
  { only }: VerbRow,
): boolean {
  if (only === undefined || only === settings.protocol) return true
  if (only !== 'extension' || !dialect.verbs.has(verb)) return false
  return shown.some(each => each.verbs?.some(brought => brought === verb))
}

function describe({ keyword, help: text, rfcs }: Extension): string {
  const source = rfcs.length === 0 ? '' : ` (RFC ${rfcs.join(', ')})`
  return `${keyword}: ${text}${source}`
}
