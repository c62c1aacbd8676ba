/**
 * ATRN (RFC 2645 §5.2.1) and TURN (RFC 821 §3.8): after the 250 the roles change on this connection, and
 * the session ends here. Neither is for anybody we do not know (RFC 5321 F.1).
 */
import { parseDomain } from '../../domain.ts'
import { replies } from '../../replies.ts'
import type { Conversation } from '../conversation.ts'
import { askExchange, type Turn } from '../turn.ts'

/** A command line has no room for more than some 250 domains; nobody has so many. */
const DOMAINS_MAX = 100

/** `ATRN [SP domain *("," domain)]`: without domains, all that he may have. */
export function* atrn(conversation: Conversation, argument: string): Turn {
  // §5.2.1: who has not logged in reads 530, whatever he asks for.
  if (conversation.peer.account === undefined) {
    conversation.reply(replies.loginNeeded)
    return
  }
  const names = argument === '' ? [] : argument.split(',')
  const domains = names.flatMap(name => {
    const parsed = parseDomain(name, 0)
    return parsed !== undefined && parsed.next === name.length ? [parsed.text] : []
  })
  if (domains.length < names.length || names.length > DOMAINS_MAX) {
    conversation.reply(replies.atrnSyntax)
    return
  }
  yield* exchange(conversation, 'ATRN', domains)
}

/** For all domains of who asks; a verified certificate is proof as good as a login. */
export function* turn(conversation: Conversation): Turn {
  if (!conversation.proven) {
    conversation.reply(replies.loginNeeded)
    return
  }
  yield* exchange(conversation, 'TURN', [])
}

function* exchange(
  conversation: Conversation,
  verb: 'ATRN' | 'TURN',
  domains: readonly string[],
): Turn {
  const verdict = yield* askExchange(conversation, verb, domains)
  if (verdict.kind !== 'accept') {
    conversation.refuse(verdict)
    return
  }
  // What came behind the command was meant for a server, and we are about to be none.
  if (conversation.ahead.pipelined()) {
    conversation.close(replies.pipelinedExchange(conversation.settings.hostname))
    return
  }
  conversation.reply(replies.rolesChange)
  conversation.handOver()
}
