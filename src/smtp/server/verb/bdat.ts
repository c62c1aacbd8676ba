/**
 * BDAT (RFC 3030 §2): content in counted chunks of any octets. Whatever is wrong, the chunk is read
 * to its end before the reply, so that no octet of it is ever taken for a command.
 *
 *     bdat-cmd ::= "BDAT" SP chunk-size [ SP end-marker ] CR LF
 *     chunk-size ::= 1*DIGIT,  end-marker ::= "LAST"
 */
import type { Reply } from '../../../mail/status.ts'
import { replies } from '../../replies.ts'
import type { Conversation } from '../conversation.ts'
import { Incoming } from '../incoming.ts'
import { after, misuse } from '../state.ts'
import { ask, type Turn } from '../turn.ts'
import { accept, refuseContent } from './accept.ts'

export function* bdat(conversation: Conversation, argument: string): Turn {
  const found = /^(\d+)(?: +(.*))?$/.exec(argument)
  if (found === null) {
    conversation.reply(replies.bdatSyntax)
    spoil(conversation)
    return
  }
  const octets = Number(found[1])
  if (!Number.isSafeInteger(octets)) {
    // It could not even be swallowed, and its octets must not be read as commands.
    conversation.close(replies.tooBig)
    return
  }
  const marker = found[2]?.trim().toUpperCase() ?? ''
  if (marker === '' || marker === 'LAST') yield* chunk(conversation, octets, marker === 'LAST')
  else {
    yield* swallow(conversation, octets, replies.bdatSyntax)
    spoil(conversation)
  }
}

/** A chunk is missing now: what follows, pipelined perhaps, must not become a message with a hole. */
export function spoil(conversation: Conversation): void {
  const { state } = conversation
  if (state === 'rcpt' || state === 'chunks') broken(conversation, false)
}

function* chunk(conversation: Conversation, octets: number, last: boolean): Turn {
  const wrong = misuse(conversation.state, 'BDAT')
  if (wrong !== undefined) {
    const noRecipient = wrong === 'needsRecipient' && conversation.settings.protocol === 'smtp'
    yield* swallow(conversation, octets, noRecipient ? replies.noValidRecipients : replies[wrong])
    return
  }
  const { peer, envelope } = conversation
  const recipients = envelope.recipients.length
  if (conversation.incoming === undefined) {
    const verdict = yield* ask(conversation, { kind: 'data', peer, envelope })
    if (verdict.kind !== 'accept') {
      yield* skip(conversation, octets)
      conversation.refuse(verdict)
      broken(conversation, last)
      return
    }
  }
  const incoming = conversation.incoming ?? new Incoming(conversation)
  conversation.incoming = incoming
  incoming.chunkLeft = octets
  if (octets > 0) yield 'chunk'
  if (incoming.fault !== undefined) {
    if (last) refuseContent(conversation, incoming.fault, recipients)
    else conversation.reply(incoming.fault)
    broken(conversation, last)
  } else if (last) yield* accept(conversation, incoming.sizeOctets)
  else {
    conversation.state = after(conversation.state, 'BDAT')
    conversation.reply(replies.chunkOk(octets))
  }
}

/** RFC 3030 §2: after a failed chunk every further BDAT is 503; after the last one all is over. */
export function broken(conversation: Conversation, last: boolean): void {
  conversation.abandon()
  conversation.conclude()
  if (!last) conversation.state = 'broken'
}

function* swallow(conversation: Conversation, octets: number, reply: Reply): Turn {
  yield* skip(conversation, octets)
  conversation.reply(reply)
}

function* skip(conversation: Conversation, octets: number): Turn {
  if (octets === 0) return
  const kept = conversation.incoming
  const incoming = new Incoming(conversation)
  incoming.swallow(replies.needsReset)
  incoming.chunkLeft = octets
  conversation.incoming = incoming
  yield 'chunk'
  conversation.incoming = kept
}
