/** What an EHLO keyword is for, in a few words: our own table first, then what others offer in the field. */
import { extensions } from '../smtp/extension/table.ts'

const OTHERS: Readonly<Record<string, string>> = {
  VERB: 'shows the inside of a delivery (sendmail)',
  ONEX: 'announces that one message will follow (sendmail)',
  SEND: 'mail to a terminal (RFC 821)',
  SUBMITTER: 'who is responsible, for Sender ID (RFC 4405)',
  BURL: 'submission by reference into an IMAP mailbox (RFC 4468)',
  VRFY: 'asks whether somebody is there (RFC 5321 §3.5)',
  'X-ANONYMOUSTLS': 'TLS between servers of one Exchange organisation',
  'X-EXPS': 'logins between servers of one Exchange organisation',
  XEXCH50: 'facts between servers of one Exchange organisation',
  XRDST: 'facts between servers of one Exchange organisation',
  XSHADOW: 'copies kept by a second Exchange server',
  'X-LINK2STATE': 'routes between servers of one Exchange organisation',
  XXFORWARD: 'as XFORWARD',
  XADDR: 'facts about who connects, from trusted peers',
  XLOOP: 'against loops',
  PRDR: 'a reply of its own for each recipient behind the message',
  TRANSID: 'a name for the transaction',
  'X-PIPE-CONNECT': 'commands before the greeting, to peers that are known (Exim)',
  PIPECONNECT: 'commands before the greeting, to peers that are known (Exim)',
}

export function meaningOf(keyword: string): string {
  const ours = extensions.find(each => each.keyword === keyword)
  if (ours !== undefined) return ours.help
  return OTHERS[keyword] ?? 'unknown here'
}
