/**
 * BURL (RFC 4468 §3): what a URL names is the next piece of the message, between BDAT chunks or instead of them. Policy
 * takes it in; where it cannot, the whole message is over, as behind a chunk that failed.
 *
 *     burl-cmd = "BURL" SP absolute-URI [SP end-marker] CRLF,  end-marker = "LAST"
 */
import { replies } from '../../replies.ts'
import type { Conversation } from '../conversation.ts'
import { Incoming } from '../incoming.ts'
import { after, misuse } from '../state.ts'
import { ask, askInclude, type Turn } from '../turn.ts'
import { accept } from './accept.ts'
import { broken, spoil } from './bdat.ts'

export function* burl(conversation: Conversation, argument: string): Turn {
  const [, url, last] = /^([A-Za-z][A-Za-z0-9+.-]*:\S+)( +LAST)?$/i.exec(argument) ?? []
  if (url === undefined) {
    conversation.reply(replies.burlSyntax)
    spoil(conversation)
    return
  }
  const { peer, settings } = conversation
  const wrong = misuse(conversation.state, 'BURL')
  if (wrong !== undefined) {
    const none = wrong === 'needsRecipient' && settings.protocol === 'smtp'
    conversation.reply(none ? replies.noValidRecipients : replies[wrong])
  } else if (peer.account === undefined) {
    conversation.reply(replies.loginNeeded)
    spoil(conversation)
  } else yield* include(conversation, url, last !== undefined)
}

function* include(conversation: Conversation, url: string, last: boolean): Turn {
  const { peer, envelope, settings } = conversation
  if (conversation.incoming === undefined) {
    const verdict = yield* ask(conversation, { kind: 'data', peer, envelope })
    if (verdict.kind !== 'accept') {
      conversation.refuse(verdict)
      broken(conversation, last)
      return
    }
  }
  const incoming = conversation.incoming ?? new Incoming(conversation)
  conversation.incoming = incoming
  const { sizeMaxBytes } = settings
  const roomOctets = sizeMaxBytes > 0 ? sizeMaxBytes - incoming.sizeOctets : undefined
  const question = { kind: 'include', peer, envelope, url } as const
  const included = yield* askInclude(
    conversation,
    roomOctets === undefined ? question : { ...question, roomOctets },
  )
  if (included.kind !== 'included') {
    const verdict = included.kind === 'accept' ? conversation.verdictOr(undefined) : included
    if (verdict.kind !== 'accept') conversation.refuse(verdict)
    broken(conversation, last)
    return
  }
  incoming.sizeOctets += included.sizeOctets
  if (last) yield* accept(conversation, incoming.sizeOctets)
  else {
    conversation.state = after(conversation.state, 'BURL')
    conversation.reply(replies.included(included.sizeOctets))
  }
}
